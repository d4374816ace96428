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

static void tell_json(const struct archive_sealed *sealed)
{
	struct json *line = json_begin();

	json_put_bool(line, "summary", true);
	json_put_count(line, "volumes", sealed->volumes);
	json_put_count(line, "merged", sealed->merged);
	json_put_count(line, "bytes_before", sealed->bytes_before);
	json_put_count(line, "bytes_after", sealed->bytes_after);
	json_print(line);
}

static void tell(const struct archive_sealed *sealed)
{
	char volumes[STR_COUNT_MAX], before[STR_SIZE_MAX], after[STR_SIZE_MAX];

	str_format_count(sealed->volumes, "volume", volumes);
	str_format_size(sealed->bytes_before, before);
	str_format_size(sealed->bytes_after, after);
	if (sealed->volumes == 0)
		(void)printf("Nothing to seal.\n");
	else
		(void)printf("Sealed: %s, %s are %s now.\n", volumes, before, after);
	if (sealed->merged > 0)
		(void)printf("%" PRIu64 " small volumes became one.\n", sealed->merged);
}

static bool run(struct app *app, int argc, char **argv, struct err *err)
{
	const struct options options = {.arguments_min = 1, .arguments_max = 1};
	const struct archive_seal seal = {
		.open_bytes_min = OPEN_BYTES_MIN, .small_count = SEAL_SMALL_COUNT};
	CLEANUP(account_ref_free) struct account_ref place = {0};
	struct archive_sealed sealed;
	struct arguments arguments;

	if (!options_parse(app, argc, argv, &options, &arguments, err) ||
		!account_ref_find(app, arguments.items[0], &place, err))
		return false;
	if (place.when_given)
		return err_set(err, ERR_USAGE, "seal: the whole archive, without @WHEN");
	if (!app_unlock(&place, err) ||
		!archive_seal(place.archive_path, &seal, ARCHIVE_LOCK_TIMEOUT_MS, &sealed, err))
		return false;
	if (app->json)
		tell_json(&sealed);
	else
		tell(&sealed);
	return true;
}

const struct command cmd_seal = {
	.name = "seal",
	.group = COMMAND_SETUP,
	.summary = "press what has come as small as it gets",
	.usage = "ACCOUNT",
	.help = "Mail is stored fast when it comes. Sealing writes it once more, together by\n"
		"folder and pressed harder, compares every byte, and puts the new file in the\n"
		"place of the old one. The daemon does so by itself when it has been quiet; this\n"
		"does it now, for the newest volume too if it has 1 MiB. Of eight sealed volumes\n"
		"below 32 MB one is made.\n",
	.run = run,
};
