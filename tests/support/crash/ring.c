#include "support/crash/ring.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "archive/archive.h"
#include "base/alloc.h"
#include "base/crypto.h"
#include "base/fs.h"
#include "imap/session.h"
#include "mirror/pass.h"
#include "net/tcp.h"
#include "restore/upload/restore.h"
#include "support/archive/archive_fixture.h"
#include "support/archive/files.h"
#include "support/archive/refs.h"
#include "support/check.h"

enum {
	LETTER_MAX = 2000,
	TEXT_MAX = 1024 * 1024,
	LINE_MAX_BYTES = 1000,
	COMMAND_MAX = 4096,
	PAUSE_MS = 1,
	WINDOW_MESSAGES = 7,
};

static const char alice[] = "alice";
static const char *const folders[] = {"INBOX", "Sent", "Work/Deep"};
static const char *const flags[] = {"\\Seen", "", "\\Answered \\Seen $Forwarded", "\\Flagged"};

/* --- mail --- */

static void add_letter(struct ring *ring, const char *folder, unsigned number)
{
	CLEANUP(freep)
	char *text = str_printf("From: a%u@example.org\r\nMessage-ID: <%u@example.org>\r\n"
				"Subject: letter %u\r\n\r\nbody %u\r\n",
		number, number, number, number * number);
	CLEANUP(freep)
	char *date = str_printf("%2u-Jul-20%02u 02:44:25 -0700", number % 28 + 1, number % 26);

	(void)model_message_add(ring->model, alice, folder,
		&(struct model_letter){
			.bytes = text, .flags = flags[number % ARRAY_LEN(flags)], .date = date});
}

static char *below(const struct ring *ring, const char *name)
{
	return str_printf("%s/%s", ring->place, name);
}

static void make_now(struct ring *ring)
{
	CLEANUP(freep) char *now = below(ring, "now");
	struct err err = ERR_INIT;

	CHECK_OK(fs_make_dirs(now, 0700, &err));
}

void ring_join(struct ring *ring, const char *place, const char *target, uint16_t port)
{
	*ring = (struct ring){.port = port,
		.place = xstrdup(place),
		.target = target ? xstrdup(target) : NULL,
		.window_messages = WINDOW_MESSAGES};
	ring->archive = str_printf("%s/now/archive", ring->place);
	ring->state_dir = str_printf("%s/now/state", ring->place);
	ring->journal = str_printf("%s/now/journal/target.db", ring->place);
	ring->account = (struct config_account){.name = (char *)alice,
		.archive_path = ring->archive,
		.max_message_bytes = 1024 * 1024,
		.flag_scan_ms = 0};
	str_list_add(&ring->account.folders, "*");
}

void ring_part(struct ring *ring)
{
	str_list_free(&ring->account.folders);
	free(ring->place);
	free(ring->archive);
	free(ring->state_dir);
	free(ring->journal);
	free(ring->target);
}

struct ring *ring_new(const struct model_profile *profile, unsigned letters, const char *name)
{
	CLEANUP(freep) char *place = str_printf("%s/%s", check_temp_dir(), name);
	struct ring *ring = xcalloc(1, sizeof(*ring));

	ring_join(ring, place, NULL, 0);
	make_now(ring);
	ring->model = model_new(profile);
	model_account_add(ring->model, alice, "secret", MODEL_MIRROR);
	ring_new_target(ring);
	for (size_t i = 1; i < ARRAY_LEN(folders); i++)
		(void)model_folder_add(ring->model, alice, folders[i]);
	model_folder_subscribe(ring->model, alice, "Sent", true);
	for (unsigned i = 0; i < letters; i++)
		add_letter(ring, folders[i % ARRAY_LEN(folders)], i);
	return ring;
}

struct ring *ring_new_empty(const struct model_profile *profile, const char *name)
{
	struct ring *ring = ring_new(profile, 0, name);

	CHECK(model_folder_delete(ring->model, alice, "Sent"));
	CHECK(model_folder_delete(ring->model, alice, "Work/Deep"));
	(void)model_folder_delete(ring->model, alice, "Work");
	return ring;
}

