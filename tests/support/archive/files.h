/* Removes, copies and compares folders, for tests that return to an earlier state. Failures end the
 * promise. */
#ifndef MAILSTOW_TESTS_SUPPORT_ARCHIVE_FILES_H
#define MAILSTOW_TESTS_SUPPORT_ARCHIVE_FILES_H

#include <stddef.h>

/* Remove a folder and everything in it. It need not exist. */
void files_remove(const char *path);

/* Copy a folder to a path that does not exist. */
void files_copy(const char *from, const char *to);

/* "path digest" of every file below but SQLite's -shm ones, sorted; the caller frees. */
char *files_digests(const char *path);

/* In how many files below the folder one of these words occurs; each pair of file and word counts
 * once. */
int files_with(const char *path, const char *const *words, size_t count);

#endif
