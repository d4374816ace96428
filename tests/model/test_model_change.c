/* Changes, growth and faults of the model server; the expected answers are worked out by hand. */
#include <string.h>

#include "base/str.h"
#include "model/raw.h"
#include "support/check.h"

static void searches(void)
{
	CLEANUP(model_freep) struct model *model = raw_model();

	for (unsigned i = 1; i <= 5; i++) {
		CLEANUP(freep)
		char *text = str_printf("Message-ID: <%u@x>\r\n\r\nbody <9@x>\r\n", i);

		raw_add(model, "INBOX", text, i == 4 ? "\\Seen" : "");
	}
	CHECK(model_message_expunge(model, "alice", "INBOX", 3));
	CLEANUP(raw_close) struct raw raw = raw_login(model);

	CHECK(strstr(raw_ask(&raw, "EXAMINE INBOX"), "a OK"));
	CHECK_STR(raw_ask(&raw, "UID SEARCH ALL"), "* SEARCH 1 2 4 5\r\na OK done\r\n");
	CHECK_STR(raw_ask(&raw, "SEARCH ALL"), "* SEARCH 1 2 3 4\r\na OK done\r\n");
	CHECK_STR(raw_ask(&raw, "UID SEARCH RETURN (ALL COUNT) UID 2:*"),
		"* ESEARCH (TAG \"a\") UID COUNT 3 ALL 2,4:5\r\na OK done\r\n");
	CHECK_STR(raw_ask(&raw, "UID SEARCH HEADER MESSAGE-id \"<5@X>\""),
		"* SEARCH 5\r\na OK done\r\n");
	CHECK_STR(raw_ask(&raw, "UID SEARCH RETURN () HEADER Message-ID <9@x>"),
		"* ESEARCH (TAG \"a\") UID\r\na OK done\r\n");
	CHECK_STR(raw_ask(&raw, "UID SEARCH 2:3 UNSEEN"), "* SEARCH 2\r\na OK done\r\n");
}

static void stores_flags_and_expunges(void)
{
	CLEANUP(model_freep) struct model *model = raw_model();

	for (unsigned i = 0; i < 4; i++)
		raw_add(model, "INBOX", "A: b\r\n\r\n", "work");
	CLEANUP(raw_close) struct raw raw = raw_login(model);

	CHECK(strstr(raw_ask(&raw, "SELECT INBOX"), "a OK [READ-WRITE]"));
	CHECK_STR(raw_ask(&raw, "UID STORE 2:3 +FLAGS (\\deleted $X)"),
		"* 2 FETCH (UID 2 FLAGS ($X \\Deleted work))\r\n"
		"* 3 FETCH (UID 3 FLAGS ($X \\Deleted work))\r\n"
		"a OK done\r\n");
	CHECK_STR(raw_ask(&raw, "UID STORE 1 -FLAGS.SILENT (work)"), "a OK done\r\n");
	CHECK_STR(raw_ask(&raw, "STORE 4 FLAGS \\Seen"),
		"* 4 FETCH (FLAGS (\\Seen))\r\na OK done\r\n");
	CHECK_STR(raw_ask(&raw, "UID EXPUNGE 3"), "* 3 EXPUNGE\r\na OK done\r\n");
	CHECK_STR(raw_ask(&raw, "EXPUNGE"), "* 2 EXPUNGE\r\na OK done\r\n");
	CHECK_STR(raw_ask(&raw, "FETCH 1:* UID"),
		"* 1 FETCH (UID 1)\r\n* 2 FETCH (UID 4)\r\na OK done\r\n");
	CHECK(strstr(raw_ask(&raw, "UID STORE 1 FLAGS (\\Deleted)"), "a OK"));
	CHECK_STR(raw_ask(&raw, "CLOSE"), "a OK done\r\n");
	CHECK(strstr(raw_ask(&raw, "STATUS INBOX (MESSAGES)"), "(MESSAGES 1)"));
}

