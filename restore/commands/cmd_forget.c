/* `mailstow forget`: erases messages from every snapshot and from the files of an archive. */
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

enum { TEXT_SHOWN_BYTES = 120 };

/* The chosen messages, by SHA-256: message ids may change between two openings of an archive. */
struct chosen {
	uint8_t (*digests)[SHA256_BYTES];
	size_t count, cap;
};

struct forget_run {
	struct selection selection;
	bool selected; /* some selection option was given */
	bool dry_run;
	bool json;
	struct chosen chosen;
	uint64_t placements;
	uint64_t elsewhere; /* placements that were not selected but hold the same bytes */
};

static void forget_run_free(struct forget_run *run)
{
	selection_free(&run->selection);
	free(run->chosen.digests);
}

static bool set_forget_option(void *context, int id, const char *value, struct err *err)
{
	struct forget_run *run = context;

	if (id == OPTION_DRY_RUN) {
		run->dry_run = true;
		return true;
	}
	run->selected = true;
	return selection_set(&run->selection, (enum select_option)id, value, err);
}

/* --- choosing --- */

static int compare_sha256(const void *a, const void *b)
{
	return memcmp(a, b, SHA256_BYTES);
}

static bool is_to_be_forgotten(const struct chosen *chosen, const uint8_t *digest)
{
	return chosen->count > 0 && bsearch(digest, chosen->digests, chosen->count, SHA256_BYTES,
					    compare_sha256) != NULL;
}

static bool choose_selected(void *context, const struct archive_entry *entry, struct err *err)
{
	struct forget_run *run = context;
	struct chosen *chosen = &run->chosen;

	(void)err;
	if (!selection_wants_entry(&run->selection, entry))
		return true;
	ARRAY_GROW(chosen->digests, chosen->count, chosen->cap);
	memcpy(chosen->digests[chosen->count++], entry->sha256, SHA256_BYTES);
	return true;
}

static void sort_chosen(struct chosen *chosen)
{
	size_t count = 0;

	if (chosen->count > 0)
		qsort(chosen->digests, chosen->count, SHA256_BYTES, compare_sha256);
	for (size_t i = 0; i < chosen->count; i++)
		if (count == 0 ||
			compare_sha256(chosen->digests[count - 1], chosen->digests[i]) != 0)
			memmove(chosen->digests[count++], chosen->digests[i], SHA256_BYTES);
	chosen->count = count;
}

/* --- printing --- */

static void print_forgotten(const struct archive_entry *entry)
{
	CLEANUP(freep)
	char *folder =
		str_printable(entry->folder_path, strlen(entry->folder_path), TEXT_SHOWN_BYTES);
	CLEANUP(freep)
	char *from = str_printable(entry->from, strlen(entry->from), TEXT_SHOWN_BYTES);
	CLEANUP(freep)
	char *subject = str_printable(entry->subject, strlen(entry->subject), TEXT_SHOWN_BYTES);

	(void)printf("%s %" PRIu32 "%s: %s%s%s\n", folder, entry->uid,
		entry->gone_ms ? " (gone)" : "", from, from[0] ? ": " : "", subject);
}

/* A chosen message is erased from every folder that holds or held it, so each one is listed. */
static bool print_if_chosen(void *context, const struct archive_entry *entry, struct err *err)
{
	struct forget_run *run = context;

	if (!is_to_be_forgotten(&run->chosen, entry->sha256))
		return true;
	run->placements++;
	run->elsewhere += !selection_wants_entry(&run->selection, entry);
	if (run->json)
		entry_json_print(entry);
	else
		print_forgotten(entry);
	return app_can_print(err);
}

static void print_forget_json(
	const struct forget_run *run, const struct archive_forgotten *forgotten)
{
	struct json *summary = json_begin();

	json_put_bool(summary, "summary", true);
	json_put_bool(summary, "dry_run", run->dry_run);
	json_put_count(summary, "messages", run->chosen.count);
	json_put_count(summary, "placements", run->placements);
	json_put_count(summary, "volumes", forgotten->volumes);
	json_put_count(summary, "bytes_freed", forgotten->bytes);
	json_print(summary);
}

