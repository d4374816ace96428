/* The model server answers reading commands as the RFCs require; the expected answers are worked
 * out by hand. */
#include <string.h>

#include "base/str.h"
#include "model/raw.h"
#include "support/check.h"

static void logs_in_in_three_ways_and_refuses_wrong_passwords(void)
{
	static const char *const ways[] = {"a LOGIN alice \"secret\"\r\n",
		"a LOGIN {5+}\r\nalice {6+}\r\nsecret\r\n",
		"a AUTHENTICATE PLAIN AGFsaWNlAHNlY3JldA==\r\n"};
	CLEANUP(model_freep) struct model *model = raw_model();

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
	CLEANUP(model_freep) struct model *model = raw_model();

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
	CLEANUP(model_freep) struct model *model = raw_model();
	CLEANUP(raw_close) struct raw raw = raw_login(model);
	CLEANUP(model_snapshot_freep) struct model_snapshot *then = NULL, *now = NULL;

	CHECK(strstr(raw_ask(&raw, "CREATE Out (USE (\\Sent))"), "a OK"));
	CHECK(strstr(raw_ask(&raw, "CREATE Out"), "a NO [ALREADYEXISTS]"));
	CHECK(strstr(raw_ask(&raw, "CREATE Out/in"), "a OK"));
	CHECK(strstr(raw_ask(&raw, "SUBSCRIBE Out"), "a OK"));
	raw_add(model, "Out/in", "A: b\r\n\r\n", "");
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
	raw_add(model, "INBOX", "A: b\r\n\r\n", "");
	CHECK(strstr(raw_ask(&raw, "RENAME INBOX Old"), "a OK"));
	CHECK(strstr(raw_ask(&raw, "STATUS Old (MESSAGES)"), "(MESSAGES 1)"));
	CHECK(strstr(raw_ask(&raw, "STATUS inbox (MESSAGES UIDNEXT)"), "(MESSAGES 0 UIDNEXT 2)"));
}

static void examines_a_folder(void)
{
	CLEANUP(model_freep) struct model *model = raw_model();

	raw_add(model, "INBOX", "A: b\r\n\r\n", "\\Seen work");
	raw_add(model, "INBOX", "A: c\r\n\r\n", "");
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
	CLEANUP(model_freep) struct model *model = raw_model();
	struct model_stats stats;

	raw_add(model, "INBOX", "Subject: x\r\nMessage-Id:\r\n <1@x>\r\nTo: y\r\n\r\nhi\r\n",
		"\\Seen");
	raw_add(model, "INBOX", "", "");
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
	CLEANUP(model_freep) struct model *model = raw_model();
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
	CLEANUP(model_freep) struct model *model = raw_model();
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
	};

	return check_main(argc, argv, promises, ARRAY_LEN(promises));
}
