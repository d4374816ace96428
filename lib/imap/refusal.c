#include <string.h>

#include "base/str.h"
#include "imap/session_internal.h"

/* Servers that send no response code mean "later" by these words (docs/SERVERS.md). */
static const char *const busy_words[] = {
	"authenticated but not connected",
	"throttled",
	"backoff time",
	"bandwidth limit",
	"server unavailable",
	"too many simultaneous connections",
	"too many connections",
	"rate limit",
	"try again later",
};

bool reply_has_words(const struct imap_reply *reply, const char *words)
{
	for (const char *text = reply->text; text && *text; text++)
		if (str_starts_case(text, words))
			return true;
	return false;
}

bool reply_is_busy(const struct imap_reply *reply)
{
	if (reply->code == IMAP_CODE_UNAVAILABLE || reply->code == IMAP_CODE_LIMIT ||
		reply->code == IMAP_CODE_INUSE)
		return true;
	for (size_t i = 0; i < ARRAY_LEN(busy_words); i++)
		if (reply_has_words(reply, busy_words[i]))
			return true;
	return false;
}

bool reply_error(const char *command, const char *what, const struct imap_reply *reply,
	enum err_kind kind, struct err *err)
{
	const char *text = reply->text ? reply->text : "";
	CLEANUP(freep) char *words = str_printable(text, strlen(text), SESSION_WORDS_MAX);
	CLEANUP(freep)
	char *code = str_printable(reply->code_name, strlen(reply->code_name), SESSION_WORDS_MAX);

	return err_set(err, kind, "%s: %s, server says: %s%s%s%s", command, what, *code ? "[" : "",
		code, *code ? "] " : "", words);
}

bool reply_is_ok(const char *command, const struct imap_reply *reply, struct err *err)
{
	if (reply->status == IMAP_OK)
		return true;
	if (reply_is_busy(reply))
		return reply_error(command, "server is busy", reply, ERR_RETRY, err);
	if (reply->code == IMAP_CODE_REFERRAL)
		return reply_error(command, "referrals are not followed", reply, ERR_REFUSED, err);
	return reply_error(command, "refused", reply, ERR_REFUSED, err);
}
