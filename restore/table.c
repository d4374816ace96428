#include "restore/table.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>
#include <wchar.h>

#include "base/alloc.h"
#include "base/str.h"

struct table {
	const char *columns;
	size_t columns_count;
	struct str_list cells;
};

enum { GAP = 2, CUT_MIN = 8 };

struct table *table_new(const char *columns)
{
	struct table *table = xcalloc(1, sizeof(*table));

	table->columns = columns;
	table->columns_count = strlen(columns);
	assert(table->columns_count >= 1 && table->columns_count <= TABLE_COLUMNS_MAX);
	return table;
}

void table_cell(struct table *table, const char *text)
{
	str_list_take(&table->cells, str_printable(text, strlen(text), TABLE_CELL_BYTES_MAX));
}

void table_number(struct table *table, uint64_t number)
{
	str_list_take(&table->cells, str_printf("%llu", (unsigned long long)number));
}

void table_size(struct table *table, uint64_t size_bytes)
{
	char text[STR_SIZE_MAX];

	str_format_size(size_bytes, text);
	table_cell(table, text);
}

void table_time_ms(struct table *table, int64_t unix_ms)
{
	time_t seconds = (time_t)(unix_ms / 1000);
	char text[32];
	struct tm tm;

	if (unix_ms == 0 || !localtime_r(&seconds, &tm) ||
		strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S", &tm) == 0)
		table_cell(table, "never");
	else
		table_cell(table, text);
}

/* Columns of a UTF-8 text; and the bytes of it that fit into `max` columns. */
static size_t width_of(const char *text, size_t max, size_t *ret_bytes)
{
	const uint8_t *at = (const uint8_t *)text;
	size_t len = strlen(text), width = 0, used = 0;

	while (used < len) {
		uint32_t code = 0;
		size_t step = str_utf8_decode(at + used, len - used, &code);
		int columns = step ? wcwidth((wchar_t)code) : 1;

		if (columns < 0)
			columns = 1;
		if (width + (size_t)columns > max)
			break;
		width += (size_t)columns;
		used += step ? step : 1;
	}
	*ret_bytes = used;
	return width;
}

static size_t terminal_width(void)
{
	struct winsize size;

	if (isatty(STDOUT_FILENO) && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 &&
		size.ws_col > 0)
		return size.ws_col;
	return TABLE_WIDTH_PIPE;
}

static void measure(const struct table *table, size_t widths[])
{
	size_t total = 0, limit = terminal_width();

	for (size_t i = 0; i < table->cells.count; i++) {
		size_t bytes, column = i % table->columns_count;
		size_t width = width_of(table->cells.items[i], SIZE_MAX / 2, &bytes);

		if (width > widths[column])
			widths[column] = width;
	}
	for (size_t i = 0; i < table->columns_count; i++)
		total += widths[i] + GAP;
	for (size_t i = table->columns_count; i-- > 0 && total > limit + GAP;) {
		size_t over = total - limit - GAP;

		if (table->columns[i] != 'x' || widths[i] <= CUT_MIN)
			continue;
		if (over > widths[i] - CUT_MIN)
			over = widths[i] - CUT_MIN;
		widths[i] -= over;
		total -= over;
	}
}

static void print_cell(const char *text, char align, size_t room, bool last)
{
	size_t bytes, width = width_of(text, room, &bytes);

	if (align == 'r')
		(void)printf("%*s%.*s", (int)(room - width), "", (int)bytes, text);
	else if (last)
		(void)printf("%.*s", (int)bytes, text);
	else
		(void)printf("%.*s%*s", (int)bytes, text, (int)(room - width), "");
}

void table_print(struct table *table)
{
	size_t widths[TABLE_COLUMNS_MAX] = {0};

	assert(table->cells.count % table->columns_count == 0);
	measure(table, widths);
	for (size_t i = 0; i < table->cells.count; i++) {
		size_t column = i % table->columns_count;
		bool last = column + 1 == table->columns_count;

		print_cell(table->cells.items[i], table->columns[column], widths[column], last);
		(void)fputs(last ? "\n" : "  ", stdout);
	}
	str_list_free(&table->cells);
	free(table);
}
