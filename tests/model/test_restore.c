/* Restores to servers of several kinds, whole, again, cut off and without a memory. */
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/fs.h"
#include "base/str.h"
#include "net/tcp.h"
#include "restore/restore.h"
#include "support/archive_fixture.h"
#include "support/check.h"
#include "support/model_server.h"

enum {
	UIDVALIDITY = 7,
	BIG_BYTES = 300 * 1000,
	TEXT_MAX = 64 * 1024,
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

struct world {
	char *archive_path;
	char *journal_path;
	struct model *model;
	uint16_t port;          /* 0: over a socket pair */
	unsigned connects_left; /* before the server refuses for good */
	struct restore_summary summary;
	char said[TEXT_MAX]; /* a line for each message that was not stored exactly */
	struct map_rules rules;
	bool dry_run;
	enum restore_verify verify;
};

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

static struct world *world_new(const struct model_profile *profile, uint32_t quirks)
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

static void world_freep(struct world **world)
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

static bool try_restore(struct world *world, struct err *err)
{
	struct target target = {.connect = connect_to,
		.context = world,
		.pause_ms = PAUSE_MS,
		.settle_ms = PAUSE_MS};
	const struct restore_watcher watcher = {.context = world, .message = hear};
	CLEANUP(archive_freep) struct archive *archive = fixture_reader(world->archive_path);
	CLEANUP(restore_journal_freep) struct restore_journal *journal = NULL;
	struct restore restore = {.archive_path = world->archive_path,
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

static void restore_it(struct world *world)
{
	struct err err = ERR_INIT;

	CHECK_OK(try_restore(world, &err));
}

static void forget(struct world *world)
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

static uint64_t outcome_count(const struct world *world, enum outcome outcome)
{
	return world->summary.outcomes[outcome];
}

static uint64_t sum(const struct world *world)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < OUTCOMES; i++)
		sum += world->summary.outcomes[i];
	return sum;
}

/* --- what is on the server --- */

enum {
	ALL = ARRAY_LEN(letters) + 1,
	OTHER_DATES = 5, /* than the server's own, MODEL_DATE */
};

static uint64_t count_messages(struct world *world)
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

/* Every letter is there, byte for byte, as often as it should be, and nothing else. */
static void check_exact(struct world *world, bool courier)
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
	CHECK_INT(count_messages(world), ALL);
}

/* A second run, and one that has forgotten everything, find all of it. */
static void check_idempotent(struct world *world)
{
	unsigned before = appends(world);

	restore_it(world);
	CHECK_INT(outcome_count(world, OUTCOME_ALREADY_THERE), ALL);
	CHECK_INT(appends(world), before);
	forget(world);
	restore_it(world);
	CHECK_INT(outcome_count(world, OUTCOME_ALREADY_THERE), ALL);
	CHECK_INT(appends(world), before);
	CHECK_INT(count_messages(world), ALL);
}

/* --- promises --- */

static const struct model_profile *const profiles[] = {&model_profile_full, &model_profile_plain,
	&model_profile_condstore, &model_profile_courier, &model_profile_odd};

static void every_kind_of_server_gets_all_of_it_once(void)
{
	for (size_t i = 0; i < ARRAY_LEN(profiles); i++) {
		CLEANUP(world_freep) struct world *world = world_new(profiles[i], 0);

		world->verify = RESTORE_VERIFY_FULL;
		restore_it(world);
		CHECK_STR(world->said, "");
		CHECK_INT(world->summary.planned, ALL);
		CHECK_INT(outcome_count(world, OUTCOME_EXACT), ALL);
		CHECK_INT(world->summary.verified.compared, ALL);
		CHECK(world->summary.sound);
		CHECK_INT(world->summary.folders_failed, 0);
		check_exact(world, profiles[i] == &model_profile_courier);
		world->verify = RESTORE_VERIFY_NONE;
		check_idempotent(world);
	}
}

static void folders_are_made_subscribed_and_marked(void)
{
	CLEANUP(world_freep) struct world *world = world_new(&model_profile_full, 0);
	CLEANUP(model_snapshot_freep) struct model_snapshot *snapshot = NULL;

	restore_it(world);
	snapshot = model_snapshot(world->model, alice);
	CHECK_INT(world->summary.folders_created, 5);
	CHECK(model_snapshot_folder(snapshot, "Empty") != NULL);
	CHECK(model_snapshot_folder(snapshot, "Work")->subscribed);
	CHECK(!model_snapshot_folder(snapshot, "Work/Deep")->subscribed);
	CHECK_STR(model_snapshot_folder(snapshot, "Gesendet")->special_use, "\\Sent");
}

