#include "mirror/ledger.h"

#include "base/alloc.h"
#include "base/str.h"
#include "support/check.h"

enum { LIMIT = 1000, UIDVALIDITY = 7, HOUR_MS = 60 * 60 * 1000 };

struct room {
	struct state *state;
	struct config_account account;
	struct ledger ledger;
};

static void load(struct room *room, int64_t now_ms)
{
	struct err err = ERR_INIT;

	ledger_free(&room->ledger);
	CHECK_OK(ledger_load(&room->ledger, room->state, &room->account, now_ms, &err));
}

static void room_open(struct room *room, const char *name)
{
	CLEANUP(freep) char *dir = str_printf("%s/%s", check_temp_dir(), name);
	struct err err = ERR_INIT;

	*room = (struct room){
		.account = {.archive_path = (char *)"/a", .max_message_bytes = LIMIT}};
	CHECK_OK(state_open(dir, &room->state, &err));
	load(room, 1);
}

static void room_close(struct room *room)
{
	ledger_free(&room->ledger);
	state_freep(&room->state);
}

static void add(struct room *room, uint32_t uid, uint64_t size, bool too_large)
{
	struct err err = ERR_INIT;

	CHECK_OK(
		ledger_add(&room->ledger, "INBOX", UIDVALIDITY, uid, size, "why", too_large, &err));
}

static uint64_t held(struct room *room, bool *ret_owed)
{
	CLEANUP(rangeset_free) struct rangeset without = {0};

	ledger_hold(&room->ledger, "INBOX", UIDVALIDITY, &without, ret_owed);
	return rangeset_size(&without);
}

static void what_is_too_large_is_not_asked_for_until_the_limit_allows_it(void)
{
	CLEANUP(room_close) struct room room;
	bool owed;

	room_open(&room, "large");
	add(&room, 5, LIMIT + 1, true);
	load(&room, INT64_MAX - 1);
	CHECK_INT(held(&room, &owed), 1);
	CHECK(!owed && !ledger_due(&room.ledger, "INBOX"));
	room.account.max_message_bytes = LIMIT + 1;
	CHECK_INT(held(&room, &owed), 0);
	CHECK(owed && ledger_due(&room.ledger, "INBOX") && !ledger_due(&room.ledger, "Sent"));
}

static void what_was_refused_is_asked_for_later_and_later(void)
{
	CLEANUP(room_close) struct room room;
	int64_t last_wait = 0;
	bool owed;

	room_open(&room, "refused");
	for (int i = 0; i < 5; i++) {
		int64_t wait = 0;

		add(&room, 5, 10, false);
		CHECK_INT(held(&room, &owed), 1);
		CHECK(owed);
		while (held(&room, &owed) == 1)
			load(&room, room.ledger.now_ms + (wait += HOUR_MS / 4, HOUR_MS / 4));
		CHECK(owed && wait > last_wait);
		last_wait = wait;
	}
}

static void what_ends_a_session_twice_is_left_out_for_a_while(void)
{
	CLEANUP(room_close) struct room room;
	struct err err = ERR_INIT;
	uint64_t skipped = 1;
	bool owed;

	room_open(&room, "suspect");
	CHECK_OK(ledger_suspect(&room.ledger, "INBOX", UIDVALIDITY, 5, &err));
	load(&room, 2);
	CHECK_INT(held(&room, &owed), 0);
	CHECK(owed && ledger_due(&room.ledger, "INBOX"));
	CHECK_OK(state_skipped_count(room.state, "/a", &skipped, &err));
	CHECK_INT(skipped, 0);
	CHECK_OK(ledger_suspect(&room.ledger, "INBOX", UIDVALIDITY, 5, &err));
	load(&room, 3);
	CHECK_INT(held(&room, &owed), 1);
	CHECK(owed && !ledger_due(&room.ledger, "INBOX"));
	CHECK_OK(state_skipped_count(room.state, "/a", &skipped, &err));
	CHECK_INT(skipped, 1);
	load(&room, INT64_MAX - 1);
	CHECK_INT(held(&room, &owed), 0);
}

