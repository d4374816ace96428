/*
 * Cuts the power while an account is mirrored and restored. The archive, the state file and the
 * journal lose unsynced changes in many ways (support/crash/power_disk.h); the server loses
 * nothing. Afterwards nothing acknowledged is lost, the next pass fetches everything available and
 * names what it could not fetch, and the next restore adds nothing twice.
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/fs.h"
#include "support/archive/files.h"
#include "support/check.h"
#include "support/crash/forker.h"
#include "support/crash/power_disk.h"
#include "support/crash/ring.h"

enum {
	LETTERS = 30,
	STATES_MAX = 100000,
	PATH_BYTES_MAX = 300,
	NAME_BYTES_MAX = 20,
	CUT_CODE = 99
};

enum work { WORK_MIRROR, WORK_RESTORE };

struct order {
	enum work work;
	struct power_cut cut;
	enum power_lie lie;
	uint16_t port;
	char place[PATH_BYTES_MAX];
	char target[NAME_BYTES_MAX];
};

/* --- in a process that ends with the power --- */

static const struct order *obeyed;

/* What the cut leaves on the disk, beside the state before. Threads of this process do not touch
 * it. */
static void leave_disk(struct power_log *log)
{
	CLEANUP(freep) char *left = str_printf("%s/left", obeyed->place);
	struct power_cut cut = obeyed->cut;
	struct power_disk *disk;

	power_log_end(log);
	power_log_lie(log, obeyed->lie);
	cut.at = (long)log->count;
	disk = power_disk_after(log, &cut);
	power_disk_write(disk, left);
	power_disk_freep(&disk);
}

static void cut_power(struct power_log *log)
{
	leave_disk(log);
	_exit(CUT_CODE);
}

static bool mirror(struct ring *ring, struct err *err)
{
	return ring_mirror(ring, NULL, err);
}

static void obey(const void *order)
{
	struct ring ring;
	struct power_log *log;
	struct err err = ERR_INIT;

	obeyed = order;
	ring_join(&ring, obeyed->place, obeyed->target, obeyed->port);
	CLEANUP(freep) char *now = str_printf("%s/now", obeyed->place);
	log = power_log_begin(now);
	power_log_stop_at(log, obeyed->cut.at, cut_power);
	(void)(obeyed->work == WORK_MIRROR ? mirror : ring_restore)(&ring, &err);
	power_log_stop_at(log, 0, NULL);
	leave_disk(log);
	_exit(0);
}

static enum power_lie lie = POWER_HONEST;

/* True: the work ended before the cut. */
static bool ends_before(struct ring *ring, enum work work, const struct power_cut *cut)
{
	struct order order = {.work = work, .cut = *cut, .lie = lie, .port = ring->port};
	CLEANUP(freep) char *now = str_printf("%s/now", ring->place);
	CLEANUP(freep) char *left = str_printf("%s/left", ring->place);
	struct err err = ERR_INIT;
	int code;

	(void)snprintf(order.place, sizeof(order.place), "%s", ring->place);
	(void)snprintf(order.target, sizeof(order.target), "%s", ring->target);
	code = forker_order(&order);
	CHECK(code == 0 || code == CUT_CODE);
	files_remove(now);
	CHECK_OK(fs_rename(left, now, &err));
	return code == 0;
}

/* --- all of it --- */

static struct ring *ring_on_port(const char *name)
{
	struct ring *ring = ring_new(&model_profile_full, LETTERS, name);

	ring->port = model_listen(ring->model);
	return ring;
}

