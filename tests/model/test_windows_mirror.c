/* A folder is compared in windows. Wherever their edges are, no message is lost, none is fetched
 * twice, and none that exists is closed. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/str.h"
#include "model/rename_world.h"
#include "state/state.h"
#include "support/archive/files.h"
#include "support/check.h"
#include "support/crash/ring.h"

enum {
	WINDOW = 3,
	SEEDS = 4,
	ROUNDS = 8,
	STEPS = 12,
	STORMS = 3,
	STORM_PASSES = 12,
	STORM_PAUSE_US = 500,
	LETTERS = 20,
	SEARCH_POLLS_MAX = 20 * 1000,
	SLOW_MS = 30,
	LARGE = 1000,
};

static const char alice[] = "alice";

static const struct model_profile *const profiles[] = {&model_profile_full, &model_profile_plain,
	&model_profile_condstore, &model_profile_courier, &model_profile_odd};

static struct ring *empty_ring(const struct model_profile *profile, const char *name)
{
	struct ring *ring = ring_new_empty(profile, name);

	ring->window_messages = WINDOW;
	return ring;
}

static void mirror(struct ring *ring)
{
	struct err err = ERR_INIT;

	CHECK_OK(ring_mirror(ring, NULL, &err));
	ring_check_mirrored(ring);
}

static void add_uids(struct ring *ring, const char *uids)
{
	char *end;

	for (const char *at = uids; *at; at = end + (*end == ' ')) {
		uint32_t uid = (uint32_t)strtoul(at, &end, 10);
		CLEANUP(freep) char *text = str_printf("Subject: %u\r\n\r\n%u\r\n", uid, uid);

		(void)model_message_add(ring->model, alice, "INBOX",
			&(struct model_letter){.bytes = text, .uid = uid});
	}
}

static void change_uids(struct ring *ring, const char *uids, const char *flags)
{
	char *end;

	for (const char *at = uids; *at; at = end + (*end == ' ')) {
		uint32_t uid = (uint32_t)strtoul(at, &end, 10);

		if (flags)
			CHECK(model_message_flags(ring->model, alice, "INBOX", uid, flags));
		else
			CHECK(model_message_expunge(ring->model, alice, "INBOX", uid));
	}
}

static unsigned count_of(const char *text, const char *word)
{
	unsigned count = 0;

	for (const char *at = strstr(text, word); at; at = strstr(at + 1, word))
		count++;
	return count;
}

/* --- edges --- */

static const struct edge {
	const char *uids, *gone, *flagged, *added;
} edges[] = {
	{"1 2 3", "", "", ""},
	{"1 2 3", "1 2 3", "", ""},
	{"1 2 3", "1 2 3", "", "4 5 6 7"},
	{"1 2 3 4", "3", "4", ""},
	{"1 2 3 4", "4", "3", "5"},
	{"1 2 3 4 5 6 7", "3 4", "2 5", "8"},
	{"1 2 3 4 5 6 7", "1 2 3", "4 5 6", ""},
	{"1 2 3 4 5 6 7", "4 5 6", "1 3 7", ""},
	{"1 2 3 4 5 6 7", "7", "", "9 11"},
	{"2 4 6 8 10 12 14", "6 8", "4 10", "1000 4000000000"},
	{"5 4294967290 4294967291 4294967292", "4294967292", "4294967291", "4294967293"},
	{"100 200 300 400 500 600 700 800 900", "300 400 900", "100 500 800", "901"},
};

static void pass_edge(const struct model_profile *profile, size_t number)
{
	const struct edge *edge = &edges[number];
	CLEANUP(freep) char *words = str_printf("%s-edge%zu", profile->name, number);
	CLEANUP(ring_freep) struct ring *ring = empty_ring(profile, words);

	add_uids(ring, edge->uids);
	mirror(ring);
	change_uids(ring, edge->gone, NULL);
	change_uids(ring, edge->flagged, "\\Flagged");
	add_uids(ring, edge->added);
	mirror(ring);
	mirror(ring);
	ring_check_fetched_once(ring, words);
}

