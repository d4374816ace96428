/*
 * The configuration file (INI, libinih) and the lists of accounts it names: text in, checked
 * structs out. Keys and defaults are those of mailstow.conf(5). Loading fetches no password.
 *
 * [template NAME] has the keys of an account. [accounts-from NAME] names a `file` whose lines are
 * name<TAB>address<TAB>user (user is optional; '#' begins a comment); each line is an account with
 * the template's keys. In the template's values %u is the local part of the address, %d its domain,
 * %% a percent sign. In values where other characters are dangerous (commands, paths, hosts, ...)
 * only letters, digits and . _ + = - are substituted.
 *
 * Paths may begin with "~"; relative paths start at the folder of the configuration file.
 *
 * Every problem is one line "FILE:LINE: KEY: reason; expected ...". All of them are collected, up
 * to CONFIG_PROBLEMS_MAX, sorted by file and line. None contains a secret.
 */
#ifndef MAILSTOW_CONFIG_CONFIG_H
#define MAILSTOW_CONFIG_CONFIG_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/str.h"
#include "config/account.h"
#include "config/account_secret.h"
#include "config/config_file.h"
#include "config/config_limits.h"
#include "config/default_paths.h"
#include "config/keep_rules.h"
#include "config/values.h"

struct config {
	char *file; /* its path */
	char *archive_dir;
	int workers;
	char *metrics_listen, *metrics_textfile, *notify_command; /* NULL: off */
	struct config_account *accounts;                          /* in file order */
	size_t accounts_count;
};

/*
 * Reads and checks. On failure (ERR_CONFIG) err is the first problem and, when problems is not
 * NULL, problems gets all of them.
 */
bool config_load(
	const char *path, struct config **ret_config, struct str_list *problems, struct err *err);

/*
 * Loads the file as if `section` were appended to it, to check a section before config_add() writes
 * it. A missing file counts as empty.
 */
bool config_load_with(const char *path, const char *section, struct config **ret_config,
	struct str_list *problems, struct err *err);

/*
 * For --check-config: as config_load(), and the files it names must exist and be readable; those
 * that hold secrets must not be accessible to others.
 */
bool config_check(const char *path, struct str_list *problems, struct err *err);

void config_freep(struct config **config);

/* By name, else by address when exactly one account has it. NULL: none. */
const struct config_account *config_account(const struct config *config, const char *name);

#endif
