/* `mailstow snapshots`: the states of an archive to go back to. */
#include <inttypes.h>
#include <stdio.h>

#include "restore/app_archive.h"
#include "restore/commands/commands.h"
#include "restore/options.h"
#include "restore/ui/json.h"
#include "restore/ui/table.h"
#include "restore/ui/when.h"

static const struct table_column columns[] = {{"SNAPSHOT", TEXT_RIGHT}, {"TIME"}, {"STATE"},
	{"MESSAGES", TEXT_RIGHT}, {"ADDED", TEXT_RIGHT}, {"REMOVED", TEXT_RIGHT},
	{"CHANGED", TEXT_RIGHT}};

static bool print_snapshot_json(
	void *context, const struct archive_snapshot *snapshot, struct err *err)
{
	struct json *line = json_begin();

	(void)context;
	json_put_int(line, "id", snapshot->generation);
	json_put_time(line, "time", snapshot->unix_ms);
	json_put_bool(line, "complete", snapshot->complete);
	json_put_bool(line, "pinned", snapshot->pinned);
	json_put_count(line, "messages", snapshot->messages);
	json_put_count(line, "added", snapshot->added);
	json_put_count(line, "removed", snapshot->removed);
	json_put_count(line, "changed", snapshot->changed);
	json_print(line);
	return app_can_print(err);
}

static bool add_snapshot_row(
	void *context, const struct archive_snapshot *snapshot, struct err *err)
{
	char id[TABLE_NUMBER_MAX], time[WHEN_TEXT_MAX], messages[TABLE_NUMBER_MAX];
	char added[TABLE_NUMBER_MAX], removed[TABLE_NUMBER_MAX], changed[TABLE_NUMBER_MAX];
	const char *cells[] = {id, time, snapshot->complete ? "complete" : "partial", messages,
		added, removed, changed};

	if (snapshot->pinned)
		cells[2] = snapshot->complete ? "complete, pinned" : "partial, pinned";
	(void)snprintf(id, sizeof(id), "%" PRId64, snapshot->generation);
	when_format(snapshot->unix_ms, true, time);
	table_number(snapshot->messages, messages);
	table_number(snapshot->added, added);
	table_number(snapshot->removed, removed);
	table_number(snapshot->changed, changed);
	table_row(context, cells);
	return app_can_print(err);
}

static bool run_snapshots(struct app *app, int argc, char **argv, struct err *err)
{
	const struct options options = {.arguments_min = 1, .arguments_max = 1};
	CLEANUP(account_ref_free) struct account_ref place = {0};
	CLEANUP(archive_freep) struct archive *archive = NULL;
	struct arguments arguments;

	if (!options_parse(app, argc, argv, &options, &arguments, err) ||
		!account_ref_find_whole(app, arguments.items[0], &place, err) ||
		!app_open_newest(&place, &archive, err))
		return false;
	if (app->json)
		return archive_each_snapshot(archive, print_snapshot_json, NULL, err);
	CLEANUP(table_end) struct table table;

	table_init(&table, columns, ARRAY_LEN(columns));
	return archive_each_snapshot(archive, add_snapshot_row, &table, err);
}

const struct command cmd_snapshots = {
	.name = "snapshots",
	.group = COMMAND_LOOK,
	.summary = "list the snapshots of an archive",
	.usage = "ACCOUNT",
	.help = "A snapshot is a state you can go back to. It is complete if every\n"
		"folder had been compared with the server; otherwise it is partial.\n"
		"ACCOUNT@17 chooses a snapshot by its number; ACCOUNT@2026-11-20T10:00 chooses\n"
		"the last complete one at or before that time.\n",
	.run = run_snapshots,
};
