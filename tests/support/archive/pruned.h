/*
 * An archive with a history worth pruning, in several volumes. A failure ends the promise (CHECK).
 *
 * Snapshots 1 to 6, all complete, folder INBOX. Each adds PRUNED_EACH messages, numbered from 1 by
 * uid, of pruned_size() bytes; from the third on each also says that the messages of two
 * snapshots ago are gone and flags one of the snapshot before. A folder "Old" lives from 1 to 3.
 */
#ifndef MAILSTOW_TESTS_SUPPORT_ARCHIVE_PRUNED_H
#define MAILSTOW_TESTS_SUPPORT_ARCHIVE_PRUNED_H

#include "archive/prune.h"
#include "archive/retention.h"
#include "support/archive/archive_fixture.h"

enum { PRUNED_VALIDITY = 77, PRUNED_EACH = 6, PRUNED_SNAPSHOTS = 6, PRUNED_VOLUME_BYTES = 200000 };

size_t pruned_size(uint32_t uid);
void pruned_fill(const char *path);

/* A new one, filled; the caller frees the path. */
char *pruned_archive(const char *name);

/* Prune by these rules, deleted mail kept for keep_deleted_ms. */
bool pruned_prune(const char *path, const struct keep_rules *keep, int64_t keep_deleted_ms,
	struct archive_pruned *ret_pruned, struct err *err);

/* Each message that is listed has its bytes, gone ones too. */
void pruned_check_bytes(struct archive *archive, int64_t generation);

/* Every message there ever was, with its bytes looked at, and the head; the caller frees. */
char *pruned_everything(const char *path);

/* Words of its subjects, addresses, folders and bodies in files below path: so long that no chance
 * brings them about. */
int pruned_words(const char *path);

/* Generations of the snapshots there are, blank-separated; the caller frees. */
char *pruned_snapshots(struct archive *archive);

#endif
