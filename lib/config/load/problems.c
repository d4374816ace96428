#include "config/load/problems.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "config/config_limits.h"

enum { LINE_BYTES_MAX = 4096 };

unsigned problems_file(struct problems *problems, const char *path)
{
	str_list_add(&problems->files, path);
	return (unsigned)problems->files.count - 1;
}

void problem_add(struct problems *problems, struct config_place place, const char *key,
	const char *format, ...)
{
	CLEANUP(freep) char *reason = NULL;
	va_list args;

	if (problems->count >= CONFIG_PROBLEMS_MAX)
		return;
	va_start(args, format);
	if (vasprintf(&reason, format, args) < 0)
		abort();
	va_end(args);
	ARRAY_GROW(problems->items, problems->count, problems->cap);
	problems->items[problems->count] = (struct problem){.place = place,
		.order = problems->count,
		.text = str_printf("%s: %s", key, reason)};
	problems->count++;
}

static int by_config_place(const void *a, const void *b)
{
	const struct problem *left = a, *right = b;

	if (left->place.file != right->place.file)
		return left->place.file < right->place.file ? -1 : 1;
	if (left->place.line != right->place.line)
		return left->place.line < right->place.line ? -1 : 1;
	return (left->order > right->order) - (left->order < right->order);
}

void problems_list(struct problems *problems, struct str_list *ret_lines)
{
	if (problems->count > 0)
		qsort(problems->items, problems->count, sizeof(*problems->items), by_config_place);
	for (size_t i = 0; i < problems->count; i++) {
		const struct problem *problem = &problems->items[i];
		CLEANUP(freep)
		char *line = str_printf("%s:%u: %s", problems->files.items[problem->place.file],
			problem->place.line, problem->text);

		str_list_take(ret_lines, str_printable(line, strlen(line), LINE_BYTES_MAX));
	}
}

void problems_free(struct problems *problems)
{
	for (size_t i = 0; i < problems->count; i++)
		free(problems->items[i].text);
	free(problems->items);
	str_list_free(&problems->files);
	*problems = (struct problems){0};
}
