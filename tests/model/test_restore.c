/* Restores to servers of several kinds: complete, repeated, interrupted, and without a journal. */
#include <string.h>

#include "base/fs.h"
#include "model/restore_world.h"
#include "support/check.h"

static const char alice[] = "alice";

static const struct model_profile *const profiles[] = {&model_profile_full, &model_profile_plain,
	&model_profile_condstore, &model_profile_courier, &model_profile_odd};

static void every_kind_of_server_gets_all_of_it_once(void)
{
	for (size_t i = 0; i < ARRAY_LEN(profiles); i++) {
		CLEANUP(world_freep) struct world *world = world_new(profiles[i], 0);

		world->verify = RESTORE_VERIFY_FULL;
		world_restore(world);
		CHECK_STR(world->said, "");
		CHECK_INT(world->summary.planned, WORLD_LETTERS);
		CHECK_INT(world_outcomes(world, OUTCOME_EXACT), WORLD_LETTERS);
		CHECK_INT(world->summary.verified.compared, WORLD_LETTERS);
		CHECK(world->summary.sound);
		CHECK_INT(world->summary.folders_failed, 0);
		world_check_exact(world, profiles[i] == &model_profile_courier);
		world->verify = RESTORE_VERIFY_NONE;
		world_check_idempotent(world);
	}
}

static void folders_are_made_subscribed_and_marked(void)
{
	CLEANUP(world_freep) struct world *world = world_new(&model_profile_full, 0);
	CLEANUP(model_snapshot_freep) struct model_snapshot *snapshot = NULL;

	world_restore(world);
	snapshot = model_snapshot(world->model, alice);
	CHECK_INT(world->summary.folders_created, 5);
	CHECK(model_snapshot_folder(snapshot, "Empty") != NULL);
	CHECK(model_snapshot_folder(snapshot, "Work")->subscribed);
	CHECK(!model_snapshot_folder(snapshot, "Work/Deep")->subscribed);
	CHECK_STR(model_snapshot_folder(snapshot, "Gesendet")->special_use, "\\Sent");
}

static void special_use_goes_where_the_target_has_it(void)
{
	CLEANUP(world_freep) struct world *world = world_new(&model_profile_full, 0);
	CLEANUP(model_snapshot_freep) struct model_snapshot *snapshot = NULL;

	model_folder_add(world->model, alice, "Sent Items");
	model_folder_special_use(world->model, alice, "Sent Items", "\\Sent");
	world_restore(world);
	snapshot = model_snapshot(world->model, alice);
	CHECK_INT(model_snapshot_folder(snapshot, "Sent Items")->count, 1);
	CHECK(!model_snapshot_folder(snapshot, "Gesendet"));
}

static void bodies_are_not_fetched_when_the_journal_knows(void)
{
	CLEANUP(world_freep) struct world *world = world_new(&model_profile_full, 0);
	struct model_stats before, after;

	world_restore(world);
	model_stats(world->model, &before);
	world_restore(world);
	model_stats(world->model, &after);
	CHECK_INT(after.bodies, before.bodies);
}

static void keywords_refused_in_append_are_stored(void)
{
	CLEANUP(world_freep)
	struct world *world = world_new(&model_profile_full, MODEL_QUIRK_APPEND_NO_KEYWORDS);

	world_restore(world);
	CHECK_INT(world_outcomes(world, OUTCOME_EXACT), WORLD_LETTERS);
	world_check_exact(world, false);
	world_check_idempotent(world);
}

static void keywords_the_server_will_not_have_are_told(void)
{
	CLEANUP(world_freep)
	struct world *world = world_new(&model_profile_full, MODEL_QUIRK_NO_NEW_KEYWORDS);

	world_restore(world);
	CHECK_INT(world_outcomes(world, OUTCOME_NORMALISED), 2);
	CHECK_INT(world_outcomes(world, OUTCOME_EXACT), WORLD_LETTERS - 2);
	CHECK(strstr(world->said, "flags lost: $Forwarded Important\n"));
	CHECK(strstr(world->said, "flags lost: Todo\n"));
	world_check_idempotent(world);
}

