/* The folder of volumes: names, and which of the files there count. */
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "archive/volume/volume.h"
#include "base/alloc.h"
#include "base/fs.h"
#include "base/str.h"

enum { NAME_MAX_BYTES = 64, SEQUENCE_DIGITS = 8, UUID_DIGITS = 36 };

static const char name_end[] = ".vol";

/* --- names --- */

static void format_name(const struct volume_id *id, char out[NAME_MAX_BYTES])
{
	const uint8_t *uuid = id->uuid;
	int len = snprintf(out, NAME_MAX_BYTES, "%0*" PRId64 "-", SEQUENCE_DIGITS, id->sequence);

	for (size_t i = 0; i < ARCHIVE_UUID_BYTES; i++)
		len += snprintf(out + len, NAME_MAX_BYTES - (size_t)len, "%s%02x",
			i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "", uuid[i]);
	(void)snprintf(out + len, NAME_MAX_BYTES - (size_t)len, "%s", name_end);
}

/* Only what format_name() would write is a volume's name. */
static bool parse_name(const char *name, struct volume_id *ret_id)
{
	struct volume_id id = {0};
	char again[NAME_MAX_BYTES];
	const char *at = strchr(name, '-');
	uint64_t sequence;
	CLEANUP(freep) char *digits = at ? xstrndup(name, (size_t)(at - name)) : NULL;
	char *end = digits;

	if (!at || strlen(name) >= NAME_MAX_BYTES || strlen(at) < 1 + UUID_DIGITS)
		return false;
	sequence = strtoull(digits, &end, 10);
	if (*end || sequence == 0 || sequence > INT64_MAX)
		return false;
	id.sequence = (int64_t)sequence;
	at++;
	for (size_t i = 0; i < ARCHIVE_UUID_BYTES; i++) {
		char pair[3] = "";

		at += *at == '-';
		if (strlen(at) < 2)
			return false;
		memcpy(pair, at, 2);
		id.uuid[i] = (uint8_t)strtoul(pair, &end, 16);
		if (*end)
			return false;
		at += 2;
	}
	format_name(&id, again);
	*ret_id = id;
	return strcmp(name, again) == 0;
}

char *volume_folder(const char *archive_path)
{
	return str_printf("%s/volumes", archive_path);
}

char *layout_volume_path(const char *archive_path, const struct volume_id *id)
{
	char name[NAME_MAX_BYTES];

	format_name(id, name);
	return str_printf("%s/volumes/%s", archive_path, name);
}

/* --- the folder --- */

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

static bool parse_ending(const char *name, const char *ending, struct volume_id *ret_id)
{
	size_t len = strlen(name), end = strlen(ending);
	CLEANUP(freep) char *bare = len > end ? xstrndup(name, len - end) : NULL;

	return bare && strcmp(name + len - end, ending) == 0 && parse_name(bare, ret_id);
}

bool volume_list_ending(
	const char *archive_path, const char *ending, struct volume_list *ret_list, struct err *err)
{
	CLEANUP(freep) char *folder = volume_folder(archive_path);
	CLEANUP(volume_list_free) struct volume_list list = {0};
	DIR *dir = opendir(folder);
	struct dirent *entry;

	if (!dir)
		return err_errno(err,
			errno == ENOENT || errno == ENOTDIR ? ERR_NOT_FOUND : ERR_LOCAL, errno,
			"%s", folder);
	while ((entry = readdir(dir))) {
		struct volume_id id;

		if (parse_ending(entry->d_name, ending, &id))
			append(&list, &id);
	}
	(void)closedir(dir);
	sort(&list);
	*ret_list = list;
	list = (struct volume_list){0};
	return true;
}

/* Of two with one sequence: a sealed one, and the one it takes the place of, which may be damaged.
 */
static bool settle_pair(const char *archive_path, const struct volume_id *pair,
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

static bool settle(const char *archive_path, const struct volume_list *all,
	struct volume_list *counting, struct volume_list *replaced, struct err *err)
{
	for (size_t i = 0; i < all->count; i++) {
		const struct volume_id *id = &all->items[i];

		if (i + 1 == all->count || id[1].sequence != id->sequence) {
			append(counting, id);
			continue;
		}
		if (!settle_pair(archive_path, id, counting, replaced, err))
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
	       settle(archive_path, &all, counting, replaced, err);
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

static bool has_sequence(const struct volume_list *list, int64_t sequence)
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
		if (!has_sequence(newer, list->items[i].sequence))
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

void volume_list_free(struct volume_list *list)
{
	free(list->items);
	*list = (struct volume_list){0};
}
