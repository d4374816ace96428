/*
 * A catalogue of the right form whose rows lie: columns are given other values, rows are removed.
 * Whatever is asked of the archive ends; a message that can be read is one of those that were
 * stored; and what check finds sound lists what was there.
 *
 * Each edit: table, column, row, kind of value, and its number or bytes.
 */
#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sqlite3.h>

#include "archive/archive.h"
#include "base/crypto.h"
#include "base/str.h"
#include "fuzz_archive.h"
#include "support/archive/refs.h"

enum {
	EDIT_HEAD_BYTES = 4,
	EDITS_MAX = 8,
	NAME_MAX_BYTES = 64,
	LIST_BYTES_MAX = 1024 * 1024,
	BIG_BYTES = 1024 * 1024,
	GENERATIONS = 2,
	CHECKED = 1,
	WRITTEN = 2,
};

enum value_kind {
	VALUE_EXTREME,
	VALUE_NUMBER,
	VALUE_TEXT,
	VALUE_BLOB,
	VALUE_BIG,
	VALUE_NULL,
	VALUE_REAL,
	VALUE_OF_OTHER_ROW,
	VALUE_GONE,
	VALUE_KINDS
};

static const char *const tables[] = {"state", "volume", "item", "part", "message", "folder",
	"flag_set", "placement", "mark", "snapshot", "tombstone", "forgotten"};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/* --- edits --- */

struct input {
	const uint8_t *data;
	size_t len;
};

static uint8_t take_byte(struct input *input)
{
	if (input->len == 0)
		return 0;
	input->len--;
	return *input->data++;
}

static int64_t take_number(struct input *input)
{
	uint64_t number = 0;

	for (int i = 0; i < 8; i++)
		number = number << 8 | take_byte(input);
	return (int64_t)number;
}

/* False: the table has no such row. */
static bool column_of(sqlite3 *handle, const char *table, unsigned number, char out[NAME_MAX_BYTES])
{
	sqlite3_stmt *stmt = NULL;
	char *sql = sqlite3_mprintf(
		"select name from pragma_table_info(%Q) limit 1 offset %u", table, number);
	bool found = sqlite3_prepare_v2(handle, sql, -1, &stmt, NULL) == SQLITE_OK &&
		     sqlite3_step(stmt) == SQLITE_ROW;

	if (found)
		(void)snprintf(
			out, NAME_MAX_BYTES, "%s", (const char *)sqlite3_column_text(stmt, 0));
	(void)sqlite3_finalize(stmt);
	sqlite3_free(sql);
	return found;
}

static void bind(sqlite3_stmt *stmt, enum value_kind kind, struct input *input)
{
	static const int64_t extremes[] = {0, 1, -1, 2, INT64_MAX, INT64_MIN, UINT32_MAX, INT32_MAX,
		INT32_MIN, (int64_t)UINT32_MAX + 1, 4096, 4 * 1024 * 1024};
	uint8_t small = take_byte(input);
	size_t len = small < input->len ? small : input->len;

	switch (kind) {
	case VALUE_EXTREME:
		(void)sqlite3_bind_int64(stmt, 1, extremes[small % ARRAY_LEN(extremes)]);
		break;
	case VALUE_NUMBER:
		(void)sqlite3_bind_int64(stmt, 1, take_number(input));
		break;
	case VALUE_REAL:
		(void)sqlite3_bind_double(stmt, 1, 1e300 * (small - 128));
		break;
	case VALUE_TEXT:
		(void)sqlite3_bind_text(
			stmt, 1, (const char *)input->data, (int)len, SQLITE_TRANSIENT);
		break;
	case VALUE_BLOB:
		(void)sqlite3_bind_blob(stmt, 1, input->data, (int)len, SQLITE_TRANSIENT);
		break;
	case VALUE_BIG:
		(void)sqlite3_bind_zeroblob(stmt, 1, BIG_BYTES + small);
		break;
	default:
		break;
	}
}

static void edit(sqlite3 *handle, struct input *input)
{
	const char *table = tables[take_byte(input) % ARRAY_LEN(tables)];
	unsigned number = take_byte(input), row = take_byte(input);
	enum value_kind kind = take_byte(input) % VALUE_KINDS;
	sqlite3_stmt *stmt = NULL;
	char column[NAME_MAX_BYTES];
	const char *form =
		"update %w set %w = ?1 where %w is (select %w from %w limit 1 offset %u)";
	char *sql;

	if (!column_of(handle, table, number % 13, column))
		return;
	if (kind == VALUE_GONE)
		sql = sqlite3_mprintf(
			"delete from %w where %w is (select %w from %w limit 1 offset %u)", table,
			column, column, table, row);
	else if (kind == VALUE_OF_OTHER_ROW)
		sql = sqlite3_mprintf("update %w set %w = (select %w from %w limit 1 offset %u)"
				      " where %w is (select %w from %w limit 1 offset %u)",
			table, column, column, table, take_byte(input), column, column, table, row);
	else
		sql = sqlite3_mprintf(form, table, column, column, column, table, row);
	if (sqlite3_prepare_v2(handle, sql, -1, &stmt, NULL) == SQLITE_OK) {
		bind(stmt, kind, input);
		(void)sqlite3_step(stmt); /* the table's constraints may refuse it */
	}
	(void)sqlite3_finalize(stmt);
	sqlite3_free(sql);
}

