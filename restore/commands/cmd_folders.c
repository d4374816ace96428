/* `mailstow folders`: the folders of an archive at a snapshot. */
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "restore/app_archive.h"
#include "restore/commands/commands.h"
#include "restore/options.h"
#include "restore/ui/json.h"
#include "restore/ui/table.h"

static const struct table_column columns[] = {{"FOLDER", TEXT_LEFT, 16}, {"MESSAGES", TEXT_RIGHT},
	{"SIZE", TEXT_RIGHT}, {"USE", TEXT_LEFT, 8}, {"SUBSCRIBED"}};

static bool print_folder_json(void *context, const struct archive_folder *folder, struct err *err)
{
	char delimiter[] = {folder->delimiter, '\0'};
	struct json *line = json_begin();

	(void)context;
	json_put_text(line, "folder", folder->path);
	json_put_text(line, "wire_name", folder->wire_name);
	json_put_text(line, "delimiter", folder->delimiter ? delimiter : NULL);
	json_put_words(line, "attributes", folder->attributes);
	json_put_text(line, "special_use", folder->special_use);
	json_put_bool(line, "subscribed", folder->subscribed);
	if (folder->uidvalidity)
		json_put_int(line, "uidvalidity", folder->uidvalidity);
	else
		json_put_null(line, "uidvalidity");
	json_put_count(line, "messages", folder->messages);
	json_put_count(line, "bytes", folder->bytes);
	json_print(line);
	return app_can_print(err);
}

static bool add_folder_row(void *context, const struct archive_folder *folder, struct err *err)
{
	char messages[TABLE_NUMBER_MAX], size[STR_SIZE_MAX];
	const char *use = folder->special_use ? folder->special_use : "";
	const char *cells[] = {folder->path, messages, size, use[0] == '\\' ? use + 1 : use,
		folder->subscribed ? "yes" : "no"};

	table_number(folder->messages, messages);
	str_format_size(folder->bytes, size);
	if (!folder->selectable)
		cells[1] = cells[2] = "-";
	table_row(context, cells);
	return app_can_print(err);
}

static bool run_folders(struct app *app, int argc, char **argv, struct err *err)
{
	const struct options options = {.arguments_min = 1, .arguments_max = 1};
	CLEANUP(account_ref_free) struct account_ref place = {0};
	CLEANUP(archive_freep) struct archive *archive = NULL;
	struct archive_snapshot snapshot;
	struct arguments arguments;

	if (!options_parse(app, argc, argv, &options, &arguments, err) ||
		!account_ref_find(app, arguments.items[0], &place, err) ||
		!app_open(&place, &archive, &snapshot, err))
		return false;
	if (app->json)
		return archive_each_folder_counted(
			archive, snapshot.generation, print_folder_json, NULL, err);
	CLEANUP(table_end) struct table table;

	table_init(&table, columns, ARRAY_LEN(columns));
	return archive_each_folder_counted(
		archive, snapshot.generation, add_folder_row, &table, err);
}

const struct command cmd_folders = {
	.name = "folders",
	.group = COMMAND_LOOK,
	.summary = "list the folders of an archive",
	.usage = "ACCOUNT[@WHEN]",
	.help = "Lists each folder with its number of messages, their size, its special use\n"
		"(RFC 6154) and whether it is subscribed.\n",
	.run = run_folders,
};
