#include "restore/map/map_rules.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/str.h"
#include "restore/map/map.h"

static bool is_path(const char *path)
{
	size_t len = strlen(path);

	return len > 0 && path[0] != '/' && path[len - 1] != '/' && !strstr(path, "//") &&
	       str_utf8_valid(path, len);
}

/* "inbox/x" becomes "INBOX/x". */
static char *normal_path(const char *path)
{
	char *copy = xstrdup(path);

	if (str_starts_case(copy, "INBOX") && (copy[5] == '\0' || copy[5] == '/'))
		memcpy(copy, "INBOX", 5);
	return copy;
}

bool map_rule_add(struct map_rules *rules, const char *text, struct err *err)
{
	const char *equals = strchr(text, '=');
	CLEANUP(freep) char *left = equals ? xstrndup(text, (size_t)(equals - text)) : NULL;
	CLEANUP(freep) char *from = NULL;

	if (!left || !is_path(left) || !is_path(equals + 1))
		return err_set(
			err, ERR_USAGE, "--map %s: expected OLD=NEW, two folder paths", text);
	from = normal_path(left);
	for (size_t i = 0; i < rules->count; i++)
		if (strcmp(rules->items[i].from, from) == 0)
			return err_set(
				err, ERR_USAGE, "--map %s: %s has a rule already", text, from);
	if (rules->count == MAP_RULES_MAX)
		return err_set(err, ERR_USAGE, "--map: more than %d rules", MAP_RULES_MAX);
	ARRAY_GROW(rules->items, rules->count, rules->cap);
	rules->items[rules->count++] = (struct map_rule){TAKE(from), normal_path(equals + 1)};
	return true;
}

bool map_rules_set_prefix(struct map_rules *rules, const char *prefix, struct err *err)
{
	if (!is_path(prefix))
		return err_set(err, ERR_USAGE, "--prefix %s: expected a folder path", prefix);
	free(rules->prefix);
	rules->prefix = normal_path(prefix);
	return true;
}

void map_rules_free_items(struct map_rule *items, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		free(items[i].from);
		free(items[i].to);
	}
	free(items);
}

void map_rules_free(struct map_rules *rules)
{
	map_rules_free_items(rules->items, rules->count);
	free(rules->prefix);
	*rules = (struct map_rules){0};
}

/* The rest of path below `above`: "" for itself, "/x" for a child; NULL: not below it. */
static const char *below(const char *path, const char *above)
{
	size_t len = strlen(above);

	if (strncmp(path, above, len) != 0 || (path[len] != '\0' && path[len] != '/'))
		return NULL;
	return path + len;
}

char *map_rules_apply(const struct map_rule *rules, size_t count, const char *path)
{
	const struct map_rule *best = NULL;

	for (size_t i = 0; i < count; i++)
		if (below(path, rules[i].from) &&
			(!best || strlen(rules[i].from) > strlen(best->from)))
			best = &rules[i];
	return best ? str_printf("%s%s", best->to, below(path, best->from)) : NULL;
}
