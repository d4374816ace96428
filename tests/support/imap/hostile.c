#include "support/imap/hostile.h"

#include <sys/resource.h>

#include "base/clock.h"
#include "base/str.h"

static bool begins(void *context, uint64_t size_bytes, struct err *err)
{
	struct told *told = context;

	(void)size_bytes;
	(void)err;
	told->bodies_begun++;
	return true;
}

static bool continues(void *context, const uint8_t *data, size_t len, struct err *err)
{
	struct told *told = context;

	(void)data;
	(void)err;
	told->body_bytes += len;
	return true;
}

static bool ends(void *context, struct err *err)
{
	struct told *told = context;

	(void)err;
	told->bodies_ended++;
	return true;
}

static bool fetched(void *context, const struct imap_fetch_reply *fetch, struct err *err)
{
	struct told *told = context;

	(void)err;
	told->fetched++;
	told->fetched_with_uid += (fetch->has & IMAP_FETCHED_UID) != 0;
	return true;
}

static bool vanished(void *context, const struct rangeset *uids, bool earlier, struct err *err)
{
	struct told *told = context;

	(void)earlier;
	(void)err;
	told->vanished += rangeset_size(uids);
	return true;
}

static bool done(
	void *context, const struct rangeset *uids, bool ok, const char *text, struct err *err)
{
	struct told *told = context;

	(void)uids;
	(void)text;
	(void)err;
	told->done += ok;
	return true;
}

static bool fetch_one(struct talk *talk, struct told *told)
{
	CLEANUP(rangeset_free) struct rangeset uids = {0};
	const struct imap_fetch what = {.uids = &uids, .items = IMAP_ITEM_FLAGS | IMAP_ITEM_BODY};
	const struct imap_fetch_sink sink = {
		.context = told,
		.body = {told, begins, continues, ends},
		.fetched = fetched,
		.vanished = vanished,
		.range_done = done,
	};

	rangeset_add(&uids, 5, 5);
	return imap_fetch(talk->imap, &what, &sink, &talk->err);
}

static long memory_kb(void)
{
	struct rusage usage;

	CHECK_INT(getrusage(RUSAGE_SELF, &usage), 0);
	return usage.ru_maxrss;
}

struct told check_fetch(const char *answer, enum err_kind kind)
{
	CLEANUP(talk_end) struct talk talk = {0};
	CLEANUP(freep)
	char *text = str_printf("%s%s", EXAMINED("", "3") "C: a UID FETCH ...\n", answer);
	struct told told = {0};
	int64_t from_ms = clock_mono_ms();
	long from_kb;
	bool whole;

	CHECK_TALK(&talk, talk_examine(&talk, text));
	from_kb = memory_kb();
	whole = fetch_one(&talk, &told);
	CHECK_INT(whole, kind == ERR_NONE);
	if (talk.err.kind != kind)
		check_fail(__FILE__, __LINE__, "%.200s is %s: %s", answer,
			err_kind_name(talk.err.kind), talk.err.text);
	CHECK(clock_mono_ms() - from_ms < PATIENCE_MS);
	CHECK(memory_kb() - from_kb < MEMORY_MAX_KB);
	CHECK(whole || told.done == 0);
	(void)talk_close(&talk);
	return told;
}

void check_noop(const char *answer, enum err_kind kind)
{
	CLEANUP(talk_end) struct talk talk = {0};
	CLEANUP(freep) char *text = str_printf("%s%s", LOGGED_IN("") "C: a NOOP\n", answer);
	int64_t from_ms = clock_mono_ms();
	long from_kb;

	CHECK_TALK(&talk, talk_begin(&talk, text));
	from_kb = memory_kb();
	CHECK_INT(imap_noop(talk.imap, &talk.err), kind == ERR_NONE);
	if (talk.err.kind != kind)
		check_fail(__FILE__, __LINE__, "%.200s is %s: %s", answer,
			err_kind_name(talk.err.kind), talk.err.text);
	CHECK(clock_mono_ms() - from_ms < PATIENCE_MS);
	CHECK(memory_kb() - from_kb < MEMORY_MAX_KB);
	(void)talk_close(&talk);
}
