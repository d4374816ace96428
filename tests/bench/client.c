#include "bench/client.h"

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

void bench_die(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	exit(1);
}

double bench_seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static int connect_tcp(const char *host, const char *port)
{
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *list = NULL;
	int fd = -1, on = 1;

	if (getaddrinfo(host, port, &hints, &list) != 0)
		bench_die("%s: unknown host", host);
	for (struct addrinfo *one = list; one && fd < 0; one = one->ai_next) {
		fd = socket(one->ai_family, one->ai_socktype | SOCK_CLOEXEC, 0);
		if (fd >= 0 && connect(fd, one->ai_addr, one->ai_addrlen) < 0) {
			close(fd);
			fd = -1;
		}
	}
	freeaddrinfo(list);
	if (fd < 0)
		bench_die("%s:%s: no connection", host, port);
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	return fd;
}

static SSL *start_tls(int fd, const char *host, const char *ca_file)
{
	SSL_CTX *context = SSL_CTX_new(TLS_client_method());
	SSL *ssl;

	if (!context || SSL_CTX_load_verify_locations(context, ca_file, NULL) != 1)
		bench_die("%s: no CA", ca_file);
	SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
	ssl = SSL_new(context);
	SSL_CTX_free(context);
	if (!ssl || !SSL_set1_host(ssl, host) || !SSL_set_fd(ssl, fd) || SSL_connect(ssl) != 1)
		bench_die("%s: TLS failed", host);
	return ssl;
}

void bench_connect(struct bench_client *client, const char *host, const char *port,
	const char *ca_file, const char *user)
{
	const char *password = getenv("TEST_PASSWORD");

	memset(client, 0, sizeof(*client));
	client->ssl = start_tls(connect_tcp(host, port), host, ca_file);
	bench_reply(client, false);
	bench_send(client, "LOGIN %s %s", user, password ? password : "secret");
	bench_finish(client, false);
}

void bench_write(struct bench_client *client, const void *data, size_t len)
{
	size_t written;

	if (len > 0 && SSL_write_ex(client->ssl, data, len, &written) != 1)
		bench_die("connection lost while writing");
}

void bench_send(struct bench_client *client, const char *format, ...)
{
	char text[BENCH_LINE_BYTES];
	int len = snprintf(text, sizeof(text), "a%u ", ++client->tag), more;
	va_list args;

	va_start(args, format);
	more = vsnprintf(text + len, sizeof(text) - (size_t)len - 2, format, args);
	va_end(args);
	if (more < 0 || (size_t)(len + more) > sizeof(text) - 3)
		bench_die("command too long");
	memcpy(text + len + more, "\r\n", 2);
	bench_write(client, text, (size_t)(len + more) + 2);
}

static void refill(struct bench_client *client)
{
	size_t got;

	if (SSL_read_ex(client->ssl, client->buffer, sizeof(client->buffer), &got) != 1)
		bench_die("connection lost while reading");
	client->at = 0;
	client->end = got;
	client->received += got;
}

static void skip(struct bench_client *client, size_t len)
{
	client->skipped += len;
	while (len > 0) {
		size_t piece = client->end - client->at;

		if (piece > len)
			piece = len;
		client->at += piece;
		len -= piece;
		if (len > 0)
			refill(client);
	}
}

/* Reads to the next LF and appends at len of line, as far as there is room; returns the length. */
static size_t read_line(struct bench_client *client, size_t len)
{
	for (;;) {
		const char *from = client->buffer + client->at, *lf;
		size_t piece, room = sizeof(client->line) - 1 - len;

		if (client->at == client->end) {
			refill(client);
			continue;
		}
		lf = memchr(from, '\n', client->end - client->at);
		piece = lf ? (size_t)(lf - from) + 1 : client->end - client->at;
		client->at += piece;
		if (piece > room)
			bench_die("a reply is too long");
		memcpy(client->line + len, from, piece);
		len += piece;
		if (lf)
			break;
	}
	while (len > 0 && (client->line[len - 1] == '\n' || client->line[len - 1] == '\r'))
		len--;
	client->line[len] = '\0';
	return len;
}

/* Bytes of the literal that the line announces, or -1. */
static long long literal_at_end(const char *line, size_t len)
{
	const char *brace = len > 2 && line[len - 1] == '}' ? strrchr(line, '{') : NULL;

	return brace ? strtoll(brace + 1, NULL, 10) : -1;
}

bool bench_reply(struct bench_client *client, bool may_fail)
{
	size_t len = read_line(client, 0);
	long long literal;
	const char *status;

	while ((literal = literal_at_end(client->line, len)) >= 0) {
		skip(client, (size_t)literal);
		len = read_line(client, len);
	}
	if (client->line[0] != 'a')
		return false;
	status = strchr(client->line, ' ');
	if (!may_fail && (!status || strncmp(status, " OK", 3) != 0))
		bench_die("refused: %s", client->line);
	return true;
}

void bench_finish(struct bench_client *client, bool may_fail)
{
	while (!bench_reply(client, may_fail))
		;
}

void bench_close(struct bench_client *client)
{
	bench_send(client, "LOGOUT");
	bench_finish(client, true);
	close(SSL_get_fd(client->ssl));
	SSL_free(client->ssl);
}
