#include "restore/match/listed.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "mime/summary.h"

enum { RANGE_MESSAGES = 2000, BODY_RANGE_MESSAGES = 64 };

bool shown_init(struct shown_list *list, const struct rangeset *uids, struct err *err)
{
	uint64_t count = rangeset_size(uids);

	if (count > SHOWN_MESSAGES_MAX)
		return err_set(err, ERR_PROTOCOL, "the folder holds more than %d messages",
			SHOWN_MESSAGES_MAX);
	*list = (struct shown_list){
		.items = xcalloc(count + 1, sizeof(*list->items)), .likeness = fingerprint_new()};
	for (size_t i = 0; i < uids->count; i++)
		for (uint64_t uid = uids->items[i].first; uid <= uids->items[i].last; uid++)
			list->items[list->count++].uid = (uint32_t)uid;
	return true;
}

void shown_free(struct shown_list *list)
{
	for (size_t i = 0; i < list->count; i++) {
		free(list->items[i].flags);
		free(list->items[i].message_id);
		free(list->items[i].likeness);
	}
	free(list->items);
	fingerprint_freep(&list->likeness);
	*list = (struct shown_list){0};
}

static int compare_uids(const void *a, const void *b)
{
	uint32_t left = ((const struct shown *)a)->uid, right = ((const struct shown *)b)->uid;

	return (left > right) - (left < right);
}

struct shown *shown_find(const struct shown_list *list, uint32_t uid)
{
	struct shown key = {.uid = uid};

	return list->count == 0
		       ? NULL
		       : bsearch(&key, list->items, list->count, sizeof(key), compare_uids);
}

static void take_header(struct shown *shown, const char *header)
{
	CLEANUP(mime_summary_free) struct mime_summary summary = {0};

	mime_summarise((const uint8_t *)header, strlen(header), &summary);
	free(shown->message_id);
	shown->message_id = TAKE(summary.message_id);
}

static void take_flags(struct shown *shown, const char *flags)
{
	free(shown->flags);
	shown->flags = xstrdup(flags);
}

static void take_body(struct shown_list *list, struct shown *shown)
{
	if (!shown->likeness)
		shown->likeness = xcalloc(1, sizeof(*shown->likeness));
	fingerprint_finish(list->likeness, shown->likeness);
}

static bool fetched(void *context, const struct imap_fetch_reply *fetch, struct err *err)
{
	struct shown_list *list = context;
	struct shown *shown = fetch->has & IMAP_FETCHED_UID ? shown_find(list, fetch->uid) : NULL;
	bool body_came = list->body_came;

	(void)err;
	list->body_came = false;
	if (!shown)
		return true;
	shown->came = true;
	if (fetch->has & IMAP_FETCHED_SIZE)
		shown->size = fetch->size;
	if (fetch->has & IMAP_FETCHED_FLAGS)
		take_flags(shown, fetch->flags);
	if (fetch->has & IMAP_FETCHED_DATE) {
		shown->has_date = true;
		shown->date = fetch->date;
	}
	if (fetch->has & IMAP_FETCHED_HEADER)
		take_header(shown, fetch->header);
	if (fetch->has & IMAP_FETCHED_BODY && body_came)
		take_body(list, shown);
	return true;
}

static bool body_begins(void *context, uint64_t size_bytes, struct err *err)
{
	struct shown_list *list = context;
	struct fingerprint_digests unused;

	(void)size_bytes;
	(void)err;
	fingerprint_finish(list->likeness, &unused);
	return true;
}

static bool body_goes_on(void *context, const uint8_t *data, size_t len, struct err *err)
{
	struct shown_list *list = context;

	(void)err;
	fingerprint_add(list->likeness, data, len);
	return true;
}

static bool body_ends(void *context, struct err *err)
{
	struct shown_list *list = context;

	(void)err;
	list->body_came = true;
	return true;
}

bool shown_fetch(struct shown_list *list, struct imap *imap, const struct rangeset *uids,
	uint32_t items, struct err *err)
{
	const struct imap_fetch_sink sink = {
		.context = list,
		.body = {list, body_begins, body_goes_on, body_ends},
		.fetched = fetched,
	};
	const struct imap_fetch ask = {
		.uids = uids,
		.items = items,
		.range_messages = items & IMAP_ITEM_BODY ? BODY_RANGE_MESSAGES : RANGE_MESSAGES,
	};

	return uids->count == 0 || imap_fetch(imap, &ask, &sink, err);
}
