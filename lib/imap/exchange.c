#include <assert.h>
#include <inttypes.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "imap/session_internal.h"
#include "net/wirelog.h"

enum { MS_PER_S = 1000 };

void session_listen(struct imap *imap, const struct listener *listener)
{
	imap->listener = listener ? *listener : (struct listener){0};
}

void session_expect(struct imap *imap, uint64_t replies)
{
	imap->expected_replies += replies < IMAP_CHANGES_MAX ? replies : IMAP_CHANGES_MAX;
}

/* The oldest command in flight, for errors. */
static const char *command_name(const struct imap *imap)
{
	return imap->sent_count > 0 ? imap->sent[0].name : "connection";
}

/* --- bodies, which do not count as chatter --- */

static bool body_begins(void *context, uint64_t size_bytes, struct err *err)
{
	const struct imap *imap = context;

	return !imap->sink.begin || imap->sink.begin(imap->sink.context, size_bytes, err);
}

static bool body_continues(void *context, const uint8_t *data, size_t len, struct err *err)
{
	struct imap *imap = context;

	assert(imap->chatter_bytes >= len);
	imap->chatter_bytes -= len;
	return !imap->sink.data || imap->sink.data(imap->sink.context, data, len, err);
}

static bool body_ends(void *context, struct err *err)
{
	const struct imap *imap = context;

	return !imap->sink.end || imap->sink.end(imap->sink.context, err);
}

void session_set_sink(struct imap *imap, const struct imap_body_sink *sink)
{
	struct imap_body_sink counting = {imap, body_begins, body_continues, body_ends};

	if (sink)
		imap->sink = *sink;
	imap_parser_set_sink(imap->parser, sink ? &counting : NULL);
}

/* --- waiting --- */

void session_begin_wait(struct imap *imap)
{
	imap->waited_ms = 0;
	imap->received_bytes = 0;
	imap->chatter_bytes = 0;
	imap->chatter_replies = 0;
	if (imap->sent_count == 0)
		imap->expected_replies = 0;
}

/* Ends after silence, and after a trickle: a tagged reply may take long only while bytes arrive at
 * IMAP_PROGRESS_BYTES_PER_S. */
static struct wait read_wait(const struct imap *imap)
{
	int64_t left_ms = imap->patience.command_ms - imap->waited_ms +
			  (int64_t)(imap->received_bytes / IMAP_PROGRESS_BYTES_PER_S * MS_PER_S);

	if (left_ms < 0)
		left_ms = 0;
	return wait_for(left_ms < imap->silence_ms ? (int)left_ms : imap->silence_ms, imap->cancel);
}

static bool check_chatter(const struct imap *imap, struct err *err)
{
	if (imap->chatter_replies > imap->expected_replies + IMAP_UNTAGGED_SKIPPED_MAX)
		return err_set(err, ERR_PROTOCOL,
			"%s: server sent more than %d unsolicited responses", command_name(imap),
			IMAP_UNTAGGED_SKIPPED_MAX);
	if (imap->chatter_bytes >
		IMAP_UNTAGGED_BYTES_MAX + imap->expected_replies * IMAP_REPLY_BYTES_TYPICAL)
		return err_set(err, ERR_PROTOCOL, "%s: server sent more than %d unsolicited bytes",
			command_name(imap), IMAP_UNTAGGED_BYTES_MAX);
	return true;
}

/* --- writing --- */

static bool write_now(struct imap *imap, const void *data, size_t len, struct err *err)
{
	struct wait wait = wait_for(imap->patience.reply_ms, imap->cancel);

	if (!stream_write(imap->stream, data, len, wait, err))
		return err_wrap(err, "%s", command_name(imap));
	return true;
}

static bool flush(struct imap *imap, struct err *err)
{
	size_t len = imap->output.len;

	if (len == 0)
		return true;
	/* Reset first: a write that fails ends the session, so no byte is ever sent twice. */
	buf_reset(&imap->output);
	return write_now(imap, imap->output.data, len, err);
}

bool session_write(struct imap *imap, const void *data, size_t len, struct err *err)
{
	if (len <= IMAP_OUTPUT_BYTES - imap->output.len) {
		bool fits = buf_add(&imap->output, data, len);

		assert(fits);
		return true;
	}
	return flush(imap, err) && write_now(imap, data, len, err);
}

/* All credentials pass through here. They skip the output buffer and the wire log. */
bool session_write_secret(struct imap *imap, const void *data, size_t len, struct err *err)
{
	bool written;

	assert(imap->secrets_allowed);
	/* What precedes the secret is flushed before the wire log hides, so that it is logged. */
	if (!flush(imap, err))
		return false;
	wirelog_secret(imap->stream, true);
	written = write_now(imap, data, len, err);
	wirelog_secret(imap->stream, false);
	return written;
}

void session_set_whole(struct imap *imap, uint64_t serial, bool whole)
{
	size_t i = 0;

	while (i < imap->sent_count && imap->sent[i].serial != serial)
		i++;
	assert(i < imap->sent_count);
	imap->sent[i].whole = whole;
}

