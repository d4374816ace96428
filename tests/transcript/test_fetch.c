#include <string.h>

#include "base/str.h"
#include "imap/seqset.h"
#include "support/imap/talk.h"

enum { TEXT_MAX = 64 * 1024 };

/* All that a sink was told, in words. */
struct told {
	struct buf text;
	struct imap_fetch_sink sink;
};

static bool tell_begin(void *context, uint64_t size_bytes, struct err *err)
{
	struct told *told = context;

	(void)err;
	return buf_printf(&told->text, "<%llu ", (unsigned long long)size_bytes);
}

static bool tell_data(void *context, const uint8_t *data, size_t len, struct err *err)
{
	struct told *told = context;

	(void)err;
	return buf_add(&told->text, data, len);
}

static bool tell_end(void *context, struct err *err)
{
	struct told *told = context;

	(void)err;
	return buf_add_str(&told->text, ">");
}

static bool tell_fetched(void *context, const struct imap_fetch_reply *fetch, struct err *err)
{
	struct told *told = context;

	(void)err;
	return buf_printf(&told->text, "[%u%s]", fetch->has & IMAP_FETCHED_UID ? fetch->uid : 0,
		fetch->has & IMAP_FETCHED_BODY ? " body" : "");
}

static bool tell_vanished(void *context, const struct rangeset *uids, bool earlier, struct err *err)
{
	struct told *told = context;

	(void)err;
	return buf_add_str(&told->text, earlier ? "{earlier " : "{") &&
	       seqset_format(uids, &told->text) && buf_add_str(&told->text, "}");
}

static bool tell_done(
	void *context, const struct rangeset *uids, bool ok, const char *text, struct err *err)
{
	struct told *told = context;

	(void)err;
	return seqset_format(uids, &told->text) &&
	       buf_printf(&told->text, "%s;", ok ? " ok" : text);
}

static void told_init(struct told *told)
{
	buf_init(&told->text, TEXT_MAX);
	told->sink = (struct imap_fetch_sink){
		.context = told,
		.body = {told, tell_begin, tell_data, tell_end},
		.fetched = tell_fetched,
		.vanished = tell_vanished,
		.range_done = tell_done,
	};
}

static void told_free(struct told *told)
{
	buf_free(&told->text);
}

/* Fetch first:last in ranges of so many; returns imap_fetch()'s result. */
static bool fetch(struct talk *talk, uint32_t first, uint32_t last, uint32_t items,
	uint32_t range_messages, struct told *told)
{
	CLEANUP(rangeset_free) struct rangeset uids = {0};
	const struct imap_fetch what = {
		.uids = &uids, .items = items, .range_messages = range_messages};

	rangeset_add(&uids, first, last);
	return imap_fetch(talk->imap, &what, &told->sink, &talk->err);
}

static void message_streams_to_the_sink(void)
{
	static const char *const script[] = {
		EXAMINED("", "3"),
		"C: a UID FETCH 5 (UID FLAGS INTERNALDATE RFC822.SIZE BODY.PEEK[])\n",
		"R: * 1 FETCH (UID 5 FLAGS (\\Seen) RFC822.SIZE 11 BODY[] {11}\\r\\n",
		"hello\\r\\nyou!)\\r\\n\n",
		"S: a OK\n",
	};
	CLEANUP(talk_end) struct talk talk = {0};
	CLEANUP(told_free) struct told told;

	told_init(&told);
	CHECK_TALK(&talk, talk_examine(&talk, SCRIPT(script)));
	CHECK_TALK(&talk, fetch(&talk, 5, 5,
				  IMAP_ITEM_FLAGS | IMAP_ITEM_DATE | IMAP_ITEM_SIZE |
					  IMAP_ITEM_MODSEQ | IMAP_ITEM_BODY,
				  0, &told));
	CHECK_STR(buf_str(&told.text), "<11 hello\r\nyou!>[5 body]5 ok;");
	CHECK(!imap_take_news(talk.imap));
	CHECK_STR(talk_close(&talk), "");
}

