/*
 * A restore: folders of an archive, as they were at a generation, put onto a server.
 *
 * Survey (what goes where, what is there already), consent, then folder by folder: make, upload,
 * compare. Everything a person or a script gets to know goes through the watcher.
 */
#ifndef MAILSTOW_RESTORE_UPLOAD_RESTORE_H
#define MAILSTOW_RESTORE_UPLOAD_RESTORE_H

#include "archive/archive.h"
#include "restore/map/map.h"
#include "restore/match/item.h"
#include "restore/upload/compare.h"
#include "restore/upload/restore_journal.h"
#include "restore/upload/target.h"

/* One folder of the archive in the plan. */
struct restore_folder {
	const char *path;
	const char *target_path; /* NULL: nowhere */
	bool is_new;             /* the target has no such folder yet */
	uint64_t messages;       /* wanted */
	uint64_t bytes;
	uint64_t there; /* of the messages, on the target already */
	uint64_t there_bytes;
	const char *note; /* NULL: none */
};

enum restore_verify { RESTORE_VERIFY_NONE, RESTORE_VERIFY_SAMPLE, RESTORE_VERIFY_FULL };

struct restore_verified {
	uint64_t compared;
	uint64_t missing;
	uint64_t extra;
	uint64_t different_flags;
	uint64_t different_date;
	uint64_t different_bytes;
};

struct restore_summary {
	uint64_t planned;
	uint64_t outcomes[OUTCOMES];
	uint64_t folders_created;
	uint64_t folders_failed; /* could not be made or not be subscribed */
	struct restore_verified verified;
	bool sound; /* false: the verification found what the restore did not report */
};

/* Members may be NULL. Texts are valid during the call. */
struct restore_watcher {
	void *context;
	/* The plan, by path. False: do not go on. */
	bool (*consent)(void *context, const struct restore_folder *folders, size_t count);
	/* A message that was not stored exactly. */
	void (*message)(void *context, const char *folder, uint32_t uid, enum outcome outcome,
		const char *detail);
	/* A difference the verification found. kind: "missing", "flags", "date", "bytes". */
	void (*difference)(void *context, const char *folder, uint32_t uid, const char *kind,
		const char *detail);
	/* Something about a folder. */
	void (*note)(void *context, const char *folder, const char *text);
	/* So much of what is not there yet is done. */
	void (*progress)(void *context, uint64_t messages, uint64_t bytes);
};

struct restore {
	const char *archive_path;
	struct archive *archive;
	int64_t generation;
	bool only_deleted;
	const struct map_rules *rules;
	/* Selection; NULL: everything. */
	bool (*wants_folder)(void *context, const char *path);
	bool (*wants_message)(void *context, const struct archive_entry *entry);
	void *wants_context;
	struct target *target;
	struct restore_journal *journal; /* NULL: none */
	bool dry_run;                    /* survey and consent only */
	enum restore_verify verify;
	const struct restore_watcher *watcher;
};

/*
 * ret_summary is filled in also when it fails (no connection any more, our disk, no consent:
 * ERR_CANCELLED); what was not tried counts as skipped. In a dry run what is not there yet does.
 */
bool restore_run(
	const struct restore *restore, struct restore_summary *ret_summary, struct err *err);

#endif
