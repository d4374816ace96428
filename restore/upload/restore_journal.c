#include "restore/upload/restore_journal.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/fs.h"
#include "base/str.h"
#include "db/db.h"
#include "restore/upload/restore_sql.h"

enum {
	JOURNAL_CACHE_KIB = 2 * 1024,
	JOURNAL_BUSY_MS = 2 * 1000,
	JOURNAL_FOLDER_MODE = 0700,
	IDENTITY_HEX = 32,
	UUID_HEX_MAX = 2 * ARCHIVE_UUID_BYTES + 1,
	WAL_BYTES = 4 * 1024 * 1024
};

struct restore_journal {
	struct db *db;
	int lock;
	char *folder; /* the last one looked up */
	int64_t folder_id;
	int64_t uncommitted_id; /* the first pending row of the open transaction; 0: none */
};

static void uuid_hex(const uint8_t uuid[ARCHIVE_UUID_BYTES], char out[UUID_HEX_MAX])
{
	for (size_t i = 0; i < ARCHIVE_UUID_BYTES; i++)
		(void)snprintf(out + 2 * i, 3, "%02x", uuid[i]);
}

char *restore_journal_path(const char *state_dir, const uint8_t archive_uuid[ARCHIVE_UUID_BYTES],
	const char *host, uint16_t port, const char *user)
{
	CLEANUP(freep) char *identity = str_printf("%s\n%u\n%s", host, port, user);
	char archive[UUID_HEX_MAX], target[SHA256_HEX_MAX];
	uint8_t digest[SHA256_BYTES];

	uuid_hex(archive_uuid, archive);
	sha256_of(identity, strlen(identity), digest);
	sha256_hex(digest, target);
	return str_printf("%s/restore/%s-%.*s.db", state_dir, archive, IDENTITY_HEX, target);
}

/* --- opening --- */

static bool open_journal_file(
	const char *path, const uint8_t *key, struct db **ret_db, struct err *err)
{
	const struct db_options options = {
		.kind = &restore_kind,
		.mode = DB_CREATE,
		.full_sync = true,
		.cache_kib = JOURNAL_CACHE_KIB,
		.busy_timeout_ms = JOURNAL_BUSY_MS,
		.key = key,
	};

	return db_open(path, &options, ret_db, err);
}

static bool remove_journal_files(const char *path, struct err *err)
{
	static const char *const suffixes[] = {"", "-wal", "-shm"};

	for (size_t i = 0; i < ARRAY_LEN(suffixes); i++) {
		CLEANUP(freep) char *name = str_printf("%s%s", path, suffixes[i]);

		if (!fs_remove(name, err))
			return false;
	}
	return true;
}

/*
 * A damaged journal is worth no more than a lost one: messages are then found by their bytes. The
 * caller holds the lock, so nobody else has the files open. A crash
 *   - between removing the database and its -wal: the next open finds no database, removes the
 *     orphaned -wal and creates an empty one (db.c, create_whole());
 *   - before that: the damaged database is still there and is replaced by the next run.
 */
static bool open_or_replace(
	const char *path, const uint8_t *key, struct db **ret_db, struct err *err)
{
	if (open_journal_file(path, key, ret_db, err))
		return true;
	if (err->kind != ERR_CORRUPT)
		return false;
	return remove_journal_files(path, err) && open_journal_file(path, key, ret_db, err);
}

bool restore_journal_open(const char *path, struct restore_journal **ret_journal, struct err *err)
{
	return restore_journal_open_encrypted(path, NULL, ret_journal, err);
}

bool restore_journal_open_encrypted(
	const char *path, const uint8_t *key, struct restore_journal **ret_journal, struct err *err)
{
	CLEANUP(restore_journal_freep)
	struct restore_journal *journal = xcalloc(1, sizeof(*journal));
	CLEANUP(freep) char *folder = xstrndup(path, (size_t)(strrchr(path, '/') - path));
	CLEANUP(freep) char *lock = str_printf("%s.lock", path);

	/*
	 * The lock comes first and is held until the journal is closed: two restores to one target
	 * would each miss what the other has in flight, and send it twice.
	 */
	journal->lock = -1;
	if (!fs_make_dirs(folder, JOURNAL_FOLDER_MODE, err) ||
		!fs_lock(lock, JOURNAL_LOCK_TIMEOUT_MS, &journal->lock, err) ||
		!open_or_replace(path, key, &journal->db, err))
		return false;
	*ret_journal = TAKE(journal);
	return true;
}

void restore_journal_freep(struct restore_journal **journal)
{
	struct restore_journal *old = TAKE(*journal);

	if (!old)
		return;
	if (old->db) {
		/* pending rows were committed before their messages were sent: only what the next
		 * run finds out again is lost */
		db_rollback(old->db);
		(void)db_wal_checkpoint(old->db, true, NULL);
	}
	db_freep(&old->db);
	fs_unlock(&old->lock);
	free(old->folder);
	free(old);
}

