/* `mailstow rebuild`: a new catalogue from the volumes alone. */
#include <stdio.h>

#include "archive/archive.h"
#include "base/str.h"
#include "restore/app_secrets.h"
#include "restore/commands/commands.h"
#include "restore/options.h"
#include "restore/ui/json.h"

static bool run_rebuild(struct app *app, int argc, char **argv, struct err *err)
{
	const struct options options = {.arguments_min = 1, .arguments_max = 1};
	CLEANUP(account_ref_free) struct account_ref place = {0};
	CLEANUP(archive_freep) struct archive *archive = NULL;
	struct archive_facts facts;
	struct arguments arguments;
	char messages[STR_COUNT_MAX];

	if (!options_parse(app, argc, argv, &options, &arguments, err) ||
		!account_ref_find_whole(app, arguments.items[0], &place, err))
		return false;
	if (!app_unlock(&place, err) ||
		!archive_rebuild(&place.archive, ARCHIVE_LOCK_TIMEOUT_MS, err) ||
		!archive_open(&place.archive, &archive, err) ||
		!archive_facts(archive, &facts, err))
		return false;
	str_format_count(facts.messages, "message", messages);
	if (!app->json)
		(void)printf("Catalogue rebuilt: %s at snapshot %lld.\n", messages,
			(long long)facts.generation);
	return true;
}

const struct command cmd_rebuild = {
	.name = "rebuild",
	.group = COMMAND_SETUP,
	.summary = "rebuild a lost or damaged catalogue",
	.usage = "ACCOUNT",
	.help = "Reads the volumes, which hold everything. Replaces the old catalogue once the\n"
		"new one is complete.\n",
	.run = run_rebuild,
};
