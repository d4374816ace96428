/*
 * SASL mechanisms as pure steps: strings in, strings out, no I/O (RFC 4616 PLAIN, RFC 5802 and
 * RFC 7677 SCRAM-SHA-256). What is exchanged is plain here; the session encodes it in base64.
 *
 * Names and passwords are sent as they are given: for ASCII that is what SASLprep makes of them.
 */
#ifndef MAILSTOW_IMAP_SASL_SASL_H
#define MAILSTOW_IMAP_SASL_SASL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/crypto.h"
#include "base/err.h"

enum { SASL_MESSAGE_MAX = 8 * 1024, SCRAM_NONCE_BYTES = 18 };

/* The only message of PLAIN. act_for may be NULL. out holds a secret: buf_wipe(). */
bool sasl_plain(const char *act_for, const char *user, const char *password, struct buf *out,
	struct err *err);

/* One SCRAM conversation: first, final, verify, in this order. */
struct scram {
	char *header;                           /* GS2 header, "n,a=...," */
	char *first_bare;                       /* client-first-message without it */
	const char *nonce;                      /* ours, within first_bare */
	uint8_t server_signature[SHA256_BYTES]; /* the one the server has to show */
};

void scram_free(struct scram *scram); /* also for CLEANUP() */

/* client-first-message. nonce: printable ASCII without comma; NULL: a random one. */
bool scram_first(struct scram *scram, const char *act_for, const char *user, const char *nonce,
	struct buf *out, struct err *err);

/*
 * client-final-message for the server's first one. ERR_SECURITY: the nonce is not made of ours, or
 * the iteration count is outside of IMAP_SCRAM_ITERATIONS_MIN and _MAX. ERR_PROTOCOL: malformed.
 */
bool scram_final(struct scram *scram, const char *password, const void *server_first, size_t len,
	struct buf *out, struct err *err);

/* The server's last message: ERR_AUTH when it says "e=", ERR_SECURITY when its proof is wrong. */
bool scram_verify(const struct scram *scram, const void *server_final, size_t len, struct err *err);

#endif
