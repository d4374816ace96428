/*
 * Every limit on what a server may send, in one place. Crossing one is ERR_PROTOCOL with the
 * limit's name in words.
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
	IMAP_FLAGS_BYTES_MAX = 32 * 1024,                  /* of one message, as text */
	IMAP_FOLDERS_MAX = 200 * 1000,                     /* of one account */
	IMAP_NAME_BYTES_MAX = 4096,                        /* a folder's name on the wire */
	IMAP_RANGES_MAX = 2 * 1000 * 1000,                 /* in all sets of one response series */
	IMAP_GREETING_TIMEOUT_MS = 60 * 1000,
	IMAP_REPLY_TIMEOUT_MS = 180 * 1000, /* silence while a reply is due */
	IMAP_CONNECT_TIMEOUT_MS = 30 * 1000,
	IMAP_LOGOUT_TIMEOUT_MS = 2 * 1000,
	IMAP_IDLE_DONE_TIMEOUT_MS = 30 * 1000,
	IMAP_COMMAND_TIMEOUT_MS = 600 * 1000, /* for a tagged reply, and longer only ... */
	IMAP_PROGRESS_BYTES_PER_S = 100,      /* ... while bytes come at this rate */
	IMAP_FETCH_IN_FLIGHT = 3,             /* UID FETCH commands sent ahead */
	IMAP_FETCH_RANGE_MESSAGES = 256,      /* most messages one UID FETCH asks for */
	IMAP_COMMAND_BYTES_MAX = 8000,        /* of a command line we send (RFC 7162 section 4) */
	IMAP_APPEND_IN_FLIGHT = 64,
	IMAP_APPEND_IN_FLIGHT_BYTES = 4 * 1024 * 1024,
	IMAP_STATUS_IN_FLIGHT = 20,                 /* STATUS commands sent ahead */
	IMAP_SEARCH_MESSAGES = 50 * 1000,           /* one SEARCH answers for at most so many */
	IMAP_SEARCH_SURPLUS_MAX = 1000,             /* found beyond EXISTS: news on their way */
	IMAP_INPUT_BYTES = 128 * 1024,              /* read at once */
	IMAP_OUTPUT_BYTES = 64 * 1024,              /* gathered before they are written */
	IMAP_UNTAGGED_SKIPPED_MAX = 100 * 1000,     /* untagged responses nobody asked for */
	IMAP_UNTAGGED_BYTES_MAX = 64 * 1024 * 1024, /* and their bytes */
	IMAP_REPLY_BYTES_TYPICAL = 4096,            /* and for each that was asked for */
	IMAP_CHANGES_MAX = 10 * 1000 * 1000,        /* FETCH responses one command may bring */
	IMAP_SCRAM_ITERATIONS_MIN = 4096,           /* RFC 7677 */
	IMAP_SCRAM_ITERATIONS_MAX = 1000 * 1000,
};

#endif
