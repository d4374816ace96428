/* A forgotten message stays away while it is on the server; pruning does not affect a mirror. */
#include <string.h>

#include "archive/archive.h"
#include "archive/forget.h"
#include "archive/prune.h"
#include "base/str.h"
#include "mirror/account_prune.h"
#include "support/archive/files.h"
#include "support/archive/refs.h"
#include "support/check.h"
#include "support/crash/ring.h"

enum { LETTERS = 12, WAIT_MS = 1000 };

struct pick {
	uint8_t sha256[SHA256_BYTES];
	uint64_t count, same;
	int64_t folder;
	uint32_t uidvalidity, uid;
};

static bool pick_first(void *context, const struct archive_entry *entry, struct err *err)
{
	struct pick *pick = context;

	(void)err;
	if (pick->count++ == 0) {
		memcpy(pick->sha256, entry->sha256, SHA256_BYTES);
		pick->folder = entry->folder_id;
		pick->uidvalidity = entry->uidvalidity;
		pick->uid = entry->uid;
	}
	pick->same += memcmp(pick->sha256, entry->sha256, SHA256_BYTES) == 0;
	return true;
}

static struct pick look(const struct ring *ring, int64_t generation)
{
	CLEANUP(archive_freep) struct archive *archive = NULL;
	struct archive_list list = {.generation = generation};
	struct pick pick = {0};
	struct err err = ERR_INIT;

	CHECK_OK(archive_open(ref_of(ring->archive), &archive, &err));
	CHECK_OK(archive_each_entry(archive, &list, pick_first, &pick, &err));
	return pick;
}

static void check_quiet(struct ring *ring)
{
	CLEANUP(freep) char *before = files_digests(ring->archive);
	CLEANUP(freep) char *after = NULL;
	int64_t generation;
	struct err err = ERR_INIT;

	CHECK_OK(ring_mirror(ring, &generation, &err));
	after = files_digests(ring->archive);
	CHECK_STR(after, before);
}

/* Once the message is gone from the server, the archive drops its record of it. */
static void check_buried(struct ring *ring, const struct pick *pick)
{
	CLEANUP(archive_freep) struct archive *archive = NULL;
	CLEANUP(rangeset_free) struct rangeset uids = {0};
	int64_t generation;
	struct err err = ERR_INIT;

	CHECK_OK(archive_open(ref_of(ring->archive), &archive, &err));
	CHECK_OK(archive_add_forgotten(archive, pick->folder, pick->uidvalidity, &uids, &err));
	CHECK(rangeset_has(&uids, pick->uid));
	CHECK(model_message_expunge(ring->model, "alice", "INBOX", pick->uid));
	CHECK_OK(ring_mirror(ring, &generation, &err));
	rangeset_clear(&uids);
	CHECK_OK(archive_add_forgotten(archive, pick->folder, pick->uidvalidity, &uids, &err));
	CHECK(!rangeset_has(&uids, pick->uid));
}

/* quiet: a pass over an unchanged server writes nothing. */
static void mirror_forgotten(const struct model_profile *profile, const char *name, bool quiet)
{
	CLEANUP(ring_freep) struct ring *ring = ring_new(profile, LETTERS, name);
	struct archive_forgotten forgotten;
	struct pick pick, left;
	int64_t generation;
	struct err err = ERR_INIT;

	CHECK_OK(ring_mirror(ring, &generation, &err));
	pick = look(ring, generation);
	CHECK(pick.count > 2);
	CHECK_OK(archive_forget(ref_of(ring->archive), (const uint8_t(*)[SHA256_BYTES])pick.sha256,
		1, WAIT_MS, &forgotten, &err));
	CHECK_INT(forgotten.messages, 1);
	CHECK_OK(ring_mirror(ring, &generation, &err));
	left = look(ring, generation);
	CHECK_INT(left.count, pick.count - pick.same);
	if (quiet)
		check_quiet(ring);
	ring_change(ring);
	CHECK_OK(ring_mirror(ring, &generation, &err));
	left = look(ring, generation);
	CHECK(memcmp(left.sha256, pick.sha256, SHA256_BYTES) != 0);
	check_buried(ring, &pick);
}

static void what_is_forgotten_is_not_fetched_again(void)
{
	mirror_forgotten(&model_profile_full, "forget_full", true);
	mirror_forgotten(&model_profile_plain, "forget_plain", false);
}

static void after_pruning_a_pass_finds_nothing_new(void)
{
	CLEANUP(ring_freep) struct ring *ring = ring_new(&model_profile_full, LETTERS, "pruned");
	struct archive_pruned pruned;
	int64_t generation;
	struct err err = ERR_INIT;

	CHECK_OK(ring_mirror(ring, &generation, &err));
	ring_change(ring);
	CHECK_OK(ring_mirror(ring, &generation, &err));
	ring->account.keep = (char *)"last=1";
	ring->account.keep_deleted_ms = 0;
	CHECK_OK(mirror_prune(&ring->account, NULL, &pruned, &err));
	CHECK(!pruned.skipped && pruned.snapshots > 0);
	ring_check_mirrored(ring);
	check_quiet(ring);
	CHECK_OK(mirror_prune(&ring->account, NULL, &pruned, &err));
	CHECK(pruned.skipped); /* not twice a day */
	ring->account.keep = (char *)"all";
	CHECK_OK(mirror_prune(&ring->account, NULL, &pruned, &err));
	CHECK(pruned.skipped);
}

int main(int argc, char **argv)
{
	static const struct promise promises[] = {
		PROMISE(what_is_forgotten_is_not_fetched_again),
		PROMISE(after_pruning_a_pass_finds_nothing_new),
	};

	return check_main(argc, argv, promises, ARRAY_LEN(promises));
}
