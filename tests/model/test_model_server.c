/* The model server says what the RFCs say; answers below are worked out by hand. */
#include <string.h>

#include "base/str.h"
#include "model/raw.h"
#include "support/check.h"

static struct model *full(void)
{
	struct model *model = model_new(&model_profile_full);

	model_account_add(model, "alice", "secret", MODEL_TARGET);
	return model;
}

static void add(struct model *model, const char *folder, const char *text, const char *flags)
{
	(void)model_message_add(
		model, "alice", folder, &(struct model_letter){.bytes = text, .flags = flags});
}

static void logs_in_in_three_ways_and_refuses_wrong_passwords(void)
{
	static const char *const ways[] = {"a LOGIN alice \"secret\"\r\n",
		"a LOGIN {5+}\r\nalice {6+}\r\nsecret\r\n",
		"a AUTHENTICATE PLAIN AGFsaWNlAHNlY3JldA==\r\n"};
	CLEANUP(model_freep) struct model *model = full();

	for (size_t i = 0; i < ARRAY_LEN(ways); i++) {
		CLEANUP(raw_close) struct raw raw = raw_over(model_connect_pair(model));

		CHECK(strstr(raw_line(&raw), "* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN SASL-IR "));
		CHECK(strstr(raw_ask(&raw, "LOGIN alice wrong"), "a NO [AUTHENTICATIONFAILED]"));
		CHECK(strstr(raw_ask(&raw, "EXAMINE INBOX"), "a BAD"));
		raw_say(&raw, ways[i]);
		CHECK(strstr(raw_until(&raw, "a"), " QRESYNC "));
	}
	CLEANUP(raw_close) struct raw raw = raw_over(model_connect_pair(model));

	(void)raw_line(&raw);
	raw_say(&raw, "a AUTHENTICATE PLAIN\r\n");
	CHECK_STR(raw_line(&raw), "+ \r\n");
	raw_say(&raw, "AGFsaWNlAHNlY3JldA==\r\n");
	CHECK(strstr(raw_until(&raw, "a"), "a OK"));
	CHECK(strstr(raw_ask(&raw, "LOGOUT"), "* BYE"));
}

static void offers_only_what_its_profile_has(void)
{
	CLEANUP(model_freep) struct model *model = model_new(&model_profile_plain);

	model_account_add(model, "alice", "secret", MODEL_TARGET);
	CLEANUP(raw_close) struct raw raw = raw_login(model);

	CHECK_STR(raw_ask(&raw, "CAPABILITY"), "* CAPABILITY IMAP4rev1\r\na OK done\r\n");
	CHECK(strstr(raw_ask(&raw, "ENABLE QRESYNC"), "a BAD"));
	CHECK(strstr(raw_ask(&raw, "NAMESPACE"), "a BAD"));
	CHECK(strstr(raw_ask(&raw, "LIST \"\" * RETURN (SUBSCRIBED)"), "a BAD"));
	CHECK(strstr(raw_ask(&raw, "EXAMINE INBOX (CONDSTORE)"), "a BAD"));
	CHECK(!strstr(raw_ask(&raw, "EXAMINE INBOX"), "MODSEQ"));
	CHECK(strstr(raw_ask(&raw, "UID SEARCH RETURN (ALL) ALL"), "a BAD"));
	CHECK(strstr(raw_ask(&raw, "UID FETCH 1 (MODSEQ)"), "a BAD"));
	CHECK(strstr(raw_ask(&raw, "IDLE"), "a BAD"));
	CHECK_STR(raw_ask(&raw, "UID SEARCH ALL"), "a OK done\r\n");
	raw_say(&raw, "a APPEND INBOX {3+}\r\n");
	CHECK_STR(raw_line(&raw), "");
}

