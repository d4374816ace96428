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

enum { SHOWN_BYTES = 200, FLAG_LETTERS_MAX = 16 };

static const struct table_column columns[] = {{"UID", TEXT_RIGHT}, {"RECEIVED"},
	{"SIZE", TEXT_RIGHT}, {"FLAGS"}, {"FROM", TEXT_LEFT, 16}, {"SUBJECT", TEXT_LEFT, 16}};
static const struct table_column gone_columns[] = {{"UID", TEXT_RIGHT}, {"RECEIVED"}, {"GONE"},
	{"SIZE", TEXT_RIGHT}, {"FROM", TEXT_LEFT, 12}, {"SUBJECT", TEXT_LEFT, 12}};

struct listing {
	struct selection selection;
	bool deleted; /* --deleted or --deleted-only */
	bool json;
	struct str_list seen; /* paths of folders that were listed or exist */
	char *folder;         /* whose messages the table holds; NULL: none yet */
	uint32_t uidvalidity;
	struct table table;
};

static void listing_free(struct listing *listing)
{
	selection_free(&listing->selection);
	str_list_free(&listing->seen);
	freep(&listing->folder);
}

static bool set_option(void *context, int id, const char *value, struct err *err)
{
	struct listing *listing = context;

	if (id == OPTION_DELETED) {
		listing->deleted = true;
		return true;
	}
	return selection_set(&listing->selection, (enum select_option)id, value, err);
}

static void print_json(const struct archive_entry *entry)
{
	struct json *line = json_begin();

	entry_json_put(line, entry);
	json_print(line);
}

/* Letters as mail programs use them; '+' for anything else that is set. */
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

/* A title for each folder and UIDVALIDITY, since UIDs mean something only there. */
static void begin_folder(struct listing *listing, const struct archive_entry *entry)
{
	CLEANUP(freep)
	char *shown = str_printable(entry->folder_path, strlen(entry->folder_path), SHOWN_BYTES);

	if (listing->folder) {
		table_end(&listing->table);
		(void)putchar('\n');
		freep(&listing->folder);
	}
	listing->folder = xstrdup(entry->folder_path);
	listing->uidvalidity = entry->uidvalidity;
	(void)printf("%s (uidvalidity %" PRIu32 ")\n", shown, entry->uidvalidity);
	table_init(&listing->table, listing->deleted ? gone_columns : columns,
		listing->deleted ? ARRAY_LEN(gone_columns) : ARRAY_LEN(columns));
}

static void print_row(struct listing *listing, const struct archive_entry *entry)
{
	char uid[TABLE_NUMBER_MAX], received[WHEN_TEXT_MAX] = "", gone[WHEN_TEXT_MAX] = "";
	char size[STR_SIZE_MAX], flags[FLAG_LETTERS_MAX];
	const char *cells[] = {uid, received, size, flags, entry->from, entry->subject};
	const char *gone_cells[] = {uid, received, gone, size, entry->from, entry->subject};

	if (!listing->folder || entry->uidvalidity != listing->uidvalidity ||
		strcmp(listing->folder, entry->folder_path) != 0)
		begin_folder(listing, entry);
	(void)snprintf(uid, sizeof(uid), "%" PRIu32, entry->uid);
	if (entry->has_date)
		when_format(entry->date.unix_s * 1000, false, received);
	if (entry->gone_ms)
		when_format(entry->gone_ms, false, gone);
	str_format_size(entry->size, size);
	flag_letters(entry->flags, flags);
	table_row(&listing->table, listing->deleted ? gone_cells : cells);
}

static void note_folder(struct listing *listing, const char *path)
{
	struct str_list *seen = &listing->seen;

	if (seen->count == 0 || strcmp(seen->items[seen->count - 1], path) != 0)
		str_list_add(seen, path);
}

static bool one_entry(void *context, const struct archive_entry *entry, struct err *err)
{
	struct listing *listing = context;

	note_folder(listing, entry->folder_path);
	if (!selection_wants_entry(&listing->selection, entry))
		return true;
	if (listing->json)
		print_json(entry);
	else
		print_row(listing, entry);
	return !ferror(stdout) || app_flush(err);
}

static bool one_folder(void *context, const struct archive_folder *folder, struct err *err)
{
	(void)err;
	note_folder(context, folder->path);
	return true;
}

static bool list(
	struct listing *listing, struct archive *archive, int64_t generation, struct err *err)
{
	const struct archive_list what = {.generation = generation,
		.deleted = listing->deleted,
		.only_deleted = listing->selection.deleted_only};
	const char *missing;

	if (!archive_each_folder(archive, generation, one_folder, listing, err) ||
		!archive_each_entry(archive, &what, one_entry, listing, err))
		return false;
	if (listing->folder)
		table_end(&listing->table);
	missing = selection_missing_folder(&listing->selection, &listing->seen);
	if (missing) {
		CLEANUP(freep) char *shown = str_printable(missing, strlen(missing), SHOWN_BYTES);

		return err_set(err, ERR_NOT_FOUND, "no folder '%s'", shown);
	}
	return true;
}

static bool run(struct app *app, int argc, char **argv, struct err *err)
{
	static const struct option_spec specs[] = {
		SELECT_OPTION_SPECS, {"deleted", OPTION_PLAIN, OPTION_DELETED}};
	CLEANUP(listing_free) struct listing listing = {0};
	const struct options options = {specs, ARRAY_LEN(specs), set_option, &listing, 1, 1};
	CLEANUP(account_ref_free) struct account_ref place = {0};
	CLEANUP(archive_freep) struct archive *archive = NULL;
	struct archive_snapshot snapshot;
	struct arguments arguments;

	if (!options_parse(app, argc, argv, &options, &arguments, err) ||
		!account_ref_find(app, arguments.items[0], &place, err) ||
		!app_open(&place, &archive, &snapshot, err))
		return false;
	listing.json = app->json;
	listing.deleted = listing.deleted || listing.selection.deleted_only;
	return list(&listing, archive, snapshot.generation, err);
}

const struct command cmd_ls = {
	.name = "ls",
	.group = COMMAND_LOOK,
	.summary = "list messages, now or at any moment of the past",
	.usage = "ACCOUNT[@WHEN] [SELECTION] [--deleted]",
	.help = "  --deleted             also what was on the server once and is gone\n"
		"\n"
		"Selection:\n" SELECT_HELP "\n"
		"Flags: S seen, A answered, F flagged, T draft, D deleted, + others.\n",
	.run = run,
};
