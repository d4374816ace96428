#include <poll.h>
#include <string.h>

#include "base/str.h"
#include "support/imap/talk.h"

/* Wait until the parked session has something to read. */
static void wait_for_input(struct talk *talk)
{
	struct pollfd poll_fd = {.fd = imap_fd(talk->imap), .events = POLLIN};

	CHECK(imap_park(talk->imap));
	CHECK_INT(poll(&poll_fd, 1, 5000), 1);
}

static void news_wake_a_parked_session(void)
{
	static const char *const script[] = {
		EXAMINED("IDLE", "3"),
		"C: a IDLE\n",
		"S: + idling\n",
		"W: 50\n",
		"S: * 4 EXISTS\n",
		"c: DONE\n",
		"S: a OK\n",
		"C: b NOOP\n",
		"S: b OK\n",
	};
	CLEANUP(talk_end) struct talk talk = {0};
	bool news = false;

	CHECK_TALK(&talk, talk_examine(&talk, SCRIPT(script)));
	CHECK_TALK(&talk, imap_idle_start(talk.imap, &talk.err));
	CHECK_TALK(&talk, imap_idle_drain(talk.imap, &news, &talk.err));
	CHECK(!news);
	wait_for_input(&talk);
	CHECK_TALK(&talk, imap_idle_drain(talk.imap, &news, &talk.err));
	CHECK(news);
	CHECK_TALK(&talk, imap_idle_done(talk.imap, &talk.err));
	CHECK(!imap_take_news(talk.imap));
	CHECK_TALK(&talk, imap_noop(talk.imap, &talk.err));
	CHECK_STR(talk_close(&talk), "");
}

static void keep_alive_is_no_news(void)
{
	static const char *const script[] = {
		EXAMINED("IDLE", "3"),
		"C: a IDLE\n",
		"S: +\n",
		"S: * OK Still here\n",
		"S: * 3 EXISTS\n",
		"S: * 0 RECENT\n",
		"c: DONE\n",
		"S: a OK\n",
	};
	CLEANUP(talk_end) struct talk talk = {0};
	bool news = true;

	CHECK_TALK(&talk, talk_examine(&talk, SCRIPT(script)));
	CHECK_TALK(&talk, imap_idle_start(talk.imap, &talk.err));
	CHECK_TALK(&talk, imap_idle_drain(talk.imap, &news, &talk.err));
	CHECK(!news);
	CHECK_TALK(&talk, imap_idle_done(talk.imap, &talk.err));
	CHECK(!imap_take_news(talk.imap));
	CHECK_STR(talk_close(&talk), "");
}

static void news_that_cross_done_are_kept(void)
{
	static const char *const script[] = {
		EXAMINED("IDLE", "3"),
		"C: a IDLE\n",
		"S: + idling\n",
		"c: DONE\n",
		"S: * 1 EXPUNGE\n",
		"S: a OK\n",
	};
	CLEANUP(talk_end) struct talk talk = {0};

	CHECK_TALK(&talk, talk_examine(&talk, SCRIPT(script)));
	CHECK_TALK(&talk, imap_idle_start(talk.imap, &talk.err));
	CHECK_TALK(&talk, imap_idle_done(talk.imap, &talk.err));
	CHECK(imap_take_news(talk.imap));
	CHECK_STR(talk_close(&talk), "");
}

static void refused_idle_leaves_the_session_usable(void)
{
	static const char *const script[] = {
		EXAMINED("IDLE", "3"),
		"C: a IDLE\n",
		"S: a NO not here\n",
		"C: a NOOP\n",
		"S: a OK\n",
	};
	CLEANUP(talk_end) struct talk talk = {0};

	CHECK_TALK(&talk, talk_examine(&talk, SCRIPT(script)));
	CHECK(!imap_idle_start(talk.imap, &talk.err));
	CHECK_INT(talk.err.kind, ERR_REFUSED);
	CHECK_TALK(&talk, imap_noop(talk.imap, &talk.err));
	CHECK_STR(talk_close(&talk), "");
}

