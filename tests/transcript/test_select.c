#include <string.h>

#include "base/str.h"
#include "imap/seqset.h"
#include "support/imap/talk.h"

#define QRESYNC_ON                                                                                 \
	GREETED("SASL-IR AUTH=PLAIN")                                                              \
	"C: a AUTHENTICATE PLAIN " TALK_PLAIN64 "\n"                                               \
	"S: a OK [CAPABILITY IMAP4rev1 ENABLE QRESYNC UNSELECT ESEARCH] in\n"                      \
	"C: b ENABLE QRESYNC\n"                                                                    \
	"C: c LIST \"\" \"\"\n"                                                                    \
	"S: * ENABLED QRESYNC\n"                                                                   \
	"S: b OK\n"                                                                                \
	"S: c OK\n"

/* What a sink was told, in words. */
struct told {
	struct buf text;
};

static bool tell_fetched(void *context, const struct imap_fetch_reply *fetch, struct err *err)
{
	struct told *told = context;

	(void)err;
	return buf_printf(&told->text, "[%u %s]", fetch->uid, fetch->flags ? fetch->flags : "");
}

static bool tell_vanished(void *context, const struct rangeset *uids, bool earlier, struct err *err)
{
	struct told *told = context;

	(void)err;
	return buf_add_str(&told->text, earlier ? "{earlier " : "{") &&
	       seqset_format(uids, &told->text) && buf_add_str(&told->text, "}");
}

static struct imap_fetch_sink sink_of(struct told *told)
{
	buf_init(&told->text, 4096);
	return (struct imap_fetch_sink){
		.context = told, .fetched = tell_fetched, .vanished = tell_vanished};
}

static void told_free(struct told *told)
{
	buf_free(&told->text);
}

static void examine_collects_what_the_folder_is(void)
{
	static const char *const script[] = {
		LOGGED_IN("CONDSTORE"),
		"C: a EXAMINE \"a b\" (CONDSTORE)\n",
		"S: * FLAGS (\\Answered \\Seen)\n",
		"S: * OK [PERMANENTFLAGS (\\Seen \\*)] Limited\n",
		"S: * 17 EXISTS\n",
		"S: * 0 RECENT\n",
		"S: * OK [UIDVALIDITY 3857529045] ok\n",
		"S: * OK [UIDNEXT 4392]\n",
		"S: * OK [HIGHESTMODSEQ 715194045007]\n",
		"S: a OK [READ-ONLY] done\n",
	};
	CLEANUP(talk_end) struct talk talk = {0};
	CLEANUP(imap_examined_free) struct imap_examined examined = {0};

	CHECK_TALK(&talk, talk_begin(&talk, SCRIPT(script)));
	CHECK_TALK(&talk, imap_examine(talk.imap, "a b", NULL, NULL, &examined, &talk.err));
	CHECK_INT(examined.uidvalidity, 3857529045);
	CHECK_INT(examined.uidnext, 4392);
	CHECK_INT(examined.exists, 17);
	CHECK_INT(examined.highestmodseq, 715194045007);
	CHECK(strstr(examined.permanent_flags, "\\*"));
	CHECK(examined.read_only);
	CHECK(!imap_take_news(talk.imap));
	CHECK_STR(talk_close(&talk), "");
}

/* Courier gives no UIDNEXT, Tencent no UIDVALIDITY, Gmail a MODSEQ of NOMODSEQ folders */
static void what_is_not_given_is_zero(void)
{
	static const char *const script[] = {
		LOGGED_IN(""),
		"C: a SELECT INBOX\n",
		"S: * OK [UIDVALIDITY 4294967296] too large\n",
		"S: * OK [NOMODSEQ]\n",
		"S: a OK [READ-WRITE] done\n",
	};
	CLEANUP(talk_end) struct talk talk = {0};
	CLEANUP(imap_examined_free) struct imap_examined examined = {0};

	CHECK_TALK(&talk, talk_begin(&talk, SCRIPT(script)));
	CHECK_TALK(&talk, imap_select(talk.imap, "INBOX", &examined, &talk.err));
	CHECK_INT(examined.uidvalidity, 0);
	CHECK_INT(examined.uidnext, 0);
	CHECK_INT(examined.highestmodseq, 0);
	CHECK(!examined.permanent_flags && !examined.read_only);
	CHECK_STR(talk_close(&talk), "");
}

