/*
 * A small archive to be damaged: one folder, two commits, empty WALs. Failures abort.
 */
#ifndef MAILSTOW_TESTS_FUZZ_FUZZ_ARCHIVE_H
#define MAILSTOW_TESTS_FUZZ_FUZZ_ARCHIVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

enum {
	FUZZ_FILE_BYTES_MAX = 4 * 1024 * 1024,
	FUZZ_MESSAGES = 12,
	FUZZ_MESSAGE_BYTES = 9000,
	FUZZ_LOCK_MS = 1000,
};

struct fuzz_file {
	char *path;
	struct buf bytes; /* as they were made */
};

struct fuzz_archive {
	char *path;
	struct fuzz_file volume;
	struct fuzz_file catalogue;
};

/* Created once, removed when the process ends. Each call restores its files. */
const struct fuzz_archive *fuzz_archive(void);

void fuzz_succeed(bool good, const struct err *err);
void fuzz_message(uint32_t uid, char out[FUZZ_MESSAGE_BYTES]);
void fuzz_write_file(const char *path, const uint8_t *data, size_t len);

/* archive_check() read all messages and found nothing. */
bool fuzz_check_archive(const char *path);

#endif
