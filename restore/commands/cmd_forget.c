#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "archive/forget.h"
#include "base/alloc.h"
#include "base/str.h"
#include "restore/app_archive.h"
#include "restore/commands/commands.h"
#include "restore/say.h"
#include "restore/selection.h"
#include "restore/ui/entry_json.h"

enum forget_option { OPTION_DRY_RUN = SELECT_OPTIONS_END };

enum { SHOWN_BYTES = 120 };

/* The messages that are meant, by their digests: ids are nobody's promise between two calls. */
struct chosen {
	uint8_t (*digests)[SHA256_BYTES];
	size_t count, cap;
};

struct line {
	struct selection selection;
	bool selected; /* something was said */
	bool dry_run;
	bool json;
	struct chosen chosen;
	uint64_t placements;
	uint64_t elsewhere; /* of them, those that were not selected: other places of the same bytes
			     */
};

static void line_free(struct line *line)
{
	selection_free(&line->selection);
	free(line->chosen.digests);
}

static bool set_option(void *context, int id, const char *value, struct err *err)
{
	struct line *line = context;

	if (id == OPTION_DRY_RUN) {
		line->dry_run = true;
		return true;
	}
	line->selected = true;
	return selection_set(&line->selection, (enum select_option)id, value, err);
}

/* --- what is meant --- */

static int by_bytes(const void *a, const void *b)
{
	return memcmp(a, b, SHA256_BYTES);
}

static bool is_chosen(const struct chosen *chosen, const uint8_t *digest)
{
	return chosen->count > 0 &&
	       bsearch(digest, chosen->digests, chosen->count, SHA256_BYTES, by_bytes) != NULL;
}

static bool choose(void *context, const struct archive_entry *entry, struct err *err)
{
	struct line *line = context;
	struct chosen *chosen = &line->chosen;

	(void)err;
	if (!selection_wants_entry(&line->selection, entry))
		return true;
	ARRAY_GROW(chosen->digests, chosen->count, chosen->cap);
	memcpy(chosen->digests[chosen->count++], entry->sha256, SHA256_BYTES);
	return true;
}

static void sort_chosen(struct chosen *chosen)
{
	size_t count = 0;

	if (chosen->count > 0)
		qsort(chosen->digests, chosen->count, SHA256_BYTES, by_bytes);
	for (size_t i = 0; i < chosen->count; i++)
		if (count == 0 || by_bytes(chosen->digests[count - 1], chosen->digests[i]) != 0)
			memmove(chosen->digests[count++], chosen->digests[i], SHA256_BYTES);
	chosen->count = count;
}

/* --- telling --- */

static void show_json(const struct archive_entry *entry)
{
	struct json *line = json_begin();

	entry_json_put(line, entry);
	json_print(line);
}

static void show(const struct archive_entry *entry)
{
	CLEANUP(freep)
	char *folder = str_printable(entry->folder_path, strlen(entry->folder_path), SHOWN_BYTES);
	CLEANUP(freep)
	char *from = str_printable(entry->from, strlen(entry->from), SHOWN_BYTES);
	CLEANUP(freep)
	char *subject = str_printable(entry->subject, strlen(entry->subject), SHOWN_BYTES);

	(void)printf("%s %" PRIu32 "%s: %s%s%s\n", folder, entry->uid,
		entry->gone_ms ? " (gone)" : "", from, from[0] ? ": " : "", subject);
}

/* Every place where one of them stands, or stood, goes. */
static bool tell_place(void *context, const struct archive_entry *entry, struct err *err)
{
	struct line *line = context;

	if (!is_chosen(&line->chosen, entry->sha256))
		return true;
	line->placements++;
	line->elsewhere += !selection_wants_entry(&line->selection, entry);
	if (line->json)
		show_json(entry);
	else
		show(entry);
	return !ferror(stdout) || app_flush(err);
}

static void summarise_json(const struct line *line, const struct archive_forgotten *forgotten)
{
	struct json *summary = json_begin();

	json_put_bool(summary, "summary", true);
	json_put_bool(summary, "dry_run", line->dry_run);
	json_put_count(summary, "messages", line->chosen.count);
	json_put_count(summary, "placements", line->placements);
	json_put_count(summary, "volumes", forgotten->volumes);
	json_put_count(summary, "bytes_freed", forgotten->bytes);
	json_print(summary);
}