/* after() checks what is left, then restores the state before. */
static void cut_everywhere(struct ring *ring, enum work work, long step,
	void (*before)(struct ring *ring), void (*after)(struct ring *ring, bool ended))
{
	long wish = CHECK_DAILY_STEP * step;
	long stride = lie == POWER_HONEST ? check_stride(wish) : wish;
	long states = 0;
	bool ended = false;

	for (long n = 0; !ended && n < STATES_MAX; n += stride, states++) {
		const struct power_cut cut = {.at = n / POWER_FATES,
			.fate = (enum power_fate)(n % POWER_FATES),
			.seed = (uint32_t)n + 1};

		if (before)
			before(ring);
		ended = ends_before(ring, work, &cut);
		after(ring, ended);
	}
	(void)printf("# %ld states\n", states);
	CHECK(ended);
}

static void complete(struct ring *ring)
{
	struct err err = ERR_INIT;

	CHECK_OK(mirror(ring, &err));
	ring_check_mirrored(ring);
}

static void after_first(struct ring *ring, bool ended)
{
	ring_check_sound(ring, ended);
	complete(ring);
	ring_forget(ring);
}

static void cut_first_pass(void *unused)
{
	static const char *const names[] = {"first", "files-lie", "folders-lie"};
	CLEANUP(ring_freep) struct ring *ring = ring_on_port(names[lie]);

	(void)unused;
	cut_everywhere(ring, WORK_MIRROR, 5, NULL, after_first);
}

static void a_first_pass_is_completed_by_the_next(void)
{
	cut_first_pass(NULL);
}

/* Tests the ring itself. */
static void a_disk_that_does_not_sync_is_found_out(void)
{
	lie = POWER_FILES_LIE;
	CHECK(!check_apart(cut_first_pass, NULL, true));
	lie = POWER_FOLDERS_LIE;
	CHECK(!check_apart(cut_first_pass, NULL, true));
	lie = POWER_HONEST;
}

/* --- a later pass, and one message that cannot be had --- */

static uint32_t refused;

static void refuse_one(struct ring *ring)
{
	refused = model_message_add(ring->model, "alice", "INBOX",
		&(struct model_letter){.bytes = "Subject: refused\r\n\r\nrefused\r\n"});
	model_message_odd(ring->model, "alice", "INBOX", refused, MODEL_ODD_REFUSED);
}

/* The next pass copes with any state of the ledger; if the ledger is lost, nothing is owed. */
static void after_later(struct ring *ring, bool ended)
{
	struct err err = ERR_INIT;

	(void)ended;
	CHECK(!mirror(ring, &err));
	CHECK_INT(err.kind, ERR_REFUSED);
	CHECK_INT(ring_skipped(ring), 1);
	CHECK(model_message_expunge(ring->model, "alice", "INBOX", refused));
	complete(ring);
	CHECK_INT(ring_skipped(ring), 0);
	ring_put_back(ring);
}

static void a_later_pass_knows_what_it_could_not_have(void)
{
	CLEANUP(ring_freep) struct ring *ring = ring_on_port("later");

	complete(ring);
	ring_keep(ring);
	ring_change(ring);
	cut_everywhere(ring, WORK_MIRROR, 1, refuse_one, after_later);
}

/* --- a restore --- */

static void after_restore(struct ring *ring, bool ended)
{
	struct err err = ERR_INIT;

	(void)ended;
	CHECK_OK(ring_restore(ring, &err));
	ring_check_restored(ring);
	ring_put_back(ring);
	ring_new_target(ring);
}

static void a_restore_adds_nothing_twice(void)
{
	CLEANUP(ring_freep) struct ring *ring = ring_on_port("restore");

	complete(ring);
	ring_keep(ring);
	cut_everywhere(ring, WORK_RESTORE, 2, NULL, after_restore);
}

int main(int argc, char **argv)
{
	static const struct promise promises[] = {
		PROMISE(a_first_pass_is_completed_by_the_next),
		PROMISE(a_later_pass_knows_what_it_could_not_have),
		PROMISE(a_restore_adds_nothing_twice),
		PROMISE(a_disk_that_does_not_sync_is_found_out),
	};

	power_log_watch();
	if (!forker_start(obey, sizeof(struct order)))
		return 1;
	return check_main(argc, argv, promises, ARRAY_LEN(promises));
}
