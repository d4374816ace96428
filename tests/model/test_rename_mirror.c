/*
 * Folders that are renamed on the server are the same folders in the archive: their ids persist and
 * no body is fetched twice.
 */
#include <string.h>

#include "base/alloc.h"
#include "base/str.h"
#include "model/rename_world.h"
#include "support/check.h"

enum { ONE_UIDVALIDITY = 7, LARGE = 1000, MUCH = 90 * 1000, MUCH_COUNT = 80 };

/* --- one rename --- */

static void add(struct ring *ring, const char *folder, const char *subject)
{
	CLEANUP(freep) char *text = str_printf("Subject: %s\r\n\r\nbody\r\n", subject);

	(void)model_message_add(
		ring->model, "alice", folder, &(struct model_letter){.bytes = text});
}

struct scene {
	struct ring *ring;
	struct rename_state before, after;
	unsigned fetched; /* bodies, by the second pass */
};

static void scene_free(struct scene *scene)
{
	rename_state_free(&scene->before);
	rename_state_free(&scene->after);
	ring_freep(&scene->ring);
}

/* Folders A, B and a tree T with one message each; all with this UIDVALIDITY if it is given. */
static void set(struct scene *scene, const char *name, const struct model_profile *profile,
	uint32_t uidvalidity)
{
	static const char *const folders[] = {"A", "B", "T", "T/x", "T/x/deep", "T/y"};

	*scene = (struct scene){.ring = ring_new(profile, 0, name)};
	for (size_t i = 0; i < ARRAY_LEN(folders); i++) {
		(void)model_folder_add(scene->ring->model, "alice", folders[i]);
		add(scene->ring, folders[i], folders[i]);
		model_folder_numbers(scene->ring->model, "alice", folders[i], uidvalidity, 0, 0);
	}
	rename_mirror(scene->ring, name, &scene->before);
}

static void play(struct scene *scene)
{
	unsigned before = ring_bodies(scene->ring);

	rename_mirror(scene->ring, scene->ring->place, &scene->after);
	scene->fetched = ring_bodies(scene->ring) - before;
	rename_check_archive(scene->ring);
}

static void check_became(const struct scene *scene, const char *from, const char *to)
{
	CHECK(rename_id_of(&scene->before, from) != 0);
	CHECK_INT(rename_id_of(&scene->after, to), rename_id_of(&scene->before, from));
}

static void check_is_new(const struct scene *scene, const char *name)
{
	CHECK(rename_id_of(&scene->after, name) != 0);
	CHECK_STR(rename_name_of(&scene->before, rename_id_of(&scene->after, name)), "no folder");
}

static void rename_a_tree(const struct model_profile *profile, uint32_t uidvalidity)
{
	CLEANUP(scene_free) struct scene scene;

	set(&scene, "tree", profile, uidvalidity);
	rename_folder(scene.ring, "T", "Office/2025");
	add(scene.ring, "Office/2025/x", "came meanwhile");
	(void)model_message_flags(scene.ring->model, "alice", "Office/2025/y", 1, "\\Seen");
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
	rename_swap(scene.ring, "A", "B");
	add(scene.ring, "A", "tells them apart where their numbers are equal");
	play(&scene);
	CHECK_INT(scene.fetched, 1);
	check_became(&scene, "A", "B");
	check_became(&scene, "B", "A");
}

static void new_under_the_old_name(const struct model_profile *profile, uint32_t uidvalidity)
{
	CLEANUP(scene_free) struct scene scene;

	set(&scene, "new", profile, uidvalidity);
	rename_folder(scene.ring, "A", "C");
	(void)model_folder_add(scene.ring->model, "alice", "A");
	model_folder_numbers(scene.ring->model, "alice", "A", uidvalidity, 0, 0);
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
	(void)model_folder_delete(scene.ring->model, "alice", "B");
	rename_folder(scene.ring, "A", "B");
	play(&scene);
	CHECK_INT(scene.fetched, 0);
	check_became(&scene, "A", "B");
	CHECK_INT(rename_id_of(&scene.after, "A"), 0);
}

static void remove_with_a_tree_below(const struct model_profile *profile, uint32_t uidvalidity)
{
	CLEANUP(scene_free) struct scene scene;

	set(&scene, "below", profile, uidvalidity);
	(void)model_folder_delete(scene.ring->model, "alice", "T");
	play(&scene);
	CHECK_INT(scene.fetched, 0);
	check_became(&scene, "T/x", "T/x");
}

static void in_each_profile(
	void (*promise)(const struct model_profile *profile, uint32_t uidvalidity))
{
	const struct model_profile odd = rename_odd_profile();
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

/* Where sizes cannot be trusted, a rename is doubtful and counts as a new folder. */
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

/* More messages than one commit holds, in two folders. */
static void add_much(struct ring *ring, const char *folder)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	CLEANUP(freep) char *text = xcalloc(MUCH + 1, 1);
	uint64_t rng = (uint64_t)folder[0];

	for (int i = 0; i < MUCH_COUNT; i++) {
		for (size_t k = 0; k < MUCH; k++)
			text[k] = digits[model_rng_below(&rng, 64)];
		add(ring, folder, text);
	}
}