static void qresync_tells_changes_with_examine(void)
{
	static const char *const script[] = {
		QRESYNC_ON,
		"C: a EXAMINE INBOX (QRESYNC (67890007 20050715194045000 41,43:211))\n",
		"S: * 314 EXISTS\n",
		"S: * OK [UIDVALIDITY 67890007]\n",
		"S: * OK [UIDNEXT 567]\n",
		"S: * OK [HIGHESTMODSEQ 20060115205545359]\n",
		"S: * VANISHED (EARLIER) 41,43:116\n",
		"S: * 49 FETCH (UID 117 FLAGS (\\Seen \\Answered) MODSEQ (20060115194045001))\n",
		"S: * 50 FETCH (UID 119 FLAGS () MODSEQ (20060115194045002))\n",
		"S: a OK [READ-ONLY] done\n",
	};
	CLEANUP(talk_end) struct talk talk = {0};
	CLEANUP(imap_examined_free) struct imap_examined examined = {0};
	CLEANUP(told_free) struct told told;
	CLEANUP(rangeset_free) struct rangeset known = {0};
	const struct imap_fetch_sink sink = sink_of(&told);
	const struct imap_qresync qresync = {67890007, 20050715194045000, &known};

	rangeset_add(&known, 41, 41);
	rangeset_add(&known, 43, 211);
	CHECK_TALK(&talk, talk_begin(&talk, SCRIPT(script)));
	CHECK_TALK(&talk, imap_examine(talk.imap, "INBOX", &qresync, &sink, &examined, &talk.err));
	CHECK_STR(buf_str(&told.text), "{earlier 41,43:116}[117 \\Answered \\Seen][119 ]");
	CHECK_INT(examined.highestmodseq, 20060115205545359);
	CHECK_STR(talk_close(&talk), "");
}

static void known_uids_that_do_not_fit_are_left_out(void)
{
	static const char *const script[] = {
		QRESYNC_ON,
		"C: a EXAMINE INBOX (QRESYNC (7 8))\n",
		"S: a OK\n",
	};
	CLEANUP(talk_end) struct talk talk = {0};
	CLEANUP(imap_examined_free) struct imap_examined examined = {0};
	CLEANUP(rangeset_free) struct rangeset known = {0};
	const struct imap_qresync qresync = {7, 8, &known};

	for (uint32_t uid = 1000000; uid < 1004000; uid += 2)
		rangeset_add(&known, uid, uid);
	CHECK_TALK(&talk, talk_begin(&talk, SCRIPT(script)));
	CHECK_TALK(&talk, imap_examine(talk.imap, "INBOX", &qresync, NULL, &examined, &talk.err));
	CHECK_STR(talk_close(&talk), "");
}

static void last_words_of_the_old_folder_do_not_count_for_the_new(void)
{
	static const char *const script[] = {
		QRESYNC_ON,
		"C: a EXAMINE INBOX (CONDSTORE)\n",
		"S: * 5 EXISTS\n",
		"S: a OK\n",
		"C: a UNSELECT\n",
		"C: b EXAMINE Sent (QRESYNC (7 8))\n",
		"S: * 6 EXISTS\n",
		"S: * 3 FETCH (UID 3 FLAGS (\\Seen))\n",
		"S: * VANISHED 2\n",
		"S: a OK\n",
		"S: * 1 EXISTS\n",
		"S: * 1 FETCH (UID 9 FLAGS ())\n",
		"S: b OK\n",
	};
	CLEANUP(talk_end) struct talk talk = {0};
	CLEANUP(imap_examined_free) struct imap_examined one = {0};
	CLEANUP(imap_examined_free) struct imap_examined two = {0};
	CLEANUP(told_free) struct told told;
	const struct imap_fetch_sink sink = sink_of(&told);
	const struct imap_qresync qresync = {7, 8, NULL};

	CHECK_TALK(&talk, talk_begin(&talk, SCRIPT(script)));
	CHECK_TALK(&talk, imap_examine(talk.imap, "INBOX", NULL, NULL, &one, &talk.err));
	CHECK_TALK(&talk, imap_examine(talk.imap, "Sent", &qresync, &sink, &two, &talk.err));
	CHECK_STR(buf_str(&told.text), "[9 ]");
	CHECK_INT(two.exists, 1);
	CHECK(!imap_take_news(talk.imap));
	CHECK_STR(talk_close(&talk), "");
}

