#include "mirror/folder/plan.h"

#include <assert.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/str.h"

bool plan_skip(const struct imap_counts *counts, const struct archive_mark *mark, uint64_t left_out,
	bool flag_scan_due)
{
	uint32_t needed = IMAP_HAS_UIDVALIDITY | IMAP_HAS_MESSAGES;

	if ((counts->has & needed) != needed)
		return false;
	if (counts->uidvalidity != mark->uidvalidity ||
		counts->messages != mark->messages + left_out)
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

void part_plan_free(struct part_plan *plan)
{
	rangeset_free(&plan->missing);
	rangeset_free(&plan->fetch);
	rangeset_free(&plan->gone);
	uid_list_free(&plan->reflag);
}

static void plan_reflag(const struct server_view *server, const struct archive_view *archive,
	struct uid_list *ret_reflag)
{
	for (size_t i = 0; i < server->flags.count; i++) {
		const struct uid_flags *told = &server->flags.items[i];
		const struct uid_flags *held = uid_list_find(&archive->flags, told->uid);

		if (held && strcmp(held->flags, told->flags) != 0)
			uid_list_add(ret_reflag, told->uid, told->flags);
	}
}

void plan_part(const struct server_view *server, const struct archive_view *archive,
	const struct rangeset *without, struct part_plan *ret_plan)
{
	rangeset_subtract(&server->uids, &archive->uids, &ret_plan->missing);
	rangeset_subtract(&ret_plan->missing, without, &ret_plan->fetch);
	rangeset_subtract(&archive->uids, &server->uids, &ret_plan->gone);
	plan_reflag(server, archive, &ret_plan->reflag);
}

bool plan_delta_adds_up(const struct server_view *server, const struct archive_view *archive,
	const struct rangeset *without, const struct archive_mark *mark, uint64_t left_out,
	uint32_t exists)
{
	CLEANUP(rangeset_free) struct rangeset held = {0}, gone = {0};
	uint64_t came =
		rangeset_size(&server->uids) - rangeset_size_below(&server->uids, mark->uidnext);

	rangeset_add_set(&held, &archive->uids);
	rangeset_add_set(&held, without);
	rangeset_subtract(&held, &server->uids, &gone);
	return mark->messages + left_out + came ==
	       exists + rangeset_size_below(&gone, mark->uidnext);
}