static void what_happens_at_the_edge_of_a_window_is_seen(void)
{
	for (size_t i = 0; i < ARRAY_LEN(profiles); i++)
		for (size_t number = 0; number < ARRAY_LEN(edges); number++)
			pass_edge(profiles[i], number);
}

static void holes_between_uids_are_no_ranges(void)
{
	CLEANUP(ring_freep) struct ring *ring = empty_ring(&model_profile_plain, "holes");
	CLEANUP(freep) char *log = NULL;

	add_uids(ring, "2 4 6 8 10 12");
	ring->window_messages = 4;
	mirror(ring);
	change_uids(ring, "4 10", "\\Seen");
	add_uids(ring, "20");
	mirror(ring);
	log = model_log(ring->model);
	CHECK(strstr(log, "UID FETCH 2:8 (UID FLAGS)"));
	CHECK(strstr(log, "UID FETCH 10:12 (UID FLAGS)"));
}

/* --- lives --- */

static void live(const struct model_profile *profile, uint64_t seed)
{
	CLEANUP(freep) char *words = str_printf("%s-life%u", profile->name, (unsigned)seed);
	CLEANUP(ring_freep) struct ring *ring = empty_ring(profile, words);

	ring->window_messages = 1 + (uint32_t)seed % WINDOW;
	for (int round = 0; round < ROUNDS; round++) {
		CLEANUP(rename_state_free) struct rename_state state;

		for (int i = 0; i < STEPS; i++)
			(void)model_random_step(ring->model, alice, &seed);
		rename_mirror(ring, words, &state);
		ring_check_fetched_once(ring, words);
	}
	rename_check_archive(ring);
}

static void any_life_is_followed_in_small_windows(void)
{
	const struct model_profile odd = rename_odd_profile();

	for (uint64_t seed = 0; seed < SEEDS; seed++) {
		for (size_t i = 0; i + 1 < ARRAY_LEN(profiles); i++)
			live(profiles[i], seed);
		live(&odd, seed);
	}
}

/* --- a server that does not stand still --- */

struct storm {
	struct ring *ring;
	uint64_t rng;
	atomic_bool over;
};

/* Messages arrive, leave and change; folders do not, so that every pass can complete. */
static void blow(struct storm *storm)
{
	CLEANUP(model_snapshot_freep)
	struct model_snapshot *now = model_snapshot(storm->ring->model, alice);
	const struct model_folder *inbox = model_snapshot_folder(now, "INBOX");
	uint32_t kind = model_rng_below(&storm->rng, 4);
	uint32_t uid;

	if (kind < 2 || inbox->count == 0) {
		CLEANUP(freep) char *next = str_printf("%u", inbox->uidnext);

		add_uids(storm->ring, next);
		return;
	}
	uid = inbox->messages[model_rng_below(&storm->rng, (uint32_t)inbox->count)].uid;
	if (kind == 2)
		(void)model_message_expunge(storm->ring->model, alice, "INBOX", uid);
	else
		(void)model_message_flags(storm->ring->model, alice, "INBOX", uid,
			model_rng_below(&storm->rng, 2) ? "\\Seen" : "$Junk");
}

static void *storm_run(void *context)
{
	struct storm *storm = context;

	while (!atomic_load(&storm->over)) {
		blow(storm);
		(void)usleep(STORM_PAUSE_US);
	}
	return NULL;
}

static void pass_through_storm(const struct model_profile *profile, uint64_t seed)
{
	CLEANUP(freep) char *words = str_printf("%s-storm%u", profile->name, (unsigned)seed);
	CLEANUP(ring_freep) struct ring *ring = empty_ring(profile, words);
	struct storm storm = {.ring = ring, .rng = seed};
	struct err err = ERR_INIT;
	pthread_t thread;

	for (int i = 0; i < LETTERS; i++)
		blow(&storm);
	CHECK_INT(pthread_create(&thread, NULL, storm_run, &storm), 0);
	for (int pass = 0; pass < STORM_PASSES; pass++)
		CHECK_OK(ring_mirror(ring, NULL, &err));
	atomic_store(&storm.over, true);
	CHECK_INT(pthread_join(thread, NULL), 0);
	mirror(ring);
	ring_check_fetched_once(ring, words);
}

