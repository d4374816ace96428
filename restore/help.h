/* The texts of --help and --version, on stdout, for terminals 80 columns wide. */
#ifndef MAILSTOW_RESTORE_HELP_H
#define MAILSTOW_RESTORE_HELP_H

#include "restore/app.h"

/* `commands` ends with NULL. */
void help_overview(const struct command *const *commands);
void help_command(const struct command *command);
void help_version(void);

/* The command a mistyped name was probably meant for; NULL: none is close. */
const struct command *help_nearest(const struct command *const *commands, const char *name);

#endif
