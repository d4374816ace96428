/* Check and rebuild: check notices any damage, and rebuild restores what the volumes hold. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "archive/archive.h"
#include "archive/catalogue/catalogue.h"
#include "archive/check.h"
#include "archive/seal.h"
#include "archive/volume/volume.h"
#include "base/fs.h"
#include "base/str.h"
#include "support/archive/archive_fixture.h"
#include "support/archive/files.h"
#include "support/archive/pruned.h"
#include "support/archive/refs.h"
#include "support/check.h"

enum {
	VALIDITY = 7,
	MESSAGES = 12,
	PART_BYTES = 70 * 1000,
	PAGE_BYTES = 4096,
	WAIT_MS = 1000,
	FLIP_STEP = 127, /* a prime, so that each column of some row is hit */
	CUT_STEP = 1021,
	TEXT_MAX = 64 * 1024,
};

/* --- an archive --- */

static void fill(const char *path, uint32_t seed)
{
	struct archive_writer *writer = fixture_writer(path);
	int64_t inbox = fixture_folder(writer, "INBOX", VALIDITY);
	int64_t sent = fixture_folder(writer, "Sent", VALIDITY);
	struct err err = ERR_INIT;

	for (uint32_t uid = 1; uid <= MESSAGES; uid++)
		fixture_add(writer, uid % 3 ? inbox : sent, VALIDITY, uid, seed + uid,
			uid == 5 ? PART_BYTES : 300 + uid, uid % 2 ? "\\Seen" : "");
	(void)fixture_commit(writer, true);
	CHECK_OK(archive_set_flags(writer, inbox, VALIDITY, 1, "\\Flagged", &err));
	(void)fixture_commit(writer, true);
	archive_writer_freep(&writer);
}

static void checkpoint_catalogue(const char *path)
{
	CLEANUP(db_freep) struct db *catalogue = NULL;
	CLEANUP(freep) char *file = layout_catalogue_path(path);
	struct err err = ERR_INIT;

	CHECK_OK(catalogue_open(ref_of(path), DB_WRITE, &catalogue, &err));
	CHECK_OK(db_wal_checkpoint(catalogue, true, &err));
	db_freep(&catalogue);
	CHECK_OK(db_remove_wal(file, &err));
}

/* Empties the WALs, so that the database files hold everything. */
static void checkpoint_archive(const char *path)
{
	CLEANUP(volume_list_free) struct volume_list list = {0};
	CLEANUP(volume_close) struct volume volume = {0};
	CLEANUP(freep) char *volume_file = NULL;
	struct err err = ERR_INIT;

	CHECK_OK(volume_list(path, &list, &err));
	volume_file = layout_volume_path(path, &list.items[0]);
	CHECK_OK(volume_open(ref_of(path), &list.items[0], DB_WRITE, &volume, &err));
	CHECK_OK(db_wal_checkpoint(volume.db, true, &err));
	volume_close(&volume);
	CHECK_OK(db_remove_wal(volume_file, &err));
	checkpoint_catalogue(path);
}

static char *archive_without_wal(const char *name, uint32_t seed)
{
	char *path = fixture_archive(name);

	fill(path, seed);
	checkpoint_archive(path);
	return path;
}

static char *file_of_volume(const char *path)
{
	CLEANUP(volume_list_free) struct volume_list list = {0};
	struct err err = ERR_INIT;

	CHECK_OK(volume_list(path, &list, &err));
	return layout_volume_path(path, &list.items[0]);
}

/* --- what is found --- */

struct found {
	unsigned count;
	char text[TEXT_MAX];
};

static bool note(void *context, const struct archive_finding *finding, struct err *err)
{
	struct found *found = context;
	size_t used = strlen(found->text);

	(void)err;
	found->count++;
	used += (size_t)snprintf(found->text + used, sizeof(found->text) - used, "%s: %s [",
		finding->where, finding->what);
	for (size_t i = 0; i < finding->lost_count && used < sizeof(found->text); i++)
		used += (size_t)snprintf(found->text + used, sizeof(found->text) - used, " %s %u",
			finding->lost[i].folder, finding->lost[i].uid);
	if (used < sizeof(found->text))
		(void)snprintf(found->text + used, sizeof(found->text) - used, " ]\n");
	return true;
}

static bool look_some(const char *path, unsigned percent, const char *head, struct found *ret_found,
	struct archive_checked *ret_checked)
{
	const struct archive_check check = {.read_percent = percent,
		.expect_head = head,
		.finding = note,
		.context = ret_found};
	struct err err = ERR_INIT;

	ret_found->count = 0;
	*ret_found->text = '\0';
	return archive_check(ref_of(path), &check, WAIT_MS, ret_checked, &err);
}