static void three_ranges_are_in_flight(void)
{
	static const char *const script[] = {
		EXAMINED("", "9"),
		"C: a UID FETCH 1:2 (UID FLAGS)\n",
		"C: b UID FETCH 3:4 (UID FLAGS)\n",
		"C: c UID FETCH 5:6 (UID FLAGS)\n",
		"W: 50\n",
		"S: * 1 FETCH (UID 1 FLAGS ())\n",
		"S: * 2 FETCH (UID 2 FLAGS ())\n",
		"S: a OK\n",
		"C: d UID FETCH 7:8 (UID FLAGS)\n",
		"S: b OK\n",
		"C: e UID FETCH 9 (UID FLAGS)\n",
		"S: c NO [UNAVAILABLE] UID FETCH Server error\n",
		"S: * 9 FETCH (UID 9 FLAGS ())\n",
		"S: d OK\n",
		"S: e OK\n",
	};
	CLEANUP(talk_end) struct talk talk = {0};
	CLEANUP(told_free) struct told told;

	told_init(&told);
	CHECK_TALK(&talk, talk_examine(&talk, SCRIPT(script)));
	CHECK_TALK(&talk, fetch(&talk, 1, 9, IMAP_ITEM_FLAGS, 2, &told));
	CHECK_STR(buf_str(&told.text),
		"[1][2]1:2 ok;3:4 ok;5:6UID FETCH Server error;[9]7:8 ok;9 ok;");
	CHECK_STR(talk_close(&talk), "");
}

static void open_end_is_one_range(void)
{
	static const char *const script[] = {
		EXAMINED("", "9"),
		"C: a UID FETCH 100:* (UID FLAGS)\n",
		"S: * 9 FETCH (UID 99 FLAGS ())\n",
		"S: a OK\n",
	};
	CLEANUP(talk_end) struct talk talk = {0};
	CLEANUP(told_free) struct told told;

	told_init(&told);
	CHECK_TALK(&talk, talk_examine(&talk, SCRIPT(script)));
	CHECK_TALK(&talk, fetch(&talk, 100, UINT32_MAX, IMAP_ITEM_FLAGS, 0, &told));
	CHECK_STR(buf_str(&told.text), "[99]100:4294967295 ok;");
	CHECK_STR(talk_close(&talk), "");
}

static void command_line_has_a_length(void)
{
	static const char *const script[] = {
		EXAMINED("", "9"),
		"C: a UID FETCH 4000000000,... (UID FLAGS)\n",
		"C: b UID FETCH ...,4000000998 (UID FLAGS)\n",
		"S: a OK\n",
		"S: b OK\n",
	};
	CLEANUP(talk_end) struct talk talk = {0};
	CLEANUP(told_free) struct told told;
	CLEANUP(rangeset_free) struct rangeset uids = {0};
	const struct imap_fetch what = {
		.uids = &uids, .items = IMAP_ITEM_FLAGS, .range_messages = 1000000};
	const char *line;

	for (uint32_t uid = 4000000000; uid < 4000001000; uid += 2)
		rangeset_add(&uids, uid, uid);
	told_init(&told);
	CHECK_TALK(&talk, talk_examine(&talk, SCRIPT(script)));
	CHECK_TALK(&talk, imap_fetch(talk.imap, &what, &told.sink, &talk.err));
	CHECK_STR(talk_close(&talk), "");
	for (line = script_plain(talk.script); *line; line += strcspn(line, "\n") + 1)
		CHECK(strcspn(line, "\n") < IMAP_COMMAND_BYTES_MAX);
}

static void changes_are_one_command(void)
{
	static const char *const script[] = {
		GREETED("SASL-IR AUTH=PLAIN"),
		"C: a AUTHENTICATE PLAIN ...\n",
		"S: a OK [CAPABILITY IMAP4rev1 ENABLE QRESYNC] in\n",
		"C: b ENABLE QRESYNC\n",
		"C: c LIST \"\" \"\"\n",
		"S: b OK\n",
		"S: c OK\n",
		"C: a UID FETCH 1:500000 (UID FLAGS MODSEQ) (CHANGEDSINCE 77 VANISHED)\n",
		"S: * VANISHED (EARLIER) 3:5\n",
		"S: * 1 FETCH (UID 6 FLAGS () MODSEQ (78))\n",
		"S: a OK\n",
	};
	CLEANUP(talk_end) struct talk talk = {0};
	CLEANUP(told_free) struct told told;
	CLEANUP(rangeset_free) struct rangeset uids = {0};
	const struct imap_fetch what = {
		.uids = &uids, .items = IMAP_ITEM_FLAGS | IMAP_ITEM_MODSEQ, .changed_since = 77};

	rangeset_add(&uids, 1, 500000);
	told_init(&told);
	CHECK_TALK(&talk, talk_begin(&talk, SCRIPT(script)));
	CHECK_TALK(&talk, imap_fetch(talk.imap, &what, &told.sink, &talk.err));
	CHECK_STR(buf_str(&told.text), "{earlier 3:5}[6]1:500000 ok;");
	CHECK_STR(talk_close(&talk), "");
}

