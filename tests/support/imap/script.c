#include "support/imap/script.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "net/tcp.h"

enum {
	LABELS = 26,
	LINE_MAX_BYTES = 1024 * 1024,
	RECEIVED_MAX = 64 * 1024 * 1024,
	CHUNK = 64 * 1024,
	COMPLAINT_MAX = 600,
	SHOWN = 200,
};

struct script {
	char *text;
	const char *at;
	struct buf step;     /* the step being played, without its line end */
	struct buf line;     /* the client's last line */
	struct buf received; /* in plain text */
	struct buf together; /* to be sent with the next bytes */
	char *tags[LABELS];
	uint64_t cut_after; /* 0: never */
	uint64_t sent;
	script_hook *hook;
	void *hook_context;
	struct tls_peer_conn own;
	struct tls_peer_conn *conn;
	pthread_t thread;
	bool started;
	bool joined;
	char complaint[COMPLAINT_MAX];
};

struct script *script_new(const char *text)
{
	struct script *script = xcalloc(1, sizeof(*script));

	script->text = xstrdup(text);
	script->at = script->text;
	script->own.fd = -1;
	buf_init(&script->step, LINE_MAX_BYTES);
	buf_init(&script->line, LINE_MAX_BYTES);
	buf_init(&script->received, RECEIVED_MAX);
	buf_init(&script->together, RECEIVED_MAX);
	return script;
}

void script_cut(struct script *script, uint64_t bytes)
{
	script->cut_after = bytes;
}

void script_set_hook(struct script *script, script_hook *hook, void *context)
{
	script->hook = hook;
	script->hook_context = context;
}

static bool complain(struct script *script, const char *what, const char *detail)
{
	if (!script->complaint[0])
		(void)snprintf(script->complaint, sizeof(script->complaint), "%s: %.*s", what,
			SHOWN, detail);
	return false;
}

/* --- bytes --- */

static bool send_bytes(struct script *script, const void *data, size_t len)
{
	bool cut;

	if (script->together.len > 0) {
		bool fits = buf_add(&script->together, data, len);

		assert(fits);
		data = script->together.data;
		len = script->together.len;
		buf_reset(&script->together);
	}
	cut = script->cut_after && script->sent + len >= script->cut_after;
	if (cut)
		len = script->cut_after - script->sent;
	if (len > 0 && !tls_peer_write(script->conn, data, len))
		return false;
	script->sent += len;
	return !cut;
}

static bool read_byte(struct script *script, uint8_t *byte)
{
	if (!tls_peer_read(script->conn, byte, 1))
		return false;
	return script->conn->ssl || buf_add_byte(&script->received, *byte);
}

static bool read_line(struct script *script)
{
	uint8_t byte;

	buf_reset(&script->line);
	while (read_byte(script, &byte)) {
		if (byte == '\n' && script->line.len > 0 &&
			script->line.data[script->line.len - 1] == '\r') {
			script->line.data[--script->line.len] = '\0';
			return true;
		}
		if (!buf_add_byte(&script->line, byte))
			return false;
	}
	return false;
}

static int hex(char c)
{
	return c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10;
}

char *script_unescape(const char *escaped, size_t *ret_len)
{
	char *text = xmalloc(strlen(escaped) + 1), *end = text;

	for (; *escaped; escaped++) {
		char c = *escaped;

		if (c == '\\') {
			c = *++escaped;
			c = c == 'r' ? '\r' : c == 'n' ? '\n' : c == '0' ? '\0' : c;
			if (c == 'x') {
				assert(escaped[1] && escaped[2]);
				c = (char)(hex(escaped[1]) * 16 + hex(escaped[2]));
				escaped += 2;
			}
		}
		*end++ = c;
	}
	*end = '\0';
	if (ret_len)
		*ret_len = (size_t)(end - text);
	return text;
}

/* --- tags --- */

static bool is_label(const char *text)
{
	return text[0] >= 'a' && text[0] <= 'z' && (text[1] == ' ' || !text[1]);
}