static void print_forget_summary(
	const struct forget_run *run, const struct archive_forgotten *forgotten)
{
	char messages[STR_COUNT_MAX], places[STR_COUNT_MAX];
	char freed[STR_SIZE_MAX];

	if (run->json) {
		print_forget_json(run, forgotten);
		return;
	}
	str_format_size(forgotten->bytes, freed);
	str_format_count(run->chosen.count, "message", messages);
	str_format_count(run->placements, "place", places);
	(void)printf("%s %s in %s.\n", run->dry_run ? "Would erase" : "Erased", messages, places);
	if (!run->dry_run)
		(void)printf("Freed %s. Copies of the archive still hold these messages.\n", freed);
}

/* --- forgetting --- */

static bool choose_and_list(
	struct forget_run *run, struct archive *archive, int64_t generation, struct err *err)
{
	const struct archive_list all = {.generation = generation, .deleted = true};
	const struct archive_list what = {.generation = generation,
		.deleted = true,
		.only_deleted = run->selection.deleted_only};

	if (!archive_each_entry(archive, &what, choose_selected, run, err))
		return false;
	sort_chosen(&run->chosen);
	if (run->chosen.count == 0)
		return true;
	if (!archive_each_entry(archive, &all, print_if_chosen, run, err))
		return false;
	if (run->elsewhere > 0)
		say_note("including %" PRIu64
			 " not selected, with the same bytes as a selected message",
			run->elsewhere);
	return true;
}

/* Nothing matches: completes an earlier run that was interrupted, if there is one. */
static bool resume_or_report_none(
	const struct forget_run *run, const struct account_ref *place, struct err *err)
{
	struct archive_forgotten forgotten;

	if (!run->dry_run &&
		!archive_forget(&place->archive, NULL, 0, ARCHIVE_LOCK_TIMEOUT_MS, &forgotten, err))
		return false;
	return err_set(err, ERR_NOT_FOUND, "no message matches");
}

static bool forget_chosen(const struct app *app, struct forget_run *run,
	const struct account_ref *place, struct err *err)
{
	struct archive_forgotten forgotten = {0};

	if (!run->dry_run && !app_consents(app, "Erase these messages for good?"))
		return true;
	if (!run->dry_run && !archive_forget(&place->archive,
				     (const uint8_t(*)[SHA256_BYTES])run->chosen.digests,
				     run->chosen.count, ARCHIVE_LOCK_TIMEOUT_MS, &forgotten, err))
		return false;
	print_forget_summary(run, &forgotten);
	return true;
}

static bool run_forget(struct app *app, int argc, char **argv, struct err *err)
{
	static const struct option_spec specs[] = {
		SELECT_OPTION_SPECS, {"dry-run", OPTION_PLAIN, OPTION_DRY_RUN}};
	CLEANUP(forget_run_free) struct forget_run run = {.json = app->json};
	const struct options options = {specs, ARRAY_LEN(specs), set_forget_option, &run, 1, 1};
	CLEANUP(account_ref_free) struct account_ref place = {0};
	CLEANUP(archive_freep) struct archive *archive = NULL;
	struct archive_snapshot snapshot;
	struct arguments arguments;

	if (!options_parse(app, argc, argv, &options, &arguments, err) ||
		!account_ref_find_whole(app, arguments.items[0], &place, err))
		return false;
	run.json = app->json;
	if (!run.selected)
		return err_set(err, ERR_USAGE,
			"forget: expected a selection: --folder, --from, --message-id or another");
	if (!app_open(&place, &archive, &snapshot, err) ||
		!choose_and_list(&run, archive, snapshot.generation, err))
		return false;
	archive_freep(&archive); /* archive_forget() waits for readers: this one as well */
	return run.chosen.count == 0 ? resume_or_report_none(&run, &place, err)
				     : forget_chosen(app, &run, &place, err);
}

const struct command cmd_forget = {
	.name = "forget",
	.group = COMMAND_SETUP,
	.summary = "erase messages from every snapshot, for good",
	.usage = "ACCOUNT SELECTION [--dry-run]",
	.help = "Erases the selected messages from every snapshot and their bytes from the\n"
		"archive's files. Other folders that hold the same bytes lose them as well.\n"
		"Messages that are still on the server are not fetched again. Copies of the\n"
		"archive keep them. (restic's 'forget', which drops snapshots, is 'mailstow\n"
		"prune'.)\n"
		"\n"
		"  --dry-run             only list what would be erased\n"
		"\n"
		"Selection, at least one:\n" SELECT_HELP,
	.run = run_forget,
};
