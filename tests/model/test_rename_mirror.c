/*
 * Folders that are renamed on the server are the same folders in the archive: their ids persist, no
 * body is fetched twice, and every UID has its own message.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "archive/archive.h"
#include "archive/check.h"
#include "base/alloc.h"
#include "base/buf.h"
#include "base/crypto.h"
#include "support/archive_fixture.h"
#include "support/check.h"
#include "support/files.h"
#include "support/ring.h"

enum {
	SEEDS = 6,
	ROUNDS = 12,
	STEPS = 12,
	SAME_SEEDS = 24,
	SAME_ROUNDS = 10,
	SAME_STEPS = 6,
	ONE_UIDVALIDITY = 7,
	FOLDERS_MAX = 64,
	NAMES = 7,
	WAIT_MS = 1000,
	HOUR_MS = 60 * 60 * 1000,
	LARGE = 1000,
	LETTER_MAX = 20000,
	TEXT_MAX = 4 * 1024 * 1024,
};

static const char alice[] = "alice";

/* --- what the archive has, and what the server has --- */

struct folder {
	int64_t id;
	char *name; /* on the wire */
};

struct state {
	struct ring *ring;
	struct folder folders[FOLDERS_MAX];
	size_t count;
	struct buf text;
};

static void state_free(struct state *state)
{
	for (size_t i = 0; i < state->count; i++)
		free(state->folders[i].name);
	buf_free(&state->text);
}

static bool hold_folder(void *context, const struct archive_folder *folder, struct err *err)
{
	struct state *state = context;

	(void)err;
	CHECK(state->count < FOLDERS_MAX);
	state->folders[state->count++] = (struct folder){folder->id, xstrdup(folder->wire_name)};
	return true;
}

static const char *name_of(const struct state *state, int64_t id)
{
	for (size_t i = 0; i < state->count; i++)
		if (state->folders[i].id == id)
			return state->folders[i].name;
	return "no folder";
}

static int64_t id_of(const struct state *state, const char *name)
{
	for (size_t i = 0; i < state->count; i++)
		if (strcmp(state->folders[i].name, name) == 0)
			return state->folders[i].id;
	return 0;
}

static void add_line(struct buf *text, const char *name, uint32_t uidvalidity, uint32_t uid,
	const char *flags, const uint8_t sha256[SHA256_BYTES])
{
	char hex[SHA256_HEX_MAX];

	sha256_hex(sha256, hex);
	CHECK(buf_printf(text, "%s %u %u (%s) %s\n", name, uidvalidity, uid, flags, hex));
}

static bool hold_entry(void *context, const struct archive_entry *entry, struct err *err)
{
	struct state *state = context;

	(void)err;
	add_line(&state->text, name_of(state, entry->folder_id), entry->uidvalidity, entry->uid,
		entry->flags, entry->sha256);
	return true;
}

static void read_archive(struct ring *ring, int64_t generation, struct state *state)
{
	CLEANUP(archive_freep) struct archive *archive = fixture_reader(ring->archive);
	const struct archive_list list = {.generation = generation};
	struct err err = ERR_INIT;

	*state = (struct state){.ring = ring, .text = BUF_INIT(TEXT_MAX)};
	CHECK_OK(archive_each_folder(archive, generation, hold_folder, state, &err));
	CHECK_OK(archive_each_entry(archive, &list, hold_entry, state, &err));
}

/* Folders in the archive's order, and each message fetched once at most. */
static void render_server(
	const struct model_snapshot *now, const struct state *order, struct buf *text)
{
	for (size_t i = 0; i < order->count; i++) {
		const struct model_folder *folder =
			model_snapshot_folder(now, order->folders[i].name);

		CHECK(folder);
		for (size_t k = 0; k < folder->count; k++) {
			const struct model_message *message = &folder->messages[k];
			uint8_t sha256[SHA256_BYTES];

			sha256_of(message->bytes, message->len, sha256);
			add_line(text, folder->name, folder->uidvalidity, message->uid,
				message->flags, sha256);
		}
	}
}

