/*
 * A configuration while it is being loaded: the document, the accounts found so far and the
 * problems. Puts one key or a whole section into a struct.
 */
#ifndef MAILSTOW_CONFIG_LOAD_LOAD_H
#define MAILSTOW_CONFIG_LOAD_LOAD_H

#include "config/account.h"
#include "config/load/document.h"
#include "config/load/key_table.h"
#include "config/load/problems.h"

/* Where an account comes from. */
struct origin {
	struct config_place place;
	const struct section *section; /* NULL: a line of a list */
};

struct config_load {
	struct config_account *accounts; /* in file order */
	size_t accounts_count, accounts_cap;
	struct origin *origins; /* one for each account */
	size_t origins_cap;
	struct problems problems;
	struct document document;
	char *folder;       /* of the configuration file, "" for the current one */
	bool check_files;   /* config_check() */
	bool accounts_full; /* CONFIG_ACCOUNTS_MAX is exceeded, and that has been reported */
};

/* load is zeroed but for check_files. */
void load_begin(struct config_load *load, const char *path);
void load_free(struct config_load *load); /* also for CLEANUP(); with the accounts not taken */

/* The line of `key` in the origin's section, else the origin's own line. */
struct config_place origin_place(const struct origin *origin, const char *key);

/* One key with its value. */
struct setting {
	const char *section; /* its name */
	const char *key, *value;
	struct config_place place;
};

/* Sets the member of *target that the key is for, or adds a problem. */
void load_set(struct config_load *load, const struct key_table *table, void *target,
	const struct setting *setting);
void load_set_section(struct config_load *load, const struct key_table *table, void *target,
	const struct section *section);

/* Frees what the account owns. */
void account_clear(struct config_account *account);

#endif
