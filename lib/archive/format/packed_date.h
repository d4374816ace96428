/*
 * A Date: header in the catalogue: where it is written as nearly all are, one integer that gives
 * the very text again, else the text (schema/README.md, "Catalogue").
 */
#ifndef MAILSTOW_ARCHIVE_FORMAT_PACKED_DATE_H
#define MAILSTOW_ARCHIVE_FORMAT_PACKED_DATE_H

#include "archive/format/varint.h"
#include "db/db.h"
#include "mime/date.h"

/* False: it must stay text. */
bool packed_date_pack(struct text text, int64_t *ret_packed);
void packed_date_unpack(int64_t packed, char out[MIME_DATE_TEXT_MAX]);

/* text must live until the statement was run. */
void packed_date_bind(struct db *db, size_t query, const char *name, struct text text);

/* The text; it lies in room, or in the row. */
const char *packed_date_column(
	struct db *db, size_t query, int column, char room[MIME_DATE_TEXT_MAX]);

#endif
