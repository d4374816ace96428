/*
 * Checking an archive: the structure of volumes, every frame's digest, the journal's chain, the
 * catalogue against one rebuilt from the volumes and, if asked, the SHA-256 of every message.
 * Changes nothing in the archive.
 */
#ifndef MAILSTOW_ARCHIVE_CHECK_H
#define MAILSTOW_ARCHIVE_CHECK_H

#include "archive/archive.h"

struct archive_lost {
	char *folder; /* path */
	uint32_t uid;
};

struct archive_finding {
	const char *where; /* file, frame, table or message */
	const char *what;
	const struct archive_lost *lost; /* messages lost to it */
	size_t lost_count;
};

enum { ARCHIVE_CHECK_ALL = 100 };

struct archive_check {
	unsigned read_percent;   /* how many of the messages to read; 0: none; ARCHIVE_CHECK_ALL */
	unsigned rotation;       /* 0 to 99: which of them to read */
	const char *expect_head; /* SHA-256 in hex; NULL: any */
	bool (*finding)(void *context, const struct archive_finding *finding, struct err *err);
	void (*progress)(void *context, uint64_t messages, uint64_t bytes); /* may be NULL */
	void *context;
};

struct archive_checked {
	uint64_t volumes;
	uint64_t frames;
	uint64_t messages; /* read */
	uint64_t errors;   /* findings */
	uint64_t newer;    /* findings that only a newer mailstow understands */
	char head[SHA256_HEX_MAX];
};

/*
 * Holds the writer lock while it examines volumes and catalogue, not while it reads messages; on
 * read-only media it works without. Damage is a finding, not a failure. False: the archive cannot
 * be examined (ERR_NOT_FOUND, ERR_BUSY, ERR_LOCAL), or finding() returned false.
 */
bool archive_check(const struct archive_ref *archive, const struct archive_check *check,
	int timeout_ms, struct archive_checked *ret_checked, struct err *err);

#endif
