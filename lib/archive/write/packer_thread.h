/*
 * The packer thread: takes entries out of a bounded queue and hands them to the packer. The
 * caller's thread puts them in and learns of a failure at its next call, or when it asks for an
 * answer.
 */
#ifndef MAILSTOW_ARCHIVE_WRITE_PACKER_THREAD_H
#define MAILSTOW_ARCHIVE_WRITE_PACKER_THREAD_H

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
	ENTRY_COMMIT, /* this and the next two are answered */
	ENTRY_COMMIT_COMPLETE,
	ENTRY_TIDY,
	ENTRY_STOP,
};

struct packer_thread {
	bool running;
	pthread_t thread;
	struct queue *queue;
	struct packer packer; /* the thread's own while it runs */

	pthread_mutex_t mutex; /* of what follows */
	pthread_cond_t answered;
	uint64_t answers;
	int64_t generation; /* of the last answer */
	bool failed;        /* for good; failure says why */
	struct err failure;
	struct archive_writer_figures figures;
};

void packer_thread_init(struct packer_thread *thread);
/* Stops it after the entries it was given, and frees what it holds. */
void packer_thread_free(struct packer_thread *thread);

/* Opens the archive for writing (packer_open()) and starts the thread. Once. */
bool packer_thread_start(struct packer_thread *thread, const struct archive_ref *archive,
	uint64_t volume_bytes_max, const atomic_bool *view_peeks, struct err *err);

/* False: it failed, as err says. */
bool packer_thread_works(struct packer_thread *thread, struct err *err);

/* Hand over an entry; waits while the queue is full. Fails as the thread failed. */
bool packer_thread_put(struct packer_thread *thread, enum entry_kind kind, const void *data,
	size_t len, struct err *err);

/* The same for an entry that is answered, and wait for the answer. */
bool packer_thread_ask(struct packer_thread *thread, enum entry_kind kind, int64_t *ret_generation,
	struct err *err);

struct archive_writer_figures packer_thread_figures(struct packer_thread *thread);

#endif
