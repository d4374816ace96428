#include "restore/upload/restore.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "restore/upload/present.h"
#include "restore/upload/survey.h"
#include "restore/upload/target_folders.h"
#include "restore/upload/upload.h"
#include "restore/upload/verify.h"

/* A restore in progress. */
struct restoring {
	const struct restore *restore;
	const struct restore_watcher *watcher;
	struct survey survey;
	struct target_folder *made; /* for each place of the map */
	bool may_write;             /* the plan was shown and consented to, and is no dry run */
	struct upload_lessons lessons;
	struct restore_summary *summary;
	uint64_t done, done_bytes; /* of the messages that were not there */
};

static const char *source_path(const struct restoring *run, const struct item *item)
{
	return run->survey.sources[item->source].path;
}

/* --- counting --- */

static void count_item(struct restoring *run, const struct item *item)
{
	const struct restore_watcher *watcher = run->watcher;

	assert(item->outcome != OUTCOME_NONE);
	assert(item->outcome != OUTCOME_EXACT || item->compared);
	run->summary->outcomes[item->outcome]++;
	if (item->outcome == OUTCOME_EXACT || item->outcome == OUTCOME_ALREADY_THERE)
		return;
	if (watcher->message)
		watcher->message(watcher->context, source_path(run, item), item->uid, item->outcome,
			item->detail ? item->detail : "");
}

static void count_items(struct restoring *run, struct items *items, const char *why_not)
{
	for (size_t i = 0; i < items->count; i++) {
		item_decide(&items->items[i], OUTCOME_SKIPPED, why_not);
		count_item(run, &items->items[i]);
	}
}

static void send_note(const struct restoring *run, const char *folder, const char *text)
{
	if (text && run->watcher->note)
		run->watcher->note(run->watcher->context, folder, text);
}

/* --- the plan --- */

static bool ask_consent(struct restoring *run)
{
	const struct survey *survey = &run->survey;
	CLEANUP(freep)
	struct restore_folder *folders = xcalloc(survey->count + 1, sizeof(*folders));
	size_t count = 0;

	for (size_t i = 0; i < survey->count; i++) {
		const struct survey_source *source = &survey->sources[i];
		size_t at = survey->map.place_of[i];
		const struct map_place *place =
			at < survey->map.count ? &survey->map.places[at] : NULL;

		if (!source->wanted || at == MAP_LEFT_OUT || (!place && source->messages == 0) ||
			(place && !survey_wants_place(survey, at)))
			continue;
		folders[count++] = (struct restore_folder){
			.path = source->path,
			.target_path = place ? place->path : NULL,
			.is_new = place && place->target == MAP_NONE,
			.messages = source->messages,
			.bytes = source->bytes,
			.there = source->there,
			.there_bytes = source->there_bytes,
			.note = place ? place->note : NULL,
		};
	}
	return !run->watcher->consent ||
	       run->watcher->consent(run->watcher->context, folders, count);
}

/* --- folder by folder --- */

static void item_done(void *context, const struct item *item)
{
	struct restoring *run = context;
	const struct restore_watcher *watcher = run->watcher;

	if (item->outcome == OUTCOME_ALREADY_THERE)
		return;
	run->done++;
	run->done_bytes += item->size;
	if (watcher->progress)
		watcher->progress(watcher->context, run->done, run->done_bytes);
}

static bool verify_place(
	struct restoring *run, const struct map_place *place, struct items *items, struct err *err)
{
	const struct restore *restore = run->restore;
	const struct verify_ask ask = {
		.target = restore->target,
		.archive = restore->archive,
		.wire_name = place->wire_name,
		.bytes = restore->verify == RESTORE_VERIFY_FULL ? COMPARE_ALL : COMPARE_SAMPLE,
		.sources = run->survey.sources,
		.watcher = run->watcher,
	};

	return restore->verify == RESTORE_VERIFY_NONE ||
	       verify_folder(&ask, items, run->summary, err);
}