void ring_new_target(struct ring *ring)
{
	free(ring->target);
	ring->target = str_printf("bob%u", ++ring->targets);
	model_account_add(ring->model, ring->target, "secret", MODEL_TARGET);
}

void ring_freep(struct ring **ring)
{
	struct ring *old = *ring;

	if (!old)
		return;
	model_freep(&old->model);
	files_remove(old->place);
	ring_part(old);
	free(old);
	*ring = NULL;
}

void ring_change(struct ring *ring)
{
	for (unsigned i = 100; i < 105; i++)
		add_letter(ring, "INBOX", i);
	(void)model_message_flags(ring->model, alice, "INBOX", 1, "\\Flagged Important");
	(void)model_message_expunge(ring->model, alice, "INBOX", 2);
	model_folder_reset(ring->model, alice, "Sent");
	(void)model_folder_delete(ring->model, alice, "Work/Deep");
	(void)model_folder_add(ring->model, alice, "New");
	add_letter(ring, "New", 200);
	model_folder_subscribe(ring->model, alice, "New", true);
}

void ring_rename(struct ring *ring)
{
	static const char *const renames[][2] = {{"Work", "Office"}, {"Sent", "between"},
		{"Office/Deep", "Sent"}, {"between", "Office/Deep"}};

	for (size_t i = 0; i < ARRAY_LEN(renames); i++)
		CHECK(model_folder_rename(ring->model, alice, renames[i][0], renames[i][1]));
	CHECK(model_folder_add(ring->model, alice, "Work/Deep"));
	(void)model_message_flags(ring->model, alice, "Sent", 1, "\\Flagged");
}

unsigned ring_bodies(const struct ring *ring)
{
	struct model_stats stats;

	model_stats(ring->model, &stats);
	return stats.bodies;
}

/* --- mirror --- */

static bool connect_as(struct ring *ring, const char *user, struct imap **ret_imap, struct err *err)
{
	const struct imap_login login = {.host = "127.0.0.1",
		.port = ring->port,
		.tls = IMAP_TLS_OFF,
		.user = user,
		.password = "secret"};

	if (ring->port)
		return imap_connect(&login, ret_imap, err);
	return imap_connect_over(tcp_wrap(model_connect_pair(ring->model)), &login, ret_imap, err);
}

static void on_folder_done(void *context, const struct imap_folder *folder, bool changed)
{
	struct ring *ring = context;

	(void)folder;
	(void)changed;
	if (ring->folder_done)
		ring->folder_done(ring);
}

bool ring_mirror(struct ring *ring, int64_t *ret_generation, struct err *err)
{
	CLEANUP(state_freep) struct state *state = NULL;
	CLEANUP(imap_freep) struct imap *imap = NULL;
	struct mirror_job job = {.account = &ring->account,
		.keys = ref_of(ring->archive)->keys,
		.window_messages = ring->window_messages,
		.folder = on_folder_done,
		.context = ring};
	struct mirror_result result;

	if (!state_open(ring->state_dir, &state, err) || !connect_as(ring, alice, &imap, err))
		return false;
	job.state = state;
	job.imap = imap;
	if (!mirror_pass(&job, &result, err))
		return false;
	if (!result.complete)
		return err_set(err, ERR_REFUSED, "%s", result.detail);
	if (ret_generation)
		*ret_generation = result.generation;
	return true;
}

/* --- as text --- */

struct lines {
	char **items;
	size_t count, cap;
};

static void add_line(struct lines *lines, char *line)
{
	ARRAY_GROW(lines->items, lines->count, lines->cap);
	lines->items[lines->count++] = line;
}

