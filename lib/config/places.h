/* Where archives lie when nobody says. */
#ifndef MAILSTOW_CONFIG_PLACES_H
#define MAILSTOW_CONFIG_PLACES_H

/* $XDG_DATA_HOME/mailstow, ~/.local/share/mailstow, /var/lib/mailstow for root. The caller frees.
 */
char *default_archive_dir(void);

#endif
