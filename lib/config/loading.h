/* A configuration on its way from the document to structs: what the parts of this room share. */
#ifndef MAILSTOW_CONFIG_LOADING_H
#define MAILSTOW_CONFIG_LOADING_H

#include "config/config.h"
#include "config/config_keys.h"
#include "config/document.h"
#include "config/problems.h"

/* Where an account comes from. */
struct origin {
	struct config_place place;
	const struct section *section; /* NULL: a line of a list */
};

struct loading {
	struct config *config;
	size_t accounts_cap;
	struct origin *origins; /* of config->accounts, one each */
	size_t origins_cap;
	struct problems problems;
	struct document document;
	char *folder;        /* of the configuration file, "" for the current one */
	bool look_at_files;  /* config_check() */
	bool accounts_ended; /* there were too many */
};

/* Where the origin's key stands, else the origin itself. */
struct config_place origin_place(const struct origin *origin, const char *key);

/* One key with its value, from this section, standing here. */
struct setting {
	const char *section; /* its name */
	const char *key, *value;
	struct config_place place;
};

/* Set it in *target, or add a problem. */
void loading_set(struct loading *loading, const struct key_table *table, void *target,
	const struct setting *setting);
void loading_set_section(struct loading *loading, const struct key_table *table, void *target,
	const struct section *section);

/* accounts.c: [account NAME] */
void loading_account(struct loading *loading, const struct section *section, const char *name);

/* Fill in what follows from other keys; a problem when the host is not known and `keys`, where the
 * account's keys stand, do not name any. */
void account_complete(struct loading *loading, struct config_account *account,
	const struct origin *origin, const struct section *keys);

/* Keys that do not go together. account->host may be NULL. */
void account_check(
	struct loading *loading, const struct config_account *account, const struct origin *origin);

/* Takes what *account holds. */
void account_keep(
	struct loading *loading, struct config_account *account, const struct origin *origin);
void account_clear(struct config_account *account);

/* A problem for each account whose name was there before. */
void accounts_find_repeated(struct loading *loading);

/* add.c: what the file holds, if it is there, and behind it `section`. */
bool config_read_with(const char *path, const char *section, struct buf *ret_text, struct err *err);

/* lists.c: [template NAME], which is ignored further on when it has problems; and lists of it. */
void loading_template(struct loading *loading, struct section *section, const char *name);
void loading_list(struct loading *loading, const struct section *section, const char *name);

/* files.c: are the files an account names there, and private? */
void account_look_at_files(
	struct loading *loading, const struct config_account *account, const struct origin *origin);

#endif
