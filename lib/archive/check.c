#include "archive/check.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "archive/catalogue/checkpoint.h"
#include "archive/catalogue/replay.h"
#include "archive/check/check_internal.h"
#include "archive/format/journal.h"
#include "archive/volume/staged.h"
#include "base/alloc.h"
#include "base/fs.h"
#include "base/str.h"

bool checking_found(struct checking *checking, const char *where, const char *what, struct err *err)
{
	const struct archive_finding finding = {.where = where,
		.what = what,
		.lost = checking->lost,
		.lost_count = checking->lost_count};
	bool go_on;

	checking->result->errors++;
	go_on = checking->check->finding(checking->check->context, &finding, err);
	for (size_t i = 0; i < checking->lost_count; i++)
		free(checking->lost[i].folder);
	checking->lost_count = 0;
	return go_on;
}

bool checking_lose(
	struct checking *checking, struct db *catalogue, int64_t message, struct err *err)
{
	bool row;

	if (message > 0 && message <= UINT32_MAX)
		rangeset_add(&checking->lost_messages, (uint32_t)message, (uint32_t)message);
	db_bind_int(catalogue, CATALOGUE_MESSAGE_PLACES, "message", message);
	while (db_step(catalogue, CATALOGUE_MESSAGE_PLACES, &row, err)) {
		if (!row)
			return true;
		ARRAY_GROW(checking->lost, checking->lost_count, checking->lost_cap);
		checking->lost[checking->lost_count++] = (struct archive_lost){
			.folder = xstrdup(db_text(catalogue, CATALOGUE_MESSAGE_PLACES, 0)),
			.uid = (uint32_t)db_int(catalogue, CATALOGUE_MESSAGE_PLACES, 1)};
	}
	return false;
}

bool checking_blame(struct checking *checking, const char *where, struct err *of, struct err *err)
{
	if (of->kind == ERR_NEWER)
		checking->result->newer++;
	if (err_is_unreadable(of) || of->kind == ERR_NOT_FOUND)
		return checking_found(checking, where, of->text, err);
	return err_set(err, of->kind, "%s: %s", where, of->text);
}

/* --- volumes and their journal --- */

struct chain {
	uint64_t seq;
	uint8_t head[SHA256_BYTES];
};

static bool follow(struct chain *chain, const struct buf *payload, bool *ret_final, struct err *err)
{
	struct journal_header header;
	struct reader records;

	if (!journal_open(payload, &header, &records, err))
		return false;
	if (header.seq != chain->seq + 1)
		return err_set(err, ERR_CORRUPT, "journal: %" PRIu64 " follows %" PRIu64,
			header.seq, chain->seq);
	if (memcmp(header.previous, chain->head, SHA256_BYTES) != 0)
		return err_set(err, ERR_CORRUPT, "journal: %" PRIu64 " has another predecessor",
			header.seq);
	chain->seq = header.seq;
	sha256_of(payload->data, payload->len, chain->head);
	*ret_final = header.final;
	return true;
}

/* What follows a volume's last final payload was never committed: the chain goes on without it. */
static bool follow_volume(
	struct volume *volume, int64_t after, struct chain *chain, struct err *err)
{
	CLEANUP(zstd_freep) struct zstd *zstd = zstd_new();
	CLEANUP(buf_free) struct buf payload = BUF_INIT(FRAME_RAW_BYTES_MAX);
	struct chain at = *chain;
	int64_t frame = after;

	while (volume_next_journal(volume, frame, &frame, err)) {
		bool final = false;

		if (frame == 0)
			return true;
		if (!volume_get_frame(volume, frame, FRAMES_JOURNAL, zstd, &payload, err) ||
			!follow(&at, &payload, &final, err))
			return false;
		if (final)
			*chain = at;
	}
	return false;
}

static void count_frames(struct checking *checking, struct volume *volume)
{
	struct err found_again = ERR_INIT;
	uint64_t frames = 0;

	(void)volume_count_frames(volume, &frames, &found_again);
	checking->result->frames += frames;
}

/* after: the frame behind which the chain goes on; -1: it begins in a later volume. */
static bool look_at_volume(struct checking *checking, const struct volume_id *id, int64_t after,
	struct chain *chain, struct err *err)
{
	CLEANUP(freep) char *path = layout_volume_path(checking->path, id);
	CLEANUP(volume_close) struct volume volume = {0};
	uint8_t archive[ARCHIVE_UUID_BYTES];

	if (!volume_open(checking->path, id, replay_peek_mode(path), &volume, err) ||
		!volume_archive_uuid(&volume, archive, err))
		return false;
	if (chain->seq == 0)
		journal_origin(archive, sizeof(archive), chain->head);
	count_frames(checking, &volume);
	return (after < 0 || follow_volume(&volume, after, chain, err)) &&
	       volume_check_root(&volume, err) && db_integrity_check(volume.db, err);
}

