#include <assert.h>
#include <string.h>

#include "base/str.h"
#include "imap/session_internal.h"

enum { RANGE_TEXT_MAX = 22, COMMAND_REST_MAX = 400 };

/* One UID FETCH in flight. */
struct flight {
	uint64_t serial; /* 0: none */
	struct rangeset uids;
};

struct ranged_fetch {
	struct imap *imap;
	const struct imap_fetch *fetch;
	const struct imap_fetch_sink *sink;
	size_t range_at;   /* the first range with UIDs not asked for yet */
	uint32_t next_uid; /* in it, the first such UID */
	struct flight flights[IMAP_FETCH_IN_FLIGHT];
	size_t in_flight;
};

/* --- cutting the set into ranges --- */

static bool is_open(struct range range)
{
	return range.last == UINT32_MAX;
}

/*
 * The UIDs of the next command, limited in messages and in text. An open range ("n:*") has no known
 * size and is not cut.
 */
static void take_part(struct ranged_fetch *fetching, struct rangeset *part)
{
	const struct rangeset *all = fetching->fetch->uids;
	uint64_t room = fetching->fetch->range_messages ? fetching->fetch->range_messages
							: IMAP_FETCH_RANGE_MESSAGES;

	if (fetching->fetch->changed_since)
		room = UINT64_MAX;
	while (fetching->range_at < all->count && room > 0 &&
		part->count < (IMAP_COMMAND_BYTES_MAX - COMMAND_REST_MAX) / RANGE_TEXT_MAX) {
		struct range range = all->items[fetching->range_at];

		if (range.first < fetching->next_uid)
			range.first = fetching->next_uid;
		if (!is_open(range) && (uint64_t)range.last - range.first >= room) {
			range.last = range.first + (uint32_t)room - 1;
			fetching->next_uid = range.last + 1;
		} else {
			fetching->range_at++;
		}
		room -= is_open(range) ? room : (uint64_t)range.last - range.first + 1;
		rangeset_add(part, range.first, range.last);
	}
}

/* --- the command --- */

static void add_items(const struct imap *imap, struct imap_command *command, uint32_t items)
{
	static const struct {
		uint32_t item;
		const char *text;
	} texts[] = {
		{IMAP_ITEM_FLAGS, "FLAGS"},
		{IMAP_ITEM_DATE, "INTERNALDATE"},
		{IMAP_ITEM_SIZE, "RFC822.SIZE"},
		{IMAP_ITEM_MODSEQ, "MODSEQ"},
		{IMAP_ITEM_MESSAGE_ID, "BODY.PEEK[HEADER.FIELDS (MESSAGE-ID)]"},
		{IMAP_ITEM_SUMMARY, "BODY.PEEK[HEADER.FIELDS (FROM SUBJECT DATE MESSAGE-ID)]"},
		{IMAP_ITEM_BODY, "BODY.PEEK[]"},
	};

	if (!imap->condstore)
		items &= ~(uint32_t)IMAP_ITEM_MODSEQ;
	command_open(command);
	command_text(command, "UID");
	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		if (items & texts[i].item)
			command_text(command, texts[i].text);
	command_close(command);
}

static void add_changed_since(
	const struct imap *imap, struct imap_command *command, uint64_t changed_since)
{
	command_open(command);
	command_text(command, "CHANGEDSINCE");
	command_number(command, changed_since);
	if (imap->qresync)
		command_text(command, "VANISHED");
	command_close(command);
}

static bool send_part(struct ranged_fetch *fetching, struct flight *flight, struct err *err)
{
	struct imap *imap = fetching->imap;
	CLEANUP(command_free) struct imap_command command = {0};
	uint64_t answers, messages = fetching->fetch->messages;

	take_part(fetching, &flight->uids);
	answers = rangeset_size(&flight->uids);
	session_start(imap, &command, "UID FETCH");
	command_set(&command, &flight->uids);
	add_items(imap, &command, fetching->fetch->items);
	if (fetching->fetch->changed_since)
		add_changed_since(imap, &command, fetching->fetch->changed_since);
	command_end(&command);
	assert(command.bytes.len <= IMAP_COMMAND_BYTES_MAX);
	session_expect(imap, messages > 0 && messages < answers ? messages : answers);
	fetching->in_flight++;
	assert(fetching->in_flight <= IMAP_FETCH_IN_FLIGHT);
	return session_send(imap, &command, &flight->serial, NULL, err);
}