static void appends(void)
{
	CLEANUP(model_freep) struct model *model = raw_model();
	CLEANUP(model_snapshot_freep) struct model_snapshot *now = NULL;
	const struct model_folder *inbox;

	model_folder_numbers(model, "alice", "INBOX", 38505, 3955, 0);
	CLEANUP(raw_close) struct raw raw = raw_login(model);

	raw_say(&raw, "a APPEND INBOX (\\seen) \" 1-Jan-2000 00:00:00 +0000\" {4}\r\n");
	CHECK_STR(raw_line(&raw), "+ go ahead\r\n");
	raw_say(&raw, "A: b\r\n");
	CHECK_STR(raw_until(&raw, "a"), "a OK [APPENDUID 38505 3955] done\r\n");
	raw_say(&raw, "a APPEND INBOX {1+}\r\nx (x y) {2+}\r\nyz {0+}\r\n\r\n");
	CHECK_STR(raw_until(&raw, "a"), "a OK [APPENDUID 38505 3956:3958] done\r\n");
	raw_say(&raw, "a APPEND nowhere {4}\r\n");
	CHECK_STR(raw_line(&raw), "a NO [TRYCREATE] no such folder\r\n");
	raw_say(&raw, "a APPEND nowhere {4+}\r\nabcd\r\n");
	CHECK_STR(raw_line(&raw), "a NO [TRYCREATE] no such folder\r\n");
	now = model_snapshot(model, "alice");
	inbox = model_snapshot_folder(now, "INBOX");
	CHECK_INT(inbox->count, 4);
	CHECK_STR((const char *)inbox->messages[0].bytes, "A: b");
	CHECK_STR(inbox->messages[0].date, " 1-Jan-2000 00:00:00 +0000");
	CHECK_STR(inbox->messages[0].flags, "\\Seen");
	CHECK_STR(inbox->messages[2].flags, "x y");
	CHECK_INT(inbox->messages[3].len, 0);
}

static void appends_badly_when_told_to(void)
{
	CLEANUP(model_freep) struct model *model = raw_model();
	CLEANUP(model_snapshot_freep) struct model_snapshot *now = NULL;
	CLEANUP(raw_close) struct raw raw = raw_login(model);
	const struct model_folder *inbox;

	model_set_quirks(model, MODEL_QUIRK_APPEND_NO_KEYWORDS | MODEL_QUIRK_APPEND_NO_DATE);
	raw_say(&raw, "a APPEND INBOX (\\Seen work) {4}\r\n");
	CHECK(strstr(raw_line(&raw), "a NO [CANNOT]"));
	raw_say(&raw, "a APPEND INBOX \"17-Jul-1996 02:44:25 -0700\" {4+}\r\nabcd\r\n");
	CHECK(strstr(raw_line(&raw), "a NO [CANNOT]"));
	model_set_quirks(model, MODEL_QUIRK_APPEND_MUNGES_8BIT | MODEL_QUIRK_APPEND_IGNORES_DATE);
	raw_say(&raw, "a APPEND INBOX \"17-Jul-1996 02:44:25 -0700\" {11+}\r\n"
		      "A: \xc3\xa9\r\n\r\n\xc3\xa9\r\n");
	CHECK(strstr(raw_line(&raw), "a OK"));
	now = model_snapshot(model, "alice");
	inbox = model_snapshot_folder(now, "INBOX");
	CHECK_INT(inbox->count, 1);
	CHECK_STR((const char *)inbox->messages[0].bytes, "A: XX\r\n\r\n\xc3\xa9");
	CHECK_STR(inbox->messages[0].date, MODEL_DATE);
}

static void pushes_news_to_all_that_idle(void)
{
	CLEANUP(model_freep) struct model *model = raw_model();

	for (unsigned i = 0; i < 5; i++)
		raw_add(model, "INBOX", "A: b\r\n\r\n", "");
	CLEANUP(raw_close) struct raw old = raw_login(model);
	CLEANUP(raw_close) struct raw new = raw_login(model);
	CLEANUP(raw_close) struct raw other = raw_login(model);

	CHECK(strstr(raw_ask(&new, "ENABLE QRESYNC"), "a OK"));
	CHECK(strstr(raw_ask(&old, "EXAMINE INBOX"), "a OK"));
	CHECK(strstr(raw_ask(&new, "EXAMINE INBOX"), "a OK"));
	raw_say(&old, "i IDLE\r\n");
	raw_say(&new, "i IDLE\r\n");
	CHECK_STR(raw_line(&old), "+ idling\r\n");
	CHECK_STR(raw_line(&new), "+ idling\r\n");
	raw_add(model, "INBOX", "A: b\r\n\r\n", "");
	CHECK_STR(raw_line(&old), "* 6 EXISTS\r\n");
	CHECK_STR(raw_line(&new), "* 6 EXISTS\r\n");
	CHECK(model_message_flags(model, "alice", "INBOX", 2, "\\Seen"));
	CHECK_STR(raw_line(&old), "* 2 FETCH (FLAGS (\\Seen))\r\n");
	CHECK_STR(raw_line(&new), "* 2 FETCH (UID 2 FLAGS (\\Seen) MODSEQ (8))\r\n");
	CHECK(strstr(raw_ask(&other, "SELECT INBOX"), "a OK"));
	CHECK(strstr(raw_ask(&other, "UID STORE 3:4 +FLAGS.SILENT (\\Deleted)"), "a OK"));
	CHECK(strstr(raw_ask(&other, "EXPUNGE"), "* 3 EXPUNGE\r\n* 3 EXPUNGE\r\na OK"));
	raw_say(&old, "DONE\r\n");
	raw_say(&new, "DONE\r\n");
	CHECK(strstr(raw_until(&old, "i"), "* 3 EXPUNGE\r\n* 3 EXPUNGE\r\n"));
	CHECK(strstr(raw_until(&new, "i"), "* VANISHED 3:4\r\n"));
	CHECK_STR(raw_ask(&old, "NOOP"), "a OK done\r\n");
}

