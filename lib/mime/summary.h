/*
 * Summary of a message's header: its end and the four fields shown in lists of mail. Pure, linear,
 * for hostile input. The fields are for display only.
 */
#ifndef MAILSTOW_MIME_SUMMARY_H
#define MAILSTOW_MIME_SUMMARY_H

#include <stddef.h>
#include <stdint.h>

enum {
	SUMMARY_HEADER_BYTES_MAX = 256 * 1024, /* bytes read of a longer header */
	SUMMARY_FIELD_BYTES_MAX = 1024,        /* bytes of UTF-8 kept of each field */
};

struct mime_summary {
	size_t header_len; /* bytes up to and including the empty line; all if there is none */
	char *from; /* unfolded, encoded words decoded (RFC 2047) to UTF-8, controls removed */
	char *subject;
	char *date;       /* as written, unfolded */
	char *message_id; /* with its angle brackets, blanks trimmed */
};

/* Of equal fields the first counts; absent ones are "". Accepts CRLF and LF. data may be only the
 * beginning of the message. */
void mime_summarise(const uint8_t *data, size_t len, struct mime_summary *ret_summary);
void mime_summary_free(struct mime_summary *summary); /* also for CLEANUP() */

#endif
