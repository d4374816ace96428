#include "restore/ui/table.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"

enum { GAP = 2 };

void table_init(struct table *table, const struct table_column *columns, size_t count)
{
	assert(count <= TABLE_COLUMNS_MAX);
	*table = (struct table){
		.columns = columns, .count = count, .terminal_columns = text_terminal_columns()};
	for (size_t i = 0; i < count; i++)
		table->widths[i] = text_width(columns[i].title);
}

/* Narrows the widest column that may shrink, one by one, until the table fits. */
static void shrink(struct table *table)
{
	size_t total = GAP * (table->count - 1);

	for (size_t i = 0; i < table->count; i++)
		total += table->widths[i];
	while (total > table->terminal_columns) {
		size_t widest = table->count;

		for (size_t i = 0; i < table->count; i++)
			if (table->columns[i].least && table->widths[i] > table->columns[i].least &&
				(widest == table->count ||
					table->widths[i] > table->widths[widest]))
				widest = i;
		if (widest == table->count)
			return;
		table->widths[widest]--;
		total--;
	}
}

/* Drops empty cells at the end: no line ends in spaces. */
static void print_cells(const struct table *table, char *const *cells)
{
	size_t count = table->count;

	while (count > 1 && cells[count - 1][0] == '\0')
		count--;
	for (size_t i = 0; i < count; i++) {
		bool last = i + 1 == count;
		enum text_side side = table->columns[i].side;
		size_t width = table->widths[i];
		bool may_be_cut = table->terminal_columns > 0 && table->columns[i].least > 0;

		/* the widths were fixed before this row */
		if (!may_be_cut && text_width(cells[i]) > width)
			width = text_width(cells[i]);
		text_put(stdout, cells[i], width, last && side == TEXT_LEFT ? TEXT_LAST : side);
		(void)printf("%*s", last ? 0 : GAP, "");
	}
	(void)putchar('\n');
}

static void flush_rows(struct table *table)
{
	if (!table->titled) {
		char *titles[TABLE_COLUMNS_MAX];

		for (size_t i = 0; i < table->count; i++)
			titles[i] = (char *)table->columns[i].title;
		if (table->terminal_columns)
			shrink(table);
		print_cells(table, titles);
		table->titled = true;
	}
	for (size_t row = 0; row < table->rows; row++) {
		print_cells(table, table->cells[row]);
		for (size_t i = 0; i < table->count; i++)
			free(table->cells[row][i]);
	}
	table->rows = 0;
}

void table_row(struct table *table, const char *const *cells)
{
	for (size_t i = 0; i < table->count; i++) {
		const char *cell = cells[i] ? cells[i] : "";
		char *shown = str_printable(cell, strlen(cell), TABLE_CELL_BYTES_MAX);
		size_t width = text_width(shown);

		if (!table->titled && width > table->widths[i])
			table->widths[i] = width;
		table->cells[table->rows][i] = shown;
	}
	table->rows++;
	if (table->rows == TABLE_ROWS_MAX)
		flush_rows(table);
}

void table_end(struct table *table)
{
	if (table->rows > 0 || !table->titled)
		flush_rows(table);
}

void table_number(uint64_t number, char out[TABLE_NUMBER_MAX])
{
	char digits[TABLE_NUMBER_MAX];
	size_t len = (size_t)snprintf(digits, sizeof(digits), "%" PRIu64, number);
	size_t used = 0;

	for (size_t i = 0; i < len; i++) {
		if (i > 0 && (len - i) % 3 == 0)
			out[used++] = ' ';
		out[used++] = digits[i];
	}
	out[used] = '\0';
}
