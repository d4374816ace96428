#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "imap/seqset.h"
#include "imap/session_internal.h"

/* A SELECT or EXAMINE under way. */
struct opening {
	struct imap *imap;
	const struct imap_fetch_sink *sink; /* NULL: discard FETCH and VANISHED */
	struct imap_examined examined;
	uint64_t unselect; /* serial of the UNSELECT sent ahead, 0: none */
	bool ours;         /* replies are about the new folder, no longer about the old one */
};

void imap_examined_free(struct imap_examined *examined)
{
	free(examined->permanent_flags);
	*examined = (struct imap_examined){0};
}

static uint32_t number32(uint64_t number)
{
	return number <= UINT32_MAX ? (uint32_t)number : 0;
}

/* Replies from here on are about the new folder. */
static void begin_new_folder(struct opening *opening)
{
	opening->ours = true;
	imap_examined_free(&opening->examined);
}

static void hear_code(struct opening *opening, const struct imap_reply *reply)
{
	struct imap_examined *examined = &opening->examined;

	switch (reply->code) {
	case IMAP_CODE_CLOSED:
		begin_new_folder(opening);
		break;
	case IMAP_CODE_UIDVALIDITY:
		examined->uidvalidity = number32(reply->number);
		break;
	case IMAP_CODE_UIDNEXT:
		examined->uidnext = number32(reply->number);
		break;
	case IMAP_CODE_HIGHESTMODSEQ:
		examined->highestmodseq = reply->number;
		break;
	case IMAP_CODE_NOMODSEQ:
		examined->highestmodseq = 0;
		break;
	case IMAP_CODE_PERMANENTFLAGS:
		free(examined->permanent_flags);
		examined->permanent_flags = xstrdup(reply->flags ? reply->flags : "");
		break;
	default:
		break;
	}
}

static bool hear_opening(void *context, const struct imap_reply *reply, struct err *err)
{
	struct opening *opening = context;
	const struct imap_fetch_sink *sink = opening->ours ? opening->sink : NULL;

	switch (reply->kind) {
	case IMAP_STATUS:
		if (reply->status == IMAP_OK)
			hear_code(opening, reply);
		return true;
	case IMAP_EXISTS:
		opening->examined.exists = number32(reply->number);
		if (opening->sink)
			session_expect(opening->imap, reply->number);
		return true;
	case IMAP_FETCH:
		return !sink || !sink->fetched || sink->fetched(sink->context, &reply->fetch, err);
	case IMAP_VANISHED:
		return !sink || !sink->vanished || !reply->earlier || !reply->set ||
		       sink->vanished(sink->context, reply->set, true, err);
	default:
		return true;
	}
}

static bool hear_answer(
	void *context, uint64_t serial, const struct imap_reply *reply, struct err *err)
{
	struct opening *opening = context;

	(void)reply;
	(void)err;
	if (serial == opening->unselect)
		begin_new_folder(opening);
	return true;
}

/* Leaves the old folder in the same round trip, so that its news do not count for the new one. */
static bool send_unselect(struct imap *imap, uint64_t *ret_serial, struct err *err)
{
	CLEANUP(command_free) struct imap_command command = {0};

	session_start(imap, &command, "UNSELECT");
	command_end(&command);
	return session_send(imap, &command, ret_serial, NULL, err);
}

static void add_known(struct imap_command *command, const struct rangeset *known)
{
	CLEANUP(buf_free) struct buf text = BUF_INIT(IMAP_COMMAND_BYTES_MAX);
	size_t blank = 1, closing = strlen("))\r\n");

	if (!known || known->count == 0 || !seqset_format(known, &text))
		return;
	if (command->bytes.len + blank + text.len + closing <= IMAP_COMMAND_BYTES_MAX)
		command_set(command, known);
}

static void add_parameters(
	const struct imap *imap, struct imap_command *command, const struct imap_qresync *qresync)
{
	if (!qresync) {
		if (imap->condstore)
			command_text(command, "(CONDSTORE)");
		return;
	}
	command_text(command, "(QRESYNC (");
	command->joined = true;
	command_number(command, qresync->uidvalidity);
	command_number(command, qresync->modseq);
	add_known(command, qresync->known_uids);
	command_close(command);
	command_close(command);
}

static bool run_opening(struct opening *opening, struct imap_command *command,
	struct imap_examined *ret, struct err *err)
{
	struct imap *imap = opening->imap;
	const struct listener listener = {hear_opening, hear_answer, opening};
	const struct imap_reply *reply;

	opening->ours = !imap->selected;
	if (imap->selected && imap->caps & IMAP_CAP_UNSELECT &&
		!send_unselect(imap, &opening->unselect, err))
		return false;
	/* Before the reply: a refused EXAMINE leaves no folder selected (RFC 9051 section 6.3.2),
	 * and what still comes about the old one is no news. */
	imap->selected = false;
	imap->news = false;
	if (!session_run(imap, command, &listener, &reply, err) ||
		!reply_is_ok(command->name, reply, err))
		return false;
	opening->examined.read_only = reply->code == IMAP_CODE_READ_ONLY;
	imap->selected = true;
	imap->exists = opening->examined.exists;
	*ret = opening->examined;
	opening->examined = (struct imap_examined){0};
	return true;
}

static bool open_folder(struct opening *opening, const char *name, const char *wire_name,
	const struct imap_qresync *qresync, struct imap_examined *ret, struct err *err)
{
	CLEANUP(command_free) struct imap_command command = {0};
	bool opened;

	session_start(opening->imap, &command, name);
	command_astring(&command, wire_name);
	add_parameters(opening->imap, &command, qresync);
	command_end(&command);
	opened = run_opening(opening, &command, ret, err);
	imap_examined_free(&opening->examined);
	return opened;
}

bool imap_examine(struct imap *imap, const char *wire_name, const struct imap_qresync *qresync,
	const struct imap_fetch_sink *sink, struct imap_examined *ret_examined, struct err *err)
{
	struct opening opening = {.imap = imap, .sink = qresync ? sink : NULL};

	assert(!qresync || imap->qresync);
	return open_folder(&opening, "EXAMINE", wire_name, qresync, ret_examined, err);
}

bool imap_select(struct imap *imap, const char *wire_name, struct imap_examined *ret_examined,
	struct err *err)
{
	struct opening opening = {.imap = imap};

	return open_folder(&opening, "SELECT", wire_name, NULL, ret_examined, err);
}

bool imap_unselect(struct imap *imap, struct err *err)
{
	CLEANUP(command_free) struct imap_command command = {0};

	if (!imap->selected || !(imap->caps & IMAP_CAP_UNSELECT))
		return true;
	session_start(imap, &command, "UNSELECT");
	command_end(&command);
	imap->selected = false;
	imap->news = false;
	return session_run_ok(imap, &command, NULL, err);
}