static void refused_dates_are_left_out_and_told(void)
{
	CLEANUP(world_freep)
	struct world *world = world_new(&model_profile_full, MODEL_QUIRK_APPEND_NO_DATE);

	world_restore(world);
	CHECK_INT(world_outcomes(world, OUTCOME_NORMALISED), OTHER_DATES);
	CHECK(strstr(world->said, "instead of 2001-01-01T00:00:00Z"));
	CHECK(strstr(world->said, "refused with its date: "));
	world_check_idempotent(world);
}

static void ignored_dates_are_told(void)
{
	CLEANUP(world_freep)
	struct world *world = world_new(&model_profile_plain, MODEL_QUIRK_APPEND_IGNORES_DATE);

	world_restore(world);
	CHECK_INT(world_outcomes(world, OUTCOME_NORMALISED), OTHER_DATES);
	world_check_idempotent(world);
}

static void rewritten_bytes_are_told_and_known_again(void)
{
	CLEANUP(world_freep)
	struct world *world = world_new(&model_profile_full, MODEL_QUIRK_APPEND_MUNGES_8BIT);

	world_restore(world);
	CHECK_INT(world_outcomes(world, OUTCOME_NORMALISED), 1);
	CHECK(strstr(world->said, "line ends, NUL or 8-bit bytes changed"));
	world_check_idempotent(world);
}

static void flags_told_unasked_while_matching_are_taken(void)
{
	CLEANUP(world_freep)
	struct world *world = world_new(&model_profile_full,
		MODEL_QUIRK_UNSOLICITED_FETCH | MODEL_QUIRK_APPEND_MUNGES_8BIT);

	world_restore(world);
	world_forget(world); /* the next run fetches bodies to recognise the messages */
	world_check_idempotent(world);
}

static void sizes_that_lie_deceive_nobody(void)
{
	CLEANUP(world_freep)
	struct world *world = world_new(&model_profile_full, MODEL_QUIRK_WRONG_SIZE);

	world_restore(world);
	CHECK_INT(world_outcomes(world, OUTCOME_EXACT), WORLD_LETTERS);
	world_check_exact(world, false);
	world_check_idempotent(world);
}

static void an_emptied_server_is_filled_again(void)
{
	CLEANUP(world_freep) struct world *world = world_new(&model_profile_full, 0);
	CLEANUP(model_snapshot_freep) struct model_snapshot *snapshot = NULL;

	world_restore(world);
	snapshot = model_snapshot(world->model, alice);
	for (size_t i = 0; i < snapshot->count; i++)
		for (size_t k = 0; k < snapshot->folders[i].count; k++)
			model_message_expunge(world->model, alice, snapshot->folders[i].name,
				snapshot->folders[i].messages[k].uid);
	world_restore(world);
	CHECK_INT(world_outcomes(world, OUTCOME_EXACT), WORLD_LETTERS);
	world_check_exact(world, false);
}

static void a_folder_that_is_replaced_gets_nothing_twice(void)
{
	CLEANUP(world_freep) struct world *world = world_new(&model_profile_full, 0);

	world_restore(world);
	model_folder_reset(world->model, alice, "INBOX");
	world_restore(world);
	CHECK_INT(world_outcomes(world, OUTCOME_ALREADY_THERE), WORLD_LETTERS);
	world_check_exact(world, false);
}

static void mail_of_others_stays_and_is_not_taken_for_ours(void)
{
	CLEANUP(world_freep) struct world *world = world_new(&model_profile_full, 0);
	const struct model_letter foreign = {.bytes = "Subject: foreign\r\n\r\nbody\r\n"};
	/* as long as one of ours */
	const struct model_letter twin = {
		.bytes = "From: a@example.org\r\nMessage-ID: <1@example.org>\r\n\r\nhallo\r\n"};

	model_message_add(world->model, alice, "INBOX", &foreign);
	model_message_add(world->model, alice, "INBOX", &twin);
	world_restore(world);
	CHECK_INT(world_outcomes(world, OUTCOME_EXACT), WORLD_LETTERS);
	CHECK_INT(world_messages(world), WORLD_LETTERS + 2);
}

