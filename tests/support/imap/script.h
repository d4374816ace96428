/*
 * A server that follows a script, in a thread of this process. A script is text, one step a line:
 *
 *	S: * OK ready           send the line
 *	J: a OK begin           send the line, but in one segment with what is sent next
 *	C: a LOGIN ... hi       the client has to send this line; "a" stands for its tag from here
 *	                        on, in lines of either side; "..." is any run of characters
 *	c: DONE                 the same for a line without a tag
 *	B: hello\r\n            the client has to send these bytes (escapes \r \n \\ \0 \xNN)
 *	R: * OK half            send these bytes and no line end (same escapes, no tags)
 *	N: 100 * # EXISTS       send the line so often, '#' is 1, 2, ...
 *	Z: 5000                 send so many bytes 'x'
 *	W: 50                   wait, milliseconds
 *	T:                      TLS from here (over a tls_peer)
 *	H: word                 ask the hook what to send; it sees the client's last line
 *	X:                      close
 *
 * A script that ends without "X:" waits for the client to close. Whatever the client sends that is
 * not in the script, or does not send though it is, is a complaint. Steps that send to a client
 * that is gone are no complaint. Commands a script reads before it answers prove pipelining: the
 * server says nothing until it has them.
 */
#ifndef MAILSTOW_TESTS_SUPPORT_IMAP_SCRIPT_H
#define MAILSTOW_TESTS_SUPPORT_IMAP_SCRIPT_H

#include <stdint.h>

#include "net/stream.h"
#include "support/net/tls_peer.h"

struct script;

/* Nothing is played yet. */
struct script *script_new(const char *text);

/* Lines put together, until the next call: script_new(SCRIPT(lines)). */
#define SCRIPT(lines) script_join((lines), ARRAY_LEN(lines))
const char *script_join(const char *const *lines, size_t count);
void script_freep(struct script **script); /* joins; NULL is allowed */

/* Close after so many bytes were sent. */
void script_cut(struct script *script, uint64_t bytes);

/* The line to send (malloc'ed) for "H: word"; NULL closes. */
typedef char *script_hook(void *context, const char *word, const char *client_line);
void script_set_hook(struct script *script, script_hook *hook, void *context);

/* Play it in a thread; the client's end. */
struct stream *script_play(struct script *script);

/* Play it on a connection of a tls_peer: .serve = script_serve, .context = the script. */
void script_serve(struct tls_peer_conn *conn);

/* Wait for the end (the client has to be gone). "" or what was wrong. */
const char *script_complaint(struct script *script);

/* All that the client sent in plain text, and how much the script sent. */
const char *script_plain(struct script *script);
uint64_t script_sent(const struct script *script);

#endif
