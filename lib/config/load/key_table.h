/*
 * Keys of the configuration: a table for each kind of section says where a value is stored, what
 * kind it is, and what is accepted. The words are those of mailstow.conf(5).
 */
#ifndef MAILSTOW_CONFIG_LOAD_KEY_TABLE_H
#define MAILSTOW_CONFIG_LOAD_KEY_TABLE_H

#include <stddef.h>

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
	VALUE_MAYBE_PATH, /* as VALUE_PATH, empty is NULL */
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

struct config_key {
	const char *name;
	size_t offset; /* in the struct it sets */
	enum value_kind kind;
	int limit;
	const char *accepted; /* for messages: "expected ..." */
};

struct key_table {
	const struct config_key *keys;
	size_t count;
};

/* NULL: none of this name. */
const struct config_key *key_find(const struct key_table *table, const char *name);

/* The key a misspelt name probably means; NULL: none is near. */
const struct config_key *key_nearest(const struct key_table *table, const char *name);

/* "a, b or c"; the caller frees. */
char *key_names(const struct key_table *table);

/* Frees what the table's keys own in *target. */
void key_table_free(const struct key_table *table, void *target);

#endif
