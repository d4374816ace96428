#include "support/imap/show_reply.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

#include "base/str.h"
#include "imap/parse/reply.h"
#include "imap/seqset.h"

/* Drops what does not fit: the texts are only compared. */
static void add(struct buf *out, const char *format, ...) PRINTF_LIKE(2, 3);

static void add(struct buf *out, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	(void)!buf_vprintf(out, format, args);
	va_end(args);
}

static void add_text(struct buf *out, const char *name, const char *text)
{
	add(out, " %s=", name);
	for (; *text; text++)
		if (*text >= ' ' && *text < 0x7f)
			add(out, "%c", *text);
		else
			add(out, "\\%02x", (uint8_t)*text);
}

static void add_set(struct buf *out, const struct rangeset *set)
{
	assert(set);
	if (set->count == 0)
		return;
	add(out, " set=");
	(void)!seqset_format(set, out);
}

static void add_words(struct buf *out, const struct imap_reply *reply)
{
	for (size_t i = 0; i < reply->words_count; i++)
		add_text(out, "word", reply->words[i]);
}

static void add_counts(struct buf *out, const struct imap_counts *counts)
{
	if (counts->has & IMAP_HAS_MESSAGES)
		add(out, " messages=%" PRIu32, counts->messages);
	if (counts->has & IMAP_HAS_UIDNEXT)
		add(out, " uidnext=%" PRIu32, counts->uidnext);
	if (counts->has & IMAP_HAS_UIDVALIDITY)
		add(out, " uidvalidity=%" PRIu32, counts->uidvalidity);
	if (counts->has & IMAP_HAS_UNSEEN)
		add(out, " unseen=%" PRIu32, counts->unseen);
	if (counts->has & IMAP_HAS_HIGHESTMODSEQ)
		add(out, " highestmodseq=%" PRIu64, counts->highestmodseq);
}

static void add_list(struct buf *out, const struct imap_list_entry *list)
{
	static const char *const names[] = {
		"noselect", "nonexistent", "noinferiors", "subscribed", "children", "no-children"};

	add_text(out, "name", list->name);
	add(out, " delimiter=%c", list->delimiter ? list->delimiter : '0');
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (list->attributes & 1U << i)
			add(out, " %s", names[i]);
	if (list->special_use)
		add_text(out, "use", list->special_use);
	add_text(out, "attributes", list->attribute_text);
}

static void add_fetch(struct buf *out, const struct imap_fetch_reply *fetch)
{
	add(out, " n=%" PRIu32, fetch->number);
	if (fetch->has & IMAP_FETCHED_UID)
		add(out, " uid=%" PRIu32, fetch->uid);
	if (fetch->has & IMAP_FETCHED_FLAGS)
		add_text(out, "flags", fetch->flags);
	if (fetch->bad_flags)
		add(out, " bad-flags=%zu", fetch->bad_flags);
	if (fetch->bad_items)
		add(out, " bad-items=%zu", fetch->bad_items);
	if (fetch->has & IMAP_FETCHED_DATE)
		add(out, " date=%" PRId64 "/%d", fetch->date.unix_s, fetch->date.offset_min);
	if (fetch->date_text)
		add_text(out, "date-text", fetch->date_text);
	if (fetch->has & IMAP_FETCHED_SIZE)
		add(out, " size=%" PRIu64, fetch->size);
	if (fetch->has & IMAP_FETCHED_MODSEQ)
		add(out, " modseq=%" PRIu64, fetch->modseq);
	if (fetch->has & IMAP_FETCHED_BODY)
		add(out, " body=%" PRIu64, fetch->body_size);
	if (fetch->has & IMAP_FETCHED_NIL_BODY)
		add(out, " body=NIL");
	if (fetch->has & IMAP_FETCHED_HEADER)
		add_text(out, "header", fetch->header);
}

static const char *status_name(enum imap_status status)
{
	static const char *const names[] = {"OK", "NO", "BAD", "BYE", "PREAUTH"};

	assert((size_t)status < ARRAY_LEN(names));
	return names[status];
}

/* "[CODE number flags]", then the words and the text. */
static void add_status(struct buf *out, const struct imap_reply *reply)
{
	if (reply->code != IMAP_CODE_NONE) {
		add_text(out, reply->code == IMAP_CODE_OTHER ? "other" : "code", reply->code_name);
		if (reply->number)
			add(out, " number=%" PRIu64, reply->number);
	}
	if (reply->code == IMAP_CODE_PERMANENTFLAGS)
		add_text(out, "flags", reply->flags);
	add_words(out, reply);
	add_set(out, reply->set);
	if (*reply->text)
		add_text(out, "text", reply->text);
}

