/* What a mirror pass is asked to do, and what it did. */
#ifndef MAILSTOW_MIRROR_JOB_H
#define MAILSTOW_MIRROR_JOB_H

#include "archive/archive.h"
#include "config/config.h"
#include "imap/session.h"
#include "state/state.h"

/* A folder that must be compared as a whole is compared this many messages at a time. Also the most
 * changes a server may report unasked (QRESYNC) before the whole folder is compared instead. */
enum { MIRROR_WINDOW_MESSAGES = 50 * 1000 };

struct mirror_job {
	const struct config_account *account;
	struct archive_keys *keys; /* of its archive; NULL: that is not encrypted */
	struct imap *imap;
	struct state *state;           /* holds the ledger of messages that could not be fetched */
	struct archive_writer *writer; /* NULL: opened for this pass alone */
	const struct cancel *cancel;   /* ends the wait for that writer; NULL: nothing does */
	uint32_t window_messages;      /* 0: MIRROR_WINDOW_MESSAGES; smaller in tests */
	/* Callbacks, on the thread of the pass; each may be NULL. */
	/* A folder is done. changed: some change of its mail was recorded. */
	void (*folder)(void *context, const struct imap_folder *folder, bool changed);
	/* Now and then while messages are fetched: totals of this pass. */
	void (*progress)(void *context, const char *folder, uint64_t messages, uint64_t bytes);
	void *context;
};

struct mirror_result {
	int64_t generation;
	bool complete;    /* the generation is a complete snapshot */
	uint64_t fetched; /* messages */
	uint64_t bytes;   /* in them */
	uint64_t reflagged;
	uint64_t gone;
	uint64_t skipped; /* messages in the ledger now: too large, or refused by the server */
	unsigned folders;
	unsigned renamed;  /* folders renamed since the last pass */
	unsigned compared; /* folders opened to be compared */
	unsigned looked;   /* folders opened before that, to recognise renamed ones */
	unsigned folders_refused;
	char detail[256]; /* why it is not complete, or the first message left out; printable; or ""
			   */
};

#endif
