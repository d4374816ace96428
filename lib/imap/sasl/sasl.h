/*
 * SASL mechanisms as pure steps: strings in, strings out, no I/O (RFC 4616 PLAIN, RFC 5802 and
 * RFC 7677 SCRAM-SHA-256). Messages are plain here; sasl/auth.c encodes them in base64.
 *
 * Names and passwords are sent as given. For ASCII, SASLprep would not change them.
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

/* One SCRAM conversation:
 *
 *	scram_first() --> scram_final() --> scram_verify()
 */
struct scram {
	char *header;                           /* GS2 header, "n,a=...," */
	char *first_bare;                       /* client-first-message without it */
	const char *nonce;                      /* ours, within first_bare */
	uint8_t server_signature[SHA256_BYTES]; /* what the server has to send */
};

void scram_free(struct scram *scram); /* also for CLEANUP() */

/* client-first-message. nonce: printable ASCII without comma; NULL: a random one. */
bool scram_first(struct scram *scram, const char *act_for, const char *user, const char *nonce,
	struct buf *out, struct err *err);

/*
 * client-final-message in answer to server_first. ERR_SECURITY: the nonce does not begin with ours,
 * or the iteration count is not from IMAP_SCRAM_ITERATIONS_MIN to _MAX. ERR_PROTOCOL: malformed.
 */
bool scram_final(struct scram *scram, const char *password, const void *server_first, size_t len,
	struct buf *out, struct err *err);

/* Checks the server's last message. ERR_AUTH: it is "e=". ERR_SECURITY: its proof is wrong. */
bool scram_verify(const struct scram *scram, const void *server_final, size_t len, struct err *err);

#endif
