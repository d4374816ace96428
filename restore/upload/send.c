#include "restore/upload/send.h"

#include <assert.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "restore/upload/feed.h"

static bool take_answer(struct sending *sending, struct err *err)
{
	struct imap_append_result result;
	struct item *item = sending->flight[sending->first];

	assert(sending->in_flight > 0);
	if (!imap_append_result(sending->imap, &result, err))
		return false;
	sending->first = (sending->first + 1) % IMAP_APPEND_IN_FLIGHT;
	sending->in_flight--;
	return sending->answered(sending->context, item, &result, err);
}

bool sending_drain(struct sending *sending, struct err *err)
{
	while (sending->in_flight > 0)
		if (!take_answer(sending, err))
			return false;
	return true;
}

/*
 * The server may have stored any message that was in flight, and the one being written if all of it
 * arrived. The loss makes the next attempt send them alone, after it searched the folder for them.
 */
void sending_lost(struct sending *sending)
{
	if (sending->now)
		sending->now->losses++;
	for (; sending->in_flight > 0; sending->in_flight--) {
		sending->flight[sending->first]->losses++;
		sending->first = (sending->first + 1) % IMAP_APPEND_IN_FLIGHT;
	}
	sending->now = NULL;
}

/*
 * Part of a damaged message was sent. Completing the literal would make the server store it: the
 * error closes the connection instead.
 */
static bool break_literal_off(
	struct sending *sending, struct item *item, const char *words, struct err *err)
{
	CLEANUP(freep) char *copy = xstrdup(words);

	sending->now = NULL;
	if (!sending->unsent(sending->context, item, OUTCOME_SKIPPED, copy, err))
		return false;
	return err_set(err, ERR_RETRY, "connection dropped inside a damaged message");
}

static bool append_item(
	struct sending *sending, struct feed *feed, struct item *item, struct err *err)
{
	CLEANUP(freep) char *flags = sending->flags(sending->context, item);
	const struct imap_append append = {
		.wire_name = sending->wire_name,
		.flags = flags,
		.date = item->has_date && !(item->drop & ITEM_DROP_DATE) ? &item->date : NULL,
		.size_bytes = item->size,
		.read = feed_read,
		.context = feed,
	};

	assert(item->outcome == OUTCOME_NONE && !item->is_there);
	assert(sending->in_flight < IMAP_APPEND_IN_FLIGHT);
	sending->now = item;
	if (!imap_append_send(sending->imap, &append, err)) {
		if (err->kind == ERR_REFUSED) { /* before its literal: the session goes on */
			sending->now = NULL;
			return sending->unsent(
				sending->context, item, OUTCOME_REFUSED, err->text, err);
		}
		if (err_is_unreadable(err) || err->kind == ERR_LOCAL)
			return break_literal_off(sending, item, err->text, err);
		return false;
	}
	sending->now = NULL;
	item->suspect = feed_is_suspect(feed);
	sending->flight[(sending->first + sending->in_flight++) % IMAP_APPEND_IN_FLIGHT] = item;
	return true;
}

static bool send_item(struct sending *sending, struct feed *feed, struct item *item, size_t window,
	struct err *err)
{
	struct err fault = ERR_INIT;

	/* damage that is known before the first byte costs only this message */
	if (!feed_next(feed, &fault))
		return sending->unsent(sending->context, item, OUTCOME_SKIPPED, fault.text, err);
	while (sending->in_flight >= window)
		if (!take_answer(sending, err))
			return false;
	return append_item(sending, feed, item, err);
}

static struct feed *start_feed(
	const struct sending *sending, struct item **items, size_t count, struct err *err)
{
	CLEANUP(freep) struct feed_message *messages = xcalloc(count, sizeof(*messages));
	struct feed *feed = NULL;

	for (size_t i = 0; i < count; i++)
		messages[i] = (struct feed_message){items[i]->message_id, items[i]->size};
	(void)feed_start(sending->ref, messages, count, &feed, err);
	return feed;
}

bool sending_run(struct sending *sending, struct item **items, size_t count, size_t window,
	bool (*before_each)(void *context, size_t index, struct err *err), struct err *err)
{
	CLEANUP(feed_freep) struct feed *feed = NULL;

	assert(window >= 1 && window <= IMAP_APPEND_IN_FLIGHT);
	if (count == 0)
		return true;
	feed = start_feed(sending, items, count, err);
	if (!feed)
		return false;
	for (size_t i = 0; i < count; i++)
		if ((before_each && !before_each(sending->context, i, err)) ||
			!send_item(sending, feed, items[i], window, err))
			return false;
	return sending_drain(sending, err);
}