static void what_is_too_large_stays_noted_when_a_pass_over_a_renamed_folder_is_cut(void)
{
	const struct model_cut cut = {
		.way = MODEL_TO_CLIENT, .after_bytes = MUCH_COUNT * MUCH * 3 / 2, .end = MODEL_FIN};
	CLEANUP(ring_freep) struct ring *ring = ring_new(&model_profile_full, 0, "cut");
	CLEANUP(freep) char *subject = xcalloc(2 * MUCH + 1, 1);
	struct err err = ERR_INIT;

	memset(subject, 'x', 2 * MUCH);
	add(ring, "Sent", subject);
	ring->account.max_message_bytes = 2 * MUCH;
	CHECK_OK(ring_mirror(ring, NULL, &err));
	rename_folder(ring, "Sent", "Sent before");
	add_much(ring, "INBOX");
	add_much(ring, "Work/Deep");
	model_cut_arm(ring->model, &cut);
	CHECK(!ring_mirror(ring, NULL, &err));
	CHECK(model_cut_fired(ring->model));
	err_clear(&err);
	CHECK_OK(ring_mirror(ring, NULL, &err));
	ring->account.max_message_bytes = 3 * MUCH;
	CHECK_OK(ring_mirror(ring, NULL, &err));
	/* fetched again, since the match was no longer certain */
	CHECK_INT(model_bodies_fetched(ring->model, "alice", "Sent before", 1), 3);
	CHECK_OK(ring_mirror(ring, NULL, &err));
	CHECK_INT(model_bodies_fetched(ring->model, "alice", "Sent before", 1), 3);
}

static unsigned examines(const struct ring *ring)
{
	struct model_stats stats;

	model_stats(ring->model, &stats);
	return stats.examines;
}

/* Six folders with one UIDVALIDITY, and another that the server does not open. */
static void a_folder_that_is_refused_has_no_others_looked_at_in_every_pass(void)
{
	CLEANUP(scene_free) struct scene scene;
	unsigned before = 0;

	set(&scene, "refused", &model_profile_full, ONE_UIDVALIDITY);
	(void)model_folder_add(scene.ring->model, "alice", "Z");
	add(scene.ring, "Z", "closed");
	model_folder_numbers(scene.ring->model, "alice", "Z", ONE_UIDVALIDITY, 0, 0);
	for (int i = 0; i < 3; i++) {
		struct err err = ERR_INIT;

		before = examines(scene.ring);
		/* the six are compared when it appears */
		model_answer_next(
			scene.ring->model, "EXAMINE", i == 0 ? 6 : 0, "NO [NOPERM] closed");
		CHECK(!ring_mirror(scene.ring, NULL, &err));
		err_clear(&err);
	}
	CHECK_INT(examines(scene.ring) - before, 0); /* refused commands are not counted */
}

/* The only message of Z is refused: Z holds none and has no mark. */
static void an_empty_folder_that_is_owed_mail_has_no_others_looked_at_in_every_pass(void)
{
	CLEANUP(scene_free) struct scene scene;
	unsigned before = 0;

	set(&scene, "owed", &model_profile_full, ONE_UIDVALIDITY);
	(void)model_folder_add(scene.ring->model, "alice", "Z");
	add(scene.ring, "Z", "closed");
	model_message_odd(scene.ring->model, "alice", "Z", 1, MODEL_ODD_REFUSED);
	model_folder_numbers(scene.ring->model, "alice", "Z", ONE_UIDVALIDITY, 0, 0);
	for (int i = 0; i < 3; i++) {
		struct err err = ERR_INIT;

		before = examines(scene.ring);
		CHECK(!ring_mirror(scene.ring, NULL, &err));
		err_clear(&err);
	}
	CHECK_INT(examines(scene.ring) - before, 1);
}

static void what_is_too_large_stays_noted_when_the_folder_it_replaced_is_closed_later(void)
{
	const struct model_cut cut = {
		.way = MODEL_TO_CLIENT, .after_bytes = MUCH_COUNT * MUCH * 3 / 2, .end = MODEL_FIN};
	CLEANUP(ring_freep) struct ring *ring = ring_new(&model_profile_full, 0, "cut2");
	CLEANUP(freep) char *subject = xcalloc(2 * MUCH + 1, 1);
	struct err err = ERR_INIT;

	memset(subject, 'x', 2 * MUCH);
	(void)model_folder_add(ring->model, "alice", "Y");
	(void)model_folder_add(ring->model, "alice", "Z");
	add(ring, "Sent", "old");
	add(ring, "Work/Deep", "small");
	ring->account.max_message_bytes = 2 * MUCH;
	CHECK_OK(ring_mirror(ring, NULL, &err));
	(void)model_folder_delete(ring->model, "alice", "Sent");
	rename_folder(ring, "Work/Deep", "Sent");
	add(ring, "Sent", subject);
	add_much(ring, "Y");
	add_much(ring, "Z");
	model_cut_arm(ring->model, &cut);
	CHECK(!ring_mirror(ring, NULL, &err));
	CHECK(model_cut_fired(ring->model));
	err_clear(&err);
	CHECK_INT(model_bodies_fetched(ring->model, "alice", "Sent", 2), 1);
	CHECK_OK(ring_mirror(ring, NULL, &err));
	/* fetched again, since it might belong to the other folder */
	CHECK_INT(model_bodies_fetched(ring->model, "alice", "Sent", 2), 2);
	ring->account.max_message_bytes = 3 * MUCH;
	CHECK_OK(ring_mirror(ring, NULL, &err));
	CHECK_INT(model_bodies_fetched(ring->model, "alice", "Sent", 2), 3);
	CHECK_OK(ring_mirror(ring, NULL, &err));
	CHECK_INT(model_bodies_fetched(ring->model, "alice", "Sent", 2), 3);
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
		PROMISE(what_is_too_large_stays_noted_when_a_pass_over_a_renamed_folder_is_cut),
		PROMISE(a_folder_that_is_refused_has_no_others_looked_at_in_every_pass),
		PROMISE(an_empty_folder_that_is_owed_mail_has_no_others_looked_at_in_every_pass),
		PROMISE(what_is_too_large_stays_noted_when_the_folder_it_replaced_is_closed_later),
		PROMISE(inbox_stays_when_it_is_renamed),
	};

	return check_main(argc, argv, promises, ARRAY_LEN(promises));
}
