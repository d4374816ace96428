#include "transcript/talk.h"

#include <assert.h>
#include <stdarg.h>
#include <stdlib.h>

#include "base/alloc.h"

enum { RESULTS_MAX = 2000, RESULT_MAX_BYTES = 64 * 1024 };

/* Beyond RESULTS_MAX a step fails anyway, as nobody expects so many. */
void talk_says(struct talk *talk, const char *format, ...)
{
	struct buf line = BUF_INIT(RESULT_MAX_BYTES);
	va_list args;
	bool fits = buf_add_str(&line, "expect: ");

	va_start(args, format);
	fits = fits && buf_vprintf(&line, format, args);
	va_end(args);
	assert(fits);
	if (talk->results.count < RESULTS_MAX)
		str_list_take(&talk->results, buf_take_str(&line));
	buf_free(&line);
}

char *talk_escape(const void *data, size_t len)
{
	struct buf out = BUF_INIT(RESULT_MAX_BYTES);
	const uint8_t *bytes = data;
	bool fits = true;

	for (size_t i = 0; i < len && fits; i++) {
		if (bytes[i] == '\r' || bytes[i] == '\n')
			fits = buf_add_str(&out, bytes[i] == '\r' ? "\\r" : "\\n");
		else if (bytes[i] < ' ' || bytes[i] == 0x7f)
			fits = buf_printf(&out, "\\x%02x", bytes[i]);
		else if (bytes[i] == '\\')
			fits = buf_add_str(&out, "\\\\");
		else
			fits = buf_add_byte(&out, bytes[i]);
	}
	assert(fits);
	return buf_take_str(&out);
}

void talk_close(struct talk *talk)
{
	imap_freep(&talk->imap);
	tls_peer_freep(&talk->peer);
	if (talk->wire_log)
		(void)fclose(TAKE(talk->wire_log));
	(void)script_complaint(talk->script);
}
