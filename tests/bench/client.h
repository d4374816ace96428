/*
 * A minimal IMAP client over OpenSSL for the benchmarks' yardsticks: it sends commands, reads
 * replies line by line and skips literals. It trusts the test server and exits on any failure.
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

/* Seconds of a monotonic clock. */
double bench_seconds(void);

/* Connect with verified TLS, read the greeting and log in. The password is $TEST_PASSWORD, else
 * "secret". */
void bench_connect(struct bench_client *client, const char *host, const char *port,
	const char *ca_file, const char *user);
void bench_write(struct bench_client *client, const void *data, size_t len);

/* Send one command with the next tag. */
void bench_send(struct bench_client *client, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Read one reply into line. True: it is tagged. Exits when a tagged reply is not OK, unless
 * may_fail. */
bool bench_reply(struct bench_client *client, bool may_fail);

/* Read replies up to the next tagged one. */
void bench_finish(struct bench_client *client, bool may_fail);
void bench_close(struct bench_client *client);

#endif
