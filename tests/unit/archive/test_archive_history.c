#include "archive/archive.h"

#include <string.h>

#include "base/alloc.h"
#include "support/archive/archive_fixture.h"
#include "support/check.h"

enum { VALIDITY = 77 };

#define WRITER CLEANUP(archive_writer_freep) struct archive_writer *
#define READER CLEANUP(archive_freep) struct archive *
#define PATH   CLEANUP(freep) char *

/* --- history --- */

static void flags_have_a_history(void)
{
	PATH path = fixture_archive("flags");
	WRITER writer = fixture_writer(path);
	struct archive *view = archive_writer_view(writer);
	struct err err = ERR_INIT;
	int64_t folder = fixture_folder(writer, "INBOX", VALIDITY);

	fixture_add(writer, folder, VALIDITY, 1, 1, 1000, "");
	CHECK_INT(fixture_commit(writer, true), 1);
	CHECK_OK(archive_set_flags(writer, folder, VALIDITY, 1, "\\Seen", &err));
	CHECK_OK(archive_set_flags(writer, folder, VALIDITY, 1, "\\Answered \\Seen", &err));
	CHECK_INT(fixture_commit(writer, true), 2);
	CHECK_OK(archive_set_flags(writer, folder, VALIDITY, 1, "", &err));
	CHECK_INT(fixture_commit(writer, true), 3);
	CHECK_STR(fixture_list_at(view, 1), "INBOX 77 1 1000 []\n");
	CHECK_STR(fixture_list_at(view, 2), "INBOX 77 1 1000 [\\Answered \\Seen]\n");
	CHECK_STR(fixture_list_at(view, 3), "INBOX 77 1 1000 []\n");
}

static void gone_mail_stays_in_the_past(void)
{
	PATH path = fixture_archive("gone");
	WRITER writer = fixture_writer(path);
	struct archive *view = archive_writer_view(writer);
	CLEANUP(rangeset_free) struct rangeset uids = {0};
	struct archive_list all = {.generation = 2, .deleted = true};
	struct archive_list only = {.generation = 2, .only_deleted = true};
	struct archive_list before = {.generation = 1, .deleted = true};
	struct err err = ERR_INIT;
	int64_t folder = fixture_folder(writer, "INBOX", VALIDITY);

	for (uint32_t uid = 1; uid <= 4; uid++)
		fixture_add(writer, folder, VALIDITY, uid, uid, 100, "a");
	(void)fixture_commit(writer, true);
	CHECK_OK(archive_set_flags(writer, folder, VALIDITY, 3, "b", &err));
	rangeset_add(&uids, 2, 3);
	rangeset_add(&uids, 100, UINT32_MAX);
	CHECK_OK(archive_set_gone(writer, folder, VALIDITY, &uids, &err));
	CHECK_INT(fixture_commit(writer, true), 2);
	CHECK_STR(fixture_list_at(view, 2), "INBOX 77 1 100 [a]\nINBOX 77 4 100 [a]\n");
	CHECK_STR(fixture_list(view, &only), "INBOX 77 2 100 [a] gone\nINBOX 77 3 100 [b] gone\n");
	CHECK_STR(fixture_list(view, &all),
		"INBOX 77 1 100 [a]\nINBOX 77 2 100 [a] gone\nINBOX 77 3 100 [b] gone\n"
		"INBOX 77 4 100 [a]\n");
	/* An earlier snapshot shows it present, and knows that it is gone later. */
	CHECK_STR(fixture_list(view, &before),
		"INBOX 77 1 100 [a]\nINBOX 77 2 100 [a] gone\nINBOX 77 3 100 [a] gone\n"
		"INBOX 77 4 100 [a]\n");
}

