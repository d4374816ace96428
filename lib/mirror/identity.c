#include "mirror/identity.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "mime/summary.h"

/* What the archive has of one message. */
struct fact {
	uint32_t uid;
	uint64_t size;
	bool has_date;
	struct zoned_time date;
	char *date_text;
	struct mime_summary summary;
	bool compared;
};

struct comparison {
	uint32_t uidvalidity;
	struct rangeset held;   /* by the archive */
	struct rangeset sample; /* of those */
	struct fact facts[IDENTITY_SAMPLE];
	size_t count;
	size_t same, like, unclear, other;
};

static void comparison_free(struct comparison *comparison)
{
	rangeset_free(&comparison->held);
	rangeset_free(&comparison->sample);
	for (size_t i = 0; i < comparison->count; i++) {
		free(comparison->facts[i].date_text);
		mime_summary_free(&comparison->facts[i].summary);
	}
}

/* --- what the archive has --- */

static void take_sample(struct comparison *comparison)
{
	const struct rangeset *held = &comparison->held;
	uint64_t size = rangeset_size(held);
	uint64_t steps = size < IDENTITY_SAMPLE ? size : IDENTITY_SAMPLE;
	uint64_t before = 0; /* numbers in the ranges passed */
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

static bool hold_fact(void *context, const struct archive_entry *entry, struct err *err)
{
	struct comparison *comparison = context;

	(void)err;
	if (entry->uidvalidity != comparison->uidvalidity ||
		!rangeset_has(&comparison->sample, entry->uid) ||
		comparison->count == IDENTITY_SAMPLE)
		return true;
	comparison->facts[comparison->count++] = (struct fact){
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

static bool read_facts(struct pass *pass, const struct known_folder *known,
	struct comparison *comparison, struct err *err)
{
	struct archive *view = archive_writer_view(pass->writer);
	const struct archive_list list = {
		.generation = pass->result.generation, .folder_id = known->id};

	if (!archive_add_uids(view, known->id, known->uidvalidity, NULL, &comparison->held, err))
		return false;
	take_sample(comparison);
	return comparison->sample.count == 0 ||
	       archive_each_entry(view, &list, hold_fact, comparison, err);
}

/* --- held against what the server says --- */

static bool same_date(const struct fact *fact, const struct imap_fetch_reply *fetch)
{
	if (fact->has_date)
		return (fetch->has & IMAP_FETCHED_DATE) && fact->date.unix_s == fetch->date.unix_s;
	return fact->date_text && fetch->date_text &&
	       strcmp(fact->date_text, fetch->date_text) == 0;
}

static bool same_headers(const struct fact *fact, const char *header)
{
	CLEANUP(mime_summary_free) struct mime_summary told;

	mime_summarise((const uint8_t *)header, strlen(header), &told);
	return strcmp(fact->summary.from, told.from) == 0 &&
	       strcmp(fact->summary.subject, told.subject) == 0 &&
	       strcmp(fact->summary.date, told.date) == 0 &&
	       strcmp(fact->summary.message_id, told.message_id) == 0;
}

static void compare_fact(
	struct comparison *comparison, struct fact *fact, const struct imap_fetch_reply *fetch)
{
	bool size = fact->size == fetch->size;
	bool date = same_date(fact, fetch);
	bool headers = same_headers(fact, fetch->header);

	fact->compared = true;
	if (size && date && headers)
		comparison->same++;
	else if (!headers && !(size && date))
		comparison->other++;
	else if (date && headers && fact->summary.message_id[0])
		comparison->like++;
	else
		comparison->unclear++;
}

static bool hear_fetched(void *context, const struct imap_fetch_reply *fetch, struct err *err)
{
	struct comparison *comparison = context;
	uint32_t needed = IMAP_FETCHED_UID | IMAP_FETCHED_SIZE | IMAP_FETCHED_HEADER;

	(void)err;
	if ((fetch->has & needed) != needed)
		return true;
	for (size_t i = 0; i < comparison->count; i++)
		if (comparison->facts[i].uid == fetch->uid && !comparison->facts[i].compared)
			compare_fact(comparison, &comparison->facts[i], fetch);
	return true;
}

static bool ask_server(struct pass *pass, const struct imap_folder *server,
	struct comparison *comparison, struct err *err)
{
	CLEANUP(imap_examined_free) struct imap_examined examined = {0};
	const struct imap_fetch fetch = {
		.uids = &comparison->sample,
		.items = IMAP_ITEM_SIZE | IMAP_ITEM_DATE | IMAP_ITEM_SUMMARY,
	};
	const struct imap_fetch_sink sink = {.context = comparison, .fetched = hear_fetched};

	pass->result.looked++;
	if (!imap_examine(pass->job->imap, server->wire_name, NULL, NULL, &examined, err))
		return false;
	return examined.uidvalidity != comparison->uidvalidity ||
	       imap_fetch(pass->job->imap, &fetch, &sink, err);
}

static enum rename_fingerprint fingerprint_of(const struct comparison *comparison)
{
	if (comparison->other > 0)
		return RENAME_OTHER;
	if (comparison->unclear > 0 || comparison->same + comparison->like == 0)
		return RENAME_UNCLEAR;
	return comparison->like > 0 ? RENAME_LIKE : RENAME_SAME;
}

bool folder_identify(struct pass *pass, const struct known_folder *known,
	const struct imap_folder *server, enum rename_fingerprint *ret_fingerprint, struct err *err)
{
	CLEANUP(comparison_free)
	struct comparison comparison = {.uidvalidity = known->uidvalidity};

	if (!read_facts(pass, known, &comparison, err))
		return false;
	if (comparison.sample.count == 0) {
		*ret_fingerprint = RENAME_EMPTY;
		return true;
	}
	if (!ask_server(pass, server, &comparison, err)) {
		if (err->kind != ERR_REFUSED)
			return err_wrap(err, "%s", server->path);
		err_clear(err); /* a folder that may not be opened says nothing */
	}
	*ret_fingerprint = fingerprint_of(&comparison);
	return true;
}