static void a_dry_run_changes_nothing(void)
{
	CLEANUP(world_freep) struct world *world = world_new(&model_profile_full, 0);

	world->dry_run = true;
	world_restore(world);
	CHECK_INT(world->summary.planned, WORLD_LETTERS);
	CHECK_INT(world_sum(world), WORLD_LETTERS);
	CHECK_INT(world_messages(world), 0);
	CHECK(!model_folder_exists(world->model, alice, "Work"));
}

static void refusals_are_told_and_the_folder_goes_on(void)
{
	CLEANUP(world_freep) struct world *world = world_new(&model_profile_full, 0);

	/* the sixth message of INBOX: sent without keywords, first with its date and then without
	 */
	model_answer_next(world->model, "APPEND", 5, "NO I do not like it");
	world_restore(world);
	CHECK_INT(world_sum(world), WORLD_LETTERS);
	CHECK_INT(world_messages(world), WORLD_LETTERS);
	CHECK_INT(world_outcomes(world, OUTCOME_REFUSED), 0);
	CHECK_INT(world_outcomes(world, OUTCOME_NORMALISED), 1);
}

static void too_big_is_not_offered_again(void)
{
	CLEANUP(world_freep) struct world *world = world_new(&model_profile_full, 0);

	model_answer_next(world->model, "APPEND", 5, "NO [TOOBIG] not that");
	world_restore(world);
	CHECK_INT(world_outcomes(world, OUTCOME_REFUSED), 1);
	CHECK_INT(world_outcomes(world, OUTCOME_EXACT), WORLD_LETTERS - 1);
	CHECK(strstr(world->said, "refused: not that\n"));
	world_restore(world);
	CHECK_INT(world_outcomes(world, OUTCOME_EXACT), 1);
	world_check_exact(world, false);
}

/* The run ends with the connection, as by SIGKILL; the next one has its journal or not. */
static void a_run_that_dies_is_completed_by_the_next(void)
{
	bool fired = true;

	for (uint64_t after = 500; fired; after += after < 9000 ? 611 : 40000) {
		struct model_cut cut = {
			.way = MODEL_FROM_CLIENT, .after_bytes = after, .end = MODEL_FIN};
		CLEANUP(world_freep) struct world *world = world_new(&model_profile_full, 0);
		struct err err = ERR_INIT;

		world->connects_left = 1;
		model_cut_arm(world->model, &cut);
		fired = !world_try_restore(world, &err);
		CHECK(!fired || err.kind == ERR_AUTH);
		world->connects_left = UINT32_MAX;
		if (after % 2)
			world_forget(world);
		world_restore(world);
		world_check_exact(world, false);
		world_check_idempotent(world);
	}
}

static void a_server_that_stays_away_is_given_up(void)
{
	CLEANUP(world_freep) struct world *world = world_new(&model_profile_full, 0);
	struct err err = ERR_INIT;

	world->port = model_listen(world->model);
	model_unlisten(world->model);
	CHECK(!world_try_restore(world, &err));
	CHECK_INT(err.kind, ERR_RETRY);
}

int main(int argc, char **argv)
{
	static const struct promise promises[] = {
		PROMISE(every_kind_of_server_gets_all_of_it_once),
		PROMISE(folders_are_made_subscribed_and_marked),
		PROMISE(special_use_goes_where_the_target_has_it),
		PROMISE(bodies_are_not_fetched_when_the_journal_knows),
		PROMISE(keywords_refused_in_append_are_stored),
		PROMISE(keywords_the_server_will_not_have_are_told),
		PROMISE(refused_dates_are_left_out_and_told),
		PROMISE(ignored_dates_are_told),
		PROMISE(rewritten_bytes_are_told_and_known_again),
		PROMISE(flags_told_unasked_while_matching_are_taken),
		PROMISE(sizes_that_lie_deceive_nobody),
		PROMISE(an_emptied_server_is_filled_again),
		PROMISE(a_folder_that_is_replaced_gets_nothing_twice),
		PROMISE(mail_of_others_stays_and_is_not_taken_for_ours),
		PROMISE(a_dry_run_changes_nothing),
		PROMISE(refusals_are_told_and_the_folder_goes_on),
		PROMISE(too_big_is_not_offered_again),
		PROMISE(a_run_that_dies_is_completed_by_the_next),
		PROMISE(a_server_that_stays_away_is_given_up),
	};

	return check_main(argc, argv, promises, ARRAY_LEN(promises));
}
