/*
 * Archives by their paths, for tests: each path has keys of its own, locked at first, that live
 * until the end of the program. Any thread.
 */
#ifndef MAILSTOW_TESTS_SUPPORT_ARCHIVE_REFS_H
#define MAILSTOW_TESTS_SUPPORT_ARCHIVE_REFS_H

#include "archive/unlock.h"

const struct archive_ref *ref_of(const char *path);

/* Its keys are locked again. Nothing is open that was opened with them. */
void ref_lock_out(const char *path);

#endif
