#include <string.h>

#include "base/str.h"
#include "support/imap/talk.h"

#define SETTLED(caps, namespaces)                                                                  \
	GREETED("SASL-IR AUTH=PLAIN")                                                              \
	"C: a AUTHENTICATE PLAIN " TALK_PLAIN64 "\n"                                               \
	"S: a OK [CAPABILITY IMAP4rev1 NAMESPACE " caps "] in\n"                                   \
	"C: a NAMESPACE\n"                                                                         \
	"S: * NAMESPACE " namespaces "\n"                                                          \
	"S: a OK\n"

/* "path path ..." of a list. */
static char *paths_of(const struct imap_folders *folders)
{
	struct buf paths = BUF_INIT(4096);
	bool fits = true;

	for (size_t i = 0; i < folders->count; i++)
		fits = fits && buf_printf(&paths, "%s%s", i ? " " : "", folders->items[i].path);
	CHECK(fits);
	return buf_take_str(&paths);
}

static const struct imap_folder *folder_of(const struct imap_folders *folders, const char *path)
{
	for (size_t i = 0; i < folders->count; i++)
		if (strcmp(folders->items[i].path, path) == 0)
			return &folders->items[i];
	check_fail(__FILE__, __LINE__, "no folder %s", path);
}

static void dovecot_tells_all_in_one_list(void)
{
	static const char *const script[] = {
		SETTLED("LIST-EXTENDED LIST-STATUS SPECIAL-USE CONDSTORE",
			"((\"\" \"/\")) NIL NIL"),
		"C: a LIST \"\" \"*\" RETURN (SUBSCRIBED CHILDREN SPECIAL-USE STATUS ",
		"(MESSAGES UIDNEXT UIDVALIDITY HIGHESTMODSEQ))\n",
		"S: * LIST (\\Subscribed \\HasNoChildren \\Sent) \"/\" Sent\n",
		"S: * STATUS Sent (MESSAGES 2 UIDNEXT 9 UIDVALIDITY 100 HIGHESTMODSEQ 55)\n",
		"S: * LIST (\\HasNoChildren) \"/\" \"A & B\"\n",
		"S: * LIST (\\NonExistent \\HasChildren) \"/\" old\n",
		"S: * LIST (\\HasNoChildren) \"/\" INBOX\n",
		"S: * STATUS INBOX (MESSAGES 0 UIDNEXT 1 UIDVALIDITY 101 HIGHESTMODSEQ 1)\n",
		"S: a OK\n",
	};
	CLEANUP(talk_end) struct talk talk = {0};
	CLEANUP(imap_folders_free) struct imap_folders folders = {0};
	CLEANUP(freep) char *paths = NULL;
	const struct imap_folder *sent;

	CHECK_TALK(&talk, talk_begin(&talk, SCRIPT(script)));
	CHECK_TALK(&talk, imap_list(talk.imap, true, &folders, &talk.err));
	CHECK_STR(talk_close(&talk), "");
	sent = folder_of(&folders, "Sent");
	CHECK_INT(folders.count, 4);
	CHECK_STR(sent->special_use, "\\Sent");
	CHECK(sent->subscribed && !folder_of(&folders, "INBOX")->subscribed);
	CHECK_INT(sent->counts.messages, 2);
	CHECK_INT(sent->counts.highestmodseq, 55);
	CHECK_INT(folder_of(&folders, "INBOX")->counts.uidvalidity, 101);
	CHECK(folder_of(&folders, "old")->attributes & IMAP_ATTR_NOSELECT);
	paths = paths_of(&folders);
	CHECK(str_starts(paths, "A "));
}

static void return_options_are_those_that_are_offered(void)
{
	static const char *const script[] = {
		SETTLED("LIST-EXTENDED LIST-STATUS", "((\"\" \"/\")) NIL NIL"),
		"C: a LIST \"\" \"*\" RETURN (SUBSCRIBED CHILDREN)\n",
		"S: * LIST () \"/\" INBOX\n",
		"S: a OK\n",
		"C: a LIST \"\" \"*\" RETURN (SUBSCRIBED CHILDREN STATUS (MESSAGES UIDNEXT ",
		"UIDVALIDITY))\n",
		"S: * LIST () \"/\" INBOX\n",
		"S: * STATUS INBOX (MESSAGES 1 UIDNEXT 2 UIDVALIDITY 3)\n",
		"S: a OK\n",
	};
	CLEANUP(talk_end) struct talk talk = {0};
	CLEANUP(imap_folders_free) struct imap_folders folders = {0};

	CHECK_TALK(&talk, talk_begin(&talk, SCRIPT(script)));
	CHECK_TALK(&talk, imap_list(talk.imap, false, &folders, &talk.err));
	CHECK_INT(folders.items[0].counts.has, 0);
	imap_folders_free(&folders);
	CHECK_TALK(&talk, imap_list(talk.imap, true, &folders, &talk.err));
	CHECK_INT(folders.items[0].counts.messages, 1);
	CHECK_STR(talk_close(&talk), "");
}