/* iCloud and Exchange leave the body out, Yahoo leaves messages out */
static void reply_without_the_body_is_passed_on(void)
{
	static const char *const script[] = {
		EXAMINED("", "3"),
		"C: a UID FETCH 5:7 (UID RFC822.SIZE BODY.PEEK[])\n",
		"S: * 1 FETCH (UID 5 RFC822.SIZE 3)\n",
		"S: * 2 FETCH (UID 6 RFC822.SIZE 3 BODY[] NIL)\n",
		"S: a OK\n",
	};
	CLEANUP(talk_end) struct talk talk = {0};
	CLEANUP(told_free) struct told told;

	told_init(&told);
	CHECK_TALK(&talk, talk_examine(&talk, SCRIPT(script)));
	CHECK_TALK(&talk, fetch(&talk, 5, 7, IMAP_ITEM_SIZE | IMAP_ITEM_BODY, 0, &told));
	CHECK_STR(buf_str(&told.text), "[5][6]5:7 ok;");
	CHECK(!imap_take_news(talk.imap));
	CHECK_STR(talk_close(&talk), "");
}

static void change_by_somebody_else_is_news(void)
{
	static const char *const others[] = {"* 1 FETCH (UID 9 FLAGS (\\Seen))",
		"* 1 FETCH (FLAGS (\\Seen))", "* 1 FETCH (UID 5 FLAGS (\\Seen) MODSEQ (9))",
		"* 1 EXPUNGE", "* 4 EXISTS"};

	for (size_t i = 0; i < ARRAY_LEN(others); i++) {
		CLEANUP(talk_end) struct talk talk = {0};
		CLEANUP(told_free) struct told told;
		CLEANUP(freep)
		char *text = str_printf("%sS: %s\nS: * 1 FETCH (UID 5 BODY[] \"x\")\nS: a OK\n",
			EXAMINED("", "3") "C: a UID FETCH 5 (UID BODY.PEEK[])\n", others[i]);

		told_init(&told);
		CHECK_TALK(&talk, talk_examine(&talk, text));
		CHECK_TALK(&talk, fetch(&talk, 5, 5, IMAP_ITEM_BODY, 0, &told));
		CHECK(imap_take_news(talk.imap));
		CHECK_STR(talk_close(&talk), "");
	}
}

static void rate_limit_ends_the_session(void)
{
	static const char *const script[] = {
		EXAMINED("", "3"),
		"C: a UID FETCH ...\n",
		"S: a NO [LIMIT] UID FETCH Rate limit hit.\n",
	};
	CLEANUP(talk_end) struct talk talk = {0};
	CLEANUP(told_free) struct told told;

	told_init(&told);
	CHECK_TALK(&talk, talk_examine(&talk, SCRIPT(script)));
	CHECK(!fetch(&talk, 5, 5, IMAP_ITEM_BODY, 0, &told));
	CHECK_INT(talk.err.kind, ERR_RETRY);
	CHECK_STR(buf_str(&told.text), "");
	CHECK_STR(talk_close(&talk), "");
}

static bool refuse_data(void *context, const uint8_t *data, size_t len, struct err *err)
{
	(void)context;
	(void)data;
	(void)len;
	return err_set(err, ERR_NO_SPACE, "disk is full");
}

static void sink_that_fails_ends_the_session(void)
{
	static const char *const script[] = {
		EXAMINED("", "3"),
		"C: a UID FETCH ...\n",
		"S: * 1 FETCH (UID 5 BODY[] {100}\n",
		"Z: 100\n",
	};
	CLEANUP(talk_end) struct talk talk = {0};
	CLEANUP(told_free) struct told told;

	told_init(&told);
	told.sink.body.data = refuse_data;
	CHECK_TALK(&talk, talk_examine(&talk, SCRIPT(script)));
	CHECK(!fetch(&talk, 5, 5, IMAP_ITEM_BODY, 0, &told));
	CHECK_INT(talk.err.kind, ERR_NO_SPACE);
	CHECK(strstr(talk.err.text, "disk is full"));
}

