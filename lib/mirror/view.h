/*
 * What a part of a server's folder and the archive's copy of it look like, as far as a decision
 * needs it. A folder may have millions of messages: what is held of each, and not of ranges of
 * them, is held of a part with a bounded number of them.
 */
#ifndef MAILSTOW_MIRROR_VIEW_H
#define MAILSTOW_MIRROR_VIEW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/rangeset.h"

struct uid_flags {
	uint32_t uid;
	const char *flags; /* canonical; the list's */
};

/* Sorted by uid, each once, after uid_list_sort(). Most messages have the flags of one that came
 * not long before: such a text is kept once. */
struct uid_list {
	struct uid_flags *items;
	size_t count;
	size_t cap;
	char **texts;
	size_t texts_count;
	size_t texts_cap;
};
void uid_list_add(struct uid_list *list, uint32_t uid, const char *flags);
void uid_list_sort(struct uid_list *list);
const struct uid_flags *uid_list_find(const struct uid_list *list, uint32_t uid);
void uid_list_uids(const struct uid_list *list, struct rangeset *ret_uids); /* adds them */
void uid_list_free(struct uid_list *list);                                  /* also for CLEANUP() */

/*
 * What the server told by itself of what happened since a mark (QRESYNC). Past `most` messages or
 * ranges nothing more is kept: whoever wants to know has to ask.
 */
struct delta {
	size_t most;
	bool too_much;
	struct uid_list told;     /* that are there, new or with other flags */
	struct rangeset vanished; /* or never were there */
};
void delta_told(struct delta *delta, uint32_t uid, const char *flags);
void delta_vanished(struct delta *delta, const struct rangeset *uids);
void delta_free(struct delta *delta); /* also for CLEANUP() */

/* The server's folder, as far as the scope goes: a window of all uids, or what a delta tells of. */
struct server_view {
	struct rangeset scope;
	struct rangeset uids;  /* of the scope, there */
	struct uid_list flags; /* told, sorted; some may be of others: news */
};
void server_view_free(struct server_view *view); /* also for CLEANUP() */

/* What was left out before (`without`) is looked at, too: the server may have it no more. */
void view_of_delta(
	struct delta *delta, const struct rangeset *without, struct server_view *ret_view);

/*
 * The next window: the first `most` of the uids that are left of a whole folder, which they leave,
 * with what lies around them: from `from`, to the end of the numbers when none are left.
 * *ret_next: where the window behind it begins, 0: nowhere.
 */
void view_of_window(struct rangeset *left, uint32_t from, uint64_t most,
	struct server_view *ret_view, uint32_t *ret_next);

/* The archive's copy under the same UIDVALIDITY. */
struct archive_view {
	struct rangeset uids;  /* of the server's scope, present */
	struct uid_list flags; /* of those whose flags the server told, sorted */
};
void archive_view_free(struct archive_view *view); /* also for CLEANUP() */

#endif
