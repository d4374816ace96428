/* The APPENDs whose results the caller has not taken, oldest first, in a ring of fixed size. */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/str.h"
#include "imap/session_internal.h"

struct appended *append_ring_at(struct imap *imap, size_t i)
{
	assert(i < imap->appended_count && imap->appended_count <= IMAP_APPEND_IN_FLIGHT);
	return &imap->appended[(imap->appended_at + i) % IMAP_APPEND_IN_FLIGHT];
}

struct appended *append_ring_add(struct imap *imap, uint64_t serial, uint64_t size_bytes)
{
	struct appended *appended;

	assert(imap->appended_count < IMAP_APPEND_IN_FLIGHT);
	if (!imap->appended)
		imap->appended = xcalloc(IMAP_APPEND_IN_FLIGHT, sizeof(*imap->appended));
	imap->appended_count++;
	appended = append_ring_at(imap, imap->appended_count - 1);
	*appended = (struct appended){.serial = serial, .size_bytes = size_bytes};
	return appended;
}

void append_ring_drop_oldest(struct imap *imap)
{
	assert(imap->appended_count > 0);
	imap->appended_at = (imap->appended_at + 1) % IMAP_APPEND_IN_FLIGHT;
	imap->appended_count--;
}

uint64_t append_ring_bytes_due(struct imap *imap)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < imap->appended_count; i++)
		if (!append_ring_at(imap, i)->done)
			sum += append_ring_at(imap, i)->size_bytes;
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

bool append_ring_take_reply(struct imap *imap, uint64_t serial, const struct imap_reply *reply)
{
	const char *raw = reply->text ? reply->text : "";

	for (size_t i = 0; i < imap->appended_count; i++) {
		struct appended *appended = append_ring_at(imap, i);
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
