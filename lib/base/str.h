/*
 * Text: makes untrusted bytes safe to print, and small helpers.
 */
#ifndef MAILSTOW_BASE_STR_H
#define MAILSTOW_BASE_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"

/* A formatted string the caller frees. */
char *str_printf(const char *format, ...) PRINTF_LIKE(1, 2) MUST_USE;

bool str_starts(const char *text, const char *prefix);
bool str_starts_case(const char *text, const char *prefix); /* ASCII case only */
bool str_equal_case(const char *a, const char *b);          /* ASCII case only */

/* ASCII only, whatever the locale. */
char str_lower_char(char c);

/*
 * Untrusted bytes for people: C0, C1, DEL and bidirectional controls become \xNN or \u{NNNN},
 * invalid UTF-8 becomes U+FFFD, and an ellipsis follows after max_bytes of output. The caller
 * frees. Every text from a server, message or file passes through here on its way to a terminal or
 * a log.
 */
char *str_printable(const void *data, size_t len, size_t max_bytes) MUST_USE;

/* Valid UTF-8 (RFC 3629: no surrogates, no overlong forms)? */
bool str_utf8_valid(const void *data, size_t len);

/* Replaces invalid sequences and NULs by U+FFFD; the caller frees. */
char *str_utf8_clean(const void *data, size_t len) MUST_USE;

/*
 * Decodes one UTF-8 character of at most len bytes. Returns its length, 0 if invalid.
 */
size_t str_utf8_decode(const uint8_t *data, size_t len, uint32_t *ret_code_point);

/* Writes code_point to out, which has room for 4 bytes; returns the bytes written. */
size_t str_utf8_encode(uint32_t code_point, uint8_t *out);

/* A whole decimal number and nothing else; false on overflow, sign, blank or empty. */
bool str_parse_u64(const char *text, uint64_t *ret_value);

/* Levenshtein distance in bytes, for "did you mean X?". SIZE_MAX: a or b is longer than
 * STR_EDITS_BYTES_MAX. */
enum { STR_EDITS_BYTES_MAX = 64 };
size_t str_edits(const char *a, const char *b);

/* "1.5 MB" in powers of 1000. */
enum { STR_SIZE_MAX = 16 };
void str_format_size(uint64_t size_bytes, char out[STR_SIZE_MAX]);

/* "1 message", "20 messages": a noun whose plural ends in s, of at most 20 characters. */
enum { STR_COUNT_MAX = 44 };
void str_format_count(uint64_t count, const char *noun, char out[STR_COUNT_MAX]);

/* A growing list of strings it owns. */
struct str_list {
	char **items;
	size_t count;
	size_t cap;
};
void str_list_add(struct str_list *list, const char *text);
void str_list_take(struct str_list *list, char *text);
void str_list_free(struct str_list *list); /* also for CLEANUP() */
bool str_list_has(const struct str_list *list, const char *text);

/* Shell-like match of UTF-8 text: '*' any run of characters ('/' included), '?' one. */
bool str_glob(const char *pattern, const char *text);

#endif
