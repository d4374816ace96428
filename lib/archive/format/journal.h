/*
 * The payload of a journal or checkpoint frame: a header that chains it to its predecessor, then
 * records (schema/README.md, "Journal"). A commit is one payload or several, the last of them
 * final.
 */
#ifndef MAILSTOW_ARCHIVE_FORMAT_JOURNAL_H
#define MAILSTOW_ARCHIVE_FORMAT_JOURNAL_H

#include "archive/format/record.h"
#include "base/err.h"

enum {
	JOURNAL_BYTES_MAX = 1024 * 1024, /* raw; the writer ends a payload that exceeds it */
};

struct journal_header {
	bool final;
	bool checkpoint; /* its records are rows of the state, not changes */
	uint64_t seq;
	int64_t generation;
	uint8_t previous[SHA256_BYTES]; /* SHA-256 of the previous payload */
};

/* The hash that the first payload of an archive names as its predecessor. */
void journal_origin(const uint8_t *archive_uuid, size_t len, uint8_t out[SHA256_BYTES]);

/* Empty out and start a payload in it, not final. */
void journal_begin(struct buf *out, const struct journal_header *header);

void journal_set_final(struct buf *payload);

/* Read the header of a payload; ret_records reads its records. ERR_CORRUPT: a bad header. */
bool journal_open(const struct buf *payload, struct journal_header *ret_header,
	struct reader *ret_records, struct err *err);

#endif
