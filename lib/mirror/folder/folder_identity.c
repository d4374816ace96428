#include "mirror/folder/folder_identity.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "mime/summary.h"

/* What the archive has of one message. */
struct sampled {
	uint32_t uid;
	uint64_t size;
	bool has_date;
	struct zoned_time date;
	char *date_text;
	struct mime_summary summary;
	bool compared;
};

struct sample_comparison {
	uint32_t uidvalidity;
	struct rangeset held;   /* UIDs in the archive */
	struct rangeset sample; /* some of them */
	struct sampled samples[IDENTITY_SAMPLE];
	size_t count;
	size_t same, similar, unclear, other;
};

static void sample_comparison_free(struct sample_comparison *comparison)
{
	rangeset_free(&comparison->held);
	rangeset_free(&comparison->sample);
	for (size_t i = 0; i < comparison->count; i++) {
		free(comparison->samples[i].date_text);
		mime_summary_free(&comparison->samples[i].summary);
	}
}

/* --- what the archive has --- */

/* Evenly spread over the UIDs held, with the lowest and the highest. */
static void choose_sample(struct sample_comparison *comparison)
{
	const struct rangeset *held = &comparison->held;
	uint64_t size = rangeset_size(held);
	uint64_t steps = size < IDENTITY_SAMPLE ? size : IDENTITY_SAMPLE;
	uint64_t before = 0; /* UIDs in the ranges before `range` */
	size_t range = 0;

	for (uint64_t i = 0; i < steps; i++) {
		uint64_t nth = steps == 1 ? 0 : i * (size - 1) / (steps - 1);
		uint32_t uid;

		while (nth - before > held->items[range].last - held->items[range].first) {
			before += (uint64_t)held->items[range].last - held->items[range].first + 1;
			range++;
		}
		uid = held->items[range].first + (uint32_t)(nth - before);
		rangeset_add(&comparison->sample, uid, uid);
	}
}

static bool add_sampled(void *context, const struct archive_entry *entry, struct err *err)
{
	struct sample_comparison *comparison = context;

	(void)err;
	if (entry->uidvalidity != comparison->uidvalidity ||
		!rangeset_has(&comparison->sample, entry->uid) ||
		comparison->count == IDENTITY_SAMPLE)
		return true;
	comparison->samples[comparison->count++] = (struct sampled){
		.uid = entry->uid,
		.size = entry->size,
		.has_date = entry->has_date,
		.date = entry->date,
		.date_text = entry->date_text ? xstrdup(entry->date_text) : NULL,
		.summary = {.from = xstrdup(entry->from),
			.subject = xstrdup(entry->subject),
			.date = xstrdup(entry->date_header),
			.message_id = xstrdup(entry->header_message_id)},
	};
	return true;
}

static bool read_sampled_messages(
	struct pass *pass, int64_t folder_id, struct sample_comparison *comparison, struct err *err)
{
	struct archive *view = archive_writer_view(pass->writer);
	const struct archive_list list = {
		.generation = pass->result.generation, .folder_id = folder_id};

	if (!archive_add_uids(
		    view, folder_id, comparison->uidvalidity, NULL, &comparison->held, err))
		return false;
	choose_sample(comparison);
	return comparison->sample.count == 0 ||
	       archive_each_entry(view, &list, add_sampled, comparison, err);
}

/* --- compared with what the server says --- */

static bool same_date(const struct sampled *sampled, const struct imap_fetch_reply *fetch)
{
	if (sampled->has_date)
		return (fetch->has & IMAP_FETCHED_DATE) &&
		       sampled->date.unix_s == fetch->date.unix_s;
	return sampled->date_text && fetch->date_text &&
	       strcmp(sampled->date_text, fetch->date_text) == 0;
}

static bool same_headers(const struct sampled *sampled, const char *header)
{
	CLEANUP(mime_summary_free) struct mime_summary told;

	mime_summarise((const uint8_t *)header, strlen(header), &told);
	return strcmp(sampled->summary.from, told.from) == 0 &&
	       strcmp(sampled->summary.subject, told.subject) == 0 &&
	       strcmp(sampled->summary.date, told.date) == 0 &&
	       strcmp(sampled->summary.message_id, told.message_id) == 0;
}

static void compare_message(struct sample_comparison *comparison, struct sampled *sampled,
	const struct imap_fetch_reply *fetch)
{
	bool size = sampled->size == fetch->size;
	bool date = same_date(sampled, fetch);
	bool headers = same_headers(sampled, fetch->header);

	sampled->compared = true;
	if (size && date && headers)
		comparison->same++;
	else if (!headers && !(size && date))
		comparison->other++;
	else if (date && headers && sampled->summary.message_id[0])
		comparison->similar++;
	else
		comparison->unclear++;
}

static bool on_sampled_message(void *context, const struct imap_fetch_reply *fetch, struct err *err)
{
	struct sample_comparison *comparison = context;
	uint32_t needed = IMAP_FETCHED_UID | IMAP_FETCHED_SIZE | IMAP_FETCHED_HEADER;

	(void)err;
	if ((fetch->has & needed) != needed)
		return true;
	for (size_t i = 0; i < comparison->count; i++)
		if (comparison->samples[i].uid == fetch->uid && !comparison->samples[i].compared)
			compare_message(comparison, &comparison->samples[i], fetch);
	return true;
}

static bool ask_server(struct pass *pass, const struct imap_folder *server,
	struct sample_comparison *comparison, struct err *err)
{
	CLEANUP(imap_examined_free) struct imap_examined examined = {0};
	const struct imap_fetch fetch = {
		.uids = &comparison->sample,
		.items = IMAP_ITEM_SIZE | IMAP_ITEM_DATE | IMAP_ITEM_SUMMARY,
	};
	const struct imap_fetch_sink sink = {.context = comparison, .fetched = on_sampled_message};

	pass->result.looked++;
	if (!imap_examine(pass->job->imap, server->wire_name, NULL, NULL, &examined, err))
		return false;
	/* another UIDVALIDITY than LIST gave: nothing is compared, and the verdict is UNCLEAR */
	return examined.uidvalidity != comparison->uidvalidity ||
	       imap_fetch(pass->job->imap, &fetch, &sink, err);
}

static enum rename_verdict verdict_of(const struct sample_comparison *comparison)
{
	if (comparison->other > 0)
		return RENAME_OTHER;
	if (comparison->unclear > 0 || comparison->same + comparison->similar == 0)
		return RENAME_UNCLEAR;
	return comparison->similar > 0 ? RENAME_SIMILAR : RENAME_SAME;
}

bool folder_identify(struct pass *pass, int64_t folder_id, uint32_t uidvalidity,
	const struct imap_folder *server, enum rename_verdict *ret_verdict, struct err *err)
{
	CLEANUP(sample_comparison_free)
	struct sample_comparison comparison = {.uidvalidity = uidvalidity};

	if (!read_sampled_messages(pass, folder_id, &comparison, err))
		return false;
	if (comparison.sample.count == 0) {
		*ret_verdict = RENAME_EMPTY;
		return true;
	}
	if (!ask_server(pass, server, &comparison, err)) {
		if (err->kind != ERR_REFUSED)
			return err_wrap(err, "%s", server->path);
		err_clear(err); /* a folder that cannot be opened proves nothing */
	}
	*ret_verdict = verdict_of(&comparison);
	return true;
}