bool script_matches(const char *pattern, const char *text)
{
	const char *dots = strstr(pattern, "...");
	size_t len = dots ? (size_t)(dots - pattern) : strlen(pattern);

	if (strncmp(pattern, text, len) != 0)
		return false;
	if (!dots)
		return text[len] == '\0';
	pattern = dots + strlen("...");
	for (text += len;; text++) {
		// NOLINTNEXTLINE(misc-no-recursion): no deeper than the dots in the pattern
		if (script_matches(pattern, text))
			return true;
		if (!*text)
			return false;
	}
}

static bool expect_tagged(struct script *script, const char *pattern)
{
	char *line = (char *)script->line.data;
	size_t tag_len, label = (size_t)(*pattern - 'a');

	if (!read_line(script))
		return complain(script, "client did not send", pattern);
	line = (char *)script->line.data;
	tag_len = strcspn(line, " ");
	assert(is_label(pattern));
	if (!script_matches(pattern + 1, line + tag_len))
		return complain(script, "client sent something else", line);
	free(script->tags[label]);
	script->tags[label] = xstrndup(line, tag_len);
	return true;
}

static bool expect_line(struct script *script, const char *pattern)
{
	if (!read_line(script))
		return complain(script, "client did not send", pattern);
	if (!script_matches(pattern, buf_str(&script->line)))
		return complain(script, "client sent something else", buf_str(&script->line));
	return true;
}

static bool expect_bytes(struct script *script, const char *escaped)
{
	size_t len;
	CLEANUP(freep) char *wanted = script_unescape(escaped, &len);
	uint8_t byte;

	for (size_t i = 0; i < len; i++)
		if (!read_byte(script, &byte) || byte != (uint8_t)wanted[i])
			return complain(script, "client did not send these bytes", escaped);
	return true;
}

/* --- steps that send --- */

static bool send_raw(struct script *script, const char *escaped)
{
	size_t len;
	CLEANUP(freep) char *bytes = script_unescape(escaped, &len);

	return send_bytes(script, bytes, len);
}

static void add_line(struct script *script, const char *text, struct buf *line)
{
	const char *tag = is_label(text) ? script->tags[*text - 'a'] : NULL;
	bool fits = buf_add_str(line, tag ? tag : "") && buf_add_str(line, tag ? text + 1 : text) &&
		    buf_add_str(line, "\r\n");

	assert(fits);
}

static bool send_line(struct script *script, const char *text)
{
	CLEANUP(buf_free) struct buf line = BUF_INIT(LINE_MAX_BYTES);

	add_line(script, text, &line);
	return send_bytes(script, line.data, line.len);
}

static bool send_escaped_line(struct script *script, const char *escaped)
{
	CLEANUP(freep) char *text = script_unescape(escaped, NULL);

	return send_line(script, text);
}

/* text: "100 pattern". '#' in the pattern becomes the number. */
static bool send_often(struct script *script, const char *text, const char *line_end)
{
	char *end;
	unsigned long count = strtoul(text, &end, 10);
	CLEANUP(freep) char *pattern = *line_end ? xstrdup(end) : script_unescape(end, NULL);
	CLEANUP(buf_free) struct buf lines = BUF_INIT(CHUNK + LINE_MAX_BYTES);
	bool fits = true;

	for (unsigned long i = 1; i <= count; i++) {
		for (const char *c = pattern + 1; *c; c++)
			fits = fits && (*c == '#' ? buf_printf(&lines, "%lu", i)
						  : buf_add_byte(&lines, (uint8_t)*c));
		fits = fits && buf_add_str(&lines, line_end);
		assert(fits);
		if (lines.len < CHUNK && i < count)
			continue;
		if (!send_bytes(script, lines.data, lines.len))
			return false;
		buf_reset(&lines);
	}
	return true;
}

static bool send_filler(struct script *script, const char *text)
{
	uint64_t left = strtoull(text, NULL, 10);
	CLEANUP(freep) char *filler = xmalloc(CHUNK);

	memset(filler, 'x', CHUNK);
	while (left > 0) {
		size_t len = left < CHUNK ? (size_t)left : CHUNK;

		if (!send_bytes(script, filler, len))
			return false;
		left -= len;
	}
	return true;
}

