/*
 * The archive of one account: open it, look into it at any moment of its history, write to it.
 * The format is specified in schema/README.md. This is the whole interface of the room; nothing
 * of SQLite, zstd or the layout shows.
 *
 * Words. A *generation* is one commit, numbered from 1 without gaps. A *snapshot* is a generation
 * marked complete. A *placement* is (folder id, UIDVALIDITY, uid) -> message, date, flags, valid
 * from one generation until another. A *message* is bytes with a SHA-256, stored once.
 *
 * Reading takes no lock and works while another process writes. A struct archive belongs to one
 * thread at a time; open it again for another thread. Each call sees one state of the archive, from
 * its beginning to its end; a long one keeps the writer's WAL from being emptied, no more.
 *
 * From a callback, other calls on the same archive may be made (reading a message while listing),
 * but not the function that calls back, nor archive_each_folder() from archive_each_entry().
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
#include "base/secret.h"
#include "base/wait.h"

enum {
	ARCHIVE_UUID_BYTES = 16,
	ARCHIVE_LOCK_TIMEOUT_MS = 30 * 1000,
	ARCHIVE_PACK_BYTES = 1024 * 1024,      /* raw bytes of a pack frame */
	ARCHIVE_PART_BYTES = 64 * 1024,        /* items from this size on get frames of their own */
	ARCHIVE_PIECE_BYTES = 4 * 1024 * 1024, /* of a big item, each a frame */
	ARCHIVE_TRANSACTION_BYTES = 8 * 1024 * 1024, /* stored bytes of one volume transaction */
	ARCHIVE_COMMIT_BYTES = 4 * 1024 * 1024,      /* stored bytes that make a commit worth it */
	ARCHIVE_QUEUE_BYTES = 4 * 1024 * 1024,       /* waiting between network and packer thread */
	ARCHIVE_VOLUME_BYTES = 256 * 1000 * 1000,    /* when a new volume is begun */
	ARCHIVE_SUMMARY_BYTES = 1024,                /* kept of each of from, subject, message-id */
};

struct archive;

/* Make an empty archive. The folder must not exist or be empty; who writes there just now, as a
 * first copy does, is waited for (ERR_BUSY). One that began to be encrypted is never made a plain
 * one: ERR_AUTH. */
bool archive_create(const char *path, int timeout_ms, struct err *err);

/* --- encrypted archives: unlock once, then open as any other --- */

/* Text as a person has it: a passphrase, 64 hexadecimal digits, a recovery key. */
struct archive_secret {
	enum { ARCHIVE_PASSPHRASE, ARCHIVE_KEY, ARCHIVE_RECOVERY_KEY } kind;
	const char *text;
	size_t len;
};

/* Make an empty encrypted archive that this secret opens. It is unlocked afterwards. */
bool archive_create_encrypted(
	const char *path, const struct archive_secret *secret, int timeout_ms, struct err *err);

/* Has it a keyring? */
bool archive_is_encrypted(const char *path);

/* Had it one, that was lost? With its copy in the newest volume it can be unlocked all the same. */
bool archive_lacks_keyring(const char *path);

/* Either: it cannot be opened unless it is unlocked. */
bool archive_needs_secret(const char *path);

/* Put a keyring that was lost back, from the newest volume that has a copy. A plain archive stays
 * as it is. */
bool archive_mend_keyring(const char *path, struct err *err);

/*
 * Unlock it for this process: from now on it is opened, read and written under this same path as a
 * plain one is; opened without, it is ERR_AUTH. A wrong secret: ERR_AUTH. ERR_NOT_FOUND: it is not
 * encrypted. Takes half a second and 134 MB for a passphrase.
 */
bool archive_unlock(const char *path, const struct archive_secret *secret, struct err *err);
bool archive_is_unlocked(const char *path);
/* Forget the key. What is open stays open. */
void archive_lock_out(const char *path);

