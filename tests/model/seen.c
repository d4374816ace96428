#include "model/seen.h"

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/str.h"

enum { BODY_MAX = 64 * 1024 * 1024 };

void seen_init(struct seen *seen)
{
	*seen = (struct seen){.body = BUF_INIT(BODY_MAX)};
}

static void message_free(struct seen_message *message)
{
	free(message->flags);
	free(message->date);
	free(message->header);
	buf_free(&message->body);
}

void seen_free(struct seen *seen)
{
	for (size_t i = 0; i < seen->count; i++)
		message_free(&seen->items[i]);
	free(seen->items);
	buf_free(&seen->body);
	rangeset_free(&seen->done);
	rangeset_free(&seen->refused);
}

struct seen_message *seen_message(const struct seen *seen, uint32_t uid)
{
	for (size_t i = 0; i < seen->count; i++)
		if (seen->items[i].uid == uid)
			return &seen->items[i];
	return NULL;
}

static struct seen_message *find_or_add(struct seen *seen, uint32_t uid)
{
	struct seen_message *message = seen_message(seen, uid);

	if (message)
		return message;
	ARRAY_GROW(seen->items, seen->count, seen->cap);
	message = &seen->items[seen->count++];
	*message = (struct seen_message){.uid = uid, .body = BUF_INIT(BODY_MAX)};
	return message;
}

static bool body_begin(void *context, uint64_t size_bytes, struct err *err)
{
	struct seen *seen = context;

	(void)size_bytes;
	(void)err;
	buf_reset(&seen->body);
	seen->bodies_cut++;
	return true;
}

static bool body_data(void *context, const uint8_t *data, size_t len, struct err *err)
{
	struct seen *seen = context;

	return buf_add(&seen->body, data, len) || err_set(err, ERR_LOCAL, "too big");
}

static bool body_end(void *context, struct err *err)
{
	struct seen *seen = context;

	(void)err;
	seen->bodies_cut--;
	return true;
}

static void replace(char **place, const char *text)
{
	free(*place);
	*place = xstrdup(text);
}

static bool fetched(void *context, const struct imap_fetch_reply *fetch, struct err *err)
{
	struct seen *seen = context;
	struct seen_message *message;

	(void)err;
	if (!(fetch->has & IMAP_FETCHED_UID))
		return true;
	message = find_or_add(seen, fetch->uid);
	if (fetch->has & IMAP_FETCHED_FLAGS)
		replace(&message->flags, fetch->flags);
	if (fetch->has & IMAP_FETCHED_DATE)
		replace(&message->date, fetch->date_text);
	if (fetch->has & IMAP_FETCHED_HEADER)
		replace(&message->header, fetch->header);
	if (fetch->has & IMAP_FETCHED_MODSEQ)
		message->modseq = fetch->modseq;
	message->nil_body = message->nil_body || (fetch->has & IMAP_FETCHED_NIL_BODY);
	if (fetch->has & IMAP_FETCHED_BODY) {
		struct buf old = message->body;

		message->has_body = true;
		message->body = seen->body;
		seen->body = old;
	}
	return true;
}

static void forget(struct seen *seen, const struct rangeset *uids, bool listed)
{
	size_t kept = 0;

	for (size_t i = 0; i < seen->count; i++)
		if (rangeset_has(uids, seen->items[i].uid) == listed)
			message_free(&seen->items[i]);
		else
			seen->items[kept++] = seen->items[i];
	seen->count = kept;
}

static bool vanished(void *context, const struct rangeset *uids, bool earlier, struct err *err)
{
	(void)earlier;
	(void)err;
	forget(context, uids, true);
	return true;
}

static bool range_done(
	void *context, const struct rangeset *uids, bool ok, const char *text, struct err *err)
{
	struct seen *seen = context;

	(void)err;
	rangeset_add_set(ok ? &seen->done : &seen->refused, uids);
	if (!ok)
		(void)snprintf(seen->refusal, sizeof(seen->refusal), "%s", text);
	return true;
}

struct imap_fetch_sink seen_sink(struct seen *seen)
{
	return (struct imap_fetch_sink){
		.context = seen,
		.body = {.context = seen, .begin = body_begin, .data = body_data, .end = body_end},
		.fetched = fetched,
		.vanished = vanished,
		.range_done = range_done,
	};
}

void seen_keep(struct seen *seen, const struct rangeset *uids)
{
	forget(seen, uids, false);
}

void seen_uids(const struct seen *seen, struct rangeset *ret_uids)
{
	for (size_t i = 0; i < seen->count; i++)
		rangeset_add(ret_uids, seen->items[i].uid, seen->items[i].uid);
}

static char *message_difference(
	const struct seen_message *seen, const struct model_message *message, bool bodies)
{
	if (!seen)
		return xstrdup("not seen");
	if (!seen->flags || strcmp(seen->flags, message->flags) != 0)
		return str_printf("flags \"%s\", not \"%s\"", seen->flags ? seen->flags : "-",
			message->flags);
	if (!bodies)
		return NULL;
	if (!seen->date || strcmp(seen->date, message->date) != 0)
		return str_printf(
			"date \"%s\", not \"%s\"", seen->date ? seen->date : "-", message->date);
	if (!seen->has_body || seen->body.len != message->len ||
		(message->len && memcmp(seen->body.data, message->bytes, message->len) != 0))
		return str_printf("body of %zu bytes, not %zu", seen->body.len, message->len);
	return NULL;
}

char *seen_difference(const struct seen *seen, const struct model_folder *folder, bool bodies)
{
	for (size_t i = 0; i < folder->count; i++) {
		const struct model_message *message = &folder->messages[i];
		CLEANUP(freep)
		char *text = message_difference(seen_message(seen, message->uid), message, bodies);

		if (text)
			return str_printf(
				"%s: uid %u: %s", folder->name, (unsigned)message->uid, text);
	}
	if (seen->count != folder->count)
		return str_printf(
			"%s: %zu seen, not %zu", folder->name, seen->count, folder->count);
	return NULL;
}