static void check_once(const struct model_snapshot *now, const char *words)
{
	for (size_t i = 0; i < now->count; i++)
		for (size_t k = 0; k < now->folders[i].count; k++)
			if (now->folders[i].messages[k].bodies_fetched > 1)
				check_fail(__FILE__, __LINE__, "%s: %s: uid %u was fetched again",
					words, now->folders[i].name,
					now->folders[i].messages[k].uid);
}

/* A pass; afterwards the archive has what the server has. The caller frees ret_state. */
static void mirror(struct ring *ring, const char *words, struct state *ret_state)
{
	CLEANUP(model_snapshot_freep) struct model_snapshot *now = NULL;
	CLEANUP(buf_free) struct buf wanted = BUF_INIT(TEXT_MAX);
	int64_t generation;
	struct err err = ERR_INIT;

	CHECK_OK(ring_mirror(ring, &generation, &err));
	now = model_snapshot(ring->model, alice);
	read_archive(ring, generation, ret_state);
	if (ret_state->count != now->count)
		check_fail(__FILE__, __LINE__, "%s: %zu folders instead of %zu", words,
			ret_state->count, now->count);
	render_server(now, ret_state, &wanted);
	if (strcmp(buf_str(&wanted), buf_str(&ret_state->text)) != 0)
		check_fail(__FILE__, __LINE__, "%s: the archive has\n%sinstead of\n%s", words,
			buf_str(&ret_state->text), buf_str(&wanted));
}

static bool find(void *context, const struct archive_finding *finding, struct err *err)
{
	(void)context;
	return err_set(err, ERR_CORRUPT, "%s: %s", finding->where, finding->what);
}

/* Another pass writes nothing, and the volumes make the same catalogue anew. */
static void check_archive(struct ring *ring)
{
	const struct archive_check check = {.read_percent = 100, .finding = find};
	struct archive_checked checked;
	CLEANUP(freep) char *before = files_digests(ring->archive);
	CLEANUP(freep) char *after = NULL;
	struct err err = ERR_INIT;

	ring->account.flag_scan_ms = HOUR_MS;
	CHECK_OK(ring_mirror(ring, NULL, &err));
	after = files_digests(ring->archive);
	CHECK_STR(after, before);
	CHECK_OK(archive_check(ring->archive, &check, WAIT_MS, &checked, &err));
	CHECK_INT(checked.errors, 0);
}

/* --- one rename --- */

static void add(struct ring *ring, const char *folder, const char *subject)
{
	CLEANUP(freep) char *text = str_printf("Subject: %s\r\n\r\nbody\r\n", subject);

	(void)model_message_add(ring->model, alice, folder, &(struct model_letter){.bytes = text});
}

static void rename_folder(struct ring *ring, const char *from, const char *to)
{
	CHECK(model_folder_rename(ring->model, alice, from, to));
}

static void swap(struct ring *ring, const char *a, const char *b)
{
	rename_folder(ring, a, "between");
	rename_folder(ring, b, a);
	rename_folder(ring, "between", b);
}

struct scene {
	struct ring *ring;
	struct state before, after;
	unsigned fetched; /* bodies, by the second pass */
};

static void scene_free(struct scene *scene)
{
	state_free(&scene->before);
	state_free(&scene->after);
	ring_freep(&scene->ring);
}

/* Folders A, B and a tree T, one message each, one UIDVALIDITY for all if that is given. */
static void set(struct scene *scene, const char *name, const struct model_profile *profile,
	uint32_t uidvalidity)
{
	static const char *const folders[] = {"A", "B", "T", "T/x", "T/x/deep", "T/y"};

	*scene = (struct scene){.ring = ring_new(profile, 0, name)};
	for (size_t i = 0; i < ARRAY_LEN(folders); i++) {
		(void)model_folder_add(scene->ring->model, alice, folders[i]);
		add(scene->ring, folders[i], folders[i]);
		model_folder_numbers(scene->ring->model, alice, folders[i], uidvalidity, 0, 0);
	}
	mirror(scene->ring, name, &scene->before);
}

