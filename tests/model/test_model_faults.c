/* The model server and the proxy break connections exactly where the test asks, and a session's
 * view of a folder stays right whatever happens to the folder. */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "model/raw.h"
#include "support/check.h"
#include "support/net/cut_proxy.h"

static const char session_text[] = "a LOGIN alice secret\r\n"
				   "b EXAMINE INBOX\r\n"
				   "c UID FETCH 1:* (FLAGS BODY.PEEK[])\r\n"
				   "d LOGOUT\r\n";

static struct model *with_mail(void)
{
	struct model *model = model_new(&model_profile_full);

	model_account_add(model, "alice", "secret", MODEL_MIRROR);
	for (unsigned i = 0; i < 3; i++)
		(void)model_message_add(model, "alice", "INBOX",
			&(struct model_letter){.bytes = "Subject: x\r\n\r\nhello\r\n"});
	return model;
}

static size_t play(struct model *model, uint16_t port, bool *ret_reset)
{
	CLEANUP(raw_close)
	struct raw raw = port ? raw_dial(port) : raw_over(model_connect_pair(model));

	raw_say(&raw, session_text);
	size_t len = strlen(raw_rest(&raw));
	*ret_reset = raw.reset;
	return len;
}

static void cuts_after_every_byte_sent(void)
{
	CLEANUP(model_freep) struct model *model = with_mail();
	struct model_stats stats;
	bool reset;
	size_t total = play(model, 0, &reset);

	model_stats(model, &stats);
	CHECK_INT(stats.sent_bytes, total);
	CHECK_INT(stats.received_bytes, sizeof(session_text) - 1);
	CHECK(total > 500);
	for (size_t n = 0; n < total; n++) {
		model_cut_arm(model, &(struct model_cut){.way = MODEL_TO_CLIENT, .after_bytes = n});
		CHECK_INT(play(model, 0, &reset), n);
		CHECK(model_cut_fired(model));
	}
	model_cut_arm(model, &(struct model_cut){.way = MODEL_TO_CLIENT, .after_bytes = total});
	CHECK_INT(play(model, 0, &reset), total);
	CHECK(!model_cut_fired(model));
}

static void cuts_after_every_byte_received(void)
{
	CLEANUP(model_freep) struct model *model = with_mail();
	bool reset;
	size_t total = play(model, 0, &reset), before = 0;

	for (size_t n = 0; n < sizeof(session_text) - 1; n++) {
		size_t got;

		model_cut_arm(
			model, &(struct model_cut){.way = MODEL_FROM_CLIENT, .after_bytes = n});
		got = play(model, 0, &reset);
		CHECK(model_cut_fired(model));
		CHECK(got >= before && got < total);
		before = got;
	}
}

static void cuts_tcp_by_fin_and_rst(void)
{
	CLEANUP(model_freep) struct model *model = with_mail();
	uint16_t port = model_listen(model);
	bool reset;
	size_t total = play(model, port, &reset);

	CHECK(!reset);
	for (size_t n = 1; n < total; n += 37) {
		model_cut_arm(model, &(struct model_cut){.way = MODEL_TO_CLIENT, .after_bytes = n});
		CHECK_INT(play(model, port, &reset), n);
		CHECK(!reset);
		model_cut_arm(
			model, &(struct model_cut){
				       .way = MODEL_TO_CLIENT, .after_bytes = n, .end = MODEL_RST});
		CHECK(play(model, port, &reset) <= n);
		CHECK(reset);
	}
}

static void stalls_until_the_client_gives_up(void)
{
	CLEANUP(model_freep) struct model *model = with_mail();
	CLEANUP(raw_close) struct raw raw = raw_over(model_connect_pair(model));

	CHECK(strstr(raw_line(&raw), "* OK"));
	model_cut_arm(model,
		&(struct model_cut){.way = MODEL_TO_CLIENT, .after_bytes = 3, .end = MODEL_STALL});
	raw_say(&raw, "a NOOP\r\n");
	while (!model_cut_fired(model))
		(void)usleep(1000);
}

