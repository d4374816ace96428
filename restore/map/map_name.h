/*
 * Replacement names for folders whose own name a server cannot have. Pure.
 *
 * In a component that must change, each unusable byte becomes =XX (hexadecimal) and '=' itself =3D,
 * so that two names never become one. Other components stay. Both functions return NULL if nothing
 * has to change. The caller frees.
 */
#ifndef MAILSTOW_RESTORE_MAP_MAP_NAME_H
#define MAILSTOW_RESTORE_MAP_MAP_NAME_H

/* Escapes the delimiter inside components: with '.', "Dr. Jones" becomes "Dr=2E Jones". */
char *map_name_without_delimiter(const char *path, char delimiter);

/* Escapes all but commonly accepted characters, for a server that refused the name: "50%25 off"
 * becomes "50=25 off". */
char *map_name_plain(const char *path);

#endif
