/*
 * Any bytes as the beginning of a message, and as the text of a header field: the summary is short
 * and has no control characters, and the header does not end beyond the message.
 */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "base/alloc.h"
#include "base/str.h"
#include "mime/date.h"
#include "mime/summary.h"
#include "mime/words.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void check_no_controls(const char *text)
{
	for (; *text; text++)
		assert((uint8_t)*text >= ' ' && *text != 0x7f);
}

static void check_shown(const char *text)
{
	assert(strlen(text) <= SUMMARY_FIELD_BYTES_MAX);
	assert(str_utf8_valid(text, strlen(text)));
	check_no_controls(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	CLEANUP(mime_summary_free) struct mime_summary summary;
	CLEANUP(freep) char *text = xstrndup((const char *)data, len);
	CLEANUP(freep) char *decoded = words_decode(text);
	struct zoned_time date;

	check_no_controls(decoded);
	mime_summarise(data, len, &summary);
	assert(summary.header_len <= len);
	check_shown(summary.from);
	check_shown(summary.subject);
	check_shown(summary.date);
	check_shown(summary.message_id);
	(void)mime_date_parse(text, &date);
	return 0;
}