static void summarise(const struct line *line, const struct archive_forgotten *forgotten)
{
	char messages[STR_COUNT_MAX], places[STR_COUNT_MAX];
	char freed[STR_SIZE_MAX];

	if (line->json) {
		summarise_json(line, forgotten);
		return;
	}
	str_format_size(forgotten->bytes, freed);
	str_format_count(line->chosen.count, "message", messages);
	str_format_count(line->placements, "place", places);
	(void)printf("%s: %s, in %s.\n", line->dry_run ? "Would be forgotten" : "Forgotten",
		messages, places);
	if (!line->dry_run)
		(void)printf("Freed: %s. Copies of the archive still have them.\n", freed);
}

/* --- doing --- */

static bool look(struct line *line, struct archive *archive, int64_t generation, struct err *err)
{
	const struct archive_list all = {.generation = generation, .deleted = true};
	const struct archive_list what = {.generation = generation,
		.deleted = true,
		.only_deleted = line->selection.deleted_only};

	if (!archive_each_entry(archive, &what, choose, line, err))
		return false;
	sort_chosen(&line->chosen);
	if (line->chosen.count == 0)
		return true;
	if (!archive_each_entry(archive, &all, tell_place, line, err))
		return false;
	if (line->elsewhere > 0)
		say_note("the same bytes stand elsewhere, %" PRIu64 " times; that goes, too",
			line->elsewhere);
	return true;
}

/* An earlier run that was stopped may have left work. */
static bool find_nothing(const struct line *line, const struct account_ref *place, struct err *err)
{
	struct archive_forgotten forgotten;

	if (!line->dry_run && !archive_forget(place->archive_path, NULL, 0, ARCHIVE_LOCK_TIMEOUT_MS,
				      &forgotten, err))
		return false;
	return err_set(err, ERR_NOT_FOUND, "no such message");
}

static bool forget(
	const struct app *app, struct line *line, const struct account_ref *place, struct err *err)
{
	struct archive_forgotten forgotten = {0};

	if (!line->dry_run && !app_consents(app, "Forget these for all time?"))
		return true;
	if (!line->dry_run && !archive_forget(place->archive_path,
				      (const uint8_t(*)[SHA256_BYTES])line->chosen.digests,
				      line->chosen.count, ARCHIVE_LOCK_TIMEOUT_MS, &forgotten, err))
		return false;
	summarise(line, &forgotten);
	return true;
}

static bool run(struct app *app, int argc, char **argv, struct err *err)
{
	static const struct option_spec specs[] = {
		SELECT_OPTION_SPECS, {"dry-run", OPTION_PLAIN, OPTION_DRY_RUN}};
	CLEANUP(line_free) struct line line = {.json = app->json};
	const struct options options = {specs, ARRAY_LEN(specs), set_option, &line, 1, 1};
	CLEANUP(account_ref_free) struct account_ref place = {0};
	CLEANUP(archive_freep) struct archive *archive = NULL;
	struct archive_snapshot snapshot;
	struct arguments arguments;

	if (!options_parse(app, argc, argv, &options, &arguments, err) ||
		!account_ref_find(app, arguments.items[0], &place, err))
		return false;
	line.json = app->json;
	if (place.when_given)
		return err_set(err, ERR_USAGE, "forget: from all time, without @WHEN");
	if (!line.selected)
		return err_set(err, ERR_USAGE,
			"forget: which messages? say --folder, --from, "
			"--message-id or the like");
	if (!app_open(&place, &archive, &snapshot, err) ||
		!look(&line, archive, snapshot.generation, err))
		return false;
	archive_freep(&archive);
	return line.chosen.count == 0 ? find_nothing(&line, &place, err)
				      : forget(app, &line, &place, err);
}

const struct command cmd_forget = {
	.name = "forget",
	.group = COMMAND_SETUP,
	.summary = "remove messages from all time, really",
	.usage = "ACCOUNT SELECTION [--dry-run]",
	.help = "The messages leave every state of the archive, and every byte of them its\n"
		"files, wherever else the same bytes stand. They are not fetched again from\n"
		"where they stand on the server now. Copies of the archive keep them.\n"
		"\n"
		"  --dry-run             only list what would go\n"
		"\n"
		"Selection, at least one:\n" SELECT_HELP,
	.run = run,
};