static void play(struct scene *scene)
{
	unsigned before = ring_bodies(scene->ring);

	mirror(scene->ring, scene->ring->place, &scene->after);
	scene->fetched = ring_bodies(scene->ring) - before;
	check_archive(scene->ring);
}

static void check_became(const struct scene *scene, const char *from, const char *to)
{
	CHECK(id_of(&scene->before, from) != 0);
	CHECK_INT(id_of(&scene->after, to), id_of(&scene->before, from));
}

static void check_is_new(const struct scene *scene, const char *name)
{
	CHECK(id_of(&scene->after, name) != 0);
	CHECK_STR(name_of(&scene->before, id_of(&scene->after, name)), "no folder");
}

static void rename_a_tree(const struct model_profile *profile, uint32_t uidvalidity)
{
	CLEANUP(scene_free) struct scene scene;

	set(&scene, "tree", profile, uidvalidity);
	rename_folder(scene.ring, "T", "Office/2025");
	add(scene.ring, "Office/2025/x", "came meanwhile");
	(void)model_message_flags(scene.ring->model, alice, "Office/2025/y", 1, "\\Seen");
	play(&scene);
	CHECK_INT(scene.fetched, 1);
	check_became(&scene, "T", "Office/2025");
	check_became(&scene, "T/x", "Office/2025/x");
	check_became(&scene, "T/x/deep", "Office/2025/x/deep");
	check_became(&scene, "T/y", "Office/2025/y");
	check_is_new(&scene, "Office");
}

static void swap_names(const struct model_profile *profile, uint32_t uidvalidity)
{
	CLEANUP(scene_free) struct scene scene;

	set(&scene, "swap", profile, uidvalidity);
	swap(scene.ring, "A", "B");
	play(&scene);
	CHECK_INT(scene.fetched, 0);
	check_became(&scene, "A", "B");
	check_became(&scene, "B", "A");
}

static void new_under_the_old_name(const struct model_profile *profile, uint32_t uidvalidity)
{
	CLEANUP(scene_free) struct scene scene;

	set(&scene, "new", profile, uidvalidity);
	rename_folder(scene.ring, "A", "C");
	(void)model_folder_add(scene.ring->model, alice, "A");
	model_folder_numbers(scene.ring->model, alice, "A", uidvalidity, 0, 0);
	add(scene.ring, "A", "new");
	play(&scene);
	CHECK_INT(scene.fetched, 1);
	check_became(&scene, "A", "C");
	check_is_new(&scene, "A");
}

static void into_the_place_of_one_removed(const struct model_profile *profile, uint32_t uidvalidity)
{
	CLEANUP(scene_free) struct scene scene;

	set(&scene, "into", profile, uidvalidity);
	(void)model_folder_delete(scene.ring->model, alice, "B");
	rename_folder(scene.ring, "A", "B");
	play(&scene);
	CHECK_INT(scene.fetched, 0);
	check_became(&scene, "A", "B");
	CHECK_INT(id_of(&scene.after, "A"), 0);
}

static void remove_with_a_tree_below(const struct model_profile *profile, uint32_t uidvalidity)
{
	CLEANUP(scene_free) struct scene scene;

	set(&scene, "below", profile, uidvalidity);
	(void)model_folder_delete(scene.ring->model, alice, "T");
	play(&scene);
	CHECK_INT(scene.fetched, 0);
	check_became(&scene, "T/x", "T/x");
}

static struct model_profile odd_but_for_sizes(void)
{
	struct model_profile odd = model_profile_odd;

	odd.quirks &= ~(uint32_t)MODEL_QUIRK_WRONG_SIZE;
	return odd;
}

