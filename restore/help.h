/* What `mailstow`, --help and --version print, on stdout, for terminals 80 columns wide. */
#ifndef MAILSTOW_RESTORE_HELP_H
#define MAILSTOW_RESTORE_HELP_H

#include "restore/app.h"

/* All commands: the table main() knows, ended by NULL. */
extern const struct command *const commands[];

void help_overview(void);
void help_command(const struct command *command);
void help_version(void);

/* The command whose name is nearest to a mistyped one. NULL: none is near. */
const struct command *help_nearest(const char *name);

#endif
