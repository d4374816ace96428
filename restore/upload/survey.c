#include "restore/upload/survey.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "restore/upload/present.h"
#include "restore/upload/target_folders.h"

void survey_free(struct survey *survey)
{
	for (size_t i = 0; i < survey->count; i++) {
		free(survey->sources[i].path);
		free(survey->sources[i].special_use);
	}
	free(survey->sources);
	free(survey->targets);
	map_free(&survey->map);
	imap_folders_free(&survey->folders);
	str_list_free(&survey->problems);
}

/* --- the archive's side --- */

static bool add_folder_source(void *context, const struct archive_folder *folder, struct err *err)
{
	struct survey *survey = context;
	const struct restore *restore = survey->restore;

	(void)err;
	ARRAY_GROW(survey->sources, survey->count, survey->cap);
	survey->sources[survey->count++] = (struct survey_source){
		.folder_id = folder->id,
		.path = xstrdup(folder->path),
		.special_use = folder->special_use ? xstrdup(folder->special_use) : NULL,
		.selectable = folder->selectable,
		.subscribed = folder->subscribed,
		.wanted = !restore->wants_folder ||
			  restore->wants_folder(restore->wants_context, folder->path),
	};
	return true;
}

/* Deleted mail may be in a folder that no longer exists at the snapshot. */
static struct survey_source *source_of(struct survey *survey, const struct archive_entry *entry)
{
	const struct archive_folder gone = {
		.id = entry->folder_id, .path = entry->folder_path, .selectable = true};

	for (size_t i = survey->count; i > 0; i--)
		if (survey->sources[i - 1].folder_id == entry->folder_id)
			return &survey->sources[i - 1];
	(void)add_folder_source(survey, &gone, NULL);
	return &survey->sources[survey->count - 1];
}

static bool is_selected(const struct survey *survey, const struct archive_entry *entry)
{
	const struct restore *restore = survey->restore;

	return !restore->wants_message || restore->wants_message(restore->wants_context, entry);
}

struct counting {
	struct survey *survey;
	struct survey_source *last; /* entries are listed folder by folder */
};

static bool count_entry(void *context, const struct archive_entry *entry, struct err *err)
{
	struct counting *counting = context;

	(void)err;
	if (!counting->last || counting->last->folder_id != entry->folder_id)
		counting->last = source_of(counting->survey, entry);
	if (counting->last->wanted && is_selected(counting->survey, entry)) {
		counting->last->messages++;
		counting->last->bytes += entry->size;
	}
	return true;
}

static struct archive_list list_query(const struct restore *restore, int64_t folder_id)
{
	return (struct archive_list){.generation = restore->generation,
		.folder_id = folder_id,
		.only_deleted = restore->only_deleted};
}

static bool survey_archive(struct survey *survey, struct err *err)
{
	const struct restore *restore = survey->restore;
	const struct archive_list list = list_query(restore, 0);
	struct counting counting = {.survey = survey};

	return archive_each_folder(
		       restore->archive, restore->generation, add_folder_source, survey, err) &&
	       archive_each_entry(restore->archive, &list, count_entry, &counting, err);
}

/* --- loading --- */

struct loading {
	const struct survey *survey;
	size_t source;
	struct items *items;
};

static bool load_entry(void *context, const struct archive_entry *entry, struct err *err)
{
	const struct loading *loading = context;

	(void)err;
	if (is_selected(loading->survey, entry))
		items_add(loading->items, entry, loading->source);
	return true;
}

bool survey_load(
	const struct survey *survey, size_t place, struct items *ret_items, struct err *err)
{
	const struct restore *restore = survey->restore;

	for (size_t i = 0; i < survey->count; i++) {
		const struct archive_list list = list_query(restore, survey->sources[i].folder_id);
		struct loading loading = {survey, i, ret_items};

		if (survey->map.place_of[i] != place || survey->sources[i].messages == 0)
			continue;
		if (!archive_each_entry(restore->archive, &list, load_entry, &loading, err))
			return false;
	}
	return true;
}

/* --- the target's side --- */

static void make_map(struct survey *survey)
{
	struct imap *imap = survey->restore->target->imap;
	const struct map_server server = {
		.prefix = imap_prefix(imap),
		.delimiter = imap_delimiter(imap),
		.folders = survey->targets,
		.count = survey->folders.count,
	};
	CLEANUP(freep) struct map_source *sources = xcalloc(survey->count + 1, sizeof(*sources));

	for (size_t i = 0; i < survey->count; i++)
		sources[i] =
			(struct map_source){survey->sources[i].path, survey->sources[i].special_use,
				survey->sources[i].selectable, survey->sources[i].subscribed};
	map_make(sources, survey->count, survey->restore->rules, &server, &survey->map,
		&survey->problems);
}

bool survey_wants_place(const struct survey *survey, size_t place)
{
	bool all = !survey->restore->wants_message && !survey->restore->only_deleted;

	for (size_t i = 0; i < survey->count; i++)
		if (survey->map.place_of[i] == place && survey->sources[i].wanted &&
			(all || survey->sources[i].messages > 0))
			return true;
	return false;
}

static void count_already_there(struct survey *survey, const struct items *items)
{
	for (size_t i = 0; i < items->count; i++) {
		const struct item *item = &items->items[i];
		struct survey_source *source = &survey->sources[item->source];

		source->there += item->is_there;
		source->there_bytes += item->is_there ? item->size : 0;
	}
}

/* A folder that cannot be opened is no error here: the upload reports it. */
static bool find_already_there(
	struct survey *survey, const struct map_place *place, struct items *items, struct err *err)
{
	const struct restore *restore = survey->restore;

	for (;;) {
		CLEANUP(present_free) struct present present = {0};
		struct present_ask ask = {.archive = restore->archive,
			.journal = restore->journal,
			.wire_name = place->wire_name};

		if (!target_need(restore->target, err))
			return false;
		ask.imap = restore->target->imap;
		if (present_find(&ask, items, &present, err) || err->kind == ERR_REFUSED)
			return true;
		if (!target_lost(restore->target, err))
			return false;
	}
}

static bool survey_place(struct survey *survey, size_t index, struct err *err)
{
	const struct map_place *place = &survey->map.places[index];
	const struct imap_counts *counts;
	struct items items = {0};
	bool fine;

	if (place->target == MAP_NONE || !survey_wants_place(survey, index))
		return true;
	counts = &survey->folders.items[place->target].counts;
	/* STATUS may be outdated: this only feeds the plan. upload.c searches the folder itself. */
	if (counts->has & IMAP_HAS_MESSAGES && counts->messages == 0)
		return true;
	fine = survey_load(survey, index, &items, err) &&
	       (items.count == 0 || find_already_there(survey, place, &items, err));
	if (fine)
		count_already_there(survey, &items);
	items_free(&items);
	return fine;
}

static bool survey_target(struct survey *survey, struct err *err)
{
	if (!target_folders_list(survey->restore->target, true, &survey->folders, err))
		return false;
	survey->targets = target_folders_for_map(&survey->folders);
	make_map(survey);
	for (size_t i = 0; i < survey->map.count; i++)
		if (!survey_place(survey, i, err))
			return false;
	return true;
}

bool survey_make(const struct restore *restore, struct survey *ret_survey, struct err *err)
{
	struct survey survey = {.restore = restore};

	if (!survey_archive(&survey, err) || !survey_target(&survey, err)) {
		survey_free(&survey);
		return false;
	}
	*ret_survey = survey;
	return true;
}
