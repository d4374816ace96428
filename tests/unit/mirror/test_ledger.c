#include "mirror/ledger.h"

#include "base/alloc.h"
#include "base/str.h"
#include "support/check.h"

enum { LIMIT = 1000, UIDVALIDITY = 7, HOUR_MS = 60 * 60 * 1000 };

struct fixture {
	struct state *state;
	struct config_account account;
	struct ledger ledger;
};

static void load(struct fixture *fixture, int64_t now_ms)
{
	struct err err = ERR_INIT;

	ledger_free(&fixture->ledger);
	CHECK_OK(ledger_load(
		&fixture->ledger, fixture->state, &fixture->account, NULL, now_ms, &err));
}

static void fixture_open(struct fixture *fixture, const char *name)
{
	CLEANUP(freep) char *dir = str_printf("%s/%s", check_temp_dir(), name);
	struct err err = ERR_INIT;

	*fixture = (struct fixture){
		.account = {.archive_path = (char *)"/a", .max_message_bytes = LIMIT}};
	CHECK_OK(state_open(dir, &fixture->state, &err));
	load(fixture, 1);
}

static void fixture_close(struct fixture *fixture)
{
	ledger_free(&fixture->ledger);
	state_freep(&fixture->state);
}

static void add(struct fixture *fixture, uint32_t uid, uint64_t size, bool too_large)
{
	struct err err = ERR_INIT;

	CHECK_OK(ledger_add(
		&fixture->ledger, "INBOX", UIDVALIDITY, uid, size, "why", too_large, &err));
}

static uint64_t held(struct fixture *fixture, bool *ret_owed)
{
	CLEANUP(rangeset_free) struct rangeset without = {0};

	ledger_not_due(&fixture->ledger, "INBOX", UIDVALIDITY, &without, ret_owed);
	return rangeset_size(&without);
}

static void a_message_too_large_is_retried_only_when_the_limit_allows_it(void)
{
	CLEANUP(fixture_close) struct fixture fixture;
	bool owed;

	fixture_open(&fixture, "large");
	add(&fixture, 5, LIMIT + 1, true);
	load(&fixture, INT64_MAX - 1);
	CHECK_INT(held(&fixture, &owed), 1);
	CHECK(!owed && !ledger_due(&fixture.ledger, "INBOX"));
	fixture.account.max_message_bytes = LIMIT + 1;
	CHECK_INT(held(&fixture, &owed), 0);
	CHECK(owed && ledger_due(&fixture.ledger, "INBOX") && !ledger_due(&fixture.ledger, "Sent"));
}

static void refused_messages_are_retried_at_growing_intervals(void)
{
	CLEANUP(fixture_close) struct fixture fixture;
	int64_t last_wait = 0;
	bool owed;

	fixture_open(&fixture, "refused");
	for (int i = 0; i < 5; i++) {
		int64_t wait = 0;

		add(&fixture, 5, 10, false);
		CHECK_INT(held(&fixture, &owed), 1);
		CHECK(owed);
		while (held(&fixture, &owed) == 1)
			load(&fixture, fixture.ledger.now_ms + (wait += HOUR_MS / 4, HOUR_MS / 4));
		CHECK(owed && wait > last_wait);
		last_wait = wait;
	}
}

static void a_message_that_ends_two_sessions_is_left_out_for_a_while(void)
{
	CLEANUP(fixture_close) struct fixture fixture;
	struct err err = ERR_INIT;
	uint64_t skipped = 1;
	bool owed;

	fixture_open(&fixture, "suspect");
	CHECK_OK(ledger_suspect(&fixture.ledger, "INBOX", UIDVALIDITY, 5, &err));
	load(&fixture, 2);
	CHECK_INT(held(&fixture, &owed), 0);
	CHECK(owed && ledger_due(&fixture.ledger, "INBOX"));
	CHECK_OK(state_skipped_count(fixture.state, "/a", &skipped, &err));
	CHECK_INT(skipped, 0);
	CHECK_OK(ledger_suspect(&fixture.ledger, "INBOX", UIDVALIDITY, 5, &err));
	load(&fixture, 3);
	CHECK_INT(held(&fixture, &owed), 1);
	CHECK(owed && !ledger_due(&fixture.ledger, "INBOX"));
	CHECK_OK(state_skipped_count(fixture.state, "/a", &skipped, &err));
	CHECK_INT(skipped, 1);
	load(&fixture, INT64_MAX - 1);
	CHECK_INT(held(&fixture, &owed), 0);
}