static bool look(const char *path, const char *head, struct found *ret_found,
	struct archive_checked *ret_checked)
{
	return look_some(path, ARCHIVE_CHECK_ALL, head, ret_found, ret_checked);
}

/* All answers an archive gives, as text; NULL: one of the questions failed. */
static char *everything(const char *path)
{
	CLEANUP(archive_freep) struct archive *archive = NULL;
	struct archive_facts facts;
	struct err err = ERR_INIT;

	if (!archive_open(ref_of(path), &archive, &err) || !archive_facts(archive, &facts, &err))
		return NULL;
	return str_printf("%s%s%llu %s\n", fixture_list_at(archive, 1), fixture_list_at(archive, 2),
		(unsigned long long)facts.bytes, facts.head);
}

static void put_file(const char *path, const struct buf *bytes, size_t len)
{
	CLEANUP(closep) int fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC);

	CHECK(fd >= 0);
	CHECK_INT(write(fd, bytes->data, len), (ssize_t)len);
}

/* The damage is noticed, or every answer is the same as before. */
static void expect_noticed(const char *path, const char *truth, const char *how, size_t at)
{
	struct found found;
	struct archive_checked checked;
	CLEANUP(freep) char *now = NULL;

	if (!look(path, NULL, &found, &checked) || found.count > 0)
		return;
	now = everything(path);
	if (!now || strcmp(now, truth) != 0)
		check_fail(__FILE__, __LINE__, "%s at byte %zu: not noticed", how, at);
}

static void damage(const char *path, const char *file)
{
	CLEANUP(buf_free) struct buf whole = BUF_INIT(64 * 1024 * 1024);
	CLEANUP(freep) char *truth = everything(path);
	struct err err = ERR_INIT;

	CHECK(truth);
	CHECK_OK(fs_read(file, &whole, &err));
	for (size_t at = 0; at < whole.len; at += (size_t)check_stride(FLIP_STEP)) {
		whole.data[at] ^= 1U << at % 8;
		put_file(file, &whole, whole.len);
		whole.data[at] ^= 1U << at % 8;
		expect_noticed(path, truth, "flipped", at);
	}
	for (size_t len = 0; len < whole.len; len += (size_t)check_stride(CUT_STEP)) {
		put_file(file, &whole, len);
		expect_noticed(path, truth, "cut", len);
	}
	put_file(file, &whole, whole.len);
}

/* --- promises --- */

static void check_of_a_good_archive_finds_nothing_and_changes_nothing(void)
{
	CLEANUP(freep) char *path = archive_without_wal("sound", 1);
	CLEANUP(freep) char *before = files_digests(path);
	CLEANUP(freep) char *after = NULL;
	struct archive_checked checked;
	struct found found;

	CHECK(look(path, NULL, &found, &checked));
	CHECK_STR(found.text, "");
	CHECK_INT(checked.volumes, 1);
	CHECK_INT(checked.messages, MESSAGES);
	CHECK_INT(strlen(checked.head), SHA256_HEX_MAX - 1);
	CHECK(look(path, checked.head, &found, &checked));
	CHECK_INT(found.count, 0);
	after = files_digests(path);
	CHECK_STR(after, before);
}

static void check_reports_an_unexpected_head(void)
{
	CLEANUP(freep) char *path = archive_without_wal("head", 1);
	struct archive_checked checked;
	struct found found;

	CHECK(look(path, "00", &found, &checked));
	CHECK_INT(found.count, 1);
	CHECK(strstr(found.text, "not the expected 00"));
}

static void check_detects_every_damaged_byte_of_a_volume(void)
{
	CLEANUP(freep) char *path = archive_without_wal("volume", 1);
	CLEANUP(freep) char *file = file_of_volume(path);

	damage(path, file);
}

static void check_detects_every_damaged_byte_of_a_sealed_volume(void)
{
	const struct archive_seal wish = {.open_bytes_min = 1};
	CLEANUP(freep) char *path = archive_without_wal("sealed", 1);
	CLEANUP(freep) char *file = NULL;
	struct archive_sealed sealed;
	struct err err = ERR_INIT;

	CHECK_OK(archive_seal(ref_of(path), &wish, WAIT_MS, &sealed, &err));
	CHECK_INT(sealed.volumes, 1);
	file = file_of_volume(path);
	CHECK(chmod(file, 0600) == 0);
	damage(path, file);
}

static void check_detects_every_damaged_byte_of_the_catalogue(void)
{
	CLEANUP(freep) char *path = archive_without_wal("catalogue", 1);
	CLEANUP(freep) char *file = layout_catalogue_path(path);

	damage(path, file);
}

