/* Steps: fetch, with a sink that reports all it receives. */
#include <string.h>

#include "imap/seqset.h"
#include "transcript/talk.h"

enum { LINE_MAX_BYTES = 64 * 1024 };

static void show_body(struct talk_view *view, const char *half)
{
	size_t len = view->got < TALK_BODY_SHOWN ? (size_t)view->got : TALK_BODY_SHOWN;
	CLEANUP(freep) char *text = talk_escape(view->shown, len);

	view->open = false;
	if (view->counts)
		return;
	if (*half || view->got != view->announced)
		talk_says(view->talk, "%sbody %llu of %llu", half, (unsigned long long)view->got,
			(unsigned long long)view->announced);
	else
		talk_says(view->talk, "body %llu%s%s", (unsigned long long)view->got,
			len > 0 ? " " : "", len == TALK_BODY_SHOWN ? "..." : text);
}

static bool body_begins(void *context, uint64_t size_bytes, struct err *err)
{
	struct talk_view *view = context;

	(void)err;
	view->announced = size_bytes;
	view->got = 0;
	view->open = true;
	return true;
}

static bool body_goes_on(void *context, const uint8_t *data, size_t len, struct err *err)
{
	struct talk_view *view = context;

	if (view->full)
		return err_set(err, ERR_NO_SPACE, "disk is full");
	for (size_t i = 0; i < len && view->got + i < TALK_BODY_SHOWN; i++)
		view->shown[view->got + i] = (char)data[i];
	view->got += len;
	view->bytes += len;
	return true;
}

static bool body_ends(void *context, struct err *err)
{
	struct talk_view *view = context;

	(void)err;
	view->bodies++;
	show_body(view, "");
	return true;
}

static bool add_fetched(const struct imap_fetch_reply *fetch, struct buf *line)
{
	CLEANUP(freep)
	char *header = talk_escape(
		fetch->header ? fetch->header : "", fetch->header ? strlen(fetch->header) : 0);

	return buf_add_str(line, "fetched") &&
	       (fetch->has & IMAP_FETCHED_UID ? buf_printf(line, " %u", fetch->uid)
					      : buf_add_str(line, " without a UID")) &&
	       (!(fetch->has & IMAP_FETCHED_FLAGS) ||
		       buf_printf(line, " flags (%s)", fetch->flags)) &&
	       (!(fetch->has & IMAP_FETCHED_DATE) ||
		       buf_printf(line, " date %s", fetch->date_text)) &&
	       (!(fetch->has & IMAP_FETCHED_SIZE) ||
		       buf_printf(line, " size %llu", (unsigned long long)fetch->size)) &&
	       (!(fetch->has & IMAP_FETCHED_MODSEQ) ||
		       buf_printf(line, " modseq %llu", (unsigned long long)fetch->modseq)) &&
	       (!(fetch->has & IMAP_FETCHED_HEADER) || buf_printf(line, " header %s", header)) &&
	       buf_add_str(line, fetch->has & IMAP_FETCHED_BODY ? " body" : "") &&
	       buf_add_str(line, fetch->has & IMAP_FETCHED_NIL_BODY ? " body NIL" : "");
}

static bool fetched(void *context, const struct imap_fetch_reply *fetch, struct err *err)
{
	CLEANUP(buf_free) struct buf line = BUF_INIT(LINE_MAX_BYTES);
	struct talk_view *view = context;

	view->fetched++;
	if (view->counts)
		return true;
	if (!add_fetched(fetch, &line))
		return err_set(err, ERR_LOCAL, "a result is too long");
	talk_says(view->talk, "%s", buf_str(&line));
	return true;
}

static bool vanished(void *context, const struct rangeset *uids, bool earlier, struct err *err)
{
	CLEANUP(buf_free) struct buf line = BUF_INIT(LINE_MAX_BYTES);
	struct talk_view *view = context;

	if (!seqset_format(uids, &line))
		return err_set(err, ERR_LOCAL, "a result is too long");
	talk_says(view->talk, "vanished %s%s", earlier ? "earlier " : "", buf_str(&line));
	return true;
}

static bool range_done(
	void *context, const struct rangeset *uids, bool ok, const char *text, struct err *err)
{
	CLEANUP(buf_free) struct buf line = BUF_INIT(LINE_MAX_BYTES);
	struct talk_view *view = context;

	view->ranges += ok;
	if (!seqset_format(uids, &line))
		return err_set(err, ERR_LOCAL, "a result is too long");
	talk_says(view->talk, "range %.200s%s %s%s", buf_str(&line), line.len > 200 ? "..." : "",
		ok ? "ok" : "refused: ", ok ? "" : text);
	return true;
}

struct imap_fetch_sink talk_sink(struct talk_view *view)
{
	return (struct imap_fetch_sink){
		.context = view,
		.body = {view, body_begins, body_goes_on, body_ends},
		.fetched = fetched,
		.vanished = vanished,
		.range_done = range_done,
	};
}

void talk_end_view(struct talk_view *view)
{
	if (view->open)
		show_body(view, "half a ");
	if (view->counts)
		talk_says(view->talk, "bodies %u, bytes %llu, fetched %u, ranges %u", view->bodies,
			(unsigned long long)view->bytes, view->fetched, view->ranges);
}

/* "flags,body" */
static uint32_t items_of(struct talk_args *args)
{
	static const struct {
		const char *name;
		enum imap_item item;
	} names[] = {
		{"flags", IMAP_ITEM_FLAGS},
		{"date", IMAP_ITEM_DATE},
		{"size", IMAP_ITEM_SIZE},
		{"modseq", IMAP_ITEM_MODSEQ},
		{"body", IMAP_ITEM_BODY},
		{"message-id", IMAP_ITEM_MESSAGE_ID},
		{"summary", IMAP_ITEM_SUMMARY},
	};
	uint32_t items = 0;

	for (const char *at = talk_args_word(args); *at;) {
		size_t len = strcspn(at, ","), i = 0;

		while (i < ARRAY_LEN(names) &&
			(strlen(names[i].name) != len || strncmp(at, names[i].name, len) != 0))
			i++;
		if (i == ARRAY_LEN(names)) {
			args->wrong = "no such item of a message";
			break;
		}
		items |= names[i].item;
		at += len + (at[len] == ',');
	}
	return items;
}

static bool fetch(struct talk *talk, struct talk_args *args, bool counts)
{
	CLEANUP(rangeset_free) struct rangeset uids = {0};
	struct talk_view view = {.talk = talk, .counts = counts};
	const struct imap_fetch_sink sink = talk_sink(&view);
	struct imap_fetch what = {.uids = &uids};
	bool done;

	talk_args_uids(args, &uids);
	what.items = items_of(args);
	if (talk_args_take(args, "range"))
		what.range_messages = (uint32_t)talk_args_number(args);
	if (talk_args_take(args, "since"))
		what.changed_since = talk_args_number(args);
	view.full = talk_args_take(args, "disk-full");
	if (args->wrong)
		return true;
	done = imap_fetch(talk->imap, &what, &sink, &talk->err);
	talk_end_view(&view);
	return done;
}

bool talk_fetch(struct talk *talk, struct talk_args *args)
{
	return fetch(talk, args, false);
}

bool talk_count(struct talk *talk, struct talk_args *args)
{
	return fetch(talk, args, true);
}
