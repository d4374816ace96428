#include "archive/format/layout.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/fs.h"

const char layout_staged_end[] = ".copied.new";

/* --- paths --- */

char *layout_catalogue_path(const char *archive_path)
{
	return str_printf("%s/catalogue.db", archive_path);
}

char *layout_lock_path(const char *archive_path)
{
	return str_printf("%s/lock", archive_path);
}

char *layout_sealing_path(const char *archive_path)
{
	return str_printf("%s/sealing", archive_path);
}

char *layout_keyring_path(const char *archive_path)
{
	return str_printf("%s/keyring", archive_path);
}

char *layout_copied_path(const char *archive_path)
{
	return str_printf("%s/copied", archive_path);
}

char *layout_forgotten_path(const char *archive_path)
{
	return str_printf("%s/forgotten.new", archive_path);
}

char *layout_volumes_path(const char *archive_path)
{
	return str_printf("%s/volumes", archive_path);
}

char *layout_unfinished_path(const char *path)
{
	return str_printf("%s.new", path);
}

char *layout_staged_path(const char *path)
{
	return str_printf("%s%s", path, layout_staged_end);
}

/* --- volumes --- */

enum { NAME_MAX_BYTES = 64, SEQUENCE_DIGITS = 8, UUID_DIGITS = 36 };

static void format_name(const struct volume_id *id, char out[NAME_MAX_BYTES])
{
	const uint8_t *uuid = id->uuid;
	int len = snprintf(out, NAME_MAX_BYTES, "%0*" PRId64 "-", SEQUENCE_DIGITS, id->sequence);

	for (size_t i = 0; i < ARCHIVE_UUID_BYTES; i++)
		len += snprintf(out + len, NAME_MAX_BYTES - (size_t)len, "%s%02x",
			i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "", uuid[i]);
	(void)snprintf(out + len, NAME_MAX_BYTES - (size_t)len, ".vol");
}

char *layout_volume_path(const char *archive_path, const struct volume_id *id)
{
	char name[NAME_MAX_BYTES];

	format_name(id, name);
	return str_printf("%s/volumes/%s", archive_path, name);
}

/* Only what format_name() would write is a volume's name. */
static bool parse_name(const char *name, struct volume_id *ret_id)
{
	struct volume_id id = {0};
	char formatted[NAME_MAX_BYTES];
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
	format_name(&id, formatted);
	*ret_id = id;
	return strcmp(name, formatted) == 0;
}

bool layout_parse_volume_name(const char *name, const char *ending, struct volume_id *ret_id)
{
	size_t len = strlen(name), end = strlen(ending);
	CLEANUP(freep) char *bare = len > end ? xstrndup(name, len - end) : NULL;

	return bare && strcmp(name + len - end, ending) == 0 && parse_name(bare, ret_id);
}

/* --- leftovers --- */

static bool ends_unfinished(const char *name)
{
	static const char *const endings[] = {".new", ".new-wal", ".new-shm", ".new-journal"};
	size_t len = strlen(name);

	for (size_t i = 0; i < ARRAY_LEN(endings); i++) {
		size_t end = strlen(endings[i]);

		if (len > end && strcmp(name + len - end, endings[i]) == 0)
			return true;
	}
	return false;
}

/* An unfinished file of an archive; other people's files have other names. */
static bool is_unfinished(const char *name)
{
	static const char *const ours[] = {"catalogue.db", "keyring", "forgotten", "copied.new"};
	bool own = strstr(name, ".vol") != NULL;

	for (size_t i = 0; i < ARRAY_LEN(ours); i++)
		own = own || strncmp(name, ours[i], strlen(ours[i])) == 0;
	return own && ends_unfinished(name);
}

bool layout_is_leftover(const char *name)
{
	static const char *const ours[] = {
		".", "..", "volumes", "lock", "sealing", "keyring", "copied"};

	for (size_t i = 0; i < ARRAY_LEN(ours); i++)
		if (strcmp(name, ours[i]) == 0)
			return true;
	return is_unfinished(name);
}

bool layout_remove_leftovers_but(const char *folder, const struct str_list *kept, struct err *err)
{
	DIR *dir = opendir(folder);
	struct dirent *entry;
	bool ok = true;

	while (dir && ok && (entry = readdir(dir))) {
		CLEANUP(freep) char *path = str_printf("%s/%s", folder, entry->d_name);

		ok = !is_unfinished(entry->d_name) || str_list_has(kept, entry->d_name) ||
		     fs_remove(path, err);
	}
	if (dir)
		(void)closedir(dir);
	return ok;
}

bool layout_remove_leftovers(const char *folder, struct err *err)
{
	return layout_remove_leftovers_but(folder, &(struct str_list){0}, err);
}
