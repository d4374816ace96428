/*
 * Is everything there, and as it was? The volumes' structure, every frame's digest, the journal's
 * chain, the catalogue against one made of the volumes anew, and, when asked, every message put
 * together and its SHA-256 compared. Nothing in the archive is changed.
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
	const struct archive_lost *lost; /* messages that cannot be read for it */
	size_t lost_count;
};

enum { ARCHIVE_CHECK_ALL = 100 };

struct archive_check {
	unsigned read_percent;   /* of the messages that are read; 0: none; ARCHIVE_CHECK_ALL */
	unsigned rotation;       /* 0 to 99: which of them */
	const char *expect_head; /* SHA-256 in hex; NULL: any */
	bool (*finding)(void *context, const struct archive_finding *finding, struct err *err);
	void (*progress)(void *context, uint64_t messages, uint64_t bytes); /* may be NULL */
	void *context;
};

struct archive_checked {
	uint64_t volumes;
	uint64_t frames;
	uint64_t messages; /* that were read */
	uint64_t errors;   /* findings */
	uint64_t newer;    /* of them: a format that only a newer mailstow knows */
	char head[SHA256_HEX_MAX];
};

/*
 * Takes the writer's lock while it looks at volumes and catalogue, not while messages are read; on
 * media that cannot be written it goes without. False: it could not be looked at (ERR_NOT_FOUND,
 * ERR_BUSY, ERR_LOCAL), or finding() said so. Damage is no failure but a finding.
 */
bool archive_check(const char *path, const struct archive_check *check, int timeout_ms,
	struct archive_checked *ret_checked, struct err *err);

#endif
