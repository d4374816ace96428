/*
 * What is known of a part of a folder, on the server and in the archive, as far as a decision needs
 * it. A folder may have millions of messages: memory for each message, rather than for each range,
 * is needed for one part of bounded size only.
 */
#ifndef MAILSTOW_MIRROR_FOLDER_VIEW_H
#define MAILSTOW_MIRROR_FOLDER_VIEW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/rangeset.h"

struct uid_flags {
	uint32_t uid;
	const char *flags; /* canonical; owned by the list */
};

/* Sorted by UID without repetitions after uid_list_sort(). Most messages have the same flags as one
 * added shortly before; such a text is stored once. */
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
void uid_list_uids(const struct uid_list *list, struct rangeset *ret_uids); /* adds */
void uid_list_free(struct uid_list *list);                                  /* also for CLEANUP() */

/*
 * What the server reports, in response to EXAMINE with QRESYNC (RFC 7162), as changed since a mark.
 * With more than `most` messages or ranges it is dropped, and the folder is compared instead.
 */
struct delta {
	size_t most;
	bool too_much;
	struct uid_list changed;  /* present: new, or with changed flags */
	struct rangeset vanished; /* gone, or never present */
};
void delta_add_changed(struct delta *delta, uint32_t uid, const char *flags);
void delta_add_vanished(struct delta *delta, const struct rangeset *uids);
void delta_free(struct delta *delta); /* also for CLEANUP() */

/* The server's messages within a scope: a window of all UIDs, or the UIDs of a delta. */
struct server_view {
	struct rangeset scope;
	struct rangeset uids;  /* in the scope and present */
	struct uid_list flags; /* as sent, sorted; may include messages outside the scope */
};
void server_view_free(struct server_view *view); /* also for CLEANUP() */

/* The scope includes `without`, the UIDs left out before: the server may no longer have them. */
void view_of_delta(
	struct delta *delta, const struct rangeset *without, struct server_view *ret_view);

/*
 * The next window of a folder: takes the first `most` UIDs out of `left`. The scope begins at
 * `from` and ends at the last UID taken, or at UINT32_MAX when none are left. *ret_next: where the
 * next window begins; 0: this is the last.
 */
void view_of_window(struct rangeset *left, uint32_t from, uint64_t most,
	struct server_view *ret_view, uint32_t *ret_next);

/* The archive's messages within the same scope, under the same UIDVALIDITY. */
struct archive_view {
	struct rangeset uids;  /* present in the archive */
	struct uid_list flags; /* of messages whose flags the server sent, sorted */
};
void archive_view_free(struct archive_view *view); /* also for CLEANUP() */

#endif
