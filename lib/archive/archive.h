/*
 * The archive of one account: reading any snapshot, and writing. schema/README.md specifies the
 * format. The headers of this folder are the room's interface, one for each verb; they show nothing
 * of SQLite, zstd or the layout.
 *
 * A *generation* is one commit, numbered from 1 without gaps. A *snapshot* is a state people can go
 * back to, numbered by its generation. A *placement* is (folder id, UIDVALIDITY, uid) -> message,
 * date, flags, valid from one generation until another. A *message* is bytes with a SHA-256, stored
 * once.
 *
 * Reading takes no lock and works while another process writes. A struct archive belongs to one
 * thread at a time; open another one for another thread. Each call sees one consistent state of the
 * archive. A long call only delays the writer's WAL checkpoint.
 *
 * A callback may call other functions on the same archive (such as reading a message while
 * listing), but not the function that calls it, nor archive_each_folder() from
 * archive_each_entry().
 *
 * Errors: ERR_NOT_FOUND, ERR_CORRUPT (names what is damaged), ERR_NEWER, ERR_NO_SPACE, ERR_LOCAL,
 * ERR_BUSY, ERR_CREATE.
 */
#ifndef MAILSTOW_ARCHIVE_ARCHIVE_H
#define MAILSTOW_ARCHIVE_ARCHIVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/crypto.h"
#include "base/err.h"
#include "base/rangeset.h"
#include "base/wait.h"

enum {
	ARCHIVE_UUID_BYTES = 16,
	ARCHIVE_LOCK_TIMEOUT_MS = 30 * 1000,
	ARCHIVE_PACK_BYTES = 1024 * 1024,            /* raw bytes of a pack frame */
	ARCHIVE_PART_BYTES = 64 * 1024,              /* larger items get frames of their own */
	ARCHIVE_PIECE_BYTES = 4 * 1024 * 1024,       /* of a large item, one frame each */
	ARCHIVE_TRANSACTION_BYTES = 8 * 1024 * 1024, /* stored bytes of one volume transaction */
	ARCHIVE_COMMIT_BYTES = 4 * 1024 * 1024, /* stored bytes after which the packer may commit */
	ARCHIVE_QUEUE_BYTES = 4 * 1024 * 1024,  /* queued between network and packer thread */
	ARCHIVE_VOLUME_BYTES = 256 * 1000 * 1000, /* then the next volume is started */
	ARCHIVE_SUMMARY_BYTES = 1024,             /* stored of each of from, subject, message-id */
};

struct archive;
struct archive_keys; /* unlock.h */

/* An archive to open. Path and keys are the caller's; the keys outlive what is opened. */
struct archive_ref {
	const char *path;
	struct archive_keys *keys; /* NULL, or locked: an encrypted archive is ERR_AUTH */
};

/*
 * Create an empty plain archive. The folder must be empty or missing. Waits for a concurrent
 * writer, such as a first copy (ERR_BUSY). ERR_AUTH: an encrypted archive was started here and not
 * finished.
 */
bool archive_create(const char *path, int timeout_ms, struct err *err);

/* Is there an archive: a catalogue, a volume, or a completely staged copy? */
bool archive_exists(const char *path);

/*
 * Open for reading, also on read-only media. Changes nothing on disk except SQLite's scratch file
 * (-shm). Waits for an archive that is being created. ERR_NOT_FOUND: there is no archive.
 */
bool archive_open(const struct archive_ref *archive, struct archive **ret_archive, struct err *err);
void archive_freep(struct archive **archive);

/* The same, if the catalogue is up to date with the volumes. False: it is not, or only a holder of
 * the writer lock can tell. Call archive_catch_up(), then archive_open(). */
bool archive_open_newest(const struct archive_ref *archive, struct archive **ret_archive);