static void a_folder_that_changes_while_it_is_scanned_is_had(void)
{
	for (size_t i = 0; i < ARRAY_LEN(profiles); i++)
		for (uint64_t seed = 0; seed < STORMS; seed++)
			pass_through_storm(profiles[i], seed);
}

/* --- what a server tells by itself, and what it refuses --- */

static void a_delta_is_enough_unless_it_is_too_large(void)
{
	CLEANUP(ring_freep) struct ring *ring = empty_ring(&model_profile_full, "delta");
	unsigned searches;

	add_uids(ring, "1 2 3 4 5 6 7 8");
	mirror(ring);
	searches = model_command_count(ring->model, "UID SEARCH");
	change_uids(ring, "2", NULL);
	change_uids(ring, "5", "\\Seen");
	add_uids(ring, "9");
	mirror(ring);
	CHECK_INT(model_command_count(ring->model, "UID SEARCH"), searches);
	change_uids(ring, "1 3 4 5", "\\Flagged");
	mirror(ring);
	CHECK_INT(model_command_count(ring->model, "UID SEARCH"), searches + 1);
	change_uids(ring, "1 4 6 9", NULL); /* as many ranges */
	mirror(ring);
	CHECK_INT(model_command_count(ring->model, "UID SEARCH"), searches + 2);
	add_uids(ring, "10 11");
	mirror(ring);
	CHECK_INT(model_command_count(ring->model, "UID SEARCH"), searches + 2);
}

static void *expunge_after_search(void *context)
{
	struct ring *ring = context;

	for (int i = 0; i < SEARCH_POLLS_MAX; i++) {
		if (model_command_count(ring->model, "UID SEARCH") > 0)
			break;
		(void)usleep(STORM_PAUSE_US);
	}
	CHECK(model_message_expunge(ring->model, alice, "INBOX", 5));
	return NULL;
}

/* The mark counts the messages the archive holds, so that the next delta adds up. */
static void mail_that_goes_before_it_is_fetched_is_not_promised(void)
{
	CLEANUP(ring_freep) struct ring *ring = empty_ring(&model_profile_full, "goes");
	struct err err = ERR_INIT;
	unsigned searches;
	pthread_t thread;

	add_uids(ring, "1 2 3 4 5 6 7 8");
	model_delay(ring->model, SLOW_MS);
	CHECK_INT(pthread_create(&thread, NULL, expunge_after_search, ring), 0);
	CHECK_OK(ring_mirror(ring, NULL, &err));
	CHECK_INT(pthread_join(thread, NULL), 0);
	model_delay(ring->model, 0);
	searches = model_command_count(ring->model, "UID SEARCH");
	add_uids(ring, "9");
	mirror(ring);
	CHECK_INT(model_command_count(ring->model, "UID SEARCH"), searches);
}

static void flags_that_were_refused_are_asked_for_again(void)
{
	for (unsigned window = 0; window < 3; window++) {
		CLEANUP(freep) char *words = str_printf("refused%u", window);
		CLEANUP(ring_freep)
		struct ring *ring = empty_ring(&model_profile_condstore, words);

		add_uids(ring, "1 2 3 4 5 6 7 8");
		mirror(ring);
		change_uids(ring, "2 3 4 7", "\\Flagged");
		add_uids(ring, "9");
		model_answer_next(ring->model, "UID FETCH", window, "NO [UNAVAILABLE] not now");
		mirror(ring);
		ring_check_fetched_once(ring, words);
	}
}

