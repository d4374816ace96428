#include <stdio.h>

#include "archive/catalogue/rebuild.h"
#include "restore/app_secrets.h"
#include "restore/commands/commands.h"
#include "restore/options.h"
#include "restore/ui/json.h"

static bool run(struct app *app, int argc, char **argv, struct err *err)
{
	const struct options options = {.arguments_min = 1, .arguments_max = 1};
	CLEANUP(account_ref_free) struct account_ref place = {0};
	CLEANUP(archive_freep) struct archive *archive = NULL;
	struct archive_facts facts;
	struct arguments arguments;

	if (!options_parse(app, argc, argv, &options, &arguments, err) ||
		!account_ref_find(app, arguments.items[0], &place, err))
		return false;
	if (place.when_given)
		return err_set(err, ERR_USAGE, "rebuild: the whole archive, without @WHEN");
	if (!app_unlock(&place, err) ||
		!archive_rebuild(place.archive_path, ARCHIVE_LOCK_TIMEOUT_MS, err) ||
		!archive_open(place.archive_path, &archive, err) ||
		!archive_facts(archive, &facts, err))
		return false;
	if (!app->json)
		(void)printf("The catalogue is made anew: %llu messages at snapshot %lld.\n",
			(unsigned long long)facts.messages, (long long)facts.generation);
	return true;
}

const struct command cmd_rebuild = {
	.name = "rebuild",
	.group = COMMAND_SETUP,
	.summary = "make a lost or damaged catalogue anew",
	.usage = "ACCOUNT",
	.help = "Of the volumes alone, which hold everything. What is there is replaced when\n"
		"the new catalogue is complete.\n",
	.run = run,
};
