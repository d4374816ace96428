/*
 * One command that is answered with hostility: it has to end in a certain way, within ten seconds,
 * and without taking much memory.
 */
#ifndef MAILSTOW_TESTS_SUPPORT_IMAP_HOSTILE_H
#define MAILSTOW_TESTS_SUPPORT_IMAP_HOSTILE_H

#include "support/imap/talk.h"

enum { PATIENCE_MS = 10 * 1000, MEMORY_MAX_KB = 64 * 1024 };

/* What a fetch brought. */
struct told {
	uint64_t body_bytes;
	unsigned bodies_begun;
	unsigned bodies_ended;
	unsigned fetched;
	unsigned fetched_with_uid;
	uint64_t vanished;
	unsigned done;
};

/* A UID FETCH of UID 5, answered with these steps of a script. kind ERR_NONE: it succeeds. */
struct told check_fetch(const char *answer, enum err_kind kind);

/* The same for NOOP. */
void check_noop(const char *answer, enum err_kind kind);

#endif