static void lists_folders_by_pattern_with_attributes(void)
{
	CLEANUP(model_freep) struct model *model = full();

	CHECK(model_folder_add(model, "alice", "a/b/c"));
	CHECK(model_folder_add(model, "alice", "say \"x\""));
	CHECK(!model_folder_add(model, "alice", "inbox"));
	model_folder_special_use(model, "alice", "a/b/c", "\\Sent");
	model_folder_subscribe(model, "alice", "a/b/c", true);
	model_folder_subscribe(model, "alice", "gone", true);
	CLEANUP(raw_close) struct raw raw = raw_login(model);

	CHECK_STR(
		raw_ask(&raw, "LIST \"\" \"\""), "* LIST (\\Noselect) \"/\" \"\"\r\na OK done\r\n");
	CHECK_STR(raw_ask(&raw, "LIST \"\" \"%\""),
		"* LIST (\\HasNoChildren) \"/\" \"INBOX\"\r\n"
		"* LIST (\\Noselect \\HasChildren) \"/\" \"a\"\r\n"
		"* LIST (\\HasNoChildren) \"/\" \"say \\\"x\\\"\"\r\n"
		"a OK done\r\n");
	CHECK_STR(raw_ask(&raw,
			  "LIST a/ *c RETURN (SUBSCRIBED SPECIAL-USE STATUS (MESSAGES UIDNEXT))"),
		"* LIST (\\HasNoChildren \\Subscribed \\Sent) \"/\" \"a/b/c\"\r\n"
		"* STATUS \"a/b/c\" (MESSAGES 0 UIDNEXT 1)\r\n"
		"a OK done\r\n");
	CHECK_STR(raw_ask(&raw, "LIST (SUBSCRIBED) \"\" (inB* \"%/%/%\" g%)"),
		"* LIST (\\HasNoChildren \\Subscribed) \"/\" \"a/b/c\"\r\n"
		"* LIST (\\NonExistent \\Subscribed) \"/\" \"gone\"\r\n"
		"a OK done\r\n");
	CHECK_STR(raw_ask(&raw, "LSUB \"\" \"*\""), "* LSUB (\\HasNoChildren) \"/\" \"a/b/c\"\r\n"
						    "* LSUB (\\NonExistent) \"/\" \"gone\"\r\n"
						    "a OK done\r\n");
}

static void has_a_prefix_and_another_delimiter(void)
{
	CLEANUP(model_freep) struct model *model = model_new(&model_profile_courier);

	model_account_add(model, "alice", "secret", MODEL_TARGET);
	CLEANUP(raw_close) struct raw raw = raw_login(model);

	CHECK_STR(raw_ask(&raw, "NAMESPACE"),
		"* NAMESPACE ((\"INBOX.\" \".\")) NIL NIL\r\na OK done\r\n");
	CHECK(strstr(raw_ask(&raw, "CREATE Work"), "a NO [CANNOT]"));
	CHECK(strstr(raw_ask(&raw, "CREATE INBOX.Work."), "a OK"));
	CHECK(strstr(raw_ask(&raw, "LIST \"\" *"), "\".\" \"INBOX.Work\"\r\n"));
	CHECK(strstr(raw_ask(&raw, "STATUS INBOX.Work (MESSAGES HIGHESTMODSEQ)"),
		"* STATUS \"INBOX.Work\" (MESSAGES 0)\r\n"));
}

static void makes_renames_and_deletes_folders(void)
{
	CLEANUP(model_freep) struct model *model = full();
	CLEANUP(raw_close) struct raw raw = raw_login(model);
	CLEANUP(model_snapshot_freep) struct model_snapshot *then = NULL, *now = NULL;

	CHECK(strstr(raw_ask(&raw, "CREATE Out (USE (\\Sent))"), "a OK"));
	CHECK(strstr(raw_ask(&raw, "CREATE Out"), "a NO [ALREADYEXISTS]"));
	CHECK(strstr(raw_ask(&raw, "CREATE Out/in"), "a OK"));
	CHECK(strstr(raw_ask(&raw, "SUBSCRIBE Out"), "a OK"));
	add(model, "Out/in", "A: b\r\n\r\n", "");
	then = model_snapshot(model, "alice");
	CHECK_STR(model_snapshot_folder(then, "Out")->special_use, "\\Sent");
	CHECK(model_snapshot_folder(then, "Out")->subscribed);
	CHECK(strstr(raw_ask(&raw, "RENAME Out New/place"), "a OK"));
	CHECK(!model_folder_exists(model, "alice", "Out/in"));
	now = model_snapshot(model, "alice");
	CHECK_INT(model_snapshot_folder(now, "New/place/in")->uidvalidity,
		model_snapshot_folder(then, "Out/in")->uidvalidity);
	CHECK_INT(model_snapshot_folder(now, "New/place/in")->count, 1);
	CHECK(strstr(raw_ask(&raw, "DELETE New/place"), "a OK"));
	CHECK(strstr(raw_ask(&raw, "EXAMINE New/place"), "a NO [NONEXISTENT]"));
	CHECK(strstr(raw_ask(&raw, "DELETE New/place/in"), "a OK"));
	CHECK(strstr(raw_ask(&raw, "DELETE INBOX"), "a NO"));
	add(model, "INBOX", "A: b\r\n\r\n", "");
	CHECK(strstr(raw_ask(&raw, "RENAME INBOX Old"), "a OK"));
	CHECK(strstr(raw_ask(&raw, "STATUS Old (MESSAGES)"), "(MESSAGES 1)"));
	CHECK(strstr(raw_ask(&raw, "STATUS inbox (MESSAGES UIDNEXT)"), "(MESSAGES 0 UIDNEXT 2)"));
}

