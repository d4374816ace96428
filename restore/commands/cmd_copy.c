#include <stdio.h>

#include "archive/copy.h"
#include "base/fs.h"
#include "base/str.h"
#include "restore/app_archive.h"
#include "restore/app_secrets.h"
#include "restore/commands/commands.h"
#include "restore/options.h"

static bool run(struct app *app, int argc, char **argv, struct err *err)
{
	const struct options options = {.arguments_min = 2, .arguments_max = 2};
	CLEANUP(account_ref_free) struct account_ref place = {0};
	struct archive_copied copied;
	struct arguments arguments;
	char size[STR_SIZE_MAX], files[STR_COUNT_MAX];

	if (!options_parse(app, argc, argv, &options, &arguments, err) ||
		!account_ref_find(app, arguments.items[0], &place, err))
		return false;
	if (place.when_given)
		return err_set(err, ERR_USAGE, "copy: the whole archive, without @WHEN");
	if (fs_is_within(arguments.items[1], place.archive_path))
		return err_set(err, ERR_CREATE,
			"%s: lies in the archive itself; a copy goes elsewhere",
			arguments.items[1]);
	if (!app_unlock(&place, err) || !archive_copy(place.archive_path, arguments.items[1],
						ARCHIVE_LOCK_TIMEOUT_MS, &copied, err))
		return false;
	app_remember_copy(place.archive_path, arguments.items[1]);
	str_format_size(copied.bytes, size);
	str_format_count(copied.files, "file", files);
	if (!app->json && copied.files == 0)
		(void)printf("Nothing was to be copied.\n");
	else if (!app->json)
		(void)printf("%s copied (%s).\n", files, size);
	return true;
}

const struct command cmd_copy = {
	.name = "copy",
	.group = COMMAND_SETUP,
	.summary = "copy an archive, or bring its copy up to date",
	.usage = "ACCOUNT DIR",
	.help = "DIR becomes an archive as it is now, also while mailstowd runs. What the copy\n"
		"has already is not copied again. Everything works from it alone:\n"
		"mailstow ls DIR/, mailstow restore DIR/ --to ACCOUNT2. A copy of before the\n"
		"master key changed is left as it is: copy to another folder, then remove it.\n",
	.run = run,
};
