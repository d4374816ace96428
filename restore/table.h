/* Lines for people: columns as wide as their widest cell, all text printable, cut to the terminal.
 */
#ifndef MAILSTOW_RESTORE_TABLE_H
#define MAILSTOW_RESTORE_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { TABLE_COLUMNS_MAX = 12, TABLE_CELL_BYTES_MAX = 400, TABLE_WIDTH_PIPE = 200 };

struct table; /* gathers rows, prints at the end */

/* One letter for each column: 'l' left, 'r' right, 'x' left and cut first when room is short. */
struct table *table_new(const char *columns);
/* The next cell; rows end by themselves. Text is copied and made printable. */
void table_cell(struct table *table, const char *text);
void table_number(struct table *table, uint64_t number);
void table_size(struct table *table, uint64_t size_bytes);
void table_time_ms(struct table *table, int64_t unix_ms); /* local, to the second; 0: "never" */
/* Print to stdout and free. */
void table_print(struct table *table);

#endif
