#include "archive/catalogue/ancestry.h"

#include <string.h>

#include "archive/catalogue/replace.h"
#include "archive/catalogue/replay.h"
#include "archive/format/journal.h"
#include "base/buf.h"
#include "base/fs.h"
#include "base/str.h"

/* --- the file `copied` --- */

enum { LINES = 2, FILE_BYTES_MAX = LINES * SHA256_HEX_MAX };

static char *lines_of(const uint8_t brought[SHA256_BYTES], const uint8_t *replaced)
{
	char hex[SHA256_HEX_MAX], other[SHA256_HEX_MAX];

	sha256_hex(brought, hex);
	if (!replaced || memcmp(brought, replaced, SHA256_BYTES) == 0)
		return str_printf("%s\n", hex);
	sha256_hex(replaced, other);
	return str_printf("%s\n%s\n", hex, other);
}

bool ancestry_note_copied(const char *copy, const uint8_t brought[SHA256_BYTES],
	const uint8_t *replaced, struct err *err)
{
	CLEANUP(freep) char *path = layout_copied_path(copy);
	CLEANUP(freep) char *lines = lines_of(brought, replaced);

	if (ancestry_was_copied(copy, brought) &&
		(!replaced || ancestry_was_copied(copy, replaced)))
		return true;
	return fs_write_atomic(path, lines, strlen(lines), LAYOUT_FILE_MODE, err);
}

bool ancestry_was_copied(const char *copy, const uint8_t head[SHA256_BYTES])
{
	CLEANUP(buf_free) struct buf text = BUF_INIT(FILE_BYTES_MAX + 1);
	CLEANUP(freep) char *path = layout_copied_path(copy);
	char hex[SHA256_HEX_MAX];
	struct err unreadable = ERR_INIT;

	sha256_hex(head, hex);
	return fs_is_file(path) && fs_read(path, &text, &unreadable) && buf_add(&text, "", 1) &&
	       strstr(buf_str(&text), hex);
}

/* --- the last commit of the copy --- */

/* The last commit of an archive. */
struct commit {
	struct volume_id volume;
	int64_t frame; /* 0: none */
	uint64_t seq;
	uint8_t head[SHA256_BYTES];
};

/* The last commit the copy's catalogue knows. */
static bool catalogued_commit(
	const struct archive_ref *to, struct commit *ret_commit, struct err *err)
{
	CLEANUP(db_freep) struct db *catalogue = NULL;
	CLEANUP(catalogue_volumes_free) struct catalogue_volumes known = {0};
	struct commit commit = {0};
	struct catalogue_state state;

	if (!catalogue_open_peek(to, &catalogue, err) || !catalogue_state(catalogue, &state, err) ||
		!catalogue_volumes(catalogue, &known, err))
		return false;
	for (size_t i = 0; i < known.count; i++)
		if (known.items[i].applied_frame > 0) {
			commit.volume = known.items[i].id;
			commit.frame = known.items[i].applied_frame;
		}
	commit.seq = state.applied_seq;
	memcpy(commit.head, state.head, SHA256_BYTES);
	*ret_commit = commit;
	return true;
}

/* Advances to the volume's last commit. Payloads after the last final one were never committed. */
static bool follow_volume(
	struct volume *volume, int64_t after, struct commit *commit, struct err *err)
{
	CLEANUP(zstd_freep) struct zstd *zstd = zstd_new();
	CLEANUP(buf_free) struct buf payload = BUF_INIT(FRAME_RAW_BYTES_MAX);
	int64_t frame = after;

	while (volume_next_journal(volume, frame, &frame, err)) {
		struct journal_header header;
		struct reader records;

		if (frame == 0)
			return true;
		if (!volume_get_frame(volume, frame, FRAMES_JOURNAL, zstd, &payload, err) ||
			!journal_open(&payload, &header, &records, err))
			return false;
		if (!header.final)
			continue;
		*commit = (struct commit){.volume = volume->id, .frame = frame, .seq = header.seq};
		sha256_of(payload.data, payload.len, commit->head);
	}
	return false;
}

