/*
 * An archive that is small and has all that there is: several volumes, small mail and parts, mail
 * that came twice, flags, mail that is gone. Made batch by batch, each a snapshot.
 */
#ifndef MAILSTOW_TESTS_SUPPORT_CRASH_POWER_ARCHIVE_H
#define MAILSTOW_TESTS_SUPPORT_CRASH_POWER_ARCHIVE_H

#include "archive/archive.h"

enum {
	POWER_VALIDITY = 7,
	POWER_EACH = 3, /* messages of a batch, numbered by uid from 1 */
};

/* A batch: its messages; of those of the batch before all but one are gone, and that has flags. */
bool power_add_batch(struct archive_writer *writer, int64_t batch, struct err *err);

/* Batches up to this one, past those that are there; acknowledged one by one. */
bool power_fill(const char *path, int64_t batches, struct err *err);

/* The digest of a batch's message. */
void power_digest(uint32_t uid, uint8_t ret_digest[SHA256_BYTES]);

/* Every snapshot with every message, its flags, date and digest, and what is gone. Opened to write,
 * or to read only. "" when there is no archive. */
char *power_tell(const char *path, bool writes);

#endif
