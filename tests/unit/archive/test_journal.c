#include "archive/format/journal.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "support/check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static const struct range some_ranges[] = {{1, 1}, {3, 900}, {1000, UINT32_MAX}};

static const int64_t some_leaves[] = {7, INT64_MAX, 7};

/* One of each kind, with the largest and smallest numbers somewhere. */
static const struct record samples[] = {
	{.kind = RECORD_ITEM,
		.item = {.id = 1, .kind = ITEM_MESSAGE, .frame = 7, .offset = 99, .size = 1000}},
	{.kind = RECORD_ITEM,
		.item = {.id = INT64_MAX,
			.kind = ITEM_LEAF,
			.frame = INT64_MAX,
			.size = INT64_MAX,
			.has_sha256 = true,
			.sha256 = {1, 2, 3}}},
	{.kind = RECORD_ITEM,
		.item = {.id = 2,
			.kind = ITEM_SKELETON,
			.frame = 7,
			.size = 10,
			.leaves_count = ARRAY_LEN(some_leaves),
			.leaves = some_leaves}},
	{.kind = RECORD_MESSAGE,
		.message = {.id = 5,
			.size = 300,
			.header_size = 300,
			.item = 6,
			.from = {"a <b@c>", 7},
			.subject = {"", 0},
			.date = {"x", 1},
			.message_id = {"<y>", 3}}},
	{.kind = RECORD_FOLDER,
		.folder = {.id = 3,
			.path = {"a/b", 3},
			.wire_name = {"a.b", 3},
			.attributes = {"\\Sent", 5},
			.special_use = {"\\Sent", 5},
			.delimiter = '.',
			.has_special_use = true,
			.subscribed = true}},
	{.kind = RECORD_FOLDER,
		.folder = {.id = 3,
			.path = {"a", 1},
			.wire_name = {"a", 1},
			.attributes = {"", 0},
			.special_use = {"", 0},
			.selectable = true}},
	{.kind = RECORD_FOLDER_GONE, .folder_gone = 4},
	{.kind = RECORD_UIDVALIDITY, .uidvalidity = {.folder = 4, .uidvalidity = UINT32_MAX}},
	{.kind = RECORD_PLACEMENT,
		.placement = {.folder = 1,
			.uidvalidity = 2,
			.uid = 3,
			.message = 4,
			.has_date = true,
			.date_s = -5,
			.date_offset_min = -1439,
			.flags = {"\\Seen", 5}}},
	{.kind = RECORD_PLACEMENT,
		.placement = {.folder = 1,
			.uidvalidity = 2,
			.uid = UINT32_MAX,
			.message = 4,
			.has_date_text = true,
			.date_text = {"never", 5},
			.flags = {"", 0}}},
	{.kind = RECORD_FLAGS,
		.flags = {.folder = 1, .uidvalidity = 2, .uid = 3, .flags = {"k", 1}}},
	{.kind = RECORD_GONE,
		.gone = {.folder = 1,
			.uidvalidity = 2,
			.count = ARRAY_LEN(some_ranges),
			.ranges = some_ranges}},
	{.kind = RECORD_MARK,
		.mark = {.folder = 1,
			.uidvalidity = 2,
			.uidnext = 3,
			.highestmodseq = INT64_MAX,
			.messages = 5,
			.flags_compared_ms = -1}},
	{.kind = RECORD_SNAPSHOT,
		.snapshot = {.generation = 9, .unix_ms = 1700000000123, .complete = true}},
	{.kind = RECORD_PIN, .pin = 9},
	{.kind = RECORD_UNPIN, .pin = INT64_MAX},
	{.kind = RECORD_PRUNED, .pruned_ms = -5},
	{.kind = RECORD_TOMBSTONE, .tombstone = {.folder = 1, .uidvalidity = 2, .uid = UINT32_MAX}},
	{.kind = RECORD_VOLUME, .volume = {.sequence = 3, .uuid = {4}, .doomed = true}},
	{.kind = RECORD_ITEM_ROW,
		.item_row = {.volume = 8,
			.item = {.id = 2,
				.kind = ITEM_SKELETON,
				.frame = 7,
				.size = 10,
				.leaves_count = ARRAY_LEN(some_leaves),
				.leaves = some_leaves}}},
	{.kind = RECORD_FOLDER_ROW,
		.folder_row = {.span = {.from = 4, .to = 5},
			.uidvalidity = 6,
			.folder = {.id = 3,
				.path = {"a", 1},
				.wire_name = {"a", 1},
				.attributes = {"", 0},
				.special_use = {"", 0}}}},
	{.kind = RECORD_PLACEMENT_ROW,
		.placement_row = {.span = {.from = 4, .to = INT64_MAX},
			.gone = true,
			.added = 3,
			.placement = {.folder = 1,
				.uidvalidity = 2,
				.uid = 3,
				.message = 4,
				.flags = {"\\Seen", 5}}}},
	{.kind = RECORD_SNAPSHOT_ROW,
		.snapshot_row = {.generation = 9,
			.unix_ms = -1,
			.pinned = true,
			.pruned = true,
			.messages = 1,
			.bytes = INT64_MAX}},
};

