/*
 * Folder names: modified UTF-7 on the wire (RFC 3501 section 5.1.3), UTF-8 paths with '/' inside.
 *
 * A path's components are joined by '/', with '/' and '%' in a component written %2F and %25. The
 * personal namespace's prefix is not part of it; INBOX in any case is "INBOX", also as the first
 * component of its children. A component that is no valid modified UTF-7, or has controls in it, is
 * kept as it is on the wire: its '&', controls and 8-bit bytes are written %XX. Another folder that
 * is called INBOX below the prefix has its first letter written so (%49NBOX). So two names of the
 * personal namespace never make one path, and a path goes back to the name it came from, INBOX's
 * case aside.
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
 * delimiter has it replaced: *ret_changed tells. NULL when the path is not valid (empty component,
 * malformed %XX, %00, not UTF-8) or has levels where delimiter is 0. "INBOX" stays INBOX without
 * the prefix; so do its children, unless the prefix begins with INBOX itself, where all folders are
 * below it. The caller frees.
 */
char *name_from_path(
	const char *path, char delimiter, const char *prefix, bool utf8, bool *ret_changed);

#endif
