#include "restore/upload/target_folders.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/str.h"
#include "imap/name.h"

bool target_folders_list(
	struct target *target, bool want_counts, struct imap_folders *ret_folders, struct err *err)
{
	for (;;) {
		if (!target_need(target, err))
			return false;
		if (imap_list(target->imap, want_counts, ret_folders, err))
			return true;
		if (err->kind == ERR_REFUSED || !target_lost(target, err))
			return false;
	}
}

struct map_target *target_folders_for_map(const struct imap_folders *folders)
{
	struct map_target *targets = xcalloc(folders->count + 1, sizeof(*targets));

	for (size_t i = 0; i < folders->count; i++) {
		const struct imap_folder *folder = &folders->items[i];

		targets[i] = (struct map_target){
			.path = folder->path,
			.wire_name = folder->wire_name,
			.special_use = folder->special_use,
			.selectable = !(folder->attributes & IMAP_ATTR_NOSELECT),
			.subscribed = folder->subscribed,
		};
	}
	return targets;
}

void target_folders_free(struct target_folder *made, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		free(made[i].failure);
		free(made[i].warning);
		free(made[i].renamed);
	}
	free(made);
}

/* --- creating --- */

/* For servers that do not create parents themselves. A refusal of a parent does not matter. */
static bool create_parents(struct imap *imap, const char *path, struct err *err)
{
	CLEANUP(freep) char *parent = xstrdup(path);

	for (char *slash = strchr(parent, '/'); slash; slash = strchr(slash + 1, '/')) {
		CLEANUP(freep) char *name = NULL;
		bool changed, exists;

		*slash = '\0';
		name = name_from_path(
			parent, imap_delimiter(imap), imap_prefix(imap), false, &changed);
		*slash = '/';
		if (name && !imap_create(imap, name, NULL, &exists, err) &&
			err->kind != ERR_REFUSED)
			return false;
	}
	return true;
}

static bool create_named(struct imap *imap, const struct map_place *place,
	struct target_folder *made, struct err *err)
{
	if (imap_create(imap, place->wire_name, place->special_use, &made->exists, err)) {
		made->created = true;
		return true;
	}
	if (err->kind != ERR_REFUSED || made->exists)
		return made->exists;
	if (!create_parents(imap, place->path, err))
		return false;
	made->created = imap_create(imap, place->wire_name, NULL, &made->exists, err);
	return made->created || made->exists;
}

/* A refused name is tried once more in its plain form. */
static bool create_or_rename(
	struct imap *imap, struct map_place *place, struct target_folder *made, struct err *err)
{
	struct err again = ERR_INIT;

	if (create_named(imap, place, made, err))
		return true;
	if (err->kind != ERR_REFUSED || !place->plain_wire_name)
		return false;
	made->renamed = str_printf("restored to %s instead: %s", place->plain_path, err->text);
	map_place_use_plain_name(place);
	if (create_named(imap, place, made, &again))
		return true;
	if (again.kind != ERR_REFUSED)
		*err = again;
	return false;
}

static bool subscribe(struct imap *imap, const struct map_place *place, struct target_folder *made,
	struct err *err)
{
	if (!place->subscribe || imap_subscribe(imap, place->wire_name, err))
		return true;
	if (err->kind != ERR_REFUSED)
		return false;
	free(made->warning);
	made->warning = str_printf("not subscribed: %s", err->text);
	return true;
}

/* After a lost connection both steps are repeated: a second CREATE finds that the folder exists. */
static bool create_and_subscribe(
	struct target *target, struct map_place *place, struct target_folder *made, struct err *err)
{
	for (;;) {
		bool created = made->created;

		if (!target_need(target, err))
			return false;
		if ((place->target != MAP_NONE || created ||
			    create_or_rename(target->imap, place, made, err)) &&
			subscribe(target->imap, place, made, err))
			return true;
		if (err->kind == ERR_REFUSED) {
			made->failure = xstrdup(err->text);
			return true;
		}
		if (!target_lost(target, err))
			return false;
	}
}

/*
 * --- folders whose names differ only in case ---
 *
 * A server that ignores case answers CREATE "work" with "it exists" and means "Work". Mail sent to
 * "work" would then go into a folder that the plan did not show: such a place is not written to.
 */

static bool is_in_list(const struct imap_folders *folders, const char *wire_name)
{
	for (size_t i = 0; i < folders->count; i++)
		if (strcmp(folders->items[i].wire_name, wire_name) == 0)
			return true;
	return false;
}

static bool check_case_twins(
	struct target *target, const struct map *map, struct target_folder *made, struct err *err)
{
	CLEANUP(imap_folders_free) struct imap_folders folders = {0};
	bool surprised = false;

	for (size_t i = 0; i < map->count; i++)
		surprised |= made[i].exists;
	if (!surprised)
		return true;
	if (!target_folders_list(target, false, &folders, err))
		return false;
	for (size_t i = 0; i < map->count; i++)
		if (made[i].exists && !is_in_list(&folders, map->places[i].wire_name))
			made[i].failure = xstrdup("the server confuses it with a folder whose name "
						  "differs only in case; rename it with --map");
	return true;
}

bool target_folders_make(
	struct target *target, struct map *map, struct target_folder *made, struct err *err)
{
	for (size_t i = 0; i < map->count; i++)
		if (made[i].wanted && !create_and_subscribe(target, &map->places[i], &made[i], err))
			return err_wrap(err, "%s", map->places[i].path);
	return check_case_twins(target, map, made, err);
}
