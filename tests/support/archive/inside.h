/*
 * What tests outside lib/archive ask of an archive's inside. They need no private header, so a
 * change of the machinery does not break them. A failure ends the promise (CHECK).
 */
#ifndef MAILSTOW_TESTS_SUPPORT_ARCHIVE_INSIDE_H
#define MAILSTOW_TESTS_SUPPORT_ARCHIVE_INSIDE_H

#include "archive/archive.h"

/* Start a new volume at this size, in place of ARCHIVE_VOLUME_BYTES. Before the first change. */
void inside_limit_volumes(struct archive_writer *writer, uint64_t bytes_max);

/* Of volumes, those marked for removal included. */
size_t inside_volume_count(const char *path);

/* Is each volume but the newest sealed? */
bool inside_all_sealed(const char *path);

/* SQLite finds each volume intact. The archive is unlocked (support/archive/refs.h). */
void inside_check_volumes(const char *path);

/* The epoch of the master key that the keyring names; 0: the archive is plain. */
uint32_t inside_key_epoch(const char *path);

/* A complete new state is staged that no writer has taken over yet. */
bool inside_is_staged(const char *path);

#endif
