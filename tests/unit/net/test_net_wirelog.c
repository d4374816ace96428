#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/alloc.h"
#include "net/tcp.h"
#include "net/wirelog.h"
#include "support/check.h"

enum { LONG_MS = 10000, TIME_CHARS = 25 /* "2026-11-20T10:00:00.123Z " */ };

/* A log over a socket pair, into memory. */
struct bench {
	struct stream *stream;
	int other;
	FILE *file;
	char *text;
	size_t text_len;
};

static void bench_open(struct bench *bench)
{
	int fds[2];

	CHECK_INT(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
	bench->other = fds[1];
	bench->file = open_memstream(&bench->text, &bench->text_len);
	CHECK(bench->file);
	bench->stream = wirelog_wrap(tcp_wrap(fds[0]), bench->file);
}

static void bench_close(struct bench *bench)
{
	stream_freep(&bench->stream);
	closep(&bench->other);
	(void)fclose(bench->file);
	free(bench->text);
}

static void say(struct bench *bench, const char *text)
{
	struct err err = ERR_INIT;

	CHECK_OK(stream_write(bench->stream, text, strlen(text), wait_for(LONG_MS, NULL), &err));
}

static void hear(struct bench *bench, const char *text)
{
	struct err err = ERR_INIT;
	size_t left = strlen(text);
	char got[64];

	CHECK_INT(write(bench->other, text, left), left);
	while (left > 0) {
		size_t len;

		CHECK_OK(stream_read(
			bench->stream, got, sizeof(got), &len, wait_for(LONG_MS, NULL), &err));
		left -= len;
	}
}

/* The log so far without its times. */
static void check_log(struct bench *bench, const char *wanted)
{
	CLEANUP(freep) char *got = xcalloc(1, bench->text_len + 1);
	const char *at = bench->text;

	while (*at) {
		const char *end = strchr(at, '\n');

		CHECK(end && end - at > TIME_CHARS && at[10] == 'T' && at[23] == 'Z');
		strncat(got, at + TIME_CHARS, (size_t)(end + 1 - at - TIME_CHARS));
		at = end + 1;
	}
	CHECK_STR(got, wanted);
}

static void each_protocol_line_is_one_line(void)
{
	CLEANUP(bench_close) struct bench bench;

	bench_open(&bench);
	hear(&bench, "* OK hel");
	hear(&bench, "lo\r\n* CAPABILITY IMAP4rev1\r\n");
	say(&bench, "a1 NO");
	say(&bench, "OP\r\na2 IDLE\r\n");
	check_log(&bench, "S: * OK hello\nS: * CAPABILITY IMAP4rev1\nC: a1 NOOP\nC: a2 IDLE\n");
}

static void secrets_are_not_shown(void)
{
	CLEANUP(bench_close) struct bench bench;

	bench_open(&bench);
	say(&bench, "a1 LOGIN ");
	wirelog_secret(bench.stream, true);
	say(&bench, "joe");
	say(&bench, "hunter");
	wirelog_secret(bench.stream, false);
	say(&bench, " ");
	wirelog_secret(bench.stream, true);
	say(&bench, "hunter2");
	wirelog_secret(bench.stream, false);
	say(&bench, "\r\na2 NOOP\r\n");
	check_log(&bench, "C: a1 LOGIN <secret> <secret>\nC: a2 NOOP\n");
}

static void a_secret_line_does_not_swallow_the_next_one(void)
{
	CLEANUP(bench_close) struct bench bench;

	bench_open(&bench);
	wirelog_secret(bench.stream, true);
	say(&bench, "AGpvZQBodW50ZXIy\r\n");
	wirelog_secret(bench.stream, false);
	say(&bench, "a2 NOOP\r\n");
	check_log(&bench, "C: <secret>\nC: a2 NOOP\n");
}

static void a_secret_literal_is_a_secret(void)
{
	CLEANUP(bench_close) struct bench bench;

	bench_open(&bench);
	say(&bench, "a1 LOGIN joe {7+}\r\n");
	wirelog_secret(bench.stream, true);
	say(&bench, "hun");
	say(&bench, "ter2");
	wirelog_secret(bench.stream, false);
	say(&bench, "\r\na2 NOOP\r\n");
	check_log(&bench, "C: a1 LOGIN joe {7+}\nC: <secret>\nC: a2 NOOP\n");
}

static void literals_are_counted_not_shown(void)
{
	CLEANUP(bench_close) struct bench bench;

	bench_open(&bench);
	hear(&bench, "* 1 FETCH (BODY[] {12}\r\nSubject: x\r\n FLAGS ()");
	hear(&bench, ")\r\n* 2 FETCH (BODY[] ~{3}\r\n");
	hear(&bench, "a");
	hear(&bench, "bc)\r\na1 OK {x}\r\nplain\r\n");
	check_log(&bench, "S: * 1 FETCH (BODY[] {12}\nS: <12 bytes>\nS:  FLAGS ())\n"
			  "S: * 2 FETCH (BODY[] ~{3}\nS: <3 bytes>\nS: )\nS: a1 OK {x}\n"
			  "S: plain\n");
}

static void a_literal_that_was_announced_is_not_shown(void)
{
	CLEANUP(bench_close) struct bench bench;

	bench_open(&bench);
	wirelog_skip_read(bench.stream, 5);
	hear(&bench, "abcde* OK\r\n");
	check_log(&bench, "S: <5 bytes>\nS: * OK\n");
}

static void text_of_a_server_cannot_move_the_cursor(void)
{
	CLEANUP(bench_close) struct bench bench;

	bench_open(&bench);
	hear(&bench, "* OK \033[2Jred\rgone \xff\r\n");
	check_log(&bench, "S: * OK \\x1b[2Jred\\x0dgone \xef\xbf\xbd\n");
}

static void long_lines_are_cut(void)
{
	CLEANUP(bench_close) struct bench bench;
	CLEANUP(freep) char *line = xcalloc(1, WIRELOG_LINE_MAX + 12);
	CLEANUP(freep) char *wanted = xcalloc(1, WIRELOG_LINE_MAX + 64);

	bench_open(&bench);
	memset(line, 'x', WIRELOG_LINE_MAX + 8);
	strncat(line, "\r\n", 3);
	say(&bench, line);
	say(&bench, "short\r\n");
	(void)snprintf(wanted, WIRELOG_LINE_MAX + 64, "C: %.*s <9 more bytes>\nC: short\n",
		WIRELOG_LINE_MAX, line);
	check_log(&bench, wanted);
}

static void unfinished_lines_are_written_at_the_end(void)
{
	struct bench bench;

	bench_open(&bench);
	hear(&bench, "* OK half");
	say(&bench, "a1 APPEND x {10}\r\n");
	say(&bench, "abc");
	check_log(&bench, "C: a1 APPEND x {10}\n");
	stream_freep(&bench.stream);
	check_log(&bench, "C: a1 APPEND x {10}\nC: <3 bytes>\nS: * OK half\n");
	bench_close(&bench);
}

static void other_streams_ignore_calls_meant_for_the_log(void)
{
	CLEANUP(closep) int other = -1;
	CLEANUP(stream_freep) struct stream *stream = NULL;
	int fds[2];

	CHECK_INT(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
	other = fds[1];
	stream = tcp_wrap(fds[0]);
	wirelog_secret(stream, true);
	wirelog_skip_read(stream, 10);
	CHECK_INT(stream_fd(stream), fds[0]);
}

static void the_log_passes_questions_to_the_lower_layer(void)
{
	CLEANUP(bench_close) struct bench bench;

	bench_open(&bench);
	CHECK(stream_fd(bench.stream) >= 0);
	CHECK(!stream_is_secure(bench.stream));
	CHECK(!stream_has_input(bench.stream));
	CHECK_INT(write(bench.other, "x", 1), 1);
	CHECK(stream_has_input(bench.stream));
	CHECK_INT(stream_buffered(bench.stream), 0);
}

int main(int argc, char **argv)
{
	static const struct promise promises[] = {
		PROMISE(each_protocol_line_is_one_line),
		PROMISE(secrets_are_not_shown),
		PROMISE(a_secret_line_does_not_swallow_the_next_one),
		PROMISE(a_secret_literal_is_a_secret),
		PROMISE(literals_are_counted_not_shown),
		PROMISE(a_literal_that_was_announced_is_not_shown),
		PROMISE(text_of_a_server_cannot_move_the_cursor),
		PROMISE(long_lines_are_cut),
		PROMISE(unfinished_lines_are_written_at_the_end),
		PROMISE(other_streams_ignore_calls_meant_for_the_log),
		PROMISE(the_log_passes_questions_to_the_lower_layer),
	};

	return check_main(argc, argv, promises, ARRAY_LEN(promises));
}