static void examines_a_folder(void)
{
	CLEANUP(model_freep) struct model *model = full();

	add(model, "INBOX", "A: b\r\n\r\n", "\\Seen work");
	add(model, "INBOX", "A: c\r\n\r\n", "");
	model_folder_numbers(model, "alice", "INBOX", 42, 7, 99);
	CLEANUP(raw_close) struct raw raw = raw_login(model);

	CHECK_STR(raw_ask(&raw, "EXAMINE INBOX (CONDSTORE)"),
		"* FLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft work)\r\n"
		"* OK [PERMANENTFLAGS ()] flags that stay\r\n"
		"* 2 EXISTS\r\n"
		"* 0 RECENT\r\n"
		"* OK [UIDVALIDITY 42] UIDs are valid\r\n"
		"* OK [UIDNEXT 7] predicted next UID\r\n"
		"* OK [HIGHESTMODSEQ 99] highest\r\n"
		"a OK [READ-ONLY] done\r\n");
	CHECK(strstr(raw_ask(&raw, "SELECT INBOX"), "\\Draft \\*)] "));
	CHECK(strstr(raw_ask(&raw, "UNSELECT"), "a OK"));
	CHECK(strstr(raw_ask(&raw, "UID FETCH 1 FLAGS"), "a BAD"));
	CHECK_INT(model_command_count(model, "EXAMINE"), 1);
	CHECK_INT(model_violations(model, NULL), 0);
}

static void fetches_what_is_asked(void)
{
	CLEANUP(model_freep) struct model *model = full();
	struct model_stats stats;

	add(model, "INBOX", "Subject: x\r\nMessage-Id:\r\n <1@x>\r\nTo: y\r\n\r\nhi\r\n", "\\Seen");
	add(model, "INBOX", "", "");
	CLEANUP(raw_close) struct raw raw = raw_login(model);

	CHECK(strstr(raw_ask(&raw, "EXAMINE INBOX"), "a OK"));
	CHECK_STR(raw_ask(&raw,
			  "UID FETCH 1:* (UID FLAGS INTERNALDATE RFC822.SIZE MODSEQ BODY.PEEK[])"),
		"* 1 FETCH (UID 1 FLAGS (\\Seen) INTERNALDATE \"17-Jul-2026 02:44:25 -0700\" "
		"RFC822.SIZE 46 MODSEQ (2) BODY[] {46}\r\n"
		"Subject: x\r\nMessage-Id:\r\n <1@x>\r\nTo: y\r\n\r\nhi\r\n)\r\n"
		"* 2 FETCH (UID 2 FLAGS () INTERNALDATE \"17-Jul-2026 02:44:25 -0700\" "
		"RFC822.SIZE 0 MODSEQ (3) BODY[] {0}\r\n)\r\n"
		"a OK done\r\n");
	CHECK_STR(raw_ask(&raw, "UID FETCH 1 BODY.PEEK[HEADER.FIELDS (MESSAGE-ID)]"),
		"* 1 FETCH (UID 1 BODY[HEADER.FIELDS (MESSAGE-ID)] {23}\r\n"
		"Message-Id:\r\n <1@x>\r\n\r\n)\r\n"
		"a OK done\r\n");
	CHECK_STR(raw_ask(&raw, "UID FETCH 5:* RFC822.SIZE"),
		"* 2 FETCH (UID 2 RFC822.SIZE 0)\r\na OK done\r\n");
	CHECK(strstr(raw_ask(&raw, "UID FETCH 1 (ENVELOPE)"), "a BAD"));
	CHECK_INT(model_violations(model, NULL), 1);
	CHECK_INT(model_bodies_fetched(model, "alice", "INBOX", 1), 1);
	model_stats(model, &stats);
	CHECK_INT(stats.bodies, 2);
	CHECK_INT(stats.bad, 1);
}

