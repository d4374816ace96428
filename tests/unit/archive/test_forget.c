/* Forgetting: no file holds any of the chosen messages, and everything else is unchanged. */
#include "archive/forget.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "archive/archive.h"
#include "archive/compact/rewrite.h"
#include "archive/seal.h"
#include "archive/volume/volume.h"
#include "archive/write/writer.h"
#include "base/alloc.h"
#include "base/fs.h"
#include "base/str.h"
#include "support/archive/pruned.h"
#include "support/archive/refs.h"
#include "support/check.h"

enum {
	WAIT_MS = 1000,
	FILE_BYTES_MAX = 64 * 1024 * 1024,
	NOISE_BYTES = 100 * 1000,
	PLAIN_UID = 900, /* compressible, small */
	NOISE_UID = 901, /* stored uncompressed, in a frame of its own */
	AGAIN_UID = 902, /* the bytes of 901 */
	KEEP_FOREVER = -1,
};

static const char canary[] = "Canary-7f31-sings-of-Zanzibar";

#define READER CLEANUP(archive_freep) struct archive *
#define PATH   CLEANUP(freep) char *

/* --- messages with a canary --- */

static void make_plain(struct buf *out)
{
	buf_reset(out);
	CHECK(buf_printf(out, "From: c@example.org\r\nSubject: %s\r\nMessage-ID: <%s@x>\r\n\r\n",
		canary, canary));
	for (int i = 0; i < 40; i++)
		CHECK(buf_printf(out, "%s number %d\r\n", canary, i));
}

static void make_noise(struct buf *out)
{
	uint64_t state = 12345;

	make_plain(out);
	while (out->len < NOISE_BYTES) {
		state = state * 6364136223846793005U + 1442695040888963407U;
		CHECK(buf_add_byte(out, (uint8_t)(state >> 56)));
		if (out->len % 10000 == 0)
			CHECK(buf_add_str(out, canary));
	}
}

static void digest_of(void (*make)(struct buf *out), uint8_t out[SHA256_BYTES])
{
	CLEANUP(buf_free) struct buf message = BUF_INIT(FIXTURE_MESSAGE_MAX);

	make(&message);
	sha256_of(message.data, message.len, out);
}

static void put(struct archive_writer *writer, uint32_t uid, void (*make)(struct buf *out))
{
	CLEANUP(buf_free) struct buf message = BUF_INIT(FIXTURE_MESSAGE_MAX);
	int64_t ticket;

	make(&message);
	ticket = fixture_store(writer, 1, message.data, message.len);
	fixture_place(writer, 1, PRUNED_VALIDITY, uid, ticket, canary);
}

/* Among others, then again in a later volume, then with changed flags. */
static char *filled(const char *name)
{
	char *path = pruned_archive(name);
	struct archive_writer *writer = fixture_writer(path);
	struct err err = ERR_INIT;

	writer->volume_bytes_max = PRUNED_VOLUME_BYTES;
	put(writer, PLAIN_UID, make_plain);
	put(writer, NOISE_UID, make_noise);
	(void)fixture_commit(writer, true);
	fixture_add(writer, 1, PRUNED_VALIDITY, 910, 910, NOISE_BYTES, "");
	fixture_add(writer, 1, PRUNED_VALIDITY, 911, 911, NOISE_BYTES, "");
	(void)fixture_commit(writer, true);
	put(writer, AGAIN_UID, make_noise);
	CHECK_OK(archive_set_flags(writer, 1, PRUNED_VALIDITY, PLAIN_UID, "\\Seen", &err));
	CHECK_INT(fixture_commit(writer, true), 9);
	archive_writer_freep(&writer);
	return path;
}

static bool forget_some(
	const char *path, size_t count, struct archive_forgotten *ret_forgotten, struct err *err)
{
	uint8_t digests[2][SHA256_BYTES];

	digest_of(make_plain, digests[0]);
	digest_of(make_noise, digests[1]);
	return fixture_unlock(path, err) &&
	       archive_forget(ref_of(path), (const uint8_t(*)[SHA256_BYTES])digests, count, WAIT_MS,
		       ret_forgotten, err);
}

static bool forget(const char *path, struct archive_forgotten *ret_forgotten, struct err *err)
{
	return forget_some(path, 2, ret_forgotten, err);
}

/* --- looking everywhere --- */

