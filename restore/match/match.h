/*
 * Decides for one folder of the target which messages of the archive (sources) are already there,
 * which are to be appended, and what must be fetched to know. Pure: no I/O, no clock.
 *
 * Messages are multisets: three equal sources and two equal targets make one APPEND. A source and a
 * target are the same message if, strongest reason first,
 *   1. their SHA-256 is equal, by the journal or by fetched bytes;
 *   2. their `whole` fingerprint is equal: the server changed it in a known way;
 *   3. Message-ID, date and `body` fingerprint are equal: the server changed the header;
 *   4. Message-ID and date, or Message-ID and body, are equal, the journal says the source was
 *      being sent, and the target's UID was assigned since.
 * Reasons 2 to 4 require equal Message-IDs (both may lack one) and never take a target that the
 * journal explains.
 *
 * Call match_decide() again with what was fetched until it needs nothing more, at most
 * MATCH_ROUNDS_MAX times. Each call decides everything from the start.
 */
#ifndef MAILSTOW_RESTORE_MATCH_MATCH_H
#define MAILSTOW_RESTORE_MATCH_MATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "restore/match/fingerprint.h"

enum { MATCH_ROUNDS_MAX = 4 };

/* No index. */
#define MATCH_NONE ((size_t)-1)

/* Every call begins with APPEND: APPEND --reason 1--> THERE, APPEND --reason 2, 3 or 4--> ALIKE. */
enum match_fate {
	MATCH_APPEND, /* not there */
	MATCH_THERE,  /* there, with equal bytes */
	MATCH_ALIKE,  /* there, changed by the server */
};

/*
 * Of an unpaired source or target, from call to call:
 *
 *     target  NOTHING --a source has its size-----------> BYTES ------------.
 *                |----no Message-ID fetched yet---------> MESSAGE_ID        |--> NOTHING
 *                `----a source has its Message-ID-------> BYTES ------------'
 *     source  NOTHING --a target has its Message-ID-----> FINGERPRINT ------> NOTHING
 */
enum match_need {
	MATCH_NEED_NOTHING,
	MATCH_NEED_MESSAGE_ID,  /* of a target: its Message-ID header line */
	MATCH_NEED_BYTES,       /* of a target: all of it, for fingerprint and Message-ID */
	MATCH_NEED_FINGERPRINT, /* of a source */
};

struct match_source {
	uint8_t sha256[SHA256_BYTES];
	uint64_t size;
	bool has_date;
	int64_t unix_s;
	const char *flags;
	const char *message_id; /* "": none */
	uint32_t pending_from;  /* UIDNEXT when it was being sent; 0: it was not being sent */
	const struct fingerprint_digests *fingerprint; /* NULL: not known */

	enum match_fate fate; /* out, as all below */
	size_t target;        /* MATCH_NONE: to be appended */
	enum match_need need;
};

struct match_target {
	uint32_t uid;
	uint64_t size;
	bool has_date;
	int64_t unix_s;
	const char *flags;
	bool known; /* the journal explains it: sha256 */
	uint8_t sha256[SHA256_BYTES];
	const char *message_id;                        /* NULL: not known; "": none */
	const struct fingerprint_digests *fingerprint; /* NULL: not known */
	bool unreadable; /* could not be fetched: nothing more is needed of it */

	size_t source; /* out; MATCH_NONE: no source is this message */
	enum match_need need;
};

struct match {
	struct match_source *sources;
	size_t sources_count;
	struct match_target *targets;
	size_t targets_count;
};

/* True: decided; false: `need` is set where something must be fetched. */
bool match_decide(struct match *match);

#endif
