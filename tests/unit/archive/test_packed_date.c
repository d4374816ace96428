/* Dates in the catalogue: stored as an integer only if that yields exactly the same text. */
#include "archive/format/packed_date.h"

#include <string.h>

#include "support/check.h"

static const char *const usual[] = {
	"Fri, 21 Nov 1997 09:55:06 -0600",
	"Thu, 01 Jan 1970 00:00:00 +0000",
	"Thu, 1 Jan 1970 00:00:00 +0000",
	"Mon, 2 Mar 2026 23:59:59 +1400",
	"Mon, 02 Mar 2026 00:00:01 -1200",
	"Thu, 29 Feb 2024 12:30:00 +0545",
	"Fri, 31 Dec 9999 23:59:59 +0000",
};

static const char *const others[] = {
	"",
	"no date",
	"Fri, 21 Nov 1997 09:55:06 -0600 (CST)",
	"Fri, 21 Nov 1997 09:55:06 -0000",
	"Fri, 21 Nov 1997 09:55:06 GMT",
	"Sat, 21 Nov 1997 09:55:06 -0600",
	"fri, 21 Nov 1997 09:55:06 -0600",
	"Fri,  21 Nov 1997 09:55:06 -0600",
	"Fri, 21 Nov 97 09:55:06 -0600",
	"21 Nov 1997 09:55:06 -0600",
	"Fri, 21 Nov 1997 09:55 -0600",
	"Fri, 21 Nov 1997 09:55:60 -0600",
	"Wed, 31 Dec 1969 23:59:59 +0000",
	"Fri, 21 Nov 1997 09:55:06 -0600 and more that makes it longer than any",
};

static void dates_in_the_usual_form_survive_packing(void)
{
	for (size_t i = 0; i < ARRAY_LEN(usual); i++) {
		char again[MIME_DATE_TEXT_MAX];
		int64_t packed = 0;

		if (!packed_date_pack(text_of(usual[i]), &packed))
			check_fail(__FILE__, __LINE__, "not packed: %s", usual[i]);
		packed_date_unpack(packed, again);
		CHECK_STR(again, usual[i]);
	}
}

static void other_dates_stay_text(void)
{
	for (size_t i = 0; i < ARRAY_LEN(others); i++) {
		int64_t packed;

		if (packed_date_pack(text_of(others[i]), &packed))
			check_fail(__FILE__, __LINE__, "packed: %s", others[i]);
	}
}

static void every_number_unpacks_to_some_text(void)
{
	static const int64_t numbers[] = {0, 1, -1, INT64_MAX, INT64_MIN, 8191, INT64_C(1) << 60};

	for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
		char text[MIME_DATE_TEXT_MAX];

		packed_date_unpack(numbers[i], text);
		CHECK(strlen(text) < sizeof(text));
	}
}

int main(int argc, char **argv)
{
	static const struct promise promises[] = {
		PROMISE(dates_in_the_usual_form_survive_packing),
		PROMISE(other_dates_stay_text),
		PROMISE(every_number_unpacks_to_some_text),
	};

	return check_main(argc, argv, promises, ARRAY_LEN(promises));
}