static bool has_trace(const void *data, size_t len)
{
	uint8_t digest[SHA256_BYTES];

	if (!data)
		return false;
	digest_of(make_noise, digest);
	if (memmem(data, len, canary, strlen(canary)) || memmem(data, len, digest, sizeof(digest)))
		return true;
	digest_of(make_plain, digest);
	return memmem(data, len, digest, sizeof(digest)) != NULL;
}

/* Whole files, free pages included. */
static unsigned traces_in_files(const char *folder)
{
	DIR *dir = opendir(folder);
	struct dirent *entry;
	unsigned found = 0;

	CHECK(dir != NULL);
	while ((entry = readdir(dir))) {
		CLEANUP(buf_free) struct buf data = BUF_INIT(FILE_BYTES_MAX);
		PATH path = str_printf("%s/%s", folder, entry->d_name);
		struct err err = ERR_INIT;

		if (entry->d_type == DT_REG && fs_read(path, &data, &err))
			found += has_trace(data.data, data.len);
	}
	(void)closedir(dir);
	return found;
}

static unsigned traces_in_frames(const char *path)
{
	CLEANUP(volume_list_free) struct volume_list list = {0};
	CLEANUP(zstd_freep) struct zstd *zstd = zstd_new();
	CLEANUP(buf_free) struct buf raw = BUF_INIT(FRAME_RAW_BYTES_MAX);
	unsigned found = 0, frames = 0;
	struct err err = ERR_INIT;

	CHECK_OK(volume_list(path, &list, &err));
	for (size_t i = 0; i < list.count; i++) {
		CLEANUP(volume_close) struct volume volume = {0};
		int64_t last;

		CHECK_OK(volume_open(ref_of(path), &list.items[i], DB_READ, &volume, &err));
		CHECK_OK(volume_last_frame(&volume, &last, &err));
		for (int64_t id = 1; id <= last; id++)
			if (volume_get_frame(&volume, id, FRAMES_JOURNAL, zstd, &raw, &err) ||
				volume_get_frame(&volume, id, FRAMES_DATA, zstd, &raw, &err)) {
				found += has_trace(raw.data, raw.len);
				frames++;
			}
	}
	CHECK(frames > 0);
	return found;
}

static unsigned traces(const char *path)
{
	PATH volumes = layout_volumes_path(path);

	return traces_in_files(path) + traces_in_files(volumes) + traces_in_frames(path);
}

static char *list_of(const char *path)
{
	READER reader = fixture_reader(path);
	struct archive_list list = {.generation = 9, .deleted = true};

	return xstrdup(fixture_list(reader, &list));
}

static uint64_t messages_of(const char *path)
{
	READER reader = fixture_reader(path);
	struct archive_facts facts;
	struct err err = ERR_INIT;

	CHECK_OK(archive_facts(reader, &facts, &err));
	return facts.messages;
}

/* --- promises --- */

static void expect_nothing_left(const char *path)
{
	struct archive_forgotten forgotten;
	uint64_t messages = messages_of(path);
	PATH list = NULL;
	struct err err = ERR_INIT;

	CHECK(traces_in_frames(path) > 2);
	CHECK_OK(forget(path, &forgotten, &err));
	CHECK_INT(traces(path), 0);
	CHECK_INT(forgotten.messages, 2);
	CHECK(forgotten.volumes > 1);
	CHECK_INT(messages_of(path), messages - 3);
	list = list_of(path);
	CHECK(strstr(list, " 900 ") == NULL && strstr(list, " 901 ") == NULL);
	CHECK(strstr(list, " 910 ") != NULL);
	fixture_check(path);
}

static void forget_leaves_nothing_in_any_frame_or_page(void)
{
	PATH path = filled("canary");

	expect_nothing_left(path);
}

static void seal_all(const char *path)
{
	const struct archive_seal wish = {.open_bytes_min = 1};
	struct archive_sealed sealed;
	struct err err = ERR_INIT;

	CHECK_OK(archive_seal(ref_of(path), &wish, WAIT_MS, &sealed, &err));
	CHECK(sealed.volumes > 1);
}

static void prune_all(const char *path, int64_t keep_deleted_ms)
{
	const struct keep_rules last = {.last = 1};
	struct archive_pruned pruned;
	struct err err = ERR_INIT;

	CHECK_OK(pruned_prune(path, &last, keep_deleted_ms, &pruned, &err));
}