static void the_state_file_learns_of_what_is_settled_when_it_is_saved(void)
{
	CLEANUP(room_close) struct room room;
	CLEANUP(rangeset_free) struct rangeset fetched = {0};
	struct err err = ERR_INIT;
	size_t owed;

	room_open(&room, "settled");
	add(&room, 5, 10, false);
	add(&room, 6, LIMIT + 1, true);
	CHECK_INT(ledger_count(&room.ledger, &owed), 2);
	CHECK_INT(owed, 1);
	rangeset_add(&fetched, 5, 5);
	ledger_settle(&room.ledger, "INBOX", UIDVALIDITY, &fetched);
	CHECK_INT(ledger_count(&room.ledger, &owed), 1);
	load(&room, 2);
	CHECK_INT(ledger_count(&room.ledger, &owed), 2);
	ledger_settle(&room.ledger, "INBOX", UIDVALIDITY, &fetched);
	CHECK_OK(ledger_save(&room.ledger, &err));
	load(&room, 3);
	CHECK_INT(ledger_count(&room.ledger, &owed), 1);
}

static void what_is_owed_goes_with_a_renamed_folder(void)
{
	static const char *const from[] = {"INBOX", "Sent"}, *const to[] = {"Sent", "INBOX"};
	CLEANUP(room_close) struct room room;
	struct err err = ERR_INIT;
	size_t owed;
	bool is_owed;

	room_open(&room, "renamed");
	add(&room, 5, LIMIT + 1, true);
	CHECK_OK(ledger_add(&room.ledger, "Sent", UIDVALIDITY, 5, 10, "why", false, &err));
	CHECK_OK(ledger_add(&room.ledger, "Sent", UIDVALIDITY, 6, 10, "why", false, &err));
	CHECK_OK(ledger_rename(&room.ledger, from, to, ARRAY_LEN(from), &err));
	CHECK_INT(held(&room, &is_owed), 2);
	CHECK(is_owed);
	CHECK_OK(ledger_save(&room.ledger, &err));
	load(&room, 2);
	CHECK_INT(ledger_count(&room.ledger, &owed), 3);
	CHECK_INT(owed, 2);
	CHECK_INT(held(&room, &is_owed), 2);
	CHECK(is_owed && !ledger_due(&room.ledger, "INBOX"));
	load(&room, INT64_MAX - 1);
	CHECK(ledger_due(&room.ledger, "INBOX") && !ledger_due(&room.ledger, "Sent"));
}

static void what_is_of_no_folder_is_not_owed(void)
{
	static const char *const folders[] = {"Drafts", "INBOX"};
	CLEANUP(room_close) struct room room;
	struct err err = ERR_INIT;
	size_t owed;

	room_open(&room, "stray");
	add(&room, 5, 10, false);
	CHECK_OK(ledger_add(&room.ledger, "Sent", UIDVALIDITY, 5, 10, "why", false, &err));
	ledger_keep(&room.ledger, folders, ARRAY_LEN(folders));
	CHECK_OK(ledger_save(&room.ledger, &err));
	load(&room, 2);
	CHECK_INT(ledger_count(&room.ledger, &owed), 1);
	ledger_keep(&room.ledger, folders, 1);
	CHECK_INT(ledger_count(&room.ledger, &owed), 0);
}

static void another_uidvalidity_settles_what_was_before(void)
{
	CLEANUP(room_close) struct room room;
	CLEANUP(rangeset_free) struct rangeset none = {0};
	size_t owed;

	room_open(&room, "anew");
	add(&room, 5, 10, false);
	ledger_settle(&room.ledger, "Sent", UIDVALIDITY + 1, &none);
	CHECK_INT(ledger_count(&room.ledger, &owed), 1);
	ledger_settle(&room.ledger, "INBOX", UIDVALIDITY + 1, &none);
	CHECK_INT(ledger_count(&room.ledger, &owed), 0);
}

int main(int argc, char **argv)
{
	static const struct promise promises[] = {
		PROMISE(what_is_too_large_is_not_asked_for_until_the_limit_allows_it),
		PROMISE(what_was_refused_is_asked_for_later_and_later),
		PROMISE(what_ends_a_session_twice_is_left_out_for_a_while),
		PROMISE(the_state_file_learns_of_what_is_settled_when_it_is_saved),
		PROMISE(what_is_owed_goes_with_a_renamed_folder),
		PROMISE(what_is_of_no_folder_is_not_owed),
		PROMISE(another_uidvalidity_settles_what_was_before),
	};
	return check_main(argc, argv, promises, ARRAY_LEN(promises));
}