/*
 * Update a catalogue that a crash or a power cut left older than the volumes. Does nothing if
 * another process writes, because a writer does this first. *ret_outdated: the catalogue is out of
 * date or unreferenced volumes remain, and the archive is on read-only media. ERR_CORRUPT: the
 * newest part of the journal is unreadable; what the catalogue has can still be read.
 */
bool archive_catch_up(const struct archive_ref *archive, bool *ret_outdated, struct err *err);

/*
 * Replaces the archive's catalogue, which may be missing, damaged or another archive's, by one
 * rebuilt from the volumes. The new one is built beside it and replaces it once complete and
 * durable. Takes the writer lock. ERR_CORRUPT: the volumes are inconsistent, or lack commits that
 * the present catalogue knows; nothing is changed.
 */
bool archive_rebuild(const struct archive_ref *archive, int timeout_ms, struct err *err);

/* --- snapshots --- */

struct archive_when {
	enum { ARCHIVE_LATEST, ARCHIVE_GENERATION, ARCHIVE_TIME } kind;
	int64_t generation;
	int64_t unix_ms; /* the last complete snapshot at or before it */
};

struct archive_snapshot {
	int64_t generation;
	int64_t unix_ms;
	bool complete;
	bool pinned;
	uint64_t messages; /* placements present in it */
	uint64_t added;    /* placements that began, ended, changed flags in it */
	uint64_t removed;
	uint64_t changed;
};

/*
 * Find the snapshot meant. LATEST is the newest state, complete or not (see ret_snapshot); an empty
 * archive gives generation 0. ERR_NOT_FOUND: the text names the existing snapshots.
 */
bool archive_resolve(struct archive *archive, struct archive_when when,
	struct archive_snapshot *ret_snapshot, struct err *err);

bool archive_each_snapshot(struct archive *archive,
	bool (*each)(void *context, const struct archive_snapshot *snapshot, struct err *err),
	void *context, struct err *err);

/* --- folders --- */

struct archive_folder {
	int64_t id;       /* survives renames */
	const char *path; /* UTF-8, '/' between components, %2F %25 inside */
	const char *wire_name;
	char delimiter;          /* 0: none */
	const char *attributes;  /* blank-separated, as sent */
	const char *special_use; /* NULL: none */
	bool subscribed;
	bool selectable;
	uint32_t uidvalidity; /* 0: unknown, never selected */
	uint64_t messages;    /* archive_each_folder_counted() only: present */
	uint64_t bytes;       /* archive_each_folder_counted() only: their exact sizes */
};

/* The folders that exist at the generation, by path. Strings are valid during the callback. The
 * counting variant reads every placement. */
bool archive_each_folder(struct archive *archive, int64_t generation,
	bool (*each)(void *context, const struct archive_folder *folder, struct err *err),
	void *context, struct err *err);
bool archive_each_folder_counted(struct archive *archive, int64_t generation,
	bool (*each)(void *context, const struct archive_folder *folder, struct err *err),
	void *context, struct err *err);

/* --- placements --- */

struct archive_entry {
	int64_t folder_id;
	const char *folder_path;
	uint32_t uidvalidity;
	uint32_t uid;
	int64_t message_id; /* internal id within this archive */
	uint64_t size;      /* exact bytes */
	uint8_t sha256[SHA256_BYTES];
	bool has_date;
	struct zoned_time date; /* INTERNALDATE */
	const char *date_text;  /* as sent, if it cannot be parsed; else NULL */
	const char *flags; /* canonical: blank-separated, sorted; at the generation, or when gone */
	int64_t added_ms;
	int64_t gone_ms;  /* 0: present in the newest generation */
	const char *from; /* summary, UTF-8; "" if absent */
	const char *subject;
	const char *date_header; /* Date header as written, "" if absent */
	const char *header_message_id;
};

struct archive_list {
	int64_t generation;
	int64_t folder_id; /* 0: all folders */
	bool deleted;      /* include those gone at or before it */
	bool only_deleted;
};

