/*
 * A small archive with everything in it: several volumes, small mail and mail with a frame of its
 * own, duplicates, flags, and mail that is gone. Filled in batches, each of them a snapshot.
 */
#ifndef MAILSTOW_TESTS_SUPPORT_CRASH_POWER_ARCHIVE_H
#define MAILSTOW_TESTS_SUPPORT_CRASH_POWER_ARCHIVE_H

#include "archive/archive.h"

enum {
	POWER_VALIDITY = 7,
	POWER_EACH = 3, /* messages of a batch, numbered by uid from 1 */
};

/* Add a batch: its messages. All but one message of the batch before are gone, and that one gets
 * flags. */
bool power_add_batch(struct archive_writer *writer, int64_t batch, struct err *err);

/* Add batches up to this number, beyond the existing ones; acknowledge each. */
bool power_fill(const char *path, int64_t batches, struct err *err);

/* The digest of a message of a batch. */
void power_digest(uint32_t uid, uint8_t ret_digest[SHA256_BYTES]);

/* Describe every snapshot with every message, its flags, date and digest, and what is gone. Opens
 * the archive to write or only to read. "": there is no archive. */
char *power_tell(const char *path, bool writes);

#endif
