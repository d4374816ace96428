/* `mailstow cat`: writes one message to stdout, byte for byte. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "restore/app_archive.h"
#include "restore/commands/commands.h"
#include "restore/options.h"
#include "restore/ui/when.h"

enum cat_option { OPTION_UIDVALIDITY };

enum { PATH_SHOWN_BYTES = 200 };

struct wanted_message {
	const char *folder; /* path */
	uint32_t uid;
	uint32_t uidvalidity; /* 0: the folder's current one */
	int64_t message_id;   /* 0: not found yet */
	uint32_t found_uidvalidity;
	int64_t gone_ms;
};

static bool parse_u32(const char *what, const char *text, uint32_t *ret_number, struct err *err)
{
	CLEANUP(freep) char *shown = NULL;
	uint64_t number;

	if (str_parse_u64(text, &number) && number >= 1 && number <= UINT32_MAX) {
		*ret_number = (uint32_t)number;
		return true;
	}
	shown = str_printable(text, strlen(text), PATH_SHOWN_BYTES);
	return err_set(
		err, ERR_USAGE, "%s '%s': expected a number from 1 to 4294967295", what, shown);
}

static bool set_uidvalidity(void *context, int id, const char *value, struct err *err)
{
	struct wanted_message *wanted = context;

	(void)id;
	return parse_u32("--uidvalidity", value, &wanted->uidvalidity, err);
}

static bool match_entry(void *context, const struct archive_entry *entry, struct err *err)
{
	struct wanted_message *wanted = context;
	bool inbox = str_equal_case(wanted->folder, "INBOX");

	(void)err;
	if (entry->uid != wanted->uid)
		return true;
	if (wanted->uidvalidity && entry->uidvalidity != wanted->uidvalidity)
		return true;
	if (strcmp(entry->folder_path, wanted->folder) != 0 &&
		!(inbox && str_equal_case(entry->folder_path, "INBOX")))
		return true;
	wanted->message_id = entry->message_id;
	wanted->found_uidvalidity = entry->uidvalidity;
	wanted->gone_ms = entry->gone_ms;
	return true;
}

static bool report_missing(const struct wanted_message *wanted, int64_t folder_id, struct err *err)
{
	CLEANUP(freep)
	char *shown = str_printable(wanted->folder, strlen(wanted->folder), PATH_SHOWN_BYTES);
	char gone[WHEN_TEXT_MAX];

	if (wanted->message_id) {
		when_format(wanted->gone_ms, false, gone);
		return err_set(err, ERR_NOT_FOUND,
			"%s: message %" PRIu32
			" was already gone (since %s); --uidvalidity %" PRIu32 " shows it anyway",
			shown, wanted->uid, gone, wanted->found_uidvalidity);
	}
	if (folder_id == 0)
		return err_set(err, ERR_NOT_FOUND, "no folder '%s'", shown);
	return err_set(err, ERR_NOT_FOUND, "%s: no message %" PRIu32, shown, wanted->uid);
}

/*
 * Finds the message among those present at the snapshot. --uidvalidity names one message for all
 * time, so with it the search goes on among those already gone.
 */
static bool find_wanted_message(
	struct archive *archive, int64_t generation, struct wanted_message *wanted, struct err *err)
{
	struct archive_list list = {.generation = generation};
	struct err no_folder = ERR_INIT;

	if (!app_folder(archive, generation, wanted->folder, &list.folder_id, &no_folder) &&
		no_folder.kind != ERR_NOT_FOUND) {
		*err = no_folder;
		return false;
	}
	if (list.folder_id && !archive_each_entry(archive, &list, match_entry, wanted, err))
		return false;
	if (wanted->message_id)
		return true;
	list.deleted = list.only_deleted = true;
	if (!archive_each_entry(archive, &list, match_entry, wanted, err))
		return false;
	return (wanted->message_id && wanted->uidvalidity) ||
	       report_missing(wanted, list.folder_id, err);
}

static bool write_piece(void *context, const uint8_t *data, size_t len, struct err *err)
{
	(void)context;
	if (fwrite(data, 1, len, stdout) == len)
		return true;
	return app_flush(err);
}

static bool run_cat(struct app *app, int argc, char **argv, struct err *err)
{
	static const struct option_spec specs[] = {
		{"uidvalidity", OPTION_VALUE, OPTION_UIDVALIDITY}};
	struct wanted_message wanted = {0};
	const struct options options = {specs, ARRAY_LEN(specs), set_uidvalidity, &wanted, 3, 3};
	CLEANUP(account_ref_free) struct account_ref place = {0};
	CLEANUP(archive_freep) struct archive *archive = NULL;
	struct archive_snapshot snapshot;
	struct arguments arguments;

	if (!options_parse(app, argc, argv, &options, &arguments, err))
		return false;
	wanted.folder = arguments.items[1];
	if (!parse_u32("UID", arguments.items[2], &wanted.uid, err) ||
		!account_ref_find(app, arguments.items[0], &place, err) ||
		!app_open(&place, &archive, &snapshot, err) ||
		!find_wanted_message(archive, snapshot.generation, &wanted, err))
		return false;
	return archive_read_message(archive, wanted.message_id, write_piece, NULL, err);
}

const struct command cmd_cat = {
	.name = "cat",
	.group = COMMAND_LOOK,
	.summary = "print a message, byte for byte",
	.usage = "ACCOUNT[@WHEN] FOLDER UID [--uidvalidity N]",
	.help = "  --uidvalidity N       as shown by 'mailstow ls'; with it, messages that\n"
		"                        were already gone at that snapshot are found too\n",
	.run = run_cat,
};