/*
 * For files beside the archive that tell of its mail. A key for one of them, by its name: NULL when
 * the archive is plain, ERR_AUTH when it is locked. And a name that tells nothing: of an encrypted
 * archive, a keyed digest of text in hexadecimal; else text itself. The caller frees.
 */
bool archive_side_key(const char *path, const char *name, struct secret **ret_key, struct err *err);
bool archive_hide_name(const char *path, const char *text, char **ret_name, struct err *err);
/* The same as it was before a change of the master key that is under way (rekey.h). */
bool archive_name_before(const char *path, const char *text, char **ret_name, struct err *err);

struct archive_key {
	uint32_t id;
	const char *kind; /* passphrase, key, recovery */
	int64_t created_ms;
};
bool archive_each_key(const char *path,
	bool (*each)(void *context, const struct archive_key *key, struct err *err), void *context,
	struct err *err);
/* The archive is unlocked. Volumes keep the keyring of their day: who has an old copy of the
 * archive and a removed secret can still read that copy. */
bool archive_add_key(
	const char *path, const struct archive_secret *secret, uint32_t *ret_id, struct err *err);
bool archive_remove_key(const char *path, uint32_t id, struct err *err);
/* Which key is this? It need not be unlocked. ERR_AUTH: none of them. */
bool archive_find_key(
	const char *path, const struct archive_secret *secret, uint32_t *ret_id, struct err *err);

enum { ARCHIVE_RECOVERY_KEY_TEXT = 45 };
void archive_new_recovery_key(char out[ARCHIVE_RECOVERY_KEY_TEXT]); /* a secret: wipe it */

/* Is there one? (its catalogue or a volume, or all of a copy that has not its names yet) */
bool archive_exists(const char *path);

/*
 * Open to read, also on read-only media. Nothing on disk is changed but SQLite's scratch (-shm).
 * ERR_NOT_FOUND when there is none; one that is just being made is waited for.
 */
bool archive_open(const char *path, struct archive **ret_archive, struct err *err);
void archive_freep(struct archive **archive);

/* The same, when its catalogue has all that the volumes hold. False: it has not, or that cannot be
 * told without a lock: archive_catch_up(), then archive_open(). */
bool archive_open_newest(const char *path, struct archive **ret_archive);

/*
 * Bring the catalogue up to what the volumes hold, where a crash or a power cut left it behind.
 * Nothing is done while somebody writes, who does it. *ret_behind: it is behind, or there is
 * litter, and where it lies nothing can be written. ERR_CORRUPT: what came last cannot be read;
 * what is catalogued still can.
 */
bool archive_catch_up(const char *path, bool *ret_behind, struct err *err);

/* --- moments --- */

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
	uint64_t messages; /* placements at it */
	uint64_t added;    /* placements that begin, end, change flags at it */
	uint64_t removed;
	uint64_t changed;
};

/*
 * Which generation is meant. LATEST is the newest state, complete or not (look at ret_snapshot);
 * an empty archive gives generation 0. ERR_NOT_FOUND names what there is.
 */
bool archive_resolve(struct archive *archive, struct archive_when when,
	struct archive_snapshot *ret_snapshot, struct err *err);

bool archive_each_snapshot(struct archive *archive,
	bool (*each)(void *context, const struct archive_snapshot *snapshot, struct err *err),
	void *context, struct err *err);

/* --- folders --- */

struct archive_folder {
	int64_t id;       /* persists over renames */
	const char *path; /* UTF-8, '/' between components, %2F %25 inside */
	const char *wire_name;
	char delimiter;          /* 0: none */
	const char *attributes;  /* blank-separated, as sent */
	const char *special_use; /* NULL: none */
	bool subscribed;
	bool selectable;
	uint32_t uidvalidity; /* 0: not known yet (never opened) */
	uint64_t messages;    /* archive_each_folder_counted(): at that generation */
	uint64_t bytes;       /* the same: sum of their exact sizes */
};

