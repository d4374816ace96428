/* IMAP hosts of well-known providers. Pure. */
#ifndef MAILSTOW_CONFIG_LOAD_PRESETS_H
#define MAILSTOW_CONFIG_LOAD_PRESETS_H

/* The host for the address's domain; NULL: not a provider we know. */
const char *preset_host(const char *address);

#endif
