/*
 * What is to be done for one folder of the target: which messages are there, which are to be
 * appended, and what has to be looked at more closely to know. Pure: no I/O, no clock.
 *
 * Messages are multisets: three equal ones here and two there make one APPEND. A source and a
 * target are the same message when, strongest first,
 *   1. their SHA-256 is equal, by the journal or by bytes fetched;
 *   2. they are alike (restore/match/fingerprint.h): the server stored it with changes known of
 * servers;
 *   3. Message-ID, date and the fingerprint of the body are equal: the server changed the header;
 *   4. Message-ID and date, or Message-ID and body, are equal and the journal says the source was
 *      being sent, and the target's UID is one given since.
 * 2 to 4 need the Message-IDs to be equal (both may lack one) and never take a target the journal
 * explains.
 *
 * match_decide() is called again with what was looked at until nothing is needed any more; each
 * call decides anew. It needs at most MATCH_ROUNDS_MAX rounds.
 */
#ifndef MAILSTOW_RESTORE_MATCH_MATCH_H
#define MAILSTOW_RESTORE_MATCH_MATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "restore/match/fingerprint.h"

enum { MATCH_ROUNDS_MAX = 4 };

/* Index of nothing. */
#define MATCH_NONE ((size_t)-1)

enum match_fate {
	MATCH_APPEND, /* not there */
	MATCH_THERE,  /* there, byte for byte */
	MATCH_ALIKE,  /* there, as the server changed it */
};

enum match_need {
	MATCH_NEED_NOTHING,
	MATCH_NEED_MESSAGE_ID,  /* of a target: its header line */
	MATCH_NEED_BYTES,       /* of a target: all of it, for its fingerprint and Message-ID */
	MATCH_NEED_FINGERPRINT, /* of a source */
};

struct match_source {
	uint8_t sha256[SHA256_BYTES];
	uint64_t size;
	bool has_date;
	int64_t unix_s;
	const char *flags;
	const char *message_id; /* "": none */
	uint32_t pending_from;  /* UIDNEXT when it was being sent; 0: it was not */
	const struct fingerprint_digests *fingerprint; /* NULL: not known */

	enum match_fate fate; /* out, as all below */
	size_t target;        /* MATCH_NONE when to be appended */
	enum match_need need;
};

struct match_target {
	uint32_t uid;
	uint64_t size;
	bool has_date;
	int64_t unix_s;
	const char *flags;
	bool known; /* the journal says what it is: sha256 */
	uint8_t sha256[SHA256_BYTES];
	const char *message_id;                        /* NULL: not known; "": none */
	const struct fingerprint_digests *fingerprint; /* NULL: not known */
	bool unreadable; /* could not be looked at: nothing is needed */

	size_t source; /* out: MATCH_NONE: none of ours */
	enum match_need need;
};

struct match {
	struct match_source *sources;
	size_t sources_count;
	struct match_target *targets;
	size_t targets_count;
};

/* Decide. True: done; false: some need is set. */
bool match_decide(struct match *match);

#endif
