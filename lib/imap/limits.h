/*
 * All limits on what a server may send and on how long to wait for it. Crossing a limit on sizes or
 * counts is ERR_PROTOCOL, and the text names the limit.
 */
#ifndef MAILSTOW_IMAP_LIMITS_H
#define MAILSTOW_IMAP_LIMITS_H

enum {
	IMAP_LINE_BYTES_MAX = 1024 * 1024,          /* one response, without its literals */
	IMAP_SET_LINE_BYTES_MAX = 32 * 1024 * 1024, /* SEARCH, ESEARCH or VANISHED */
	IMAP_DEPTH_MAX = 64,                        /* nested parentheses */
	IMAP_SMALL_LITERAL_MAX = 64 * 1024,         /* a literal where a string is expected */
	IMAP_RESPONSE_LITERALS_MAX = 1000,          /* literals in one response */
	IMAP_RESPONSE_STRINGS_BYTES_MAX = 2 * 1024 * 1024, /* collected strings of one response */
	IMAP_FLAGS_MAX = 1000,                             /* flags of one message */
	IMAP_FLAGS_BYTES_MAX = 32 * 1024,                  /* flags of one message, as text */
	IMAP_FOLDERS_MAX = 200 * 1000,                     /* folders of one account */
	IMAP_NAME_BYTES_MAX = 4096,                        /* a folder's name on the wire */
	IMAP_RANGES_MAX = 2 * 1000 * 1000,                 /* in all sets of one response series */
	IMAP_GREETING_TIMEOUT_MS = 60 * 1000,
	IMAP_REPLY_TIMEOUT_MS = 180 * 1000, /* silence while a reply is due */
	IMAP_CONNECT_TIMEOUT_MS = 30 * 1000,
	IMAP_LOGOUT_TIMEOUT_MS = 2 * 1000,
	IMAP_IDLE_DONE_TIMEOUT_MS = 30 * 1000,
	IMAP_COMMAND_TIMEOUT_MS = 600 * 1000, /* for a tagged reply; longer only while ... */
	IMAP_PROGRESS_BYTES_PER_S = 100,      /* ... bytes arrive at this rate */
	IMAP_FETCH_IN_FLIGHT = 3,             /* UID FETCH commands */
	IMAP_FETCH_RANGE_MESSAGES = 256,      /* messages in one UID FETCH */
	IMAP_COMMAND_BYTES_MAX = 8000,        /* a command line we send (RFC 7162 section 4) */
	IMAP_APPEND_IN_FLIGHT = 64,
	IMAP_APPEND_IN_FLIGHT_BYTES = 4 * 1024 * 1024,
	IMAP_STATUS_IN_FLIGHT = 20,                 /* STATUS commands */
	IMAP_SEARCH_MESSAGES = 50 * 1000,           /* messages covered by one SEARCH */
	IMAP_SEARCH_SURPLUS_MAX = 1000,             /* found beyond EXISTS: just delivered */
	IMAP_INPUT_BYTES = 128 * 1024,              /* input buffer */
	IMAP_OUTPUT_BYTES = 64 * 1024,              /* output buffer */
	IMAP_UNTAGGED_SKIPPED_MAX = 100 * 1000,     /* unsolicited untagged responses */
	IMAP_UNTAGGED_BYTES_MAX = 64 * 1024 * 1024, /* and their bytes, plus ... */
	IMAP_REPLY_BYTES_TYPICAL = 4096,            /* ... so many for each solicited one */
	IMAP_CHANGES_MAX = 10 * 1000 * 1000,        /* FETCH responses to one command */
	IMAP_SCRAM_ITERATIONS_MIN = 4096,           /* RFC 7677 */
	IMAP_SCRAM_ITERATIONS_MAX = 1000 * 1000,
};

#endif
