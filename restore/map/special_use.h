/*
 * Special uses of folders (RFC 6154), recognised by the names such folders commonly have. Pure.
 */
#ifndef MAILSTOW_RESTORE_MAP_SPECIAL_USE_H
#define MAILSTOW_RESTORE_MAP_SPECIAL_USE_H

/*
 * The special use a top-level folder of this name usually has ("\Sent" for "Gesendet"), compared
 * without ASCII case. NULL: none. Only top-level names count.
 */
const char *special_use_of_name(const char *path);

#endif
