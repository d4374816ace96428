#include <string.h>

#include "base/str.h"
#include "support/imap/talk.h"

#define APPEND_HEAD "C: a APPEND Sent (\\Seen) \"17-Jul-1996 02:44:25 -0700\" "

/* A message given out in pieces of so many bytes. */
struct source {
	const char *text;
	size_t at;
	size_t piece;
};

static bool give(void *context, const uint8_t **ret_data, size_t *ret_len, struct err *err)
{
	struct source *source = context;
	size_t left = strlen(source->text) - source->at;

	(void)err;
	*ret_data = (const uint8_t *)source->text + source->at;
	*ret_len = left < source->piece ? left : source->piece;
	source->at += *ret_len;
	return true;
}

static bool append(struct talk *talk, const char *message)
{
	static const struct zoned_time date = {.unix_s = 837596665, .offset_min = -420};
	struct source source = {.text = message, .piece = 3};
	const struct imap_append append = {
		.wire_name = "Sent",
		.flags = "\\Seen",
		.date = &date,
		.size_bytes = strlen(message),
		.read = give,
		.context = &source,
	};

	return imap_append_send(talk->imap, &append, &talk->err);
}

static void literal_plus_needs_no_waiting(void)
{
	static const char *const script[] = {
		LOGGED_IN("LITERAL+ UIDPLUS"),
		(APPEND_HEAD "{5+}\n"),
		"B: hello\\r\\n\n",
		"C: b APPEND Sent ... {3+}\n",
		"B: you\\r\\n\n",
		"S: * 7 EXISTS\n",
		"S: a OK [APPENDUID 38505 3955] done\n",
		"S: b NO [OVERQUOTA] full\n",
	};
	CLEANUP(talk_end) struct talk talk = {0};
	struct imap_append_result result;

	CHECK_TALK(&talk, talk_begin(&talk, SCRIPT(script)));
	CHECK_TALK(&talk, append(&talk, "hello"));
	CHECK_TALK(&talk, append(&talk, "you"));
	CHECK_INT(imap_append_pending(talk.imap), 2);
	CHECK_TALK(&talk, imap_append_result(talk.imap, &result, &talk.err));
	CHECK_INT(result.status, IMAP_OK);
	CHECK_INT(result.uidvalidity, 38505);
	CHECK_INT(result.uid, 3955);
	CHECK_TALK(&talk, imap_append_result(talk.imap, &result, &talk.err));
	CHECK_INT(result.status, IMAP_NO);
	CHECK_INT(result.code, IMAP_CODE_OVERQUOTA);
	CHECK_INT(result.uid, 0);
	CHECK_STR(result.text, "full");
	CHECK_INT(imap_append_pending(talk.imap), 0);
	CHECK_STR(talk_close(&talk), "");
}

/* Courier runs a literal it was not asked for as commands */
static void without_literal_plus_the_server_is_asked(void)
{
	static const char *const script[] = {
		LOGGED_IN("UIDPLUS"),
		(APPEND_HEAD "{5}\n"),
		"W: 30\n",
		"S: + go\n",
		"B: hello\\r\\n\n",
		"S: a OK\n",
	};
	CLEANUP(talk_end) struct talk talk = {0};
	struct imap_append_result result;

	CHECK_TALK(&talk, talk_begin(&talk, SCRIPT(script)));
	CHECK_TALK(&talk, append(&talk, "hello"));
	CHECK_TALK(&talk, imap_append_result(talk.imap, &result, &talk.err));
	CHECK_INT(result.status, IMAP_OK);
	CHECK_INT(result.uid, 0);
	CHECK_STR(talk_close(&talk), "");
}

static void refusal_in_place_of_go_ahead_is_the_result(void)
{
	static const char *const script[] = {
		LOGGED_IN(""),
		(APPEND_HEAD "{5}\n"),
		"S: a NO [TRYCREATE] no such folder\n",
		"C: a APPEND ...\n",
		"S: + \n",
		"B: again\\r\\n\n",
		"S: a OK\n",
	};
	CLEANUP(talk_end) struct talk talk = {0};
	struct imap_append_result result;

	CHECK_TALK(&talk, talk_begin(&talk, SCRIPT(script)));
	CHECK_TALK(&talk, append(&talk, "hello"));
	CHECK_TALK(&talk, append(&talk, "again"));
	CHECK_TALK(&talk, imap_append_result(talk.imap, &result, &talk.err));
	CHECK_INT(result.code, IMAP_CODE_TRYCREATE);
	CHECK_STR(result.text, "no such folder");
	CHECK_TALK(&talk, imap_append_result(talk.imap, &result, &talk.err));
	CHECK_INT(result.status, IMAP_OK);
	CHECK_STR(talk_close(&talk), "");
}