static void check_names_the_messages_lost_to_a_damaged_frame(void)
{
	CLEANUP(freep) char *path = archive_without_wal("frame", 1);
	CLEANUP(freep) char *file = file_of_volume(path);
	CLEANUP(buf_free) struct buf whole = BUF_INIT(64 * 1024 * 1024);
	struct archive_checked checked;
	struct found found;
	struct err err = ERR_INIT;

	CHECK_OK(fs_read(file, &whole, &err));
	whole.data[whole.len / 2] ^= 1; /* the stored part, the largest piece of it */
	put_file(file, &whole, whole.len);
	CHECK(look(path, NULL, &found, &checked));
	CHECK(strstr(found.text, "[ INBOX 5 ]"));
	CHECK(!strstr(found.text, "INBOX 4"));
	CHECK_INT(checked.messages, MESSAGES - 1);
}

/* Both have the same body, one leaf, the largest piece of the volume. */
static void fill_with_shared_leaf(const char *path)
{
	CLEANUP(buf_free) struct buf mail = BUF_INIT(2 * PART_BYTES);
	CLEANUP(buf_free) struct buf body = BUF_INIT(PART_BYTES);
	struct archive_writer *writer = fixture_writer(path);
	int64_t inbox = fixture_folder(writer, "INBOX", VALIDITY);

	fixture_add(writer, inbox, VALIDITY, 1, 1, 300, "");
	fixture_message(&body, 2, PART_BYTES);
	for (uint32_t uid = 2; uid <= 3; uid++) {
		buf_reset(&mail);
		CHECK(buf_printf(&mail, "X-Number: %u\r\n", uid) &&
			buf_add(&mail, body.data, body.len));
		fixture_place(writer, inbox, VALIDITY, uid,
			fixture_store(writer, inbox, mail.data, mail.len), "");
	}
	(void)fixture_commit(writer, true);
	archive_writer_freep(&writer);
	checkpoint_archive(path);
}

static void check_reports_a_damaged_frame_once_however_much_it_reads(void)
{
	static const unsigned percents[] = {0, 50, ARCHIVE_CHECK_ALL};
	CLEANUP(freep) char *path = fixture_archive("shared");
	CLEANUP(freep) char *file = NULL;
	CLEANUP(buf_free) struct buf whole = BUF_INIT(64 * 1024 * 1024);
	struct archive_checked checked;
	struct found found;
	struct err err = ERR_INIT;

	fill_with_shared_leaf(path);
	CHECK(look(path, NULL, &found, &checked));
	CHECK_STR(found.text, "");
	file = file_of_volume(path);
	CHECK_OK(fs_read(file, &whole, &err));
	whole.data[whole.len / 2 + PAGE_BYTES / 2] ^= 1; /* but not the link to the next page */
	put_file(file, &whole, whole.len);
	for (size_t i = 0; i < ARRAY_LEN(percents); i++) {
		CHECK(look_some(path, percents[i], NULL, &found, &checked));
		CHECK_INT(found.count, 1);
		CHECK(strstr(found.text, "[ INBOX 2 INBOX 3 ]"));
	}
	CHECK_INT(checked.messages, 1);
}

/* One tenth now, another tenth next time. */
static void rotating_percentages_read_every_message_once(void)
{
	CLEANUP(freep) char *path = archive_without_wal("turns", 1);
	struct archive_check check = {.read_percent = 10, .finding = note};
	struct found found = {0};
	uint64_t messages = 0;
	struct err err = ERR_INIT;

	check.context = &found;
	for (; check.rotation < ARCHIVE_CHECK_ALL; check.rotation += check.read_percent) {
		struct archive_checked checked;

		CHECK_OK(archive_check(ref_of(path), &check, WAIT_MS, &checked, &err));
		messages += checked.messages;
	}
	CHECK_STR(found.text, "");
	CHECK_INT(messages, MESSAGES);
}

static void check_detects_a_missing_volume_and_a_foreign_catalogue(void)
{
	CLEANUP(freep) char *path = archive_without_wal("mine", 1);
	CLEANUP(freep) char *other = archive_without_wal("other", 1000);
	CLEANUP(freep) char *volume = file_of_volume(path);
	CLEANUP(freep) char *mine = layout_catalogue_path(path);
	CLEANUP(freep) char *theirs = layout_catalogue_path(other);
	CLEANUP(buf_free) struct buf stranger = BUF_INIT(64 * 1024 * 1024);
	struct archive_checked checked;
	struct found found;
	struct err err = ERR_INIT;

	CHECK_OK(fs_read(theirs, &stranger, &err));
	put_file(mine, &stranger, stranger.len);
	CHECK(look(path, NULL, &found, &checked));
	CHECK(found.count > 0);
	CHECK_OK(archive_rebuild(ref_of(path), WAIT_MS, &err));
	checkpoint_archive(path);
	CHECK(look(path, NULL, &found, &checked));
	CHECK_STR(found.text, "");
	CHECK_OK(fs_remove(volume, &err));
	CHECK(!look(path, NULL, &found, &checked) || found.count > 0);
}