static void in_each_profile(
	void (*promise)(const struct model_profile *profile, uint32_t uidvalidity))
{
	const struct model_profile odd = odd_but_for_sizes();
	const struct model_profile *const profiles[] = {
		&model_profile_full, &model_profile_plain, &model_profile_condstore, &odd};

	for (size_t i = 0; i < ARRAY_LEN(profiles); i++) {
		promise(profiles[i], 0);
		promise(profiles[i], ONE_UIDVALIDITY);
	}
}

static void a_renamed_tree_keeps_its_ids_and_mail(void)
{
	in_each_profile(rename_a_tree);
}

static void two_folders_swap_their_names(void)
{
	in_each_profile(swap_names);
}

static void a_new_folder_has_the_old_name(void)
{
	in_each_profile(new_under_the_old_name);
}

static void a_folder_comes_in_the_place_of_one_removed(void)
{
	in_each_profile(into_the_place_of_one_removed);
}

static void mail_of_a_folder_removed_above_others_is_gone(void)
{
	in_each_profile(remove_with_a_tree_below);
}

/* Where sizes are not to be trusted a rename is doubtful: the folder is a new one. */
static void what_differs_in_size_is_another_folder(void)
{
	CLEANUP(scene_free) struct scene scene;

	set(&scene, "size", &model_profile_odd, 0);
	rename_folder(scene.ring, "A", "C");
	play(&scene);
	CHECK_INT(scene.fetched, 1);
	check_is_new(&scene, "C");
}

static void what_is_too_large_is_not_asked_for_under_another_name(void)
{
	CLEANUP(ring_freep) struct ring *ring = ring_new(&model_profile_full, 0, "large");
	CLEANUP(freep) char *subject = xcalloc(LARGE + 1, 1);
	struct err err = ERR_INIT;

	memset(subject, 'x', LARGE);
	add(ring, "Sent", subject);
	add(ring, "Sent", "small");
	ring->account.max_message_bytes = LARGE;
	CHECK_OK(ring_mirror(ring, NULL, &err));
	CHECK_INT(ring_bodies(ring), 2);
	rename_folder(ring, "Sent", "Sent before");
	add(ring, "Sent before", "new");
	CHECK_OK(ring_mirror(ring, NULL, &err));
	add(ring, "Sent before", "newer");
	CHECK_OK(ring_mirror(ring, NULL, &err));
	CHECK_INT(ring_bodies(ring), 4);
}

static void inbox_stays_when_it_is_renamed(void)
{
	CLEANUP(scene_free) struct scene scene;

	set(&scene, "inbox", &model_profile_full, 0);
	add(scene.ring, "INBOX", "in");
	rename_folder(scene.ring, "INBOX", "Old");
	play(&scene);
	check_became(&scene, "INBOX", "INBOX");
	check_is_new(&scene, "Old");
}

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

