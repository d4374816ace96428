#include "net/tls.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <sys/socket.h>

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include "base/alloc.h"
#include "net/tcp.h"
#include "net/tls_trust.h"

/*
 * State of the incoming side. Every state but OPEN is final.
 *
 *	OPEN --close_notify--> CLEAN
 *	  |`---connection ends without close_notify--> TRUNCATED
 *	  |`---socket error--> BROKEN
 *	  |`---too many records without data--> FLOODED
 *	   `---OpenSSL rejects what arrived--> FAILED
 */
enum end {
	END_OPEN,
	END_CLEAN,     /* close_notify */
	END_TRUNCATED, /* the connection ended without close_notify */
	END_BROKEN,    /* broken_errno says why */
	END_FLOODED,   /* more than TLS_HOUSEKEEPING_MAX_BYTES without data */
	END_FAILED,    /* failure says why */
};

struct tls {
	struct stream stream;
	SSL *ssl;
	int fd;
	enum end end;
	int broken_errno;
	unsigned long failure; /* OpenSSL's code */
	int housekeeping_bytes_left;
};

static struct tls *tls_of(struct stream *stream)
{
	return (struct tls *)stream;
}

/* --- a BIO over the socket, as OpenSSL's own would raise SIGPIPE --- */

static int socket_read(BIO *bio, char *data, int max)
{
	struct tls *tls = BIO_get_data(bio);
	ssize_t len;

	BIO_clear_retry_flags(bio);
	if (tls->end > END_CLEAN)
		return -1;
	if (tls->housekeeping_bytes_left <= 0) {
		tls->end = END_FLOODED;
		return -1;
	}
	do {
		len = recv(tls->fd, data, (size_t)max, MSG_DONTWAIT);
	} while (len < 0 && errno == EINTR);
	if (len > 0) {
		tls->housekeeping_bytes_left -= (int)len;
		return (int)len;
	}
	if (len == 0) {
		tls->end = END_TRUNCATED;
		return -1;
	}
	if (errno == EAGAIN) {
		BIO_set_retry_read(bio);
		return -1;
	}
	tls->end = END_BROKEN;
	tls->broken_errno = errno;
	return -1;
}

static int socket_write(BIO *bio, const char *data, int len)
{
	struct tls *tls = BIO_get_data(bio);
	ssize_t sent;

	BIO_clear_retry_flags(bio);
	do {
		sent = send(tls->fd, data, (size_t)len, MSG_DONTWAIT | MSG_NOSIGNAL);
	} while (sent < 0 && errno == EINTR);
	if (sent >= 0)
		return (int)sent;
	if (errno == EAGAIN) {
		BIO_set_retry_write(bio);
		return -1;
	}
	tls->end = END_BROKEN;
	tls->broken_errno = errno;
	return -1;
}

static long socket_ctrl(BIO *bio, int command, long number, void *pointer)
{
	(void)bio;
	(void)number;
	(void)pointer;
	return command == BIO_CTRL_FLUSH;
}

static BIO_METHOD *socket_method;

static void create_socket_method(void)
{
	int ok;

	socket_method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "socket");
	assert(socket_method);
	ok = BIO_meth_set_read(socket_method, socket_read) == 1 &&
	     BIO_meth_set_write(socket_method, socket_write) == 1 &&
	     BIO_meth_set_ctrl(socket_method, socket_ctrl) == 1;
	assert(ok);
}

static bool attach_socket(struct tls *tls)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	BIO *bio;

	(void)pthread_once(&once, create_socket_method);
	bio = BIO_new(socket_method);
	if (!bio)
		return false;
	BIO_set_data(bio, tls);
	BIO_set_init(bio, 1);
	SSL_set_bio(tls->ssl, bio, bio);
	return true;
}

/* --- reading and writing --- */

/* After an OpenSSL call without progress: what to wait for, or false with tls->end set. */
static bool must_wait(struct tls *tls, short *ret_events)
{
	int reason = SSL_get_error(tls->ssl, 0);

	if (reason == SSL_ERROR_WANT_READ || reason == SSL_ERROR_WANT_WRITE) {
		*ret_events = reason == SSL_ERROR_WANT_READ ? POLLIN : POLLOUT;
		return true;
	}
	if (reason == SSL_ERROR_ZERO_RETURN) {
		tls->end = END_CLEAN;
	} else if (tls->end <= END_CLEAN) {
		tls->end = END_FAILED;
		tls->failure = ERR_peek_error();
	}
	ERR_clear_error();
	return false;
}

