#include "config/load/key_table.h"

#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/str.h"

enum { NEAR_EDITS_MAX = 2, NAMES_BYTES_MAX = 2048 };

const struct config_key *key_find(const struct key_table *table, const char *name)
{
	for (size_t i = 0; i < table->count; i++)
		if (strcmp(table->keys[i].name, name) == 0)
			return &table->keys[i];
	return NULL;
}

const struct config_key *key_nearest(const struct key_table *table, const char *name)
{
	const struct config_key *nearest = NULL;
	size_t fewest = NEAR_EDITS_MAX + 1;

	for (size_t i = 0; i < table->count; i++) {
		size_t edits = str_edits(name, table->keys[i].name);

		if (edits < fewest && edits < strlen(table->keys[i].name)) {
			fewest = edits;
			nearest = &table->keys[i];
		}
	}
	return nearest;
}

char *key_names(const struct key_table *table)
{
	struct buf names = BUF_INIT(NAMES_BYTES_MAX);

	for (size_t i = 0; i < table->count; i++) {
		const char *before = i == 0 ? "" : i + 1 == table->count ? " or " : ", ";

		if (!buf_printf(&names, "%s%s", before, table->keys[i].name))
			break;
	}
	return buf_take_str(&names);
}

void key_table_free(const struct key_table *table, void *target)
{
	for (size_t i = 0; i < table->count; i++) {
		void *at = (char *)target + table->keys[i].offset;

		switch (table->keys[i].kind) {
		case VALUE_NUMBER:
		case VALUE_PORT:
		case VALUE_TLS:
		case VALUE_AUTH:
		case VALUE_YES:
		case VALUE_DURATION:
		case VALUE_FOREVER:
		case VALUE_SIZE:
		case VALUE_PERCENT:
			break;
		case VALUE_GLOBS:
			str_list_free(at);
			break;
		default:
			freep(at);
		}
	}
}
