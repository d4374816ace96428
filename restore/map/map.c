#include "restore/map/map.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/str.h"
#include "imap/name.h"
#include "restore/map/map_name.h"
#include "restore/map/map_rules.h"
#include "restore/map/special_use.h"

/* --- one mapping --- */

struct mapping {
	const struct map_source *sources;
	size_t count;
	const struct map_rules *rules;
	const struct map_server *server;
	struct map_rule *special; /* rules derived from special uses */
	size_t special_count;
	size_t special_cap;
};

static const struct map_target *target_of_path(const struct mapping *mapping, const char *path)
{
	for (size_t i = 0; i < mapping->server->count; i++)
		if (strcmp(mapping->server->folders[i].path, path) == 0)
			return &mapping->server->folders[i];
	return NULL;
}

static bool is_source(const struct mapping *mapping, const char *path)
{
	for (size_t i = 0; i < mapping->count; i++)
		if (strcmp(mapping->sources[i].path, path) == 0)
			return true;
	return false;
}

/* The target's folder for a use: by attribute, else by a name that no source has. */
static const struct map_target *target_of_use(
	const struct mapping *mapping, const char *special_use)
{
	for (size_t i = 0; i < mapping->server->count; i++) {
		const struct map_target *target = &mapping->server->folders[i];

		if (target->special_use && str_equal_case(target->special_use, special_use))
			return target;
	}
	for (size_t i = 0; i < mapping->server->count; i++) {
		const struct map_target *target = &mapping->server->folders[i];
		const char *usage = target->special_use ? NULL : special_use_of_name(target->path);

		if (usage && str_equal_case(usage, special_use) &&
			!is_source(mapping, target->path))
			return target;
	}
	return NULL;
}

/* The use of a source: its attribute, else that of its name if no source has the attribute. */
static const char *use_of_source(const struct mapping *mapping, size_t index)
{
	const struct map_source *source = &mapping->sources[index];
	const char *usage;

	if (source->special_use)
		return source->special_use;
	usage = special_use_of_name(source->path);
	for (size_t i = 0; usage && i < mapping->count; i++) {
		const struct map_source *other = &mapping->sources[i];
		const char *use = other->special_use;

		if (use ? str_equal_case(use, usage)
			: i < index && special_use_of_name(other->path) == usage)
			return NULL;
	}
	return usage;
}

static bool used_already(const struct mapping *mapping, size_t index, const char *special_use)
{
	for (size_t i = 0; i < index; i++) {
		const char *use = mapping->sources[i].special_use;

		if (use && str_equal_case(use, special_use))
			return true;
	}
	return false;
}

/*
 * A target folder with the source's own path wins over a guess: over any other one if neither of
 * the two has an attribute, and over one that only its name suggests. INBOX stays INBOX, whatever
 * attribute a server gives it.
 */
static void add_special_rule(struct mapping *mapping, size_t index)
{
	const struct map_source *source = &mapping->sources[index];
	const char *use = use_of_source(mapping, index);
	const struct map_target *same = target_of_path(mapping, source->path);
	const struct map_target *target;

	if (!use || !source->selectable || strcmp(source->path, "INBOX") == 0 ||
		used_already(mapping, index, use))
		return;
	if (same && !source->special_use && !same->special_use)
		return;
	target = target_of_use(mapping, use);
	if (!target || !target->selectable || strcmp(target->path, source->path) == 0 ||
		(same && !target->special_use))
		return;
	ARRAY_GROW(mapping->special, mapping->special_count, mapping->special_cap);
	mapping->special[mapping->special_count++] =
		(struct map_rule){xstrdup(source->path), xstrdup(target->path)};
}

static bool is_junk(const struct map_source *source)
{
	const char *use =
		source->special_use ? source->special_use : special_use_of_name(source->path);

	return use && str_equal_case(use, "\\Junk");
}

static char *target_path(const struct mapping *mapping, const struct map_source *source)
{
	const struct map_rules *rules = mapping->rules;
	char *path = map_rules_apply(rules->items, rules->count, source->path);

	if (!path)
		path = map_rules_apply(mapping->special, mapping->special_count, source->path);
	if (!path)
		path = xstrdup(source->path);
	if (rules->prefix) {
		CLEANUP(freep) char *bare = path;

		path = str_printf("%s/%s", rules->prefix, bare);
	}
	return path;
}

