/*
 * Flags and keywords of one message as one canonical text: system flags in RFC case ("\Seen"),
 * keywords as sent, no \Recent, each once (compared without case), sorted bytewise, one blank
 * between. "" is a message without flags. Two sets are equal when the texts are.
 */
#ifndef MAILSTOW_IMAP_FLAGS_H
#define MAILSTOW_IMAP_FLAGS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

struct flag_set {
	struct buf text; /* the flags as they come, blank-separated */
	size_t count;
	bool wildcard; /* "\*" is a member like others, as in PERMANENTFLAGS; reset() clears */
};

void flag_set_init(struct flag_set *set);
void flag_set_free(struct flag_set *set); /* also for CLEANUP() */
void flag_set_reset(struct flag_set *set);

/* False: over IMAP_FLAGS_MAX or IMAP_FLAGS_BYTES_MAX. Bytes that no atom may hold (controls, blank,
 * parentheses, '{', '"', '%', '*', 8-bit) make the flag ignored and counted in *ret_bad. */
bool flag_set_add(struct flag_set *set, const void *flag, size_t len, size_t *ret_bad);

/* The canonical text; the caller frees. */
char *flag_set_canonical(const struct flag_set *set);

/* May this keyword or flag be sent in APPEND or STORE? (what flag_set_add() takes, without \Recent
 * and "\*"; ']', which the grammar forbids and servers use, may) */
bool flag_can_be_sent(const char *flag, size_t len);

/* Case-insensitive search in a canonical (or any blank-separated) text. */
bool flags_have(const char *flags, const char *flag);

#endif
