#include <assert.h>
#include <string.h>

#include "base/alloc.h"
#include "base/str.h"
#include "imap/session_internal.h"

static struct appended *appended_at(struct imap *imap, size_t i)
{
	assert(i < imap->appended_count);
	return &imap->appended[(imap->appended_at + i) % IMAP_APPEND_IN_FLIGHT];
}

size_t imap_append_pending(const struct imap *imap)
{
	return imap->appended_count;
}

/* Bytes of those whose tagged reply is due. */
static uint64_t bytes_out(struct imap *imap)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < imap->appended_count; i++)
		if (!appended_at(imap, i)->done)
			sum += appended_at(imap, i)->size_bytes;
	return sum;
}

static void take_uid(struct imap_append_result *result, const struct imap_reply *reply)
{
	const struct rangeset *uids = reply->set;

	if (reply->status != IMAP_OK || reply->code != IMAP_CODE_APPENDUID || !uids ||
		rangeset_size(uids) != 1 || reply->number == 0 || reply->number > UINT32_MAX)
		return;
	result->uidvalidity = (uint32_t)reply->number;
	result->uid = uids->items[0].first;
}

bool append_take_reply(struct imap *imap, uint64_t serial, const struct imap_reply *reply)
{
	const char *raw = reply->text ? reply->text : "";

	for (size_t i = 0; i < imap->appended_count; i++) {
		struct appended *appended = appended_at(imap, i);
		CLEANUP(freep) char *text = NULL;

		if (appended->serial != serial)
			continue;
		text = str_printable(raw, strlen(raw), sizeof(appended->result.text) - 1);
		appended->done = true;
		appended->result =
			(struct imap_append_result){.status = reply->status, .code = reply->code};
		take_uid(&appended->result, reply);
		(void)snprintf(appended->result.text, sizeof(appended->result.text), "%s", text);
		return true;
	}
	return false;
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

/* False with no error: the server does not want it, and its reply is kept as the result. */
static bool is_wanted(struct imap *imap, uint64_t serial, bool *ret_wanted, struct err *err)
{
	const struct imap_reply *reply;

	if (!session_go_ahead(imap, serial, &reply, err))
		return false;
	*ret_wanted = reply->kind == IMAP_CONTINUE;
	return true;
}

static bool start_command(struct imap *imap, const struct imap_append *append,
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

/* The folder's name may need a '+' of its own, where the server may already refuse. */
static bool send_line(
	struct imap *imap, struct imap_command *command, struct appended *appended, struct err *err)
{
	const struct imap_reply *refused = NULL;
	uint64_t serial = 0;

	imap->appended_count++;
	appended->serial = imap->serial + 1;
	if (!session_send(imap, command, &serial, &refused, err))
		return false;
	assert(refused ? appended->done : serial == appended->serial);
	return true;
}

/* Room for one more, of this size: older ones may have to be answered first. */
static bool make_room(
	struct imap *imap, uint64_t size_bytes, struct appended **ret_free, struct err *err)
{
	const struct imap_reply *reply;
	struct sent sent;
	size_t free_at;

	assert(imap->appended_count < IMAP_APPEND_IN_FLIGHT);
	session_begin_wait(imap);
	while (bytes_out(imap) > 0 && bytes_out(imap) + size_bytes > IMAP_APPEND_IN_FLIGHT_BYTES)
		if (!session_step(imap, &sent, &reply, err))
			return false;
	if (!imap->appended)
		imap->appended = xcalloc(IMAP_APPEND_IN_FLIGHT, sizeof(*imap->appended));
	free_at = (imap->appended_at + imap->appended_count) % IMAP_APPEND_IN_FLIGHT;
	*ret_free = &imap->appended[free_at];
	**ret_free = (struct appended){.size_bytes = size_bytes};
	return true;
}

bool imap_append_send(struct imap *imap, const struct imap_append *append, struct err *err)
{
	CLEANUP(command_free) struct imap_command command = {0};
	struct appended *appended;
	bool wait, wanted = true;

	if (!start_command(imap, append, &command, &wait))
		return err_set(err, ERR_REFUSED, "APPEND: %s", command.fault);
	if (!make_room(imap, append->size_bytes, &appended, err))
		return false;
	if (!send_line(imap, &command, appended, err))
		return false;
	if (appended->done)
		return true;
	session_set_whole(imap, appended->serial, false);
	if (wait && !is_wanted(imap, appended->serial, &wanted, err))
		return false;
	if (!wanted)
		return true;
	if (!send_body(imap, append, err))
		return err_wrap(err, "APPEND");
	session_set_whole(imap, appended->serial, true);
	return true;
}

bool imap_append_result(struct imap *imap, struct imap_append_result *ret_result, struct err *err)
{
	struct appended *oldest = appended_at(imap, 0);
	const struct imap_reply *reply;
	struct sent sent;

	session_begin_wait(imap);
	while (!oldest->done)
		if (!session_step(imap, &sent, &reply, err))
			return false;
	*ret_result = oldest->result;
	imap->appended_at = (imap->appended_at + 1) % IMAP_APPEND_IN_FLIGHT;
	imap->appended_count--;
	return true;
}
