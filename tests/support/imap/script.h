/*
 * A server that follows a script, in a thread of this process. A script is text, one step a line:
 *
 *	S: * OK ready       send the line
 *	L: +\x20            send the line, with escapes \r \n \\ \0 \xNN
 *	J: a OK begin       send the line in one segment with whatever is sent next
 *	C: a LOGIN ... hi   the client has to send this line; "a" stands for its tag in all
 *	                    later lines; "..." matches any run of characters
 *	c: DONE             the same for a line without a tag
 *	B: hello\r\n        the client has to send these bytes (escapes)
 *	R: * OK half        send these bytes and no line end (escapes, no tags)
 *	N: 100 * # EXISTS   send the line 100 times, '#' is 1, 2, ...
 *	M: 100 k#\x20       the same for bytes without a line end (escapes)
 *	Z: 5000             send 'x' 5000 times
 *	W: 50               wait 50 ms, or until the client closes
 *	T:                  start TLS (the script has to run on a tls_peer)
 *	H: word             send the hook's answer; the hook sees the client's last line
 *	X:                  close
 *
 * A script that ends without "X:" waits for the client to close. The script complains about
 * whatever the client sends that is not in it, about what the client does not send, and about a
 * client that keeps the connection open for TLS_PEER_PATIENCE_S after the last step. Sending to a
 * client that has closed is no complaint. Commands that a script reads before it answers prove
 * pipelining: the server says nothing until it has them all.
 */
#ifndef MAILSTOW_TESTS_SUPPORT_IMAP_SCRIPT_H
#define MAILSTOW_TESTS_SUPPORT_IMAP_SCRIPT_H

#include <stdint.h>

#include "net/stream.h"
#include "support/net/tls_peer.h"

struct script;

/* The letters that begin a step. */
#define SCRIPT_STEPS "SLJCcBRNMZWTHX"

/* Does not start playing. */
struct script *script_new(const char *text);
void script_freep(struct script **script); /* joins the thread; NULL is allowed */

/* Close once this many bytes were sent. 0: never. */
void script_cut(struct script *script, uint64_t bytes);

/* The line to send (malloc'ed) for "H: word"; NULL is a complaint. */
typedef char *script_hook(void *context, const char *word, const char *client_line);
void script_set_hook(struct script *script, script_hook *hook, void *context);

/* Play it in a thread. Returns the client's end. */
struct stream *script_play(struct script *script);

/* Play it on a connection of a tls_peer: .serve = script_serve, .context = the script. */
void script_serve(struct tls_peer_conn *conn);

/* Wait for the end (the client must have closed). "" or the first complaint. */
const char *script_complaint(struct script *script);

/* All that the client sent in plain text, and how many bytes the script sent. */
const char *script_plain(struct script *script);
uint64_t script_sent(const struct script *script);

/* Does text match the pattern, in which "..." matches any run of characters? */
bool script_matches(const char *pattern, const char *text);

/* Resolve \r \n \\ \0 \xNN. The caller frees; *ret_len may be NULL. */
char *script_unescape(const char *escaped, size_t *ret_len);

#endif