static void idle_ends_in(const char *end, const char *words)
{
	CLEANUP(talk_end) struct talk talk = {0};
	CLEANUP(freep)
	char *text =
		str_printf("%s%s", EXAMINED("IDLE", "3") "C: a IDLE\nS: + idling\nW: 50\n", end);
	bool news;

	CHECK_TALK(&talk, talk_examine(&talk, text));
	CHECK_TALK(&talk, imap_idle_start(talk.imap, &talk.err));
	wait_for_input(&talk);
	CHECK(!imap_idle_drain(talk.imap, &news, &talk.err));
	CHECK_INT(talk.err.kind, ERR_RETRY);
	CHECK(strstr(talk.err.text, words));
	CHECK_STR(talk_close(&talk), "");
}

static void every_end_of_idle_is_noticed(void)
{
	idle_ends_in("S: * BYE Session expired, please login again\nX:\n", "Session expired");
	idle_ends_in("X:\n", "closed the connection");
	idle_ends_in("S: a OK IDLE terminated\n", "IDLE terminated");
	idle_ends_in("R: * 4 EXI\nX:\n", "closed the connection");
}

static void done_that_is_not_answered_ends_the_session(void)
{
	static const char *const script[] = {
		EXAMINED("IDLE", "3"),
		"C: a IDLE\n",
		"S: + idling\n",
		"c: DONE\n",
	};
	CLEANUP(talk_end) struct talk talk = {0};

	CHECK_TALK(&talk, talk_examine(&talk, SCRIPT(script)));
	CHECK_TALK(&talk, imap_idle_start(talk.imap, &talk.err));
	CHECK(!imap_idle_done(talk.imap, &talk.err));
	CHECK_INT(talk.err.kind, ERR_RETRY);
	CHECK_STR(talk_close(&talk), "");
}

static void session_with_bytes_inside_cannot_be_parked(void)
{
	static const char *const script[] = {
		EXAMINED("IDLE", "3"),
		"C: a IDLE\n",
		"R: + idling\\r\\n* 4 EXISTS\\r\\n\n",
	};
	CLEANUP(talk_end) struct talk talk = {0};

	CHECK_TALK(&talk, talk_examine(&talk, SCRIPT(script)));
	CHECK_TALK(&talk, imap_idle_start(talk.imap, &talk.err));
	CHECK(!imap_park(talk.imap));
	CHECK_STR(talk_close(&talk), "");
}

static void logout_ends_idle_first(void)
{
	static const char *const script[] = {
		EXAMINED("IDLE", "3"),
		"C: a IDLE\n",
		"S: + idling\n",
		"c: DONE\n",
		"C: b LOGOUT\n",
		"S: a OK\n",
		"S: * BYE\n",
		"S: b OK\n",
	};
	CLEANUP(talk_end) struct talk talk = {0};

	CHECK_TALK(&talk, talk_examine(&talk, SCRIPT(script)));
	CHECK_TALK(&talk, imap_idle_start(talk.imap, &talk.err));
	imap_logout(&talk.imap);
	CHECK_STR(talk_close(&talk), "");
}

static void cancelled_session_waits_no_more(void)
{
	static const char *const script[] = {
		LOGGED_IN("IDLE"),
		"C: a NOOP\n",
		"S: a OK\n",
	};
	CLEANUP(talk_end) struct talk talk = {0};
	CLEANUP(cancel_close) struct cancel cancel;
	struct imap_login login = talk_login();

	CHECK(cancel_init(&cancel, &talk.err));
	login.cancel = &cancel;
	CHECK_TALK(&talk, talk_begin_as(&talk, SCRIPT(script), &login));
	CHECK_TALK(&talk, imap_noop(talk.imap, &talk.err));
	cancel_now(&cancel);
	CHECK(!imap_noop(talk.imap, &talk.err));
	CHECK_INT(talk.err.kind, ERR_CANCELLED);
	CHECK_STR(talk_close(&talk), "");
}

int main(int argc, char **argv)
{
	static const struct promise promises[] = {
		PROMISE(news_wake_a_parked_session),
		PROMISE(keep_alive_is_no_news),
		PROMISE(news_that_cross_done_are_kept),
		PROMISE(refused_idle_leaves_the_session_usable),
		PROMISE(every_end_of_idle_is_noticed),
		PROMISE(done_that_is_not_answered_ends_the_session),
		PROMISE(session_with_bytes_inside_cannot_be_parked),
		PROMISE(logout_ends_idle_first),
		PROMISE(cancelled_session_waits_no_more),
	};

	return check_main(argc, argv, promises, ARRAY_LEN(promises));
}
