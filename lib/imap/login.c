#include "base/wait.h"
#include "imap/session_internal.h"
#include "net/tcp.h"
#include "net/tls.h"
#include "net/wirelog.h"

static bool read_greeting(struct imap *imap, struct err *err)
{
	const struct imap_reply *reply;
	struct sent sent;

	imap->silence_ms = imap->patience.greeting_ms;
	/* A server that expects TLS from the first byte never sends a greeting in clear. */
	if (!session_step(imap, &sent, &reply, err))
		return err_wrap(err, "%s",
			err->kind == ERR_RETRY && !stream_is_secure(imap->stream)
				? "no greeting (does this port expect implicit TLS?)"
				: "greeting");
	imap->silence_ms = imap->patience.reply_ms;
	if (reply->kind != IMAP_STATUS)
		return err_set(
			err, ERR_PROTOCOL, "greeting: not an IMAP server; check host and port");
	if (reply->status != IMAP_OK)
		return reply_error("greeting", "refused", reply, ERR_RETRY, err);
	session_take_capabilities(imap, reply);
	return true;
}

/* The TLS handshake on a stream that is still in clear. */
static bool secure_stream(struct imap *imap, const struct imap_login *login, struct err *err)
{
	const struct tls_options options = {login->host, login->ca_file, login->pin_sha256};
	struct wait wait = wait_for(imap->patience.greeting_ms, imap->cancel);
	struct stream *secure;

	if (!tls_start(&imap->stream, &options, wait, &secure, err))
		return err_wrap(err, "TLS");
	imap->stream = secure;
	return true;
}

/* STARTTLS (RFC 9051 section 6.2.1). Bytes that arrive after its reply and before the handshake
 * came in clear: somebody may have injected them, so they end the session. */
static bool send_starttls(struct imap *imap, struct err *err)
{
	CLEANUP(command_free) struct imap_command command = {0};
	const struct imap_reply *reply;
	uint64_t serial;

	session_start(imap, &command, "STARTTLS");
	command_end(&command);
	if (!session_send(imap, &command, &serial, NULL, err) ||
		!session_go_ahead(imap, serial, &reply, err))
		return false;
	if (reply->kind != IMAP_TAGGED || reply->status != IMAP_OK)
		return reply_error(
			"STARTTLS", "server refuses to encrypt", reply, ERR_SECURITY, err);
	if (!session_is_quiet(imap))
		return err_set(err, ERR_SECURITY,
			"STARTTLS: unencrypted data before the TLS handshake, possibly injected");
	session_forget(imap);
	return true;
}

static bool session_login(struct imap *imap, const struct imap_login *login, struct err *err)
{
	bool plain = login->tls == IMAP_TLS_OFF;
	bool starts_tls = login->tls == IMAP_TLS_STARTTLS;

	if (login->wire_log && !starts_tls)
		imap->stream = wirelog_wrap(imap->stream, login->wire_log);
	if (!read_greeting(imap, err) || (starts_tls && !send_starttls(imap, err)))
		return starts_tls ? err_wrap(err, "not yet encrypted") : false;
	if (starts_tls && !secure_stream(imap, login, err))
		return false;
	if (login->wire_log && starts_tls)
		imap->stream = wirelog_wrap(imap->stream, login->wire_log);
	if (plain ? !tcp_is_loopback(login->host) : !stream_is_secure(imap->stream))
		return err_set(err, ERR_SECURITY,
			"login: the connection is not encrypted, so no password is sent");
	imap->secrets_allowed = true;
	return session_ask_capabilities(imap, err) && session_authenticate(imap, login, err) &&
	       session_ask_capabilities(imap, err) && session_setup(imap, err);
}

bool imap_connect_over(struct stream *stream, const struct imap_login *login,
	struct imap **ret_imap, struct err *err)
{
	CLEANUP(imap_freep) struct imap *imap = session_new(stream, login);

	if (!session_login(imap, login, err))
		return false;
	*ret_imap = TAKE(imap);
	return true;
}

bool imap_connect(const struct imap_login *login, struct imap **ret_imap, struct err *err)
{
	const struct tls_options options = {login->host, login->ca_file, login->pin_sha256};
	struct wait wait = wait_for(IMAP_CONNECT_TIMEOUT_MS, login->cancel);
	CLEANUP(stream_freep) struct stream *stream = NULL;
	struct stream *secure;

	if (login->tls == IMAP_TLS_OFF && !tcp_is_loopback(login->host))
		return err_set(err, ERR_SECURITY,
			"%s: only a loopback address may be used without TLS", login->host);
	if (!tcp_connect(login->host, login->port, wait, &stream, err))
		return false;
	if (login->tls == IMAP_TLS_IMPLICIT) {
		if (!tls_start(&stream, &options, wait, &secure, err))
			return err_wrap(err, "%s port %u", login->host, (unsigned)login->port);
		stream = secure;
	}
	if (!imap_connect_over(TAKE(stream), login, ret_imap, err))
		return err_wrap(err, "%s port %u", login->host, (unsigned)login->port);
	return true;
}
