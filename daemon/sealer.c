#include "daemon/sealer.h"

#include <inttypes.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "archive/archive.h"
#include "archive/seal.h"
#include "base/alloc.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/str.h"

enum {
	OPEN_BYTES_MIN = 16 * 1000 * 1000, /* a newest volume of less goes on */
	MS_OF_S = 1000,
	NS_OF_MS = 1000 * 1000,
	IO_WHO_PROCESS = 1, /* ioprio_set(2) */
	IO_CLASS_IDLE = 3 << 13,
};

struct waiting {
	const struct config_account *account;
	int64_t due_ms; /* of clock_mono_ms(); 0: nothing to do */
};

struct sealer {
	pthread_t thread;
	const struct cancel *cancel;
	pthread_cond_t changed; /* of CLOCK_MONOTONIC */
	pthread_mutex_t mutex;  /* of what follows */
	struct waiting *waiting;
	size_t count;
	bool stop;
};

void sealer_note(struct sealer *sealer, const struct config_account *account)
{
	size_t at = 0;

	(void)pthread_mutex_lock(&sealer->mutex);
	while (at < sealer->count && sealer->waiting[at].account != account)
		at++;
	sealer->waiting[at] = (struct waiting){account, clock_mono_ms() + account->seal_after_ms};
	sealer->count += at == sealer->count;
	(void)pthread_cond_signal(&sealer->changed);
	(void)pthread_mutex_unlock(&sealer->mutex);
}

/* Who has been quiet for longest; NULL: there is nothing to do. */
static struct waiting *next_due(struct sealer *sealer)
{
	struct waiting *next = NULL;

	for (size_t i = 0; i < sealer->count; i++) {
		struct waiting *waiting = &sealer->waiting[i];

		if (waiting->due_ms > 0 && (!next || waiting->due_ms < next->due_ms))
			next = waiting;
	}
	return next;
}

/* The mutex is held. Until something changes, or it is time. */
static void wait_until(struct sealer *sealer, const struct waiting *next)
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

/* Waits for an account whose time it is; NULL: the end. */
static const struct config_account *take_due(struct sealer *sealer)
{
	const struct config_account *due = NULL;

	(void)pthread_mutex_lock(&sealer->mutex);
	while (!due && !sealer->stop) {
		struct waiting *next = next_due(sealer);

		if (!next || next->due_ms > clock_mono_ms()) {
			wait_until(sealer, next);
			continue;
		}
		next->due_ms = 0;
		due = next->account;
	}
	(void)pthread_mutex_unlock(&sealer->mutex);
	return due;
}

/* Whoever else works on the archive goes first; in steps, as the daemon may be asked to stop. */
static bool seal_when_free(const struct sealer *sealer, const char *path,
	struct archive_sealed *ret_sealed, struct err *err)
{
	const struct archive_seal wish = {.open_bytes_min = OPEN_BYTES_MIN,
		.small_count = SEAL_SMALL_COUNT,
		.cancel = sealer->cancel};
	struct wait wait = wait_for(ARCHIVE_LOCK_TIMEOUT_MS, sealer->cancel);
	bool ok;

	do
		ok = archive_seal(path, &wish, WAIT_STEP_MS, ret_sealed, err);
	while (!ok && wait_again(wait, err));
	return ok;
}

static void seal(const struct sealer *sealer, const struct config_account *account)
{
	const char *path = account->archive_path;
	char before[STR_SIZE_MAX], after[STR_SIZE_MAX];
	struct archive_sealed sealed;
	struct err err = ERR_INIT;

	if (archive_is_encrypted(path) && !archive_is_unlocked(path))
		return;
	if (!seal_when_free(sealer, path, &sealed, &err)) {
		if (err.kind != ERR_CANCELLED)
			log_warning("%s: sealing: %s", account->name, err.text);
		return;
	}
	str_format_size(sealed.bytes_before, before);
	str_format_size(sealed.bytes_after, after);
	if (sealed.volumes > 0)
		log_info("%s: sealed: %s are %s now", account->name, before, after);
	if (sealed.merged > 0)
		log_info("%s: %" PRIu64 " small volumes became one", account->name, sealed.merged);
}

/* Where it may not, it is done at the priority there is. */
static void be_idle(void)
{
	const struct sched_param none = {0};

	(void)pthread_setschedparam(pthread_self(), SCHED_IDLE, &none);
	(void)syscall(SYS_ioprio_set, IO_WHO_PROCESS, 0, IO_CLASS_IDLE);
}

static void *run(void *context)
{
	struct sealer *sealer = context;
	const struct config_account *account;

	be_idle();
	while ((account = take_due(sealer)))
		seal(sealer, account);
	return NULL;
}

static void make_locks(struct sealer *sealer)
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
	free(sealer->waiting);
	free(sealer);
}

bool sealer_start(
	size_t count, const struct cancel *cancel, struct sealer **ret_sealer, struct err *err)
{
	struct sealer *sealer = xcalloc(1, sizeof(*sealer));
	int code;

	sealer->cancel = cancel;
	sealer->waiting = xcalloc(count + 1, sizeof(*sealer->waiting));
	make_locks(sealer);
	code = pthread_create(&sealer->thread, NULL, run, sealer);
	if (code != 0) {
		free_sealer(sealer);
		return err_errno(err, ERR_LOCAL, code, "start a thread");
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