static void message_id_is_collected(void)
{
	static const char *const script[] = {
		EXAMINED("", "3"),
		"C: a UID FETCH 5 (UID BODY.PEEK[HEADER.FIELDS (MESSAGE-ID)])\n",
		"R: * 1 FETCH (UID 5 BODY[HEADER.FIELDS (MESSAGE-ID)] {19}\\r\\n",
		"Message-ID: <x>\\r\\n\\r\\n)\\r\\n\n",
		"S: a OK\n",
	};
	CLEANUP(talk_end) struct talk talk = {0};
	CLEANUP(told_free) struct told told;

	told_init(&told);
	CHECK_TALK(&talk, talk_examine(&talk, SCRIPT(script)));
	CHECK_TALK(&talk, fetch(&talk, 5, 5, IMAP_ITEM_MESSAGE_ID, 0, &told));
	CHECK_STR(buf_str(&told.text), "[5]5 ok;");
	CHECK_STR(talk_close(&talk), "");
}

static void lines_of_a_summary_are_collected(void)
{
	static const char *const script[] = {
		EXAMINED("", "3"),
		"C: a UID FETCH 5 (UID BODY.PEEK[HEADER.FIELDS (FROM SUBJECT DATE MESSAGE-ID)])\n",
		"R: * 1 FETCH (UID 5 BODY[HEADER.FIELDS (FROM SUBJECT DATE MESSAGE-ID)] ",
		"{14}\\r\\nSubject: x\\r\\n\\r\\n)\\r\\n\n",
		"S: a OK\n",
	};
	CLEANUP(talk_end) struct talk talk = {0};
	CLEANUP(told_free) struct told told;

	told_init(&told);
	CHECK_TALK(&talk, talk_examine(&talk, SCRIPT(script)));
	CHECK_TALK(&talk, fetch(&talk, 5, 5, IMAP_ITEM_SUMMARY, 0, &told));
	CHECK_STR(buf_str(&told.text), "[5]5 ok;");
	CHECK_STR(talk_close(&talk), "");
}

/* A body is whole and its range done, or the session is over: whatever byte is the last. */
static void cut_at_any_byte_commits_nothing_that_is_half(void)
{
	static const char text[] =
		EXAMINED("", "3") "C: a UID FETCH 5 (UID BODY.PEEK[])\n"
				  "R: * 1 FETCH (UID 5 BODY[] {11}\\r\\nhello\\r\\nyou!)\\r\\n\n"
				  "S: a OK done\n";
	uint64_t whole = 0;

	for (uint64_t cut = 0; cut == 0 || cut < whole; cut++) {
		CLEANUP(talk_end) struct talk talk = {.script = script_new(text)};
		CLEANUP(told_free) struct told told;
		bool fetched;

		told_init(&told);
		script_cut(talk.script, cut);
		fetched = talk_examine(&talk, text) && fetch(&talk, 5, 5, IMAP_ITEM_BODY, 0, &told);
		CHECK_INT(fetched, cut == 0);
		CHECK_INT(strstr(buf_str(&told.text), "5 ok;") != NULL, cut == 0);
		CHECK(fetched || talk.err.kind == ERR_RETRY);
		(void)talk_close(&talk);
		if (cut == 0)
			whole = script_sent(talk.script);
	}
}

int main(int argc, char **argv)
{
	static const struct promise promises[] = {
		PROMISE(message_streams_to_the_sink),
		PROMISE(three_ranges_are_in_flight),
		PROMISE(open_end_is_one_range),
		PROMISE(command_line_has_a_length),
		PROMISE(changes_are_one_command),
		PROMISE(reply_without_the_body_is_passed_on),
		PROMISE(change_by_somebody_else_is_news),
		PROMISE(rate_limit_ends_the_session),
		PROMISE(sink_that_fails_ends_the_session),
		PROMISE(message_id_is_collected),
		PROMISE(lines_of_a_summary_are_collected),
		PROMISE(cut_at_any_byte_commits_nothing_that_is_half),
	};

	return check_main(argc, argv, promises, ARRAY_LEN(promises));
}
