/* The journal of restores to one server. */
#include <stdio.h>
#include <string.h>

#include "base/fs.h"
#include "base/str.h"
#include "restore/upload/restore_journal.h"
#include "support/check.h"

enum { FILE_BYTES_MAX = 1024 * 1024 };

static char *fresh_path(const char *name)
{
	return str_printf("%s/%s/restore/x.db", check_temp_dir(), name);
}

static struct restore_journal *open_at(const char *path)
{
	struct restore_journal *journal;
	struct err err = ERR_INIT;

	CHECK_OK(restore_journal_open(path, &journal, &err));
	return journal;
}

static int64_t pend(struct restore_journal *journal, const char *folder, char bytes)
{
	struct journal_row row = {.uidvalidity = 7, .uidnext = 3};
	struct err err = ERR_INIT;
	int64_t id;

	memset(row.sha256, bytes, sizeof(row.sha256));
	CHECK_OK(restore_journal_pending(journal, folder, &row, &id, &err));
	return id;
}

static bool print(void *context, const struct journal_row *row, struct err *err)
{
	char *text = context;

	(void)err;
	(void)snprintf(text + strlen(text), 200 - strlen(text), "%c%u/%u<%u%s%llu ", row->sha256[5],
		row->uidvalidity, row->uid, row->uidnext, row->seen ? "=" : "?",
		(unsigned long long)row->size);
	return true;
}

static const char *rows(struct restore_journal *journal, const char *folder)
{
	static char text[200];
	struct err err = ERR_INIT;

	*text = '\0';
	CHECK_OK(restore_journal_each(journal, folder, print, text, &err));
	return text;
}

static void rows_are_kept_when_committed_and_only_then(void)
{
	CLEANUP(freep) char *path = fresh_path("keep");
	CLEANUP(restore_journal_freep) struct restore_journal *journal = open_at(path);
	struct err err = ERR_INIT;
	int64_t first;

	first = pend(journal, "INBOX", 'a');
	(void)pend(journal, "INBOX", 'b');
	CHECK_OK(restore_journal_commit(journal, &err));
	CHECK_OK(restore_journal_done(journal, first, 7, 12, &err));
	CHECK_OK(restore_journal_seen(journal, first, 99, 5, &err));
	CHECK_STR(rows(journal, "INBOX"), "a7/12<3=99 b7/0<3?0 ");
	restore_journal_freep(&journal);
	journal = open_at(path);
	CHECK_STR(rows(journal, "INBOX"), "a7/0<3?0 b7/0<3?0 ");
	CHECK_STR(rows(journal, "Other"), "");
}

static void a_uid_is_one_message(void)
{
	CLEANUP(freep) char *path = fresh_path("uid");
	CLEANUP(restore_journal_freep) struct restore_journal *journal = open_at(path);
	struct journal_row known = {.uidvalidity = 7, .uid = 12, .size = 5};
	struct err err = ERR_INIT;

	memset(known.sha256, 'k', sizeof(known.sha256));
	CHECK_OK(restore_journal_known(journal, "INBOX", &known, &err));
	CHECK_OK(restore_journal_done(journal, pend(journal, "INBOX", 'a'), 7, 12, &err));
	CHECK_STR(rows(journal, "INBOX"), "a7/12<3?0 ");
	CHECK_OK(restore_journal_known(journal, "INBOX", &known, &err));
	CHECK_STR(rows(journal, "INBOX"), "k7/12<0=5 ");
}

static void another_uidvalidity_forgets(void)
{
	CLEANUP(freep) char *path = fresh_path("forget");
	CLEANUP(restore_journal_freep) struct restore_journal *journal = open_at(path);
	struct err err = ERR_INIT;

	(void)pend(journal, "INBOX", 'a');
	(void)pend(journal, "Work", 'b');
	CHECK_OK(restore_journal_forget_others(journal, "INBOX", 8, &err));
	CHECK_OK(restore_journal_forget_others(journal, "Work", 7, &err));
	CHECK_STR(rows(journal, "INBOX"), "");
	CHECK_STR(rows(journal, "Work"), "b7/0<3?0 ");
}

static void a_damaged_journal_is_replaced_by_an_empty_one(void)
{
	CLEANUP(freep) char *path = fresh_path("damaged");
	CLEANUP(restore_journal_freep) struct restore_journal *journal = open_at(path);
	struct err err = ERR_INIT;

	(void)pend(journal, "INBOX", 'a');
	CHECK_OK(restore_journal_commit(journal, &err));
	restore_journal_freep(&journal);
	CHECK_OK(fs_write_atomic(path, "this is no database, far from it", 32, 0600, &err));
	journal = open_at(path);
	CHECK_STR(rows(journal, "INBOX"), "");
}

/* A newer version is no damage: the newer mailstow still needs the file. */
static void a_journal_of_a_newer_mailstow_is_left_alone(void)
{
	enum { VERSION_AT = 63 /* the last byte of SQLite's user_version */, NEWER = 99 };
	CLEANUP(freep) char *path = fresh_path("newer");
	CLEANUP(restore_journal_freep) struct restore_journal *journal = open_at(path);
	CLEANUP(buf_free) struct buf before = BUF_INIT(FILE_BYTES_MAX);
	CLEANUP(buf_free) struct buf after = BUF_INIT(FILE_BYTES_MAX);
	struct err err = ERR_INIT;

	restore_journal_freep(&journal);
	CHECK_OK(fs_read(path, &before, &err));
	before.data[VERSION_AT] = NEWER;
	CHECK_OK(fs_write_atomic(path, before.data, before.len, 0600, &err));
	CHECK(!restore_journal_open(path, &journal, &err));
	CHECK_INT(err.kind, ERR_NEWER);
	CHECK_OK(fs_read(path, &after, &err));
	CHECK(after.len == before.len && memcmp(after.data, before.data, after.len) == 0);
}

static void one_run_at_a_time_holds_a_journal(void)
{
	CLEANUP(freep) char *path = fresh_path("held");
	CLEANUP(restore_journal_freep) struct restore_journal *first = open_at(path);
	struct restore_journal *second = NULL;
	struct err err = ERR_INIT;

	CHECK(first && !restore_journal_open(path, &second, &err));
	CHECK_INT(err.kind, ERR_BUSY);
}

static void every_target_has_its_own_journal(void)
{
	static const uint8_t uuid[ARCHIVE_UUID_BYTES] = {1, 2, 3};
	CLEANUP(freep) char *one = restore_journal_path("/s", uuid, "host", 993, "a");
	CLEANUP(freep) char *two = restore_journal_path("/s", uuid, "host", 993, "b");
	CLEANUP(freep) char *three = restore_journal_path("/s", uuid, "host", 143, "a");

	CHECK(str_starts(one, "/s/restore/01020300000000000000000000000000-"));
	CHECK(strcmp(one, two) != 0 && strcmp(one, three) != 0);
}

int main(int argc, char **argv)
{
	static const struct promise promises[] = {
		PROMISE(rows_are_kept_when_committed_and_only_then),
		PROMISE(a_uid_is_one_message),
		PROMISE(another_uidvalidity_forgets),
		PROMISE(a_damaged_journal_is_replaced_by_an_empty_one),
		PROMISE(a_journal_of_a_newer_mailstow_is_left_alone),
		PROMISE(one_run_at_a_time_holds_a_journal),
		PROMISE(every_target_has_its_own_journal),
	};

	return check_main(argc, argv, promises, ARRAY_LEN(promises));
}
