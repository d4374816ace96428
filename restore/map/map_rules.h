/* Applies rules OLD=NEW to paths, for map.c. Pure. */
#ifndef MAILSTOW_RESTORE_MAP_MAP_RULES_H
#define MAILSTOW_RESTORE_MAP_MAP_RULES_H

#include <stddef.h>

struct map_rule;

/* The path by the longest rule that matches whole components. NULL: none. The caller frees. */
char *map_rules_apply(const struct map_rule *rules, size_t count, const char *path);

void map_rules_free_items(struct map_rule *rules, size_t count);

#endif
