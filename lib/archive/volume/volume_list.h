/* The volumes folder: which of its files are the archive's volumes. */
#ifndef MAILSTOW_ARCHIVE_VOLUME_VOLUME_LIST_H
#define MAILSTOW_ARCHIVE_VOLUME_VOLUME_LIST_H

#include <stddef.h>

#include "archive/format/layout.h"

/*
 * The volumes in the folder, by sequence. Of two with one sequence, the sealed one counts if it
 * says that it replaces the other; else ERR_CORRUPT.
 */
struct volume_list {
	struct volume_id *items;
	size_t count;
	size_t cap;
};
bool volume_list(const char *archive_path, struct volume_list *ret_list, struct err *err);
/* The volumes that were replaced and no longer count. */
bool volume_list_replaced(const char *archive_path, struct volume_list *ret_list, struct err *err);
/* All files whose names have this ending ("": volumes), by sequence. */
bool volume_list_ending(const char *archive_path, const char *ending, struct volume_list *ret_list,
	struct err *err);
/* Replace entries by those of newer with the same sequence, and add the others. */
void volume_list_supersede(struct volume_list *list, const struct volume_list *newer);
bool volume_list_has(const struct volume_list *list, const struct volume_id *id);
bool volume_list_has_sequence(const struct volume_list *list, int64_t sequence);
/* Remove the volumes of `there` that `kept` lacks, with their -wal files. */
bool volume_list_remove_others(const char *archive_path, const struct volume_list *there,
	const struct volume_list *kept, struct err *err);
void volume_list_free(struct volume_list *list); /* also for CLEANUP() */

/* The size of a volume's file without its -wal; 0: it does not exist. */
uint64_t volume_file_bytes(const char *archive_path, const struct volume_id *id);

#endif
