/* `mailstow ls`: the messages of an archive at a snapshot. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "restore/app_archive.h"
#include "restore/commands/commands.h"
#include "restore/selection.h"
#include "restore/ui/entry_json.h"
#include "restore/ui/table.h"
#include "restore/ui/when.h"

enum ls_option { OPTION_DELETED = SELECT_OPTIONS_END };

enum { PATH_SHOWN_BYTES = 200, FLAG_LETTERS_MAX = 16 };

static const struct table_column columns[] = {{"UID", TEXT_RIGHT}, {"RECEIVED"},
	{"SIZE", TEXT_RIGHT}, {"FLAGS"}, {"FROM", TEXT_LEFT, 16}, {"SUBJECT", TEXT_LEFT, 16}};
static const struct table_column gone_columns[] = {{"UID", TEXT_RIGHT}, {"RECEIVED"}, {"GONE"},
	{"SIZE", TEXT_RIGHT}, {"FROM", TEXT_LEFT, 12}, {"SUBJECT", TEXT_LEFT, 12}};

struct ls_output {
	struct selection selection;
	bool deleted; /* --deleted or --deleted-only */
	bool json;
	struct str_list seen; /* paths of folders that were listed or exist */
	char *folder;         /* path of the folder the table is for; NULL: none yet */
	uint32_t uidvalidity;
	struct table table;
};

static void ls_output_free(struct ls_output *output)
{
	selection_free(&output->selection);
	str_list_free(&output->seen);
	freep(&output->folder);
}

static bool set_ls_option(void *context, int id, const char *value, struct err *err)
{
	struct ls_output *output = context;

	if (id == OPTION_DELETED) {
		output->deleted = true;
		return true;
	}
	return selection_set(&output->selection, (enum select_option)id, value, err);
}

/* One letter a system flag, as mail programs show them; '+' for any other flag. */
static void flag_letters(const char *flags, char out[FLAG_LETTERS_MAX])
{
	static const struct {
		const char *flag;
		char letter;
	} letters[] = {{"\\Answered", 'A'}, {"\\Deleted", 'D'}, {"\\Draft", 'T'},
		{"\\Flagged", 'F'}, {"\\Seen", 'S'}};
	bool others = false;
	size_t used = 0;

	for (; *flags; flags += strspn(flags, " ")) {
		size_t len = strcspn(flags, " ");
		char letter = '\0';

		for (size_t i = 0; i < ARRAY_LEN(letters); i++)
			if (len == strlen(letters[i].flag) &&
				strncmp(flags, letters[i].flag, len) == 0)
				letter = letters[i].letter;
		if (letter && used + 2 < FLAG_LETTERS_MAX)
			out[used++] = letter;
		others = others || !letter;
		flags += len;
	}
	if (others)
		out[used++] = '+';
	out[used] = '\0';
}

/* Each folder and UIDVALIDITY gets a title: UIDs have no meaning outside them. */
static void begin_folder(struct ls_output *output, const struct archive_entry *entry)
{
	CLEANUP(freep)
	char *shown =
		str_printable(entry->folder_path, strlen(entry->folder_path), PATH_SHOWN_BYTES);

	if (output->folder) {
		table_end(&output->table);
		(void)putchar('\n');
		freep(&output->folder);
	}
	output->folder = xstrdup(entry->folder_path);
	output->uidvalidity = entry->uidvalidity;
	(void)printf("%s (uidvalidity %" PRIu32 ")\n", shown, entry->uidvalidity);
	table_init(&output->table, output->deleted ? gone_columns : columns,
		output->deleted ? ARRAY_LEN(gone_columns) : ARRAY_LEN(columns));
}

static void add_entry_row(struct ls_output *output, const struct archive_entry *entry)
{
	char uid[TABLE_NUMBER_MAX], received[WHEN_TEXT_MAX] = "", gone[WHEN_TEXT_MAX] = "";
	char size[STR_SIZE_MAX], flags[FLAG_LETTERS_MAX];
	const char *cells[] = {uid, received, size, flags, entry->from, entry->subject};
	const char *gone_cells[] = {uid, received, gone, size, entry->from, entry->subject};

	if (!output->folder || entry->uidvalidity != output->uidvalidity ||
		strcmp(output->folder, entry->folder_path) != 0)
		begin_folder(output, entry);
	(void)snprintf(uid, sizeof(uid), "%" PRIu32, entry->uid);
	if (entry->has_date)
		when_format(entry->date.unix_s * 1000, false, received);
	if (entry->gone_ms)
		when_format(entry->gone_ms, false, gone);
	str_format_size(entry->size, size);
	flag_letters(entry->flags, flags);
	table_row(&output->table, output->deleted ? gone_cells : cells);
}

static void remember_folder(struct ls_output *output, const char *path)
{
	struct str_list *seen = &output->seen;

	if (seen->count == 0 || strcmp(seen->items[seen->count - 1], path) != 0)
		str_list_add(seen, path);
}

static bool list_entry(void *context, const struct archive_entry *entry, struct err *err)
{
	struct ls_output *output = context;

	remember_folder(output, entry->folder_path);
	if (!selection_wants_entry(&output->selection, entry))
		return true;
	if (output->json)
		entry_json_print(entry);
	else
		add_entry_row(output, entry);
	return app_can_print(err);
}

static bool list_folder_path(void *context, const struct archive_folder *folder, struct err *err)
{
	(void)err;
	remember_folder(context, folder->path);
	return true;
}

static bool list_messages(
	struct ls_output *output, struct archive *archive, int64_t generation, struct err *err)
{
	const struct archive_list what = {.generation = generation,
		.deleted = output->deleted,
		.only_deleted = output->selection.deleted_only};
	const char *missing;

	if (!archive_each_folder(archive, generation, list_folder_path, output, err) ||
		!archive_each_entry(archive, &what, list_entry, output, err))
		return false;
	if (output->folder)
		table_end(&output->table);
	missing = selection_missing_folder(&output->selection, &output->seen);
	if (missing) {
		CLEANUP(freep)
		char *shown = str_printable(missing, strlen(missing), PATH_SHOWN_BYTES);

		return err_set(err, ERR_NOT_FOUND, "no folder '%s'", shown);
	}
	return true;
}

static bool run_ls(struct app *app, int argc, char **argv, struct err *err)
{
	static const struct option_spec specs[] = {
		SELECT_OPTION_SPECS, {"deleted", OPTION_PLAIN, OPTION_DELETED}};
	CLEANUP(ls_output_free) struct ls_output output = {0};
	const struct options options = {specs, ARRAY_LEN(specs), set_ls_option, &output, 1, 1};
	CLEANUP(account_ref_free) struct account_ref place = {0};
	CLEANUP(archive_freep) struct archive *archive = NULL;
	struct archive_snapshot snapshot;
	struct arguments arguments;

	if (!options_parse(app, argc, argv, &options, &arguments, err) ||
		!account_ref_find(app, arguments.items[0], &place, err) ||
		!app_open(&place, &archive, &snapshot, err))
		return false;
	output.json = app->json;
	output.deleted = output.deleted || output.selection.deleted_only;
	return list_messages(&output, archive, snapshot.generation, err);
}

const struct command cmd_ls = {
	.name = "ls",
	.group = COMMAND_LOOK,
	.summary = "list messages, now or at an earlier snapshot",
	.usage = "ACCOUNT[@WHEN] [SELECTION] [--deleted]",
	.help = "  --deleted             also list messages that are gone from the server\n"
		"\n"
		"Selection:\n" SELECT_HELP "\n"
		"Flags: S seen, A answered, F flagged, T draft, D deleted, + others.\n",
	.run = run_ls,
};
