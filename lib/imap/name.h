/*
 * Folder names: modified UTF-7 on the wire (RFC 3501 section 5.1.3), UTF-8 paths with '/' inside.
 *
 * A path's components are joined by '/', with '/' and '%' in a component written %2F and %25. The
 * personal namespace's prefix is not part of it; INBOX in any case is "INBOX", also as the first
 * component of its children. A wire name that is no valid modified UTF-7 is kept: each byte that
 * cannot be decoded is written %XX (8-bit) so that two names never make one path. Controls are
 * written %XX as well.
 */
#ifndef MAILSTOW_IMAP_NAME_H
#define MAILSTOW_IMAP_NAME_H

#include <stdbool.h>
#include <stddef.h>

/* Modified UTF-7 to UTF-8; NULL when not valid (also unnecessary encoding). The caller frees. */
char *utf7_decode(const char *wire);

/* UTF-8 to modified UTF-7; NULL when not valid UTF-8. The caller frees. */
char *utf7_encode(const char *utf8);

/*
 * Path of a wire name. delimiter 0: the name has no levels. prefix may be NULL or "". utf8: the
 * session has UTF8=ACCEPT. The caller frees; never NULL.
 */
char *name_to_path(const char *wire, char delimiter, const char *prefix, bool utf8);

/*
 * Wire name of a path on a server with this delimiter and prefix. A component that holds the
 * delimiter has it replaced: *ret_changed tells. NULL when the path is not valid (empty component).
 * "INBOX" stays INBOX without the prefix. The caller frees.
 */
char *name_from_path(
	const char *path, char delimiter, const char *prefix, bool utf8, bool *ret_changed);

#endif
