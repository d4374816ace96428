#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "mime/summary.h"
#include "support/check.h"

static struct mime_summary summary_of(const char *text)
{
	struct mime_summary summary;

	mime_summarise((const uint8_t *)text, strlen(text), &summary);
	return summary;
}

static void header_ends_at_the_empty_line(void)
{
	CLEANUP(mime_summary_free) struct mime_summary crlf = summary_of("A: b\r\n\r\nbody");
	CLEANUP(mime_summary_free) struct mime_summary lf = summary_of("A: b\n\nbody");
	CLEANUP(mime_summary_free) struct mime_summary none = summary_of("A: b\r\n");

	CHECK_INT(crlf.header_len, 8);
	CHECK_INT(lf.header_len, 6);
	CHECK_INT(none.header_len, 6);
	CHECK_STR(none.subject, "");
}

static void fields_are_unfolded_and_decoded(void)
{
	static const struct {
		const char *in, *out;
	} table[] = {
		{"plain", "plain"},
		{"two\r\n lines", "two lines"},
		{"=?utf-8?q?gr=C3=BC=C3=9F?=", "gr\xc3\xbc\xc3\x9f"},
		{"=?iso-8859-1?Q?a_=FC?= =?utf-8?b?w7w=?= end", "a \xc3\xbc\xc3\xbc end"},
		{"=?nonsense?q?x?= y", "=?nonsense?q?x?= y"},
		{"=?utf-8?b?!!?=", "=?utf-8?b?!!?="},
		{"=?utf-8?q?", "=?utf-8?q?"},
		{"\x1b[2Jx", "[2Jx"},
		{"\xff", "\xef\xbf\xbd"},
		{"=?utf-8?q?=1B=07x?=", "x"},
	};

	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		char text[200];
		CLEANUP(mime_summary_free) struct mime_summary summary = {0};

		(void)snprintf(
			text, sizeof(text), "SUBJECT: %s\r\nSubject: no\r\n\r\n", table[i].in);
		summary = summary_of(text);
		CHECK_STR(summary.subject, table[i].out);
	}
}

static void long_fields_are_cut_between_characters(void)
{
	size_t len = 40000;
	CLEANUP(freep) char *text = xmalloc(len + 1);
	CLEANUP(mime_summary_free) struct mime_summary summary = {0};

	memcpy(text, "From: x", 7);
	for (size_t i = 7; i + 1 < len; i += 2)
		memcpy(text + i, "\xc3\xbc", 2);
	text[len - 1] = '\0';
	summary = summary_of(text);
	CHECK(strlen(summary.from) <= SUMMARY_FIELD_BYTES_MAX);
	CHECK(strlen(summary.from) >= SUMMARY_FIELD_BYTES_MAX - 4);
}

int main(int argc, char **argv)
{
	static const struct promise promises[] = {
		PROMISE(header_ends_at_the_empty_line),
		PROMISE(fields_are_unfolded_and_decoded),
		PROMISE(long_fields_are_cut_between_characters),
	};

	return check_main(argc, argv, promises, ARRAY_LEN(promises));
}
