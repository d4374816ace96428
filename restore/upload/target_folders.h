/*
 * The target's folders: listed, and made where a restore needs them, parents first, with special
 * use and subscription.
 */
#ifndef MAILSTOW_RESTORE_UPLOAD_TARGET_FOLDERS_H
#define MAILSTOW_RESTORE_UPLOAD_TARGET_FOLDERS_H

#include "restore/map/map.h"
#include "restore/upload/target.h"

/* All folders of the target. */
bool target_folders_list(
	struct target *target, bool want_counts, struct imap_folders *ret_folders, struct err *err);

/* The server's folders as restore/map/map.h wants to see them. The caller frees the array. */
struct map_target *target_folders_for_map(const struct imap_folders *folders);

/* One place of the map, and what the server said to it. */
struct target_folder {
	bool wanted;   /* in: to be made when missing, and subscribed */
	bool created;  /* out: it was not there before */
	bool exists;   /* out: the server says that it was there, which its list did not */
	char *failure; /* out: it cannot be had, in the server's words; NULL: it can */
	char *warning; /* out: it could not be subscribed; NULL */
	char *renamed; /* out: its name was refused and it took the plain one; NULL */
};
void target_folders_free(struct target_folder *made, size_t count);

/*
 * Make the wanted places of the map. made: one for each place. A refusal is noted there and the
 * others go on; a place whose name is refused takes its plain name if it has one. False: no
 * connection any more.
 */
bool target_folders_make(
	struct target *target, struct map *map, struct target_folder *made, struct err *err);

#endif
