#include "support/archive/pruned.h"
#include "support/archive/inside.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "archive/write/writer.h"
#include "base/alloc.h"
#include "base/str.h"
#include "support/archive/files.h"
#include "support/archive/refs.h"
#include "support/check.h"

enum { SMALL_BYTES = 3000, BIG_BYTES = 90 * 1000, TEXT_MAX = 4096, WAIT_MS = 1000, DAY_S = 86400 };

size_t pruned_size(uint32_t uid)
{
	return uid % PRUNED_EACH == 1 ? BIG_BYTES + uid : SMALL_BYTES + uid;
}

static void add_some(struct archive_writer *writer, int64_t folder, uint32_t first)
{
	for (uint32_t uid = first; uid < first + PRUNED_EACH; uid++)
		fixture_add(writer, folder, PRUNED_VALIDITY, uid, uid, pruned_size(uid), "");
}

static void take_some(struct archive_writer *writer, int64_t folder, uint32_t first)
{
	CLEANUP(rangeset_free) struct rangeset uids = {0};
	struct err err = ERR_INIT;

	rangeset_add(&uids, first, first + PRUNED_EACH - 1);
	CHECK_OK(archive_set_gone(writer, folder, PRUNED_VALIDITY, &uids, &err));
}

void pruned_fill(const char *path)
{
	struct archive_writer *writer = fixture_writer(path);
	int64_t inbox, old;
	struct err err = ERR_INIT;

	inside_limit_volumes(writer, PRUNED_VOLUME_BYTES);
	inbox = fixture_folder(writer, "INBOX", PRUNED_VALIDITY);
	old = fixture_folder(writer, "Old", PRUNED_VALIDITY);
	fixture_add(writer, old, PRUNED_VALIDITY, 1, 1000, SMALL_BYTES, "Old");
	for (uint32_t i = 0; i < PRUNED_SNAPSHOTS; i++) {
		uint32_t first = 1 + i * PRUNED_EACH;
		struct archive_mark mark = {PRUNED_VALIDITY, first + PRUNED_EACH, 0, 0, 0};

		add_some(writer, inbox, first);
		if (i >= 2) {
			take_some(writer, inbox, first - 2 * PRUNED_EACH);
			CHECK_OK(archive_set_flags(writer, inbox, PRUNED_VALIDITY,
				first - PRUNED_EACH, "\\Seen", &err));
		}
		if (i == 2)
			CHECK_OK(archive_folder_gone(writer, old, &err));
		CHECK_OK(archive_set_mark(writer, inbox, &mark, &err));
		CHECK_INT(fixture_commit(writer, true), i + 1);
	}
	archive_writer_freep(&writer);
}

char *pruned_archive(const char *name)
{
	char *path = fixture_archive(name);

	pruned_fill(path);
	return path;
}

bool pruned_prune(const char *path, const struct keep_rules *keep, int64_t keep_deleted_ms,
	struct archive_pruned *ret_pruned, struct err *err)
{
	struct archive_prune prune = {
		.keep = *keep,
		.keep_deleted_ms = keep_deleted_ms,
		.now_ms = clock_wall_ms() + 1000,
	};

	return fixture_unlock(path, err) &&
	       archive_prune(ref_of(path), &prune, WAIT_MS, ret_pruned, err);
}

static bool check_entry(void *context, const struct archive_entry *entry, struct err *err)
{
	bool old = strcmp(entry->folder_path, "Old") == 0;

	(void)err;
	CHECK(entry->added_ms > 0);
	fixture_check_message(context, entry->message_id, old ? 1000 : entry->uid,
		old ? SMALL_BYTES : pruned_size(entry->uid));
	return true;
}

void pruned_check_bytes(struct archive *archive, int64_t generation)
{
	struct archive_list list = {.generation = generation, .deleted = true};
	struct err err = ERR_INIT;

	CHECK_OK(archive_each_entry(archive, &list, check_entry, archive, &err));
}

char *pruned_everything(const char *path)
{
	CLEANUP(archive_freep) struct archive *archive = fixture_reader(path);
	const struct archive_list list = {.generation = PRUNED_SNAPSHOTS, .deleted = true};
	struct archive_facts facts;
	struct err err = ERR_INIT;

	pruned_check_bytes(archive, PRUNED_SNAPSHOTS);
	CHECK_OK(archive_facts(archive, &facts, &err));
	return str_printf("%s%s", fixture_list(archive, &list), facts.head);
}

int pruned_words(const char *path)
{
	static const char *const words[] = {
		"message 3", "a3@example", "INBOX", "etaoin", "HasNoChildren"};

	return files_with(path, words, ARRAY_LEN(words));
}

static bool add_number(void *context, const struct archive_snapshot *snapshot, struct err *err)
{
	struct buf *text = context;

	(void)err;
	return buf_printf(text, "%s%" PRId64, text->len ? " " : "", snapshot->generation);
}

char *pruned_snapshots(struct archive *archive)
{
	CLEANUP(buf_free) struct buf text = BUF_INIT(TEXT_MAX);
	struct err err = ERR_INIT;

	CHECK_OK(archive_each_snapshot(archive, add_number, &text, &err));
	return xstrdup(buf_str(&text));
}
