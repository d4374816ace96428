/* Messages that a server refuses, reports separately or omits, and which of them the ledger keeps:
 * the mirror gives up nothing because of them and never asks in vain. */
#include <stdlib.h>
#include <string.h>

#include "archive/archive.h"
#include "archive/forget.h"
#include "base/str.h"
#include "state/state.h"
#include "support/archive/files.h"
#include "support/archive/refs.h"
#include "support/check.h"
#include "support/crash/ring.h"

enum { LARGE = 1000, WAIT_MS = 1000, MANY = 1400, STEP = 256, FIRST_BAD = 100, BAD = 5 };

static const char alice[] = "alice";

static void add(struct ring *ring, const char *folder, uint32_t uid, unsigned size)
{
	CLEANUP(freep)
	char *text = str_printf("Subject: %s %u %*s\r\n\r\n%u\r\n", folder, uid, size, ".", uid);

	(void)model_message_add(
		ring->model, alice, folder, &(struct model_letter){.bytes = text, .uid = uid});
}

/* --- a poisoned message or five --- */

static void a_few_messages_whose_flags_are_refused_take_no_others_away(void)
{
	CLEANUP(ring_freep) struct ring *ring = ring_new_empty(&model_profile_condstore, "five");
	CLEANUP(freep) char *text = NULL;
	unsigned flagged = 0;
	struct err err = ERR_INIT;

	ring->window_messages = 2 * MANY;
	for (uint32_t uid = 1; uid <= MANY; uid++)
		add(ring, "INBOX", uid, 1);
	CHECK_OK(ring_mirror(ring, NULL, &err));
	for (uint32_t i = 0; i < BAD; i++)
		model_message_odd(
			ring->model, alice, "INBOX", FIRST_BAD + i * STEP, MODEL_ODD_NO_FLAGS);
	for (uint32_t uid = 1; uid <= MANY; uid++)
		CHECK(model_message_flags(ring->model, alice, "INBOX", uid, "\\Flagged"));
	for (int i = 0; i < 3; i++)
		(void)ring_mirror(ring, NULL, &err);
	text = ring_archive_text(ring, ring_newest(ring));
	for (const char *at = strstr(text, "\\Flagged"); at; at = strstr(at + 1, "\\Flagged"))
		flagged++;
	CHECK_INT(flagged, MANY - BAD);
}

/* --- in the ledger, and forgotten --- */

static bool pick(void *context, const struct archive_entry *entry, struct err *err)
{
	(void)err;
	memcpy(context, entry->sha256, SHA256_BYTES);
	return true;
}

/* A refused message was fetched in an interrupted pass, which left its ledger entry; then the user
 * had the archive forget it. */
static void what_was_forgotten_is_not_owed(void)
{
	CLEANUP(ring_freep) struct ring *ring = ring_new_empty(&model_profile_full, "owed");
	CLEANUP(archive_freep) struct archive *archive = NULL;
	CLEANUP(model_snapshot_freep) struct model_snapshot *now = NULL;
	CLEANUP(state_freep) struct state *state = NULL;
	struct skipped stale = {.folder_path = "INBOX",
		.uid = 1,
		.reason = "server says: no",
		.attempts = 1,
		.next_try_ms = 1};
	struct archive_list list = {0};
	struct archive_forgotten forgotten;
	uint8_t digest[1][SHA256_BYTES];
	unsigned searches;
	struct err err = ERR_INIT;

	add(ring, "INBOX", 1, 1);
	CHECK_OK(ring_mirror(ring, NULL, &err));
	now = model_snapshot(ring->model, alice);
	stale.uidvalidity = model_snapshot_folder(now, "INBOX")->uidvalidity;
	CHECK_OK(state_open(ring->state_dir, &state, &err));
	CHECK_OK(state_skip_put(state, ring->archive, &stale, &err));
	state_freep(&state);
	list.generation = ring_newest(ring);
	CHECK_OK(archive_open(ref_of(ring->archive), &archive, &err));
	CHECK_OK(archive_each_entry(archive, &list, pick, digest, &err));
	archive_freep(&archive);
	CHECK_OK(archive_forget(ref_of(ring->archive), (const uint8_t(*)[SHA256_BYTES])digest, 1,
		WAIT_MS, &forgotten, &err));
	CHECK_INT(forgotten.messages, 1);
	(void)ring_mirror(ring, NULL, &err);
	searches = model_command_count(ring->model, "UID SEARCH");
	err_clear(&err);
	CHECK_OK(ring_mirror(ring, NULL, &err));
	CHECK_INT(model_command_count(ring->model, "UID SEARCH"), searches);
}

/* --- too large, and one of several with a UIDVALIDITY --- */

static void a_folder_with_too_large_mail_is_itself_unseen(void)
{
	CLEANUP(ring_freep) struct ring *ring = ring_new_empty(&model_profile_full, "itself");
	unsigned examined;
	struct err err = ERR_INIT;

	ring->account.max_message_bytes = LARGE;
	CHECK(model_folder_add(ring->model, alice, "A"));
	CHECK(model_folder_add(ring->model, alice, "B"));
	model_folder_numbers(ring->model, alice, "A", 1000, 0, 0);
	model_folder_numbers(ring->model, alice, "B", 1000, 0, 0);
	add(ring, "A", 1, 1);
	add(ring, "A", 2, 2 * LARGE);
	add(ring, "B", 1, 1);
	for (int i = 0; i < 2; i++)
		CHECK_OK(ring_mirror(ring, NULL, &err));
	examined = model_command_count(ring->model, "EXAMINE");
	CHECK_OK(ring_mirror(ring, NULL, &err));
	CHECK_INT(model_command_count(ring->model, "EXAMINE"), examined);
}

