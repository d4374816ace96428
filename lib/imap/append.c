#include <assert.h>
#include <string.h>

#include "imap/session_internal.h"

size_t imap_append_pending(const struct imap *imap)
{
	return imap->appended_count;
}

static bool send_body(struct imap *imap, const struct imap_append *append, struct err *err)
{
	uint64_t left = append->size_bytes;

	while (left > 0) {
		const uint8_t *data;
		size_t len;

		if (!append->read(append->context, &data, &len, err))
			return false;
		assert(len > 0 && len <= left);
		if (!session_write(imap, data, len, err))
			return false;
		left -= len;
	}
	return session_write(imap, "\r\n", 2, err);
}

static bool build_command(struct imap *imap, const struct imap_append *append,
	struct imap_command *command, bool *ret_wait)
{
	session_start(imap, command, "APPEND");
	command_astring(command, append->wire_name);
	if (append->flags && *append->flags)
		command_flags(command, append->flags);
	if (append->date)
		command_date(command, append->date);
	*ret_wait = command_literal(command, append->size_bytes);
	return !command->fault;
}

/* Waits for older results until this size fits into IMAP_APPEND_IN_FLIGHT_BYTES. */
static bool wait_for_room(struct imap *imap, uint64_t size_bytes, struct err *err)
{
	const struct imap_reply *reply;
	struct sent sent;

	session_begin_wait(imap);
	while (append_ring_bytes_due(imap) > 0 &&
		append_ring_bytes_due(imap) + size_bytes > IMAP_APPEND_IN_FLIGHT_BYTES)
		if (!session_step(imap, &sent, &reply, err))
			return false;
	return true;
}

/*
 * Sends the command up to its literal's announcement. The folder's name may be a literal that needs
 * a '+' of its own, where the server may refuse: appended is then done. So it enters the ring
 * before the command is sent.
 */
static bool send_line(struct imap *imap, struct imap_command *command, uint64_t size_bytes,
	struct appended **ret_appended, struct err *err)
{
	struct appended *appended = append_ring_add(imap, imap->serial + 1, size_bytes);
	const struct imap_reply *refused = NULL;
	uint64_t serial = 0;

	if (!session_send(imap, command, &serial, &refused, err))
		return false;
	assert(refused ? appended->done : serial == appended->serial);
	*ret_appended = appended;
	return true;
}

bool imap_append_send(struct imap *imap, const struct imap_append *append, struct err *err)
{
	CLEANUP(command_free) struct imap_command command = {0};
	const struct imap_reply *reply;
	struct appended *appended;
	bool wait;

	if (!build_command(imap, append, &command, &wait))
		return err_set(err, ERR_REFUSED, "APPEND: %s", command.fault);
	if (!wait_for_room(imap, append->size_bytes, err) ||
		!send_line(imap, &command, append->size_bytes, &appended, err))
		return false;
	if (appended->done)
		return true;
	session_set_whole(imap, appended->serial, false);
	if (wait) {
		if (!session_go_ahead(imap, appended->serial, &reply, err))
			return false;
		if (reply->kind != IMAP_CONTINUE)
			return true; /* refused: the ring holds the reply as the result */
	}
	if (!send_body(imap, append, err))
		return err_wrap(err, "APPEND");
	session_set_whole(imap, appended->serial, true);
	return true;
}

bool imap_append_result(struct imap *imap, struct imap_append_result *ret_result, struct err *err)
{
	struct appended *oldest = append_ring_at(imap, 0);
	const struct imap_reply *reply;
	struct sent sent;

	session_begin_wait(imap);
	while (!oldest->done)
		if (!session_step(imap, &sent, &reply, err))
			return false;
	*ret_result = oldest->result;
	append_ring_drop_oldest(imap);
	return true;
}
