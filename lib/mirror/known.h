/*
 * The folders the archive knew before a pass, each with the server's folder that it is now: by
 * rename_match(), which asks folder_identify() what messages say.
 */
#ifndef MAILSTOW_MIRROR_KNOWN_H
#define MAILSTOW_MIRROR_KNOWN_H

#include "mirror/pass_internal.h"

struct known_folder {
	int64_t id;
	char *path;
	uint32_t uidvalidity;
	bool has_mark;
	struct archive_mark mark;
	const struct imap_folder *server; /* NULL: the server has it no more */
};

struct known_folders {
	struct known_folder *items;
	size_t count, cap;
	struct known_folder **by_server; /* for each of the server's; NULL: a new one */
};
void known_free(struct known_folders *known); /* also for CLEANUP() */

/* Of the archive's newest state, matched to the server's folders, which must outlive them. Nothing
 * is recorded. */
bool known_read(struct pass *pass, const struct imap_folders *folders, struct known_folders *known,
	struct err *err);

#endif
