/* `mailstow diff`: what changed between two snapshots. */
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

struct diff_output {
	bool json;
	struct mail_state before, after;
	struct snapshot_difference difference;
	struct table table;
	struct mail_state *filling; /* the state being read */
	bool older;                 /* whether the older state is being printed */
	size_t at;                  /* index of the next entry in that state */
};

static void diff_output_free(struct diff_output *output)
{
	mail_state_free(&output->before);
	mail_state_free(&output->after);
	snapshot_difference_free(&output->difference);
}

static bool add_to_state(void *context, const struct archive_entry *entry, struct err *err)
{
	struct diff_output *output = context;

	(void)err;
	mail_state_add(output->filling, entry->folder_path, entry->uidvalidity, entry->uid,
		entry->message_id, entry->flags);
	return true;
}

static void print_change_json(const struct diff_output *output, enum change change,
	const struct mail_place *was, const struct archive_entry *entry)
{
	struct json *line = json_begin();

	(void)output;
	json_put_text(line, "change", change_name(change));
	entry_json_put(line, entry);
	if (change == CHANGE_MOVED) {
		json_put_text(line, "from_folder", was->folder);
		json_put_int(line, "from_uid", was->uid);
	}
	json_print(line);
}

static void print_change_row(struct diff_output *output, enum change change,
	const struct mail_place *was, const struct archive_entry *entry)
{
	char uid[TABLE_NUMBER_MAX];
	CLEANUP(freep) char *place = NULL;
	const char *cells[] = {
		change_name(change), entry->folder_path, uid, entry->from, entry->subject, NULL};

	(void)snprintf(uid, sizeof(uid), "%" PRIu32, entry->uid);
	if (change == CHANGE_MOVED)
		cells[5] = place = str_printf("%s %" PRIu32, was->folder, was->uid);
	table_row(&output->table, cells);
}

static bool print_if_changed(void *context, const struct archive_entry *entry, struct err *err)
{
	struct diff_output *output = context;
	const struct snapshot_difference *difference = &output->difference;
	size_t at = output->at++;
	size_t count = output->older ? output->before.count : output->after.count;
	enum change change;
	const struct mail_place *was = NULL;

	if (at >= count)
		return true;
	change = output->older ? difference->before[at] : difference->after[at];
	if (change == CHANGE_NONE)
		return true;
	if (change == CHANGE_MOVED)
		was = &output->before.items[difference->from[at]];
	if (output->json)
		print_change_json(output, change, was, entry);
	else
		print_change_row(output, change, was, entry);
	return app_can_print(err);
}

static bool read_snapshot(struct diff_output *output, struct archive *archive, int64_t generation,
	struct mail_state *state, struct err *err)
{
	const struct archive_list list = {.generation = generation};

	output->filling = state;
	return archive_each_entry(archive, &list, add_to_state, output, err);
}

static bool print_changes_of(struct diff_output *output, struct archive *archive,
	int64_t generation, bool older, struct err *err)
{
	const struct archive_list list = {.generation = generation};

	output->older = older;
	output->at = 0;
	return archive_each_entry(archive, &list, print_if_changed, output, err);
}

static bool print_differences(struct diff_output *output, struct archive *archive, int64_t before,
	int64_t after, struct err *err)
{
	bool done;

	if (!read_snapshot(output, archive, before, &output->before, err) ||
		!read_snapshot(output, archive, after, &output->after, err))
		return false;
	snapshot_difference_find(&output->before, &output->after, &output->difference);
	table_init(&output->table, columns, ARRAY_LEN(columns));
	done = print_changes_of(output, archive, before, true, err) &&
	       print_changes_of(output, archive, after, false, err);
	if (!output->json)
		table_end(&output->table);
	return done;
}

static bool run_diff(struct app *app, int argc, char **argv, struct err *err)
{
	const struct options options = {.arguments_min = 2, .arguments_max = 2};
	CLEANUP(diff_output_free) struct diff_output output = {0};
	CLEANUP(account_ref_free) struct account_ref first = {0}, second = {0};
	CLEANUP(archive_freep) struct archive *archive = NULL;
	struct archive_snapshot before, after;
	struct arguments arguments;

	if (!options_parse(app, argc, argv, &options, &arguments, err) ||
		!account_ref_find(app, arguments.items[0], &first, err) ||
		!account_ref_find(app, arguments.items[1], &second, err))
		return false;
	if (strcmp(first.archive.path, second.archive.path) != 0)
		return err_set(err, ERR_USAGE, "diff: expected two snapshots of the same account");
	if (!first.when_given)
		return err_set(
			err, ERR_USAGE, "diff: the first argument needs @WHEN: ACCOUNT@WHEN");
	if (!app_open(&first, &archive, &before, err) ||
		!archive_resolve(archive, second.when, &after, err))
		return false;
	output.json = app->json;
	return print_differences(&output, archive, before.generation, after.generation, err);
}

const struct command cmd_diff = {
	.name = "diff",
	.group = COMMAND_LOOK,
	.summary = "show what changed between two snapshots",
	.usage = "ACCOUNT@WHEN ACCOUNT[@WHEN]",
	.help = "Lists the messages that were added, removed or moved, or whose flags changed,\n"
		"from the first state to the second (default: the newest).\n",
	.run = run_diff,
};
