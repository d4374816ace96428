/*
 * An INI file as sections, keys and values with the lines they stand on; nothing is known here of
 * what they mean. libinih reads KEY = VALUE and comments (';' or '#' at the start, " ;" after a
 * value); a line belongs to itself, there is no continuation.
 *
 * Problems found here: lines that are no UTF-8 text, not understood, too long for libinih, keys
 * before the first section, sections and keys that were there before, and too many of them.
 */
#ifndef MAILSTOW_CONFIG_DOCUMENT_H
#define MAILSTOW_CONFIG_DOCUMENT_H

#include <stdbool.h>
#include <stddef.h>

#include "config/problems.h"

enum { DOCUMENT_SECTIONS_MAX = 24000, DOCUMENT_ENTRIES_MAX = 64 /* in one section */ };

struct entry {
	char *key;
	char *value; /* without blanks around it; may be empty */
	unsigned line;
};

struct section {
	char *name; /* what stands in the brackets: printable ASCII */
	unsigned line;
	bool ignored; /* a problem was told: nothing in it counts */
	struct entry *entries;
	size_t count, cap;
};

struct document {
	struct section *sections; /* in the order of the file */
	size_t count, cap;
};

/* Lines are of problems' file 0. ret_document is empty before; problems tell what was left out. */
void document_parse(
	const char *text, size_t len, struct problems *problems, struct document *ret_document);
void document_free(struct document *document); /* also for CLEANUP() */

/* NULL: the section has no such key. */
const struct entry *section_entry(const struct section *section, const char *key);

/* Is this fit to be shown as a key? Rubbish is not: it may be a secret that lost its key. */
bool document_key_shown(const char *key);

#endif