static void results_that_come_while_waiting_are_kept(void)
{
	static const char *const script[] = {
		LOGGED_IN("LITERAL-"),
		(APPEND_HEAD "{5+}\n"),
		"B: hello\\r\\n\n",
		"C: b NOOP\n",
		"S: a OK [APPENDUID 1 2] one\n",
		"S: b OK\n",
	};
	CLEANUP(talk_end) struct talk talk = {0};
	struct imap_append_result result;

	CHECK_TALK(&talk, talk_begin(&talk, SCRIPT(script)));
	CHECK_TALK(&talk, append(&talk, "hello"));
	CHECK_TALK(&talk, imap_noop(talk.imap, &talk.err));
	CHECK_TALK(&talk, imap_append_result(talk.imap, &result, &talk.err));
	CHECK_INT(result.uid, 2);
	CHECK_STR(talk_close(&talk), "");
}

static void uid_that_cannot_be_meant_is_none(void)
{
	static const char *const codes[] = {"[APPENDUID 7 1:4294967295]", "[APPENDUID 0 5]",
		"[APPENDUID 7 5:6]", "[UIDNEXT 5]", "[COPYUID 7 1 5]"};

	for (size_t i = 0; i < ARRAY_LEN(codes); i++) {
		CLEANUP(talk_end) struct talk talk = {0};
		struct imap_append_result result;
		CLEANUP(freep)
		char *text = str_printf("%sS: a OK %s done\n",
			LOGGED_IN("LITERAL+ UIDPLUS") APPEND_HEAD "{5+}\nB: hello\\r\\n\n",
			codes[i]);

		CHECK_TALK(&talk, talk_begin(&talk, text));
		CHECK_TALK(&talk, append(&talk, "hello"));
		CHECK_TALK(&talk, imap_append_result(talk.imap, &result, &talk.err));
		CHECK_INT(result.status, IMAP_OK);
		CHECK_INT(result.uid, 0);
		CHECK_INT(result.uidvalidity, 0);
		CHECK_STR(talk_close(&talk), "");
	}
}

static void empty_message_is_an_empty_literal(void)
{
	static const char *const script[] = {
		LOGGED_IN("LITERAL+"),
		(APPEND_HEAD "{0+}\n"),
		"c: \n",
		"S: a NO Can't save a zero byte message.\n",
	};
	CLEANUP(talk_end) struct talk talk = {0};
	struct imap_append_result result;

	CHECK_TALK(&talk, talk_begin(&talk, SCRIPT(script)));
	CHECK_TALK(&talk, append(&talk, ""));
	CHECK_TALK(&talk, imap_append_result(talk.imap, &result, &talk.err));
	CHECK_INT(result.status, IMAP_NO);
	CHECK_STR(talk_close(&talk), "");
}

static void sixty_four_appends_may_be_out(void)
{
	CLEANUP(talk_end) struct talk talk = {0};
	CLEANUP(buf_free) struct buf text = BUF_INIT(64 * 1024);
	bool fits = buf_add_str(&text, LOGGED_IN("LITERAL+"));

	for (int i = 0; i < IMAP_APPEND_IN_FLIGHT; i++)
		fits = fits &&
		       buf_printf(&text, "C: %c APPEND ...\nB: hello\\r\\n\n", 'a' + i % 26);
	CHECK(fits);
	CHECK_TALK(&talk, talk_begin(&talk, buf_str(&text)));
	for (int i = 0; i < IMAP_APPEND_IN_FLIGHT; i++)
		CHECK_TALK(&talk, append(&talk, "hello"));
	CHECK_INT(imap_append_pending(talk.imap), IMAP_APPEND_IN_FLIGHT);
	CHECK(!imap_noop(talk.imap, &talk.err)); /* flushes, and nobody answers */
	CHECK_INT(talk.err.kind, ERR_RETRY);
	(void)talk_close(&talk);
}

static void goodbye_keeps_its_words(void)
{
	static const char *const script[] = {
		LOGGED_IN("LITERAL+"),
		(APPEND_HEAD "{5+}\n"),
		"B: hello\\r\\n\n",
		"S: * BYE Invalid character in literal.\n",
		"X:\n",
	};
	CLEANUP(talk_end) struct talk talk = {0};
	struct imap_append_result result;

	CHECK_TALK(&talk, talk_begin(&talk, SCRIPT(script)));
	CHECK_TALK(&talk, append(&talk, "hello"));
	CHECK(!imap_append_result(talk.imap, &result, &talk.err));
	CHECK_INT(talk.err.kind, ERR_RETRY);
	CHECK_STR(talk.err.text,
		"APPEND: server ended the session, server says: Invalid character in literal.");
	(void)talk_close(&talk);
}