static uint64_t add_sent(struct imap *imap, const struct imap_command *command)
{
	struct sent *sent;

	assert(imap->sent_count < SESSION_IN_FLIGHT_MAX);
	ARRAY_GROW(imap->sent, imap->sent_count, imap->sent_cap);
	sent = &imap->sent[imap->sent_count++];
	if (imap->sent_count == 1)
		session_begin_wait(imap);
	*sent = (struct sent){.name = command->name, .serial = ++imap->serial};
	memcpy(sent->tag, command->tag, sizeof(sent->tag));
	return sent->serial;
}

/* False with *ret_refused: the server refused in place of '+'; otherwise an error. */
static bool send_mark(struct imap *imap, const struct imap_command *command, uint64_t serial,
	const struct command_mark *mark, const struct imap_reply **ret_refused, struct err *err)
{
	const struct imap_reply *reply;

	if (mark->kind == COMMAND_SECRET)
		return session_write_secret(imap, command->bytes.data + mark->at, mark->len, err);
	if (!session_go_ahead(imap, serial, &reply, err))
		return false;
	if (reply->kind == IMAP_CONTINUE)
		return true;
	if (ret_refused)
		*ret_refused = reply;
	else
		(void)reply_is_ok(command->name, reply, err);
	return false;
}

bool session_send(struct imap *imap, struct imap_command *command, uint64_t *ret_serial,
	const struct imap_reply **ret_refused, struct err *err)
{
	const struct imap_reply *refused = NULL;
	uint64_t serial;
	size_t at = 0;

	assert(!imap->idling);
	if (command->fault)
		return err_set(err, ERR_REFUSED, "%s: %s", command->name, command->fault);
	/* Callers keep to limits of their own. Only a server that passes over commands, as over the
	 * UNSELECT that is sent with each EXAMINE, fills the table. */
	if (imap->sent_count == SESSION_IN_FLIGHT_MAX)
		return err_set(err, ERR_PROTOCOL, "%s: server left %d commands unanswered",
			command_name(imap), SESSION_IN_FLIGHT_MAX);
	serial = add_sent(imap, command);
	for (size_t i = 0; i < command->marks_count; i++) {
		const struct command_mark *mark = &command->marks[i];

		if (!session_write(imap, command->bytes.data + at, mark->at - at, err))
			return false;
		at = mark->at + mark->len;
		if (send_mark(imap, command, serial, mark, ret_refused ? &refused : NULL, err))
			continue;
		if (refused)
			*ret_refused = refused;
		return refused != NULL;
	}
	if (!session_write(imap, command->bytes.data + at, command->bytes.len - at, err))
		return false;
	session_set_whole(imap, serial, true);
	*ret_serial = serial;
	return true;
}

/* --- reading --- */

static bool read_input(struct imap *imap, struct err *err)
{
	uint64_t literal_left = imap_parser_literal_left(imap->parser);
	int64_t from_ms = clock_mono_ms();
	size_t len;

	if (!imap->input)
		imap->input = xmalloc(IMAP_INPUT_BYTES);
	imap->input_at = imap->input_len = 0;
	if (literal_left > 0)
		wirelog_skip_read(imap->stream, literal_left);
	if (!stream_read(imap->stream, imap->input, IMAP_INPUT_BYTES, &len, read_wait(imap), err))
		return err_wrap(err, "%s", command_name(imap));
	if (len == 0 && literal_left > 0)
		return err_set(err, ERR_RETRY,
			"%s: server closed the connection, %" PRIu64
			" bytes before the end of a literal",
			command_name(imap), literal_left);
	if (len == 0)
		return err_set(
			err, ERR_RETRY, "%s: server closed the connection", command_name(imap));
	assert(len <= IMAP_INPUT_BYTES);
	imap->input_len = len;
	imap->received_bytes += len;
	imap->waited_ms += clock_mono_ms() - from_ms;
	return true;
}

static bool next_reply(struct imap *imap, const struct imap_reply **ret_reply, struct err *err)
{
	const struct imap_reply *reply = NULL;
	size_t used;

	while (!reply) {
		if (imap->input_at == imap->input_len && !read_input(imap, err))
			return false;
		/* All input counts before it is parsed, as body_continues() takes bodies off while
		 * the parser runs; what the parser leaves is taken off afterwards. */
		imap->chatter_bytes += imap->input_len - imap->input_at;
		if (!imap_parser_feed(imap->parser, imap->input + imap->input_at,
			    imap->input_len - imap->input_at, &used, &reply, err))
			return err_wrap(err, "%s", command_name(imap));
		imap->input_at += used;
		assert(imap->input_at <= imap->input_len);
		imap->chatter_bytes -= imap->input_len - imap->input_at;
		if (!check_chatter(imap, err))
			return false;
	}
	*ret_reply = reply;
	return true;
}

