#include "restore/help.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

enum { NEAR_EDITS_MAX = 2, USAGE_COLUMNS_MAX = 79 };

static const char *const group_titles[COMMAND_GROUPS] = {
	[COMMAND_LOOK] = "Look",
	[COMMAND_RESTORE] = "Get mail back",
	[COMMAND_SETUP] = "Set up and maintain",
};

static const char common_help[] =
	"Options of every command:\n"
	"  -c, --config FILE     use this configuration file\n"
	"  --json                print JSON Lines\n"
	"  --progress=WHEN       show progress: auto, always or never\n"
	"  --yes                 do not ask for confirmation (without a terminal,\n"
	"                        mailstow never asks)\n"
	"  --help, --version\n";

void help_overview(const struct command *const *commands)
{
	(void)printf(
		"mailstow looks into the mail archives that mailstowd keeps, and restores mail.\n\n"
		"Usage: mailstow COMMAND [ARGUMENTS]\n");
	for (int group = 0; group < COMMAND_GROUPS; group++) {
		bool titled = false;

		for (const struct command *const *c = commands; *c; c++) {
			if ((int)(*c)->group != group)
				continue;
			if (!titled)
				(void)printf("\n%s\n", group_titles[group]);
			titled = true;
			(void)printf("  %-14s%s\n", (*c)->name, (*c)->summary);
		}
	}
	(void)printf("\nACCOUNT is an account's name or address, or the path of an archive. @WHEN\n"
		     "chooses an earlier state: a snapshot number, a date or a time.\n"
		     "\n"
		     "  mailstow status                        the state of every account\n"
		     "  mailstow ls alice@2026-11-20 --folder INBOX\n"
		     "                                         the inbox at the end of that day\n"
		     "\n%s\n"
		     "'mailstow COMMAND --help' explains a command.\n",
		common_help);
}

/* Length of the part of a usage that stays on one line: up to the next option, "[", or form. */
static size_t unbroken_length(const char *usage)
{
	size_t len = strcspn(usage, " \n");

	while (usage[len] == ' ' && usage[len + 1] != '[' && usage[len + 1] != '-')
		len += 1 + strcspn(usage + len + 1, " \n");
	return len;
}

static void print_usage(const struct command *command)
{
	int indent = printf("Usage: mailstow %s", command->name);
	int column = indent;

	for (const char *at = command->usage; *at;) {
		int len = (int)unbroken_length(at);

		if (column + 1 + len > USAGE_COLUMNS_MAX)
			column = printf("\n%*s", indent, "") - 1;
		column += printf(" %.*s", len, at);
		at += len;
		if (*at == '\n')
			column = printf("\n       mailstow %s", command->name) - 1;
		at += *at != '\0';
	}
	(void)putchar('\n');
}

void help_command(const struct command *command)
{
	print_usage(command);
	(void)printf(
		"\n%c%s.\n", toupper((unsigned char)command->summary[0]), command->summary + 1);
	if (command->help[0])
		(void)printf("\n%s", command->help);
	(void)printf("\n%s", common_help);
}

void help_version(void)
{
	(void)printf("mailstow %s\n", MAILSTOW_VERSION);
}

const struct command *help_nearest(const struct command *const *commands, const char *name)
{
	const struct command *nearest = NULL;
	size_t fewest = NEAR_EDITS_MAX + 1;

	for (const struct command *const *c = commands; *c; c++) {
		size_t edits = str_edits(name, (*c)->name);

		if (edits < fewest && edits < strlen((*c)->name)) {
			fewest = edits;
			nearest = *c;
		}
	}
	return nearest;
}
