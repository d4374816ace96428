#include <stdio.h>

#include "restore/app.h"
#include "restore/json.h"
#include "restore/table.h"

static bool as_json(void *context, const struct archive_folder *folder, struct err *err)
{
	struct json *line = json_line();
	char delimiter[2] = {folder->delimiter, '\0'};

	(void)context;
	(void)err;
	json_text(line, "folder", folder->path);
	json_text(line, "wire_name", folder->wire_name);
	json_text(line, "delimiter", folder->delimiter ? delimiter : NULL);
	json_words(line, "attributes", folder->attributes);
	json_text(line, "special_use", folder->special_use);
	json_flag(line, "subscribed", folder->subscribed);
	json_int(line, "uidvalidity", folder->uidvalidity);
	json_int(line, "messages", (int64_t)folder->messages);
	json_int(line, "bytes", (int64_t)folder->bytes);
	json_print(line);
	return true;
}

static bool as_row(void *context, const struct archive_folder *folder, struct err *err)
{
	struct table *table = context;

	(void)err;
	table_cell(table, folder->path);
	table_number(table, folder->messages);
	table_size(table, folder->bytes);
	table_cell(table, folder->special_use ? folder->special_use : "");
	table_cell(table, !folder->selectable ? "no mail" : folder->subscribed ? "subscribed" : "");
	return true;
}

int cmd_folders(struct app *app, int argc, char **argv)
{
	static const char *const heads[] = {"FOLDER", "MESSAGES", "SIZE", "USE", ""};
	CLEANUP(moment_free) struct moment moment = {0};
	struct err err = ERR_INIT;
	struct table *table;
	bool done;

	if (argc != 2)
		return app_usage(argv[0], "folders takes one ACCOUNT[@WHEN]");
	if (!app_open(app, argv[1], &moment, &err))
		return app_fail(&err);
	if (app->json) {
		done = archive_each_folder(
			moment.archive, moment.at.generation, as_json, NULL, &err);
		return done ? 0 : app_fail(&err);
	}
	table = table_new("xrrll");
	for (size_t i = 0; i < ARRAY_LEN(heads); i++)
		table_cell(table, heads[i]);
	done = archive_each_folder(moment.archive, moment.at.generation, as_row, table, &err);
	table_print(table);
	return done ? 0 : app_fail(&err);
}
