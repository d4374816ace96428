/*
 * Helpers for tests that fill and read archives. A failure ends the promise (CHECK_OK).
 */
#ifndef MAILSTOW_TESTS_SUPPORT_ARCHIVE_ARCHIVE_FIXTURE_H
#define MAILSTOW_TESTS_SUPPORT_ARCHIVE_ARCHIVE_FIXTURE_H

#include "archive/archive.h"
#include "archive/format/record.h"
#include "base/buf.h"

enum { FIXTURE_MESSAGE_MAX = 64 * 1024 * 1024, FIXTURE_RECORD_BYTES = 500 };

/* A fresh archive below check_temp_dir(); the path is the caller's to free. */
char *fixture_archive(const char *name);

/* With MAILSTOW_TEST_ENCRYPTED in the environment, archives are created encrypted, and these
 * functions unlock them before they open them. */
bool fixture_create(const char *path, struct err *err);
bool fixture_unlock(const char *path, struct err *err);

struct archive_writer *fixture_writer(const char *path);
struct archive *fixture_reader(const char *path);

/* A message of exactly `size` bytes (with a header if it fits), determined by `seed` alone. */
void fixture_message(struct buf *out, uint32_t seed, size_t size);

int64_t fixture_folder(struct archive_writer *writer, const char *path, uint32_t uidvalidity);
int64_t fixture_store(struct archive_writer *writer, int64_t folder, const void *data, size_t len);
void fixture_place(struct archive_writer *writer, int64_t folder, uint32_t uidvalidity,
	uint32_t uid, int64_t ticket, const char *flags);

/* fixture_message(), fixture_store() and fixture_place() in one. */
void fixture_add(struct archive_writer *writer, int64_t folder, uint32_t uidvalidity, uint32_t uid,
	uint32_t seed, size_t size, const char *flags);

int64_t fixture_commit(struct archive_writer *writer, bool complete);

/* Read a message into out, which is emptied first. */
void fixture_read(struct archive *archive, int64_t message_id, struct buf *out);

/* The message exists and equals fixture_message(seed, size). */
void fixture_check_message(struct archive *archive, int64_t id, uint32_t seed, size_t size);

/* The id of the message at (folder, uidvalidity, uid) in a generation; 0: none. */
int64_t fixture_find(struct archive *archive, int64_t generation, int64_t folder,
	uint32_t uidvalidity, uint32_t uid);

/*
 * All messages of a generation, one line each: "path uidvalidity uid size flags". Valid until the
 * next call.
 */
const char *fixture_list(struct archive *archive, const struct archive_list *list);
const char *fixture_list_at(struct archive *archive, int64_t generation);

/* The path of the only volume; the caller frees. */
char *fixture_only_volume(const char *path);

/* The archive is complete: check reads all messages and finds nothing, and a rebuilt catalogue is
 * the same. */
void fixture_check(const char *path);

/* Removes the catalogue and its WAL. No reader or writer may have it open. */
void fixture_remove_catalogue(const char *path);

/* A journal's record of a message of FIXTURE_RECORD_BYTES in this item. */
struct record fixture_record(int64_t id, int64_t item);

#endif
