/*
 * Special uses of folders (RFC 6154) and the names people and programs gave such folders before
 * servers told. Pure.
 */
#ifndef MAILSTOW_RESTORE_MAP_SPECIAL_USE_H
#define MAILSTOW_RESTORE_MAP_SPECIAL_USE_H

/*
 * The special use a top-level folder of this name usually has ("\Sent" for "Gesendet"), compared
 * without ASCII case. NULL: none. Names below another folder have none.
 */
const char *special_use_of_name(const char *path);

#endif
