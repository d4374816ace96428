/*
 * The folders the archive had before a pass, each matched with the folder it is on the server now:
 * by rename_match(), which compares messages by folder_identify().
 */
#ifndef MAILSTOW_MIRROR_FOLDER_KNOWN_FOLDERS_H
#define MAILSTOW_MIRROR_FOLDER_KNOWN_FOLDERS_H

#include "mirror/folder/pass_state.h"

struct known_folder {
	int64_t id;
	char *path;
	uint32_t uidvalidity;
	bool has_mark;
	struct archive_mark mark;
	const struct imap_folder *server; /* NULL: no longer on the server */
};

struct known_folders {
	struct known_folder *items;
	size_t count, cap;
	struct known_folder **by_server; /* one for each of the server's; NULL: a new folder */
};
void known_folders_free(struct known_folders *known); /* also for CLEANUP() */

/* Reads the archive's newest state and matches it to the server's folders, which must outlive the
 * result. Records nothing. */
bool known_folders_read(struct pass *pass, const struct imap_folders *folders,
	struct known_folders *known, struct err *err);

#endif