static void add_note(struct map_place *place, const char *text)
{
	CLEANUP(freep) char *old = place->note;

	place->note = old ? str_printf("%s; %s", old, text) : xstrdup(text);
}

/* --- places --- */

static const struct map_target *target_of_name(const struct mapping *mapping, const char *wire_name)
{
	for (size_t i = 0; i < mapping->server->count; i++)
		if (strcmp(mapping->server->folders[i].wire_name, wire_name) == 0)
			return &mapping->server->folders[i];
	return NULL;
}

/* The wire name for a folder that is to be created; NULL: impossible. */
static char *new_name(const struct mapping *mapping, struct map_place *place)
{
	const struct map_server *server = mapping->server;
	char *encoded = map_name_without_delimiter(place->path, server->delimiter);
	bool changed;

	if (encoded) {
		free(place->path);
		place->path = encoded;
		add_note(place, "the name contained the target's hierarchy separator");
	}
	return name_from_path(place->path, server->delimiter, server->prefix, false, &changed);
}

/* Sets the plain name of a place, unless a source has that very path. */
static void name_plainly(const struct mapping *mapping, struct map_place *place)
{
	const struct map_server *server = mapping->server;
	CLEANUP(freep) char *plain = map_name_plain(place->path);
	bool changed;

	if (!plain || is_source(mapping, plain))
		return;
	place->plain_wire_name =
		name_from_path(plain, server->delimiter, server->prefix, false, &changed);
	place->plain_path = TAKE(plain);
}

void map_place_use_plain_name(struct map_place *place)
{
	free(place->path);
	free(place->wire_name);
	place->path = TAKE(place->plain_path);
	place->wire_name = TAKE(place->plain_wire_name);
}

/* An existing folder keeps its name; a new one is named by our rules. */
static bool name_place(const struct mapping *mapping, struct map_place *place)
{
	const struct map_target *target = target_of_path(mapping, place->path);

	if (!target) {
		place->wire_name = new_name(mapping, place);
		if (!place->wire_name)
			return false;
		target = target_of_name(mapping, place->wire_name);
		name_plainly(mapping, place);
	}
	if (!target && place->plain_wire_name) {
		target = target_of_name(mapping, place->plain_wire_name);
		if (target)
			map_place_use_plain_name(place);
	}
	if (!target)
		return true;
	free(place->wire_name);
	place->wire_name = xstrdup(target->wire_name);
	/* servers list a mere parent as \NoSelect; CREATE makes it a folder */
	if (target->selectable)
		place->target = (size_t)(target - mapping->server->folders);
	return true;
}

static size_t find_place(const struct map *map, const char *wire_name)
{
	for (size_t i = 0; i < map->count; i++)
		if (strcmp(map->places[i].wire_name, wire_name) == 0)
			return i;
	return MAP_NONE;
}

static void free_place(struct map_place *place)
{
	free(place->path);
	free(place->wire_name);
	free(place->plain_path);
	free(place->plain_wire_name);
	free(place->note);
}

/* The place of a source; MAP_NONE: the target cannot have such a name. */
static size_t place_source(const struct mapping *mapping, struct map *map, size_t *cap,
	const struct map_source *source)
{
	struct map_place place = {.path = target_path(mapping, source), .target = MAP_NONE};
	size_t at;

	if (!name_place(mapping, &place)) {
		free_place(&place);
		return MAP_NONE;
	}
	at = find_place(map, place.wire_name);
	if (at == MAP_NONE) {
		ARRAY_GROW(map->places, map->count, *cap);
		at = map->count++;
		map->places[at] = place;
	} else {
		free_place(&place);
	}
	map->places[at].sources++;
	map->places[at].subscribe |= source->subscribed;
	if (!map->places[at].special_use && !mapping->rules->prefix)
		map->places[at].special_use = source->special_use;
	return at;
}

/* Subscribes only where needed; a special use can only be asked for in CREATE. */
static void finish_place(const struct mapping *mapping, struct map_place *place)
{
	if (place->sources > 1)
		add_note(place, "several folders are merged here");
	if (place->target == MAP_NONE)
		return;
	place->special_use = NULL;
	if (mapping->server->folders[place->target].subscribed)
		place->subscribe = false;
}

/* --- names that differ in case only --- */