static void forget_leaves_nothing_in_sealed_volumes(void)
{
	PATH path = filled("sealed");

	seal_all(path);
	expect_nothing_left(path);
}

/* A volume sealed behind a journal checkpoint has no journal: nothing in it names its messages. */
static void forget_leaves_nothing_in_volumes_without_a_journal(void)
{
	PATH path = filled("without-journal");

	prune_all(path, KEEP_FOREVER);
	seal_all(path);
	expect_nothing_left(path);
}

static bool choose_full(
	void *context, const struct catalogue_volume *volume, bool *ret_chosen, struct err *err)
{
	(void)context;
	(void)err;
	*ret_chosen = volume->state == VOLUME_FULL;
	return true;
}

/* Each full volume in turn; some do not hold the message. */
static void forget_leaves_nothing_in_a_volume_being_sealed(void)
{
	const struct rewrite_watch watch = {0};
	int64_t after = 0;
	bool found = true;
	unsigned count = 0;
	struct err err = ERR_INIT;

	while (found) {
		PATH name = str_printf("sealing-%u", count);
		PATH path = filled(name);
		CLEANUP(rewrite_plan_free) struct rewrite_plan plan = {0};
		CLEANUP(directory_free) struct directory directory = {0};
		struct archive_forgotten forgotten;
		struct volume made = {0};
		bool done = false;

		CHECK_OK(forget_some(path, 1, &forgotten, &err));
		CHECK_OK(rewrite_plan_next(
			ref_of(path), after, choose_full, NULL, &found, &plan, &err));
		if (!found)
			break;
		CHECK_OK(rewrite_repack(ref_of(path), &plan, &watch, &made, &directory, &err));
		CHECK_OK(forget(path, &forgotten, &err));
		CHECK_INT(traces(path), 0);
		CHECK_OK(rewrite_replace(
			ref_of(path), &plan, &made, &directory, WAIT_MS, &done, &err));
		CHECK(!done);
		rewrite_discard(&made);
		CHECK_INT(traces(path), 0);
		fixture_check(path);
		after = plan.volume.id.sequence;
		count++;
	}
	CHECK(count > 2);
}

static void forget_leaves_other_mail_unchanged(void)
{
	PATH path = filled("else");
	PATH before = NULL;
	PATH after = NULL;
	PATH snapshots = NULL;
	struct archive_forgotten forgotten;
	READER reader = fixture_reader(path);
	struct err err = ERR_INIT;

	before = xstrdup(fixture_list_at(reader, 6));
	archive_freep(&reader);
	CHECK_OK(forget(path, &forgotten, &err));
	reader = fixture_reader(path);
	after = xstrdup(fixture_list_at(reader, 6));
	CHECK_STR(after, before);
	pruned_check_bytes(reader, 6);
	snapshots = pruned_snapshots(reader);
	CHECK_STR(snapshots, "1 2 3 4 5 6 7 8 9");
}

static void a_forgotten_message_is_not_fetched_again(void)
{
	PATH path = filled("tombstone");
	CLEANUP(rangeset_free) struct rangeset uids = {0};
	struct archive_forgotten forgotten;
	READER reader = NULL;
	struct err err = ERR_INIT;

	CHECK_OK(forget(path, &forgotten, &err));
	fixture_remove_catalogue(path);
	CHECK_OK(archive_rebuild(ref_of(path), WAIT_MS, &err));
	reader = fixture_reader(path);
	CHECK_OK(archive_add_forgotten(reader, 1, PRUNED_VALIDITY, &uids, &err));
	CHECK_INT(rangeset_size(&uids), 3);
	CHECK(rangeset_has(&uids, PLAIN_UID) && rangeset_has(&uids, AGAIN_UID));
}

static void a_tombstone_ends_when_the_message_leaves_the_server(void)
{
	PATH path = filled("buried");
	CLEANUP(rangeset_free) struct rangeset gone = {0}, uids = {0};
	struct archive_writer *writer = NULL;
	struct archive_forgotten forgotten;
	READER reader = NULL;
	struct err err = ERR_INIT;

	CHECK_OK(forget(path, &forgotten, &err));
	writer = fixture_writer(path);
	rangeset_add(&gone, PLAIN_UID, NOISE_UID);
	CHECK_OK(archive_set_gone(writer, 1, PRUNED_VALIDITY, &gone, &err));
	CHECK_INT(fixture_commit(writer, true), 10);
	archive_writer_freep(&writer);
	reader = fixture_reader(path);
	CHECK_OK(archive_add_forgotten(reader, 1, PRUNED_VALIDITY, &uids, &err));
	CHECK(rangeset_size(&uids) == 1 && rangeset_has(&uids, AGAIN_UID));
	fixture_check(path);
}

