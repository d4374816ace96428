/*
 * A Date header in the catalogue. The usual form is stored as one integer from which the exact text
 * can be restored; any other form as text (schema/README.md, "Catalogue").
 */
#ifndef MAILSTOW_ARCHIVE_FORMAT_PACKED_DATE_H
#define MAILSTOW_ARCHIVE_FORMAT_PACKED_DATE_H

#include "archive/format/varint.h"
#include "db/db.h"
#include "mime/date.h"

/* False: the text has another form, or would not be restored exactly. */
bool packed_date_pack(struct text text, int64_t *ret_packed);
void packed_date_unpack(int64_t packed, char out[MIME_DATE_TEXT_MAX]);

/* text must live until the statement has run. */
void packed_date_bind(struct db *db, size_t query, const char *name, struct text text);

/* The text of a column. Points to room or into the row. */
const char *packed_date_column(
	struct db *db, size_t query, int column, char room[MIME_DATE_TEXT_MAX]);

#endif