/* Ordered by folder path, UIDVALIDITY, uid. Strings are valid during the callback. */
bool archive_each_entry(struct archive *archive, const struct archive_list *list,
	bool (*each)(void *context, const struct archive_entry *entry, struct err *err),
	void *context, struct err *err);

/*
 * Pass the bytes of a message to each(), in pieces. Checks the SHA-256 (ERR_CORRUPT): before the
 * first piece for messages up to ARCHIVE_PIECE_BYTES, at the end for larger ones.
 */
bool archive_read_message(struct archive *archive, int64_t message_id,
	bool (*each)(void *context, const uint8_t *data, size_t len, struct err *err),
	void *context, struct err *err);

/* --- facts for `status` --- */

struct archive_facts {
	uint8_t uuid[ARCHIVE_UUID_BYTES];
	uint64_t messages;      /* placements present now */
	uint64_t bytes;         /* sum of their exact sizes */
	uint64_t archive_bytes; /* on disk */
	bool encrypted;
	char head[SHA256_HEX_MAX]; /* SHA-256 of the last journal payload, "" if empty */
	int64_t generation;
};
bool archive_facts(struct archive *archive, struct archive_facts *ret_facts, struct err *err);

/* --- marks: how far each folder has been mirrored --- */

/*
 * A folder's mark: everything below uidnext, and every change up to highestmodseq, is in the
 * archive. It moves only in the transaction that makes this true.
 */
struct archive_mark {
	uint32_t uidvalidity;
	uint32_t uidnext;
	uint64_t highestmodseq;    /* 0: the server has none */
	uint32_t messages;         /* below uidnext, archived or forgotten */
	int64_t flags_compared_ms; /* wall time of the last flag scan (servers without CONDSTORE) */
};

/*
 * Add to uids the uids of (folder, UIDVALIDITY) that were forgotten (forget.h) and must not be
 * fetched again.
 */
bool archive_add_forgotten(struct archive *archive, int64_t folder_id, uint32_t uidvalidity,
	struct rangeset *uids, struct err *err);

/* --- writing: one writer at a time, which holds the writer lock --- */

struct archive_writer;

/*
 * Take the writer lock (waiting at most timeout_ms; ERR_BUSY names the holder) and apply what a
 * crash left between volume and catalogue. Rebuilds a missing catalogue. ERR_CORRUPT: the catalogue
 * names data that the volumes lack.
 *
 * The calls below are queued in order to the packer thread and return early. An error of the packer
 * makes every later call fail with it. Only one thread may call. Nothing is durable before a
 * commit. Until the first call that changes something, no file is written and no thread started.
 */
bool archive_writer_open(const struct archive_ref *archive, int timeout_ms,
	struct archive_writer **ret_writer, struct err *err);

/* Discards uncommitted work and releases the lock. NULL is allowed. */
void archive_writer_freep(struct archive_writer **writer);

/* The state of the last commit, for looking up folders, placements and marks while writing. Owned
 * by the writer; reads through its own connection. */
struct archive *archive_writer_view(struct archive_writer *writer);

/* *ret_found false: no mark, the folder was never mirrored completely. */
bool archive_mark_of(struct archive *archive, int64_t folder_id, bool *ret_found,
	struct archive_mark *ret_mark, struct err *err);

/* uid and flags of every present placement of (folder, UIDVALIDITY), ascending. among: reads only
 * these uids; NULL: all. */
bool archive_each_uid(struct archive *archive, int64_t folder_id, uint32_t uidvalidity,
	const struct rangeset *among,
	bool (*each)(void *context, uint32_t uid, const char *flags, struct err *err),
	void *context, struct err *err);

/* Add the same uids to uids. */
bool archive_add_uids(struct archive *archive, int64_t folder_id, uint32_t uidvalidity,
	const struct rangeset *among, struct rangeset *uids, struct err *err);