static void special_use_goes_where_the_target_has_it(void)
{
	CLEANUP(world_freep) struct world *world = world_new(&model_profile_full, 0);
	CLEANUP(model_snapshot_freep) struct model_snapshot *snapshot = NULL;

	model_folder_add(world->model, alice, "Sent Items");
	model_folder_special_use(world->model, alice, "Sent Items", "\\Sent");
	restore_it(world);
	snapshot = model_snapshot(world->model, alice);
	CHECK_INT(model_snapshot_folder(snapshot, "Sent Items")->count, 1);
	CHECK(!model_snapshot_folder(snapshot, "Gesendet"));
}

static void bodies_are_not_fetched_when_the_journal_knows(void)
{
	CLEANUP(world_freep) struct world *world = world_new(&model_profile_full, 0);
	struct model_stats before, after;

	restore_it(world);
	model_stats(world->model, &before);
	restore_it(world);
	model_stats(world->model, &after);
	CHECK_INT(after.bodies, before.bodies);
}

static void keywords_refused_in_append_are_stored(void)
{
	CLEANUP(world_freep)
	struct world *world = world_new(&model_profile_full, MODEL_QUIRK_APPEND_NO_KEYWORDS);

	restore_it(world);
	CHECK_INT(outcome_count(world, OUTCOME_EXACT), ALL);
	check_exact(world, false);
	check_idempotent(world);
}

static void keywords_the_server_will_not_have_are_told(void)
{
	CLEANUP(world_freep)
	struct world *world = world_new(&model_profile_full, MODEL_QUIRK_NO_NEW_KEYWORDS);

	restore_it(world);
	CHECK_INT(outcome_count(world, OUTCOME_NORMALISED), 2);
	CHECK_INT(outcome_count(world, OUTCOME_EXACT), ALL - 2);
	CHECK(strstr(world->said, "flags lost: $Forwarded Important\n"));
	CHECK(strstr(world->said, "flags lost: Todo\n"));
	check_idempotent(world);
}

static void refused_dates_are_left_out_and_told(void)
{
	CLEANUP(world_freep)
	struct world *world = world_new(&model_profile_full, MODEL_QUIRK_APPEND_NO_DATE);

	restore_it(world);
	CHECK_INT(outcome_count(world, OUTCOME_NORMALISED), OTHER_DATES);
	CHECK(strstr(world->said, "instead of 2001-01-01T00:00:00Z"));
	CHECK(strstr(world->said, "refused with its date: "));
	check_idempotent(world);
}

static void ignored_dates_are_told(void)
{
	CLEANUP(world_freep)
	struct world *world = world_new(&model_profile_plain, MODEL_QUIRK_APPEND_IGNORES_DATE);

	restore_it(world);
	CHECK_INT(outcome_count(world, OUTCOME_NORMALISED), OTHER_DATES);
	check_idempotent(world);
}

static void rewritten_bytes_are_told_and_known_again(void)
{
	CLEANUP(world_freep)
	struct world *world = world_new(&model_profile_full, MODEL_QUIRK_APPEND_MUNGES_8BIT);

	restore_it(world);
	CHECK_INT(outcome_count(world, OUTCOME_NORMALISED), 1);
	CHECK(strstr(world->said, "line ends, NUL or 8-bit bytes changed"));
	check_idempotent(world);
}

static void sizes_that_lie_deceive_nobody(void)
{
	CLEANUP(world_freep)
	struct world *world = world_new(&model_profile_full, MODEL_QUIRK_WRONG_SIZE);

	restore_it(world);
	CHECK_INT(outcome_count(world, OUTCOME_EXACT), ALL);
	check_exact(world, false);
	check_idempotent(world);
}

static void an_emptied_server_is_filled_again(void)
{
	CLEANUP(world_freep) struct world *world = world_new(&model_profile_full, 0);
	CLEANUP(model_snapshot_freep) struct model_snapshot *snapshot = NULL;

	restore_it(world);
	snapshot = model_snapshot(world->model, alice);
	for (size_t i = 0; i < snapshot->count; i++)
		for (size_t k = 0; k < snapshot->folders[i].count; k++)
			model_message_expunge(world->model, alice, snapshot->folders[i].name,
				snapshot->folders[i].messages[k].uid);
	restore_it(world);
	CHECK_INT(outcome_count(world, OUTCOME_EXACT), ALL);
	check_exact(world, false);
}

static void a_folder_that_is_replaced_gets_nothing_twice(void)
{
	CLEANUP(world_freep) struct world *world = world_new(&model_profile_full, 0);

	restore_it(world);
	model_folder_reset(world->model, alice, "INBOX");
	restore_it(world);
	CHECK_INT(outcome_count(world, OUTCOME_ALREADY_THERE), ALL);
	check_exact(world, false);
}

