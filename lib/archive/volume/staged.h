/*
 * Staged files: how a copy is updated (copy.h). Complete new files are written beside the old ones.
 * Until the staged catalogue, the last of them, exists, they are ignored. From then on they are the
 * archive for writers and for adopt; readers see the old state until the catalogue is renamed.
 */
#ifndef MAILSTOW_ARCHIVE_VOLUME_STAGED_H
#define MAILSTOW_ARCHIVE_VOLUME_STAGED_H

#include "archive/volume/volume.h"

bool staged_is_whole(const char *archive_path);

/* Remove unfinished volume files, except wanted staged ones. Not while all files are staged. */
bool staged_remove_others(
	const char *archive_path, const struct volume_list *wanted, struct err *err);

/* If all files are staged, rename them. Replaced volumes stay. The caller holds the writer lock. */
bool staged_publish(const char *archive_path, struct err *err);

/* Take the writer lock, then publish what an interrupted copy staged. ERR_BUSY names the holder. */
bool staged_lock_and_publish(
	const char *archive_path, int timeout_ms, int *ret_lock, struct err *err);

/* The volumes after publishing, and where each one is now (the caller frees). Changes nothing. */
bool staged_volume_list(const char *archive_path, struct volume_list *ret_list, struct err *err);
char *staged_volume_path(const char *archive_path, const struct volume_id *id);

#endif
