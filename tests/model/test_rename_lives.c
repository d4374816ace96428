/* Through seeded histories, folders keep their ids and every UID has its own message. */
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/str.h"
#include "model/rename_world.h"
#include "support/check.h"

enum {
	SEEDS = 6,
	ROUNDS = 12,
	STEPS = 12,
	SAME_SEEDS = 24,
	SAME_ROUNDS = 10,
	SAME_STEPS = 6,
	ONE_UIDVALIDITY = 7,
	NAMES = 7,
	LETTER_MAX = 20000,
};

/* --- lives by seed --- */

/* The archive's id and lowest UIDs of each of the server's folders. */
struct life {
	uint64_t server_id;
	int64_t id;
	uint32_t uids[FOLDERS_MAX];
	size_t count;
};

struct lives {
	struct life items[FOLDERS_MAX];
	size_t count;
};

static const struct life *find_life(const struct lives *lives, uint64_t server_id)
{
	for (size_t i = 0; i < lives->count; i++)
		if (lives->items[i].server_id == server_id)
			return &lives->items[i];
	return NULL;
}

static bool holds_any(const struct model_folder *folder, const struct life *life)
{
	for (size_t i = 0; i < folder->count; i++)
		for (size_t k = 0; k < life->count; k++)
			if (folder->messages[i].uid == life->uids[k])
				return true;
	return false;
}

static void follow_lives(const struct model_snapshot *now, const struct rename_state *state,
	const char *words, struct lives *lives)
{
	CLEANUP(freep) struct lives *before = xmalloc(sizeof(*before));

	*before = *lives;
	lives->count = 0;
	for (size_t i = 0; i < now->count; i++) {
		const struct model_folder *folder = &now->folders[i];
		const struct life *was = find_life(before, folder->id);
		struct life *life = &lives->items[lives->count++];

		*life = (struct life){folder->id, rename_id_of(state, folder->name), {0}, 0};
		for (; life->count < folder->count && life->count < FOLDERS_MAX; life->count++)
			life->uids[life->count] = folder->messages[life->count].uid;
		if (was && !folder->noselect && holds_any(folder, was) && life->id != was->id)
			check_fail(
				__FILE__, __LINE__, "%s: %s has another id", words, folder->name);
	}
}

static void live_and_follow(const struct model_profile *profile, uint64_t seed)
{
	CLEANUP(freep) char *words = str_printf("%s-%u", profile->name, (unsigned)seed);
	CLEANUP(ring_freep) struct ring *ring = ring_new_empty(profile, words);
	CLEANUP(freep) struct lives *lives = xcalloc(1, sizeof(*lives));

	for (int round = 0; round < ROUNDS; round++) {
		CLEANUP(model_snapshot_freep) struct model_snapshot *now = NULL;
		CLEANUP(rename_state_free) struct rename_state state;

		for (int i = 0; i < STEPS; i++)
			(void)model_random_step(ring->model, "alice", &seed);
		rename_mirror(ring, words, &state);
		now = model_snapshot(ring->model, "alice");
		ring_check_fetched_once(ring, words);
		follow_lives(now, &state, words, lives);
	}
	rename_check_archive(ring);
}

static void ids_persist_through_any_life(void)
{
	const struct model_profile odd = rename_odd_profile();
	const struct model_profile *const profiles[] = {&model_profile_full, &model_profile_plain,
		&model_profile_condstore, &model_profile_courier, &odd};

	for (uint64_t seed = 0; seed < SEEDS; seed++)
		for (size_t i = 0; i < ARRAY_LEN(profiles); i++)
			live_and_follow(profiles[i], seed);
}

/* --- one UIDVALIDITY for all folders, few names, and much renaming --- */

static void random_name(uint64_t *rng, char out[8])
{
	(void)snprintf(out, 8, "n%u", (unsigned)model_rng_below(rng, NAMES));
}

