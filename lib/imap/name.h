/*
 * Folder names: modified UTF-7 on the wire (RFC 3501 section 5.1.3), UTF-8 paths with '/' inside.
 *
 * A path joins its components by '/'; '/' and '%' within a component become %2F and %25. It does
 * not include the personal namespace's prefix. INBOX in any case becomes "INBOX", also as the first
 * component of its children. A component that is not valid modified UTF-7, or holds controls, keeps
 * its form on the wire, with its '&', controls and 8-bit bytes as %XX. Another folder called INBOX,
 * below the prefix, becomes %49NBOX. So two names of the personal namespace never give the same
 * path, and a path leads back to its name, except for the case of INBOX.
 */
#ifndef MAILSTOW_IMAP_NAME_H
#define MAILSTOW_IMAP_NAME_H

#include <stdbool.h>
#include <stddef.h>

/* Modified UTF-7 to UTF-8. NULL: not valid, or encodes what needs no encoding. The caller frees. */
char *utf7_decode(const char *wire);

/* UTF-8 to modified UTF-7. NULL: not valid UTF-8. The caller frees. */
char *utf7_encode(const char *utf8);

/*
 * The path of a wire name. delimiter 0: names have no levels. prefix may be NULL or "". utf8: the
 * session has UTF8=ACCEPT. Never NULL; the caller frees.
 */
char *name_to_path(const char *wire, char delimiter, const char *prefix, bool utf8);

/*
 * The wire name of a path on a server with this delimiter and prefix. Replaces the delimiter inside
 * a component and then sets *ret_changed. NULL: the path is not valid (empty component, malformed
 * %XX, %00, not UTF-8) or has levels although delimiter is 0. INBOX gets no prefix, nor do its
 * children, unless the prefix itself begins with INBOX: then all folders are below it. The caller
 * frees.
 */
char *name_from_path(
	const char *path, char delimiter, const char *prefix, bool utf8, bool *ret_changed);

#endif
