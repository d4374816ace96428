/*
 * Inside the room: a writer. The caller's thread validates changes and hands them to the packer
 * thread. Nothing is opened for writing, and no thread started, before the first change: a job that
 * finds nothing new leaves every file as it was.
 */
#ifndef MAILSTOW_ARCHIVE_WRITE_WRITER_H
#define MAILSTOW_ARCHIVE_WRITE_WRITER_H

#include "archive/write/packer_thread.h"

struct archive_writer {
	struct archive_ref archive; /* with a path of its own */
	int lock;
	struct archive *view;
	bool message_open;
	struct sha256 *digest; /* of the message; hashed on the caller's thread */
	int64_t next_folder;
	int64_t next_ticket;
	uint64_t volume_bytes_max; /* ARCHIVE_VOLUME_BYTES; less in tests */
	struct buf scratch;
	struct packer_thread thread;
};

/* Hand an entry to the packer thread, which is started if it is not running yet. Fails as the
 * thread failed. */
bool writer_hand_over(struct archive_writer *writer, enum entry_kind kind, const void *data,
	size_t len, struct err *err);

/* The same for a record, unless nothing is pending and the archive already says so. */
bool writer_hand_over_record(
	struct archive_writer *writer, const struct record *record, struct err *err);

#endif