static bool take_sent(
	struct imap *imap, const struct imap_reply *reply, struct sent *ret_sent, struct err *err)
{
	for (size_t i = 0; i < imap->sent_count; i++) {
		struct sent *sent = &imap->sent[i];

		if (strcmp(sent->tag, reply->tag) != 0)
			continue;
		/* Such an OK answers something else than what the client is still sending. */
		if (!sent->whole && reply->status == IMAP_OK)
			return err_set(err, ERR_PROTOCOL,
				"%s: server says OK before the command was complete", sent->name);
		*ret_sent = *sent;
		imap->sent_count--;
		memmove(sent, sent + 1, (imap->sent_count - i) * sizeof(*sent));
		session_begin_wait(imap);
		return true;
	}
	return err_set(err, ERR_PROTOCOL, "%s: server answers a command that was not sent",
		command_name(imap));
}

static bool take_tagged(
	struct imap *imap, const struct imap_reply *reply, struct sent *ret_sent, struct err *err)
{
	const struct listener *listener = &imap->listener;

	if (!take_sent(imap, reply, ret_sent, err))
		return false;
	if (append_ring_take_reply(imap, ret_sent->serial, reply) || !listener->answered)
		return true;
	return listener->answered(listener->context, ret_sent->serial, reply, err);
}

/* Untagged news of the selected folder: it has to be compared again. */
static void note_news(struct imap *imap, const struct imap_reply *reply)
{
	if (!imap->selected)
		return;
	switch (reply->kind) {
	case IMAP_EXISTS:
		if (reply->number > UINT32_MAX)
			return;
		imap->news |= imap->exists != reply->number;
		imap->exists = (uint32_t)reply->number;
		return;
	case IMAP_EXPUNGE:
		imap->news = true;
		imap->exists -= imap->exists > 0;
		return;
	case IMAP_VANISHED:
		imap->news |= !reply->earlier;
		return;
	case IMAP_FETCH:
		imap->news |= !imap->fetching;
		return;
	default:
		return;
	}
}

static bool take_untagged(struct imap *imap, const struct imap_reply *reply, struct err *err)
{
	if (reply->kind == IMAP_STATUS && reply->status == IMAP_PREAUTH)
		return err_set(err, ERR_SECURITY,
			"%s: server claims that the client is logged in already (PREAUTH)",
			command_name(imap));
	if (reply->kind == IMAP_STATUS && reply->status == IMAP_BYE && !imap->leaving)
		return reply_error(
			command_name(imap), "server ended the session", reply, ERR_RETRY, err);
	imap->chatter_replies++;
	if (!check_chatter(imap, err))
		return false;
	note_news(imap, reply);
	return !imap->listener.heard || imap->listener.heard(imap->listener.context, reply, err);
}

bool session_step(struct imap *imap, struct sent *ret_sent, const struct imap_reply **ret_reply,
	struct err *err)
{
	const struct imap_reply *reply = NULL;

	if (!flush(imap, err) || !next_reply(imap, &reply, err))
		return false;
	assert(reply);
	if (reply->kind == IMAP_TAGGED ? !take_tagged(imap, reply, ret_sent, err)
				       : !take_untagged(imap, reply, err))
		return false;
	*ret_reply = reply;
	return true;
}

bool session_await(
	struct imap *imap, uint64_t serial, const struct imap_reply **ret_reply, struct err *err)
{
	struct sent sent = {0};

	do {
		if (!session_step(imap, &sent, ret_reply, err))
			return false;
	} while ((*ret_reply)->kind != IMAP_TAGGED || sent.serial != serial);
	return true;
}

bool session_go_ahead(
	struct imap *imap, uint64_t serial, const struct imap_reply **ret_reply, struct err *err)
{
	struct sent sent = {0};

	for (;;) {
		if (!session_step(imap, &sent, ret_reply, err))
			return false;
		if ((*ret_reply)->kind == IMAP_CONTINUE)
			return true;
		if ((*ret_reply)->kind == IMAP_TAGGED && sent.serial == serial)
			return true;
	}
}

bool session_run(struct imap *imap, struct imap_command *command, const struct listener *listener,
	const struct imap_reply **ret_reply, struct err *err)
{
	const struct imap_reply *refused = NULL;
	uint64_t serial = 0;
	bool answered = false;

	session_listen(imap, listener);
	if (session_send(imap, command, &serial, &refused, err))
		answered = refused || session_await(imap, serial, ret_reply, err);
	if (refused)
		*ret_reply = refused;
	session_listen(imap, NULL);
	return answered;
}

bool session_run_ok(struct imap *imap, struct imap_command *command,
	const struct listener *listener, struct err *err)
{
	const struct imap_reply *reply;

	return session_run(imap, command, listener, &reply, err) &&
	       reply_is_ok(command->name, reply, err);
}

bool session_is_quiet(const struct imap *imap)
{
	return imap->input_at == imap->input_len && imap_parser_is_empty(imap->parser) &&
	       stream_buffered(imap->stream) == 0;
}
