/*
 * Which folder of the archive is which folder of the server, when some were renamed. Decides
 * only: what takes a look at messages is asked for through a callback, and as seldom as possible.
 *
 * UIDVALIDITY (RFC 3501 section 2.3.1.1) goes with a renamed folder, but does not name it: servers
 * give folders made in the same second the same one, or all folders. So:
 *
 *  - A folder of its old name whose UIDVALIDITY no other has, here or there, is itself.
 *  - Where several share one, those that changed are looked at under their old name; all of them
 *    when one came, went, shrank or was not itself.
 *  - One that is not under its old name is looked for where its UIDVALIDITY is, and taken where
 *    messages prove it. An empty one is taken where no other can be meant.
 *  - What is left is joined by name alone. The rest came or went.
 *
 * A rename that is missed costs a fetch of what is stored already; one that is made up would put
 * wrong messages under UIDs. So doubt is never a rename.
 */
#ifndef MAILSTOW_MIRROR_RENAME_H
#define MAILSTOW_MIRROR_RENAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum {
	RENAME_TRIES = 8, /* places that one folder is looked for in */
	/* of folders looked for and places with one UIDVALIDITY: beyond that they are not */
	RENAME_PAIRS_MAX = 4 * 1000 * 1000,
};
#define RENAME_NONE SIZE_MAX

/* What messages say of a folder of the archive and one of the server. */
enum rename_fingerprint {
	RENAME_UNCLEAR, /* too little to compare */
	RENAME_LIKE,    /* as SAME, but for something that servers get wrong: no proof */
	RENAME_SAME,    /* UIDs have the same messages */
	RENAME_OTHER,   /* a UID has another message */
	RENAME_EMPTY,   /* the archive holds none there */
};

struct rename_folder {
	const char *path;
	uint32_t uidvalidity;   /* 0: told by its name alone, as INBOX is */
	uint32_t uidnext;       /* 0: not known */
	uint64_t highestmodseq; /* 0: not known */
	uint32_t messages;
	size_t match; /* out: its index on the other side, or RENAME_NONE */
};

struct rename_side {
	struct rename_folder *items;
	size_t count;
};

typedef bool rename_look(void *context, size_t known, size_t server,
	enum rename_fingerprint *ret_fingerprint, struct err *err);

/* Fills in match on both sides. The server's are sorted by path, each once; the archive may know
 * two of one path, after a pass that was cut. False: a look failed. */
bool rename_match(struct rename_side *known, struct rename_side *server, rename_look *look,
	void *context, struct err *err);

#endif
