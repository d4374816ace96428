/*
 * The barest IMAP client over OpenSSL, for the yardsticks of the benchmarks: commands out, replies
 * line by line in, literals skipped. It trusts the test server and ends the process on any failure.
 */
#ifndef MAILSTOW_TESTS_BENCH_CLIENT_H
#define MAILSTOW_TESTS_BENCH_CLIENT_H

#include <openssl/ssl.h>
#include <stdbool.h>
#include <stddef.h>

enum { BENCH_BUFFER_BYTES = 256 * 1024, BENCH_LINE_BYTES = 16 * 1024 };

struct bench_client {
	SSL *ssl;
	size_t at, end;           /* unread bytes of buffer */
	size_t received, skipped; /* bytes since connect; bytes in literals */
	unsigned tag;             /* of the last command */
	char buffer[BENCH_BUFFER_BYTES];
	char line[BENCH_LINE_BYTES]; /* the last reply, cut, without literals, NUL-ended */
};

_Noreturn void bench_die(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Seconds of a clock that only goes forward. */
double bench_seconds(void);

/* Verified TLS, greeting read, logged in; the password is $TEST_PASSWORD, else "secret". */
void bench_connect(struct bench_client *client, const char *host, const char *port,
	const char *ca_file, const char *user);
void bench_write(struct bench_client *client, const void *data, size_t len);

/* Sends one command with the next tag. */
void bench_send(struct bench_client *client, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Reads one reply into line. True when it is tagged; dies when that is not OK, unless may_fail. */
bool bench_reply(struct bench_client *client, bool may_fail);

/* Reads replies up to the next tagged one. */
void bench_finish(struct bench_client *client, bool may_fail);
void bench_close(struct bench_client *client);

#endif
