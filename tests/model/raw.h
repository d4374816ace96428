/*
 * An IMAP client that understands nothing: it sends text and collects lines, for the model
 * server's own tests. Each wait ends after RAW_WAIT_MS.
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
	struct buf text; /* the line returned last */
	bool reset;      /* the connection was reset */
};

struct raw raw_over(int fd);
struct raw raw_dial(uint16_t port);
/* Connect over a socket pair, read the greeting and log in as alice with "secret". */
struct raw raw_login(struct model *model);
void raw_close(struct raw *raw); /* also for CLEANUP() */

void raw_say(struct raw *raw, const char *text); /* sent unchanged; ignores errors */
/* One line with its CR LF; "": the connection ended or nothing came. */
const char *raw_line(struct raw *raw);
/* All lines up to and including the one that begins with this tag and a blank, or to the end. */
const char *raw_until(struct raw *raw, const char *tag);
/* Send "a ", the command and CR LF; return everything up to the tagged reply. */
const char *raw_ask(struct raw *raw, const char *command);
/* Everything until the server closes. */
const char *raw_rest(struct raw *raw);

/* A server with every capability, with alice and "secret"; the caller frees. */
struct model *raw_model(void);
/* A message of alice's. */
void raw_add(struct model *model, const char *folder, const char *text, const char *flags);

#endif