static bool remove_journal(const char *folder, const char *name, struct err *err)
{
	CLEANUP(freep) char *path = str_printf("%s/%s", folder, name);
	CLEANUP(freep) char *lock_path = str_printf("%s.lock", path);
	CLEANUP(fs_unlock) int lock = -1;

	return fs_lock(lock_path, JOURNAL_LOCK_TIMEOUT_MS, &lock, err) &&
	       remove_journal_files(path, err);
}

bool restore_journal_remove_all(
	const char *state_dir, const uint8_t archive_uuid[ARCHIVE_UUID_BYTES], struct err *err)
{
	CLEANUP(freep) char *folder = str_printf("%s/restore", state_dir);
	char archive[UUID_HEX_MAX];
	DIR *dir = opendir(folder);
	struct dirent *entry;
	bool good = true;

	uuid_hex(archive_uuid, archive);
	if (!dir)
		return errno == ENOENT || err_errno(err, ERR_LOCAL, errno, "%s", folder);
	while (good && (entry = readdir(dir))) {
		const char *end = strrchr(entry->d_name, '.');

		if (strncmp(entry->d_name, archive, strlen(archive)) == 0 && end &&
			strcmp(end, ".db") == 0)
			good = remove_journal(folder, entry->d_name, err);
	}
	(void)closedir(dir);
	return good;
}

/* --- reading --- */

static bool find_folder(
	struct restore_journal *journal, const char *wire_name, bool *ret_found, struct err *err)
{
	struct db *db = journal->db;

	*ret_found = journal->folder && strcmp(journal->folder, wire_name) == 0;
	if (*ret_found)
		return true;
	db_bind_text(db, RESTORE_FOLDER_GET, "wire_name", wire_name);
	if (!db_step(db, RESTORE_FOLDER_GET, ret_found, err))
		return false;
	if (*ret_found) {
		free(journal->folder);
		journal->folder = xstrdup(wire_name);
		journal->folder_id = db_int(db, RESTORE_FOLDER_GET, 0);
	}
	db_reset(db, RESTORE_FOLDER_GET);
	return true;
}

static bool read_journal_row(struct db *db, struct journal_row *row, struct err *err)
{
	size_t len;
	const void *digest = db_blob(db, RESTORE_MESSAGE_LIST, 4, &len);

	if (len != SHA256_BYTES)
		return err_set(err, ERR_CORRUPT, "%s: a digest has %zu bytes, not %d", db_path(db),
			len, SHA256_BYTES);
	*row = (struct journal_row){
		.id = db_int(db, RESTORE_MESSAGE_LIST, 0),
		.uidvalidity = (uint32_t)db_int(db, RESTORE_MESSAGE_LIST, 1),
		.uidnext = (uint32_t)db_int(db, RESTORE_MESSAGE_LIST, 2),
		.uid = (uint32_t)db_int(db, RESTORE_MESSAGE_LIST, 3),
		.seen = !db_is_null(db, RESTORE_MESSAGE_LIST, 5),
		.size = (uint64_t)db_int(db, RESTORE_MESSAGE_LIST, 5),
		.unix_s = db_int(db, RESTORE_MESSAGE_LIST, 6),
	};
	memcpy(row->sha256, digest, SHA256_BYTES);
	return true;
}

bool restore_journal_each(struct restore_journal *journal, const char *wire_name,
	bool (*each)(void *context, const struct journal_row *row, struct err *err), void *context,
	struct err *err)
{
	struct db *db = journal->db;
	struct journal_row row;
	bool found;

	if (!find_folder(journal, wire_name, &found, err))
		return false;
	if (!found)
		return true;
	db_bind_int(db, RESTORE_MESSAGE_LIST, "folder", journal->folder_id);
	for (;;) {
		if (!db_step(db, RESTORE_MESSAGE_LIST, &found, err))
			return false;
		if (!found)
			return true;
		if (!read_journal_row(db, &row, err) || !each(context, &row, err)) {
			db_reset(db, RESTORE_MESSAGE_LIST);
			return false;
		}
	}
}

/* --- changing --- */

static bool begin_change(struct restore_journal *journal, struct err *err)
{
	return db_in_transaction(journal->db) || db_begin(journal->db, err);
}

/*
 * With full_sync db_commit() returns after the -wal was synced. Only then are the rows durable, and
 * only then does restore_journal_is_durable() let their messages be sent: a crash before leaves no
 * row and no message. The checkpoint only moves durable rows into the database.
 */
bool restore_journal_commit(struct restore_journal *journal, struct err *err)
{
	if (!db_in_transaction(journal->db))
		return true;
	if (!db_commit(journal->db, err))
		return err_wrap(err, "restore journal");
	journal->uncommitted_id = 0;
	return db_wal_bytes(journal->db) < WAL_BYTES || db_wal_checkpoint(journal->db, false, err);
}

