/*
 * The header of a volume: named values in plain, also when the archive is encrypted. Everything
 * here works with locked keys.
 */
#ifndef MAILSTOW_ARCHIVE_VOLUME_VOLUME_HEADER_H
#define MAILSTOW_ARCHIVE_VOLUME_VOLUME_HEADER_H

#include "archive/format/layout.h"
#include "base/buf.h"
#include "db/db.h"

/* How a volume's file is opened, but for the mode. */
extern const struct db_options volume_db_options;

/* Names of values. */
extern const char volume_header_archive[];
extern const char volume_header_volume[];
extern const char volume_header_sequence[];
extern const char volume_header_owner_epoch[];
extern const char volume_header_key_epoch[]; /* encrypted volumes only */
extern const char volume_header_keyring[];   /* a copy of the keyring; encrypted volumes only */
extern const char volume_header_root[];      /* sealed volumes only */
extern const char volume_header_replaces[];  /* sealed volumes only */

/* Open the file of a volume. ERR_CORRUPT: it is missing, or holds another volume. */
bool volume_header_open(const char *path, const struct volume_id *id, enum db_mode mode,
	struct db **ret_db, struct err *err);

bool volume_header_put_int(struct db *db, const char *key, int64_t value, struct err *err);
bool volume_header_put_blob(
	struct db *db, const char *key, const void *data, size_t len, struct err *err);

bool volume_header_has(struct db *db, const char *key, bool *ret_has, struct err *err);
/* *ret_value is 0 without one. */
bool volume_header_int(
	struct db *db, const char *key, bool *ret_has, int64_t *ret_value, struct err *err);
/* ERR_CORRUPT: there is none. */
bool volume_header_uuid(
	struct db *db, const char *key, uint8_t ret_uuid[ARCHIVE_UUID_BYTES], struct err *err);
/* 0: plain. ERR_CORRUPT. */
bool volume_header_read_key_epoch(struct db *db, uint32_t *ret_key_epoch, struct err *err);

/* --- one value of a volume that is not open --- */

/* The copy of the keyring; empty: there is none. */
bool volume_peek_keyring(const char *archive_path, const struct volume_id *id,
	struct buf *ret_bytes, struct err *err);

/* 0: plain. */
bool volume_peek_key_epoch(const char *archive_path, const struct volume_id *id,
	uint32_t *ret_key_epoch, struct err *err);

/* The uuid of its archive. path: its file, which may still be staged under another name. */
bool volume_peek_archive(const char *path, const struct volume_id *id,
	uint8_t ret_uuid[ARCHIVE_UUID_BYTES], struct err *err);

/* Is it sealed, and which volume did it replace? */
bool volume_peek_seal(const char *archive_path, const struct volume_id *id, bool *ret_sealed,
	uint8_t ret_replaces[ARCHIVE_UUID_BYTES], struct err *err);

#endif
