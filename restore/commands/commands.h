/* Every command of `mailstow`; the table in restore/main.c lists them in the order of --help. */
#ifndef MAILSTOW_RESTORE_COMMANDS_COMMANDS_H
#define MAILSTOW_RESTORE_COMMANDS_COMMANDS_H

#include "restore/app.h"

extern const struct command cmd_account;
extern const struct command cmd_cat;
extern const struct command cmd_check;
extern const struct command cmd_config;
extern const struct command cmd_copy;
extern const struct command cmd_diff;
extern const struct command cmd_folders;
extern const struct command cmd_forget;
extern const struct command cmd_key;
extern const struct command cmd_ls;
extern const struct command cmd_pin;
extern const struct command cmd_prune;
extern const struct command cmd_rebuild;
extern const struct command cmd_restore;
extern const struct command cmd_seal;
extern const struct command cmd_snapshots;
extern const struct command cmd_status;
extern const struct command cmd_unpin;

#endif
