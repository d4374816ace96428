/* `mailstow seal`: writes full volumes once more, smaller. */
#include <inttypes.h>
#include <stdio.h>

#include "archive/archive.h"
#include "archive/seal.h"
#include "base/str.h"
#include "restore/app_secrets.h"
#include "restore/commands/commands.h"
#include "restore/options.h"
#include "restore/ui/json.h"

enum { OPEN_BYTES_MIN = 1024 * 1024 };

static void print_sealed_json(const struct archive_sealed *sealed)
{
	struct json *line = json_begin();

	json_put_bool(line, "summary", true);
	json_put_count(line, "volumes", sealed->volumes);
	json_put_count(line, "merged", sealed->merged);
	json_put_count(line, "bytes_before", sealed->bytes_before);
	json_put_count(line, "bytes_after", sealed->bytes_after);
	json_print(line);
}

static void print_sealed(const struct archive_sealed *sealed)
{
	char volumes[STR_COUNT_MAX], before[STR_SIZE_MAX], after[STR_SIZE_MAX];

	str_format_count(sealed->volumes, "volume", volumes);
	str_format_size(sealed->bytes_before, before);
	str_format_size(sealed->bytes_after, after);
	if (sealed->volumes == 0)
		(void)printf("Nothing to seal.\n");
	else
		(void)printf("Sealed %s: %s became %s.\n", volumes, before, after);
	if (sealed->merged > 0)
		(void)printf("Merged %" PRIu64 " small volumes into one.\n", sealed->merged);
}

static bool run_seal(struct app *app, int argc, char **argv, struct err *err)
{
	const struct options options = {.arguments_min = 1, .arguments_max = 1};
	const struct archive_seal seal = {
		.open_bytes_min = OPEN_BYTES_MIN, .small_count = SEAL_SMALL_COUNT};
	CLEANUP(account_ref_free) struct account_ref place = {0};
	struct archive_sealed sealed;
	struct arguments arguments;

	if (!options_parse(app, argc, argv, &options, &arguments, err) ||
		!account_ref_find_whole(app, arguments.items[0], &place, err))
		return false;
	if (!app_unlock(&place, err) ||
		!archive_seal(&place.archive, &seal, ARCHIVE_LOCK_TIMEOUT_MS, &sealed, err))
		return false;
	if (app->json)
		print_sealed_json(&sealed);
	else
		print_sealed(&sealed);
	return true;
}

const struct command cmd_seal = {
	.name = "seal",
	.group = COMMAND_SETUP,
	.summary = "repack volumes so that they take less space",
	.usage = "ACCOUNT",
	.help = "New mail is stored quickly, with light compression. Sealing repacks a volume:\n"
		"sorts it by folder, compresses it harder, compares every byte, and replaces the\n"
		"old file. Nothing is appended to a sealed volume. mailstowd seals when it is\n"
		"idle; this command seals now, including the newest volume if it holds at least\n"
		"1 MiB. Eight sealed volumes below 32 MB are merged into one.\n",
	.run = run_seal,
};