static void a_new_uidvalidity_closes_the_old_placements(void)
{
	PATH path = fixture_archive("validity");
	WRITER writer = fixture_writer(path);
	struct archive *view = archive_writer_view(writer);
	struct archive_mark mark = {.uidvalidity = VALIDITY, .uidnext = 3};
	struct err err = ERR_INIT;
	int64_t folder = fixture_folder(writer, "INBOX", VALIDITY);
	bool found;

	fixture_add(writer, folder, VALIDITY, 1, 1, 100, "");
	CHECK_OK(archive_set_mark(writer, folder, &mark, &err));
	(void)fixture_commit(writer, true);
	CHECK_OK(archive_set_uidvalidity(writer, folder, 78, &err));
	fixture_add(writer, folder, 78, 1, 2, 200, "");
	CHECK_INT(fixture_commit(writer, true), 2);
	CHECK_STR(fixture_list_at(view, 1), "INBOX 77 1 100 [] gone\n");
	CHECK_STR(fixture_list_at(view, 2), "INBOX 78 1 200 []\n");
	CHECK_OK(archive_mark_of(view, folder, &found, &mark, &err));
	CHECK(!found);
}

struct folder_text {
	struct buf text;
};

static bool add_folder(void *context, const struct archive_folder *folder, struct err *err)
{
	(void)err;
	return buf_printf(context, "%lld %s %s %u %llu/%llu%s\n", (long long)folder->id,
		folder->path, folder->attributes, folder->uidvalidity,
		(unsigned long long)folder->messages, (unsigned long long)folder->bytes,
		folder->subscribed ? " subscribed" : "");
}

static const char *folders_at(struct archive *archive, int64_t generation)
{
	static struct buf text = BUF_INIT(65536);
	struct err err = ERR_INIT;

	buf_reset(&text);
	CHECK_OK(archive_each_folder_counted(archive, generation, add_folder, &text, &err));
	return text.len ? buf_str(&text) : "";
}

static void a_renamed_folder_keeps_its_id_and_mail(void)
{
	PATH path = fixture_archive("rename");
	WRITER writer = fixture_writer(path);
	struct archive *view = archive_writer_view(writer);
	struct archive_folder folder = {.path = "new",
		.wire_name = "new",
		.delimiter = '.',
		.attributes = "",
		.subscribed = true,
		.selectable = true};
	struct err err = ERR_INIT;
	int64_t id = fixture_folder(writer, "old", VALIDITY);

	fixture_add(writer, id, VALIDITY, 1, 1, 100, "");
	(void)fixture_commit(writer, true);
	folder.id = id;
	CHECK_OK(archive_put_folder(writer, &folder, &folder.id, &err));
	CHECK_INT(folder.id, id);
	CHECK_INT(fixture_commit(writer, true), 2);
	CHECK_STR(folders_at(view, 1), "1 old \\HasNoChildren 77 1/100\n");
	CHECK_STR(folders_at(view, 2), "1 new  77 1/100 subscribed\n");
	CHECK_STR(fixture_list_at(view, 1), "old 77 1 100 []\n");
	CHECK_STR(fixture_list_at(view, 2), "new 77 1 100 []\n");
}

static void put_name(struct archive_writer *writer, int64_t id, const char *name)
{
	struct archive_folder folder = {
		.id = id, .path = name, .wire_name = name, .attributes = "", .selectable = true};
	struct err err = ERR_INIT;

	CHECK_OK(archive_put_folder(writer, &folder, &folder.id, &err));
	CHECK_INT(folder.id, id);
}

static void check_swapped(const char *path)
{
	READER reader = fixture_reader(path);

	CHECK_STR(fixture_list_at(reader, 1), "a 77 1 100 []\nb 77 1 200 []\n");
	CHECK_STR(fixture_list_at(reader, 2), "a 77 1 200 []\nb 77 1 100 []\n");
}

static void two_folders_swap_their_names_in_one_generation(void)
{
	PATH path = fixture_archive("swap");
	struct archive_writer *writer = fixture_writer(path);
	int64_t a = fixture_folder(writer, "a", VALIDITY),
		b = fixture_folder(writer, "b", VALIDITY);

	fixture_add(writer, a, VALIDITY, 1, 1, 100, "");
	fixture_add(writer, b, VALIDITY, 1, 2, 200, "");
	(void)fixture_commit(writer, true);
	put_name(writer, a, "b");
	put_name(writer, b, "a");
	CHECK_INT(fixture_commit(writer, true), 2);
	archive_writer_freep(&writer);
	check_swapped(path);
	fixture_remove_catalogue(path);
	writer = fixture_writer(path); /* rebuilds it */
	archive_writer_freep(&writer);
	check_swapped(path);
}