static void random_letter(struct ring *ring, const char *folder, uint64_t *rng)
{
	static const char *const dates[] = {
		"17-Jul-1996 02:44:25 -0700", " 1-Jan-2000 00:00:00 +0000"};
	CLEANUP(buf_free) struct buf bytes = BUF_INIT(LETTER_MAX);

	model_random_message(rng, &bytes);
	(void)model_message_add(ring->model, "alice", folder,
		&(struct model_letter){.bytes = bytes.data,
			.len = bytes.len,
			.date = dates[model_rng_below(rng, 2)]});
}

/*
 * Folders are created in one round and deleted in the next. If between two passes one is deleted
 * and another created with the same name, UIDVALIDITY and counts, nothing distinguishes them.
 */
static void shuffle(struct ring *ring, uint64_t *rng, bool going)
{
	char one[8], other[8];
	bool has_one, has_other;

	random_name(rng, one);
	random_name(rng, other);
	has_one = model_folder_exists(ring->model, "alice", one);
	has_other = model_folder_exists(ring->model, "alice", other);
	if (!has_one && !going)
		(void)model_folder_add(ring->model, "alice", one);
	else if (has_one && !has_other)
		rename_folder(ring, one, other);
	else if (has_one && strcmp(one, other) != 0 && model_rng_below(rng, 3) > 0)
		rename_swap(ring, one, other);
	else if (has_one && going && model_rng_below(rng, 3) == 0)
		(void)model_folder_delete(ring->model, "alice", one);
}

static void change_mail(struct ring *ring, uint64_t *rng)
{
	char name[8];

	random_name(rng, name);
	if (!model_folder_exists(ring->model, "alice", name))
		return;
	if (model_rng_below(rng, 4) == 0)
		(void)model_message_expunge(
			ring->model, "alice", name, 1 + model_rng_below(rng, 6));
	else
		random_letter(ring, name, rng);
}

static void give_one_uidvalidity(struct ring *ring)
{
	CLEANUP(model_snapshot_freep)
	struct model_snapshot *now = model_snapshot(ring->model, "alice");

	for (size_t i = 0; i < now->count; i++)
		model_folder_numbers(
			ring->model, "alice", now->folders[i].name, ONE_UIDVALIDITY, 0, 0);
}

/* Two folders with equal counts that swapped names are told apart once they change. */
static void change_all(struct ring *ring, uint64_t *rng)
{
	for (unsigned i = 0; i < NAMES; i++) {
		char name[8];

		(void)snprintf(name, sizeof(name), "n%u", i);
		if (model_folder_exists(ring->model, "alice", name))
			random_letter(ring, name, rng);
	}
}

static void shuffle_and_follow(const struct model_profile *profile, uint64_t seed)
{
	CLEANUP(freep) char *words = str_printf("one-%s-%u", profile->name, (unsigned)seed);
	CLEANUP(ring_freep) struct ring *ring = ring_new(profile, 0, words);

	for (int round = 0; round < SAME_ROUNDS; round++) {
		CLEANUP(rename_state_free) struct rename_state state;

		for (int i = 0; i < SAME_STEPS; i++) {
			change_mail(ring, &seed);
			shuffle(ring, &seed, round % 2);
			change_mail(ring, &seed);
		}
		give_one_uidvalidity(ring);
		change_all(ring, &seed);
		rename_mirror(ring, words, &state);
	}
	rename_check_archive(ring);
}

static void no_uid_has_the_message_of_another(void)
{
	for (uint64_t seed = 0; seed < SAME_SEEDS; seed++)
		shuffle_and_follow(seed % 2 ? &model_profile_full : &model_profile_plain, seed);
}

int main(int argc, char **argv)
{
	static const struct promise promises[] = {
		PROMISE(ids_persist_through_any_life),
		PROMISE(no_uid_has_the_message_of_another),
	};

	return check_main(argc, argv, promises, ARRAY_LEN(promises));
}
