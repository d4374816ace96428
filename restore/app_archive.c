#include "restore/app_archive.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "restore/app_secrets.h"
#include "restore/say.h"
#include "state/state.h"

enum { PATH_SHOWN_BYTES = 200 };

static void catch_up(const struct account_ref *place, bool warn)
{
	struct err err = ERR_INIT;
	bool outdated;
	bool looked = archive_catch_up(&place->archive, &outdated, &err);

	if (!warn)
		return;
	if (!looked)
		say_warn("%s", err.text);
	else if (outdated)
		say_warn("%s: the newest mail may be missing: the catalogue is out of date and "
			 "cannot be written there",
			place->name);
}

void app_catch_up(const struct account_ref *place)
{
	catch_up(place, true);
}

static bool open_caught_up(
	const struct account_ref *place, bool warn, struct archive **ret_archive, struct err *err)
{
	if (archive_open_newest(&place->archive, ret_archive))
		return true;
	catch_up(place, warn);
	return archive_open(&place->archive, ret_archive, err);
}

bool app_open_newest(const struct account_ref *place, struct archive **ret_archive, struct err *err)
{
	return app_unlock(place, err) && open_caught_up(place, true, ret_archive, err);
}

bool app_open_quietly(
	const struct account_ref *place, struct archive **ret_archive, struct err *err)
{
	return open_caught_up(place, false, ret_archive, err);
}

bool app_open(const struct account_ref *place, struct archive **ret_archive,
	struct archive_snapshot *ret_snapshot, struct err *err)
{
	CLEANUP(archive_freep) struct archive *archive = NULL;

	if (!app_open_newest(place, &archive, err))
		return false;
	if (!archive_resolve(archive, place->when, ret_snapshot, err))
		return err_wrap(err, "%s", place->name);
	if (place->when.kind == ARCHIVE_LATEST && !ret_snapshot->complete)
		say_warn("%s: the newest state is not a complete snapshot", place->name);
	*ret_archive = TAKE(archive);
	return true;
}

struct folder_search {
	const char *path;
	int64_t id;
};

static bool is_inbox(const char *path)
{
	return str_equal_case(path, "INBOX");
}

static bool find_folder_by_path(void *context, const struct archive_folder *folder, struct err *err)
{
	struct folder_search *search = context;

	(void)err;
	if (strcmp(folder->path, search->path) == 0 ||
		(is_inbox(folder->path) && is_inbox(search->path)))
		search->id = folder->id;
	return true;
}

bool app_folder(struct archive *archive, int64_t generation, const char *path, int64_t *ret_id,
	struct err *err)
{
	struct folder_search search = {.path = path};
	CLEANUP(freep) char *shown = str_printable(path, strlen(path), PATH_SHOWN_BYTES);

	if (!archive_each_folder(archive, generation, find_folder_by_path, &search, err))
		return false;
	if (search.id == 0)
		return err_set(err, ERR_NOT_FOUND, "no folder '%s'", shown);
	*ret_id = search.id;
	return true;
}

void app_remember_copy(const char *archive_path, const char *place)
{
	CLEANUP(freep) char *dir = config_state_dir();
	CLEANUP(freep) char *full = realpath(place, NULL);
	CLEANUP(state_freep) struct state *state = NULL;
	struct state_copy copy = {.copied_ms = clock_wall_ms()};
	struct stat here, there;
	struct err err = ERR_INIT;

	copy.same_disk = stat(archive_path, &here) == 0 && stat(place, &there) == 0 &&
			 here.st_dev == there.st_dev;
	if (!state_open(dir, &state, &err) ||
		!state_put_copy(state, archive_path, full ? full : place, &copy, &err))
		say_warn("%s", err.text);
}
