/*
 * The scanner's state machine, shared by scan*.c. Each state has one function, which takes bytes
 * and returns a token, goes on, or fails.
 *
 *	           blank                                         CR, LF
 *	BETWEEN ----------> BETWEEN          any state's end ---------> AFTER_CR -> BETWEEN, END
 *	   |-- line begins ------> IN_WORD ------------------> BETWEEN, ATOM
 *	   |-- other ------------> IN_ATOM ------------------> BETWEEN, ATOM
 *	   |                          `-- "BODY[" -> IN_SECTION -> IN_ORIGIN -> BETWEEN, ATOM
 *	   |-- '"' --------------> IN_QUOTED <-> IN_ESCAPE --> BETWEEN, STRING
 *	   |-- '{', "~{" --------> IN_SIZE -> AFTER_PLUS -> AFTER_SIZE -> LITERAL
 *	   |                          IN_LITERAL -> LITERAL_DONE -> BETWEEN
 *	   `-- text expected ----> IN_TEXT ------------------> BETWEEN, TEXT
 *
 * IN_ATOM moves to IN_SIZE at "~{", IN_SIZE to AFTER_SIZE where no '+' comes, and AFTER_SIZE to
 * LITERAL_DONE if the literal is empty.
 */
#ifndef MAILSTOW_IMAP_PARSE_SCAN_INTERNAL_H
#define MAILSTOW_IMAP_PARSE_SCAN_INTERNAL_H

#include "imap/parse/scan.h"

enum scan_state {
	BETWEEN,      /* tokens */
	IN_WORD,      /* one of the first words of a line */
	IN_ATOM,      /* any other */
	IN_SECTION,   /* of "BODY[...]": blanks and parentheses belong to it */
	IN_ORIGIN,    /* after that section: "<0>" may follow */
	IN_QUOTED,    /* string */
	IN_ESCAPE,    /* after a backslash in it */
	IN_SIZE,      /* of a literal: digits */
	AFTER_PLUS,   /* '}' has to follow */
	AFTER_SIZE,   /* the line has to end */
	IN_LITERAL,   /* its bytes */
	LITERAL_DONE, /* SCAN_LITERAL_END is due */
	IN_TEXT,      /* to the end of the line */
	AFTER_CR,     /* LF has to follow */
};

enum { WORDS_TOLD_APART = 2 }; /* first words of a line */

/*
 * What the rest of the line is. Every line begins with TOKENS.
 *
 *	TOKENS --scan_expect_text()--> CODE_OR_TEXT --'['--> TOKENS (in_code) --']'--> TEXT
 *	   |                                `-- other: all that follows is one SCAN_TEXT
 *	   `---scan_expect_raw()--> TEXT
 */
enum expect { EXPECT_TOKENS, EXPECT_CODE_OR_TEXT, EXPECT_TEXT };

enum step { ON, TOKEN, FAILED };

/* Classes of bytes that may end a run. */
enum {
	END = 1 << 0,     /* of a word: blank, CR, LF */
	PAREN = 1 << 1,   /* ( ) */
	BRACKET = 1 << 2, /* [ ] */
	OPENING = 1 << 3, /* " { */
	ESCAPE = 1 << 4,  /* backslash */
	CONTROL = 1 << 5, /* other than TAB, CR, LF */
};

extern const uint8_t scan_classes[256];

/* One call: the bytes from `from` to `at` belong to the token under way. */
struct input {
	const uint8_t *data;
	size_t len;
	size_t at;
	size_t from;
	struct scan_token *token;
	struct err *err;
};

/* --- scan_step.c: steps of any state --- */

enum step scan_fail(struct input *in, const char *what);
enum step scan_fail_long(struct scan *scan, struct input *in);
enum step scan_take_byte(struct input *in);

/* A token begins at this byte. */
enum step scan_begin(struct scan *scan, struct input *in, enum scan_state state);

/* Copies the token's bytes of this input to scan->piece, as more follow elsewhere. False: too long.
 */
bool scan_keep(struct scan *scan, struct input *in);

/* The token's bytes so far. False: too long. */
bool scan_so_far(struct scan *scan, struct input *in, const uint8_t **ret_data, size_t *ret_len);

/* The token ends before this byte. */
enum step scan_give(struct scan *scan, struct input *in, enum scan_kind kind);

/* Moves to the first byte of one of these classes. False: this input has none. */
bool scan_run_to(struct input *in, uint8_t stop);

/* --- states; the input has a byte, except for LITERAL_DONE. In scan_atom.c: --- */

enum step scan_in_word(struct scan *scan, struct input *in);
enum step scan_in_atom(struct scan *scan, struct input *in);
enum step scan_in_section(struct scan *scan, struct input *in);
enum step scan_in_origin(struct scan *scan, struct input *in);

/* --- in scan_string.c: --- */

enum step scan_in_quoted(struct scan *scan, struct input *in);
enum step scan_in_escape(struct scan *scan, struct input *in);
enum step scan_in_text(struct scan *scan, struct input *in);
enum step scan_begin_literal(struct scan *scan, struct input *in); /* at '{' */
enum step scan_in_size(struct scan *scan, struct input *in);
enum step scan_after_plus(struct scan *scan, struct input *in);
enum step scan_after_size(struct scan *scan, struct input *in);
enum step scan_in_literal(struct scan *scan, struct input *in);
enum step scan_literal_done(struct scan *scan, struct input *in);

#endif