struct meanwhile {
	struct found found; /* as note() formats it */
	const char *path;
	bool done;
};

/* Every file is moved away, and some of them stay lost. */
static void change_it(void *context, uint64_t messages, uint64_t bytes)
{
	const struct archive_seal seal = {.open_bytes_min = 1};
	struct meanwhile *meanwhile = context;
	struct archive_sealed sealed;
	struct archive_pruned pruned;
	struct err err = ERR_INIT;

	(void)messages;
	(void)bytes;
	if (meanwhile->done)
		return;
	meanwhile->done = true;
	CHECK_OK(archive_seal(ref_of(meanwhile->path), &seal, WAIT_MS, &sealed, &err));
	CHECK(sealed.volumes > 2);
	CHECK_OK(pruned_prune(meanwhile->path, &(struct keep_rules){.last = 1}, 0, &pruned, &err));
	CHECK(pruned.messages > 0);
}

static void check_accepts_concurrent_writes(void)
{
	CLEANUP(freep) char *path = pruned_archive("meanwhile");
	struct meanwhile meanwhile = {.path = path};
	const struct archive_check check = {.read_percent = ARCHIVE_CHECK_ALL,
		.finding = note,
		.progress = change_it,
		.context = &meanwhile};
	struct archive_checked checked;
	struct err err = ERR_INIT;

	checkpoint_catalogue(path); /* without a WAL, readers take no lock */
	CHECK_OK(archive_check(ref_of(path), &check, WAIT_MS, &checked, &err));
	CHECK(meanwhile.done && checked.messages > 1);
	CHECK_STR(meanwhile.found.text, "");
}

static void rebuild_restores_a_lost_catalogue(void)
{
	CLEANUP(freep) char *path = archive_without_wal("rebuilt", 1);
	CLEANUP(freep) char *truth = everything(path);
	CLEANUP(freep) char *catalogue = layout_catalogue_path(path);
	CLEANUP(buf_free) struct buf rubbish = BUF_INIT(5000);
	struct archive_checked checked;
	struct found found;
	struct err err = ERR_INIT;

	for (int i = 0; i < 3; i++) {
		CLEANUP(freep) char *now = NULL;

		if (i == 0)
			CHECK_OK(fs_remove(catalogue, &err));
		fixture_message(&rubbish, 3, 5000);
		if (i == 1)
			put_file(catalogue, &rubbish, rubbish.len);
		CHECK_OK(archive_rebuild(ref_of(path), WAIT_MS, &err));
		now = everything(path);
		CHECK_STR(now, truth);
		CHECK(look(path, NULL, &found, &checked));
		CHECK_STR(found.text, "");
	}
	fill(path, 500); /* and it can be written to again */
	CHECK(look(path, NULL, &found, &checked));
	CHECK_STR(found.text, "");
}

static void a_failed_rebuild_changes_nothing(void)
{
	CLEANUP(freep) char *path = archive_without_wal("hopeless", 1);
	CLEANUP(freep) char *volume = file_of_volume(path);
	CLEANUP(buf_free) struct buf whole = BUF_INIT(64 * 1024 * 1024);
	CLEANUP(freep) char *before = NULL;
	CLEANUP(freep) char *after = NULL;
	struct err err = ERR_INIT;

	CHECK_OK(fs_read(volume, &whole, &err));
	put_file(volume, &whole, whole.len - 4096);
	before = files_digests(path);
	CHECK(!archive_rebuild(ref_of(path), WAIT_MS, &err));
	CHECK_INT(err.kind, ERR_CORRUPT);
	after = files_digests(path);
	CHECK_STR(after, before);
}

int main(int argc, char **argv)
{
	static const struct promise promises[] = {
		PROMISE(check_of_a_good_archive_finds_nothing_and_changes_nothing),
		PROMISE(check_reports_an_unexpected_head),
		PROMISE(check_detects_every_damaged_byte_of_a_volume),
		PROMISE(check_detects_every_damaged_byte_of_a_sealed_volume),
		PROMISE(check_detects_every_damaged_byte_of_the_catalogue),
		PROMISE(check_names_the_messages_lost_to_a_damaged_frame),
		PROMISE(check_reports_a_damaged_frame_once_however_much_it_reads),
		PROMISE(rotating_percentages_read_every_message_once),
		PROMISE(check_detects_a_missing_volume_and_a_foreign_catalogue),
		PROMISE(check_accepts_concurrent_writes),
		PROMISE(rebuild_restores_a_lost_catalogue),
		PROMISE(a_failed_rebuild_changes_nothing),
	};
	return check_main(argc, argv, promises, ARRAY_LEN(promises));
}