static bool upload_items(struct restoring *run, size_t index, struct items *items, struct err *err)
{
	const struct restore *restore = run->restore;
	const struct map_place *place = &run->survey.map.places[index];
	const struct upload upload = {
		.target = restore->target,
		.archive = restore->archive,
		.ref = restore->ref,
		.journal = restore->journal,
		.wire_name = place->wire_name,
		.items = items,
		.lessons = &run->lessons,
		.done = item_done,
		.context = run,
	};

	assert(run->may_write);
	if (items->count == 0)
		return true;
	if (run->made[index].failure) {
		count_items(run, items, run->made[index].failure);
		return true;
	}
	if (!upload_folder(&upload, err) || !verify_place(run, place, items, err)) {
		(void)err_wrap(err, "%s", place->path);
		count_items(run, items, err->text);
		return false;
	}
	count_items(run, items, NULL);
	return true;
}

static bool restore_place(struct restoring *run, size_t index, struct err *err)
{
	struct items items = {0};
	bool fine = survey_load(&run->survey, index, &items, err) &&
		    upload_items(run, index, &items, err);

	items_free(&items);
	return fine;
}

/* Reports every planned message of a place that the run did not reach. */
static void skip_place(struct restoring *run, size_t index, const char *why)
{
	struct items items = {0};
	struct err err = ERR_INIT;

	if (survey_load(&run->survey, index, &items, &err))
		count_items(run, &items, why);
	items_free(&items);
}

static void count_folders(struct restoring *run)
{
	for (size_t i = 0; i < run->survey.map.count; i++) {
		const struct target_folder *made = &run->made[i];

		run->summary->folders_created += made->created;
		run->summary->folders_failed += made->failure || made->warning;
		send_note(run, run->survey.map.places[i].path, made->renamed);
		send_note(run, run->survey.map.places[i].path, made->failure);
		send_note(run, run->survey.map.places[i].path, made->warning);
	}
}

static bool create_folders(struct restoring *run, struct err *err)
{
	struct survey *survey = &run->survey;
	bool fine;

	assert(run->may_write);
	run->made = xcalloc(survey->map.count + 1, sizeof(*run->made));
	for (size_t i = 0; i < survey->map.count; i++)
		run->made[i].wanted = survey_wants_place(survey, i);
	fine = target_folders_make(run->restore->target, &survey->map, run->made, err);
	count_folders(run);
	return fine;
}

/*
 * Each folder's last changes of the journal are committed before the next folder. A crash before
 * that loses hints only: upload.c committed the pending rows before it sent their messages.
 */
static bool restore_places(struct restoring *run, struct err *err)
{
	bool fine = create_folders(run, err);
	size_t at = 0;

	while (fine && at < run->survey.map.count) {
		fine = restore_place(run, at++, err);
		if (fine && run->restore->journal)
			fine = restore_journal_commit(run->restore->journal, err);
	}
	for (; at < run->survey.map.count; at++)
		skip_place(run, at, err->text);
	return fine;
}

/* --- the whole restore --- */

static void count_as_skipped(struct restoring *run)
{
	for (size_t i = 0; i < run->survey.count; i++)
		run->summary->outcomes[OUTCOME_ALREADY_THERE] += run->survey.sources[i].there;
	run->summary->outcomes[OUTCOME_SKIPPED] =
		run->summary->planned - run->summary->outcomes[OUTCOME_ALREADY_THERE];
}

static bool carry_out(struct restoring *run, struct err *err)
{
	for (size_t i = 0; i < run->survey.count; i++)
		if (run->survey.map.place_of[i] != MAP_LEFT_OUT)
			run->summary->planned += run->survey.sources[i].messages;
	for (size_t i = 0; i < run->survey.problems.count; i++)
		send_note(run, "", run->survey.problems.items[i]);
	if (!ask_consent(run)) {
		count_as_skipped(run);
		return err_set(err, ERR_CANCELLED, "nothing was changed");
	}
	if (run->restore->dry_run) {
		count_as_skipped(run);
		return true;
	}
	run->may_write = true;
	skip_place(run, MAP_NONE, "the server cannot have a folder with this name");
	return restore_places(run, err);
}

bool restore_run(
	const struct restore *restore, struct restore_summary *ret_summary, struct err *err)
{
	static const struct restore_watcher nobody;
	struct restoring run = {
		.restore = restore,
		.watcher = restore->watcher ? restore->watcher : &nobody,
		.summary = ret_summary,
	};
	bool fine;

	*ret_summary = (struct restore_summary){.sound = true};
	if (!survey_make(restore, &run.survey, err))
		return false;
	fine = carry_out(&run, err);
	target_folders_free(run.made, run.made ? run.survey.map.count : 0);
	str_list_free(&run.lessons.refused_keywords);
	survey_free(&run.survey);
	return fine;
}