static void removing_a_folder_closes_its_mail(void)
{
	PATH path = fixture_archive("folder_gone");
	WRITER writer = fixture_writer(path);
	struct archive *view = archive_writer_view(writer);
	struct archive_list deleted = {.generation = 2, .only_deleted = true};
	struct archive_folder again = {.path = "a", .wire_name = "a", .attributes = ""};
	struct archive_mark mark = {.uidvalidity = VALIDITY, .uidnext = 9};
	struct err err = ERR_INIT;
	int64_t a = fixture_folder(writer, "a", VALIDITY);
	int64_t b = fixture_folder(writer, "b", VALIDITY);
	bool found;

	fixture_add(writer, a, VALIDITY, 1, 1, 100, "");
	fixture_add(writer, b, VALIDITY, 1, 2, 200, "");
	CHECK_OK(archive_set_mark(writer, a, &mark, &err));
	(void)fixture_commit(writer, true);
	CHECK_OK(archive_folder_gone(writer, a, &err));
	(void)fixture_commit(writer, true);
	CHECK_STR(folders_at(view, 2), "2 b \\HasNoChildren 77 1/200\n");
	CHECK_STR(fixture_list_at(view, 2), "b 77 1 200 []\n");
	CHECK_STR(fixture_list(view, &deleted), "a 77 1 100 [] gone\n");
	again.id = a;
	CHECK_OK(archive_put_folder(writer, &again, &again.id, &err));
	CHECK_INT(fixture_commit(writer, true), 3);
	CHECK_STR(folders_at(view, 3), "1 a  0 0/0\n2 b \\HasNoChildren 77 1/200\n");
	CHECK_OK(archive_mark_of(view, a, &found, &mark, &err));
	CHECK(!found);
}

static void mail_added_and_removed_in_one_commit_is_never_visible(void)
{
	PATH path = fixture_archive("blink");
	WRITER writer = fixture_writer(path);
	struct archive *view = archive_writer_view(writer);
	CLEANUP(rangeset_free) struct rangeset uids = {0};
	struct archive_snapshot snapshot;
	struct err err = ERR_INIT;
	int64_t folder = fixture_folder(writer, "INBOX", VALIDITY);

	fixture_add(writer, folder, VALIDITY, 1, 1, 100, "");
	rangeset_add(&uids, 1, 1);
	CHECK_OK(archive_set_gone(writer, folder, VALIDITY, &uids, &err));
	fixture_add(writer, folder, VALIDITY, 2, 2, 100, "");
	CHECK_OK(archive_set_gone(writer, folder, VALIDITY, &uids, &err));
	(void)fixture_commit(writer, true);
	CHECK_STR(fixture_list_at(view, 1), "INBOX 77 2 100 []\n");
	CHECK_OK(archive_resolve(
		view, (struct archive_when){.kind = ARCHIVE_LATEST}, &snapshot, &err));
	CHECK_INT(snapshot.messages, 1);
}

/* --- snapshots --- */

static void a_time_selects_the_last_complete_snapshot(void)
{
	PATH path = fixture_archive("times");
	WRITER writer = fixture_writer(path);
	struct archive *view = archive_writer_view(writer);
	struct archive_when when = {.kind = ARCHIVE_LATEST};
	struct archive_snapshot snapshot;
	struct err err = ERR_INIT;
	int64_t folder = fixture_folder(writer, "INBOX", VALIDITY);
	int64_t second_ms;

	(void)fixture_commit(writer, false);
	fixture_add(writer, folder, VALIDITY, 1, 1, 100, "");
	CHECK_INT(fixture_commit(writer, true), 2);
	fixture_add(writer, folder, VALIDITY, 2, 2, 100, "");
	CHECK_INT(fixture_commit(writer, false), 3);
	CHECK_OK(archive_resolve(view, when, &snapshot, &err));
	CHECK_INT(snapshot.generation, 3);
	CHECK(!snapshot.complete);
	CHECK_INT(snapshot.messages, 2);
	CHECK_INT(snapshot.added, 1);
	when = (struct archive_when){.kind = ARCHIVE_TIME, .unix_ms = INT64_MAX};
	CHECK_OK(archive_resolve(view, when, &snapshot, &err));
	CHECK_INT(snapshot.generation, 2);
	second_ms = snapshot.unix_ms;
	when.unix_ms = 1;
	CHECK(!archive_resolve(view, when, &snapshot, &err));
	CHECK_INT(err.kind, ERR_NOT_FOUND);
	when.unix_ms = second_ms;
	CHECK_OK(archive_resolve(view, when, &snapshot, &err));
	CHECK_INT(snapshot.generation, 2);
	when = (struct archive_when){.kind = ARCHIVE_GENERATION, .generation = 4};
	CHECK(!archive_resolve(view, when, &snapshot, &err));
	CHECK_STR(err.text, "no snapshot 4: it was pruned or never existed; the last is 3");
}