/* Folders that exist at the generation, by path. Strings are valid during the call. Counting looks
 * at every placement. */
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
	int64_t message_id; /* ours, within this archive */
	uint64_t size;      /* exact bytes */
	uint8_t sha256[SHA256_BYTES];
	bool has_date;
	struct zoned_time date; /* INTERNALDATE */
	const char *date_text;  /* as sent, when it could not be parsed; else NULL */
	const char
		*flags; /* canonical: blank-separated, sorted; at that generation, or when gone */
	int64_t added_ms;
	int64_t gone_ms;  /* 0: present at the newest generation */
	const char *from; /* summary, UTF-8; "" when absent */
	const char *subject;
	const char *date_header; /* Date: header as written, "" when absent */
	const char *header_message_id;
};

struct archive_list {
	int64_t generation;
	int64_t folder_id; /* 0: all folders */
	bool deleted;      /* those gone at or before it, too */
	bool only_deleted;
};

/* By folder path, UIDVALIDITY, uid. Strings are valid during the call. */
bool archive_each_entry(struct archive *archive, const struct archive_list *list,
	bool (*each)(void *context, const struct archive_entry *entry, struct err *err),
	void *context, struct err *err);

/*
 * The bytes of a message, in order, in pieces. The SHA-256 is checked: for messages up to
 * ARCHIVE_PIECE_BYTES before the first piece is given, for bigger ones at the end (ERR_CORRUPT).
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
	char head[SHA256_HEX_MAX]; /* hash of the last journal frame, "" when empty */
	int64_t generation;
};
bool archive_facts(struct archive *archive, struct archive_facts *ret_facts, struct err *err);

/* --- what a mirror must know: how far each folder is --- */

/*
 * A folder's high-water mark: everything below uidnext with modseq up to highestmodseq is in the
 * archive. Moves only with what it promises (one transaction).
 */
struct archive_mark {
	uint32_t uidvalidity;
	uint32_t uidnext;
	uint64_t highestmodseq;    /* 0: server has none */
	uint32_t messages;         /* below uidnext, that it holds or was to forget */
	int64_t flags_compared_ms; /* wall time of the last flag scan (servers without CONDSTORE) */
};

/*
 * Uids of (folder, UIDVALIDITY) that were forgotten (forget.h) and are not to be fetched again,
 * added to uids.
 */
bool archive_add_forgotten(struct archive *archive, int64_t folder_id, uint32_t uidvalidity,
	struct rangeset *uids, struct err *err);

/* --- writing: one job at a time, by whoever holds the writer's lock --- */

struct archive_writer;

/*
 * Take the writer's lock (waiting at most timeout_ms; ERR_BUSY names the holder), replay what a
 * crash left between volume and catalogue.
 *
 * Calls below are queued in order to the packer thread and return early; an error of the packer
 * makes every later call fail with it. One thread calls. Nothing is durable before a commit.
 *
 * Nothing is written, and no thread started, before the first call that changes something; a
 * missing catalogue is made anew of the volumes. ERR_CORRUPT: the catalogue names what the volumes
 * lack.
 */
bool archive_writer_open(
	const char *path, int timeout_ms, struct archive_writer **ret_writer, struct err *err);

/* Uncommitted work is given up. Releases the lock. NULL is allowed. */
void archive_writer_freep(struct archive_writer **writer);

/* The state as of the last commit, for looking up folders, placements and marks while writing.
 * Owned by the writer; reads through its own connection. */
struct archive *archive_writer_view(struct archive_writer *writer);

/* False in *ret_found: no mark (folder never completed). */
bool archive_mark_of(struct archive *archive, int64_t folder_id, bool *ret_found,
	struct archive_mark *ret_mark, struct err *err);

/* uid and flags of every present placement of (folder, UIDVALIDITY), ascending; among NULL: of all
 * uids, else of these alone, and nothing else is looked at. */