/* The sets and numbers of RFC 7162 section 3.2.5.2, with sequence numbers that fit together. */
static void answers_qresync_as_rfc_7162_has_it(void)
{
	CLEANUP(model_freep) struct model *model = full();
	static const struct {
		uint32_t uid;
		uint64_t modseq;
		const char *flags;
	} kept[] = {{117, 20060115194045001, "\\Seen \\Answered"},
		{119, 20060115194045308, "\\Draft $MDNSent"},
		{541, 20060115194045001, "\\Seen $Forwarded"}, {560, 20060115205545359, ""}};
	size_t next = 0;

	for (uint32_t uid = 1; uid <= 560; uid++) {
		bool keep = uid == kept[next].uid;

		if (uid == 212 || uid == 213 || (uid > 541 && uid < 560))
			continue;
		(void)model_message_add(model, "alice", "INBOX",
			&(struct model_letter){.uid = uid,
				.modseq = keep ? kept[next].modseq : 100 + uid,
				.flags = keep ? kept[next].flags : ""});
		next += keep;
	}
	for (uint32_t uid = 41; uid <= 540; uid++)
		if (uid != 42 && uid != 117 && uid != 119 && uid != 212 && uid != 213)
			CHECK(model_message_expunge_at(
				model, "alice", "INBOX", uid, 20060115194045000 + uid));
	model_folder_numbers(model, "alice", "INBOX", 67890007, 567, 0);
	CLEANUP(raw_close) struct raw raw = raw_login(model);

	CHECK(strstr(
		raw_ask(&raw, "EXAMINE INBOX (QRESYNC (67890007 20050715194045000))"), "a BAD"));
	CHECK_STR(raw_ask(&raw, "ENABLE QRESYNC"), "* ENABLED QRESYNC\r\na OK done\r\n");
	CHECK_STR(strstr(raw_ask(&raw, "EXAMINE INBOX "
				       "(QRESYNC (67890007 20050715194045000 41,43:211,214:541))"),
			  "* OK [HIGHESTMODSEQ"),
		"* OK [HIGHESTMODSEQ 20060115205545359] highest\r\n"
		"* VANISHED (EARLIER) 41,43:116,118,120:211,214:540\r\n"
		"* 42 FETCH (UID 117 FLAGS (\\Answered \\Seen) MODSEQ (20060115194045001))\r\n"
		"* 43 FETCH (UID 119 FLAGS ($MDNSent \\Draft) MODSEQ (20060115194045308))\r\n"
		"* 44 FETCH (UID 541 FLAGS ($Forwarded \\Seen) MODSEQ (20060115194045001))\r\n"
		"a OK [READ-ONLY] done\r\n");
	CHECK(strstr(raw_ask(&raw, "EXAMINE INBOX (QRESYNC (67890007 20060115194045308))"),
		"* VANISHED (EARLIER) 309:540\r\n* 45 FETCH (UID 560 "));
	CHECK(!strstr(raw_ask(&raw, "EXAMINE INBOX (QRESYNC (67890008 1 1:541))"), "VANISHED"));
	model_folder_forget(model, "alice", "INBOX", 20060115194045400);
	CHECK(strstr(raw_ask(&raw, "EXAMINE INBOX (QRESYNC (67890007 20060115194045308 30:50))"),
		"* VANISHED (EARLIER) 41,43:50\r\na OK"));
	CHECK(strstr(raw_ask(&raw, "EXAMINE INBOX (QRESYNC (67890007 20060115194045308))"),
		"* VANISHED (EARLIER) 41,43:116,118,120:540,542:559,561:566\r\n* 45 FETCH"));
	CHECK(strstr(raw_ask(&raw, "EXAMINE INBOX"), "* OK [CLOSED]"));
}

