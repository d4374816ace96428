#include "model/restore_world.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/fs.h"
#include "base/str.h"
#include "net/tcp.h"
#include "support/archive/archive_fixture.h"
#include "support/archive/refs.h"
#include "support/check.h"

enum {
	UIDVALIDITY = 7,
	BIG_BYTES = 300 * 1000,
	PAUSE_MS = 1,
};

static const char alice[] = "alice";

/* --- what is in the archive --- */

struct letter {
	const char *folder;
	const char *bytes;
	const char *flags;
	const char *date;
};

#define MAIL(id, rest) "From: a@example.org\r\nMessage-ID: <" id "@example.org>\r\n" rest

static const struct letter letters[] = {
	{"INBOX", MAIL("1", "\r\nhello\r\n"), "\\Seen", "17-Jul-2026 02:44:25 -0700"},
	{"INBOX", MAIL("2", "\r\nhello again\r\n"), "", " 1-Jan-2001 00:00:00 +0000"},
	{"INBOX", MAIL("2", "\r\nhello again\r\n"), "", " 1-Jan-2001 00:00:00 +0000"},
	{"INBOX", MAIL("3", "\r\nwith keywords\r\n"), "$Forwarded Important \\Answered \\Seen",
		"28-Feb-2020 23:59:59 +1400"},
	{"INBOX",
		MAIL("4", "Subject: Gr\xc3\xbc\xc3\x9f"
			  "e\r\n\r\n8-bit header\r\n"),
		"\\Flagged", "28-Feb-2020 23:59:59 +1400"},
	{"INBOX", "Subject: no Message-ID\r\n\r\nbody\r\n", "\\Draft",
		"28-Feb-2020 23:59:58 +1400"},
	{"Work", MAIL("5", "\r\nwork\r\n"), "Todo", "17-Jul-2026 02:44:25 -0700"},
	{"Work", MAIL("1", "\r\nhello\r\n"), "\\Seen", "17-Jul-2026 02:44:25 -0700"},
	{"Work/Deep", MAIL("6", "\r\ndeep\r\n"), "", "17-Jul-2026 02:44:25 -0700"},
	{"Gesendet", MAIL("7", "\r\nsent\r\n"), "\\Seen", "17-Jul-2026 02:44:25 -0700"},
	{"Dr%25 Gr\xc3\xbc\xc3\x9f"
	 "e",
		MAIL("8", "\r\nname\r\n"), "\\Seen", "17-Jul-2026 02:44:25 -0700"},
};

static_assert(WORLD_LETTERS == ARRAY_LEN(letters) + 1, "one more is big");

static int64_t folder_of(struct archive_writer *writer, const char *path)
{
	const struct archive_folder folder = {
		.path = path,
		.wire_name = path,
		.delimiter = '/',
		.attributes = "",
		.special_use = strcmp(path, "Gesendet") == 0 ? "\\Sent" : NULL,
		.subscribed = strcmp(path, "Work") == 0,
		.selectable = true,
	};
	struct err err = ERR_INIT;
	int64_t id;

	CHECK_OK(archive_put_folder(writer, &folder, &id, &err));
	CHECK_OK(archive_set_uidvalidity(writer, id, UIDVALIDITY, &err));
	return id;
}

static void put(struct archive_writer *writer, int64_t folder, uint32_t uid,
	const struct letter *letter, const void *bytes, size_t len)
{
	struct archive_placement placement = {
		.folder_id = folder,
		.uidvalidity = UIDVALIDITY,
		.uid = uid,
		.ticket = fixture_store(writer, folder, bytes, len),
		.has_date = true,
		.flags = letter->flags,
	};
	struct err err = ERR_INIT;

	CHECK(zoned_time_parse_imap(letter->date, strlen(letter->date), &placement.date));
	CHECK_OK(archive_place(writer, &placement, &err));
}

