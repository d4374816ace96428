#include <stdio.h>
#include <string.h>

#include "restore/app.h"
#include "restore/json.h"
#include "restore/select.h"
#include "restore/table.h"

enum { OPTION_DELETED = 256 };

struct listing {
	const struct selection *selection;
	struct table *table; /* NULL: JSON */
};

static void as_json(const struct archive_entry *entry)
{
	struct json *line = json_line();
	char sha256[SHA256_HEX_MAX], date[ZONED_TIME_TEXT_MAX];

	sha256_hex(entry->sha256, sha256);
	zoned_time_format_rfc3339(entry->date, date);
	json_text(line, "folder", entry->folder_path);
	json_int(line, "uidvalidity", entry->uidvalidity);
	json_int(line, "uid", entry->uid);
	json_int(line, "size", (int64_t)entry->size);
	json_text(line, "sha256", sha256);
	json_text(line, "internaldate", entry->has_date ? date : NULL);
	json_words(line, "flags", entry->flags);
	json_time_ms(line, "added", entry->added_ms);
	json_time_ms(line, "gone", entry->gone_ms);
	json_text(line, "from", entry->from);
	json_text(line, "subject", entry->subject);
	json_text(line, "date", entry->date_header);
	json_text(line, "message_id", entry->header_message_id);
	json_print(line);
}

/* One letter a system flag, as mail programs show them; '+' for keywords. */
static void short_flags(const char *flags, char out[8])
{
	static const struct {
		const char *flag;
		char letter;
	} letters[] = {{"\\Seen", 'S'}, {"\\Answered", 'A'}, {"\\Flagged", 'F'}, {"\\Draft", 'D'},
		{"\\Deleted", 'T'}};
	size_t len = 0;
	bool keyword = false;

	for (size_t i = 0; i < ARRAY_LEN(letters); i++)
		if (strstr(flags, letters[i].flag))
			out[len++] = letters[i].letter;
	for (const char *at = flags; *at; at += strcspn(at, " "), at += strspn(at, " "))
		keyword = keyword || *at != '\\';
	if (keyword)
		out[len++] = '+';
	out[len] = '\0';
}

static void as_row(struct table *table, const struct archive_entry *entry)
{
	char flags[8];

	short_flags(entry->flags, flags);
	table_cell(table, entry->folder_path);
	table_number(table, entry->uid);
	table_time_ms(table, entry->has_date ? entry->date.unix_s * 1000 : 0);
	table_size(table, entry->size);
	table_cell(table, entry->gone_ms ? "gone" : flags);
	table_cell(table, entry->from);
	table_cell(table, entry->subject);
}

static bool list_one(void *context, const struct archive_entry *entry, struct err *err)
{
	struct listing *listing = context;

	(void)err;
	if (!select_entry(listing->selection, entry))
		return true;
	if (listing->table)
		as_row(listing->table, entry);
	else
		as_json(entry);
	return true;
}

static int list(
	struct app *app, const char *account, const struct selection *selection, bool deleted)
{
	static const char *const heads[] = {
		"FOLDER", "UID", "RECEIVED", "SIZE", "FLAGS", "FROM", "SUBJECT"};
	CLEANUP(moment_free) struct moment moment = {0};
	struct listing listing = {.selection = selection};
	struct archive_list what = {.only_deleted = selection->deleted_only};
	struct err err = ERR_INIT;
	bool done;

	if (!app_open(app, account, &moment, &err))
		return app_fail(&err);
	what.generation = moment.at.generation;
	what.deleted = deleted || selection->deleted_only;
	if (!app->json) {
		listing.table = table_new("xrlrlxx");
		for (size_t i = 0; i < ARRAY_LEN(heads); i++)
			table_cell(listing.table, heads[i]);
	}
	done = archive_each_entry(moment.archive, &what, list_one, &listing, &err);
	if (listing.table)
		table_print(listing.table);
	return done ? 0 : app_fail(&err);
}

int cmd_ls(struct app *app, int argc, char **argv)
{
	static const struct option options[] = {
		SELECT_OPTIONS, {"deleted", no_argument, NULL, OPTION_DELETED}, {0}};
	CLEANUP(select_free) struct selection selection = {0};
	struct err err = ERR_INIT;
	bool deleted = false, ours;
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == OPTION_DELETED)
			deleted = true;
		else if (!select_option(&selection, option, optarg, &ours, &err))
			return app_fail(&err);
		else if (!ours)
			return app_usage("ls", "unknown option");
	}
	if (argc - optind != 1)
		return app_usage("ls", "ls takes one ACCOUNT[@WHEN]");
	return list(app, argv[optind], &selection, deleted);
}
