/*
 * Creates an archive and adds mail to it, with a stop or a failure at each change of the disk.
 * Afterwards the archive opens, every acknowledged commit is present byte for byte, and the next
 * run completes without storing anything twice.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "archive/archive.h"
#include "base/fs.h"
#include "base/str.h"
#include "support/archive/archive_fixture.h"
#include "support/archive/files.h"
#include "support/archive/inside.h"
#include "support/archive/refs.h"
#include "support/check.h"
#include "support/crash/crash_vfs.h"

enum {
	VALIDITY = 7,
	MESSAGES = 30,
	COMMIT_EVERY = 6,
	SMALL_BYTES = 1500,
	PART_BYTES = 70 * 1000,      /* one of them has a frame of its own */
	BIG_BYTES = 9 * 1000 * 1000, /* or several pieces */
	DUPLICATE_OF = 3,            /* the 20th equals the third */
	TIMES_MAX = 1000000,
};

struct scenario {
	size_t big;            /* size of the 11th message */
	long step;             /* distance between the changes that are tried */
	uint64_t volume_bytes; /* size of a full volume; 0: the default */
};

static size_t size_of(const struct scenario *scenario, uint32_t uid)
{
	return uid == 11 ? scenario->big : SMALL_BYTES + uid * 40;
}

static void make(const struct scenario *scenario, uint32_t uid, struct buf *out)
{
	uint32_t like = uid == 20 ? DUPLICATE_OF : uid;

	fixture_message(out, like, size_of(scenario, like));
}

static bool add(const struct scenario *scenario, struct archive_writer *writer, int64_t folder,
	uint32_t uid, struct err *err)
{
	CLEANUP(buf_free) struct buf message = BUF_INIT(FIXTURE_MESSAGE_MAX);
	struct archive_placement placement = {
		.folder_id = folder,
		.uidvalidity = VALIDITY,
		.uid = uid,
		.flags = uid % 2 ? "\\Seen" : "",
	};

	make(scenario, uid, &message);
	return archive_message_begin(writer, folder, message.len, err) &&
	       archive_message_data(writer, message.data, message.len, err) &&
	       archive_message_end(writer, &placement.ticket, err) &&
	       archive_place(writer, &placement, err);
}

static bool find_folder(void *context, const struct archive_folder *folder, struct err *err)
{
	(void)err;
	*(int64_t *)context = folder->id;
	return true;
}

static bool open_folder(struct archive_writer *writer, int64_t *ret_id, struct err *err)
{
	struct archive_folder folder = {.path = "INBOX", .wire_name = "INBOX", .attributes = ""};
	struct archive_snapshot snapshot;
	struct archive *view = archive_writer_view(writer);

	return archive_resolve(
		       view, (struct archive_when){.kind = ARCHIVE_LATEST}, &snapshot, err) &&
	       archive_each_folder(view, snapshot.generation, find_folder, &folder.id, err) &&
	       archive_put_folder(writer, &folder, ret_id, err) &&
	       archive_set_uidvalidity(writer, *ret_id, VALIDITY, err);
}

static bool highest_uid(void *context, uint32_t uid, const char *flags, struct err *err)
{
	(void)err;
	(void)flags;
	*(uint32_t *)context = uid;
	return true;
}

/* Continue from the archive's state. Writes the last UID of each commit to ack_fd unless that is
 * -1. */
static bool fill(
	const struct scenario *scenario, struct archive_writer *writer, int ack_fd, struct err *err)
{
	uint32_t uid = 0;
	int64_t folder;
	int64_t generation;

	if (!open_folder(writer, &folder, err) ||
		!archive_each_uid(archive_writer_view(writer), folder, VALIDITY, NULL, highest_uid,
			&uid, err))
		return false;
	while (++uid <= MESSAGES) {
		if (!add(scenario, writer, folder, uid, err))
			return false;
		if (uid % COMMIT_EVERY != 0)
			continue;
		if (!archive_commit(writer, uid == MESSAGES, &generation, err))
			return false;
		if (ack_fd >= 0 && write(ack_fd, &uid, sizeof(uid)) != sizeof(uid))
			return err_set(err, ERR_LOCAL, "write to the pipe");
	}
	return archive_tidy(writer, err);
}

