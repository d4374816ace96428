/* The steps of a check. Damage becomes a finding; false is a failure, or finding() said to stop. */
#ifndef MAILSTOW_ARCHIVE_CHECK_CHECK_INTERNAL_H
#define MAILSTOW_ARCHIVE_CHECK_CHECK_INTERNAL_H

#include "archive/check/findings.h"
#include "archive/read/reader.h"

/* Volumes and the chain of their journal payloads, and whether it ends with the expected head. */
bool check_structure(struct checking *checking, struct err *err);

/* The catalogue's rows against those of a catalogue rebuilt from the volumes. */
bool check_rows(struct checking *checking, struct db *catalogue, struct err *err);

/*
 * The frames that hold messages, and the messages. A check that reads every message reads their
 * frames on the way; it examines the frames themselves only when a message cannot be read, so that
 * a damaged frame is reported once, with all that it loses.
 */
bool check_frames(struct checking *checking, struct archive *archive, struct err *err);
bool check_messages(struct checking *checking, struct err *err);

#endif
