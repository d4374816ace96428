/*
 * Errors: a kind, which says what to do, and a text, which says what happened.
 *
 * Every function that can fail returns bool and takes a struct err * last. The code that fails
 * chooses the kind; its callers add context to the text with err_wrap(), and the program logs it
 * once:
 *
 *	work: INBOX: uid 42: fetch: connection reset after 8192 of 51200 bytes
 *
 * A text never holds a secret. Text from a server or a file passes through str_printable().
 */
#ifndef MAILSTOW_BASE_ERR_H
#define MAILSTOW_BASE_ERR_H

#include <stdbool.h>

#include "base/cleanup.h"

enum { ERR_TEXT_MAX = 1024 };

enum err_kind {
	ERR_NONE,
	ERR_RETRY,     /* network or server unavailable: the same may work later */
	ERR_REFUSED,   /* the server refused this one command; the session goes on */
	ERR_PROTOCOL,  /* the peer broke the protocol or a limit: drop the session, back off */
	ERR_SECURITY,  /* TLS missing, certificate wrong: stop, never fall back */
	ERR_AUTH,      /* credentials or passphrase refused: stop and ask a person */
	ERR_LOCAL,     /* local disk or system failed */
	ERR_NO_SPACE,  /* disk full or quota: continue when there is room */
	ERR_CREATE,    /* an output cannot be created */
	ERR_CORRUPT,   /* archive damaged */
	ERR_NEWER,     /* written by a newer program: leave it unchanged */
	ERR_NOT_FOUND, /* no such account, snapshot, folder, message */
	ERR_BUSY,      /* in use by another process: try again */
	ERR_CANCELLED, /* asked to stop */
	ERR_CONFIG,    /* configuration wrong */
	ERR_USAGE,     /* command line wrong */
};

struct err {
	enum err_kind kind;
	char text[ERR_TEXT_MAX]; /* one line, no full stop, no line end */
};

#define ERR_INIT                                                                                   \
	{                                                                                          \
		.kind = ERR_NONE                                                                   \
	}

/* Sets kind and text. Returns false, for `return err_set(...)`. err may be NULL. */
bool err_set(struct err *err, enum err_kind kind, const char *format, ...) PRINTF_LIKE(3, 4);

/* As err_set(), plus ": " and the text of errno_value. ENOSPC and EDQUOT become ERR_NO_SPACE. */
bool err_errno(struct err *err, enum err_kind kind, int errno_value, const char *format, ...)
	PRINTF_LIKE(4, 5);

/* Puts "context: " before the text. Returns false. */
bool err_wrap(struct err *err, const char *format, ...) PRINTF_LIKE(2, 3);

/* The static analyser sees one file at a time and does not know that these return false. */
#ifdef __clang_analyzer__
#define err_set(...)   (err_set(__VA_ARGS__), false)
#define err_errno(...) (err_errno(__VA_ARGS__), false)
#define err_wrap(...)  (err_wrap(__VA_ARGS__), false)
#endif

void err_clear(struct err *err);

/* Is the stored data unreadable, damaged or newer, so that trying again cannot help? */
bool err_is_unreadable(const struct err *err);

/* The program's exit code for this kind (sysexits.h; the README lists them). */
int err_exit_code(enum err_kind kind);

/* The kind as a lower-case word: "retry", "auth", ... */
const char *err_kind_name(enum err_kind kind);

#endif
