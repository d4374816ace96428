/*
 * Decides where the folders of an archive go on another server. Pure: no I/O, no clock.
 *
 * The path of a source folder becomes a path on the target by the first of these that applies:
 *   1. a rule OLD=NEW of the user, the longest OLD first. OLD matches whole components: "Work"
 *      matches "Work" and "Work/a", not "Workshop";
 *   2. its special use: "Gesendet" with \Sent goes to the target's folder with \Sent, whatever
 *      its name, or to its top-level folder with a well-known name ("Sent Items"). A source folder
 *      without the attribute counts by its top-level name if no other source has the attribute.
 *      Subfolders go along;
 *   3. its own path.
 * A prefix is put before the result of 1 and 3 and turns 2 off: mail below a prefix is to stay
 * apart from the target's own.
 *
 * A component that holds the target's separator has it written as =2E (or =2F, ...); the place's
 * note says so. A name the server may refuse for other characters has a plain form as well
 * (restore/map/map_name.h). The plain form is used at once if the target already has a folder of
 * that name, since an earlier restore created it.
 *
 * Several sources may go to one place; their messages then form one multiset. Folders that cannot
 * hold messages get no place: servers create missing parents with the child.
 */
#ifndef MAILSTOW_RESTORE_MAP_MAP_H
#define MAILSTOW_RESTORE_MAP_MAP_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

enum { MAP_RULES_MAX = 1000 };

/* No folder; and a source that is left out on purpose. */
#define MAP_NONE     ((size_t)-1)
#define MAP_LEFT_OUT ((size_t)-2)

struct map_rule {
	char *from; /* path in the archive */
	char *to;   /* path on the target */
};

struct map_rules {
	struct map_rule *items;
	size_t count;
	size_t cap;
	char *prefix;        /* NULL: none */
	bool no_special_use; /* skip step 2 */
	bool no_junk;        /* leave out folders with \Junk or a name for it */
};

/* Adds "OLD=NEW". ERR_USAGE: not of that form, OLD has a rule already, or not folder paths. */
bool map_rule_add(struct map_rules *rules, const char *text, struct err *err);

/* Sets the prefix. ERR_USAGE: not a folder path. */
bool map_rules_set_prefix(struct map_rules *rules, const char *prefix, struct err *err);

void map_rules_free(struct map_rules *rules); /* also for CLEANUP() */

struct map_source {
	const char *path;
	const char *special_use; /* NULL: none */
	bool selectable;
	bool subscribed;
};

struct map_target {
	const char *path;
	const char *wire_name;
	const char *special_use; /* NULL: none */
	bool selectable;
	bool subscribed;
};

struct map_server {
	const char *prefix; /* of the personal namespace, "" if none */
	char delimiter;     /* 0: a flat namespace */
	const struct map_target *folders;
	size_t count;
};

/* A folder of the target that receives mail. */
struct map_place {
	char *path;
	char *wire_name;
	char *plain_path;        /* to use if the server refuses wire_name; NULL: none */
	char *plain_wire_name;   /* NULL if plain_path is */
	const char *special_use; /* to create it with, owned by the source; NULL: none */
	size_t target;           /* index in the server's folders; MAP_NONE: to be created */
	size_t sources;          /* number of sources that go here */
	bool subscribe;          /* a source was subscribed and this folder is not */
	char *note;              /* for people: what differs from the archive; NULL: nothing */
};

struct map {
	struct map_place *places; /* sorted by path: parents before children */
	size_t count;
	/*
	 * For each source the index of its place; MAP_LEFT_OUT: it cannot hold messages, or is junk
	 * left out by no_junk; MAP_NONE: the target cannot have a folder of that name.
	 */
	size_t *place_of;
	size_t sources_count;
};

/* Never fails: a path the target cannot have gets no place and a line in ret_problems. */
struct str_list;
void map_make(const struct map_source *sources, size_t count, const struct map_rules *rules,
	const struct map_server *server, struct map *ret_map, struct str_list *ret_problems);

/* Gives the place its plain name, which it must have. */
void map_place_use_plain_name(struct map_place *place);

void map_free(struct map *map); /* also for CLEANUP() */

#endif
