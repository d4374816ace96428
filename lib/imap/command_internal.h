/*
 * The encoder: one command built from typed arguments (RFC 9051 section 9, "command").
 *
 *	CLEANUP(command_free) struct imap_command command;
 *	command_start(&command, "EXAMINE", literals);
 *	command_astring(&command, wire_name);
 *	command_end(&command);
 *
 * Blanks between arguments are the encoder's work. No argument can end the line: text written by
 * the program is asserted to be printable ASCII, data that no atom or quoted string may hold goes
 * out as a literal, and data that has no form at all (a flag that is no atom, a line that would be
 * too long) leaves a fault behind, which the sender refuses. Secret arguments are marked, and the
 * sender hides the marked bytes from the wire log: nothing ever searches text for secrets.
 */
#ifndef MAILSTOW_IMAP_COMMAND_H
#define MAILSTOW_IMAP_COMMAND_H

#include "base/buf.h"
#include "base/clock.h"
#include "base/rangeset.h"

enum {
	COMMAND_TAG_MAX = 12,
	COMMAND_MARKS_MAX = 8,
	COMMAND_LENGTH_MAX = 128 * 1024,  /* all of it, with its literals (not those of APPEND) */
	COMMAND_LITERAL_MINUS_MAX = 4096, /* RFC 7888 section 5 */
};

/* Which literals the server takes without being asked first (RFC 7888). */
enum command_literals { COMMAND_LITERAL_SYNC, COMMAND_LITERAL_MINUS, COMMAND_LITERAL_PLUS };

enum command_mark_kind {
	COMMAND_SECRET, /* len bytes from `at` are not for the wire log */
	COMMAND_WAIT,   /* before `at` the server has to say '+' */
};

struct command_mark {
	enum command_mark_kind kind;
	size_t at;
	size_t len;
};

struct imap_command {
	char tag[COMMAND_TAG_MAX]; /* unpredictable: a reply cannot be prepared in advance */
	const char *name;          /* for errors, as given to command_start() */
	struct buf bytes;
	struct command_mark marks[COMMAND_MARKS_MAX]; /* ascending */
	size_t marks_count;
	enum command_literals literals;
	bool joined;       /* the next argument follows without a blank */
	const char *fault; /* NULL, or why this cannot be sent */
};

/* name: one or two words ("UID FETCH"), static. */
void command_start(struct imap_command *command, const char *name, enum command_literals literals);
void command_free(struct imap_command *command); /* wipes; also for CLEANUP() */

void command_text(
	struct imap_command *command, const char *text); /* written by the program, as it is */
void command_open(struct imap_command *command);         /* ( */
void command_close(struct imap_command *command);        /* ) */
void command_number(struct imap_command *command, uint64_t number);
void command_set(
	struct imap_command *command, const struct rangeset *set); /* ..4294967295 as "n:*" */
void command_astring(struct imap_command *command, const char *text);
void command_secret(struct imap_command *command, const char *text); /* an astring nobody sees */
void command_flags(
	struct imap_command *command, const char *flags); /* canonical text, in parentheses */
void command_date(struct imap_command *command, const struct zoned_time *date);

/*
 * The announcement of a literal that the caller sends itself after the command (APPEND). True when
 * the server has to say '+' first.
 */
bool command_literal(struct imap_command *command, uint64_t size_bytes);

void command_end(struct imap_command *command);

#endif
