/* What the parts of a check share. */
#ifndef MAILSTOW_ARCHIVE_CHECK_CHECK_INTERNAL_H
#define MAILSTOW_ARCHIVE_CHECK_CHECK_INTERNAL_H

#include "archive/catalogue/catalogue.h"
#include "archive/check.h"
#include "archive/read/reader.h"
#include "archive/volume/volume.h"

struct checking {
	const char *path;
	const struct archive_check *check;
	struct archive_checked *result;
	struct archive_lost *lost; /* for the next finding */
	size_t lost_count, lost_cap;
	struct rangeset lost_messages; /* that some finding named */
	bool frames_known;             /* those that are damaged were told */
	bool may_write;                /* somebody: what is behind is brought up in time */
	bool no_catalogue;             /* that can be read, which was told */
};

/* Report, with what was lost so far. */
bool checking_found(
	struct checking *checking, const char *where, const char *what, struct err *err);

/* Where a message stands is part of what is lost. */
bool checking_lose(
	struct checking *checking, struct db *catalogue, int64_t message, struct err *err);

/* err of something that was looked at: damage becomes a finding, the rest is a failure. */
bool checking_blame(struct checking *checking, const char *where, struct err *of, struct err *err);

/*
 * check_data.c: frames that messages lie in, and messages. Where all messages are read, their
 * frames are on the way, once: they are looked at by themselves when a message cannot be read, so
 * that one that is damaged is told once, with all that is lost.
 */
bool check_frames(struct checking *checking, struct archive *archive, struct err *err);
bool check_messages(struct checking *checking, struct err *err);

/* check_rows.c: the catalogue against one made anew. */
bool check_rows(struct checking *checking, struct db *catalogue, struct err *err);

#endif