static const char *failure_text(const struct tls *tls)
{
	const char *text = ERR_reason_error_string(tls->failure);

	return text ? text : "no reason given";
}

static bool tls_failed(const struct tls *tls, struct err *err)
{
	switch (tls->end) {
	case END_TRUNCATED:
		return err_set(err, ERR_RETRY,
			"connection closed without TLS close_notify, possibly cut off");
	case END_BROKEN:
		return tcp_broken(err, tls->broken_errno);
	case END_FLOODED:
		return err_set(err, ERR_PROTOCOL, "server sends TLS records without data");
	case END_FAILED:
		if (ERR_GET_REASON(tls->failure) >= SSL_AD_REASON_OFFSET)
			return err_set(err, ERR_RETRY, "server ended TLS: %s", failure_text(tls));
		return err_set(err, ERR_SECURITY, "TLS failed: %s", failure_text(tls));
	case END_OPEN:
	case END_CLEAN:
		break;
	}
	return err_set(err, ERR_RETRY, "closed by the server");
}

/*
 * Decrypts the next record if all of it has arrived, so that SSL_pending() is right. After a
 * wake-up of poll(2) this also tells whether data arrived.
 */
static void look_ahead(struct tls *tls)
{
	char byte;
	size_t len;
	short events;

	if (tls->end != END_OPEN || SSL_pending(tls->ssl) > 0)
		return;
	ERR_clear_error();
	if (SSL_peek_ex(tls->ssl, &byte, 1, &len) != 1)
		(void)must_wait(tls, &events);
}

static bool tls_read(struct stream *stream, void *data, size_t max, size_t *ret_len,
	struct wait wait, struct err *err)
{
	struct tls *tls = tls_of(stream);
	char *at = data;
	size_t filled = 0;

	while (filled < max && tls->end == END_OPEN) {
		size_t len;
		short events;

		ERR_clear_error();
		if (SSL_read_ex(tls->ssl, at + filled, max - filled, &len) == 1) {
			filled += len;
			tls->housekeeping_bytes_left = TLS_HOUSEKEEPING_MAX_BYTES;
		} else if (!must_wait(tls, &events) || filled > 0) {
			break;
		} else if (!wait_fd(tls->fd, events, wait, err)) {
			return false;
		}
	}
	if (filled == 0 && tls->end != END_CLEAN)
		return tls_failed(tls, err);
	if (filled == max && SSL_has_pending(tls->ssl))
		look_ahead(tls);
	*ret_len = filled;
	return true;
}

static bool tls_write(
	struct stream *stream, const void *data, size_t len, struct wait wait, struct err *err)
{
	struct tls *tls = tls_of(stream);
	const char *at = data;

	if (tls->end > END_CLEAN)
		return tls_failed(tls, err);
	while (len > 0) {
		size_t written;
		short events;

		ERR_clear_error();
		if (SSL_write_ex(tls->ssl, at, len, &written) == 1) {
			at += written;
			len -= written;
		} else if (!must_wait(tls, &events)) {
			return tls_failed(tls, err);
		} else if (!wait_fd(tls->fd, events, wait, err)) {
			return false;
		}
	}
	return true;
}

/* An end that the reader does not know yet counts as a byte, so that it reads and learns it. */
static size_t tls_buffered(const struct stream *stream)
{
	const struct tls *tls = (const struct tls *)stream;

	return (size_t)SSL_pending(tls->ssl) + (tls->end != END_OPEN);
}

static bool tls_has_input(struct stream *stream)
{
	look_ahead(tls_of(stream));
	return tls_buffered(stream) > 0;
}

static void tls_park(struct stream *stream)
{
	(void)SSL_free_buffers(tls_of(stream)->ssl);
}

static void tls_free(struct stream *stream)
{
	struct tls *tls = tls_of(stream);

	ERR_clear_error();
	if (tls->end <= END_CLEAN && !SSL_in_init(tls->ssl))
		(void)SSL_shutdown(tls->ssl);
	ERR_clear_error();
	SSL_free(tls->ssl);
	free(tls);
}

