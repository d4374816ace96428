/*
 * A look at a message's header: where it ends and the four lines people list mail by. Pure, linear,
 * for hostile input; trusted by nobody.
 */
#ifndef MAILSTOW_MIME_SUMMARY_H
#define MAILSTOW_MIME_SUMMARY_H

#include <stddef.h>
#include <stdint.h>

enum {
	SUMMARY_HEADER_BYTES_MAX = 256 * 1024, /* looked at; the rest of a longer header is not */
	SUMMARY_FIELD_BYTES_MAX = 1024,        /* of UTF-8 kept of each field */
};

struct mime_summary {
	size_t header_len; /* bytes up to and with the empty line; all of it when there is none */
	char *from; /* unfolded, encoded words decoded (RFC 2047) to UTF-8, controls removed */
	char *subject;
	char *date;       /* as written, unfolded */
	char *message_id; /* with its angle brackets, blanks trimmed */
};

/* The first of several equal fields counts. Absent: "". Accepts CRLF and LF. data may be the
 * beginning of the message only. */
void mime_summarise(const uint8_t *data, size_t len, struct mime_summary *ret_summary);
void mime_summary_free(struct mime_summary *summary); /* also for CLEANUP() */

#endif
