/* Volumes: their chain of journal payloads, their frames' digests, their databases. */
#include <inttypes.h>
#include <string.h>

#include "archive/catalogue/journal_checkpoint.h"
#include "archive/check/check_internal.h"
#include "archive/format/journal.h"
#include "base/str.h"

struct chain {
	uint64_t seq;
	uint8_t head[SHA256_BYTES];
};

static bool follow_payload(
	struct chain *chain, const struct buf *payload, bool *ret_final, struct err *err)
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

/* Payloads after a volume's last final one were never committed: the chain continues without them.
 */
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
			!follow_payload(&at, &payload, &final, err))
			return false;
		if (final)
			*chain = at;
	}
	return false;
}

/* after: the frame after which the chain continues; -1: it begins in a later volume. */
static bool check_volume(struct checking *checking, const struct volume_id *id, int64_t after,
	struct chain *chain, struct err *err)
{
	CLEANUP(volume_close) struct volume volume = {0};
	uint8_t archive[ARCHIVE_UUID_BYTES];
	struct err reported_below = ERR_INIT;
	uint64_t frames = 0;

	if (!volume_open_peek(checking->archive, id, &volume, err) ||
		!volume_archive_uuid(&volume, archive, err))
		return false;
	if (chain->seq == 0)
		journal_origin(archive, sizeof(archive), chain->head);
	(void)volume_count_frames(&volume, &frames, &reported_below);
	checking->result->frames += frames;
	return (after < 0 || follow_volume(&volume, after, chain, err)) &&
	       volume_check_root(&volume, err) && db_integrity_check(volume.db, err);
}

/* The chain begins at the last journal checkpoint, or with the archive. */
static bool find_begin(struct checking *checking, const struct volume_list *list,
	struct journal_checkpoint *ret_begin, struct chain *chain, struct err *err)
{
	CLEANUP(zstd_freep) struct zstd *zstd = zstd_new();
	struct err of = ERR_INIT;

	*ret_begin = (struct journal_checkpoint){0};
	/* "checkpoint", not "journal checkpoint": scripts know this place from --json */
	if (!journal_checkpoint_find(checking->archive, list, zstd, ret_begin, &of))
		return checking_blame(checking, "checkpoint", &of, err);
	if (ret_begin->found) {
		chain->seq = ret_begin->seq;
		memcpy(chain->head, ret_begin->previous, SHA256_BYTES);
	}
	return true;
}

static int64_t chain_after(const struct journal_checkpoint *begin, size_t volume)
{
	if (!begin->found || volume > begin->volume)
		return 0;
	return volume == begin->volume ? begin->first_frame - 1 : -1;
}

static bool check_volumes(struct checking *checking, struct chain *ret_chain, struct err *err)
{
	CLEANUP(volume_list_free) struct volume_list list = {0};
	struct journal_checkpoint begin;
	struct chain chain = {0};

	if (!volume_list(checking->archive->path, &list, err) ||
		!find_begin(checking, &list, &begin, &chain, err))
		return false;
	checking->result->volumes = list.count;
	for (size_t i = 0; i < list.count; i++) {
		CLEANUP(freep)
		char *where = str_printf("volume %" PRId64, list.items[i].sequence);
		struct err of = ERR_INIT;

		if (!check_volume(checking, &list.items[i], chain_after(&begin, i), &chain, &of) &&
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

bool check_structure(struct checking *checking, struct err *err)
{
	struct chain chain;

	return check_volumes(checking, &chain, err) && check_head(checking, &chain, err);
}
