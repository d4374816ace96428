/*
 * The catalogue's rows: for each type one struct, one function that binds a row to a statement and
 * one that reads a statement's current row. A statement that returns rows of a type selects their
 * columns in the order of the type's enum (schema/catalogue/queries.sql).
 *
 * The structs are those of the journal's records (format/record.h) where one exists. Texts that
 * were read end with NUL and are valid until the statement's next step or reset; texts and blobs
 * that were bound must live until it has run.
 */
#ifndef MAILSTOW_ARCHIVE_CATALOGUE_ROWS_H
#define MAILSTOW_ARCHIVE_CATALOGUE_ROWS_H

#include "archive/format/packed_date.h"
#include "archive/format/record.h"
#include "archive/volume/volume.h"
#include "base/rangeset.h"
#include "db/db.h"

/* A blob of exactly len bytes. False: the column holds something else, out is unchanged. */
bool rows_read_blob(struct db *db, size_t query, int column, void *out, size_t len) MUST_USE;

/* --- volumes --- */

enum {
	VOLUME_ROW_SEQUENCE,
	VOLUME_ROW_UUID,
	VOLUME_ROW_STATE,
	VOLUME_ROW_APPLIED_FRAME,
	VOLUME_ROW_LIVE_BYTES, /* these two only in CATALOGUE_VOLUMES_LIVE */
	VOLUME_ROW_LIVE_ITEMS,
};

struct catalogue_volume {
	struct volume_id id;
	enum volume_state state;
	int64_t applied_frame; /* the last journal frame in the catalogue */
};

/* ERR_CORRUPT: its uuid is malformed. */
bool rows_read_volume(
	struct db *db, size_t query, struct catalogue_volume *ret_volume, struct err *err);

/* --- items --- */

enum {
	ITEM_ROW_ID,
	ITEM_ROW_KIND,
	ITEM_ROW_VOLUME,
	ITEM_ROW_FRAME,
	ITEM_ROW_OFFSET,
	ITEM_ROW_SIZE,
	ITEM_ROW_SHA256, /* only in whole tables and CATALOGUE_FORGOTTEN_ITEMS */
};

struct item_row {
	int64_t id;
	int kind;
	int64_t volume; /* sequence */
	int64_t frame;  /* the first */
	uint64_t offset;
	uint64_t size;
};

/* id, volume, frame and offset; :volume is where the item is, or where it is to be. */
void rows_bind_item_place(struct db *db, size_t query, const struct item_row *item);
void rows_bind_item(
	struct db *db, size_t query, const struct item_row *item, const uint8_t *sha256_or_null);
struct item_row rows_read_item(struct db *db, size_t query);

/* --- messages --- */

enum {
	MESSAGE_ROW_ID,
	MESSAGE_ROW_SHA256,
	MESSAGE_ROW_SIZE,
	MESSAGE_ROW_HEADER_SIZE,
	MESSAGE_ROW_ITEM,
	MESSAGE_ROW_SENDER, /* from here on: not in CATALOGUE_MESSAGE_GET */
	MESSAGE_ROW_SUBJECT,
	MESSAGE_ROW_DATE_HEADER,
	MESSAGE_ROW_MESSAGE_ID,
	MESSAGE_ROW_COLUMNS,
};

void rows_bind_message(struct db *db, size_t query, const struct record_message *message);

/* Without its texts. False: its SHA-256 is none, and is all zeros. `first` is the number of the
 * column that holds the id. */
bool rows_read_message_numbers(
	struct db *db, size_t query, int first, struct record_message *ret_message);
/* The same with them; the date may be stored in `date`. */
bool rows_read_message(struct db *db, size_t query, int first, char date[MIME_DATE_TEXT_MAX],
	struct record_message *ret_message);

/* --- folders --- */

enum {
	FOLDER_ROW_ID,
	FOLDER_ROW_GEN_FROM,
	FOLDER_ROW_GEN_TO,
	FOLDER_ROW_PATH,
	FOLDER_ROW_WIRE_NAME,
	FOLDER_ROW_DELIMITER,
	FOLDER_ROW_ATTRIBUTES,
	FOLDER_ROW_SPECIAL_USE,
	FOLDER_ROW_SUBSCRIBED,
	FOLDER_ROW_SELECTABLE,
	FOLDER_ROW_UIDVALIDITY,
};

/* gen_from and gen_to of a row with history; gen_to 0: null. */
void rows_bind_span(struct db *db, size_t query, const struct record_span *span);
/* first: the number of gen_from's column; gen_to's is the next. */
struct record_span rows_read_span(struct db *db, size_t query, int first);
void rows_bind_folder(struct db *db, size_t query, const struct record_folder *folder);
struct record_folder_row rows_read_folder(struct db *db, size_t query);

/* --- placements --- */

enum {
	PLACEMENT_ROW_FOLDER,
	PLACEMENT_ROW_UIDVALIDITY,
	PLACEMENT_ROW_UID,
	PLACEMENT_ROW_GEN_FROM,
	PLACEMENT_ROW_GEN_TO,
	PLACEMENT_ROW_GONE,
	PLACEMENT_ROW_ADDED,
	PLACEMENT_ROW_MESSAGE,
	PLACEMENT_ROW_KNOWN,
	PLACEMENT_ROW_DATE_S,
	PLACEMENT_ROW_DATE_OFFSET,
	PLACEMENT_ROW_DATE_TEXT,
	PLACEMENT_ROW_FLAGS, /* of its flag set */
	PLACEMENT_ROW_COLUMNS,
};

/* Where a placement or a tombstone is. */
void rows_bind_place(
	struct db *db, size_t query, int64_t folder, uint32_t uidvalidity, uint32_t uid);
void rows_bind_range(
	struct db *db, size_t query, int64_t folder, uint32_t uidvalidity, struct range range);
void rows_bind_placement(
	struct db *db, size_t query, const struct record_placement *placement, int64_t flag_set);
struct record_placement_row rows_read_placement(struct db *db, size_t query);

/* --- marks --- */

enum {
	MARK_ROW_FOLDER,
	MARK_ROW_UIDVALIDITY,
	MARK_ROW_UIDNEXT,
	MARK_ROW_HIGHESTMODSEQ,
	MARK_ROW_MESSAGES,
	MARK_ROW_FLAGS_COMPARED_MS,
};

void rows_bind_mark(struct db *db, size_t query, const struct record_mark *mark);
struct record_mark rows_read_mark(struct db *db, size_t query);

/* --- snapshots --- */

enum {
	SNAPSHOT_ROW_GENERATION,
	SNAPSHOT_ROW_UNIX_MS,
	SNAPSHOT_ROW_COMPLETE,
	SNAPSHOT_ROW_PINNED,
	SNAPSHOT_ROW_PRUNED,
	SNAPSHOT_ROW_MESSAGES,
	SNAPSHOT_ROW_BYTES,
	SNAPSHOT_ROW_ADDED,
	SNAPSHOT_ROW_REMOVED,
	SNAPSHOT_ROW_CHANGED,
};

void rows_bind_snapshot(struct db *db, size_t query, const struct record_snapshot_row *snapshot);
struct record_snapshot_row rows_read_snapshot(struct db *db, size_t query);

/* --- tombstones; bound by rows_bind_place() --- */

enum { TOMBSTONE_ROW_FOLDER, TOMBSTONE_ROW_UIDVALIDITY, TOMBSTONE_ROW_UID };

struct record_tombstone rows_read_tombstone(struct db *db, size_t query);

#endif