/* The first record of this kind. */
static struct record sample_of(enum record_kind kind)
{
	size_t i = 0;

	while (samples[i].kind != kind)
		i++;
	return samples[i];
}

static void make_payload(struct buf *out)
{
	const struct journal_header header = {.seq = 3, .generation = 9, .previous = {7}};

	journal_begin(out, &header);
	for (size_t i = 0; i < ARRAY_LEN(samples); i++)
		CHECK(record_encode(&samples[i], out));
	journal_set_final(out);
}

static void a_payload_returns_its_records(void)
{
	CLEANUP(buf_free) struct buf payload = BUF_INIT(JOURNAL_BYTES_MAX);
	struct journal_header header;
	struct reader reader;
	struct record record;
	struct err err = ERR_INIT;
	bool unknown;

	make_payload(&payload);
	CHECK_OK(journal_open(&payload, &header, &reader, &err));
	CHECK(header.final && header.seq == 3 && header.generation == 9 && header.previous[0] == 7);
	for (size_t i = 0; i < ARRAY_LEN(samples); i++) {
		CHECK(record_decode(&reader, &record, &unknown));
		CHECK_INT(record.kind, samples[i].kind);
	}
	CHECK(!record_decode(&reader, &record, &unknown));
	CHECK(!reader.bad && !unknown);
}

static void numbers_and_texts_come_back(void)
{
	CLEANUP(buf_free) struct buf out = BUF_INIT(4096);
	struct record placement = sample_of(RECORD_PLACEMENT);
	struct record gone = sample_of(RECORD_GONE);
	struct reader reader;
	struct record record;
	struct range range;
	bool unknown;

	CHECK(record_encode(&placement, &out) && record_encode(&gone, &out));
	reader = (struct reader){.at = out.data, .end = out.data + out.len};
	CHECK(record_decode(&reader, &record, &unknown));
	CHECK_INT(record.placement.date_s, -5);
	CHECK_INT(record.placement.date_offset_min, -1439);
	CHECK(text_equal(record.placement.flags, "\\Seen"));
	CHECK(record_decode(&reader, &record, &unknown));
	for (size_t i = 0; i < ARRAY_LEN(some_ranges); i++) {
		CHECK(record_next_range(&record.gone, &range));
		CHECK_INT(range.first, some_ranges[i].first);
		CHECK_INT(range.last, some_ranges[i].last);
	}
	CHECK(!record_next_range(&record.gone, &range));
}

static void a_skeleton_names_its_leaves(void)
{
	CLEANUP(buf_free) struct buf out = BUF_INIT(4096);
	struct reader reader;
	struct record record;
	int64_t leaf;
	bool unknown;

	CHECK(record_encode(&samples[2], &out));
	reader = (struct reader){.at = out.data, .end = out.data + out.len};
	CHECK(record_decode(&reader, &record, &unknown));
	CHECK_INT(record.item.leaves_count, ARRAY_LEN(some_leaves));
	for (size_t i = 0; i < ARRAY_LEN(some_leaves); i++) {
		CHECK(record_next_leaf(&record.item, &leaf));
		CHECK_INT(leaf, some_leaves[i]);
	}
	CHECK(!record_next_leaf(&record.item, &leaf));
}

static void a_record_cut_short_is_bad(void)
{
	for (size_t i = 0; i < ARRAY_LEN(samples); i++) {
		CLEANUP(buf_free) struct buf out = BUF_INIT(4096);
		struct record record;
		bool unknown;

		CHECK(record_encode(&samples[i], &out));
		for (size_t len = 1; len < out.len; len++) {
			CLEANUP(freep) uint8_t *cut = xmemdup(out.data, len);
			struct reader reader = {.at = cut, .end = cut + len};

			CHECK(!record_decode(&reader, &record, &unknown));
			CHECK(reader.bad);
		}
	}
}

