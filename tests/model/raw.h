/*
 * An IMAP client that understands nothing: it sends text and collects lines. For the model server's
 * own tests. Waits RAW_WAIT_MS at most for anything.
 */
#ifndef MAILSTOW_TESTS_MODEL_RAW_H
#define MAILSTOW_TESTS_MODEL_RAW_H

#include <stdint.h>

#include "base/buf.h"
#include "support/model/model_server.h"

enum { RAW_WAIT_MS = 10 * 1000, RAW_TEXT_MAX = 64 * 1024 * 1024 };

struct raw {
	int fd;
	struct buf in;   /* received, not yet taken */
	struct buf text; /* what was given last */
	bool reset;      /* the connection was reset */
};

struct raw raw_over(int fd);
struct raw raw_dial(uint16_t port);
/* Over a socket pair, greeting taken, logged in as alice with "secret". */
struct raw raw_login(struct model *model);
void raw_close(struct raw *raw); /* also for CLEANUP() */

void raw_say(struct raw *raw, const char *text); /* as it is; errors are not ours */
/* One line with its CR LF, "" when the connection ended or nothing came. */
const char *raw_line(struct raw *raw);
/* Lines up to and with the one that begins with this tag and a blank, or to the end. */
const char *raw_until(struct raw *raw, const char *tag);
/* "a " and the command and CR LF; all up to the tagged reply. */
const char *raw_ask(struct raw *raw, const char *command);
/* All that comes until the server closes. */
const char *raw_rest(struct raw *raw);

/* A server that has everything, with alice and "secret"; the caller frees. */
struct model *raw_model(void);
/* A message of alice's. */
void raw_add(struct model *model, const char *folder, const char *text, const char *flags);

#endif