/*
 * Add a folder (folder->id 0; *ret_id is its new id), or change name, wire name, delimiter,
 * attributes, special use or subscription of a known one. Records nothing if nothing changed.
 * Ignores uidvalidity. A folder that was gone returns without UIDVALIDITY. Texts have at most 64
 * KiB.
 */
bool archive_put_folder(struct archive_writer *writer, const struct archive_folder *folder,
	int64_t *ret_id, struct err *err);

/* The folder is gone from the server: close it and all placements in it. */
bool archive_folder_gone(struct archive_writer *writer, int64_t folder_id, struct err *err);

/* The folder has this UIDVALIDITY from now on: close placements with another one. */
bool archive_set_uidvalidity(
	struct archive_writer *writer, int64_t folder_id, uint32_t uidvalidity, struct err *err);

/*
 * Add one message: begin, data..., end, or abort. size_hint is the size that the server announced;
 * the archive stores whatever bytes come. Identical bytes are stored once. folder_id: packs hold
 * messages of one folder. *ret_ticket names the message for archive_place() until the next
 * archive_may_commit() or archive_commit(). No other change is allowed between begin and end.
 */
bool archive_message_begin(
	struct archive_writer *writer, int64_t folder_id, uint64_t size_hint, struct err *err);
bool archive_message_data(
	struct archive_writer *writer, const uint8_t *data, size_t len, struct err *err);
bool archive_message_end(struct archive_writer *writer, int64_t *ret_ticket, struct err *err);
void archive_message_abort(struct archive_writer *writer);

struct archive_placement {
	int64_t folder_id;
	uint32_t uidvalidity;
	uint32_t uid; /* > 0 */
	int64_t ticket;
	bool has_date;
	struct zoned_time date;
	const char *date_text; /* as sent, only if it cannot be parsed; else NULL */
	const char *flags;     /* canonical */
};

/* Add a placement. Does nothing if (folder, UIDVALIDITY, uid) is present already. */
bool archive_place(
	struct archive_writer *writer, const struct archive_placement *placement, struct err *err);

/* Set the flags of a present placement. Records nothing if it has these flags or does not exist. */
bool archive_set_flags(struct archive_writer *writer, int64_t folder_id, uint32_t uidvalidity,
	uint32_t uid, const char *flags, struct err *err);

/* These uids are gone from the server: close their placements, and remove their tombstones. Ignores
 * uids that are not present. */
bool archive_set_gone(struct archive_writer *writer, int64_t folder_id, uint32_t uidvalidity,
	const struct rangeset *uids, struct err *err);

bool archive_set_mark(struct archive_writer *writer, int64_t folder_id,
	const struct archive_mark *mark, struct err *err);

/* Keep this snapshot regardless of the keep rules, or no longer. ERR_NOT_FOUND, at the commit: it
 * does not exist. */
bool archive_pin(struct archive_writer *writer, int64_t generation, bool pinned, struct err *err);

/*
 * Everything so far is consistent: the packer may commit it on its own once ARCHIVE_COMMIT_BYTES
 * are pending. Does not wait.
 */
bool archive_may_commit(struct archive_writer *writer, struct err *err);

/*
 * Commit, and wait until it is durable. complete: the snapshot is complete. If nothing was recorded
 * since the last commit, and that is as complete as asked, writes nothing and returns the last
 * generation. Small pending items are framed as they are.
 */
bool archive_commit(
	struct archive_writer *writer, bool complete, int64_t *ret_generation, struct err *err);

/* Housekeeping after commits, while nobody waits: checkpoint large -wal files. Writes nothing if
 * the writer wrote nothing. */
bool archive_tidy(struct archive_writer *writer, struct err *err);

/* What the writer did so far, for figures and tests. */
struct archive_writer_figures {
	uint64_t messages;
	uint64_t message_bytes;
	uint64_t stored_bytes;
	uint64_t commits;
};
struct archive_writer_figures archive_writer_figures(const struct archive_writer *writer);

#endif