static void an_unknown_record_kind_is_reported(void)
{
	static const uint8_t bytes[] = {99, 1, 0};
	struct reader reader = {.at = bytes, .end = bytes + sizeof(bytes)};
	struct record record;
	bool unknown;

	CHECK(!record_decode(&reader, &record, &unknown));
	CHECK(unknown);
}

static bool decodes(const uint8_t *bytes, size_t len)
{
	struct reader reader = {.at = bytes, .end = bytes + len};
	struct record record;
	bool unknown;

	return record_decode(&reader, &record, &unknown);
}

static void impossible_values_are_refused(void)
{
	static const uint8_t uid_0[] = {RECORD_FLAGS, 4, 1, 2, 0, 0};
	static const uint8_t folder_0[] = {RECORD_FOLDER_GONE, 1, 0};
	static const uint8_t needless_byte[] = {RECORD_FOLDER_GONE, 2, 0x81, 0};
	static const uint8_t rest[] = {RECORD_FOLDER_GONE, 2, 1, 1};
	static const uint8_t text_with_nul[] = {RECORD_FLAGS, 6, 1, 2, 3, 2, 'a', 0};
	static const uint8_t ranges_pass_the_end[] = {
		RECORD_GONE, 9, 1, 2, 1, 0xff, 0xff, 0xff, 0xff, 0x0f, 1};
	static const uint8_t leaf_without_digest[] = {RECORD_ITEM, 6, 1, ITEM_LEAF, 1, 0, 9, 0};
	static const uint8_t no_leaves[] = {RECORD_ITEM, 7, 1, ITEM_SKELETON, 1, 0, 9, 0, 0};
	static const uint8_t good[] = {RECORD_FOLDER_GONE, 1, 1};

	CHECK(decodes(good, sizeof(good)));
	CHECK(!decodes(uid_0, sizeof(uid_0)));
	CHECK(!decodes(folder_0, sizeof(folder_0)));
	CHECK(!decodes(needless_byte, sizeof(needless_byte)));
	CHECK(!decodes(rest, sizeof(rest)));
	CHECK(!decodes(text_with_nul, sizeof(text_with_nul)));
	CHECK(!decodes(leaf_without_digest, sizeof(leaf_without_digest)));
	CHECK(!decodes(no_leaves, sizeof(no_leaves)));
	CHECK(!decodes(ranges_pass_the_end, sizeof(ranges_pass_the_end)));
}

static void a_record_too_large_is_not_written(void)
{
	CLEANUP(buf_free) struct buf out = BUF_INIT(4 * RECORD_BYTES_MAX);
	CLEANUP(freep) char *text = xcalloc(1, RECORD_BYTES_MAX);
	struct record record = sample_of(RECORD_FLAGS);

	record.flags.flags = (struct text){text, RECORD_BYTES_MAX};
	CHECK(!record_encode(&record, &out));
	CHECK_INT(out.len, 0);
}

/* A fixed sequence of damaged payloads; the fuzzer continues from the same seed. */
static void damaged_payloads_are_refused_or_understood(void)
{
	enum { ROUNDS = 20000 };
	CLEANUP(buf_free) struct buf payload = BUF_INIT(JOURNAL_BYTES_MAX);
	uint32_t state = 1;

	make_payload(&payload);
	(void)LLVMFuzzerTestOneInput(payload.data, payload.len);
	for (int i = 0; i < ROUNDS; i++) {
		CLEANUP(freep) uint8_t *damaged = NULL;
		size_t len;

		state = state * 1664525 + 1013904223;
		len = state % 5 ? payload.len : (state >> 8) % payload.len;
		damaged = xmemdup(payload.data, len);
		for (uint32_t n = 0; len && n <= state % 3; n++) {
			state = state * 1664525 + 1013904223;
			damaged[(state >> 8) % len] = (uint8_t)(state >> 3);
		}
		(void)LLVMFuzzerTestOneInput(damaged, len);
	}
}

int main(int argc, char **argv)
{
	static const struct promise promises[] = {
		PROMISE(a_payload_returns_its_records),
		PROMISE(numbers_and_texts_come_back),
		PROMISE(a_skeleton_names_its_leaves),
		PROMISE(a_record_cut_short_is_bad),
		PROMISE(an_unknown_record_kind_is_reported),
		PROMISE(impossible_values_are_refused),
		PROMISE(a_record_too_large_is_not_written),
		PROMISE(damaged_payloads_are_refused_or_understood),
	};

	return check_main(argc, argv, promises, ARRAY_LEN(promises));
}
