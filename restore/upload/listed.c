#include "restore/upload/listed.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "mime/summary.h"

enum { RANGE_MESSAGES = 2000, BODY_RANGE_MESSAGES = 64 };

bool listed_init(struct listed_set *list, const struct rangeset *uids, struct err *err)
{
	uint64_t count = rangeset_size(uids);

	if (count > LISTED_MESSAGES_MAX)
		return err_set(err, ERR_PROTOCOL, "the folder holds more than %d messages",
			LISTED_MESSAGES_MAX);
	*list = (struct listed_set){.items = xcalloc(count + 1, sizeof(*list->items)),
		.fingerprint = fingerprint_new()};
	for (size_t i = 0; i < uids->count; i++)
		for (uint64_t uid = uids->items[i].first; uid <= uids->items[i].last; uid++)
			list->items[list->count++].uid = (uint32_t)uid;
	return true;
}

void listed_free(struct listed_set *list)
{
	for (size_t i = 0; i < list->count; i++) {
		free(list->items[i].flags);
		free(list->items[i].message_id);
		free(list->items[i].fingerprint);
	}
	free(list->items);
	fingerprint_freep(&list->fingerprint);
	*list = (struct listed_set){0};
}

static int compare_uids(const void *a, const void *b)
{
	uint32_t left = ((const struct listed *)a)->uid, right = ((const struct listed *)b)->uid;

	return (left > right) - (left < right);
}

struct listed *listed_find(const struct listed_set *list, uint32_t uid)
{
	struct listed key = {.uid = uid};

	return list->count == 0
		       ? NULL
		       : bsearch(&key, list->items, list->count, sizeof(key), compare_uids);
}

static void set_message_id(struct listed *listed, const char *header)
{
	CLEANUP(mime_summary_free) struct mime_summary summary = {0};

	mime_summarise((const uint8_t *)header, strlen(header), &summary);
	free(listed->message_id);
	listed->message_id = TAKE(summary.message_id);
}

static bool take_reply(void *context, const struct imap_fetch_reply *fetch, struct err *err)
{
	struct listed_set *list = context;
	struct listed *listed =
		fetch->has & IMAP_FETCHED_UID ? listed_find(list, fetch->uid) : NULL;
	bool body_came = list->body_came;

	(void)err;
	list->body_came = false;
	if (!listed) /* a change of another message, or a message that is new since the search */
		return true;
	listed->came = true;
	if (fetch->has & IMAP_FETCHED_SIZE)
		listed->size = fetch->size;
	if (fetch->has & IMAP_FETCHED_FLAGS) {
		free(listed->flags);
		listed->flags = xstrdup(fetch->flags);
	}
	if (fetch->has & IMAP_FETCHED_DATE) {
		listed->has_date = true;
		listed->date = fetch->date;
	}
	if (fetch->has & IMAP_FETCHED_HEADER)
		set_message_id(listed, fetch->header);
	if (fetch->has & IMAP_FETCHED_BODY && body_came) {
		if (!listed->fingerprint)
			listed->fingerprint = xcalloc(1, sizeof(*listed->fingerprint));
		fingerprint_finish(list->fingerprint, listed->fingerprint);
	}
	return true;
}

static bool begin_fingerprint(void *context, uint64_t size_bytes, struct err *err)
{
	struct listed_set *list = context;
	struct fingerprint_digests unused;

	(void)size_bytes;
	(void)err;
	/* starts over: the literal before may have had no reply to count it for */
	fingerprint_finish(list->fingerprint, &unused);
	return true;
}

static bool continue_fingerprint(void *context, const uint8_t *data, size_t len, struct err *err)
{
	struct listed_set *list = context;

	(void)err;
	fingerprint_add(list->fingerprint, data, len);
	return true;
}

static bool end_fingerprint(void *context, struct err *err)
{
	struct listed_set *list = context;

	(void)err;
	list->body_came = true;
	return true;
}

bool listed_fetch(struct listed_set *list, struct imap *imap, const struct rangeset *uids,
	uint32_t items, struct err *err)
{
	const struct imap_fetch_sink sink = {
		.context = list,
		.body = {list, begin_fingerprint, continue_fingerprint, end_fingerprint},
		.fetched = take_reply,
	};
	const struct imap_fetch ask = {
		.uids = uids,
		.items = items,
		.range_messages = items & IMAP_ITEM_BODY ? BODY_RANGE_MESSAGES : RANGE_MESSAGES,
	};

	return uids->count == 0 || imap_fetch(imap, &ask, &sink, err);
}
