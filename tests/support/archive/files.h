/* Whole folders of files, for tests that go back to where they were. Failures end the promise. */
#ifndef MAILSTOW_TESTS_SUPPORT_ARCHIVE_FILES_H
#define MAILSTOW_TESTS_SUPPORT_ARCHIVE_FILES_H

#include <stddef.h>

/* A folder with all that is in it; nothing there is fine. */
void files_remove(const char *path);

/* A folder to a place where nothing is. */
void files_copy(const char *from, const char *to);

/* "path digest" of every file below but SQLite's -shm ones, sorted; the caller frees. */
char *files_digests(const char *path);

/* How often one of these words stands in a file below, each file and word counted once. */
int files_with(const char *path, const char *const *words, size_t count);

#endif
