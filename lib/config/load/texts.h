/* The syntax of some values. Pure: nothing is looked up. */
#ifndef MAILSTOW_CONFIG_LOAD_TEXTS_H
#define MAILSTOW_CONFIG_LOAD_TEXTS_H

#include <stdbool.h>
#include <stddef.h>

bool text_is_host(const char *text);      /* a name in ASCII, an IPv4 or IPv6 address */
bool text_is_loopback(const char *host);  /* localhost, 127.0.0.0/8, ::1 */
bool text_is_address(const char *text);   /* local@domain */
bool text_is_url(const char *text);       /* http or https */
bool text_is_listen(const char *text);    /* 127.0.0.1:9477, localhost:9477, [::1]:9477 */
bool text_is_file_name(const char *text); /* without a folder or a leading dot */
bool text_is_pin(const char *text);       /* 256 bits in hex or base64 */

/* Harmless in a shell command, a path and a URL: letters, digits, . _ + = -, no . or - first. */
bool text_is_plain(const char *text, size_t len);

#endif