static void add_rest(struct buf *out, const struct imap_reply *reply)
{
	if (reply->kind == IMAP_ESEARCH && *reply->tag)
		add_text(out, "tag", reply->tag);
	if (reply->uids)
		add(out, " uids");
	if (reply->earlier)
		add(out, " earlier");
	if (reply->kind == IMAP_EXISTS || reply->kind == IMAP_EXPUNGE || reply->kind == IMAP_RECENT)
		add(out, " n=%" PRIu64, reply->number);
	if (reply->kind == IMAP_FLAGS)
		add_text(out, "flags", reply->flags);
	if (reply->modseq)
		add(out, " modseq=%" PRIu64, reply->modseq);
	add_words(out, reply);
	add_set(out, reply->set);
}

static void add_namespace(struct buf *out, const struct imap_reply *reply)
{
	if (!reply->namespace_prefix)
		return;
	add_text(out, "prefix", reply->namespace_prefix);
	add(out, " delimiter=%c", reply->namespace_delimiter ? reply->namespace_delimiter : '0');
}

static void add_reply(struct buf *out, const struct imap_reply *reply)
{
	static const char *const kinds[] = {"tagged", "status", "continue", "capability", "enabled",
		"list", "status-of", "namespace", "flags", "search", "esearch", "exists", "recent",
		"expunge", "vanished", "fetch", "id", "other"};

	assert((size_t)reply->kind < ARRAY_LEN(kinds));
	add(out, "%s", kinds[reply->kind]);
	switch (reply->kind) {
	case IMAP_TAGGED:
	case IMAP_STATUS:
		add(out, " %s %s", reply->tag, status_name(reply->status));
		add_status(out, reply);
		break;
	case IMAP_CONTINUE:
		add_status(out, reply);
		break;
	case IMAP_LIST:
		add_list(out, &reply->list);
		break;
	case IMAP_STATUS_OF:
		add_text(out, "name", reply->name);
		add_counts(out, &reply->counts);
		break;
	case IMAP_FETCH:
		add_fetch(out, &reply->fetch);
		break;
	default:
		if (reply->kind == IMAP_NAMESPACE)
			add_namespace(out, reply);
		add_rest(out, reply);
		break;
	}
	add(out, "\n");
}

/* --- feeding --- */

static bool body_begins(void *context, uint64_t size, struct err *err)
{
	(void)err;
	add(context, "body %" PRIu64 ":", size);
	return true;
}

static bool body_goes_on(void *context, const uint8_t *data, size_t len, struct err *err)
{
	(void)err;
	assert(len > 0);
	for (size_t i = 0; i < len; i++)
		add(context, data[i] >= ' ' && data[i] < 0x7f ? "%c" : "\\%02x", data[i]);
	return true;
}

static bool body_ends(void *context, struct err *err)
{
	(void)err;
	add(context, ";");
	return true;
}

static bool feed(struct imap_parser *parser, const uint8_t *data, size_t len, struct buf *out)
{
	struct err err = ERR_INIT;
	const struct imap_reply *reply;

	do {
		size_t used;

		if (!imap_parser_feed(parser, data, len, &used, &reply, &err)) {
			assert(err.kind == ERR_PROTOCOL);
			add(out, "!%s", err.text);
			return false;
		}
		assert(used <= len && (reply || used == len));
		data += used;
		len -= used;
		if (reply) {
			assert(imap_parser_is_empty(parser));
			add_reply(out, reply);
		}
	} while (len > 0 || reply);
	return true;
}

static void show(const char *data, size_t len, size_t cut, struct buf *out, bool with_sink)
{
	const struct imap_body_sink sink = {
		.context = out, .begin = body_begins, .data = body_goes_on, .end = body_ends};
	CLEANUP(imap_parser_freep) struct imap_parser *parser = imap_parser_new();
	bool good = true;

	if (with_sink)
		imap_parser_set_sink(parser, &sink);
	for (size_t at = 0; at < len && good;) {
		size_t piece = piece_len(at, len, cut);
		CLEANUP(buf_free) struct buf copy = BUF_INIT(len);
		bool fits = buf_add(&copy, data + at, piece);

		assert(fits);
		good = feed(parser, copy.data, piece, out);
		at += piece;
	}
}

void show_replies(const char *data, size_t len, size_t cut, struct buf *out)
{
	show(data, len, cut, out, true);
}

void show_replies_without_sink(const char *data, size_t len, size_t cut, struct buf *out)
{
	show(data, len, cut, out, false);
}