static const struct stream_class tls_class = {
	.name = "tls",
	.read = tls_read,
	.write = tls_write,
	.buffered = tls_buffered,
	.has_input = tls_has_input,
	.park = tls_park,
	.free = tls_free,
	.secure = true,
};

/* --- handshake --- */

static bool check_nothing_received(const struct stream *lower, struct err *err)
{
	char byte;

	if (stream_buffered(lower) > 0 ||
		recv(stream_fd(lower), &byte, 1, MSG_PEEK | MSG_DONTWAIT) > 0)
		return err_set(err, ERR_SECURITY,
			"server sent unencrypted bytes instead of TLS (does this port expect "
			"STARTTLS?)");
	return true;
}

static bool handshake_failed(const struct tls *tls, const struct tls_trust *trust, struct err *err)
{
	if (trust->err.kind != ERR_NONE)
		return err_set(err, trust->err.kind, "%s", trust->err.text);
	if (tls->end == END_TRUNCATED)
		return err_set(err, ERR_RETRY, "connection closed during the TLS handshake");
	if (tls->end != END_FAILED) {
		(void)tls_failed(tls, err);
		return err_wrap(err, "TLS handshake");
	}
	switch (ERR_GET_REASON(tls->failure)) {
	case SSL_R_TLSV1_ALERT_PROTOCOL_VERSION:
	case SSL_R_UNSUPPORTED_PROTOCOL:
	case SSL_R_WRONG_SSL_VERSION:
	case SSL_R_UNKNOWN_PROTOCOL:
		return err_set(err, ERR_SECURITY, "server does not support TLS 1.2 or later");
	case SSL_R_WRONG_VERSION_NUMBER: /* of the first bytes */
		return err_set(err, ERR_SECURITY,
			"server does not speak TLS (does this port expect STARTTLS?)");
	default:
		return err_set(err, ERR_SECURITY, "TLS handshake failed: %s", failure_text(tls));
	}
}

static bool handshake(
	struct tls *tls, const struct tls_trust *trust, struct wait wait, struct err *err)
{
	for (;;) {
		short events;

		ERR_clear_error();
		if (SSL_connect(tls->ssl) == 1)
			break;
		if (!must_wait(tls, &events))
			return handshake_failed(tls, trust, err);
		if (!wait_fd(tls->fd, events, wait, err))
			return err_wrap(err, "TLS handshake");
	}
	assert(SSL_get_verify_result(tls->ssl) == X509_V_OK);
	return tls_trust_pinned(trust, tls->ssl, err);
}

static void tls_freep(struct tls **tls)
{
	if (*tls)
		tls_free(&(*tls)->stream);
	*tls = NULL;
}

static bool tls_new(const char *ca_file, int fd, struct tls **ret_tls, struct err *err)
{
	struct tls *tls;
	SSL_CTX *context = NULL;
	SSL *ssl;

	if (!tls_context(ca_file, &context, err))
		return false;
	ssl = SSL_new(context);
	SSL_CTX_free(context);
	if (!ssl)
		return err_set(err, ERR_LOCAL, "OpenSSL cannot create a TLS connection");
	tls = xcalloc(1, sizeof(*tls));
	*tls = (struct tls){
		.stream = {.class = &tls_class},
		.ssl = ssl,
		.fd = fd,
		.housekeeping_bytes_left = TLS_HOUSEKEEPING_MAX_BYTES,
	};
	*ret_tls = tls;
	return true;
}

bool tls_start(struct stream **lower, const struct tls_options *options, struct wait wait,
	struct stream **ret_stream, struct err *err)
{
	CLEANUP(tls_freep) struct tls *tls = NULL;
	CLEANUP(tls_trust_free) struct tls_trust trust = {0};

	if (wait.cancel && cancel_is(wait.cancel))
		return err_set(err, ERR_CANCELLED, "cancelled");
	if (!check_nothing_received(*lower, err))
		return false;
	if (!tls_new(options->ca_file, stream_fd(*lower), &tls, err))
		return false;
	if (!attach_socket(tls))
		return err_set(err, ERR_LOCAL, "OpenSSL cannot create a BIO");
	if (!tls_trust_begin(&trust, options, tls->ssl, err) || !handshake(tls, &trust, wait, err))
		return false;
	SSL_set_app_data(tls->ssl, NULL);
	tls->stream.lower = TAKE(*lower);
	*ret_stream = &TAKE(tls)->stream;
	return true;
}