static void keeps_expunges_back_while_sequence_numbers_matter(void)
{
	CLEANUP(model_freep) struct model *model = raw_model();

	for (unsigned i = 0; i < 3; i++)
		raw_add(model, "INBOX", "A: b\r\n\r\n", "");
	CLEANUP(raw_close) struct raw raw = raw_login(model);

	CHECK(strstr(raw_ask(&raw, "EXAMINE INBOX"), "a OK"));
	CHECK(model_message_expunge(model, "alice", "INBOX", 1));
	CHECK_STR(raw_ask(&raw, "FETCH 3 UID"), "* 3 FETCH (UID 3)\r\na OK done\r\n");
	CHECK_STR(raw_ask(&raw, "UID FETCH 1:* UID"),
		"* 2 FETCH (UID 2)\r\n* 3 FETCH (UID 3)\r\n* 1 EXPUNGE\r\na OK done\r\n");
	model_folder_reset(model, "alice", "INBOX");
	CHECK(strstr(raw_ask(&raw, "NOOP"), "* BYE"));
}

static void records_what_a_mirror_must_not_do(void)
{
	CLEANUP(model_freep) struct model *model = raw_model();
	CLEANUP(freep) char *text = NULL, *log = NULL;

	raw_add(model, "INBOX", "A: b\r\n\r\n", "");
	CLEANUP(raw_close) struct raw raw = raw_login(model);

	CHECK(strstr(raw_ask(&raw, "EXAMINE INBOX"), "a OK"));
	CHECK(strstr(raw_ask(&raw, "UID STORE 1 +FLAGS (\\Seen)"), "a NO [READ-ONLY]"));
	CHECK(strstr(raw_ask(&raw, "EXPUNGE"), "a NO [READ-ONLY]"));
	CHECK(strstr(raw_ask(&raw, "UID FETCH 1 BODY[]"), "a OK"));
	CHECK_INT(model_violations(model, NULL), 3);
	model_account_use(model, "alice", MODEL_MIRROR);
	CHECK(strstr(raw_ask(&raw, "CREATE x"), "a NO"));
	CHECK(strstr(raw_ask(&raw, "SUBSCRIBE x"), "a NO"));
	CHECK(strstr(raw_ask(&raw, "SELECT INBOX"), "a OK"));
	CHECK(strstr(raw_ask(&raw, "UID FETCH 1 BODY[]"), "a NO"));
	raw_say(&raw, "a APPEND INBOX {2+}\r\nab\r\n");
	CHECK(strstr(raw_line(&raw), "a NO"));
	raw_say(&raw, "a NOOP\n");
	CHECK(strstr(raw_line(&raw), "a OK"));
	CHECK_INT(model_violations(model, &text), 9);
	CHECK(strstr(text, "alice: STORE under EXAMINE\n"));
	log = model_log(model);
	CHECK(strstr(log, "-: LOGIN\nalice: EXAMINE INBOX\n"));
	CHECK(strstr(log, "alice: APPEND INBOX {2+}\n"));
	CHECK(!strstr(log, "secret"));
}