/* Where the chain begins: at the last checkpoint, or with the archive. */
static bool find_begin(struct checking *checking, const struct volume_list *list,
	struct checkpoint *ret_begin, struct chain *chain, struct err *err)
{
	CLEANUP(zstd_freep) struct zstd *zstd = zstd_new();
	struct err of = ERR_INIT;

	*ret_begin = (struct checkpoint){0};
	if (!checkpoint_find(checking->path, list, zstd, ret_begin, &of))
		return checking_blame(checking, "checkpoint", &of, err);
	if (ret_begin->found) {
		chain->seq = ret_begin->seq;
		memcpy(chain->head, ret_begin->previous, SHA256_BYTES);
	}
	return true;
}

static int64_t chain_after(const struct checkpoint *begin, size_t volume)
{
	if (!begin->found || volume > begin->volume)
		return 0;
	return volume == begin->volume ? begin->first_frame - 1 : -1;
}

static bool check_volumes(struct checking *checking, struct chain *ret_chain, struct err *err)
{
	CLEANUP(volume_list_free) struct volume_list list = {0};
	struct checkpoint begin;
	struct chain chain = {0};

	if (!volume_list(checking->path, &list, err) ||
		!find_begin(checking, &list, &begin, &chain, err))
		return false;
	checking->result->volumes = list.count;
	for (size_t i = 0; i < list.count; i++) {
		CLEANUP(freep)
		char *where = str_printf("volume %" PRId64, list.items[i].sequence);
		struct err of = ERR_INIT;

		if (!look_at_volume(
			    checking, &list.items[i], chain_after(&begin, i), &chain, &of) &&
			!checking_blame(checking, where, &of, err))
			return false;
	}
	*ret_chain = chain;
	return true;
}

static bool check_head(struct checking *checking, const struct chain *chain, struct err *err)
{
	const char *expected = checking->check->expect_head;
	CLEANUP(freep) char *what = NULL;

	if (chain->seq > 0)
		sha256_hex(chain->head, checking->result->head);
	if (!expected || str_equal_case(expected, checking->result->head))
		return true;
	what = str_printf("is %s, not the expected %s",
		checking->result->head[0] ? checking->result->head : "empty", expected);
	return checking_found(checking, "head", what, err);
}

/* --- all of it --- */

static bool reads_all(const struct checking *checking)
{
	return checking->check->read_percent >= ARCHIVE_CHECK_ALL;
}

static bool check_catalogue(struct checking *checking, struct err *err)
{
	CLEANUP(freep) char *path = layout_catalogue_path(checking->path);
	CLEANUP(archive_freep) struct archive *archive = NULL;
	struct err of = ERR_INIT;

	checking->no_catalogue = true;
	if (!fs_exists(path))
		return checking_found(checking, "catalogue.db",
			"is missing; `mailstow rebuild` makes it anew", err);
	if (!archive_open_view(checking->path, true, &archive, &of))
		return checking_blame(checking, "catalogue.db", &of, err);
	checking->no_catalogue = false;
	if (!db_integrity_check(archive->catalogue, &of))
		return checking_blame(checking, "catalogue.db", &of, err);
	return check_rows(checking, archive->catalogue, err) &&
	       (reads_all(checking) || check_frames(checking, archive, err));
}

/* Half of what is there would be called damaged. */
static bool has_its_names(const char *path, struct err *err)
{
	return !staged_is_whole(path) ||
	       err_set(err, ERR_BUSY,
		       "%s: is a copy whose update was interrupted at its end; `mailstow copy` or "
		       "`mailstow rebuild` completes it",
		       path);
}

/* Where no lock can be made, nobody writes. */
static bool lock_archive(const char *path, int timeout_ms, int *ret_lock, struct err *err)
{
	CLEANUP(freep) char *lock = str_printf("%s/lock", path);

	if (fs_lock(lock, timeout_ms, ret_lock, err))
		return true;
	if (err->kind != ERR_AUTH)
		return false;
	err_clear(err);
	return true;
}

static bool check_under_lock(struct checking *checking, int timeout_ms, struct err *err)
{
	CLEANUP(fs_unlock) int lock = -1;
	struct chain chain;

	if (!lock_archive(checking->path, timeout_ms, &lock, err))
		return false;
	checking->may_write = lock >= 0;
	return has_its_names(checking->path, err) && check_volumes(checking, &chain, err) &&
	       check_head(checking, &chain, err) && check_catalogue(checking, err);
}

bool archive_check(const char *path, const struct archive_check *check, int timeout_ms,
	struct archive_checked *ret_checked, struct err *err)
{
	struct archive_checked result = {0};
	struct checking checking = {.path = path, .check = check, .result = &result};
	bool done;

	if (!archive_exists(path))
		return err_set(err, ERR_NOT_FOUND, "%s: there is no archive", path);
	done = check_under_lock(&checking, timeout_ms, err) &&
	       (check->read_percent == 0 || checking.no_catalogue ||
		       check_messages(&checking, err));
	free(checking.lost);
	rangeset_free(&checking.lost_messages);
	if (done)
		*ret_checked = result;
	return done;
}