static void refused_folder_leaves_the_session_usable(void)
{
	static const char *const replies[] = {"NO [NONEXISTENT] Unknown Mailbox: [Gmail]",
		"NO [REFERRAL IMAP://fred@evil.example/x] go there", "BAD what"};

	for (size_t i = 0; i < ARRAY_LEN(replies); i++) {
		CLEANUP(talk_end) struct talk talk = {0};
		CLEANUP(imap_examined_free) struct imap_examined examined = {0};
		CLEANUP(freep)
		char *text = str_printf("%sS: a %s\nC: a NOOP\nS: a OK\n",
			LOGGED_IN("") "C: a EXAMINE x\n", replies[i]);

		CHECK_TALK(&talk, talk_begin(&talk, text));
		CHECK(!imap_examine(talk.imap, "x", NULL, NULL, &examined, &talk.err));
		CHECK_INT(talk.err.kind, ERR_REFUSED);
		CHECK(str_starts(talk.err.text, "EXAMINE: "));
		CHECK(strstr(talk.err.text, "server says: "));
		CHECK_TALK(&talk, imap_noop(talk.imap, &talk.err));
		CHECK_STR(talk_close(&talk), "");
	}
}

static void foreign_response_codes_are_ignored(void)
{
	static const char *const script[] = {
		EXAMINED("", "3"),
		"C: a NOOP\n",
		"S: * OK [APPENDUID 9 1:4294967295] surprise\n",
		"S: * OK [UIDNEXT 1] again\n",
		"S: * OK [COPYUID 14  ]\n",
		"S: a OK [APPENDUID 9 5] hm\n",
	};
	CLEANUP(talk_end) struct talk talk = {0};

	CHECK_TALK(&talk, talk_examine(&talk, SCRIPT(script)));
	CHECK_TALK(&talk, imap_noop(talk.imap, &talk.err));
	CHECK_INT(imap_append_pending(talk.imap), 0);
	CHECK(!imap_take_news(talk.imap));
	CHECK_STR(talk_close(&talk), "");
}

static void news_are_noticed_with_any_command(void)
{
	static const char *const news[] = {
		"* 4 EXISTS", "* 1 EXPUNGE", "* VANISHED 3", "* 2 FETCH (FLAGS (\\Seen))"};
	static const char *const none[] = {"* 3 EXISTS", "* 1 RECENT", "* OK Still here",
		"* FLAGS (x)", "* VANISHED (EARLIER) 9"};

	for (size_t i = 0; i < ARRAY_LEN(news) + ARRAY_LEN(none); i++) {
		bool is_news = i < ARRAY_LEN(news);
		CLEANUP(talk_end) struct talk talk = {0};
		CLEANUP(freep)
		char *text = str_printf("%sS: %s\nS: a OK\n", EXAMINED("", "3") "C: a NOOP\n",
			is_news ? news[i] : none[i - ARRAY_LEN(news)]);

		CHECK_TALK(&talk, talk_examine(&talk, text));
		CHECK_TALK(&talk, imap_noop(talk.imap, &talk.err));
		CHECK_INT(imap_take_news(talk.imap), is_news);
		CHECK(!imap_take_news(talk.imap));
		CHECK_STR(talk_close(&talk), "");
	}
}

static void unselect_is_never_close(void)
{
	CLEANUP(talk_end) struct talk with = {0};
	CLEANUP(talk_end) struct talk without = {0};

	CHECK_TALK(
		&with, talk_examine(&with, EXAMINED("UNSELECT", "3") "C: a UNSELECT\nS: a OK\n"));
	CHECK_TALK(&with, imap_unselect(with.imap, &with.err));
	CHECK_TALK(&with, imap_unselect(with.imap, &with.err));
	CHECK_STR(talk_close(&with), "");
	CHECK_TALK(&without, talk_examine(&without, EXAMINED("", "3")));
	CHECK_TALK(&without, imap_unselect(without.imap, &without.err));
	CHECK_STR(talk_close(&without), "");
}

static void check_search(const char *text, const char *wanted)
{
	CLEANUP(talk_end) struct talk talk = {0};
	CLEANUP(rangeset_free) struct rangeset uids = {0};
	CLEANUP(buf_free) struct buf shown = BUF_INIT(4096);

	CHECK_TALK(&talk, talk_examine(&talk, text));
	CHECK_TALK(&talk, imap_search_all(talk.imap, &uids, &talk.err));
	CHECK(uids.count == 0 || seqset_format(&uids, &shown));
	CHECK_STR(buf_str(&shown), wanted);
	CHECK_STR(talk_close(&talk), "");
}

