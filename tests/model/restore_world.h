/*
 * An archive, a server of the model's and a restore from one to the other. A failure ends the
 * promise (CHECK_OK).
 */
#ifndef MAILSTOW_TESTS_MODEL_RESTORE_WORLD_H
#define MAILSTOW_TESTS_MODEL_RESTORE_WORLD_H

#include "restore/upload/restore.h"
#include "support/model/model_server.h"

enum {
	WORLD_LETTERS = 12, /* messages in the archive */
	WORLD_TEXT_MAX = 64 * 1024,
	OTHER_DATES = 5, /* with a date other than MODEL_DATE, the server's own */
};

struct world {
	char *archive_path;
	char *journal_path;
	struct model *model;
	uint16_t port;          /* 0: over a socket pair */
	unsigned connects_left; /* before the server refuses everything */
	struct restore_summary summary;
	char said[WORLD_TEXT_MAX]; /* a line for each message that was not stored exactly */
	struct map_rules rules;
	bool dry_run;
	enum restore_verify verify;
};

/* Fill the archive and start a server of this kind; nothing is restored yet. */
struct world *world_new(const struct model_profile *profile, uint32_t quirks);
void world_freep(struct world **world);
/* Run a restore; its summary and output are in the world. */
bool world_try_restore(struct world *world, struct err *err);
/* The same, and it must succeed. */
void world_restore(struct world *world);
/* Remove the journal. */
void world_forget(struct world *world);
uint64_t world_outcomes(const struct world *world, enum outcome outcome);
/* The sum of all outcomes. */
uint64_t world_sum(const struct world *world);
/* On the server. */
uint64_t world_messages(struct world *world);
/* The server equals the archive, byte for byte. */
void world_check_exact(struct world *world, bool courier);
/* Another run adds nothing. */
void world_check_idempotent(struct world *world);

#endif