/* A delta since the mark would not report the refused message again. */
static void a_message_whose_flags_are_refused_takes_no_other_flags_away(void)
{
	for (size_t i = 0; i < ARRAY_LEN(profiles); i++) {
		CLEANUP(freep) char *words = str_printf("%s-no-flags", profiles[i]->name);
		CLEANUP(ring_freep) struct ring *ring = empty_ring(profiles[i], words);
		CLEANUP(freep) char *text = NULL;
		struct err err = ERR_INIT;

		add_uids(ring, "1 2 3 4 5 6 7 8");
		ring->window_messages = 6;
		mirror(ring);
		model_message_odd(ring->model, alice, "INBOX", 5, MODEL_ODD_NO_FLAGS);
		change_uids(ring, "1 2 3 4 5 6 7 8", "\\Flagged"); /* no delta has room for all */
		CHECK(!ring_mirror(ring, NULL, &err));
		CHECK(strstr(err.text, "INBOX: flags: server says: "));
		text = ring_archive_text(ring, ring_newest(ring));
		CHECK_INT(count_of(text, "\\Flagged"), 7);
		model_message_odd(ring->model, alice, "INBOX", 5, 0);
		mirror(ring);
		ring_check_fetched_once(ring, words);
	}
}

/* --- what the mark promises --- */

static void lose_the_ledger(const struct model_profile *profile, bool new_mail)
{
	CLEANUP(freep) char *words = str_printf("%s-lost%d", profile->name, new_mail);
	CLEANUP(ring_freep) struct ring *ring = empty_ring(profile, words);
	CLEANUP(freep) char *large = str_printf("Subject: %*s\r\n\r\n", LARGE, "large");
	struct err err = ERR_INIT;

	ring->account.max_message_bytes = LARGE;
	add_uids(ring, "1 2");
	(void)model_message_add(
		ring->model, alice, "INBOX", &(struct model_letter){.bytes = large, .uid = 3});
	add_uids(ring, "4");
	CHECK_OK(ring_mirror(ring, NULL, &err));
	CHECK_INT(ring_skipped(ring), 1);
	files_remove(ring->state_dir);
	if (new_mail)
		add_uids(ring, "5");
	CHECK_OK(ring_mirror(ring, NULL, &err));
	CHECK_INT(ring_skipped(ring), 1);
	CHECK_OK(ring_mirror(ring, NULL, &err));
	ring->account.max_message_bytes = 2 * LARGE;
	mirror(ring);
	CHECK_INT(ring_skipped(ring), 0);
}

static void mail_that_was_too_large_is_known_when_the_ledger_is_lost(void)
{
	for (size_t i = 0; i < ARRAY_LEN(profiles); i++) {
		lose_the_ledger(profiles[i], false);
		lose_the_ledger(profiles[i], true);
	}
}

/* A pass was killed between its commit and the ledger. */
static void the_ledger_does_not_name_what_is_gone(void)
{
	CLEANUP(ring_freep) struct ring *ring = empty_ring(&model_profile_full, "stale");
	const struct model_folder *inbox;
	CLEANUP(model_snapshot_freep) struct model_snapshot *now = NULL;
	CLEANUP(state_freep) struct state *state = NULL;
	struct skipped stale = {.folder_path = "INBOX",
		.uid = 2,
		.size = UINT32_MAX,
		.reason = "too large",
		.next_try_ms = INT64_MAX};
	struct err err = ERR_INIT;

	add_uids(ring, "1 3");
	mirror(ring);
	now = model_snapshot(ring->model, alice);
	inbox = model_snapshot_folder(now, "INBOX");
	stale.uidvalidity = inbox->uidvalidity;
	CHECK_OK(state_open(ring->state_dir, &state, &err));
	CHECK_OK(state_skip_put(state, ring->archive, &stale, &err));
	state_freep(&state);
	CHECK_INT(ring_skipped(ring), 1);
	add_uids(ring, "4");
	mirror(ring);
	CHECK_INT(ring_skipped(ring), 0);
}