static bool work(const struct scenario *scenario, const char *path, int ack_fd, struct err *err)
{
	CLEANUP(archive_writer_freep) struct archive_writer *writer = NULL;

	if (!(archive_exists(path) ? fixture_unlock : fixture_create)(path, err))
		return false;
	if (!archive_writer_open(ref_of(path), 1000, &writer, err))
		return false;
	if (scenario->volume_bytes)
		inside_limit_volumes(writer, scenario->volume_bytes);
	return fill(scenario, writer, ack_fd, err);
}

/* --- what must hold afterwards --- */

static void check_message(
	const struct scenario *scenario, struct archive *archive, int64_t generation, uint32_t uid)
{
	CLEANUP(buf_free) struct buf wanted = BUF_INIT(FIXTURE_MESSAGE_MAX);
	CLEANUP(buf_free) struct buf got = BUF_INIT(FIXTURE_MESSAGE_MAX);

	make(scenario, uid, &wanted);
	fixture_read(archive, fixture_find(archive, generation, 1, VALIDITY, uid), &got);
	CHECK(got.len == wanted.len && memcmp(got.data, wanted.data, got.len) == 0);
}

static int64_t newest(struct archive *archive)
{
	struct archive_snapshot snapshot;
	struct err err = ERR_INIT;

	CHECK_OK(archive_resolve(
		archive, (struct archive_when){.kind = ARCHIVE_LATEST}, &snapshot, &err));
	return snapshot.generation;
}

static void check_acknowledged(
	const struct scenario *scenario, const char *path, uint32_t acknowledged)
{
	CLEANUP(archive_writer_freep) struct archive_writer *writer = NULL;
	int64_t generation;

	if (acknowledged == 0 && !archive_exists(path))
		return;
	writer = fixture_writer(path);
	generation = newest(archive_writer_view(writer));
	for (uint32_t uid = 1; uid <= acknowledged; uid++)
		check_message(scenario, archive_writer_view(writer), generation, uid);
}

static bool count_entry(void *context, const struct archive_entry *entry, struct err *err)
{
	uint32_t *next = context;

	(void)err;
	CHECK_INT(entry->uid, *next);
	++*next;
	return true;
}

static void check_complete(const struct scenario *scenario, const char *path)
{
	CLEANUP(archive_freep) struct archive *archive = NULL;
	struct archive_list list = {0};
	struct err err = ERR_INIT;
	uint32_t next = 1;

	CHECK_OK(work(scenario, path, -1, &err));
	archive = fixture_reader(path);
	list.generation = newest(archive);
	CHECK_OK(archive_each_entry(archive, &list, count_entry, &next, &err));
	CHECK_INT(next, MESSAGES + 1);
	CHECK_INT(fixture_find(archive, list.generation, 1, VALIDITY, 20),
		fixture_find(archive, list.generation, 1, VALIDITY, DUPLICATE_OF));
	for (uint32_t uid = 1; uid <= MESSAGES; uid++)
		check_message(scenario, archive, list.generation, uid);
	inside_check_volumes(path);
}

/* --- the rings --- */

/* The last UID acknowledged. *ret_ended: the child was not stopped. */
static uint32_t run_child(const struct scenario *scenario, const char *path, long n,
	enum crash_mode mode, bool *ret_ended)
{
	int pipe_fds[2];
	uint32_t acknowledged = 0;
	uint32_t uid;
	int status;
	pid_t pid;

	CHECK(pipe(pipe_fds) == 0);
	pid = fork();
	CHECK(pid >= 0);
	if (pid == 0) {
		struct err err = ERR_INIT;

		crash_vfs_arm(n, mode);
		_exit(work(scenario, path, pipe_fds[1], &err) ? 0 : 1);
	}
	(void)close(pipe_fds[1]);
	while (read(pipe_fds[0], &uid, sizeof(uid)) == sizeof(uid))
		acknowledged = uid;
	(void)close(pipe_fds[0]);
	CHECK(waitpid(pid, &status, 0) == pid);
	CHECK(WIFEXITED(status));
	*ret_ended = WEXITSTATUS(status) == 0;
	CHECK(*ret_ended || WEXITSTATUS(status) == CRASH_EXIT_CODE);
	return acknowledged;
}

