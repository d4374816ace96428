#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "restore/app_archive.h"
#include "restore/commands/commands.h"
#include "restore/options.h"
#include "restore/snapshot_diff.h"
#include "restore/ui/entry_json.h"
#include "restore/ui/table.h"

static const struct table_column columns[] = {{"CHANGE"}, {"FOLDER", TEXT_LEFT, 12},
	{"UID", TEXT_RIGHT}, {"FROM", TEXT_LEFT, 12}, {"SUBJECT", TEXT_LEFT, 12},
	{"WAS", TEXT_LEFT, 8}};

struct comparison {
	bool json;
	struct mail_state before, after;
	struct snapshot_difference difference;
	struct table table;
	struct mail_state *filling; /* while states are read */
	bool older;                 /* the older state is printed */
	size_t at;                  /* entry of the state that is printed */
};

static void comparison_free(struct comparison *comparison)
{
	mail_state_free(&comparison->before);
	mail_state_free(&comparison->after);
	difference_free(&comparison->difference);
}

static bool hold(void *context, const struct archive_entry *entry, struct err *err)
{
	struct comparison *comparison = context;

	(void)err;
	mail_state_add(comparison->filling, entry->folder_path, entry->uidvalidity, entry->uid,
		entry->message_id, entry->flags);
	return true;
}

static void print_json(const struct comparison *comparison, enum change change,
	const struct place_of_mail *was, const struct archive_entry *entry)
{
	struct json *line = json_begin();

	(void)comparison;
	json_put_text(line, "change", change_name(change));
	entry_json_put(line, entry);
	if (change == CHANGE_MOVED) {
		json_put_text(line, "from_folder", was->folder);
		json_put_int(line, "from_uid", was->uid);
	}
	json_print(line);
}

static void print_row(struct comparison *comparison, enum change change,
	const struct place_of_mail *was, const struct archive_entry *entry)
{
	char uid[TABLE_NUMBER_MAX];
	CLEANUP(freep) char *place = NULL;
	const char *cells[] = {
		change_name(change), entry->folder_path, uid, entry->from, entry->subject, NULL};

	(void)snprintf(uid, sizeof(uid), "%" PRIu32, entry->uid);
	if (change == CHANGE_MOVED)
		cells[5] = place = str_printf("%s %" PRIu32, was->folder, was->uid);
	table_row(&comparison->table, cells);
}

static bool print(void *context, const struct archive_entry *entry, struct err *err)
{
	struct comparison *comparison = context;
	const struct snapshot_difference *difference = &comparison->difference;
	size_t at = comparison->at++;
	size_t count = comparison->older ? comparison->before.count : comparison->after.count;
	enum change change;
	const struct place_of_mail *was = NULL;

	if (at >= count)
		return true;
	change = comparison->older ? difference->before[at] : difference->after[at];
	if (change == CHANGE_NONE)
		return true;
	if (change == CHANGE_MOVED)
		was = &comparison->before.items[difference->from[at]];
	if (comparison->json)
		print_json(comparison, change, was, entry);
	else
		print_row(comparison, change, was, entry);
	return !ferror(stdout) || app_flush(err);
}

static bool read_state(struct comparison *comparison, struct archive *archive, int64_t generation,
	struct mail_state *state, struct err *err)
{
	const struct archive_list list = {.generation = generation};

	comparison->filling = state;
	return archive_each_entry(archive, &list, hold, comparison, err);
}

static bool print_state(struct comparison *comparison, struct archive *archive, int64_t generation,
	bool older, struct err *err)
{
	const struct archive_list list = {.generation = generation};

	comparison->older = older;
	comparison->at = 0;
	return archive_each_entry(archive, &list, print, comparison, err);
}

static bool compare(struct comparison *comparison, struct archive *archive, int64_t before,
	int64_t after, struct err *err)
{
	bool done;

	if (!read_state(comparison, archive, before, &comparison->before, err) ||
		!read_state(comparison, archive, after, &comparison->after, err))
		return false;
	difference_find(&comparison->before, &comparison->after, &comparison->difference);
	table_init(&comparison->table, columns, ARRAY_LEN(columns));
	done = print_state(comparison, archive, before, true, err) &&
	       print_state(comparison, archive, after, false, err);
	if (!comparison->json)
		table_end(&comparison->table);
	return done;
}

static bool run(struct app *app, int argc, char **argv, struct err *err)
{
	const struct options options = {.arguments_min = 2, .arguments_max = 2};
	CLEANUP(comparison_free) struct comparison comparison = {0};
	CLEANUP(account_ref_free) struct account_ref first = {0}, second = {0};
	CLEANUP(archive_freep) struct archive *archive = NULL;
	struct archive_snapshot before, after;
	struct arguments arguments;

	if (!options_parse(app, argc, argv, &options, &arguments, err) ||
		!account_ref_find(app, arguments.items[0], &first, err) ||
		!account_ref_find(app, arguments.items[1], &second, err))
		return false;
	if (strcmp(first.archive_path, second.archive_path) != 0)
		return err_set(err, ERR_USAGE, "diff: two moments of one account");
	if (!first.when_given)
		return err_set(err, ERR_USAGE, "diff: from when? ACCOUNT@WHEN");
	if (!app_open(&first, &archive, &before, err) ||
		!archive_resolve(archive, second.when, &after, err))
		return false;
	comparison.json = app->json;
	return compare(&comparison, archive, before.generation, after.generation, err);
}

const struct command cmd_diff = {
	.name = "diff",
	.group = COMMAND_LOOK,
	.summary = "show what changed between two moments",
	.usage = "ACCOUNT@WHEN ACCOUNT[@WHEN]",
	.help = "Messages that were added, removed or moved, or whose flags changed, from the\n"
		"first moment to the second.\n",
	.run = run,
};