/* Advances to the last commit of all volumes. */
static bool follow_all(const struct ancestry *places, struct commit *commit, struct err *err)
{
	const struct commit from = *commit;

	for (size_t i = places->theirs->count; i > 0; i--) {
		const struct volume_id *id = &places->theirs->items[i - 1];
		bool same = id->sequence == from.volume.sequence;
		CLEANUP(volume_close) struct volume volume = {0};

		if (id->sequence < from.volume.sequence)
			return true;
		if (!volume_open_peek(places->to, id, &volume, err) ||
			!follow_volume(&volume, same ? from.frame : 0, commit, err))
			return false;
		if (commit->seq != from.seq)
			return true;
	}
	return true;
}

/* The catalogue may be lost or out of date, so the volumes are read too. If they are damaged, what
 * the catalogue says counts. */
static bool last_commit(const struct ancestry *places, struct commit *ret_commit, struct err *err)
{
	struct commit commit = {0};
	bool known = catalogued_commit(places->to, &commit, err);

	if (!follow_all(places, &commit, err) && !known)
		return false;
	*ret_commit = commit;
	return true;
}

/* --- is it one of the archive's? --- */

static bool holds_commit(
	const struct archive_ref *from, const struct commit *commit, struct err *err)
{
	CLEANUP(zstd_freep) struct zstd *zstd = zstd_new();
	CLEANUP(buf_free) struct buf payload = BUF_INIT(FRAME_RAW_BYTES_MAX);
	CLEANUP(volume_close) struct volume volume = {0};
	uint8_t sha256[SHA256_BYTES];

	if (!volume_open_peek(from, &commit->volume, &volume, err) ||
		!volume_get_frame(&volume, commit->frame, FRAMES_JOURNAL, zstd, &payload, err))
		return false;
	sha256_of(payload.data, payload.len, sha256);
	return memcmp(sha256, commit->head, SHA256_BYTES) == 0;
}

/* A sealed volume has the payloads of the volume it replaced, or none if a later journal checkpoint
 * supersedes them. Without payloads only the copy's file `copied` can tell. */
static bool holds_payload(const struct ancestry *places, const struct volume_id *id,
	const struct commit *commit, struct err *err)
{
	CLEANUP(volume_close) struct volume volume = {0};
	int64_t any, frame;
	bool found;

	if (!volume_open_peek(places->from, id, &volume, err) ||
		!volume_next_journal(&volume, 0, &any, err))
		return false;
	if (any == 0)
		return ancestry_was_copied(places->to->path, commit->head);
	return replace_find_payload(&volume, commit->head, &frame, &found, err) && found;
}

static bool is_ours(const struct ancestry *places, const struct commit *commit, struct err *err)
{
	const struct volume_list *ours = places->ours;

	if (commit->seq > places->state->applied_seq)
		return false;
	if (volume_list_has(ours, &commit->volume))
		return holds_commit(places->from, commit, err);
	for (size_t i = 0; i < ours->count; i++)
		if (ours->items[i].sequence == commit->volume.sequence)
			return holds_payload(places, &ours->items[i], commit, err);
	return ancestry_was_copied(places->to->path, commit->head);
}

bool ancestry_check(const struct ancestry *places, bool *ret_any, uint8_t ret_head[SHA256_BYTES],
	struct err *err)
{
	struct commit commit;
	struct err of = ERR_INIT;

	if (!last_commit(places, &commit, &of))
		return err_set(err, ERR_CREATE,
			"%s: the copy cannot be read; run `mailstow check %s` (%s)",
			places->to->path, places->to->path, of.text);
	err_clear(&of);
	*ret_any = commit.frame > 0;
	memcpy(ret_head, commit.head, SHA256_BYTES);
	if (!*ret_any || is_ours(places, &commit, &of))
		return true;
	if (of.kind != ERR_NONE && of.kind != ERR_CORRUPT)
		return err_set(err, of.kind, "%s", of.text);
	return err_set(err, ERR_CREATE, "%s: holds commits that this archive lacks%s%s",
		places->to->path, of.text[0] ? ": " : "", of.text);
}
