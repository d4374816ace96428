/* `mailstow copy`: a consistent copy of an archive, brought up to date on later runs. */
#include <stdio.h>

#include "archive/copy.h"
#include "base/fs.h"
#include "base/str.h"
#include "restore/app_archive.h"
#include "restore/app_secrets.h"
#include "restore/commands/commands.h"
#include "restore/options.h"

static bool run_copy(struct app *app, int argc, char **argv, struct err *err)
{
	const struct options options = {.arguments_min = 2, .arguments_max = 2};
	CLEANUP(account_ref_free) struct account_ref place = {0};
	struct archive_copied copied;
	struct arguments arguments;
	char size[STR_SIZE_MAX], files[STR_COUNT_MAX];

	if (!options_parse(app, argc, argv, &options, &arguments, err) ||
		!account_ref_find_whole(app, arguments.items[0], &place, err))
		return false;
	if (fs_is_within(arguments.items[1], place.archive.path))
		return err_set(err, ERR_CREATE,
			"%s: is inside the archive; choose a folder outside it",
			arguments.items[1]);
	if (!app_unlock(&place, err) || !archive_copy(&place.archive, arguments.items[1],
						ARCHIVE_LOCK_TIMEOUT_MS, &copied, err))
		return false;
	app_remember_copy(place.archive.path, arguments.items[1]);
	str_format_size(copied.bytes, size);
	str_format_count(copied.files, "file", files);
	if (!app->json && copied.files == 0)
		(void)printf("The copy is up to date.\n");
	else if (!app->json)
		(void)printf("%s copied (%s).\n", files, size);
	return true;
}

const struct command cmd_copy = {
	.name = "copy",
	.group = COMMAND_SETUP,
	.summary = "copy an archive, or bring its copy up to date",
	.usage = "ACCOUNT DIR",
	.help = "Makes DIR a copy of the archive in its newest state, even while mailstowd runs.\n"
		"Only what DIR lacks is copied. The copy is a complete archive in itself:\n"
		"  mailstow ls DIR/\n"
		"  mailstow restore DIR/ --to ACCOUNT2\n"
		"A copy made before 'key encrypt' or 'key rotate' cannot be updated: copy to\n"
		"another folder, then remove the old copy.\n",
	.run = run_copy,
};