/* Cyrus lists other users' and shared folders with ours */
static void other_peoples_folders_are_left_out(void)
{
	static const char *const script[] = {
		SETTLED("LIST-EXTENDED", "((\"\" \"/\")) ((\"Other Users/\" \"/\")) "
					 "((\"Shared Folders/\" \"/\"))"),
		"C: a LIST \"\" \"*\" RETURN (SUBSCRIBED CHILDREN)\n",
		"S: * LIST (\\HasNoChildren) \"/\" INBOX\n",
		"S: * LIST (\\Noselect \\HasChildren) \"/\" \"Other Users\"\n",
		"S: * LIST (\\HasNoChildren) \"/\" \"Other Users/bob\"\n",
		"S: * LIST (\\HasNoChildren) \"/\" \"Shared Folders/all\"\n",
		"S: * LIST (\\HasNoChildren) \"/\" \"Shared Foldersx\"\n",
		"S: a OK\n",
	};
	CLEANUP(talk_end) struct talk talk = {0};
	CLEANUP(imap_folders_free) struct imap_folders folders = {0};
	CLEANUP(freep) char *paths = NULL;

	CHECK_TALK(&talk, talk_begin(&talk, SCRIPT(script)));
	CHECK_TALK(&talk, imap_list(talk.imap, false, &folders, &talk.err));
	CHECK_STR(talk_close(&talk), "");
	paths = paths_of(&folders);
	CHECK_STR(paths, "INBOX Shared Foldersx");
}

static void courier_needs_list_lsub_and_status(void)
{
	static const char *const script[] = {
		SETTLED("CHILDREN",
			"((\"INBOX.\" \".\")) NIL ((\"#shared.\" \".\")(\"shared.\" \".\"))"),
		"C: a LIST \"\" \"*\"\n",
		"S: * LIST (\\Unmarked \\HasChildren) \".\" \"INBOX\"\n",
		"S: * LIST (\\HasNoChildren) \".\" \"INBOX.Sent\"\n",
		"S: * LIST (\\HasNoChildren) \".\" \"INBOX.a.b\"\n",
		"S: * LIST (\\Noselect \\HasChildren) \".\" \"INBOX.a\"\n",
		"S: * LIST (\\HasNoChildren) \".\" \"shared.x\"\n",
		"S: a OK LIST completed\n",
		"C: a LSUB \"\" \"*\"\n",
		"S: * LSUB () \".\" \"INBOX.Sent\"\n",
		"S: * LSUB () \".\" \"INBOX.gone\"\n",
		"S: * LSUB (\\Noselect) \".\" \"INBOX.a\"\n",
		"S: a OK LSUB completed\n",
		"C: a STATUS INBOX (MESSAGES UIDNEXT UIDVALIDITY)\n",
		"C: b STATUS INBOX.Sent (MESSAGES UIDNEXT UIDVALIDITY)\n",
		"C: c STATUS INBOX.a.b (MESSAGES UIDNEXT UIDVALIDITY)\n",
		"S: * STATUS \"INBOX\" (MESSAGES 4 UIDNEXT 5 UIDVALIDITY 6) \n",
		"S: a OK\n",
		"S: b NO no such folder\n",
		"S: * STATUS \"INBOX.a.b\" (MESSAGES 1 UIDVALIDITY 8)\n",
		"S: c OK\n",
	};
	CLEANUP(talk_end) struct talk talk = {0};
	CLEANUP(imap_folders_free) struct imap_folders folders = {0};
	CLEANUP(freep) char *paths = NULL;

	CHECK_TALK(&talk, talk_begin(&talk, SCRIPT(script)));
	CHECK_TALK(&talk, imap_list(talk.imap, true, &folders, &talk.err));
	CHECK_STR(talk_close(&talk), "");
	paths = paths_of(&folders);
	CHECK_STR(paths, "INBOX Sent a a/b");
	CHECK(folder_of(&folders, "Sent")->subscribed && !folder_of(&folders, "a")->subscribed);
	CHECK(folder_of(&folders, "Sent")->refused);
	CHECK_STR(folder_of(&folders, "Sent")->refusal, "no such folder");
	CHECK_INT(folder_of(&folders, "INBOX")->counts.messages, 4);
	CHECK_INT(folder_of(&folders, "a/b")->counts.has, IMAP_HAS_MESSAGES | IMAP_HAS_UIDVALIDITY);
}

