#include "daemon/busy_folders.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/str.h"

static bool is_busier(const struct busy_folder *a, const struct busy_folder *b)
{
	if (a->changed_ms != b->changed_ms)
		return a->changed_ms > b->changed_ms;
	return a->messages > b->messages;
}

size_t busy_folders_rank(const struct busy_folders *busy, const char *wire_name)
{
	size_t rank = 0;

	while (rank < busy->count && strcmp(busy->items[rank].wire_name, wire_name) != 0)
		rank++;
	return rank;
}

static struct busy_folder take_folder(struct busy_folders *busy, size_t rank)
{
	struct busy_folder taken = busy->items[rank];

	busy->count--;
	memmove(&busy->items[rank], &busy->items[rank + 1],
		(busy->count - rank) * sizeof(*busy->items));
	return taken;
}

static void insert_folder(struct busy_folders *busy, struct busy_folder folder)
{
	size_t rank = 0;

	while (rank < busy->count && !is_busier(&folder, &busy->items[rank]))
		rank++;
	if (rank == BUSY_FOLDERS_MAX) {
		free(folder.wire_name);
		return;
	}
	if (busy->count == BUSY_FOLDERS_MAX)
		free(busy->items[--busy->count].wire_name);
	memmove(&busy->items[rank + 1], &busy->items[rank],
		(busy->count - rank) * sizeof(*busy->items));
	busy->items[rank] = folder;
	busy->count++;
}

void busy_folders_note(
	struct busy_folders *busy, const char *wire_name, uint32_t messages, int64_t changed_ms)
{
	size_t rank = busy_folders_rank(busy, wire_name);
	struct busy_folder folder;

	if (str_equal_case(wire_name, "INBOX"))
		return;
	folder = rank < busy->count ? take_folder(busy, rank)
				    : (struct busy_folder){.wire_name = xstrdup(wire_name)};
	folder.messages = messages;
	if (changed_ms)
		folder.changed_ms = changed_ms;
	insert_folder(busy, folder);
}

void busy_folders_free(struct busy_folders *busy)
{
	for (size_t i = 0; i < busy->count; i++)
		free(busy->items[i].wire_name);
	*busy = (struct busy_folders){0};
}
