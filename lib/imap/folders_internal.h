/* The list of folders while LIST, LSUB and STATUS fill it. */
#ifndef MAILSTOW_IMAP_FOLDERS_INTERNAL_H
#define MAILSTOW_IMAP_FOLDERS_INTERNAL_H

#include "imap/session_internal.h"

struct counts_of {
	char *wire_name;
	struct imap_counts counts;
};

struct counts_list {
	struct counts_of *items;
	size_t count;
	size_t cap;
};
void counts_free(struct counts_list *list); /* also for CLEANUP() */
bool counts_add(struct counts_list *list, const struct imap_reply *reply, struct err *err);

/* Adds an entry if it belongs to the personal namespace. */
bool folders_add(const struct imap *imap, struct imap_folders *folders,
	const struct imap_list_entry *entry, struct err *err);

/* Sorts by path and joins entries with the same path. */
void folders_tidy(struct imap_folders *folders);

void folders_set_counts(struct imap_folders *folders, const struct counts_list *list);
void folders_set_subscribed(struct imap_folders *folders, const struct str_list *names);

#endif