static void forgetting_unknown_messages_does_nothing(void)
{
	PATH path = filled("twice");
	PATH before = NULL;
	PATH after = NULL;
	struct archive_forgotten forgotten;
	struct err err = ERR_INIT;

	CHECK_OK(forget(path, &forgotten, &err));
	before = list_of(path);
	CHECK_OK(forget(path, &forgotten, &err));
	CHECK_INT(forgotten.messages, 0);
	after = list_of(path);
	CHECK_STR(after, before);
	fixture_check(path);
}

/* The message is gone from the server and pruned, but its bytes stay in a volume with enough live
 * mail. Then the same message arrives again and is forgotten. */
static void expect_old_selves_to_go(const char *path)
{
	struct archive_writer *writer = fixture_writer(path);
	CLEANUP(rangeset_free) struct rangeset uids = {0};
	struct archive_forgotten forgotten;
	struct err err = ERR_INIT;

	rangeset_add(&uids, PLAIN_UID, AGAIN_UID);
	CHECK_OK(archive_set_gone(writer, 1, PRUNED_VALIDITY, &uids, &err));
	(void)fixture_commit(writer, true);
	archive_writer_freep(&writer);
	prune_all(path, 0);
	CHECK(traces_in_frames(path) > 0);
	writer = fixture_writer(path);
	put(writer, 950, make_plain);
	put(writer, 951, make_noise);
	(void)fixture_commit(writer, true);
	archive_writer_freep(&writer);
	CHECK_OK(forget(path, &forgotten, &err));
	CHECK_INT(traces(path), 0);
	fixture_check(path);
}

static void forget_also_removes_earlier_pruned_copies_of_the_bytes(void)
{
	PATH path = filled("old_self");

	expect_old_selves_to_go(path);
}

static void forget_removes_unreferenced_copies_of_the_bytes(void)
{
	PATH path = filled("nameless");

	prune_all(path, KEEP_FOREVER);
	seal_all(path);
	expect_old_selves_to_go(path);
}

/* Its bytes were already stored: the journal only records one more placement. */
static void forget_removes_a_journal_that_names_the_message_by_id(void)
{
	PATH path = filled("by-number");
	struct archive_writer *writer = NULL;
	struct archive_forgotten forgotten;
	struct err err = ERR_INIT;

	prune_all(path, KEEP_FOREVER);
	seal_all(path);
	writer = fixture_writer(path);
	writer->volume_bytes_max = PRUNED_VOLUME_BYTES;
	put(writer, 960, make_plain);
	fixture_add(writer, 1, PRUNED_VALIDITY, 961, 961, PRUNED_VOLUME_BYTES, "");
	(void)fixture_commit(writer, true);
	fixture_add(writer, 1, PRUNED_VALIDITY, 962, 962, NOISE_BYTES, "");
	(void)fixture_commit(writer, true);
	archive_writer_freep(&writer);
	prune_all(path, KEEP_FOREVER);
	CHECK_OK(forget(path, &forgotten, &err));
	CHECK_INT(traces(path), 0);
	fixture_check(path);
}

int main(int argc, char **argv)
{
	static const struct promise promises[] = {
		PROMISE(forget_leaves_nothing_in_any_frame_or_page),
		PROMISE(forget_leaves_nothing_in_sealed_volumes),
		PROMISE(forget_leaves_nothing_in_volumes_without_a_journal),
		PROMISE(forget_leaves_nothing_in_a_volume_being_sealed),
		PROMISE(forget_leaves_other_mail_unchanged),
		PROMISE(a_forgotten_message_is_not_fetched_again),
		PROMISE(a_tombstone_ends_when_the_message_leaves_the_server),
		PROMISE(forgetting_unknown_messages_does_nothing),
		PROMISE(forget_also_removes_earlier_pruned_copies_of_the_bytes),
		PROMISE(forget_removes_unreferenced_copies_of_the_bytes),
		PROMISE(forget_removes_a_journal_that_names_the_message_by_id),
	};

	return check_main(argc, argv, promises, ARRAY_LEN(promises));
}
