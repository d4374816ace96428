#include <inttypes.h>
#include <stdio.h>

#include "base/str.h"
#include "restore/app.h"
#include "restore/json.h"
#include "restore/table.h"

static bool as_json(void *context, const struct archive_snapshot *snapshot, struct err *err)
{
	struct json *line = json_line();

	(void)context;
	(void)err;
	json_int(line, "id", snapshot->generation);
	json_time_ms(line, "time", snapshot->unix_ms);
	json_flag(line, "complete", snapshot->complete);
	json_flag(line, "pinned", snapshot->pinned);
	json_int(line, "messages", (int64_t)snapshot->messages);
	json_int(line, "added", (int64_t)snapshot->added);
	json_int(line, "removed", (int64_t)snapshot->removed);
	json_int(line, "changed", (int64_t)snapshot->changed);
	json_print(line);
	return true;
}

static bool as_row(void *context, const struct archive_snapshot *snapshot, struct err *err)
{
	struct table *table = context;

	(void)err;
	table_number(table, (uint64_t)snapshot->generation);
	table_time_ms(table, snapshot->unix_ms);
	table_number(table, snapshot->messages);
	table_number(table, snapshot->added);
	table_number(table, snapshot->removed);
	table_number(table, snapshot->changed);
	table_cell(table, snapshot->complete ? snapshot->pinned ? "pinned" : "" : "incomplete");
	return true;
}

int cmd_snapshots(struct app *app, int argc, char **argv)
{
	static const char *const heads[] = {
		"ID", "TIME", "MESSAGES", "ADDED", "REMOVED", "CHANGED", ""};
	CLEANUP(moment_free) struct moment moment = {0};
	struct err err = ERR_INIT;
	struct table *table;
	bool done;

	if (argc != 2)
		return app_usage(argv[0], "snapshots takes one ACCOUNT");
	if (!app_open(app, argv[1], &moment, &err))
		return app_fail(&err);
	if (app->json) {
		done = archive_each_snapshot(moment.archive, as_json, NULL, &err);
		return done ? 0 : app_fail(&err);
	}
	table = table_new("rlrrrrl");
	for (size_t i = 0; i < ARRAY_LEN(heads); i++)
		table_cell(table, heads[i]);
	done = archive_each_snapshot(moment.archive, as_row, table, &err);
	table_print(table);
	return done ? 0 : app_fail(&err);
}
