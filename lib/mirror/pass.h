/*
 * One mirror pass: compare every folder of an account with its archive and bring the archive up to
 * date, in one job under the writer's lock. The server is never changed.
 *
 * Order of things, so that a cut at any point loses nothing: bodies are placed only after the
 * tagged OK of their range; a folder's mark moves with the last of what it promises; mail that is
 * gone is closed at the end of the pass, so that what moved to a folder not yet seen was never
 * lost; the last commit is a snapshot when every folder was compared.
 */
#ifndef MAILSTOW_MIRROR_PASS_H
#define MAILSTOW_MIRROR_PASS_H

#include "archive/archive.h"
#include "config/config.h"
#include "imap/session.h"
#include "state/state.h"

/* Of a folder that must be compared as a whole, so many messages at a time; and the most changes
 * that a server may tell by itself before that is done. */
enum { MIRROR_WINDOW_MESSAGES = 50 * 1000 };

struct mirror_job {
	const struct config_account *account;
	struct imap *imap;
	struct state *state;           /* ledger of what could not be fetched */
	struct archive_writer *writer; /* NULL: opened for this pass alone */
	const struct cancel *cancel;   /* of that; NULL: none */
	uint32_t window_messages;      /* 0: MIRROR_WINDOW_MESSAGES (tests have few messages) */
	/* The following are called from the pass's thread; may be NULL. */
	/* This folder was looked at; changed: something of it was recorded. */
	void (*folder)(void *context, const struct imap_folder *folder, bool changed);
	/* Now and then while messages come. */
	void (*progress)(void *context, const char *folder, uint64_t messages, uint64_t bytes);
	void *context;
};

struct mirror_result {
	int64_t generation;
	bool complete;    /* the generation is a snapshot */
	uint64_t fetched; /* messages */
	uint64_t bytes;   /* of them */
	uint64_t reflagged;
	uint64_t gone;
	uint64_t skipped; /* messages in the ledger now: too large, or not given by the server */
	unsigned folders;
	unsigned renamed;  /* of them, since the last pass */
	unsigned compared; /* folders that were opened */
	unsigned looked;   /* that were opened before that, to see which they are */
	unsigned folders_refused;
	char detail[256]; /* the first thing that could not be had, printable; "" when nothing */
};

/* The account's archive to write to, made when there is none. Takes the writer's lock, waiting as
 * long as the contract says; ERR_BUSY names the holder. cancel NULL: nobody ends the wait. */
bool mirror_open_archive(const struct config_account *account, const struct cancel *cancel,
	struct archive_writer **ret_writer, struct err *err);

/*
 * False: the session or the archive failed; what was committed before stays and the next pass goes
 * on from there, with a writer opened anew.
 */
bool mirror_pass(const struct mirror_job *job, struct mirror_result *ret_result, struct err *err);

#endif
