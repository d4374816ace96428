/* Default paths, from the environment (XDG, systemd) and the user that runs the program. */
#ifndef MAILSTOW_CONFIG_DEFAULT_PATHS_H
#define MAILSTOW_CONFIG_DEFAULT_PATHS_H

#include "base/err.h"

/*
 * The configuration file to read: `given` (may be NULL), else the first that exists of
 * $XDG_CONFIG_HOME/mailstow/mailstow.conf, ~/.config/mailstow/mailstow.conf and
 * /etc/mailstow/mailstow.conf. ERR_CONFIG when there is none, naming the paths that were tried.
 * The caller frees.
 */
bool config_find(const char *given, char **ret_path, struct err *err);

/* The same, but where none exists, the path to create it at: `given`, or the first default. */
char *config_find_or_place(const char *given);

/*
 * Where archives are stored by default: $XDG_DATA_HOME/mailstow, ~/.local/share/mailstow, or
 * /var/lib/mailstow for root. The caller frees.
 */
char *config_default_archive_dir(void);

/*
 * Where state that may be lost is stored: state/ in the first of $STATE_DIRECTORY (systemd), else
 * $XDG_STATE_HOME/mailstow, ~/.local/state/mailstow, or /var/lib/mailstow/state for root. The
 * caller frees.
 */
char *config_state_dir(void);

#endif
