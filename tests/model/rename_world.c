#include "model/rename_world.h"

#include <stdlib.h>
#include <string.h>

#include "archive/archive.h"
#include "archive/check.h"
#include "base/alloc.h"
#include "base/crypto.h"
#include "support/archive/archive_fixture.h"
#include "support/archive/files.h"
#include "support/archive/refs.h"
#include "support/check.h"

enum { WAIT_MS = 1000, HOUR_MS = 60 * 60 * 1000, TEXT_MAX = 4 * 1024 * 1024 };

/* --- what the archive has, and what the server has --- */

void rename_state_free(struct rename_state *state)
{
	for (size_t i = 0; i < state->count; i++)
		free(state->folders[i].name);
	buf_free(&state->text);
}

static bool hold_folder(void *context, const struct archive_folder *folder, struct err *err)
{
	struct rename_state *state = context;

	(void)err;
	CHECK(state->count < FOLDERS_MAX);
	state->folders[state->count++] =
		(struct rename_place){folder->id, xstrdup(folder->wire_name)};
	return true;
}

const char *rename_name_of(const struct rename_state *state, int64_t id)
{
	for (size_t i = 0; i < state->count; i++)
		if (state->folders[i].id == id)
			return state->folders[i].name;
	return "no folder";
}

int64_t rename_id_of(const struct rename_state *state, const char *name)
{
	for (size_t i = 0; i < state->count; i++)
		if (strcmp(state->folders[i].name, name) == 0)
			return state->folders[i].id;
	return 0;
}

static void add_line(struct buf *text, const char *name, uint32_t uidvalidity, uint32_t uid,
	const char *flags, const uint8_t sha256[SHA256_BYTES])
{
	char hex[SHA256_HEX_MAX];

	sha256_hex(sha256, hex);
	CHECK(buf_printf(text, "%s %u %u (%s) %s\n", name, uidvalidity, uid, flags, hex));
}

static bool hold_entry(void *context, const struct archive_entry *entry, struct err *err)
{
	struct rename_state *state = context;

	(void)err;
	add_line(&state->text, rename_name_of(state, entry->folder_id), entry->uidvalidity,
		entry->uid, entry->flags, entry->sha256);
	return true;
}

static void read_archive(struct ring *ring, int64_t generation, struct rename_state *state)
{
	CLEANUP(archive_freep) struct archive *archive = fixture_reader(ring->archive);
	const struct archive_list list = {.generation = generation};
	struct err err = ERR_INIT;

	*state = (struct rename_state){.ring = ring, .text = BUF_INIT(TEXT_MAX)};
	CHECK_OK(archive_each_folder(archive, generation, hold_folder, state, &err));
	CHECK_OK(archive_each_entry(archive, &list, hold_entry, state, &err));
}

/* Folders in the archive's order, and each message fetched once at most. */
static void render_server(
	const struct model_snapshot *now, const struct rename_state *order, struct buf *text)
{
	for (size_t i = 0; i < order->count; i++) {
		const struct model_folder *folder =
			model_snapshot_folder(now, order->folders[i].name);

		CHECK(folder);
		for (size_t k = 0; k < folder->count; k++) {
			const struct model_message *message = &folder->messages[k];
			uint8_t sha256[SHA256_BYTES];

			sha256_of(message->bytes, message->len, sha256);
			add_line(text, folder->name, folder->uidvalidity, message->uid,
				message->flags, sha256);
		}
	}
}

/* Run a pass; afterwards the archive equals the server. The caller frees ret_state. */
void rename_mirror(struct ring *ring, const char *words, struct rename_state *ret_state)
{
	CLEANUP(model_snapshot_freep) struct model_snapshot *now = NULL;
	CLEANUP(buf_free) struct buf wanted = BUF_INIT(TEXT_MAX);
	int64_t generation;
	struct err err = ERR_INIT;

	CHECK_OK(ring_mirror(ring, &generation, &err));
	now = model_snapshot(ring->model, "alice");
	read_archive(ring, generation, ret_state);
	if (ret_state->count != now->count)
		check_fail(__FILE__, __LINE__, "%s: %zu folders instead of %zu", words,
			ret_state->count, now->count);
	render_server(now, ret_state, &wanted);
	if (strcmp(buf_str(&wanted), buf_str(&ret_state->text)) != 0)
		check_fail(__FILE__, __LINE__, "%s: the archive has\n%sinstead of\n%s", words,
			buf_str(&ret_state->text), buf_str(&wanted));
}

static bool find(void *context, const struct archive_finding *finding, struct err *err)
{
	(void)context;
	return err_set(err, ERR_CORRUPT, "%s: %s", finding->where, finding->what);
}

/* Another pass writes nothing, and the volumes rebuild the same catalogue. */
void rename_check_archive(struct ring *ring)
{
	const struct archive_check check = {.read_percent = 100, .finding = find};
	struct archive_checked checked;
	CLEANUP(freep) char *before = files_digests(ring->archive);
	CLEANUP(freep) char *after = NULL;
	struct err err = ERR_INIT;

	ring->account.flag_scan_ms = HOUR_MS;
	CHECK_OK(ring_mirror(ring, NULL, &err));
	after = files_digests(ring->archive);
	CHECK_STR(after, before);
	CHECK_OK(archive_check(ref_of(ring->archive), &check, WAIT_MS, &checked, &err));
	CHECK_INT(checked.errors, 0);
}

void rename_folder(struct ring *ring, const char *from, const char *to)
{
	CHECK(model_folder_rename(ring->model, "alice", from, to));
}

void rename_swap(struct ring *ring, const char *a, const char *b)
{
	rename_folder(ring, a, "between");
	rename_folder(ring, b, a);
	rename_folder(ring, "between", b);
}

struct model_profile rename_odd_profile(void)
{
	struct model_profile odd = model_profile_odd;

	odd.quirks &= ~(uint32_t)MODEL_QUIRK_WRONG_SIZE;
	return odd;
}
