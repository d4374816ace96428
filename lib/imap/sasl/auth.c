#include <stdlib.h>
#include <string.h>

#include "base/crypto.h"
#include "imap/sasl/sasl.h"
#include "imap/session_internal.h"

/* One AUTHENTICATE or LOGIN command. */
struct dialogue {
	struct imap *imap;
	const struct imap_login *login;
	const char *name; /* for errors */
	uint64_t serial;
	const struct imap_reply *reply;
};

static bool login_error(const char *name, const struct imap_reply *reply, struct err *err)
{
	bool final = reply->code == IMAP_CODE_AUTHENTICATIONFAILED ||
		     reply->code == IMAP_CODE_AUTHORIZATIONFAILED;

	if (!final && reply_is_busy(reply))
		return reply_error(name, "server is busy", reply, ERR_RETRY, err);
	if (reply->code == IMAP_CODE_REFERRAL)
		return reply_error(name, "referrals are not followed", reply, ERR_AUTH, err);
	return reply_error(name, "refused", reply, ERR_AUTH, err);
}

static bool send_secret_base64(
	struct dialogue *dialogue, const void *data, size_t len, struct err *err)
{
	char *text = base64_encode(data, len);
	size_t text_len = strlen(text);
	bool sent = session_write_secret(dialogue->imap, text, text_len, err) &&
		    session_write(dialogue->imap, "\r\n", 2, err);

	crypto_wipe(text, text_len);
	free(text);
	return sent;
}

/* Sends AUTHENTICATE with the first message: with the command (SASL-IR), or after '+'. */
static bool begin(
	struct dialogue *dialogue, const char *mechanism, const struct buf *first, struct err *err)
{
	struct imap *imap = dialogue->imap;
	CLEANUP(command_free) struct imap_command command = {0};
	char *text = NULL;
	bool sent;

	dialogue->name = mechanism;
	session_start(imap, &command, "AUTHENTICATE");
	command_text(&command, mechanism);
	if (first && imap->caps & IMAP_CAP_SASL_IR) {
		text = base64_encode(first->data, first->len);
		command_secret(&command, text);
		crypto_wipe(text, strlen(text));
		free(text);
	}
	command_end(&command);
	sent = session_send(imap, &command, &dialogue->serial, NULL, err);
	if (!sent || !first || text)
		return sent;
	if (!session_go_ahead(imap, dialogue->serial, &dialogue->reply, err))
		return false;
	if (dialogue->reply->kind == IMAP_TAGGED)
		return login_error(mechanism, dialogue->reply, err);
	return send_secret_base64(dialogue, first->data, first->len, err);
}

/* Waits for '+'. A tagged reply in its place is a refusal, or an OK that comes too early. */
static bool await_challenge(struct dialogue *dialogue, struct err *err)
{
	if (!session_go_ahead(dialogue->imap, dialogue->serial, &dialogue->reply, err))
		return false;
	if (dialogue->reply->kind == IMAP_CONTINUE)
		return true;
	if (dialogue->reply->status != IMAP_OK)
		return login_error(dialogue->name, dialogue->reply, err);
	return err_set(
		err, ERR_SECURITY, "%s: server says OK before it proved its part", dialogue->name);
}

/* Reads the tagged reply. Cancels one challenge in its place with "*". */
static bool finish(struct dialogue *dialogue, struct err *err)
{
	struct imap *imap = dialogue->imap;

	if (!session_go_ahead(imap, dialogue->serial, &dialogue->reply, err))
		return false;
	if (dialogue->reply->kind == IMAP_CONTINUE &&
		(!session_write(imap, "*\r\n", 3, err) ||
			!session_await(imap, dialogue->serial, &dialogue->reply, err)))
		return false;
	if (dialogue->reply->status != IMAP_OK)
		return login_error(dialogue->name, dialogue->reply, err);
	session_take_capabilities(imap, dialogue->reply);
	return true;
}

static bool auth_plain(struct dialogue *dialogue, struct err *err)
{
	const struct imap_login *login = dialogue->login;
	CLEANUP(buf_wipe) struct buf message = BUF_INIT(SASL_MESSAGE_MAX);

	(void)!buf_reserve(&message, SASL_MESSAGE_MAX);
	return sasl_plain(login->act_for, login->user, login->password, &message, err) &&
	       begin(dialogue, "PLAIN", &message, err) && finish(dialogue, err);
}