static void flag_that_would_break_the_line_is_not_sent(void)
{
	CLEANUP(talk_end) struct talk talk = {0};
	struct source source = {.text = "x", .piece = 1};
	const struct imap_append append = {.wire_name = "Sent",
		.flags = "a\r\nb",
		.size_bytes = 1,
		.read = give,
		.context = &source};

	CHECK_TALK(&talk, talk_begin(&talk, LOGGED_IN("LITERAL+") "C: a NOOP\nS: a OK\n"));
	CHECK(!imap_append_send(talk.imap, &append, &talk.err));
	CHECK_INT(talk.err.kind, ERR_REFUSED);
	CHECK_INT(imap_append_pending(talk.imap), 0);
	CHECK_TALK(&talk, imap_noop(talk.imap, &talk.err));
	CHECK_STR(talk_close(&talk), "");
}

static void folder_is_created_with_its_use(void)
{
	static const char *const script[] = {
		LOGGED_IN("CREATE-SPECIAL-USE"),
		"C: a CREATE \"My Sent\" (USE (\\Sent))\n",
		"S: a OK\n",
		"C: a CREATE x\n",
		"S: a NO [ALREADYEXISTS] yes\n",
		"C: a CREATE y\n",
		"S: a NO Mailbox already exists\n",
		"C: a CREATE z\n",
		"S: a NO [CANNOT] Folder contains excess whitespace (Failure)\n",
		"C: a SUBSCRIBE \"My Sent\"\n",
		"S: a OK\n",
	};
	CLEANUP(talk_end) struct talk talk = {0};
	bool exists;

	CHECK_TALK(&talk, talk_begin(&talk, SCRIPT(script)));
	CHECK_TALK(&talk, imap_create(talk.imap, "My Sent", "\\Sent", &exists, &talk.err));
	CHECK(!imap_create(talk.imap, "x", NULL, &exists, &talk.err));
	CHECK(exists && talk.err.kind == ERR_REFUSED);
	CHECK(!imap_create(talk.imap, "y", NULL, &exists, &talk.err));
	CHECK(exists);
	CHECK(!imap_create(talk.imap, "z", NULL, &exists, &talk.err));
	CHECK(!exists);
	CHECK_TALK(&talk, imap_subscribe(talk.imap, "My Sent", &talk.err));
	CHECK_STR(talk_close(&talk), "");
}

static void use_is_not_sent_where_it_is_not_offered(void)
{
	CLEANUP(talk_end) struct talk talk = {0};
	bool exists;

	CHECK_TALK(&talk, talk_begin(&talk, LOGGED_IN("") "C: a CREATE Sent\nS: a OK\n"));
	CHECK_TALK(&talk, imap_create(talk.imap, "Sent", "\\Sent", &exists, &talk.err));
	CHECK_STR(talk_close(&talk), "");
}

static void flags_are_added_silently(void)
{
	static const char *const script[] = {
		EXAMINED("", "3"),
		"C: a UID STORE 9 +FLAGS.SILENT ($x \\Seen)\n",
		"S: * 3 FETCH (UID 9 MODSEQ (5))\n",
		"S: a OK\n",
	};
	CLEANUP(talk_end) struct talk talk = {0};

	CHECK_TALK(&talk, talk_examine(&talk, SCRIPT(script)));
	CHECK_TALK(&talk, imap_store_flags(talk.imap, 9, "$x \\Seen", &talk.err));
	CHECK(!imap_take_news(talk.imap));
	CHECK_STR(talk_close(&talk), "");
}

int main(int argc, char **argv)
{
	static const struct promise promises[] = {
		PROMISE(literal_plus_needs_no_waiting),
		PROMISE(without_literal_plus_the_server_is_asked),
		PROMISE(refusal_in_place_of_go_ahead_is_the_result),
		PROMISE(results_that_come_while_waiting_are_kept),
		PROMISE(uid_that_cannot_be_meant_is_none),
		PROMISE(empty_message_is_an_empty_literal),
		PROMISE(sixty_four_appends_may_be_out),
		PROMISE(goodbye_keeps_its_words),
		PROMISE(flag_that_would_break_the_line_is_not_sent),
		PROMISE(folder_is_created_with_its_use),
		PROMISE(use_is_not_sent_where_it_is_not_offered),
		PROMISE(flags_are_added_silently),
	};

	return check_main(argc, argv, promises, ARRAY_LEN(promises));
}
