/*
 * Archives with a history (support/archive/pruned.h) whose master key changes, begun, stopped or
 * done. A failure ends the promise (CHECK).
 */
#ifndef MAILSTOW_TESTS_SUPPORT_ARCHIVE_REKEYED_H
#define MAILSTOW_TESTS_SUPPORT_ARCHIVE_REKEYED_H

#include "archive/rekey.h"

enum { REKEYED_WAIT_MS = 1000 };

extern const struct archive_secret rekeyed_key, rekeyed_other_key;

/* Plain, whatever the other archives are; encrypted with rekeyed_key. The caller frees the path. */
char *rekeyed_plain(const char *name);
char *rekeyed_encrypted(const char *name);

/* What is listed, each message with its bytes looked at; the caller frees. */
char *rekeyed_everything(const char *path);

/* One more message, in a commit. */
void rekeyed_add(const char *path, uint32_t uid);

void rekeyed_begin_encrypt(const char *path);
void rekeyed_begin_rotate(const char *path, const struct archive_secret *secret);

/* To the end. */
struct archive_rekeyed rekeyed_go_on(const char *path);

/* Stopped with volumes under both keys; and with only the catalogue under the previous key. */
void rekeyed_stop(const char *path);
void rekeyed_stop_late(const char *path);

/* All volumes are of this master key, and nothing else is there. */
void rekeyed_check(const char *path, uint32_t epoch);

#endif