static bool decode_challenge(struct dialogue *dialogue, struct buf *out, struct err *err)
{
	const char *text = dialogue->reply->text;
	CLEANUP(freep) uint8_t *data = NULL;
	size_t len;

	if (!base64_decode(text, strlen(text), &data, &len) || !buf_add(out, data, len))
		return err_set(err, ERR_PROTOCOL, "%s: the server's challenge is not base64",
			dialogue->name);
	return true;
}

static bool auth_scram(struct dialogue *dialogue, struct err *err)
{
	const struct imap_login *login = dialogue->login;
	CLEANUP(scram_free) struct scram scram = {0};
	CLEANUP(buf_wipe) struct buf ours = BUF_INIT(SASL_MESSAGE_MAX);
	CLEANUP(buf_free) struct buf theirs = BUF_INIT(SASL_MESSAGE_MAX);

	if (!scram_first(&scram, login->act_for, login->user, NULL, &ours, err) ||
		!begin(dialogue, "SCRAM-SHA-256", &ours, err) || !await_challenge(dialogue, err) ||
		!decode_challenge(dialogue, &theirs, err))
		return false;
	buf_reset(&ours);
	if (!scram_final(&scram, login->password, theirs.data, theirs.len, &ours, err) ||
		!send_secret_base64(dialogue, ours.data, ours.len, err) ||
		!await_challenge(dialogue, err))
		return false;
	buf_reset(&theirs);
	return decode_challenge(dialogue, &theirs, err) &&
	       scram_verify(&scram, theirs.data, theirs.len, err) &&
	       session_write(dialogue->imap, "\r\n", 2, err) && finish(dialogue, err);
}

static bool auth_login(struct dialogue *dialogue, struct err *err)
{
	const struct imap_login *login = dialogue->login;

	return begin(dialogue, "LOGIN", NULL, err) && await_challenge(dialogue, err) &&
	       send_secret_base64(dialogue, login->user, strlen(login->user), err) &&
	       await_challenge(dialogue, err) &&
	       send_secret_base64(dialogue, login->password, strlen(login->password), err) &&
	       finish(dialogue, err);
}

static bool login_command(struct dialogue *dialogue, struct err *err)
{
	struct imap *imap = dialogue->imap;
	CLEANUP(command_free) struct imap_command command = {0};
	const struct imap_reply *refused = NULL;

	dialogue->name = "LOGIN";
	session_start(imap, &command, "LOGIN");
	command_secret(&command, dialogue->login->user);
	command_secret(&command, dialogue->login->password);
	command_end(&command);
	if (!session_send(imap, &command, &dialogue->serial, &refused, err))
		return false;
	if (refused)
		return login_error("LOGIN", refused, err);
	return finish(dialogue, err);
}

typedef bool authenticate(struct dialogue *dialogue, struct err *err);

/* The best mechanism that the server offers and the account allows. NULL: none. */
static authenticate *choose_mechanism(const struct imap *imap, enum imap_auth wanted)
{
	bool any = wanted == IMAP_AUTH_AUTO;

	if ((any || wanted == IMAP_AUTH_SCRAM_SHA_256) &&
		imap->mechanisms & MECHANISM_SCRAM_SHA_256)
		return auth_scram;
	if ((any || wanted == IMAP_AUTH_PLAIN) && imap->mechanisms & MECHANISM_PLAIN)
		return auth_plain;
	if ((any || wanted == IMAP_AUTH_LOGIN) && imap->mechanisms & MECHANISM_LOGIN)
		return auth_login;
	if ((any || wanted == IMAP_AUTH_LOGIN) && !(imap->caps & IMAP_CAP_LOGINDISABLED))
		return login_command;
	return NULL;
}

bool session_authenticate(struct imap *imap, const struct imap_login *login, struct err *err)
{
	authenticate *mechanism = choose_mechanism(imap, login->auth);
	const struct listener listener = {.heard = session_hear_capabilities, .context = imap};
	struct dialogue dialogue = {.imap = imap, .login = login};
	bool done;

	if (!mechanism)
		return err_set(err, ERR_AUTH,
			"login: the server offers no mechanism that the account's settings allow");
	if (login->act_for && mechanism != auth_scram && mechanism != auth_plain)
		return err_set(err, ERR_AUTH,
			"login: acting for another user needs PLAIN or SCRAM-SHA-256, which the "
			"server does not offer");
	imap->caps_known = false;
	session_listen(imap, &listener);
	done = mechanism(&dialogue, err);
	session_listen(imap, NULL);
	return done;
}
