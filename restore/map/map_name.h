/*
 * Other names for folders whose own name a server cannot hold. Pure.
 *
 * In a component that has to change, what cannot stay is written =XX (hexadecimal) and '=' itself
 * =3D, so that two names never become one; other components stay as they are. NULL: there is
 * nothing to change. The caller frees.
 */
#ifndef MAILSTOW_RESTORE_MAP_MAP_NAME_H
#define MAILSTOW_RESTORE_MAP_MAP_NAME_H

/* Where '.' separates levels, "Dr. Jones" is "Dr=2E Jones". */
char *map_name_without_delimiter(const char *path, char delimiter);

/* For a server that refuses "50%25 off", without a word on which characters it takes: "50=25 off".
 */
char *map_name_plain(const char *path);

#endif