/* --- the ledger --- */

/* A folder was renamed, and a new one has its old name, its UIDVALIDITY and a UID that is too
 * large. */
static void a_new_entry_in_the_ledger_is_not_taken_for_the_old_one(void)
{
	CLEANUP(ring_freep) struct ring *ring = ring_new_empty(&model_profile_full, "again");
	struct err err = ERR_INIT;

	ring->account.max_message_bytes = LARGE;
	CHECK(model_folder_add(ring->model, alice, "A"));
	model_folder_numbers(ring->model, alice, "A", 1000, 0, 0);
	add(ring, "A", 1, 1);
	add(ring, "A", 2, 2 * LARGE);
	CHECK_OK(ring_mirror(ring, NULL, &err));
	CHECK(model_folder_rename(ring->model, alice, "A", "B"));
	CHECK(model_folder_add(ring->model, alice, "A"));
	model_folder_numbers(ring->model, alice, "A", 1000, 0, 0);
	add(ring, "A", 1, 3);
	add(ring, "A", 2, 3 * LARGE);
	CHECK_OK(ring_mirror(ring, NULL, &err));
	CHECK_INT(ring_skipped(ring), 2);
}

/* --- left out by the configuration --- */

static void what_is_owed_of_a_folder_nobody_wants_is_not_owed(void)
{
	CLEANUP(ring_freep) struct ring *ring = ring_new_empty(&model_profile_full, "unwanted");
	struct err err = ERR_INIT;

	CHECK(model_folder_add(ring->model, alice, "Junk"));
	add(ring, "INBOX", 1, 1);
	add(ring, "Junk", 1, 1);
	model_message_odd(ring->model, alice, "Junk", 1, MODEL_ODD_REFUSED);
	CHECK(!ring_mirror(ring, NULL, &err));
	str_list_free(&ring->account.folders);
	str_list_add(&ring->account.folders, "INBOX");
	err_clear(&err);
	CHECK_OK(ring_mirror(ring, NULL, &err));
}

/* --- flags apart from bodies --- */

static void flags_that_do_not_come_with_a_body_are_asked_for(void)
{
	static const struct model_profile *const profiles[] = {
		&model_profile_full, &model_profile_plain, &model_profile_condstore};

	for (size_t i = 0; i < ARRAY_LEN(profiles); i++) {
		CLEANUP(freep) char *words = str_printf("apart-%s", profiles[i]->name);
		CLEANUP(ring_freep) struct ring *ring = ring_new_empty(profiles[i], words);
		struct err err = ERR_INIT;

		for (uint32_t uid = 1; uid <= 4; uid++)
			add(ring, "INBOX", uid, 1);
		CHECK(model_message_flags(ring->model, alice, "INBOX", 3, "\\Flagged"));
		model_message_odd(ring->model, alice, "INBOX", 3, MODEL_ODD_APART);
		CHECK(!ring_mirror(ring, NULL, &err));
		err_clear(&err);
		CHECK_OK(ring_mirror(ring, NULL, &err));
		ring_check_mirrored(ring);
		ring_check_fetched_once(ring, words);
	}
}

/* --- a search that finds nothing --- */

static void what_a_search_leaves_out_of_a_folder_that_is_not_empty_is_not_gone(void)
{
	CLEANUP(ring_freep) struct ring *ring = ring_new_empty(&model_profile_plain, "nothing");
	CLEANUP(freep) char *text = NULL;
	struct err err = ERR_INIT;

	for (uint32_t uid = 1; uid <= 4; uid++)
		add(ring, "INBOX", uid, 1);
	CHECK_OK(ring_mirror(ring, NULL, &err));
	model_answer_next(ring->model, "UID SEARCH", 0, "OK done");
	CHECK(!ring_mirror(ring, NULL, &err));
	CHECK_INT(err.kind, ERR_PROTOCOL);
	text = ring_archive_text(ring, ring_newest(ring));
	CHECK(strstr(text, ": 4 ("));
}

int main(int argc, char **argv)
{
	static const struct promise promises[] = {
		PROMISE(a_few_messages_whose_flags_are_refused_take_no_others_away),
		PROMISE(what_was_forgotten_is_not_owed),
		PROMISE(a_folder_with_too_large_mail_is_itself_unseen),
		PROMISE(a_new_entry_in_the_ledger_is_not_taken_for_the_old_one),
		PROMISE(what_is_owed_of_a_folder_nobody_wants_is_not_owed),
		PROMISE(flags_that_do_not_come_with_a_body_are_asked_for),
		PROMISE(what_a_search_leaves_out_of_a_folder_that_is_not_empty_is_not_gone),
	};

	return check_main(argc, argv, promises, ARRAY_LEN(promises));
}