static void fill(struct archive_writer *writer)
{
	const struct letter big = {.flags = "\\Seen", .date = MODEL_DATE};
	CLEANUP(buf_free) struct buf bytes = BUF_INIT(BIG_BYTES);
	const char *path = "";
	int64_t folder = 0;
	uint32_t uid = 10;

	for (size_t i = 0; i < ARRAY_LEN(letters); i++) {
		if (strcmp(letters[i].folder, path) != 0)
			folder = folder_of(writer, path = letters[i].folder);
		put(writer, folder, uid += 3, &letters[i], letters[i].bytes,
			strlen(letters[i].bytes));
	}
	fixture_message(&bytes, 1, BIG_BYTES);
	put(writer, folder, ++uid, &big, bytes.data, bytes.len);
	(void)folder_of(writer, "Empty");
}

struct world *world_new(const struct model_profile *profile, uint32_t quirks)
{
	static unsigned number;
	struct world *world = calloc(1, sizeof(*world));
	struct archive_writer *writer;
	CLEANUP(freep) char *name = str_printf("archive%u", ++number);

	CHECK(world != NULL);
	world->archive_path = fixture_archive(name);
	writer = fixture_writer(world->archive_path);
	fill(writer);
	fixture_commit(writer, true);
	archive_writer_freep(&writer);
	world->journal_path = str_printf("%s/journal%u/restore/x.db", check_temp_dir(), number);
	world->model = model_new(profile);
	model_set_quirks(world->model, profile->quirks | quirks);
	model_account_add(world->model, alice, "secret", MODEL_TARGET);
	world->connects_left = UINT32_MAX;
	return world;
}

void world_freep(struct world **world)
{
	struct world *old = *world;

	model_freep(&old->model);
	map_rules_free(&old->rules);
	free(old->archive_path);
	free(old->journal_path);
	free(old);
	*world = NULL;
}

/* --- a restore --- */

static bool connect_to(void *context, struct imap **ret_imap, struct err *err)
{
	struct world *world = context;
	const struct imap_login login = {.host = "127.0.0.1",
		.port = world->port,
		.tls = IMAP_TLS_OFF,
		.user = alice,
		.password = "secret"};

	if (world->connects_left-- == 0) {
		world->connects_left = 0;
		return err_set(err, ERR_AUTH, "enough");
	}
	if (world->port)
		return imap_connect(&login, ret_imap, err);
	return imap_connect_over(tcp_wrap(model_connect_pair(world->model)), &login, ret_imap, err);
}

static void hear(
	void *context, const char *folder, uint32_t uid, enum outcome outcome, const char *detail)
{
	struct world *world = context;
	size_t used = strlen(world->said);

	(void)snprintf(world->said + used, sizeof(world->said) - used, "%s %u %s: %s\n", folder,
		uid, outcome_name(outcome), detail);
}

bool world_try_restore(struct world *world, struct err *err)
{
	struct target target = {.connect = connect_to, .context = world, .pause_ms = PAUSE_MS};
	const struct restore_watcher watcher = {.context = world, .message = hear};
	CLEANUP(archive_freep) struct archive *archive = fixture_reader(world->archive_path);
	CLEANUP(restore_journal_freep) struct restore_journal *journal = NULL;
	struct restore restore = {.ref = ref_of(world->archive_path),
		.archive = archive,
		.generation = 1,
		.rules = &world->rules,
		.target = &target,
		.dry_run = world->dry_run,
		.verify = world->verify,
		.watcher = &watcher};
	bool fine;

	*world->said = '\0';
	CHECK(restore_journal_open(world->journal_path, &journal, err));
	restore.journal = journal;
	fine = restore_run(&restore, &world->summary, err);
	target_close(&target);
	return fine;
}

void world_restore(struct world *world)
{
	struct err err = ERR_INIT;

	CHECK_OK(world_try_restore(world, &err));
}

