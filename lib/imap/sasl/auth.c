#include <stdlib.h>
#include <string.h>

#include "base/crypto.h"
#include "imap/sasl/sasl.h"
#include "imap/session_internal.h"

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
		return reply_error(name, "not now", reply, ERR_RETRY, err);
	if (reply->code == IMAP_CODE_REFERRAL)
		return reply_error(name, "another server is never gone to", reply, ERR_AUTH, err);
	return reply_error(name, "refused", reply, ERR_AUTH, err);
}

/* Send a secret answer in base64. */
static bool answer(struct dialogue *dialogue, const void *data, size_t len, struct err *err)
{
	char *text = base64_encode(data, len);
	size_t text_len = strlen(text);
	bool sent = session_write_secret(dialogue->imap, text, text_len, err) &&
		    session_write(dialogue->imap, "\r\n", 2, err);

	crypto_wipe(text, text_len);
	free(text);
	return sent;
}

/* AUTHENTICATE with the first message, at once or when the server asks for it. */
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
	return answer(dialogue, first->data, first->len, err);
}

/* Wait for '+'; a tagged reply in its place is refusal, or OK too early. */
static bool await_challenge(struct dialogue *dialogue, struct err *err)
{
	if (!session_go_ahead(dialogue->imap, dialogue->serial, &dialogue->reply, err))
		return false;
	if (dialogue->reply->kind == IMAP_CONTINUE)
		return true;
	if (dialogue->reply->status != IMAP_OK)
		return login_error(dialogue->name, dialogue->reply, err);
	return err_set(
		err, ERR_SECURITY, "%s: server says OK before its part is done", dialogue->name);
}

/* The tagged reply; a challenge in its place is cancelled once. */
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
		return err_set(err, ERR_PROTOCOL, "%s: challenge is no base64", dialogue->name);
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
		!answer(dialogue, ours.data, ours.len, err) || !await_challenge(dialogue, err))
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
	       answer(dialogue, login->user, strlen(login->user), err) &&
	       await_challenge(dialogue, err) &&
	       answer(dialogue, login->password, strlen(login->password), err) &&
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

/* The best means the server offers, or the one that is wanted. NULL: none. */
static authenticate *choose(const struct imap *imap, enum imap_auth wanted)
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
	authenticate *means = choose(imap, login->auth);
	const struct listener listener = {.heard = session_hear_capabilities, .context = imap};
	struct dialogue dialogue = {.imap = imap, .login = login};
	bool done;

	if (!means)
		return err_set(err, ERR_AUTH, "login: server offers no means that may be used");
	if (login->act_for && means != auth_scram && means != auth_plain)
		return err_set(err, ERR_AUTH,
			"login: acting for another user needs PLAIN or SCRAM-SHA-256, which the "
			"server does not offer");
	imap->caps_known = false;
	session_listen(imap, &listener);
	done = means(&dialogue, err);
	session_listen(imap, NULL);
	return done;
}
