/*
 * Tables for people. Columns are as wide as what stands in them, at least as their title; when that
 * is more than the terminal has, columns that may shrink are cut with an ellipsis. Rows are held
 * back until TABLE_ROWS_MAX of them are known; later ones keep the widths found, so that a list of
 * any length prints as it comes.
 *
 * Cells are made printable here. Off a terminal nothing is cut.
 */
#ifndef MAILSTOW_RESTORE_UI_TABLE_H
#define MAILSTOW_RESTORE_UI_TABLE_H

#include <stdint.h>

#include "restore/ui/text.h"

enum { TABLE_COLUMNS_MAX = 12, TABLE_ROWS_MAX = 200, TABLE_CELL_BYTES_MAX = 2048 };

struct table_column {
	const char *title;
	enum text_side side;
	size_t least; /* columns it may shrink to; 0: never cut */
};

struct table {
	const struct table_column *columns;
	size_t count;
	size_t terminal_columns; /* 0: unlimited */
	size_t widths[TABLE_COLUMNS_MAX];
	char *cells[TABLE_ROWS_MAX][TABLE_COLUMNS_MAX];
	size_t rows;
	bool titled; /* widths are fixed and the titles printed */
};

void table_init(struct table *table, const struct table_column *columns, size_t count);

/* `count` cells; NULL is empty. */
void table_row(struct table *table, const char *const *cells);

/* Prints what is held back; the titles also when there is no row. For CLEANUP(), too. */
void table_end(struct table *table);

/* 1234567 as "1 234 567" for cells. */
enum { TABLE_NUMBER_MAX = 32 };
void table_number(uint64_t number, char out[TABLE_NUMBER_MAX]);

#endif