static void an_empty_archive_is_at_generation_0(void)
{
	PATH path = fixture_archive("empty");
	READER reader = fixture_reader(path);
	struct archive_when when = {.kind = ARCHIVE_LATEST};
	struct archive_snapshot snapshot;
	struct archive_facts facts;
	struct err err = ERR_INIT;

	CHECK_OK(archive_resolve(reader, when, &snapshot, &err));
	CHECK_INT(snapshot.generation, 0);
	CHECK_STR(fixture_list_at(reader, 0), "");
	CHECK_OK(archive_facts(reader, &facts, &err));
	CHECK_STR(facts.head, "");
	CHECK(facts.archive_bytes > 0);
	when = (struct archive_when){.kind = ARCHIVE_TIME, .unix_ms = 1};
	CHECK(!archive_resolve(reader, when, &snapshot, &err));
	CHECK_INT(err.kind, ERR_NOT_FOUND);
}

static bool add_snapshot(void *context, const struct archive_snapshot *snapshot, struct err *err)
{
	(void)err;
	return buf_printf(context, "%lld %d %llu +%llu -%llu ~%llu\n",
		(long long)snapshot->generation, snapshot->complete,
		(unsigned long long)snapshot->messages, (unsigned long long)snapshot->added,
		(unsigned long long)snapshot->removed, (unsigned long long)snapshot->changed);
}

static void snapshots_count_what_changed(void)
{
	PATH path = fixture_archive("counts");
	WRITER writer = fixture_writer(path);
	CLEANUP(rangeset_free) struct rangeset uids = {0};
	CLEANUP(buf_free) struct buf text = BUF_INIT(4096);
	struct archive_facts facts;
	struct err err = ERR_INIT;
	int64_t folder = fixture_folder(writer, "INBOX", VALIDITY);

	for (uint32_t uid = 1; uid <= 5; uid++)
		fixture_add(writer, folder, VALIDITY, uid, uid, 100, "");
	(void)fixture_commit(writer, true);
	rangeset_add(&uids, 1, 2);
	CHECK_OK(archive_set_gone(writer, folder, VALIDITY, &uids, &err));
	CHECK_OK(archive_set_flags(writer, folder, VALIDITY, 3, "x", &err));
	fixture_add(writer, folder, VALIDITY, 6, 6, 700, "");
	(void)fixture_commit(writer, true);
	CHECK_OK(archive_each_snapshot(archive_writer_view(writer), add_snapshot, &text, &err));
	CHECK_STR(buf_str(&text), "1 1 5 +5 -0 ~0\n2 1 4 +1 -2 ~1\n");
	CHECK_OK(archive_facts(archive_writer_view(writer), &facts, &err));
	CHECK_INT(facts.messages, 4);
	CHECK_INT(facts.bytes, 1000);
	CHECK_INT(facts.generation, 2);
	CHECK_INT(strlen(facts.head), 64);
}

int main(int argc, char **argv)
{
	static const struct promise promises[] = {
		PROMISE(flags_have_a_history),
		PROMISE(gone_mail_stays_in_the_past),
		PROMISE(a_new_uidvalidity_closes_the_old_placements),
		PROMISE(a_renamed_folder_keeps_its_id_and_mail),
		PROMISE(two_folders_swap_their_names_in_one_generation),
		PROMISE(removing_a_folder_closes_its_mail),
		PROMISE(mail_added_and_removed_in_one_commit_is_never_visible),
		PROMISE(a_time_selects_the_last_complete_snapshot),
		PROMISE(an_empty_archive_is_at_generation_0),
		PROMISE(snapshots_count_what_changed),
	};

	return check_main(argc, argv, promises, ARRAY_LEN(promises));
}