/* Exchange in IMAP4rev2 mode */
static void refused_lsub_means_nothing_is_known_to_be_subscribed(void)
{
	static const char *const script[] = {
		LOGGED_IN(""),
		"C: a LIST \"\" \"*\"\n",
		"S: * LIST () \"/\" INBOX\n",
		"S: a OK\n",
		"C: a LSUB \"\" \"*\"\n",
		"S: a BAD what\n",
	};
	CLEANUP(talk_end) struct talk talk = {0};
	CLEANUP(imap_folders_free) struct imap_folders folders = {0};

	CHECK_TALK(&talk, talk_begin(&talk, SCRIPT(script)));
	CHECK_TALK(&talk, imap_list(talk.imap, false, &folders, &talk.err));
	CHECK(folders.count == 1 && !folders.items[0].subscribed);
	CHECK_STR(talk_close(&talk), "");
}

static void refused_or_empty_list_return_is_asked_again_plainly(void)
{
	static const char *const answers[] = {"S: a NO cannot\n", "S: a BAD what\n", "S: a OK\n"};

	for (size_t i = 0; i < ARRAY_LEN(answers); i++) {
		CLEANUP(talk_end) struct talk talk = {0};
		CLEANUP(imap_folders_free) struct imap_folders folders = {0};
		CLEANUP(freep)
		char *text = str_printf("%s%s%s", LOGGED_IN("LIST-EXTENDED") "C: a LIST ...\n",
			answers[i],
			"C: a LIST \"\" \"*\"\n"
			"S: * LIST () \"/\" INBOX\n"
			"S: a OK\n"
			"C: a LSUB \"\" \"*\"\n"
			"S: a OK\n");

		CHECK_TALK(&talk, talk_begin(&talk, text));
		CHECK_TALK(&talk, imap_list(talk.imap, false, &folders, &talk.err));
		CHECK_INT(folders.count, 1);
		CHECK_STR(talk_close(&talk), "");
	}
}

/* Zimbra with a locked share */
static void refused_list_is_an_error_and_not_an_empty_account(void)
{
	CLEANUP(talk_end) struct talk talk = {0};
	CLEANUP(imap_folders_free) struct imap_folders folders = {0};

	CHECK_TALK(&talk,
		talk_begin(&talk, LOGGED_IN("") "C: a LIST \"\" \"*\"\nS: a NO LIST failed\n"));
	CHECK(!imap_list(talk.imap, false, &folders, &talk.err));
	CHECK_INT(talk.err.kind, ERR_REFUSED);
	CHECK_STR(talk.err.text, "LIST: refused, server says: LIST failed");
	CHECK_STR(talk_close(&talk), "");
}

static void folder_that_is_listed_twice_is_one(void)
{
	static const char *const script[] = {
		LOGGED_IN("LIST-EXTENDED"),
		"C: a LIST ...\n",
		"S: * LIST () \"/\" x\n",
		"S: * LIST () \"/\" INBOX\n",
		"S: * LIST (\\Subscribed) \"/\" \"x\"\n",
		"S: * LIST (\\Subscribed) NIL Inbox\n",
		"S: a OK\n",
	};
	CLEANUP(talk_end) struct talk talk = {0};
	CLEANUP(imap_folders_free) struct imap_folders folders = {0};
	CLEANUP(freep) char *paths = NULL;

	CHECK_TALK(&talk, talk_begin(&talk, SCRIPT(script)));
	CHECK_TALK(&talk, imap_list(talk.imap, false, &folders, &talk.err));
	paths = paths_of(&folders);
	CHECK_STR(paths, "INBOX x");
	CHECK(folders.items[0].subscribed && folders.items[1].subscribed);
	CHECK_STR(talk_close(&talk), "");
}