static void follow_lives(const struct model_snapshot *now, const struct state *state,
	const char *words, struct lives *lives)
{
	CLEANUP(freep) struct lives *before = xmalloc(sizeof(*before));

	*before = *lives;
	lives->count = 0;
	for (size_t i = 0; i < now->count; i++) {
		const struct model_folder *folder = &now->folders[i];
		const struct life *was = find_life(before, folder->id);
		struct life *life = &lives->items[lives->count++];

		*life = (struct life){folder->id, id_of(state, folder->name), {0}, 0};
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
	CLEANUP(ring_freep) struct ring *ring = ring_new(profile, 0, words);
	CLEANUP(freep) struct lives *lives = xcalloc(1, sizeof(*lives));

	/* the ring's own are not in every personal namespace */
	CHECK(model_folder_delete(ring->model, alice, "Sent"));
	CHECK(model_folder_delete(ring->model, alice, "Work/Deep"));
	(void)model_folder_delete(ring->model, alice, "Work");
	for (int round = 0; round < ROUNDS; round++) {
		CLEANUP(model_snapshot_freep) struct model_snapshot *now = NULL;
		CLEANUP(state_free) struct state state;

		for (int i = 0; i < STEPS; i++)
			(void)model_random_step(ring->model, alice, &seed);
		mirror(ring, words, &state);
		now = model_snapshot(ring->model, alice);
		check_once(now, words);
		follow_lives(now, &state, words, lives);
	}
	check_archive(ring);
}

static void ids_persist_through_any_life(void)
{
	const struct model_profile odd = odd_but_for_sizes();
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
	(void)model_message_add(ring->model, alice, folder,
		&(struct model_letter){.bytes = bytes.data,
			.len = bytes.len,
			.date = dates[model_rng_below(rng, 2)]});
}

/*
 * Folders come in one round and go in the next: one that was made and one that went between two
 * passes, of one name, UIDVALIDITY and equal numbers, are not told apart by anything.
 */
static void shuffle(struct ring *ring, uint64_t *rng, bool going)
{
	char one[8], other[8];
	bool has_one, has_other;

	random_name(rng, one);
	random_name(rng, other);
	has_one = model_folder_exists(ring->model, alice, one);
	has_other = model_folder_exists(ring->model, alice, other);
	if (!has_one && !going)
		(void)model_folder_add(ring->model, alice, one);
	else if (has_one && !has_other)
		rename_folder(ring, one, other);
	else if (has_one && strcmp(one, other) != 0 && model_rng_below(rng, 3) > 0)
		swap(ring, one, other);
	else if (has_one && going && model_rng_below(rng, 3) == 0)
		(void)model_folder_delete(ring->model, alice, one);
}

static void change_mail(struct ring *ring, uint64_t *rng)
{
	char name[8];

	random_name(rng, name);
	if (!model_folder_exists(ring->model, alice, name))
		return;
	if (model_rng_below(rng, 4) == 0)
		(void)model_message_expunge(ring->model, alice, name, 1 + model_rng_below(rng, 6));
	else
		random_letter(ring, name, rng);
}

static void give_one_uidvalidity(struct ring *ring)
{
	CLEANUP(model_snapshot_freep)
	struct model_snapshot *now = model_snapshot(ring->model, alice);

	for (size_t i = 0; i < now->count; i++)
		model_folder_numbers(
			ring->model, alice, now->folders[i].name, ONE_UIDVALIDITY, 0, 0);
}

static void shuffle_and_follow(const struct model_profile *profile, uint64_t seed)
{
	CLEANUP(freep) char *words = str_printf("one-%s-%u", profile->name, (unsigned)seed);
	CLEANUP(ring_freep) struct ring *ring = ring_new(profile, 0, words);

	for (int round = 0; round < SAME_ROUNDS; round++) {
		CLEANUP(state_free) struct state state;

		for (int i = 0; i < SAME_STEPS; i++) {
			change_mail(ring, &seed);
			shuffle(ring, &seed, round % 2);
			change_mail(ring, &seed);
		}
		give_one_uidvalidity(ring);
		mirror(ring, words, &state);
	}
	check_archive(ring);
}

static void no_uid_has_the_message_of_another(void)
{
	for (uint64_t seed = 0; seed < SAME_SEEDS; seed++)
		shuffle_and_follow(seed % 2 ? &model_profile_full : &model_profile_plain, seed);
}

int main(int argc, char **argv)
{
	static const struct promise promises[] = {
		PROMISE(a_renamed_tree_keeps_its_ids_and_mail),
		PROMISE(two_folders_swap_their_names),
		PROMISE(a_new_folder_has_the_old_name),
		PROMISE(a_folder_comes_in_the_place_of_one_removed),
		PROMISE(mail_of_a_folder_removed_above_others_is_gone),
		PROMISE(what_differs_in_size_is_another_folder),
		PROMISE(what_is_too_large_is_not_asked_for_under_another_name),
		PROMISE(inbox_stays_when_it_is_renamed),
		PROMISE(ids_persist_through_any_life),
		PROMISE(no_uid_has_the_message_of_another),
	};

	return check_main(argc, argv, promises, ARRAY_LEN(promises));
}