static void misbehaves_when_told_to(void)
{
	CLEANUP(model_freep) struct model *model = model_new(&model_profile_odd);

	model_account_add(model, "alice", "secret", MODEL_TARGET);
	for (unsigned i = 0; i < 4; i++)
		raw_add(model, "INBOX", "A: b\r\n\r\n", "");
	model_message_odd(model, "alice", "INBOX", 2, MODEL_ODD_NIL_BODY);
	model_message_odd(model, "alice", "INBOX", 3, MODEL_ODD_MISSING);
	model_message_odd(model, "alice", "INBOX", 4, MODEL_ODD_REFUSED);
	CLEANUP(raw_close) struct raw raw = raw_login(model);

	CHECK_STR(raw_ask(&raw, "ENABLE QRESYNC"), "a OK done\r\n");
	CHECK(strstr(raw_ask(&raw, "LIST \"\" INBOX"), "\"/\" {5}\r\nINBOX\r\n"));
	CHECK(!strstr(raw_ask(&raw, "EXAMINE INBOX"), "UIDNEXT"));
	CHECK(strstr(raw_ask(&raw, "EXAMINE INBOX"), "* 4 exists\r\n"));
	CHECK(strstr(raw_ask(&raw, "STATUS INBOX (MESSAGES)"), "a NO"));
	CHECK_STR(raw_ask(&raw, "UID FETCH 1 (FLAGS RFC822.SIZE)"),
		"* 1 FETCH (RFC822.SIZE 15 FLAGS (\\Recent) UID 1)\r\na OK done\r\n");
	CHECK_STR(raw_ask(&raw, "UID FETCH 1:* (UID BODY.PEEK[])"),
		"* 1 FETCH (BODY[] {8}\r\nA: b\r\n\r\n UID 1)\r\n"
		"* 2 FETCH (UID 2 FLAGS (\\Recent))\r\n"
		"* 2 FETCH (BODY[] NIL UID 2)\r\n"
		"a NO [UNAVAILABLE] server error, try again later\r\n");
}

static void a_seed_makes_the_same_history(void)
{
	static const struct model_profile *const profiles[] = {
		&model_profile_full, &model_profile_courier};

	for (uint64_t seed = 1; seed <= 10; seed++) {
		struct model *models[2] = {NULL, NULL};
		struct model_snapshot *shots[2];

		for (size_t i = 0; i < 2; i++) {
			uint64_t rng = seed;

			models[i] = model_new(profiles[seed % 2]);
			model_account_add(models[i], "alice", "secret", MODEL_MIRROR);
			for (unsigned step = 0; step < 300; step++)
				(void)model_random_step(models[i], "alice", &rng);
			shots[i] = model_snapshot(models[i], "alice");
		}
		char *difference =
			model_snapshot_difference(shots[0], shots[1], MODEL_COMPARE_EXACT);
		CHECK_STR(difference ? difference : "", "");
		CHECK(shots[0]->count > 3);
		for (size_t i = 0; i < 2; i++) {
			model_snapshot_freep(&shots[i]);
			model_freep(&models[i]);
		}
	}
}

static void tells_snapshots_apart(void)
{
	CLEANUP(model_freep) struct model *model = raw_model();
	CLEANUP(model_snapshot_freep) struct model_snapshot *a = NULL, *b = NULL, *c = NULL;
	CLEANUP(freep) char *flags = NULL, *uids = NULL, *none = NULL;

	raw_add(model, "INBOX", "one", "");
	raw_add(model, "INBOX", "two", "");
	a = model_snapshot(model, "alice");
	CHECK(model_message_flags(model, "alice", "INBOX", 1, "work"));
	b = model_snapshot(model, "alice");
	CHECK(model_message_expunge(model, "alice", "INBOX", 1));
	raw_add(model, "INBOX", "one", "work");
	c = model_snapshot(model, "alice");
	flags = model_snapshot_difference(a, b, MODEL_COMPARE_EXACT);
	CHECK_STR(flags, "INBOX: HIGHESTMODSEQ");
	free(flags);
	flags = model_snapshot_difference(a, b, MODEL_COMPARE_RESTORED);
	CHECK_STR(flags, "INBOX: uid 1: flags \"work\", not \"\"");
	uids = model_snapshot_difference(b, c, MODEL_COMPARE_UIDS);
	CHECK_STR(uids, "INBOX: UIDVALIDITY or UIDNEXT");
	none = model_snapshot_difference(b, c, MODEL_COMPARE_RESTORED);
	CHECK(!none);
}

int main(int argc, char **argv)
{
	static const struct promise promises[] = {
		PROMISE(searches),
		PROMISE(stores_flags_and_expunges),
		PROMISE(appends),
		PROMISE(appends_badly_when_told_to),
		PROMISE(pushes_news_to_all_that_idle),
		PROMISE(keeps_expunges_back_while_sequence_numbers_matter),
		PROMISE(records_what_a_mirror_must_not_do),
		PROMISE(misbehaves_when_told_to),
		PROMISE(a_seed_makes_the_same_history),
		PROMISE(tells_snapshots_apart),
	};

	return check_main(argc, argv, promises, ARRAY_LEN(promises));
}
