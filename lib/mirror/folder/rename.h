/*
 * Matches the folders of the archive with those of the server when some were renamed. Decides only:
 * messages are compared through a callback, as seldom as possible.
 *
 * UIDVALIDITY (RFC 3501 section 2.3.1.1) stays with a renamed folder but does not identify it: some
 * servers give the same one to all folders created in the same second, or to all folders. So:
 *
 *  - A folder that kept its name and whose UIDVALIDITY no other folder has, on either side, is the
 *    same folder.
 *  - Where several folders share one UIDVALIDITY, those that changed are compared under their old
 *    name; all of them are when a folder was added or removed, shrank, or proved to be another.
 *  - A folder not found under its old name is looked for among the others of its UIDVALIDITY, and
 *    matched where messages prove it. An empty folder is matched if only one is possible.
 *  - The rest is matched by name alone. Folders left over were created or deleted.
 *
 * A rename that is missed costs fetching messages that are already stored; a wrong one would put
 * other messages under known UIDs. So when in doubt, it is not a rename.
 */
#ifndef MAILSTOW_MIRROR_FOLDER_RENAME_H
#define MAILSTOW_MIRROR_FOLDER_RENAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum {
	RENAME_TRIES = 8, /* candidates compared for one folder */
	/* missing folders times candidates of one UIDVALIDITY; beyond that none is looked for */
	RENAME_PAIRS_MAX = 4 * 1000 * 1000,
};
#define RENAME_NONE SIZE_MAX

/* The result of comparing the messages of a folder of the archive with one of the server. */
enum rename_verdict {
	RENAME_UNCLEAR, /* too little to compare */
	RENAME_SIMILAR, /* as SAME, except for sizes, which some servers report wrong: no proof */
	RENAME_SAME,    /* the UIDs have the same messages */
	RENAME_OTHER,   /* a UID has another message */
	RENAME_EMPTY,   /* the archive has no messages there */
};

struct rename_folder {
	const char *path;
	uint32_t uidvalidity;   /* 0: matched by name alone, as INBOX is */
	uint32_t uidnext;       /* 0: not known */
	uint64_t highestmodseq; /* 0: not known */
	uint32_t messages;
	size_t match; /* out: index on the other side, or RENAME_NONE */
};

struct rename_side {
	struct rename_folder *items;
	size_t count;
};

/* Compares messages of two folders, given by index. */
typedef bool rename_compare(void *context, size_t known, size_t server,
	enum rename_verdict *ret_verdict, struct err *err);

/* Fills in match on both sides. The server's folders are sorted by path without repetitions. The
 * archive may have two folders of one path, after an interrupted pass. False: comparing failed. */
bool rename_match(struct rename_side *known, struct rename_side *server, rename_compare *compare,
	void *context, struct err *err);

#endif