static void resolved_entries_leave_the_state_file_only_when_saved(void)
{
	CLEANUP(fixture_close) struct fixture fixture;
	CLEANUP(rangeset_free) struct rangeset fetched = {0};
	struct err err = ERR_INIT;
	size_t owed;

	fixture_open(&fixture, "resolved");
	add(&fixture, 5, 10, false);
	add(&fixture, 6, LIMIT + 1, true);
	CHECK_INT(ledger_count(&fixture.ledger, &owed), 2);
	CHECK_INT(owed, 1);
	rangeset_add(&fetched, 5, 5);
	ledger_resolve(&fixture.ledger, "INBOX", UIDVALIDITY, &fetched);
	CHECK_INT(ledger_count(&fixture.ledger, &owed), 1);
	load(&fixture, 2);
	CHECK_INT(ledger_count(&fixture.ledger, &owed), 2);
	ledger_resolve(&fixture.ledger, "INBOX", UIDVALIDITY, &fetched);
	CHECK_OK(ledger_save(&fixture.ledger, &err));
	load(&fixture, 3);
	CHECK_INT(ledger_count(&fixture.ledger, &owed), 1);
}

static void entries_follow_a_renamed_folder(void)
{
	static const char *const from[] = {"INBOX", "Sent"}, *const to[] = {"Sent", "INBOX"};
	CLEANUP(fixture_close) struct fixture fixture;
	struct err err = ERR_INIT;
	size_t owed;
	bool is_owed;

	fixture_open(&fixture, "renamed");
	add(&fixture, 5, LIMIT + 1, true);
	CHECK_OK(ledger_add(&fixture.ledger, "Sent", UIDVALIDITY, 5, 10, "why", false, &err));
	CHECK_OK(ledger_add(&fixture.ledger, "Sent", UIDVALIDITY, 6, 10, "why", false, &err));
	CHECK_OK(ledger_rename(&fixture.ledger, from, to, ARRAY_LEN(from), &err));
	CHECK_INT(held(&fixture, &is_owed), 2);
	CHECK(is_owed);
	CHECK_OK(ledger_save(&fixture.ledger, &err));
	load(&fixture, 2);
	CHECK_INT(ledger_count(&fixture.ledger, &owed), 3);
	CHECK_INT(owed, 2);
	CHECK_INT(held(&fixture, &is_owed), 2);
	CHECK(is_owed && !ledger_due(&fixture.ledger, "INBOX"));
	load(&fixture, INT64_MAX - 1);
	CHECK(ledger_due(&fixture.ledger, "INBOX") && !ledger_due(&fixture.ledger, "Sent"));
}

static void entries_of_unknown_folders_are_dropped(void)
{
	static const char *const folders[] = {"Drafts", "INBOX"};
	CLEANUP(fixture_close) struct fixture fixture;
	struct err err = ERR_INIT;
	size_t owed;

	fixture_open(&fixture, "stray");
	add(&fixture, 5, 10, false);
	CHECK_OK(ledger_add(&fixture.ledger, "Sent", UIDVALIDITY, 5, 10, "why", false, &err));
	ledger_keep_folders(&fixture.ledger, folders, ARRAY_LEN(folders));
	CHECK_OK(ledger_save(&fixture.ledger, &err));
	load(&fixture, 2);
	CHECK_INT(ledger_count(&fixture.ledger, &owed), 1);
	ledger_keep_folders(&fixture.ledger, folders, 1);
	CHECK_INT(ledger_count(&fixture.ledger, &owed), 0);
}

static void a_new_uidvalidity_resolves_older_entries(void)
{
	CLEANUP(fixture_close) struct fixture fixture;
	CLEANUP(rangeset_free) struct rangeset none = {0};
	size_t owed;

	fixture_open(&fixture, "uidvalidity");
	add(&fixture, 5, 10, false);
	ledger_resolve(&fixture.ledger, "Sent", UIDVALIDITY + 1, &none);
	CHECK_INT(ledger_count(&fixture.ledger, &owed), 1);
	ledger_resolve(&fixture.ledger, "INBOX", UIDVALIDITY + 1, &none);
	CHECK_INT(ledger_count(&fixture.ledger, &owed), 0);
}

int main(int argc, char **argv)
{
	static const struct promise promises[] = {
		PROMISE(a_message_too_large_is_retried_only_when_the_limit_allows_it),
		PROMISE(refused_messages_are_retried_at_growing_intervals),
		PROMISE(a_message_that_ends_two_sessions_is_left_out_for_a_while),
		PROMISE(resolved_entries_leave_the_state_file_only_when_saved),
		PROMISE(entries_follow_a_renamed_folder),
		PROMISE(entries_of_unknown_folders_are_dropped),
		PROMISE(a_new_uidvalidity_resolves_older_entries),
	};
	return check_main(argc, argv, promises, ARRAY_LEN(promises));
}