static void refuses_says_bye_and_answers_as_told(void)
{
	CLEANUP(model_freep) struct model *model = with_mail();
	uint16_t port = model_listen(model);

	model_refuse_next(model, 1);
	CLEANUP(raw_close) struct raw refused = raw_dial(port);
	CHECK_STR(raw_line(&refused), "");
	CLEANUP(raw_close) struct raw raw = raw_dial(port);
	CHECK(strstr(raw_line(&raw), "* OK"));
	CHECK(strstr(raw_ask(&raw, "LOGIN alice secret"), "a OK"));
	model_answer_next(model, "EXAMINE", 1, "NO [UNAVAILABLE] later");
	CHECK(strstr(raw_ask(&raw, "EXAMINE INBOX"), "a OK"));
	CHECK_STR(raw_ask(&raw, "EXAMINE INBOX"), "a NO [UNAVAILABLE] later\r\n");
	CHECK(strstr(raw_ask(&raw, "EXAMINE INBOX"), "a OK"));
	model_answer_next(model, "APPEND", 0, "NO [OVERQUOTA] full");
	raw_say(&raw, "a APPEND INBOX {3}\r\n");
	CHECK_STR(raw_line(&raw), "a NO [OVERQUOTA] full\r\n");
	raw_say(&raw, "a IDLE\r\n");
	CHECK_STR(raw_line(&raw), "+ idling\r\n");
	model_chatter(model);
	CHECK_STR(raw_line(&raw), "* OK Still here\r\n");
	model_bye_all(model, "going down");
	CHECK_STR(raw_line(&raw), "* BYE going down\r\n");
	CHECK_STR(raw_line(&raw), "");
}

static void goes_away_and_comes_back_on_its_port(void)
{
	CLEANUP(model_freep) struct model *model = with_mail();
	uint16_t port = model_listen(model);
	CLEANUP(raw_close) struct raw before = raw_dial(port);

	CHECK(strstr(raw_line(&before), "* OK"));
	model_unlisten(model);
	CHECK_STR(raw_line(&before), "");
	CLEANUP(raw_close) struct raw during = raw_dial(port);
	CHECK_INT(during.fd, -1);
	CHECK_INT(model_listen(model), port);
	CLEANUP(raw_close) struct raw after = raw_dial(port);
	CHECK(strstr(raw_line(&after), "* OK"));
}

static void sends_in_small_pieces_and_late(void)
{
	CLEANUP(model_freep) struct model *model = with_mail();
	bool reset;
	size_t total = play(model, 0, &reset);

	model_chop(model, 3);
	CHECK_INT(play(model, 0, &reset), total);
	model_chop(model, 0);
	model_delay(model, 20);
	CHECK_INT(play(model, 0, &reset), total);
}

/* Total bytes, once the server has served all of the proxy's connections. */
static uint64_t received(struct model *model, struct cut_proxy *proxy)
{
	struct model_stats stats;

	do {
		(void)usleep(1000);
		model_stats(model, &stats);
	} while (stats.open > 0 || stats.connections < cut_proxy_connections(proxy));
	return stats.received_bytes;
}

static void the_proxy_cuts_at_every_byte_both_ways(void)
{
	CLEANUP(model_freep) struct model *model = with_mail();
	CLEANUP(cut_proxy_freep) struct cut_proxy *proxy = cut_proxy_new(model_listen(model));
	bool reset;
	size_t total = play(model, cut_proxy_port(proxy), &reset);

	CHECK_INT(cut_proxy_bytes(proxy, CUT_TO_CLIENT), total);
	CHECK_INT(cut_proxy_bytes(proxy, CUT_TO_SERVER), sizeof(session_text) - 1);
	for (size_t n = 0; n < total; n += 1 + n / 50) {
		cut_proxy_arm(proxy, CUT_TO_CLIENT, n, CUT_FIN);
		CHECK_INT(play(model, cut_proxy_port(proxy), &reset), n);
		CHECK(cut_proxy_fired(proxy) && !reset);
		cut_proxy_arm(proxy, CUT_TO_CLIENT, n, CUT_RST);
		CHECK(play(model, cut_proxy_port(proxy), &reset) <= n);
		CHECK(cut_proxy_fired(proxy) && reset);
	}
	for (size_t n = 0; n < sizeof(session_text) - 1; n++) {
		uint64_t before = received(model, proxy);

		cut_proxy_arm(proxy, CUT_TO_SERVER, n, CUT_FIN);
		CHECK(play(model, cut_proxy_port(proxy), &reset) < total);
		CHECK(cut_proxy_fired(proxy));
		CHECK_INT(received(model, proxy) - before, n);
	}
	cut_proxy_disarm(proxy);
	CHECK_INT(play(model, cut_proxy_port(proxy), &reset), total);
}