static void edit_all(const char *path, struct input *input)
{
	sqlite3 *handle = NULL;
	bool open = sqlite3_open(path, &handle) == SQLITE_OK;

	assert(open);
	(void)sqlite3_exec(handle, "pragma synchronous = off; begin", NULL, NULL, NULL);
	for (int i = 0; i < EDITS_MAX && input->len >= EDIT_HEAD_BYTES; i++)
		edit(handle, input);
	(void)sqlite3_exec(handle, "commit", NULL, NULL, NULL);
	(void)sqlite3_close(handle);
}

/* --- what is asked --- */

struct asking {
	struct archive *archive;
	struct sha256 *digest;
	uint64_t len;
	struct buf *list;
};

static void digest_of(uint32_t uid, uint8_t out[SHA256_BYTES])
{
	char message[FUZZ_MESSAGE_BYTES];

	fuzz_message(uid, message);
	sha256_of(message, sizeof(message), out);
}

static bool was_stored(const uint8_t digest[SHA256_BYTES])
{
	static uint8_t stored[FUZZ_MESSAGES][SHA256_BYTES];
	static bool known;

	for (uint32_t i = 0; !known && i < FUZZ_MESSAGES; i++)
		digest_of(i + 1, stored[i]);
	known = true;
	for (size_t i = 0; i < FUZZ_MESSAGES; i++)
		if (memcmp(digest, stored[i], SHA256_BYTES) == 0)
			return true;
	return false;
}

static bool add_piece(void *context, const uint8_t *data, size_t len, struct err *err)
{
	struct asking *asking = context;

	(void)err;
	sha256_add(asking->digest, data, len);
	asking->len += len;
	return true;
}

static void read_message(struct asking *asking, const struct archive_entry *entry)
{
	uint8_t digest[SHA256_BYTES];
	struct err err = ERR_INIT;
	bool good;

	asking->digest = sha256_new();
	asking->len = 0;
	good = archive_read_message(asking->archive, entry->message_id, add_piece, asking, &err);
	sha256_finish(asking->digest, digest);
	sha256_freep(&asking->digest);
	assert(!good || was_stored(digest));
	assert(good || (err.kind != ERR_NONE && *err.text));
}

static bool see_entry(void *context, const struct archive_entry *entry, struct err *err)
{
	struct asking *asking = context;

	(void)err;
	if (!buf_printf(asking->list, "%s %s %" PRIu32 " %" PRIu64 " %s %s %" PRIi64 "\n",
		    entry->folder_path, entry->flags, entry->uid, entry->size, entry->subject,
		    entry->from, entry->date.unix_s))
		return false; /* the list is full */
	read_message(asking, entry);
	return true;
}

static bool see_folder(void *context, const struct archive_folder *folder, struct err *err)
{
	struct asking *asking = context;

	(void)err;
	return buf_printf(
		asking->list, "%s %s %s\n", folder->path, folder->wire_name, folder->attributes);
}

static bool see_snapshot(void *context, const struct archive_snapshot *snapshot, struct err *err)
{
	struct asking *asking = context;

	(void)err;
	return buf_printf(
		asking->list, "%" PRId64 " %" PRId64 "\n", snapshot->generation, snapshot->unix_ms);
}

/* Everything visible, as text. */
static void ask(const char *path, struct buf *ret_list)
{
	CLEANUP(archive_freep) struct archive *archive = NULL;
	struct asking asking = {.list = ret_list};
	struct archive_snapshot latest;
	struct archive_facts facts;
	struct err err = ERR_INIT;

	buf_reset(ret_list);
	if (!archive_open(ref_of(path), &archive, &err))
		return;
	asking.archive = archive;
	(void)archive_facts(archive, &facts, &err);
	(void)archive_resolve(
		archive, (struct archive_when){.kind = ARCHIVE_LATEST}, &latest, &err);
	(void)archive_each_snapshot(archive, see_snapshot, &asking, &err);
	for (int64_t generation = 1; generation <= GENERATIONS; generation++) {
		struct archive_list list = {.generation = generation, .deleted = generation == 1};

		(void)archive_each_folder(archive, generation, see_folder, &asking, &err);
		(void)archive_each_entry(archive, &list, see_entry, &asking, &err);
	}
}

/* Open the writer on what is there and report that nothing changed. */
static void write_to(const char *path)
{
	CLEANUP(archive_writer_freep) struct archive_writer *writer = NULL;
	struct archive_folder inbox = {
		.path = "INBOX", .wire_name = "INBOX", .attributes = "", .selectable = true};
	struct err err = ERR_INIT;
	int64_t id, generation;

	if (archive_writer_open(ref_of(path), FUZZ_LOCK_MS, &writer, &err) &&
		archive_put_folder(writer, &inbox, &id, &err) &&
		archive_set_flags(writer, id, 1, 2, "\\Flagged", &err))
		(void)archive_commit(writer, true, &generation, &err);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static struct buf truth = BUF_INIT(LIST_BYTES_MAX);
	static struct buf list = BUF_INIT(LIST_BYTES_MAX);
	const struct fuzz_archive *archive = fuzz_archive();
	struct input input = {data, len};
	unsigned how = take_byte(&input);

	if (truth.len == 0)
		ask(archive->path, &truth);
	edit_all(archive->catalogue.path, &input);
	ask(archive->path, &list);
	if (how & WRITTEN)
		write_to(archive->path);
	else if (how & CHECKED && fuzz_check_archive(archive->path))
		assert(list.len == truth.len && memcmp(list.data, truth.data, list.len) == 0);
	return 0;
}