/* RFC 7162 section 3.2.6 */
static void fetches_changes_as_rfc_7162_has_it(void)
{
	CLEANUP(model_freep) struct model *model = full();
	static const struct {
		uint32_t uid;
		uint64_t modseq;
		const char *flags;
	} here[] = {{404, 65402, "\\Seen"}, {406, 75403, "\\Deleted"}, {407, 12345, ""},
		{408, 29738, "$NoJunk $AutoJunk $MDNSent"}};
	size_t next = 0;

	for (uint32_t uid = 300; uid <= 411; uid++) {
		bool keep = next < ARRAY_LEN(here) && here[next].uid == uid;

		if (!keep && uid > 310 && uid != 405 && uid != 411)
			continue;
		(void)model_message_add(model, "alice", "INBOX",
			&(struct model_letter){.uid = uid,
				.modseq = keep ? here[next].modseq : 1000,
				.flags = keep ? here[next].flags : ""});
		if (!keep)
			CHECK(model_message_expunge_at(model, "alice", "INBOX", uid, 80000));
		next += keep;
	}
	CLEANUP(raw_close) struct raw raw = raw_login(model);

	CHECK(strstr(raw_ask(&raw, "ENABLE QRESYNC"), "a OK"));
	CHECK(strstr(raw_ask(&raw, "EXAMINE INBOX"), "a OK"));
	CHECK_STR(raw_ask(&raw, "UID FETCH 300:500 (FLAGS) (CHANGEDSINCE 12345 VANISHED)"),
		"* VANISHED (EARLIER) 300:310,405,411\r\n"
		"* 1 FETCH (UID 404 FLAGS (\\Seen) MODSEQ (65402))\r\n"
		"* 2 FETCH (UID 406 FLAGS (\\Deleted) MODSEQ (75403))\r\n"
		"* 4 FETCH (UID 408 FLAGS ($AutoJunk $MDNSent $NoJunk) MODSEQ (29738))\r\n"
		"a OK done\r\n");
	CHECK_STR(raw_ask(&raw, "UID FETCH 1:* FLAGS (CHANGEDSINCE 65402)"),
		"* 2 FETCH (UID 406 FLAGS (\\Deleted) MODSEQ (75403))\r\na OK done\r\n");
}

static void searches(void)
{
	CLEANUP(model_freep) struct model *model = full();

	for (unsigned i = 1; i <= 5; i++) {
		CLEANUP(freep)
		char *text = str_printf("Message-ID: <%u@x>\r\n\r\nbody <9@x>\r\n", i);

		add(model, "INBOX", text, i == 4 ? "\\Seen" : "");
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
	CLEANUP(model_freep) struct model *model = full();

	for (unsigned i = 0; i < 4; i++)
		add(model, "INBOX", "A: b\r\n\r\n", "work");
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
	CLEANUP(model_freep) struct model *model = full();
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
	CLEANUP(model_freep) struct model *model = full();
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
	CLEANUP(model_freep) struct model *model = full();

	for (unsigned i = 0; i < 5; i++)
		add(model, "INBOX", "A: b\r\n\r\n", "");
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
	add(model, "INBOX", "A: b\r\n\r\n", "");
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
	CLEANUP(model_freep) struct model *model = full();

	for (unsigned i = 0; i < 3; i++)
		add(model, "INBOX", "A: b\r\n\r\n", "");
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
	CLEANUP(model_freep) struct model *model = full();
	CLEANUP(freep) char *text = NULL, *log = NULL;

	add(model, "INBOX", "A: b\r\n\r\n", "");
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
		add(model, "INBOX", "A: b\r\n\r\n", "");
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
		"* 2 FETCH (FLAGS (\\Recent))\r\n"
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
	CLEANUP(model_freep) struct model *model = full();
	CLEANUP(model_snapshot_freep) struct model_snapshot *a = NULL, *b = NULL, *c = NULL;
	CLEANUP(freep) char *flags = NULL, *uids = NULL, *none = NULL;

	add(model, "INBOX", "one", "");
	add(model, "INBOX", "two", "");
	a = model_snapshot(model, "alice");
	CHECK(model_message_flags(model, "alice", "INBOX", 1, "work"));
	b = model_snapshot(model, "alice");
	CHECK(model_message_expunge(model, "alice", "INBOX", 1));
	add(model, "INBOX", "one", "work");
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
		PROMISE(logs_in_in_three_ways_and_refuses_wrong_passwords),
		PROMISE(offers_only_what_its_profile_has),
		PROMISE(lists_folders_by_pattern_with_attributes),
		PROMISE(has_a_prefix_and_another_delimiter),
		PROMISE(makes_renames_and_deletes_folders),
		PROMISE(examines_a_folder),
		PROMISE(fetches_what_is_asked),
		PROMISE(answers_qresync_as_rfc_7162_has_it),
		PROMISE(fetches_changes_as_rfc_7162_has_it),
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