bool archive_each_uid(struct archive *archive, int64_t folder_id, uint32_t uidvalidity,
	const struct rangeset *among,
	bool (*each)(void *context, uint32_t uid, const char *flags, struct err *err),
	void *context, struct err *err);

/* Add the uids alone. */
bool archive_add_uids(struct archive *archive, int64_t folder_id, uint32_t uidvalidity,
	const struct rangeset *among, struct rangeset *uids, struct err *err);

/*
 * New folder (folder->id 0: the id given is returned) or changed name, wire name, delimiter,
 * attributes, special use or subscription of a known one. Unchanged: nothing is recorded.
 * uidvalidity is not set here. A folder that was gone comes back, without UIDVALIDITY. Texts are at
 * most 64 KiB long.
 */
bool archive_put_folder(struct archive_writer *writer, const struct archive_folder *folder,
	int64_t *ret_id, struct err *err);

/* The folder is no longer on the server: closes it and all placements in it. */
bool archive_folder_gone(struct archive_writer *writer, int64_t folder_id, struct err *err);

/* The folder has this UIDVALIDITY from now on: placements of another one are closed. */
bool archive_set_uidvalidity(
	struct archive_writer *writer, int64_t folder_id, uint32_t uidvalidity, struct err *err);

/*
 * One message's bytes: begin, data..., end. size_hint is what the server announced (decides whether
 * it is streamed into pieces); the bytes given are the truth. *ret_ticket names it for
 * archive_place() until the next archive_may_commit() or archive_commit(). Between begin and end no
 * other change may be made. folder_id: pack frames hold one folder's messages. Identical bytes are
 * stored once. archive_message_abort() forgets one begun.
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
	const char *date_text; /* as sent, only when it could not be parsed; else NULL */
	const char *flags;     /* canonical */
};

/* A (folder, UIDVALIDITY, uid) that is present already is left as it is. */
bool archive_place(
	struct archive_writer *writer, const struct archive_placement *placement, struct err *err);

/* New flags of a present placement. The same flags, or no such placement: nothing is recorded. */
bool archive_set_flags(struct archive_writer *writer, int64_t folder_id, uint32_t uidvalidity,
	uint32_t uid, const char *flags, struct err *err);

/* These uids are gone from the server; those not present are left out. Closes, never removes, but
 * what archive_add_forgotten() tells of them. */
bool archive_set_gone(struct archive_writer *writer, int64_t folder_id, uint32_t uidvalidity,
	const struct rangeset *uids, struct err *err);

bool archive_set_mark(struct archive_writer *writer, int64_t folder_id,
	const struct archive_mark *mark, struct err *err);

/* Keep this generation whatever keep rules say, or no longer. ERR_NOT_FOUND, at the commit: there
 * is none. */
bool archive_pin(struct archive_writer *writer, int64_t generation, bool pinned, struct err *err);

/*
 * All that was said up to here is consistent: the packer may commit it by itself when
 * ARCHIVE_COMMIT_BYTES are waiting. Does not wait.
 */
bool archive_may_commit(struct archive_writer *writer, struct err *err);

/*
 * Commit and wait until it is durable. complete: this generation is a snapshot. When nothing was
 * recorded since the last commit and it is as complete as asked, not a byte is written and the last
 * generation is returned. Small pending bytes are framed as they are.
 */
bool archive_commit(
	struct archive_writer *writer, bool complete, int64_t *ret_generation, struct err *err);

/* Housekeeping after commits while nobody waits: large -wal files are emptied. Nothing is written
 * when nothing was since the writer was opened. */
bool archive_tidy(struct archive_writer *writer, struct err *err);

/* Bytes of messages taken in, stored bytes written, commits: for figures and tests. */
struct archive_writer_figures {
	uint64_t messages;
	uint64_t message_bytes;
	uint64_t stored_bytes;
	uint64_t commits;
};
struct archive_writer_figures archive_writer_figures(const struct archive_writer *writer);

#endif
