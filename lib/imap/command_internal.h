/*
 * The encoder: one command built from typed arguments (RFC 9051 section 9, "command").
 *
 *	CLEANUP(command_free) struct imap_command command;
 *	command_start(&command, "EXAMINE", literals);
 *	command_astring(&command, wire_name);
 *	command_end(&command);
 *
 * The encoder puts blanks between arguments. No argument can end the line: text written by the
 * program is asserted to be printable ASCII; data that no atom or quoted string may hold becomes a
 * literal; data without any valid form (a flag that is no atom, a line that would be too long) sets
 * a fault, and session_send() then refuses the command. Secret arguments are marked, and
 * session_send() keeps the marked bytes out of the wire log; nothing searches text for secrets.
 */
#ifndef MAILSTOW_IMAP_COMMAND_H
#define MAILSTOW_IMAP_COMMAND_H

#include "base/buf.h"
#include "base/clock.h"
#include "base/rangeset.h"

enum {
	COMMAND_TAG_MAX = 12,
	COMMAND_MARKS_MAX = 8,
	COMMAND_LENGTH_MAX = 128 * 1024,  /* whole command with literals, except that of APPEND */
	COMMAND_LITERAL_MINUS_MAX = 4096, /* RFC 7888 section 5 */
};

/* Which literals the server takes without a '+' first (RFC 7888). */
enum command_literals { COMMAND_LITERAL_SYNC, COMMAND_LITERAL_MINUS, COMMAND_LITERAL_PLUS };

enum command_mark_kind {
	COMMAND_SECRET, /* len bytes from `at` stay out of the wire log */
	COMMAND_WAIT,   /* the server has to send '+' before the byte at `at` */
};

struct command_mark {
	enum command_mark_kind kind;
	size_t at;
	size_t len;
};

struct imap_command {
	char tag[COMMAND_TAG_MAX]; /* random, so that nobody can inject a reply in advance */
	const char *name;          /* for errors, as given to command_start() */
	struct buf bytes;
	struct command_mark marks[COMMAND_MARKS_MAX]; /* ascending */
	size_t marks_count;
	enum command_literals literals;
	bool joined;       /* the next argument follows without a blank */
	const char *fault; /* NULL, or why this must not be sent */
};

/* name: one or two words ("UID FETCH"), static. */
void command_start(struct imap_command *command, const char *name, enum command_literals literals);
void command_free(struct imap_command *command); /* wipes; also for CLEANUP() */

void command_text(struct imap_command *command, const char *text); /* program text, sent as it is */
void command_open(struct imap_command *command);                   /* ( */
void command_close(struct imap_command *command);                  /* ) */
void command_number(struct imap_command *command, uint64_t number);
void command_set(
	struct imap_command *command, const struct rangeset *set); /* n..4294967295 becomes "n:*" */
void command_astring(struct imap_command *command, const char *text);
void command_secret(
	struct imap_command *command, const char *text); /* astring kept out of the wire log */
void command_flags(
	struct imap_command *command, const char *flags); /* canonical text, in parentheses */
void command_date(struct imap_command *command, const struct zoned_time *date);

/* Announces a literal that the caller itself sends after the command (APPEND). True: the server has
 * to send '+' first. */
bool command_literal(struct imap_command *command, uint64_t size_bytes);

void command_end(struct imap_command *command);

#endif
