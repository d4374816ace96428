/*
 * What a copy is brought up to date with (copy.h), before it has its names: whole files beside
 * those of before (internal to this room). They mean nothing until the catalogue, the last of them,
 * is there. From then on they are the archive for whoever writes to it or adopts it; readers see
 * what was there before, until the catalogue has its name.
 */
#ifndef MAILSTOW_ARCHIVE_VOLUME_STAGED_H
#define MAILSTOW_ARCHIVE_VOLUME_STAGED_H

#include "archive/volume/volume.h"

bool staged_is_whole(const char *archive_path);

/* Remove what is unfinished among the volumes, but those staged that are wanted. Not when whole. */
bool staged_remove_others(
	const char *archive_path, const struct volume_list *wanted, struct err *err);

/* If they are whole, all of them get their names. Volumes of before stay. Needs the writer's lock.
 */
bool staged_publish(const char *archive_path, struct err *err);

/* Take the writer lock, then publish what an interrupted copy staged. ERR_BUSY names the holder. */
bool staged_lock_and_publish(
	const char *archive_path, int timeout_ms, int *ret_lock, struct err *err);

/* The volumes there will be then, and where each lies now (the caller frees). Nothing is changed.
 */
bool staged_volume_list(const char *archive_path, struct volume_list *ret_list, struct err *err);
char *staged_volume_path(const char *archive_path, const struct volume_id *id);

#endif