static void the_proxy_stalls(void)
{
	CLEANUP(model_freep) struct model *model = with_mail();
	CLEANUP(cut_proxy_freep) struct cut_proxy *proxy = cut_proxy_new(model_listen(model));

	cut_proxy_arm(proxy, CUT_TO_CLIENT, 10, CUT_STALL);
	for (unsigned i = 0; i < 2; i++) {
		CLEANUP(raw_close) struct raw raw = raw_dial(cut_proxy_port(proxy));

		while (!cut_proxy_fired(proxy))
			(void)usleep(1000);
		if (i == 1)
			CHECK(strstr(raw_line(&raw), "* OK"));
	}
	CHECK_INT(cut_proxy_connections(proxy), 2);
}

struct history {
	struct model *model;
	uint64_t seed;
};

static void *make_history(void *context)
{
	struct history *history = context;
	uint64_t rng = history->seed;

	for (unsigned i = 0; i < 400; i++)
		(void)model_random_step(history->model, "alice", &rng);
	return NULL;
}

/* Counts EXISTS and EXPUNGE as a trusting client does. */
static void count_messages(const char *text, unsigned *count)
{
	for (const char *at = text; *at; at = strchr(at, '\n') + 1) {
		char *word = NULL;
		unsigned long number = str_starts(at, "* ") ? strtoul(at + 2, &word, 10) : 0;

		if (word && str_starts(word, " EXISTS"))
			*count = (unsigned)number;
		if (word && str_starts(word, " EXPUNGE"))
			(*count)--;
	}
}

static unsigned words_of(const char *text)
{
	unsigned count = 0;

	for (const char *at = text; *at && *at != '\r'; at++)
		count += *at == ' ';
	return count - 1;
}

static void views_follow_the_folder_through_random_histories(void)
{
	for (uint64_t seed = 1; seed <= 4; seed++) {
		CLEANUP(model_freep) struct model *model = with_mail();
		CLEANUP(raw_close) struct raw raw = raw_login(model);
		struct history history = {.model = model, .seed = seed};
		unsigned count = 0;
		pthread_t thread;

		count_messages(raw_ask(&raw, "EXAMINE INBOX"), &count);
		CHECK_INT(pthread_create(&thread, NULL, make_history, &history), 0);
		for (unsigned i = 0; i < 50; i++) {
			const char *text = raw_ask(&raw, i % 5 ? "NOOP" : "UID FETCH 1:* FLAGS");

			count_messages(text, &count);
			if (!strstr(text, "* BYE"))
				continue;
			raw_close(&raw);
			raw = raw_login(model);
			count_messages(raw_ask(&raw, "EXAMINE INBOX"), &count);
		}
		CHECK_INT(pthread_join(thread, NULL), 0);
		const char *last = raw_ask(&raw, "NOOP");
		if (strstr(last, "* BYE"))
			continue;
		count_messages(last, &count);
		CHECK_INT(words_of(raw_ask(&raw, "UID SEARCH ALL")), count);
	}
}

int main(int argc, char **argv)
{
	static const struct promise promises[] = {
		PROMISE(cuts_after_every_byte_sent),
		PROMISE(cuts_after_every_byte_received),
		PROMISE(cuts_tcp_by_fin_and_rst),
		PROMISE(stalls_until_the_client_gives_up),
		PROMISE(refuses_says_bye_and_answers_as_told),
		PROMISE(goes_away_and_comes_back_on_its_port),
		PROMISE(sends_in_small_pieces_and_late),
		PROMISE(the_proxy_cuts_at_every_byte_both_ways),
		PROMISE(the_proxy_stalls),
		PROMISE(views_follow_the_folder_through_random_histories),
	};
	return check_main(argc, argv, promises, ARRAY_LEN(promises));
}
