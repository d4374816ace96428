/* Rules OLD=NEW applied to paths, for restore/map/map.c. Pure. */
#ifndef MAILSTOW_RESTORE_MAP_MAP_RULES_H
#define MAILSTOW_RESTORE_MAP_MAP_RULES_H

#include <stddef.h>

struct map_rule;

/* The longest rule that matches whole components, applied. NULL: none does. The caller frees. */
char *map_rules_apply(const struct map_rule *rules, size_t count, const char *path);

void map_rules_free_items(struct map_rule *rules, size_t count);

#endif