void world_forget(struct world *world)
{
	static const char *const suffixes[] = {"", "-wal", "-shm"};
	struct err err = ERR_INIT;

	for (size_t i = 0; i < ARRAY_LEN(suffixes); i++) {
		CLEANUP(freep)
		char *path = str_printf("%s%s", world->journal_path, suffixes[i]);

		CHECK_OK(fs_remove(path, &err));
	}
}

static unsigned appends(struct world *world)
{
	struct model_stats stats;

	model_stats(world->model, &stats);
	return stats.appends;
}

uint64_t world_outcomes(const struct world *world, enum outcome outcome)
{
	return world->summary.outcomes[outcome];
}

uint64_t world_sum(const struct world *world)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < OUTCOMES; i++)
		sum += world->summary.outcomes[i];
	return sum;
}

/* --- what is on the server --- */

uint64_t world_messages(struct world *world)
{
	CLEANUP(model_snapshot_freep)
	struct model_snapshot *snapshot = model_snapshot(world->model, alice);
	uint64_t count = 0;

	for (size_t i = 0; i < snapshot->count; i++)
		count += snapshot->folders[i].count;
	return count;
}

static const char *wire_name(const struct world *world, const struct letter *letter, bool courier)
{
	static char name[200];
	const char *plain = letter->folder;

	(void)world;
	if (str_starts(plain, "Dr%25"))
		plain = "Dr% Gr&APwA3w-e";
	if (!courier || strcmp(plain, "INBOX") == 0)
		return plain;
	(void)snprintf(name, sizeof(name), "INBOX.%s", plain);
	for (char *c = name; *c; c++)
		if (*c == '/')
			*c = '.';
	return name;
}

static bool same_date(const char *a, const char *b)
{
	struct zoned_time left, right;

	return zoned_time_parse_imap(a, strlen(a), &left) &&
	       zoned_time_parse_imap(b, strlen(b), &right) && left.unix_s == right.unix_s;
}

static bool is_letter(const struct model_message *message, const struct letter *letter)
{
	return message->len == strlen(letter->bytes) &&
	       memcmp(message->bytes, letter->bytes, message->len) == 0 &&
	       strcmp(message->flags, letter->flags) == 0 && same_date(message->date, letter->date);
}

/* Every message is present, byte for byte, in the right number, and nothing else. */
void world_check_exact(struct world *world, bool courier)
{
	CLEANUP(model_snapshot_freep)
	struct model_snapshot *snapshot = model_snapshot(world->model, alice);

	for (size_t i = 0; i < ARRAY_LEN(letters); i++) {
		const struct model_folder *folder =
			model_snapshot_folder(snapshot, wire_name(world, &letters[i], courier));
		size_t found = 0, wanted = 0;

		CHECK(folder != NULL);
		for (size_t k = 0; k < folder->count; k++)
			found += is_letter(&folder->messages[k], &letters[i]);
		for (size_t k = 0; k < ARRAY_LEN(letters); k++)
			wanted += strcmp(letters[k].folder, letters[i].folder) == 0 &&
				  strcmp(letters[k].bytes, letters[i].bytes) == 0;
		if (found != wanted)
			check_fail(__FILE__, __LINE__, "letter %zu is there %zu times, not %zu", i,
				found, wanted);
	}
	CHECK_INT(world_messages(world), WORLD_LETTERS);
}

/* A second run and one without a journal find all of it. */
void world_check_idempotent(struct world *world)
{
	unsigned before = appends(world);

	world_restore(world);
	CHECK_INT(world_outcomes(world, OUTCOME_ALREADY_THERE), WORLD_LETTERS);
	CHECK_INT(appends(world), before);
	world_forget(world);
	world_restore(world);
	CHECK_INT(world_outcomes(world, OUTCOME_ALREADY_THERE), WORLD_LETTERS);
	CHECK_INT(appends(world), before);
	CHECK_INT(world_messages(world), WORLD_LETTERS);
}