static bool send_hooked(struct script *script, const char *word)
{
	CLEANUP(freep)
	char *line = script->hook(script->hook_context, word, buf_str(&script->line));

	return line ? send_line(script, line) : complain(script, "hook has no answer to", word);
}

/* False when the client has closed. */
static bool pause_for(struct script *script, const char *text)
{
	struct pollfd poll_fd = {.fd = script->conn->fd, .events = POLLRDHUP};

	return poll(&poll_fd, 1, (int)strtol(text, NULL, 10)) == 0;
}

/* --- playing --- */

static bool next_step(struct script *script)
{
	size_t len = strcspn(script->at, "\n");
	bool fits;

	if (!*script->at)
		return false;
	buf_reset(&script->step);
	fits = buf_add(&script->step, script->at, len);
	assert(fits);
	script->at += len;
	script->at += *script->at == '\n';
	return true;
}

static bool play_step(struct script *script)
{
	const char *step = buf_str(&script->step);
	const char *text = step + 2 + (step[2] == ' ');

	switch (step[0]) {
	case 'S':
		return send_line(script, text);
	case 'L':
		return send_escaped_line(script, text);
	case 'J':
		add_line(script, text, &script->together);
		return true;
	case 'C':
		return expect_tagged(script, text);
	case 'c':
		return expect_line(script, text);
	case 'B':
		return expect_bytes(script, text);
	case 'R':
		return send_raw(script, text);
	case 'N':
		return send_often(script, text, "\r\n");
	case 'M':
		return send_often(script, text, "");
	case 'Z':
		return send_filler(script, text);
	case 'W':
		return pause_for(script, text);
	case 'T':
		return tls_peer_secure(script->conn);
	case 'H':
		return send_hooked(script, text);
	default:
		return false;
	}
}

/* The client has to close now without sending anything. */
static void expect_end(struct script *script)
{
	errno = 0;
	if (read_line(script))
		(void)complain(script, "client sent beyond the script", buf_str(&script->line));
	else if (script->line.len > 0)
		(void)complain(script, "client sent half a line", buf_str(&script->line));
	else if (errno == EAGAIN)
		(void)complain(script, "client did not close", "");
}

static void play(struct script *script, struct tls_peer_conn *conn)
{
	bool going = true;

	script->conn = conn;
	while (going && next_step(script))
		going = play_step(script);
	if (going)
		expect_end(script);
}

static void *play_alone(void *argument)
{
	struct script *script = argument;

	play(script, &script->own);
	closep(&script->own.fd);
	return NULL;
}

void script_serve(struct tls_peer_conn *conn)
{
	play(conn->context, conn);
}

struct stream *script_play(struct script *script)
{
	struct timeval patience = {.tv_sec = TLS_PEER_PATIENCE_S};
	int fds[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) != 0)
		abort();
	(void)setsockopt(fds[1], SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	(void)setsockopt(fds[1], SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	script->own.fd = fds[1];
	if (pthread_create(&script->thread, NULL, play_alone, script) != 0)
		abort();
	script->started = true;
	return tcp_wrap(fds[0]);
}

static void join_thread(struct script *script)
{
	if (script->started && !script->joined)
		(void)pthread_join(script->thread, NULL);
	script->joined = true;
}

const char *script_complaint(struct script *script)
{
	join_thread(script);
	return script->complaint;
}

const char *script_plain(struct script *script)
{
	join_thread(script);
	return buf_str(&script->received);
}

uint64_t script_sent(const struct script *script)
{
	return script->sent;
}

void script_freep(struct script **script_at)
{
	struct script *script = TAKE(*script_at);

	if (!script)
		return;
	join_thread(script);
	for (size_t i = 0; i < LABELS; i++)
		free(script->tags[i]);
	free(script->text);
	buf_free(&script->step);
	buf_free(&script->line);
	buf_free(&script->received);
	buf_free(&script->together);
	free(script);
}