static bool begin_folder_change(
	struct restore_journal *journal, const char *wire_name, struct err *err)
{
	struct db *db = journal->db;
	bool found;

	if (!begin_change(journal, err) || !find_folder(journal, wire_name, &found, err))
		return false;
	if (found)
		return true;
	db_bind_text(db, RESTORE_FOLDER_PUT, "wire_name", wire_name);
	return db_run(db, RESTORE_FOLDER_PUT, err) && find_folder(journal, wire_name, &found, err);
}

bool restore_journal_pending(struct restore_journal *journal, const char *wire_name,
	const struct journal_row *row, int64_t *ret_id, struct err *err)
{
	struct db *db = journal->db;

	if (!begin_folder_change(journal, wire_name, err))
		return false;
	db_bind_int(db, RESTORE_PENDING_PUT, "folder", journal->folder_id);
	db_bind_int(db, RESTORE_PENDING_PUT, "uidvalidity", row->uidvalidity);
	db_bind_int(db, RESTORE_PENDING_PUT, "uidnext", row->uidnext);
	db_bind_blob(db, RESTORE_PENDING_PUT, "sha256", row->sha256, SHA256_BYTES);
	if (!db_run(db, RESTORE_PENDING_PUT, err))
		return false;
	*ret_id = db_last_row_id(db);
	assert(*ret_id > 0);
	assert(db_in_transaction(db)); /* not durable before restore_journal_commit() */
	if (journal->uncommitted_id == 0 || *ret_id < journal->uncommitted_id)
		journal->uncommitted_id = *ret_id;
	return true;
}

/* SQLite numbers a new row above every existing one, so all later ids are uncommitted as well. */
bool restore_journal_is_durable(const struct restore_journal *journal, int64_t id)
{
	return id > 0 && (journal->uncommitted_id == 0 || id < journal->uncommitted_id);
}

/*
 * This and the changes below may wait for the next commit. If a crash loses them, the row is still
 * pending and the next run looks the message up on the target.
 */
bool restore_journal_done(struct restore_journal *journal, int64_t id, uint32_t uidvalidity,
	uint32_t uid, struct err *err)
{
	struct db *db = journal->db;

	if (!begin_change(journal, err))
		return false;
	db_bind_int(db, RESTORE_MESSAGE_DONE, "id", id);
	db_bind_int(db, RESTORE_MESSAGE_DONE, "uidvalidity", uidvalidity);
	db_bind_int(db, RESTORE_MESSAGE_DONE, "uid", uid);
	return db_run(db, RESTORE_MESSAGE_DONE, err);
}

bool restore_journal_seen(
	struct restore_journal *journal, int64_t id, uint64_t size, int64_t unix_s, struct err *err)
{
	struct db *db = journal->db;

	if (!begin_change(journal, err))
		return false;
	db_bind_int(db, RESTORE_MESSAGE_SEEN, "id", id);
	db_bind_int(db, RESTORE_MESSAGE_SEEN, "size", (int64_t)size);
	db_bind_int(db, RESTORE_MESSAGE_SEEN, "unix_s", unix_s);
	return db_run(db, RESTORE_MESSAGE_SEEN, err);
}

bool restore_journal_known(struct restore_journal *journal, const char *wire_name,
	const struct journal_row *row, struct err *err)
{
	struct db *db = journal->db;

	if (!begin_folder_change(journal, wire_name, err))
		return false;
	db_bind_int(db, RESTORE_KNOWN_PUT, "folder", journal->folder_id);
	db_bind_int(db, RESTORE_KNOWN_PUT, "uidvalidity", row->uidvalidity);
	db_bind_int(db, RESTORE_KNOWN_PUT, "uid", row->uid);
	db_bind_blob(db, RESTORE_KNOWN_PUT, "sha256", row->sha256, SHA256_BYTES);
	db_bind_int(db, RESTORE_KNOWN_PUT, "size", (int64_t)row->size);
	db_bind_int(db, RESTORE_KNOWN_PUT, "unix_s", row->unix_s);
	return db_run(db, RESTORE_KNOWN_PUT, err);
}

bool restore_journal_remove(struct restore_journal *journal, int64_t id, struct err *err)
{
	if (!begin_change(journal, err))
		return false;
	db_bind_int(journal->db, RESTORE_MESSAGE_REMOVE, "id", id);
	return db_run(journal->db, RESTORE_MESSAGE_REMOVE, err);
}

bool restore_journal_forget_others(struct restore_journal *journal, const char *wire_name,
	uint32_t uidvalidity, struct err *err)
{
	if (!begin_folder_change(journal, wire_name, err))
		return false;
	db_bind_int(journal->db, RESTORE_OTHERS_REMOVE, "folder", journal->folder_id);
	db_bind_int(journal->db, RESTORE_OTHERS_REMOVE, "uidvalidity", uidvalidity);
	return db_run(journal->db, RESTORE_OTHERS_REMOVE, err);
}
