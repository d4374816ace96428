#include "daemon/sealer.h"

#include <assert.h>
#include <inttypes.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "archive/seal.h"
#include "archive/unlock.h"
#include "base/alloc.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/str.h"

enum {
	OPEN_BYTES_MIN = 16 * 1000 * 1000, /* a smaller open volume is not sealed yet */
	MS_OF_S = 1000,
	NS_OF_MS = 1000 * 1000,
	IO_WHO_PROCESS = 1, /* ioprio_set(2) */
	IO_CLASS_IDLE = 3 << 13,
};

struct quiet_account {
	const struct config_account *account;
	struct archive_keys *keys;
	int64_t due_ms; /* by clock_mono_ms(); 0: nothing to do */
};

struct sealer {
	pthread_t thread;
	const struct cancel *cancel;
	pthread_cond_t changed; /* uses CLOCK_MONOTONIC */
	pthread_mutex_t mutex;  /* guards the members below */
	struct quiet_account *accounts;
	size_t count, cap;
	bool stop;
};

void sealer_note(
	struct sealer *sealer, const struct config_account *account, struct archive_keys *keys)
{
	size_t at = 0;

	(void)pthread_mutex_lock(&sealer->mutex);
	while (at < sealer->count && sealer->accounts[at].account != account)
		at++;
	assert(at < sealer->cap); /* sealer_start() was told how many there are */
	sealer->accounts[at] =
		(struct quiet_account){account, keys, clock_mono_ms() + account->seal_after_ms};
	sealer->count += at == sealer->count;
	(void)pthread_cond_signal(&sealer->changed);
	(void)pthread_mutex_unlock(&sealer->mutex);
}

/* The account due first; NULL: none is waiting. */
static struct quiet_account *next_due(struct sealer *sealer)
{
	struct quiet_account *next = NULL;

	for (size_t i = 0; i < sealer->count; i++) {
		struct quiet_account *account = &sealer->accounts[i];

		if (account->due_ms > 0 && (!next || account->due_ms < next->due_ms))
			next = account;
	}
	return next;
}

/* Waits until `next` is due or something changes. The mutex is held. */
static void wait_until(struct sealer *sealer, const struct quiet_account *next)
{
	struct timespec until;

	if (!next) {
		(void)pthread_cond_wait(&sealer->changed, &sealer->mutex);
		return;
	}
	until.tv_sec = (time_t)(next->due_ms / MS_OF_S);
	until.tv_nsec = (long)(next->due_ms % MS_OF_S) * NS_OF_MS;
	(void)pthread_cond_timedwait(&sealer->changed, &sealer->mutex, &until);
}

/* Waits until an account is due; false: the sealer is to stop. */
static bool take_due(struct sealer *sealer, struct quiet_account *ret_due)
{
	bool found = false;

	(void)pthread_mutex_lock(&sealer->mutex);
	while (!found && !sealer->stop) {
		struct quiet_account *next = next_due(sealer);

		if (!next || next->due_ms > clock_mono_ms()) {
			wait_until(sealer, next);
			continue;
		}
		/* before it is sealed: a change meanwhile sets it again, and it is sealed again */
		next->due_ms = 0;
		*ret_due = *next;
		found = true;
	}
	(void)pthread_mutex_unlock(&sealer->mutex);
	return found;
}

/* Waits for a concurrent writer, in short steps so that cancel is noticed. */
static bool seal_when_free(const struct sealer *sealer, const struct archive_ref *archive,
	struct archive_sealed *ret_sealed, struct err *err)
{
	const struct archive_seal options = {.open_bytes_min = OPEN_BYTES_MIN,
		.small_count = SEAL_SMALL_COUNT,
		.cancel = sealer->cancel};
	struct wait wait = wait_for(ARCHIVE_LOCK_TIMEOUT_MS, sealer->cancel);
	bool ok;

	do
		ok = archive_seal(archive, &options, WAIT_STEP_MS, ret_sealed, err);
	while (!ok && wait_again(wait, err));
	return ok;
}

static void seal_account(const struct sealer *sealer, const struct quiet_account *quiet)
{
	const struct config_account *account = quiet->account;
	const struct archive_ref archive = {account->archive_path, quiet->keys};
	char before[STR_SIZE_MAX], after[STR_SIZE_MAX];
	struct archive_sealed sealed;
	struct err err = ERR_INIT;

	if (archive_is_encrypted(&archive) && !archive_is_unlocked(&archive))
		return;
	if (!seal_when_free(sealer, &archive, &sealed, &err)) {
		if (err.kind != ERR_CANCELLED)
			log_warning("%s: sealing: %s; it is tried again after the next change",
				account->name, err.text);
		return;
	}
	str_format_size(sealed.bytes_before, before);
	str_format_size(sealed.bytes_after, after);
	if (sealed.volumes > 0)
		log_info("%s: sealed: %s became %s", account->name, before, after);
	if (sealed.merged > 0)
		log_info("%s: %" PRIu64 " small volumes merged into one", account->name,
			sealed.merged);
}

static void *run_sealer(void *context)
{
	struct sealer *sealer = context;
	const struct sched_param none = {0};
	struct quiet_account due;

	/* best effort: without permission the thread keeps its priority */
	(void)pthread_setschedparam(pthread_self(), SCHED_IDLE, &none);
	(void)syscall(SYS_ioprio_set, IO_WHO_PROCESS, 0, IO_CLASS_IDLE);
	while (take_due(sealer, &due))
		seal_account(sealer, &due);
	return NULL;
}

static void init_locks(struct sealer *sealer)
{
	pthread_condattr_t attributes;

	(void)pthread_mutex_init(&sealer->mutex, NULL);
	(void)pthread_condattr_init(&attributes);
	(void)pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	(void)pthread_cond_init(&sealer->changed, &attributes);
	(void)pthread_condattr_destroy(&attributes);
}

static void free_sealer(struct sealer *sealer)
{
	(void)pthread_cond_destroy(&sealer->changed);
	(void)pthread_mutex_destroy(&sealer->mutex);
	free(sealer->accounts);
	free(sealer);
}

bool sealer_start(
	size_t count, const struct cancel *cancel, struct sealer **ret_sealer, struct err *err)
{
	struct sealer *sealer = xcalloc(1, sizeof(*sealer));
	int code;

	sealer->cancel = cancel;
	sealer->accounts = xcalloc(count + 1, sizeof(*sealer->accounts));
	sealer->cap = count;
	init_locks(sealer);
	code = pthread_create(&sealer->thread, NULL, run_sealer, sealer);
	if (code != 0) {
		free_sealer(sealer);
		return err_errno(err, ERR_LOCAL, code, "start the sealer thread");
	}
	*ret_sealer = sealer;
	return true;
}

void sealer_stopp(struct sealer **sealer)
{
	if (!*sealer)
		return;
	(void)pthread_mutex_lock(&(*sealer)->mutex);
	(*sealer)->stop = true;
	(void)pthread_cond_signal(&(*sealer)->changed);
	(void)pthread_mutex_unlock(&(*sealer)->mutex);
	(void)pthread_join((*sealer)->thread, NULL);
	free_sealer(*sealer);
	*sealer = NULL;
}
