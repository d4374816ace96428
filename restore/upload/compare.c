#include "restore/upload/compare.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "restore/match/flag_text.h"

/* --- deciding --- */

static void add_detail(struct compare_result *result, const char *format, ...) PRINTF_LIKE(2, 3);
static void add_detail(struct compare_result *result, const char *format, ...)
{
	size_t used = strlen(result->detail);
	size_t room = sizeof(result->detail) - used;
	va_list args;

	if (used > 0 && room > 3) {
		memcpy(result->detail + used, "; ", 3);
		used += 2;
		room -= 2;
	}
	va_start(args, format);
	(void)vsnprintf(result->detail + used, room, format, args);
	va_end(args);
}

static void compare_flags(
	const struct item *item, const struct listed *listed, struct compare_result *result)
{
	const char *there = listed->flags ? listed->flags : "";
	CLEANUP(freep) char *lost = flag_text_without(item->flags, there);
	CLEANUP(freep) char *gained = flag_text_without(there, item->flags);

	result->flags = *lost || *gained;
	if (*lost)
		add_detail(result, "flags lost: %s", lost);
	if (*gained)
		add_detail(result, "flags added: %s", gained);
}

static void compare_dates(
	const struct item *item, const struct listed *listed, struct compare_result *result)
{
	char wanted[ZONED_TIME_TEXT_MAX] = "none", there[ZONED_TIME_TEXT_MAX] = "none";

	result->date = item->has_date != listed->has_date ||
		       (item->has_date && item->date.unix_s != listed->date.unix_s);
	if (!result->date)
		return;
	if (item->has_date)
		zoned_time_format_rfc3339(item->date, wanted);
	if (listed->has_date)
		zoned_time_format_rfc3339(listed->date, there);
	add_detail(result, "date is %s instead of %s", there, wanted);
}

static const char *kind_of_change(
	const struct fingerprint_digests *source, const struct fingerprint_digests *there)
{
	if (!source)
		return "bytes changed";
	if (memcmp(source->whole, there->whole, SHA256_BYTES) == 0)
		return "line ends, NUL or 8-bit bytes changed";
	if (memcmp(source->body, there->body, SHA256_BYTES) == 0)
		return "header changed";
	return there->size < source->size ? "bytes changed, some are lost" : "bytes changed";
}

static void compare_content(const struct item *item, const struct listed *listed,
	const struct fingerprint_digests *source, struct compare_result *result)
{
	if (!listed->fingerprint) {
		result->bytes = listed->size != item->size;
		if (result->bytes)
			add_detail(result,
				"%" PRIu64 " bytes instead of %" PRIu64
				", and cannot be fetched back",
				listed->size, item->size);
		return;
	}
	result->bytes = memcmp(listed->fingerprint->exact, item->sha256, SHA256_BYTES) != 0;
	if (result->bytes)
		add_detail(result, "%s: %" PRIu64 " bytes instead of %" PRIu64,
			kind_of_change(source, listed->fingerprint), listed->fingerprint->size,
			item->size);
}

void compare_decide(const struct item *item, const struct listed *listed,
	const struct fingerprint_digests *source, struct compare_result *ret_result)
{
	*ret_result = (struct compare_result){.missing = !listed->came};
	if (!listed->came) {
		add_detail(ret_result, "no longer there");
		return;
	}
	compare_content(item, listed, source, ret_result);
	compare_flags(item, listed, ret_result);
	compare_dates(item, listed, ret_result);
}

/* --- fetching --- */

static int compare_target_uids(const void *a, const void *b)
{
	uint32_t left = (*(struct item *const *)a)->target_uid;
	uint32_t right = (*(struct item *const *)b)->target_uid;

	return (left > right) - (left < right);
}

/*
 * Fetching every message back would double the traffic. Servers that change bytes change the size
 * as well, except for those that make a message `suspect` (docs/SERVERS.md); verify takes samples.
 */
static bool needs_bytes(const struct compare_ask *ask, const struct item *item,
	const struct listed *listed, size_t index)
{
	return listed && listed->came &&
	       (ask->bytes == COMPARE_ALL || listed->size != item->size || item->suspect ||
		       (ask->bytes == COMPARE_SAMPLE && index % COMPARE_SAMPLE_EVERY == 0));
}

static bool fetch_listed(const struct compare_ask *ask, struct item **items, size_t count,
	struct listed_set *list, struct err *err)
{
	CLEANUP(rangeset_free) struct rangeset uids = {0};
	CLEANUP(rangeset_free) struct rangeset bodies = {0};

	for (size_t i = 0; i < count; i++) {
		assert(items[i]->target_uid > 0);
		rangeset_add(&uids, items[i]->target_uid, items[i]->target_uid);
	}
	if (!listed_init(list, &uids, err) ||
		!listed_fetch(list, ask->imap, &uids,
			IMAP_ITEM_SIZE | IMAP_ITEM_DATE | IMAP_ITEM_FLAGS, err))
		return false;
	for (size_t i = 0; i < count; i++)
		if (needs_bytes(ask, items[i], listed_find(list, items[i]->target_uid), i))
			rangeset_add(&bodies, items[i]->target_uid, items[i]->target_uid);
	return listed_fetch(list, ask->imap, &bodies, IMAP_ITEM_BODY, err);
}

static bool fingerprint_piece(void *context, const uint8_t *data, size_t len, struct err *err)
{
	(void)err;
	fingerprint_add(context, data, len);
	return true;
}

/* Classifying a change needs the archive's bytes. If they cannot be read it is just a change. */
static bool fingerprint_source(const struct compare_ask *ask, const struct item *item,
	struct fingerprint *fingerprint, struct fingerprint_digests *ret_digests)
{
	struct err err = ERR_INIT;
	bool read = archive_read_message(
		ask->archive, item->message_id, fingerprint_piece, fingerprint, &err);

	fingerprint_finish(fingerprint, ret_digests);
	return read;
}

static bool compare_item(const struct compare_ask *ask, struct item *item,
	const struct listed *listed, struct fingerprint *fingerprint, struct err *err)
{
	struct fingerprint_digests source;
	struct compare_result result;
	bool differs = listed->fingerprint &&
		       memcmp(listed->fingerprint->exact, item->sha256, SHA256_BYTES) != 0;

	differs = differs && fingerprint_source(ask, item, fingerprint, &source);
	compare_decide(item, listed, differs ? &source : NULL, &result);
	item->compared |= listed->came;
	return ask->result(ask->context, item, listed, &result, err);
}

bool compare_items(
	const struct compare_ask *ask, struct item **items, size_t count, struct err *err)
{
	CLEANUP(listed_free) struct listed_set list = {0};
	CLEANUP(fingerprint_freep) struct fingerprint *fingerprint = fingerprint_new();

	if (count == 0)
		return true;
	qsort(items, count, sizeof(struct item *), compare_target_uids);
	if (!fetch_listed(ask, items, count, &list, err))
		return err_wrap(err, "comparing");
	for (size_t i = 0; i < count; i++)
		if (!compare_item(ask, items[i], listed_find(&list, items[i]->target_uid),
			    fingerprint, err))
			return false;
	return true;
}
