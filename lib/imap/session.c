#include "imap/session_internal.h"

#include <assert.h>
#include <string.h>

#include "base/alloc.h"
#include "base/str.h"

static const struct imap_patience default_patience = {
	.greeting_ms = IMAP_GREETING_TIMEOUT_MS,
	.reply_ms = IMAP_REPLY_TIMEOUT_MS,
	.command_ms = IMAP_COMMAND_TIMEOUT_MS,
	.idle_done_ms = IMAP_IDLE_DONE_TIMEOUT_MS,
	.logout_ms = IMAP_LOGOUT_TIMEOUT_MS,
};

struct imap *session_new(struct stream *stream, const struct imap_login *login)
{
	struct imap *imap = xcalloc(1, sizeof(*imap));

	imap->stream = stream;
	imap->parser = imap_parser_new();
	imap->patience = login->patience ? *login->patience : default_patience;
	imap->silence_ms = imap->patience.reply_ms;
	imap->cancel = login->cancel;
	imap->prefix = xstrdup("");
	buf_init(&imap->output, IMAP_OUTPUT_BYTES);
	return imap;
}

void imap_freep(struct imap **imap_at)
{
	struct imap *imap = TAKE(*imap_at);

	if (!imap)
		return;
	stream_freep(&imap->stream);
	imap_parser_freep(&imap->parser);
	buf_wipe(&imap->output);
	str_list_free(&imap->other_prefixes);
	free(imap->prefix);
	free(imap->sent);
	free(imap->appended);
	free(imap->input);
	free(imap);
}

static void renew_parser(struct imap *imap)
{
	imap_parser_freep(&imap->parser);
	imap->parser = imap_parser_new();
}

void session_forget(struct imap *imap)
{
	assert(imap->sent_count == 0 && imap->input_at == imap->input_len);
	renew_parser(imap);
	imap->caps = 0;
	imap->mechanisms = 0;
	imap->caps_known = false;
	imap->news = false;
}

void session_start(const struct imap *imap, struct imap_command *command, const char *name)
{
	enum command_literals literals = COMMAND_LITERAL_SYNC;

	if (imap->caps & IMAP_CAP_LITERAL_PLUS)
		literals = COMMAND_LITERAL_PLUS;
	else if (imap->caps & IMAP_CAP_LITERAL_MINUS)
		literals = COMMAND_LITERAL_MINUS;
	command_start(command, name, literals);
}

uint32_t imap_caps(const struct imap *imap)
{
	return imap->caps;
}

const char *imap_prefix(const struct imap *imap)
{
	return imap->prefix;
}

char imap_delimiter(const struct imap *imap)
{
	return imap->delimiter;
}

bool imap_qresync_enabled(const struct imap *imap)
{
	return imap->qresync;
}

bool imap_condstore(const struct imap *imap)
{
	return imap->condstore;
}

bool imap_take_news(struct imap *imap)
{
	bool news = imap->news;

	imap->news = false;
	return news;
}

int imap_fd(const struct imap *imap)
{
	return stream_fd(imap->stream);
}

bool imap_park(struct imap *imap)
{
	if (!session_is_quiet(imap) || imap->output.len > 0)
		return false;
	stream_park(imap->stream);
	renew_parser(imap);
	free(TAKE(imap->input));
	buf_free(&imap->output);
	return true;
}

bool imap_noop(struct imap *imap, struct err *err)
{
	CLEANUP(command_free) struct imap_command command = {0};

	session_start(imap, &command, "NOOP");
	command_end(&command);
	return session_run_ok(imap, &command, NULL, err);
}

/* A courtesy to the server: errors do not matter. */
static void send_logout(struct imap *imap)
{
	CLEANUP(command_free) struct imap_command command = {0};
	const struct imap_reply *reply;

	imap->leaving = true;
	imap->patience.reply_ms = imap->patience.command_ms = imap->patience.logout_ms;
	imap->silence_ms = imap->patience.logout_ms;
	if (imap->idling && !session_write(imap, "DONE\r\n", strlen("DONE\r\n"), NULL))
		return;
	imap->idling = false;
	session_begin_wait(imap);
	session_start(imap, &command, "LOGOUT");
	command_end(&command);
	(void)session_run(imap, &command, NULL, &reply, NULL);
}

void imap_logout(struct imap **imap)
{
	if (*imap)
		send_logout(*imap);
	imap_freep(imap);
}
