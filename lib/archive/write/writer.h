/*
 * A writer has two threads: the caller's puts entries into the queue, the packer thread takes them
 * out. Before the first change, no file is opened for writing and no thread started, so a pass that
 * finds nothing new leaves every file as it was (invariant 5).
 */
#ifndef MAILSTOW_ARCHIVE_WRITE_WRITER_H
#define MAILSTOW_ARCHIVE_WRITE_WRITER_H

#include <pthread.h>

#include "archive/write/packer.h"
#include "archive/write/queue.h"

enum entry_kind {
	ENTRY_RECORD = 1, /* encoded; a placement's message is a ticket */
	ENTRY_BEGIN,      /* int64_t folder id */
	ENTRY_DATA,
	ENTRY_END, /* SHA-256 of the message */
	ENTRY_ABORT,
	ENTRY_MAY_COMMIT,
	ENTRY_COMMIT, /* the caller waits for an answer to this and the next two */
	ENTRY_COMMIT_COMPLETE,
	ENTRY_TIDY,
	ENTRY_STOP,
};

struct archive_writer {
	char *path;
	int lock;
	struct archive *view;
	bool message_open;
	struct sha256 *digest; /* of the message; hashed on the caller's thread */
	int64_t next_folder;
	int64_t next_ticket;
	uint64_t volume_bytes_max; /* ARCHIVE_VOLUME_BYTES; less in tests */
	struct buf scratch;

	bool active; /* the packer thread runs */
	pthread_t thread;
	struct queue *queue;
	struct packer packer; /* owned by the packer thread while it runs */

	pthread_mutex_t mutex; /* guards the fields below */
	pthread_cond_t answered;
	uint64_t answers;
	int64_t generation; /* of the last answer */
	bool failed;        /* permanently; failure says why */
	struct err failure;
	struct archive_writer_figures figures;
};

/* Queue an entry; starts the packer thread first if it does not run. Fails with the packer's error
 * if it failed. */
bool writer_hand_over(struct archive_writer *writer, enum entry_kind kind, const void *data,
	size_t len, struct err *err);

/* Queue a record. While nothing is pending, skips one that would change nothing. */
bool writer_hand_over_record(
	struct archive_writer *writer, const struct record *record, struct err *err);

/* The packer thread's function. Ends after ENTRY_STOP. */
void *packer_thread_run(void *writer);

#endif
