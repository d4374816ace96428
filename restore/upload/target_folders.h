/*
 * The target's folders: listed, and created where a restore needs them, parents first, with special
 * use and subscription.
 */
#ifndef MAILSTOW_RESTORE_UPLOAD_TARGET_FOLDERS_H
#define MAILSTOW_RESTORE_UPLOAD_TARGET_FOLDERS_H

#include "restore/map/map.h"
#include "restore/upload/target.h"

/* Lists all folders of the target. */
bool target_folders_list(
	struct target *target, bool want_counts, struct imap_folders *ret_folders, struct err *err);

/* The same folders in the form restore/map/map.h takes. The caller frees the array. */
struct map_target *target_folders_for_map(const struct imap_folders *folders);

/* What happened to one place of the map. */
struct target_folder {
	bool wanted;   /* in: create it if missing, and subscribe */
	bool created;  /* out: it was created */
	bool exists;   /* out: CREATE says it exists, although LIST did not show it */
	char *failure; /* out: why it cannot be used, in the server's words; NULL: it can */
	char *warning; /* out: why it is not subscribed; NULL */
	char *renamed; /* out: its name was refused, it got its plain name; NULL */
};
void target_folders_free(struct target_folder *made, size_t count);

/*
 * Creates and subscribes the wanted places of the map. made: one for each place. A refusal is noted
 * there and the others go on; a place whose name is refused gets its plain name if it has one.
 * False: no connection any more.
 */
bool target_folders_make(
	struct target *target, struct map *map, struct target_folder *made, struct err *err);

#endif
