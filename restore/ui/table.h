/*
 * Tables on stdout. A column is as wide as its widest cell or its title; if the table is wider than
 * the terminal, columns that may shrink are cut with an ellipsis. The first TABLE_ROWS_MAX rows
 * fix the widths; later rows are printed as they come, so a list may have any length.
 *
 * Unprintable text in cells is masked. Off a terminal nothing is cut.
 */
#ifndef MAILSTOW_RESTORE_UI_TABLE_H
#define MAILSTOW_RESTORE_UI_TABLE_H

#include <stdint.h>

#include "restore/ui/text.h"

enum { TABLE_COLUMNS_MAX = 12, TABLE_ROWS_MAX = 200, TABLE_CELL_BYTES_MAX = 2048 };

struct table_column {
	const char *title;
	enum text_side side;
	size_t least; /* width it may shrink to; 0: never cut */
};

struct table {
	const struct table_column *columns;
	size_t count;
	size_t terminal_columns; /* 0: unlimited */
	size_t widths[TABLE_COLUMNS_MAX];
	char *cells[TABLE_ROWS_MAX][TABLE_COLUMNS_MAX];
	size_t rows;
	bool titled; /* the titles were printed: widths are fixed */
};

void table_init(struct table *table, const struct table_column *columns, size_t count);

/* Adds a row of `count` cells; NULL is an empty cell. */
void table_row(struct table *table, const char *const *cells);

/* Prints rows not printed yet; the titles even if there is no row. Also for CLEANUP(). */
void table_end(struct table *table);

/* 1234567 as "1 234 567". */
enum { TABLE_NUMBER_MAX = 32 };
void table_number(uint64_t number, char out[TABLE_NUMBER_MAX]);

#endif
