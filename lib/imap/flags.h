/*
 * Flags and keywords of one message as one canonical text: system flags in RFC case ("\Seen"),
 * keywords as sent, without \Recent, each once (ignoring case), sorted bytewise, separated by one
 * blank. "" means no flags. Two sets are equal if their texts are.
 */
#ifndef MAILSTOW_IMAP_FLAGS_H
#define MAILSTOW_IMAP_FLAGS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

struct flag_set {
	struct buf text; /* the flags as received, blank-separated */
	size_t count;
	bool wildcard; /* accept "\*", as in PERMANENTFLAGS; flag_set_reset() clears it */
};

void flag_set_init(struct flag_set *set);
void flag_set_free(struct flag_set *set); /* also for CLEANUP() */
void flag_set_reset(struct flag_set *set);

/* False: over IMAP_FLAGS_MAX or IMAP_FLAGS_BYTES_MAX. A flag with bytes that no atom may hold
 * (controls, blank, parentheses, '{', '"', '%', '*', 8-bit) is ignored and counted in *ret_bad. */
bool flag_set_add(struct flag_set *set, const void *flag, size_t len, size_t *ret_bad);

/* The canonical text; the caller frees. */
char *flag_set_canonical(const struct flag_set *set);

/* May this flag be sent in APPEND or STORE? True for all that flag_set_add() takes except \Recent
 * and "\*". Allows ']', which the grammar forbids and servers use. */
bool flag_can_be_sent(const char *flag, size_t len);

/* Searches a blank-separated text, ignoring case. */
bool flags_have(const char *flags, const char *flag);

#endif