static bool fill_flights(struct ranged_fetch *fetching, struct err *err)
{
	for (size_t i = 0; i < IMAP_FETCH_IN_FLIGHT; i++) {
		struct flight *flight = &fetching->flights[i];

		if (fetching->range_at == fetching->fetch->uids->count)
			return true;
		if (!flight->serial && !send_part(fetching, flight, err))
			return false;
	}
	return true;
}

/* --- replies --- */

/* Does this reply answer one of the commands in flight, or is it news of another client's change?
 */
static bool is_answer(const struct ranged_fetch *fetching, const struct imap_fetch_reply *reply)
{
	uint32_t asked = fetching->fetch->items, has = reply->has;
	bool more_than_flags = asked & ~(uint32_t)(IMAP_ITEM_FLAGS | IMAP_ITEM_MODSEQ);
	bool asked_for = false;

	if (!(has & IMAP_FETCHED_UID))
		return false;
	for (size_t i = 0; i < IMAP_FETCH_IN_FLIGHT; i++)
		asked_for |= rangeset_has(&fetching->flights[i].uids, reply->uid);
	return asked_for &&
	       (!more_than_flags || has & ~(uint32_t)(IMAP_FETCHED_UID | IMAP_FETCHED_FLAGS |
						      IMAP_FETCHED_MODSEQ));
}

static bool hear_fetch(void *context, const struct imap_reply *reply, struct err *err)
{
	struct ranged_fetch *fetching = context;
	const struct imap_fetch_sink *sink = fetching->sink;

	if (reply->kind == IMAP_FETCH) {
		fetching->imap->news |= !is_answer(fetching, &reply->fetch);
		return !sink->fetched || sink->fetched(sink->context, &reply->fetch, err);
	}
	if (reply->kind == IMAP_VANISHED && reply->set && sink->vanished)
		return sink->vanished(sink->context, reply->set, reply->earlier, err);
	return true;
}

static bool range_done(struct ranged_fetch *fetching, const struct rangeset *uids,
	const struct imap_reply *reply, struct err *err)
{
	const struct imap_fetch_sink *sink = fetching->sink;
	const char *raw = reply->text ? reply->text : "";
	CLEANUP(freep) char *text = str_printable(raw, strlen(raw), SESSION_WORDS_MAX);

	return !sink->range_done ||
	       sink->range_done(sink->context, uids, reply->status == IMAP_OK, text, err);
}

/* One broken message may cause [UNAVAILABLE], so only its range fails. Any other reply that means
 * "later" is about the whole session. */
static bool flight_answered(
	void *context, uint64_t serial, const struct imap_reply *reply, struct err *err)
{
	struct ranged_fetch *fetching = context;

	if (reply->status != IMAP_OK && reply->code != IMAP_CODE_UNAVAILABLE &&
		reply_is_busy(reply))
		return reply_error("UID FETCH", "server is busy", reply, ERR_RETRY, err);
	for (size_t i = 0; i < IMAP_FETCH_IN_FLIGHT; i++) {
		struct flight *flight = &fetching->flights[i];
		bool done;

		if (flight->serial != serial)
			continue;
		done = range_done(fetching, &flight->uids, reply, err);
		rangeset_free(&flight->uids);
		flight->serial = 0;
		fetching->in_flight--;
		return done;
	}
	return true;
}

static bool fetch_all(struct ranged_fetch *fetching, struct err *err)
{
	const struct imap_reply *reply;
	struct sent sent;

	for (;;) {
		if (!fill_flights(fetching, err))
			return false;
		if (fetching->in_flight == 0)
			return true;
		if (!session_step(fetching->imap, &sent, &reply, err))
			return false;
	}
}

bool imap_fetch(struct imap *imap, const struct imap_fetch *fetch,
	const struct imap_fetch_sink *sink, struct err *err)
{
	struct ranged_fetch fetching = {.imap = imap, .fetch = fetch, .sink = sink};
	const struct listener listener = {hear_fetch, flight_answered, &fetching};
	bool fetched;

	assert(imap->condstore || !fetch->changed_since);
	session_listen(imap, &listener);
	session_set_sink(imap, fetch->items & IMAP_ITEM_BODY ? &sink->body : NULL);
	imap->fetching = true;
	fetched = fetch_all(&fetching, err);
	imap->fetching = false;
	session_set_sink(imap, NULL);
	session_listen(imap, NULL);
	for (size_t i = 0; i < IMAP_FETCH_IN_FLIGHT; i++)
		rangeset_free(&fetching.flights[i].uids);
	return fetched;
}