static int compare_lines(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static char *join(struct lines *lines)
{
	CLEANUP(buf_free) struct buf text = BUF_INIT(TEXT_MAX);

	if (lines->count > 0)
		qsort(lines->items, lines->count, sizeof(*lines->items), compare_lines);
	for (size_t i = 0; i < lines->count; i++) {
		CHECK(buf_printf(&text, "%s\n", lines->items[i]));
		free(lines->items[i]);
	}
	free(lines->items);
	return xstrdup(buf_str(&text));
}

static char *folder_line(const char *path, uint32_t uidvalidity, bool subscribed)
{
	return str_printf("%s %u%s", path, uidvalidity, subscribed ? " subscribed" : "");
}

static char *message_line(const char *path, uint32_t uidvalidity, uint32_t uid, const char *flag,
	const struct zoned_time *date, const uint8_t *bytes, size_t len)
{
	char hex[SHA256_HEX_MAX];
	uint8_t digest[SHA256_BYTES];

	sha256_of(bytes, len, digest);
	sha256_hex(digest, hex);
	return str_printf("%s %u: %u (%s) %lld %s", path, uidvalidity, uid, flag,
		(long long)date->unix_s, hex);
}

static char *server_text(struct ring *ring)
{
	CLEANUP(model_snapshot_freep)
	struct model_snapshot *now = model_snapshot(ring->model, alice);
	struct lines lines = {0};

	for (size_t i = 0; i < now->count; i++) {
		const struct model_folder *folder = &now->folders[i];

		add_line(&lines,
			folder_line(folder->name, folder->noselect ? 0 : folder->uidvalidity,
				folder->subscribed));
		for (size_t k = 0; k < folder->count; k++) {
			const struct model_message *message = &folder->messages[k];
			struct zoned_time date;

			CHECK(zoned_time_parse_imap(message->date, strlen(message->date), &date));
			add_line(&lines,
				message_line(folder->name, folder->uidvalidity, message->uid,
					message->flags, &date, message->bytes, message->len));
		}
	}
	return join(&lines);
}

struct entry {
	char *path, *flags;
	uint32_t uidvalidity, uid;
	int64_t message;
	struct zoned_time date;
};

struct entries {
	struct entry *items;
	size_t count, cap;
};

static bool hold_entry(void *context, const struct archive_entry *entry, struct err *err)
{
	struct entries *entries = context;

	(void)err;
	ARRAY_GROW(entries->items, entries->count, entries->cap);
	entries->items[entries->count++] =
		(struct entry){xstrdup(entry->folder_path), xstrdup(entry->flags),
			entry->uidvalidity, entry->uid, entry->message_id, entry->date};
	return true;
}

static bool hold_folder(void *context, const struct archive_folder *folder, struct err *err)
{
	(void)err;
	add_line(context, folder_line(folder->path, folder->uidvalidity, folder->subscribed));
	return true;
}

char *ring_archive_text(struct ring *ring, int64_t generation)
{
	CLEANUP(archive_freep) struct archive *archive = fixture_reader(ring->archive);
	const struct archive_list list = {.generation = generation};
	struct entries entries = {0};
	struct lines lines = {0};
	struct err err = ERR_INIT;

	CHECK_OK(archive_each_folder(archive, generation, hold_folder, &lines, &err));
	CHECK_OK(archive_each_entry(archive, &list, hold_entry, &entries, &err));
	for (size_t i = 0; i < entries.count; i++) {
		CLEANUP(buf_free) struct buf bytes = BUF_INIT(LETTER_MAX);
		struct entry *entry = &entries.items[i];

		fixture_read(archive, entry->message, &bytes);
		add_line(&lines, message_line(entry->path, entry->uidvalidity, entry->uid,
					 entry->flags, &entry->date, bytes.data, bytes.len));
		free(entry->path);
		free(entry->flags);
	}
	free(entries.items);
	return join(&lines);
}

static int64_t resolve(struct ring *ring, bool *ret_complete)
{
	CLEANUP(archive_freep) struct archive *archive = fixture_reader(ring->archive);
	struct archive_snapshot snapshot;
	struct err err = ERR_INIT;

	CHECK_OK(archive_resolve(
		archive, (struct archive_when){.kind = ARCHIVE_LATEST}, &snapshot, &err));
	*ret_complete = snapshot.complete;
	return snapshot.generation;
}

int64_t ring_newest(struct ring *ring)
{
	bool complete;

	return resolve(ring, &complete);
}

void ring_check_mirrored(struct ring *ring)
{
	bool complete;
	int64_t generation = resolve(ring, &complete);
	CLEANUP(freep) char *got = ring_archive_text(ring, generation);
	CLEANUP(freep) char *wanted = server_text(ring);
	CLEANUP(freep) char *violations = NULL;

	CHECK(complete);
	CHECK_STR(got, wanted);
	(void)model_violations(ring->model, &violations);
	CHECK_STR(violations, "");
}

static bool has_line(const char *text, const char *line, size_t len)
{
	for (const char *at = text; *at; at = strchr(at, '\n') + 1)
		if (strncmp(at, line, len) == 0 && at[len] == '\n')
			return true;
	return false;
}

void ring_check_sound(struct ring *ring, bool whole)
{
	CLEANUP(freep) char *got = NULL;
	CLEANUP(freep) char *there = NULL;

	if (!whole && !archive_exists(ring->archive))
		return;
	archive_writer_freep(&(struct archive_writer *){fixture_writer(ring->archive)});
	got = ring_archive_text(ring, ring_newest(ring));
	there = server_text(ring);
	if (whole)
		CHECK_STR(got, there);
	for (const char *at = got; *at; at = strchr(at, '\n') + 1)
		if (!has_line(there, at, strcspn(at, "\n")))
			check_fail(__FILE__, __LINE__, "alice has no %.*s", (int)strcspn(at, "\n"),
				at);
}

/* --- restore --- */

static bool connect_target(void *context, struct imap **ret_imap, struct err *err)
{
	struct ring *ring = context;

	return connect_as(ring, ring->target, ret_imap, err);
}

bool ring_restore(struct ring *ring, struct err *err)
{
	struct target target = {.connect = connect_target, .context = ring, .pause_ms = PAUSE_MS};
	CLEANUP(archive_freep) struct archive *archive = fixture_reader(ring->archive);
	CLEANUP(restore_journal_freep) struct restore_journal *journal = NULL;
	struct map_rules rules = {0};
	struct restore restore = {.ref = ref_of(ring->archive),
		.archive = archive,
		.generation = ring_newest(ring),
		.rules = &rules,
		.target = &target,
		.watcher = &(struct restore_watcher){.context = ring}};
	struct restore_summary summary;
	bool done;

	if (!restore_journal_open(ring->journal, &journal, err))
		return false;
	restore.journal = journal;
	done = restore_run(&restore, &summary, err);
	target_close(&target);
	if (!done)
		return false;
	CHECK_INT(summary.outcomes[OUTCOME_EXACT] + summary.outcomes[OUTCOME_ALREADY_THERE],
		summary.planned);
	return true;
}

static void check_target(struct ring *ring)
{
	CLEANUP(model_snapshot_freep)
	struct model_snapshot *from = model_snapshot(ring->model, alice);
	CLEANUP(model_snapshot_freep)
	struct model_snapshot *to = model_snapshot(ring->model, ring->target);
	CLEANUP(freep) char *difference = NULL;

	difference = model_snapshot_difference(from, to, MODEL_COMPARE_RESTORED);
	CHECK_STR(difference ? difference : "", "");
}

void ring_check_restored(struct ring *ring)
{
	CLEANUP(freep) char *journals = below(ring, "now/journal");
	struct err err = ERR_INIT;

	check_target(ring);
	files_remove(journals);
	CHECK_OK(ring_restore(ring, &err));
	check_target(ring);
}

/* --- files --- */

void ring_keep(struct ring *ring)
{
	CLEANUP(freep) char *now = below(ring, "now");
	CLEANUP(freep) char *kept = below(ring, "kept");

	files_remove(kept);
	files_copy(now, kept);
}

void ring_put_back(struct ring *ring)
{
	CLEANUP(freep) char *now = below(ring, "now");
	CLEANUP(freep) char *kept = below(ring, "kept");

	files_remove(now);
	files_copy(kept, now);
}

void ring_forget(struct ring *ring)
{
	CLEANUP(freep) char *now = below(ring, "now");

	files_remove(now);
	make_now(ring);
}