static void mail_of_others_stays_and_is_not_taken_for_ours(void)
{
	CLEANUP(world_freep) struct world *world = world_new(&model_profile_full, 0);
	const struct model_letter foreign = {.bytes = "Subject: foreign\r\n\r\nbody\r\n"};
	/* as long as one of ours */
	const struct model_letter twin = {
		.bytes = "From: a@example.org\r\nMessage-ID: <1@example.org>\r\n\r\nhallo\r\n"};

	model_message_add(world->model, alice, "INBOX", &foreign);
	model_message_add(world->model, alice, "INBOX", &twin);
	restore_it(world);
	CHECK_INT(outcome_count(world, OUTCOME_EXACT), ALL);
	CHECK_INT(count_messages(world), ALL + 2);
}

static void a_dry_run_changes_nothing(void)
{
	CLEANUP(world_freep) struct world *world = world_new(&model_profile_full, 0);

	world->dry_run = true;
	restore_it(world);
	CHECK_INT(world->summary.planned, ALL);
	CHECK_INT(sum(world), ALL);
	CHECK_INT(count_messages(world), 0);
	CHECK(!model_folder_exists(world->model, alice, "Work"));
}

static void refusals_are_told_and_the_folder_goes_on(void)
{
	CLEANUP(world_freep) struct world *world = world_new(&model_profile_full, 0);

	/* the sixth message of INBOX: no keywords, offered with its date and then without */
	model_answer_next(world->model, "APPEND", 5, "NO I do not like it");
	restore_it(world);
	CHECK_INT(sum(world), ALL);
	CHECK_INT(count_messages(world), ALL);
	CHECK_INT(outcome_count(world, OUTCOME_REFUSED), 0);
	CHECK_INT(outcome_count(world, OUTCOME_NORMALISED), 1);
}

static void too_big_is_not_offered_again(void)
{
	CLEANUP(world_freep) struct world *world = world_new(&model_profile_full, 0);

	model_answer_next(world->model, "APPEND", 5, "NO [TOOBIG] not that");
	restore_it(world);
	CHECK_INT(outcome_count(world, OUTCOME_REFUSED), 1);
	CHECK_INT(outcome_count(world, OUTCOME_EXACT), ALL - 1);
	CHECK(strstr(world->said, "refused: not that\n"));
	restore_it(world);
	CHECK_INT(outcome_count(world, OUTCOME_EXACT), 1);
	check_exact(world, false);
}

/* The run dies with the connection, as by SIGKILL; the next may remember or not. */
static void a_run_that_dies_is_completed_by_the_next(void)
{
	bool fired = true;

	for (uint64_t after = 500; fired; after += after < 9000 ? 611 : 40000) {
		struct model_cut cut = {
			.way = MODEL_FROM_CLIENT, .after_bytes = after, .end = MODEL_FIN};
		CLEANUP(world_freep) struct world *world = world_new(&model_profile_full, 0);
		struct err err = ERR_INIT;

		world->connects_left = 1;
		model_cut_arm(world->model, &cut);
		fired = !try_restore(world, &err);
		CHECK(!fired || err.kind == ERR_AUTH);
		world->connects_left = UINT32_MAX;
		if (after % 2)
			forget(world);
		restore_it(world);
		check_exact(world, false);
		check_idempotent(world);
	}
}

static void a_server_that_stays_away_is_given_up(void)
{
	CLEANUP(world_freep) struct world *world = world_new(&model_profile_full, 0);
	struct err err = ERR_INIT;

	world->port = model_listen(world->model);
	model_unlisten(world->model);
	CHECK(!try_restore(world, &err));
	CHECK_INT(err.kind, ERR_RETRY);
}

int main(int argc, char **argv)
{
	static const struct promise promises[] = {
		PROMISE(every_kind_of_server_gets_all_of_it_once),
		PROMISE(folders_are_made_subscribed_and_marked),
		PROMISE(special_use_goes_where_the_target_has_it),
		PROMISE(bodies_are_not_fetched_when_the_journal_knows),
		PROMISE(keywords_refused_in_append_are_stored),
		PROMISE(keywords_the_server_will_not_have_are_told),
		PROMISE(refused_dates_are_left_out_and_told),
		PROMISE(ignored_dates_are_told),
		PROMISE(rewritten_bytes_are_told_and_known_again),
		PROMISE(sizes_that_lie_deceive_nobody),
		PROMISE(an_emptied_server_is_filled_again),
		PROMISE(a_folder_that_is_replaced_gets_nothing_twice),
		PROMISE(mail_of_others_stays_and_is_not_taken_for_ours),
		PROMISE(a_dry_run_changes_nothing),
		PROMISE(refusals_are_told_and_the_folder_goes_on),
		PROMISE(too_big_is_not_offered_again),
		PROMISE(a_run_that_dies_is_completed_by_the_next),
		PROMISE(a_server_that_stays_away_is_given_up),
	};

	return check_main(argc, argv, promises, ARRAY_LEN(promises));
}
