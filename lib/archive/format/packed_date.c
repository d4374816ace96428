#include "archive/format/packed_date.h"

#include <string.h>

enum {
	FORMS = 2,      /* a day below 10 has one digit or two */
	OFFSETS = 4096, /* minutes, half of them negative */
	OFFSET_0 = 2048,
};

static const int64_t unix_s_max = INT64_C(1) << 40;

bool packed_date_pack(struct text text, int64_t *ret_packed)
{
	char copy[MIME_DATE_TEXT_MAX];
	struct zoned_time time;

	if (text.len >= sizeof(copy))
		return false;
	memcpy(copy, text.data, text.len);
	copy[text.len] = '\0';
	if (!mime_date_parse(copy, &time) || time.unix_s < 0 || time.unix_s > unix_s_max)
		return false;
	for (int form = 0; form < FORMS; form++) {
		char again[MIME_DATE_TEXT_MAX];

		mime_date_format(time, form == 1, again);
		if (!text_equal(text, again))
			continue;
		*ret_packed = (time.unix_s * OFFSETS + time.offset_min + OFFSET_0) * FORMS + form;
		return true;
	}
	return false;
}

void packed_date_unpack(int64_t packed, char out[MIME_DATE_TEXT_MAX])
{
	int64_t rest = packed / FORMS;
	struct zoned_time time = {
		.unix_s = rest / OFFSETS, .offset_min = (int16_t)(rest % OFFSETS - OFFSET_0)};

	*out = '\0';
	if (packed >= 0 && time.unix_s <= unix_s_max)
		mime_date_format(time, packed % FORMS == 1, out);
}

void packed_date_bind(struct db *db, size_t query, const char *name, struct text text)
{
	int64_t packed;

	if (packed_date_pack(text, &packed))
		db_bind_int(db, query, name, packed);
	else
		db_bind_text_len(db, query, name, text.data, text.len);
}

const char *packed_date_column(
	struct db *db, size_t query, int column, char room[MIME_DATE_TEXT_MAX])
{
	if (!db_is_int(db, query, column))
		return db_text(db, query, column);
	packed_date_unpack(db_int(db, query, column), room);
	return room;
}
