#include "archive/volume/volume_list.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "archive/volume/volume_header.h"
#include "base/alloc.h"
#include "base/fs.h"
#include "base/str.h"

static int by_sequence(const void *a, const void *b)
{
	const struct volume_id *left = a;
	const struct volume_id *right = b;

	return (left->sequence > right->sequence) - (left->sequence < right->sequence);
}

static void sort(struct volume_list *list)
{
	if (list->count)
		qsort(list->items, list->count, sizeof(*list->items), by_sequence);
}

static void append(struct volume_list *list, const struct volume_id *id)
{
	ARRAY_GROW(list->items, list->count, list->cap);
	list->items[list->count++] = *id;
}

bool volume_list_ending(
	const char *archive_path, const char *ending, struct volume_list *ret_list, struct err *err)
{
	CLEANUP(freep) char *folder = layout_volumes_path(archive_path);
	CLEANUP(volume_list_free) struct volume_list list = {0};
	DIR *dir = opendir(folder);
	struct dirent *entry;

	if (!dir)
		return err_errno(err,
			errno == ENOENT || errno == ENOTDIR ? ERR_NOT_FOUND : ERR_LOCAL, errno,
			"%s", folder);
	while ((entry = readdir(dir))) {
		struct volume_id id;

		if (layout_parse_volume_name(entry->d_name, ending, &id))
			append(&list, &id);
	}
	(void)closedir(dir);
	sort(&list);
	*ret_list = list;
	list = (struct volume_list){0};
	return true;
}

/* Two volumes with one sequence: rewriting published the sealed one and has not removed the other
 * yet. The replaced one may be unreadable, so either may fail to open as long as the other decides.
 */
static bool choose_of_pair(const char *archive_path, const struct volume_id *pair,
	struct volume_list *counting, struct volume_list *replaced, struct err *err)
{
	struct err of = ERR_INIT;

	for (int i = 0; i < 2; i++) {
		const struct volume_id *mine = &pair[i];
		const struct volume_id *other = &pair[1 - i];
		uint8_t replaces[ARCHIVE_UUID_BYTES];
		bool sealed;

		if (!volume_peek_seal(archive_path, mine, &sealed, replaces, &of))
			continue;
		if (!sealed || memcmp(replaces, other->uuid, ARCHIVE_UUID_BYTES) != 0)
			continue;
		append(counting, mine);
		append(replaced, other);
		return true;
	}
	if (of.kind != ERR_NONE)
		return err_set(err, of.kind, "%s", of.text);
	return err_set(err, ERR_CORRUPT, "%s: two volumes have the sequence %" PRId64, archive_path,
		pair->sequence);
}

static bool choose_among_pairs(const char *archive_path, const struct volume_list *all,
	struct volume_list *counting, struct volume_list *replaced, struct err *err)
{
	for (size_t i = 0; i < all->count; i++) {
		const struct volume_id *id = &all->items[i];

		if (i + 1 == all->count || id[1].sequence != id->sequence) {
			append(counting, id);
			continue;
		}
		if (!choose_of_pair(archive_path, id, counting, replaced, err))
			return false;
		i++;
	}
	return true;
}

static bool list_both(const char *archive_path, struct volume_list *counting,
	struct volume_list *replaced, struct err *err)
{
	CLEANUP(volume_list_free) struct volume_list all = {0};

	return volume_list_ending(archive_path, "", &all, err) &&
	       choose_among_pairs(archive_path, &all, counting, replaced, err);
}

bool volume_list(const char *archive_path, struct volume_list *ret_list, struct err *err)
{
	CLEANUP(volume_list_free) struct volume_list counting = {0}, replaced = {0};

	if (!list_both(archive_path, &counting, &replaced, err))
		return false;
	*ret_list = counting;
	counting = (struct volume_list){0};
	return true;
}

bool volume_list_replaced(const char *archive_path, struct volume_list *ret_list, struct err *err)
{
	CLEANUP(volume_list_free) struct volume_list counting = {0}, replaced = {0};

	if (!list_both(archive_path, &counting, &replaced, err))
		return false;
	*ret_list = replaced;
	replaced = (struct volume_list){0};
	return true;
}

bool volume_list_has_sequence(const struct volume_list *list, int64_t sequence)
{
	for (size_t i = 0; i < list->count; i++)
		if (list->items[i].sequence == sequence)
			return true;
	return false;
}

void volume_list_supersede(struct volume_list *list, const struct volume_list *newer)
{
	size_t count = 0;

	for (size_t i = 0; i < list->count; i++)
		if (!volume_list_has_sequence(newer, list->items[i].sequence))
			list->items[count++] = list->items[i];
	list->count = count;
	for (size_t i = 0; i < newer->count; i++)
		append(list, &newer->items[i]);
	sort(list);
}

bool volume_list_has(const struct volume_list *list, const struct volume_id *id)
{
	for (size_t i = 0; i < list->count; i++)
		if (list->items[i].sequence == id->sequence &&
			memcmp(list->items[i].uuid, id->uuid, ARCHIVE_UUID_BYTES) == 0)
			return true;
	return false;
}

bool volume_list_remove_others(const char *archive_path, const struct volume_list *there,
	const struct volume_list *kept, struct err *err)
{
	for (size_t i = 0; i < there->count; i++) {
		CLEANUP(freep) char *path = layout_volume_path(archive_path, &there->items[i]);

		if (!volume_list_has(kept, &there->items[i]) &&
			(!db_remove_wal(path, err) || !fs_remove(path, err)))
			return false;
	}
	return true;
}

uint64_t volume_file_bytes(const char *archive_path, const struct volume_id *id)
{
	CLEANUP(freep) char *path = layout_volume_path(archive_path, id);
	struct stat st;

	return stat(path, &st) == 0 ? (uint64_t)st.st_size : 0;
}

void volume_list_free(struct volume_list *list)
{
	free(list->items);
	*list = (struct volume_list){0};
}