static int compare_places(const void *a, const void *b)
{
	return strcmp(((const struct map_place *)a)->path, ((const struct map_place *)b)->path);
}

struct folded {
	char *name;
	const char *path;
	struct map_place *place; /* NULL: a folder of the target that receives nothing */
};

static int compare_folded(const void *a, const void *b)
{
	return strcmp(((const struct folded *)a)->name, ((const struct folded *)b)->name);
}

static void add_folded(
	struct folded *items, size_t *count, const char *path, struct map_place *place)
{
	char *name = xstrdup(path);

	for (char *c = name; *c; c++)
		*c = str_lower_char(*c);
	items[(*count)++] = (struct folded){name, path, place};
}

/* The places are sorted by path. */
static const struct map_place *find_path(const struct map *map, const char *path)
{
	const struct map_place key = {.path = (char *)path};

	return map->count == 0
		       ? NULL
		       : bsearch(&key, map->places, map->count, sizeof(key), compare_places);
}

static void note_case_twins(struct map *map, const struct map_server *server)
{
	struct folded *items = xcalloc(map->count + server->count + 1, sizeof(*items));
	size_t count = 0;

	for (size_t i = 0; i < map->count; i++)
		add_folded(items, &count, map->places[i].path, &map->places[i]);
	for (size_t i = 0; i < server->count; i++)
		if (!find_path(map, server->folders[i].path))
			add_folded(items, &count, server->folders[i].path, NULL);
	qsort(items, count, sizeof(*items), compare_folded);
	for (size_t i = 1; i < count; i++) {
		struct folded *one = &items[i - 1], *two = &items[i];
		struct folded *made = one->place && one->place->target == MAP_NONE ? one : two;

		if (strcmp(one->name, two->name) == 0 && strcmp(one->path, two->path) != 0 &&
			made->place && made->place->target == MAP_NONE)
			add_note(made->place, "differs from another folder only in case");
	}
	for (size_t i = 0; i < count; i++)
		free(items[i].name);
	free(items);
}

/* --- the whole map --- */

struct numbered {
	struct map_place place; /* first: compare_places() */
	size_t was;
};

/* Parents before children: target_folders.c creates folders in this order. */
static void sort_places(struct map *map)
{
	struct numbered *sorted = xcalloc(map->count + 1, sizeof(*sorted));
	size_t *now = xcalloc(map->count + 1, sizeof(*now));

	for (size_t i = 0; i < map->count; i++)
		sorted[i] = (struct numbered){map->places[i], i};
	qsort(sorted, map->count, sizeof(*sorted), compare_places);
	for (size_t i = 0; i < map->count; i++) {
		map->places[i] = sorted[i].place;
		now[sorted[i].was] = i;
	}
	for (size_t i = 0; i < map->sources_count; i++)
		if (map->place_of[i] < map->count)
			map->place_of[i] = now[map->place_of[i]];
	free(now);
	free(sorted);
}

void map_make(const struct map_source *sources, size_t count, const struct map_rules *rules,
	const struct map_server *server, struct map *ret_map, struct str_list *ret_problems)
{
	struct mapping mapping = {
		.sources = sources, .count = count, .rules = rules, .server = server};
	struct map map = {
		.place_of = xcalloc(count + 1, sizeof(*map.place_of)), .sources_count = count};
	size_t cap = 0;

	for (size_t i = 0; i < count && !rules->no_special_use && !rules->prefix; i++)
		add_special_rule(&mapping, i);
	for (size_t i = 0; i < count; i++) {
		map.place_of[i] = MAP_LEFT_OUT;
		if (!sources[i].selectable || (rules->no_junk && is_junk(&sources[i])))
			continue;
		map.place_of[i] = place_source(&mapping, &map, &cap, &sources[i]);
		if (map.place_of[i] == MAP_NONE)
			str_list_take(ret_problems,
				str_printf("%s: the server cannot have a folder with this name",
					sources[i].path));
	}
	for (size_t i = 0; i < map.count; i++)
		finish_place(&mapping, &map.places[i]);
	sort_places(&map);
	note_case_twins(&map, server);
	map_rules_free_items(mapping.special, mapping.special_count);
	*ret_map = map;
}

void map_free(struct map *map)
{
	for (size_t i = 0; i < map->count; i++)
		free_place(&map->places[i]);
	free(map->places);
	free(map->place_of);
	*map = (struct map){0};
}
