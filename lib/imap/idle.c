#include <assert.h>
#include <string.h>

#include "imap/session_internal.h"

bool imap_idle_start(struct imap *imap, struct err *err)
{
	CLEANUP(command_free) struct imap_command command = {0};
	const struct imap_reply *reply;
	uint64_t serial;

	session_start(imap, &command, "IDLE");
	command_end(&command);
	if (!session_send(imap, &command, &serial, NULL, err) ||
		!session_go_ahead(imap, serial, &reply, err))
		return false;
	if (reply->kind == IMAP_TAGGED && reply_is_ok("IDLE", reply, err))
		return err_set(err, ERR_PROTOCOL, "IDLE: server says OK in place of '+'");
	imap->idling = reply->kind == IMAP_CONTINUE;
	return imap->idling;
}

bool imap_idle_drain(struct imap *imap, bool *ret_news, struct err *err)
{
	const struct imap_reply *reply;
	struct sent sent;

	assert(imap->idling);
	while (!session_is_quiet(imap) || stream_has_input(imap->stream)) {
		if (!session_step(imap, &sent, &reply, err))
			return false;
		if (reply->kind == IMAP_TAGGED) {
			imap->idling = false;
			return reply_error("IDLE", "server ended it", reply, ERR_RETRY, err);
		}
	}
	session_begin_wait(imap);
	*ret_news = imap_take_news(imap);
	return true;
}

bool imap_idle_done(struct imap *imap, struct err *err)
{
	const struct imap_reply *reply;
	bool ended;

	assert(imap->idling && imap->sent_count > 0);
	session_begin_wait(imap);
	imap->idling = false;
	imap->silence_ms = imap->patience.idle_done_ms;
	/* The server may go on with news up to its tagged reply; imap_take_news() keeps them. */
	ended = session_write(imap, "DONE\r\n", strlen("DONE\r\n"), err) &&
		session_await(imap, imap->sent[imap->sent_count - 1].serial, &reply, err) &&
		reply_is_ok("IDLE", reply, err);
	imap->silence_ms = imap->patience.reply_ms;
	return ended;
}
