/*
 * Short words for tests that fill and read archives. A failure ends the promise (CHECK_OK).
 */
#ifndef MAILSTOW_TESTS_SUPPORT_ARCHIVE_ARCHIVE_FIXTURE_H
#define MAILSTOW_TESTS_SUPPORT_ARCHIVE_ARCHIVE_FIXTURE_H

#include "archive/archive.h"
#include "archive/format/record.h"
#include "base/buf.h"

enum { FIXTURE_MESSAGE_MAX = 64 * 1024 * 1024, FIXTURE_RECORD_BYTES = 500 };

/* A fresh archive below check_temp_dir(); the path is the caller's to free. */
char *fixture_archive(const char *name);

/* With MAILSTOW_TEST_ENCRYPTED in the environment archives are made encrypted, and unlocked where
 * these functions open them. */
bool fixture_create(const char *path, struct err *err);
bool fixture_unlock(const char *path, struct err *err);

struct archive_writer *fixture_writer(const char *path);
struct archive *fixture_reader(const char *path);

/* A message of exactly `size` bytes (a header as far as it fits) that only `seed` decides. */
void fixture_message(struct buf *out, uint32_t seed, size_t size);

int64_t fixture_folder(struct archive_writer *writer, const char *path, uint32_t uidvalidity);
int64_t fixture_store(struct archive_writer *writer, int64_t folder, const void *data, size_t len);
void fixture_place(struct archive_writer *writer, int64_t folder, uint32_t uidvalidity,
	uint32_t uid, int64_t ticket, const char *flags);

/* fixture_message(), fixture_store() and fixture_place() in one. */
void fixture_add(struct archive_writer *writer, int64_t folder, uint32_t uidvalidity, uint32_t uid,
	uint32_t seed, size_t size, const char *flags);

int64_t fixture_commit(struct archive_writer *writer, bool complete);

/* The bytes of a message, into out (emptied first). */
void fixture_read(struct archive *archive, int64_t message_id, struct buf *out);

/* It is there, and its bytes are those of fixture_message(). */
void fixture_check_message(struct archive *archive, int64_t id, uint32_t seed, size_t size);

/* The message of (folder, uidvalidity, uid) at a generation, 0: none. */
int64_t fixture_find(struct archive *archive, int64_t generation, int64_t folder,
	uint32_t uidvalidity, uint32_t uid);

/*
 * Everything present at a generation as text, a line each: "path uidvalidity uid size flags".
 * Valid until the next call. CHECK_STR() compares it.
 */
const char *fixture_list(struct archive *archive, const struct archive_list *list);
const char *fixture_list_at(struct archive *archive, int64_t generation);

/* The path of the one volume there is; the caller frees. */
char *fixture_only_volume(const char *path);

/* The archive is whole: check, with all messages read, finds nothing; the rebuilt catalogue is
 * the same. */
void fixture_check(const char *path);

/* With its WAL. No reader or writer may have it open. */
void fixture_remove_catalogue(const char *path);

/* A message of FIXTURE_RECORD_BYTES in this item, as a journal tells of it. */
struct record fixture_record(int64_t id, int64_t item);

#endif
