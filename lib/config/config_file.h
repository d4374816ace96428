/* The text of the configuration file: read it, and append a section. */
#ifndef MAILSTOW_CONFIG_CONFIG_FILE_H
#define MAILSTOW_CONFIG_CONFIG_FILE_H

#include "base/buf.h"
#include "base/err.h"

/* ERR_CONFIG: the file cannot be read. ret_text is bounded by CONFIG_FILE_BYTES_MAX. */
bool config_read_file(const char *path, struct buf *ret_text, struct err *err);

/* The text the file would have after config_add(): its own, if it exists, then `section`. */
bool config_read_with(const char *path, const char *section, struct buf *ret_text, struct err *err);

/*
 * Appends a section, creating the file (mode 0600) and its folder if need be. The file is replaced
 * atomically and keeps its mode; a symbolic link stays a link. ERR_AUTH: the file belongs to
 * another user.
 */
bool config_add(const char *path, const char *section, struct err *err);

#endif
