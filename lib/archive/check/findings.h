/* The state of a running check, and how it reports what it finds. */
#ifndef MAILSTOW_ARCHIVE_CHECK_FINDINGS_H
#define MAILSTOW_ARCHIVE_CHECK_FINDINGS_H

#include "archive/catalogue/catalogue.h"
#include "archive/check.h"
#include "base/rangeset.h"

struct checking {
	const struct archive_ref *archive;
	const struct archive_check *check;
	struct archive_checked *result;
	struct archive_lost *lost; /* for the next finding */
	size_t lost_count, lost_cap;
	struct rangeset lost_messages; /* that some finding named */
	bool frames_known;             /* damaged frames were reported */
	bool may_write;    /* the archive can be written: a writer updates the catalogue */
	bool no_catalogue; /* unreadable, and already reported */
};

/* Report a finding, with the placements lost since the last one. False: finding() said to stop. */
bool checking_found(
	struct checking *checking, const char *where, const char *what, struct err *err);

/* Add the message's placements to what the next finding reports as lost. */
bool checking_lose(
	struct checking *checking, struct db *catalogue, int64_t message, struct err *err);

/* `of` is the error of something examined: damage becomes a finding, anything else a failure. */
bool checking_blame(struct checking *checking, const char *where, struct err *of, struct err *err);

#endif