static void odd_names_are_asked_for_as_literals(void)
{
	static const char *const script[] = {
		LOGGED_IN("LIST-EXTENDED"),
		"C: a LIST ...\n",
		"S: * LIST () \"/\" !\n",
		"R: * LIST () \"/\" {2}\\r\\n\\xc3\\xa4\\r\\n\n",
		"S: a OK\n",
		"C: a STATUS \"!\" (...\n",
		"C: b STATUS {2}\n",
		"S: * STATUS ! (MESSAGES 1)\n",
		"S: a OK\n",
		"S: + go\n",
		"B: \\xc3\\xa4 (MESSAGES UIDNEXT UIDVALIDITY)\\r\\n\n",
		"R: * STATUS {2}\\r\\n\\xc3\\xa4 (MESSAGES 5)\\r\\n\n",
		"S: b OK\n",
	};
	CLEANUP(talk_end) struct talk talk = {0};
	CLEANUP(imap_folders_free) struct imap_folders folders = {0};

	CHECK_TALK(&talk, talk_begin(&talk, SCRIPT(script)));
	CHECK_TALK(&talk, imap_list(talk.imap, true, &folders, &talk.err));
	CHECK_STR(talk_close(&talk), "");
	CHECK_INT(folders.items[0].counts.messages, 1);
	CHECK_INT(folders.items[1].counts.messages, 5);
}

static void at_most_twenty_status_commands_are_in_flight(void)
{
	CLEANUP(talk_end) struct talk talk = {0};
	CLEANUP(imap_folders_free) struct imap_folders folders = {0};
	CLEANUP(buf_free) struct buf text = BUF_INIT(64 * 1024);
	bool fits = buf_add_str(&text, LOGGED_IN("LIST-EXTENDED") "C: a LIST ...\n"
								  "N: 25 * LIST () \"/\" f#\n"
								  "S: a OK\n");

	for (int i = 0; i < 20; i++)
		fits = fits && buf_printf(&text, "C: %c STATUS f...\n", 'a' + i);
	fits = fits && buf_add_str(&text, "W: 100\n");
	for (int i = 0; i < 5; i++)
		fits = fits && buf_printf(&text, "S: %c OK\nC: %c STATUS f...\n", 'a' + i, 'u' + i);
	for (int i = 5; i < 25; i++)
		fits = fits && buf_printf(&text, "S: %c OK\n", 'a' + i);
	CHECK(fits);
	CHECK_TALK(&talk, talk_begin(&talk, buf_str(&text)));
	CHECK_TALK(&talk, imap_list(talk.imap, true, &folders, &talk.err));
	CHECK_STR(talk_close(&talk), "");
	CHECK_INT(folders.count, 25);
}

static void throttled_status_is_tried_later(void)
{
	static const char *const script[] = {
		LOGGED_IN("LIST-EXTENDED"),
		"C: a LIST ...\n",
		"S: * LIST () \"/\" A\n",
		"S: a OK\n",
		"C: a STATUS ...\n",
		"S: a BAD Request is throttled. Suggested Backoff Time: 299961 milliseconds\n",
	};
	CLEANUP(talk_end) struct talk talk = {0};
	CLEANUP(imap_folders_free) struct imap_folders folders = {0};

	CHECK_TALK(&talk, talk_begin(&talk, SCRIPT(script)));
	CHECK(!imap_list(talk.imap, true, &folders, &talk.err));
	CHECK_INT(talk.err.kind, ERR_RETRY);
	CHECK_STR(talk_close(&talk), "");
}

int main(int argc, char **argv)
{
	static const struct promise promises[] = {
		PROMISE(dovecot_tells_all_in_one_list),
		PROMISE(return_options_are_those_that_are_offered),
		PROMISE(other_peoples_folders_are_left_out),
		PROMISE(courier_needs_list_lsub_and_status),
		PROMISE(refused_lsub_means_nothing_is_known_to_be_subscribed),
		PROMISE(refused_or_empty_list_return_is_asked_again_plainly),
		PROMISE(refused_list_is_an_error_and_not_an_empty_account),
		PROMISE(folder_that_is_listed_twice_is_one),
		PROMISE(odd_names_are_asked_for_as_literals),
		PROMISE(at_most_twenty_status_commands_are_in_flight),
		PROMISE(throttled_status_is_tried_later),
	};

	return check_main(argc, argv, promises, ARRAY_LEN(promises));
}
