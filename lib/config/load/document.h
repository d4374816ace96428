/*
 * An INI file as sections, keys and values with their line numbers. Keys have no meaning here.
 * libinih reads KEY = VALUE and comments (';' or '#' at the start, " ;" after a value). A value is
 * one line; there is no continuation.
 *
 * Problems found here: lines that are not UTF-8 text, not understood, or too long for libinih; keys
 * before the first section; repeated sections and keys; too many of either.
 */
#ifndef MAILSTOW_CONFIG_LOAD_DOCUMENT_H
#define MAILSTOW_CONFIG_LOAD_DOCUMENT_H

#include <stdbool.h>
#include <stddef.h>

#include "config/load/problems.h"

enum { DOCUMENT_SECTIONS_MAX = 24000, DOCUMENT_ENTRIES_MAX = 64 /* in one section */ };

struct entry {
	char *key;
	char *value; /* without blanks around it; may be empty */
	unsigned line;
};

struct section {
	char *name; /* the text in the brackets: printable ASCII */
	unsigned line;
	bool ignored; /* it has a problem: nothing in it counts */
	struct entry *entries;
	size_t count, cap;
};

struct document {
	struct section *sections; /* in the order of the file */
	size_t count, cap;
};

/* Parses file 0 of problems. ret_document is empty before; each part left out is a problem. */
void document_parse(
	const char *text, size_t len, struct problems *problems, struct document *ret_document);
void document_free(struct document *document); /* also for CLEANUP() */

/* NULL: the section has no such key. */
const struct entry *section_entry(const struct section *section, const char *key);

/* May a message show this key? Only if it looks like one: it may be a secret without its key. */
bool document_key_shown(const char *key);

#endif