static void stop_everywhere(const struct scenario *scenario, enum crash_mode mode)
{
	CLEANUP(freep) char *path = str_printf("%s/ring", check_temp_dir());
	bool ended = false;
	long stride = check_stride(CHECK_DAILY_STEP * scenario->step);
	long n = 1;

	for (; !ended && n < TIMES_MAX; n += stride) {
		uint32_t acknowledged = run_child(scenario, path, n, mode, &ended);

		crash_vfs_arm(0, CRASH_OFF);
		check_acknowledged(scenario, path, acknowledged);
		check_complete(scenario, path);
		files_remove(path);
	}
	(void)printf("# stopped at %ld changes\n", (n - 1) / stride);
	CHECK(ended);
}

static void fail_everywhere(
	const struct scenario *scenario, enum crash_mode mode, enum err_kind wanted)
{
	CLEANUP(freep) char *path = str_printf("%s/ring", check_temp_dir());
	bool ended = false;
	long stride = check_stride(CHECK_DAILY_STEP * scenario->step);
	long n = 1;

	for (; !ended && n < TIMES_MAX; n += stride) {
		struct err err = ERR_INIT;
		bool ok;

		crash_vfs_arm(n, mode);
		ok = work(scenario, path, -1, &err);
		ended = crash_vfs_count() < n;
		crash_vfs_arm(0, CRASH_OFF);
		if (!ok && err.kind != wanted && !(wanted == ERR_LOCAL && err.kind == ERR_CREATE))
			check_fail(__FILE__, __LINE__, "change %ld: %s", n, err.text);
		check_acknowledged(scenario, path, 0);
		check_complete(scenario, path);
		files_remove(path);
	}
	(void)printf("# failed at %ld changes\n", (n - 1) / stride);
	CHECK(ended);
}

static const struct scenario small_mail = {.big = PART_BYTES, .step = 1};
static const struct scenario big_mail = {.big = BIG_BYTES, .step = 151};

static void killed_at_every_change_nothing_acknowledged_is_lost(void)
{
	stop_everywhere(&small_mail, CRASH_EXIT);
}

static void killed_within_a_write_nothing_acknowledged_is_lost(void)
{
	stop_everywhere(&(struct scenario){.big = PART_BYTES, .step = 5}, CRASH_TEAR);
}

static void killed_within_a_big_message_nothing_acknowledged_is_lost(void)
{
	stop_everywhere(&big_mail, CRASH_EXIT);
}

static void killed_while_volumes_follow_each_other_nothing_acknowledged_is_lost(void)
{
	stop_everywhere(&(struct scenario){.big = PART_BYTES, .step = 2, .volume_bytes = 60000},
		CRASH_EXIT);
}

static void a_full_disk_is_said_and_gone_on_from(void)
{
	fail_everywhere(&(struct scenario){.big = PART_BYTES, .step = 3, .volume_bytes = 60000},
		CRASH_FULL, ERR_NO_SPACE);
}

static void a_failing_write_is_said_and_gone_on_from(void)
{
	fail_everywhere(
		&(struct scenario){.big = PART_BYTES, .step = 3}, CRASH_FAIL_ONCE, ERR_LOCAL);
}

int main(int argc, char **argv)
{
	static const struct promise promises[] = {
		PROMISE(killed_at_every_change_nothing_acknowledged_is_lost),
		PROMISE(killed_within_a_write_nothing_acknowledged_is_lost),
		PROMISE(killed_within_a_big_message_nothing_acknowledged_is_lost),
		PROMISE(killed_while_volumes_follow_each_other_nothing_acknowledged_is_lost),
		PROMISE(a_full_disk_is_said_and_gone_on_from),
		PROMISE(a_failing_write_is_said_and_gone_on_from),
	};

	crash_vfs_install();
	return check_main(argc, argv, promises, ARRAY_LEN(promises));
}
