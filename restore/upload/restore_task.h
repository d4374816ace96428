/*
 * What a restore is asked to do (struct restore), what it reports while it runs (struct
 * restore_watcher), and what it counts (struct restore_summary).
 */
#ifndef MAILSTOW_RESTORE_UPLOAD_RESTORE_TASK_H
#define MAILSTOW_RESTORE_UPLOAD_RESTORE_TASK_H

#include "archive/archive.h"
#include "restore/map/map.h"
#include "restore/match/item.h"
#include "restore/upload/restore_journal.h"
#include "restore/upload/target.h"

/* One folder of the archive in the plan. */
struct restore_folder {
	const char *path;
	const char *target_path; /* NULL: the target can have no such folder */
	bool is_new;             /* the folder will be created */
	uint64_t messages;       /* selected */
	uint64_t bytes;
	uint64_t there; /* of those messages, the ones the target already holds */
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
	uint64_t folders_failed; /* not created, or not subscribed */
	struct restore_verified verified;
	bool sound; /* false: verification found a difference the restore had not reported */
};

/* Members may be NULL. Texts are valid during the call. */
struct restore_watcher {
	void *context;
	/* The plan, sorted by path. False: stop before anything is written. */
	bool (*consent)(void *context, const struct restore_folder *folders, size_t count);
	/* A message that was not stored exactly. */
	void (*message)(void *context, const char *folder, uint32_t uid, enum outcome outcome,
		const char *detail);
	/* A difference that verification found. kind: "missing", "flags", "date", "bytes". */
	void (*difference)(void *context, const char *folder, uint32_t uid, const char *kind,
		const char *detail);
	/* A remark about a folder. */
	void (*note)(void *context, const char *folder, const char *text);
	/* Messages and bytes done so far, of those the target did not already hold. */
	void (*progress)(void *context, uint64_t messages, uint64_t bytes);
};

struct restore {
	const struct archive_ref *ref;
	struct archive *archive;
	int64_t generation;
	bool only_deleted;
	const struct map_rules *rules;
	/* The selection; NULL: everything. */
	bool (*wants_folder)(void *context, const char *path);
	bool (*wants_message)(void *context, const struct archive_entry *entry);
	void *wants_context;
	struct target *target;
	struct restore_journal *journal; /* NULL: none */
	bool dry_run;                    /* survey and consent only */
	enum restore_verify verify;
	const struct restore_watcher *watcher;
};

#endif
