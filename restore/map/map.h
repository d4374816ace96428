/*
 * Where the folders of an archive go on another server. Pure: no I/O.
 *
 * A source folder's path becomes a path on the target in this order:
 *   1. a rule OLD=NEW the user gave, the longest OLD first (whole components: "Work" matches
 *      "Work" and "Work/a", not "Workshop");
 *   2. else its special use: "Gesendet" with \Sent goes to the target's folder with \Sent,
 *      whatever its name, or to its top-level folder with a well-known name for it ("Sent Items");
 *      a source folder without attribute counts by its top-level name when no other has the
 *      attribute. What lies below such a folder goes along;
 *   3. else its own path.
 * A prefix is put before whatever came out of 1 and 3, and switches 2 off: what is to be kept
 * apart from the target's mail is not mixed with it.
 *
 * A component that holds the target's separator has it written =2E (or =2F, ...), which the note of
 * the place tells. A name the server may refuse for other characters has a plain one beside it
 * (restore/map/map_name.h), which is used at once when the target has a folder of that name
 * already: an earlier restore made it.
 *
 * Several sources may end in one place; their messages are then one multiset. Folders that cannot
 * hold messages are not places: servers make missing parents when the child is made.
 */
#ifndef MAILSTOW_RESTORE_MAP_MAP_H
#define MAILSTOW_RESTORE_MAP_MAP_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

enum { MAP_RULES_MAX = 1000 };

/* Index of no folder; and of a source that is not meant to go anywhere. */
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
	bool no_special_use; /* leave out step 2 */
	bool no_junk;        /* leave out folders with \Junk or a name for it */
};

/* Add "OLD=NEW". ERR_USAGE when it is not of that form, says it twice or a path is not one. */
bool map_rule_add(struct map_rules *rules, const char *text, struct err *err);

/* Set the prefix. ERR_USAGE when it is no path. */
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
	const char *prefix; /* personal namespace, "" when none */
	char delimiter;     /* 0: a flat namespace */
	const struct map_target *folders;
	size_t count;
};

/* A folder of the target that is to receive mail. */
struct map_place {
	char *path;
	char *wire_name;
	char *plain_path;        /* for when the server refuses wire_name; NULL: no other name */
	char *plain_wire_name;   /* NULL as plain_path is */
	const char *special_use; /* to create it with (the source's text); NULL: none */
	size_t target;           /* index in the server's folders; MAP_NONE: to be created */
	size_t sources;          /* how many go here */
	bool subscribe;          /* a source was subscribed and this is not */
	char *note;              /* for people: what is not as it was; NULL: nothing */
};

struct map {
	struct map_place *places; /* by path: parents come before what lies in them */
	size_t count;
	/*
	 * For each source the index of its place; MAP_LEFT_OUT: it holds no messages, or is junk
	 * nobody wants; MAP_NONE: the target can have no folder of that name.
	 */
	size_t *place_of;
	size_t sources_count;
};

/* Never fails: a path the target cannot hold at all gets no place and a line in ret_problems. */
struct str_list;
void map_make(const struct map_source *sources, size_t count, const struct map_rules *rules,
	const struct map_server *server, struct map *ret_map, struct str_list *ret_problems);

/* The place, which must have it, takes its plain name. */
void map_place_use_plain_name(struct map_place *place);

void map_free(struct map *map); /* also for CLEANUP() */

#endif
