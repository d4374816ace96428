/*
 * What a server's folder and the archive's copy of it look like, as far as a decision needs it.
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

/*
 * Sorted by uid, each once, after uid_list_sort(). Most messages have the flags of one that came
 * not long before: such a text is kept once, so that a folder of a million messages fits into
 * memory.
 */
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
void uid_list_free(struct uid_list *list); /* also for CLEANUP() */

/* The server's folder: all uids, or only what changed since the mark (QRESYNC). */
struct server_view {
	uint32_t uidvalidity;
	uint32_t exists;
	bool whole; /* uids holds every uid on the server */
	struct rangeset uids;
	struct rangeset vanished; /* when not whole */
	struct uid_list changed;  /* flags that were told, sorted */
};
void server_view_free(struct server_view *view); /* also for CLEANUP() */

/* The archive's copy under the same UIDVALIDITY: what is present in it. */
struct archive_view {
	struct uid_list present; /* sorted */
	struct rangeset uids;
};
void archive_view_free(struct archive_view *view); /* also for CLEANUP() */

#endif
