/*
 * The keys of the configuration: one table for each kind of section says where a value goes, what
 * kind it is, and what is accepted. The words are those of mailstow.conf(5).
 */
#ifndef MAILSTOW_CONFIG_CONFIG_KEYS_H
#define MAILSTOW_CONFIG_CONFIG_KEYS_H

#include "config/config.h"

enum value_kind {
	VALUE_ADDRESS,    /* char *, local@domain */
	VALUE_HOST,       /* char *, a host name or address */
	VALUE_TEXT,       /* char *, not empty */
	VALUE_MAYBE,      /* char *, empty is NULL */
	VALUE_CREDENTIAL, /* char *, a file's name without its folder, empty is NULL */
	VALUE_COMMAND,    /* char *, for /bin/sh, empty is NULL */
	VALUE_URL,    /* char *, http or https, empty is NULL; never shown: it may hold a secret */
	VALUE_LISTEN, /* char *, ADDRESS:PORT, empty is NULL */
	VALUE_PIN,    /* char *, SHA-256 as hex or base64, empty is NULL */
	VALUE_PATH,   /* char *, "~" expanded, relative to the configuration's folder */
	VALUE_MAYBE_PATH, /* the same, empty is NULL */
	VALUE_NUMBER,     /* int, 1..limit */
	VALUE_PORT,       /* uint16_t */
	VALUE_TLS,        /* enum config_tls */
	VALUE_AUTH,       /* enum config_auth */
	VALUE_YES,        /* bool */
	VALUE_DURATION,   /* int64_t ms, 1 s to `limit` minutes */
	VALUE_FOREVER,    /* int64_t ms, -1 for "forever" */
	VALUE_SIZE,       /* uint64_t > 0 */
	VALUE_PERCENT,    /* int */
	VALUE_GLOBS,      /* str_list */
	VALUE_KEEP,       /* char *, checked */
};

struct key {
	const char *name;
	size_t offset; /* in the struct that is set */
	enum value_kind kind;
	int limit;
	const char *accepted;
};

struct key_table {
	const struct key *keys;
	size_t count;
};

/* What [accounts-from NAME] holds. */
struct accounts_from {
	char *file;
};

extern const struct key_table account_keys; /* of struct config_account */
extern const struct key_table general_keys; /* of struct config */
extern const struct key_table from_keys;    /* of struct accounts_from */

/* NULL: none of this name. */
const struct key *key_find(const struct key_table *table, const char *name);

/* The key that is likely meant, NULL: none is near. */
const struct key *key_nearest(const struct key_table *table, const char *name);

/* "a, b or c"; the caller frees. */
char *key_names(const struct key_table *table);

/*
 * Set the member of *target that key is for; false and unchanged when the value is not accepted.
 * Relative paths are taken from `folder` ("" for none).
 */
bool key_set(const struct key *key, void *target, const char *folder, const char *value);

void account_defaults(struct config_account *account);

/* Frees what the table's keys own in *target. */
void key_table_free(const struct key_table *table, void *target);

/* Host by the address's domain for well-known providers; NULL: none (presets.c). */
const char *preset_host(const char *address);

#endif