static void search_takes_every_form_of_answer(void)
{
	static const char *const script[] = {
		EXAMINED("", "3"),
		"C: a UID SEARCH ALL\n",
		"S: * SEARCH 2 84 882 \n",
		"S: a OK\n",
	};
	static const char *const script2[] = {
		EXAMINED("", "0"),
		"C: a UID SEARCH ALL\n",
		"S: * SEARCH\n",
		"S: a OK\n",
	};
	static const char *const script3[] = {
		EXAMINED("", "0"),
		"C: a UID SEARCH ALL\n",
		"S: a OK SEARCH completed (took 2 ms)\n",
	};
	static const char *const script4[] = {
		EXAMINED("", "3"),
		"C: a UID SEARCH ALL\n",
		"S: * SEARCH 1 2\n",
		"S: * SEARCH 7\n",
		"S: a OK\n",
	};
	static const char *const script5[] = {
		EXAMINED("ESEARCH", "3"),
		"C: a UID SEARCH RETURN (ALL) ALL\n",
		"S: * ESEARCH (TAG \"x\") UID ALL 2,10:12\n",
		"S: a OK\n",
	};
	static const char *const script6[] = {
		EXAMINED("ESEARCH", "3"),
		"C: a UID SEARCH RETURN (ALL) ALL\n",
		"S: * SEARCH 5\n",
		"S: a OK\n",
	};
	check_search(SCRIPT(script), "2,84,882");
	check_search(SCRIPT(script2), "");
	check_search(SCRIPT(script3), "");
	check_search(SCRIPT(script4), "1:2,7");
	check_search(SCRIPT(script5), "2,10:12");
	check_search(SCRIPT(script6), "5");
}

/* Else all of it would be taken for gone. */
static void nothing_found_where_there_are_messages_is_no_answer(void)
{
	static const char *const nothing[] = {
		EXAMINED("", "3"),
		"C: a UID SEARCH ALL\n",
		"S: * SEARCH\n",
		"S: a OK\n",
	};
	static const char *const emptied[] = {
		EXAMINED("", "2"),
		"C: a UID SEARCH ALL\n",
		"S: * 1 EXPUNGE\n",
		"S: * SEARCH\n",
		"S: * 1 EXPUNGE\n",
		"S: a OK\n",
	};
	CLEANUP(talk_end) struct talk talk = {0};
	CLEANUP(rangeset_free) struct rangeset uids = {0};

	CHECK_TALK(&talk, talk_examine(&talk, SCRIPT(nothing)));
	CHECK(!imap_search_all(talk.imap, &uids, &talk.err));
	CHECK_INT(talk.err.kind, ERR_PROTOCOL);
	check_search(SCRIPT(emptied), "");
}

static void large_folder_is_searched_in_parts_from_the_top(void)
{
	static const char *const script[] = {
		EXAMINED("", "120000"),
		"C: a UID SEARCH 70001:*\n",
		"S: * SEARCH 200000\n",
		"S: a OK\n",
		"C: a UID SEARCH 20001:70000\n",
		"S: * SEARCH 100000\n",
		"S: a OK\n",
		"C: a UID SEARCH 1:20000\n",
		"S: * SEARCH 1\n",
		"S: a OK\n",
	};
	check_search(SCRIPT(script), "1,100000,200000");
}

static void message_id_is_searched_as_one_string(void)
{
	static const char *const script[] = {
		EXAMINED("", "3"),
		"C: a UID SEARCH HEADER Message-ID \"<a \\\"b\\\"@c>\"\n",
		"S: * SEARCH 3\n",
		"S: a OK\n",
	};
	CLEANUP(talk_end) struct talk talk = {0};
	CLEANUP(rangeset_free) struct rangeset uids = {0};

	CHECK_TALK(&talk, talk_examine(&talk, SCRIPT(script)));
	CHECK_TALK(&talk, imap_search_message_id(talk.imap, "<a \"b\"@c>", &uids, &talk.err));
	CHECK(rangeset_has(&uids, 3) && rangeset_size(&uids) == 1);
	CHECK_STR(talk_close(&talk), "");
}

int main(int argc, char **argv)
{
	static const struct promise promises[] = {
		PROMISE(examine_collects_what_the_folder_is),
		PROMISE(what_is_not_given_is_zero),
		PROMISE(qresync_tells_changes_with_examine),
		PROMISE(known_uids_that_do_not_fit_are_left_out),
		PROMISE(last_words_of_the_old_folder_do_not_count_for_the_new),
		PROMISE(refused_folder_leaves_the_session_usable),
		PROMISE(foreign_response_codes_are_ignored),
		PROMISE(news_are_noticed_with_any_command),
		PROMISE(unselect_is_never_close),
		PROMISE(search_takes_every_form_of_answer),
		PROMISE(nothing_found_where_there_are_messages_is_no_answer),
		PROMISE(large_folder_is_searched_in_parts_from_the_top),
		PROMISE(message_id_is_searched_as_one_string),
	};

	return check_main(argc, argv, promises, ARRAY_LEN(promises));
}
