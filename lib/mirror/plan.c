#include "mirror/plan.h"

#include <assert.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/str.h"

bool plan_skip(
	const struct imap_counts *counts, const struct archive_mark *mark, bool flag_scan_due)
{
	uint32_t needed = IMAP_HAS_UIDVALIDITY | IMAP_HAS_MESSAGES;

	if ((counts->has & needed) != needed)
		return false;
	if (counts->uidvalidity != mark->uidvalidity || counts->messages != mark->messages)
		return false;
	if ((counts->has & IMAP_HAS_UIDNEXT) && counts->uidnext != mark->uidnext)
		return false;
	if (mark->highestmodseq != 0)
		return (counts->has & IMAP_HAS_HIGHESTMODSEQ) &&
		       counts->highestmodseq == mark->highestmodseq;
	return (counts->has & IMAP_HAS_UIDNEXT) && !flag_scan_due;
}

bool plan_flag_scan_due(int64_t last_ms, int64_t every_ms, int64_t now_ms)
{
	return now_ms < last_ms || now_ms - last_ms >= every_ms;
}

char *plan_attributes(const char *attributes)
{
	CLEANUP(buf_free) struct buf kept = BUF_INIT(strlen(attributes) + 1);

	while (*attributes) {
		size_t len = strcspn(attributes, " ");
		CLEANUP(freep) char *word = xstrndup(attributes, len);

		if (len > 0 && !str_equal_case(word, "\\Marked") &&
			!str_equal_case(word, "\\Unmarked")) {
			bool fits = (kept.len == 0 || buf_add_str(&kept, " ")) &&
				    buf_add(&kept, word, len);

			assert(fits);
		}
		attributes += len;
		attributes += strspn(attributes, " ");
	}
	return buf_take_str(&kept);
}

void folder_plan_free(struct folder_plan *plan)
{
	rangeset_free(&plan->fetch);
	rangeset_free(&plan->gone);
	uid_list_free(&plan->reflag);
}

static void uids_told(const struct server_view *server, struct rangeset *ret_uids)
{
	for (size_t i = 0; i < server->changed.count; i++)
		rangeset_add(ret_uids, server->changed.items[i].uid, server->changed.items[i].uid);
}

static void plan_fetch(const struct server_view *server, const struct archive_view *archive,
	const struct rangeset *without, struct rangeset *ret_fetch)
{
	CLEANUP(rangeset_free) struct rangeset there = {0}, missing = {0};

	if (server->whole)
		rangeset_add_set(&there, &server->uids);
	else
		uids_told(server, &there);
	rangeset_subtract(&there, &archive->uids, &missing);
	rangeset_subtract(&missing, without, ret_fetch);
}

static void plan_reflag(const struct server_view *server, const struct archive_view *archive,
	struct uid_list *ret_reflag)
{
	for (size_t i = 0; i < server->changed.count; i++) {
		const struct uid_flags *told = &server->changed.items[i];
		const struct uid_flags *held = uid_list_find(&archive->present, told->uid);

		if (held && strcmp(held->flags, told->flags) != 0)
			uid_list_add(ret_reflag, told->uid, told->flags);
	}
}

void plan_folder(const struct server_view *server, const struct archive_view *archive,
	const struct rangeset *without, struct folder_plan *ret_plan)
{
	assert(ret_plan->fetch.count == 0 && ret_plan->gone.count == 0);
	plan_fetch(server, archive, without, &ret_plan->fetch);
	plan_reflag(server, archive, &ret_plan->reflag);
	if (server->whole)
		rangeset_subtract(&archive->uids, &server->uids, &ret_plan->gone);
	else
		rangeset_intersect(&archive->uids, &server->vanished, &ret_plan->gone);
}

bool plan_delta_adds_up(const struct server_view *server, const struct archive_view *archive,
	const struct rangeset *without)
{
	CLEANUP(rangeset_free) struct rangeset held = {0}, after = {0};

	rangeset_add_set(&held, &archive->uids);
	rangeset_add_set(&held, without);
	uids_told(server, &held);
	rangeset_subtract(&held, &server->vanished, &after);
	return rangeset_size(&after) == server->exists;
}