/* The pass over the other folder was interrupted, so no mark replaced the first one. */
static void a_mark_of_another_uidvalidity_is_none(void)
{
	for (size_t i = 0; i < ARRAY_LEN(profiles); i++) {
		CLEANUP(freep) char *words = str_printf("%s-validity", profiles[i]->name);
		CLEANUP(ring_freep) struct ring *ring = empty_ring(profiles[i], words);
		struct err err = ERR_INIT;

		add_uids(ring, "1 2 3 4");
		model_folder_numbers(ring->model, alice, "INBOX", 1000, 0, 0);
		mirror(ring);
		model_folder_numbers(ring->model, alice, "INBOX", 2000, 0, 0);
		model_message_odd(ring->model, alice, "INBOX", 2, MODEL_ODD_REFUSED);
		(void)ring_mirror(ring, NULL, &err);
		model_message_odd(ring->model, alice, "INBOX", 2, 0);
		model_folder_numbers(ring->model, alice, "INBOX", 1000, 0, 0);
		mirror(ring);
	}
}

static void a_mod_sequence_that_does_not_go_on_is_no_mark(void)
{
	for (size_t i = 0; i < ARRAY_LEN(profiles); i++) {
		CLEANUP(freep) char *words = str_printf("%s-back", profiles[i]->name);
		CLEANUP(ring_freep) struct ring *ring = empty_ring(profiles[i], words);

		add_uids(ring, "1 2 3 4 5");
		model_folder_numbers(ring->model, alice, "INBOX", 0, 0, 5000);
		mirror(ring);
		change_uids(ring, "2 4", "\\Seen");
		model_set_quirks(ring->model, profiles[i]->quirks | MODEL_QUIRK_NOMODSEQ);
		mirror(ring);
		model_set_quirks(ring->model, profiles[i]->quirks);
		change_uids(ring, "1", "$Junk");
		mirror(ring);
	}
}

/* Between LIST-STATUS, which has told the old UIDNEXT, and EXAMINE, which tells none. */
static void recreate_work(struct ring *ring)
{
	ring->folder_done = NULL;
	CHECK(model_folder_delete(ring->model, alice, "Work"));
	CHECK(model_folder_add(ring->model, alice, "Work"));
	(void)model_message_add(ring->model, alice, "Work", &(struct model_letter){.bytes = "1"});
}

static void the_uidnext_of_a_folder_before_is_no_mark(void)
{
	CLEANUP(ring_freep) struct ring *ring = empty_ring(&model_profile_plain, "recreated");

	ring->account.flag_scan_ms = INT64_MAX / 2;
	model_set_quirks(ring->model, model_profile_plain.quirks | MODEL_QUIRK_NO_UIDNEXT);
	CHECK(model_folder_add(ring->model, alice, "Work"));
	for (int i = 0; i < 2; i++)
		(void)model_message_add(
			ring->model, alice, "Work", &(struct model_letter){.bytes = "0"});
	ring->folder_done = recreate_work;
	mirror(ring);
	(void)model_message_add(ring->model, alice, "Work", &(struct model_letter){.bytes = "2"});
	CHECK(model_message_expunge(ring->model, alice, "Work", 1));
	mirror(ring); /* the same number of messages and UIDNEXT as the folder before had */
}

int main(int argc, char **argv)
{
	static const struct promise promises[] = {
		PROMISE(what_happens_at_the_edge_of_a_window_is_seen),
		PROMISE(holes_between_uids_are_no_ranges),
		PROMISE(any_life_is_followed_in_small_windows),
		PROMISE(a_folder_that_changes_while_it_is_scanned_is_had),
		PROMISE(a_delta_is_enough_unless_it_is_too_large),
		PROMISE(mail_that_goes_before_it_is_fetched_is_not_promised),
		PROMISE(flags_that_were_refused_are_asked_for_again),
		PROMISE(a_message_whose_flags_are_refused_takes_no_other_flags_away),
		PROMISE(a_mod_sequence_that_does_not_go_on_is_no_mark),
		PROMISE(mail_that_was_too_large_is_known_when_the_ledger_is_lost),
		PROMISE(the_ledger_does_not_name_what_is_gone),
		PROMISE(a_mark_of_another_uidvalidity_is_none),
		PROMISE(the_uidnext_of_a_folder_before_is_no_mark),
	};

	return check_main(argc, argv, promises, ARRAY_LEN(promises));
}
