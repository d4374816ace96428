#include "state/state.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/fs.h"
#include "base/str.h"
#include "support/check.h"

enum { OPENERS = 6, ROUNDS = 20, WRITES = 50, SEEN_MAX = 8 };

static const char archive[] = "/mail/alice";

static void a_status_survives_reopening(void)
{
	CLEANUP(freep) char *dir = str_printf("%s/again", check_temp_dir());
	CLEANUP(state_freep) struct state *state = NULL;
	struct account_status put = {.state = ACCOUNT_AUTH_REQUIRED,
		.since_ms = 1,
		.last_success_ms = 2,
		.push = "idle",
		.detail = "refused"};
	struct account_status got;
	struct err err = ERR_INIT;

	CHECK_OK(state_open(dir, &state, &err));
	CHECK_OK(state_put(state, archive, &put, &err));
	state_freep(&state);
	CHECK_OK(state_open(dir, &state, &err));
	CHECK_OK(state_get(state, archive, &got, &err));
	CHECK_INT(got.state, ACCOUNT_AUTH_REQUIRED);
	CHECK_INT(got.last_success_ms, 2);
	CHECK_STR(got.push, "idle");
	CHECK_STR(got.detail, "refused");
}

static void an_unknown_account_is_stopped(void)
{
	CLEANUP(freep) char *dir = str_printf("%s/never", check_temp_dir());
	CLEANUP(state_freep) struct state *state = NULL;
	struct account_status got;
	struct err err = ERR_INIT;

	CHECK_OK(state_open(dir, &state, &err));
	CHECK_OK(state_get(state, archive, &got, &err));
	CHECK_INT(got.state, ACCOUNT_STOPPED);
	CHECK_INT(got.last_success_ms, 0);
}

static void the_best_copy_is_on_another_disk(void)
{
	CLEANUP(freep) char *dir = str_printf("%s/copies", check_temp_dir());
	CLEANUP(state_freep) struct state *state = NULL;
	const struct state_copy away = {.copied_ms = 5};
	const struct state_copy here = {.copied_ms = 9, .same_disk = true};
	const struct state_copy later = {.copied_ms = 7};
	struct state_copy best;
	struct err err = ERR_INIT;

	CHECK_OK(state_open(dir, &state, &err));
	CHECK_OK(state_best_copy(state, archive, &best, &err));
	CHECK_INT(best.copied_ms, 0);
	CHECK_OK(state_put_copy(state, archive, "/here", &here, &err));
	CHECK_OK(state_best_copy(state, archive, &best, &err));
	CHECK(best.copied_ms == 9 && best.same_disk);
	CHECK_OK(state_put_copy(state, archive, "/away", &away, &err));
	CHECK_OK(state_put_copy(state, archive, "/away", &later, &err));
	CHECK_OK(state_best_copy(state, archive, &best, &err));
	CHECK(best.copied_ms == 7 && !best.same_disk);
	CHECK_OK(state_best_copy(state, "/mail/bob", &best, &err));
	CHECK_INT(best.copied_ms, 0);
}

static struct state *open_new(const char *name)
{
	CLEANUP(freep) char *dir = str_printf("%s/%s", check_temp_dir(), name);
	struct state *state = NULL;
	struct err err = ERR_INIT;

	CHECK_OK(state_open(dir, &state, &err));
	return state;
}

static void every_state_has_its_word(void)
{
	static const char *const words[] = {"stopped", "starting", "locked", "mirroring",
		"watching", "paused", "offline", "guarded", "auth-required", "failed"};
	CLEANUP(state_freep) struct state *state = open_new("words");
	struct err err = ERR_INIT;

	CHECK_INT(ARRAY_LEN(words), ACCOUNT_FAILED + 1);
	for (unsigned i = 0; i < ARRAY_LEN(words); i++) {
		const struct account_status put = {.state = (enum account_state)i};
		struct account_status got;

		CHECK_OK(state_put(state, archive, &put, &err));
		CHECK_OK(state_get(state, archive, &got, &err));
		CHECK_STR(state_name(got.state), words[i]);
	}
}

static void each_account_has_its_latest_status(void)
{
	CLEANUP(state_freep) struct state *state = open_new("apart");
	struct account_status status = {.state = ACCOUNT_OFFLINE, .paused_until_ms = INT64_MAX};
	struct err err = ERR_INIT;

	memset(status.detail, 'x', sizeof(status.detail) - 1);
	CHECK_OK(state_put(state, "/mail/bob", &status, &err));
	CHECK_OK(state_put(state, archive, &status, &err));
	status = (struct account_status){.state = ACCOUNT_WATCHING, .last_check_ms = 7};
	CHECK_OK(state_put(state, archive, &status, &err));
	CHECK_OK(state_get(state, archive, &status, &err));
	CHECK_INT(status.state, ACCOUNT_WATCHING);
	CHECK_INT(status.last_check_ms, 7);
	CHECK_STR(status.detail, "");
	CHECK_OK(state_get(state, "/mail/bob", &status, &err));
	CHECK_INT(status.state, ACCOUNT_OFFLINE);
	CHECK_INT(status.paused_until_ms, INT64_MAX);
	CHECK_INT(strlen(status.detail), sizeof(status.detail) - 1);
}

/* --- messages that could not be fetched --- */

struct seen {
	char *lines[SEEN_MAX];
	size_t count;
	size_t stop_at; /* fail at this one; 0: never */
};

static void seen_free(struct seen *seen)
{
	for (size_t i = 0; i < seen->count; i++)
		free(seen->lines[i]);
}

static bool see(void *context, const struct skipped *skipped, struct err *err)
{
	struct seen *seen = context;

	if (seen->count + 1 == seen->stop_at)
		return err_set(err, ERR_LOCAL, "enough");
	CHECK(seen->count < SEEN_MAX);
	seen->lines[seen->count++] = str_printf("%s %u %u %llu %s %d %lld", skipped->folder_path,
		skipped->uidvalidity, skipped->uid, (unsigned long long)skipped->size,
		skipped->reason, skipped->attempts, (long long)skipped->next_try_ms);
	return true;
}

static void skip(struct state *state, const char *folder, uint32_t uid, int attempts)
{
	const struct skipped skipped = {.folder_path = folder,
		.uidvalidity = UINT32_MAX,
		.uid = uid,
		.size = 1ULL << 40,
		.reason = "too large",
		.attempts = attempts,
		.next_try_ms = INT64_MAX};
	struct err err = ERR_INIT;

	CHECK_OK(state_skip_put(state, archive, &skipped, &err));
}

static uint64_t skipped_count(struct state *state, const char *of)
{
	uint64_t count = 0;
	struct err err = ERR_INIT;

	CHECK_OK(state_skipped_count(state, of, &count, &err));
	return count;
}

static void skipped_messages_are_listed_until_done(void)
{
	CLEANUP(state_freep) struct state *state = open_new("skipped");
	CLEANUP(seen_free) struct seen seen = {0}, after = {0};
	struct err err = ERR_INIT;

	skip(state, "INBOX", UINT32_MAX, 1);
	skip(state, "INBOX", 2, 1);
	skip(state, "Work", 2, 1);
	skip(state, "INBOX", 2, 2);
	CHECK_INT(skipped_count(state, archive), 3);
	CHECK_INT(skipped_count(state, "/mail/bob"), 0);
	CHECK_OK(state_each_skipped(state, archive, see, &seen, &err));
	CHECK_INT(seen.count, 3);
	CHECK_STR(
		seen.lines[0], "INBOX 4294967295 2 1099511627776 too large 2 9223372036854775807");
	CHECK(strstr(seen.lines[1], "INBOX 4294967295 4294967295 "));
	CHECK(strstr(seen.lines[2], "Work "));
	CHECK_OK(state_skip_done(state, archive, "INBOX", UINT32_MAX, 2, &err));
	CHECK_OK(state_skip_done(state, archive, "INBOX", 1, UINT32_MAX, &err));
	CHECK_OK(state_skip_done(state, archive, "Nowhere", 1, 1, &err));
	CHECK_OK(state_each_skipped(state, archive, see, &after, &err));
	CHECK_INT(after.count, 2);
	CHECK_INT(skipped_count(state, archive), 2);
}

static void a_listing_can_end_early_and_be_repeated(void)
{
	CLEANUP(state_freep) struct state *state = open_new("early");
	CLEANUP(seen_free) struct seen seen = {.stop_at = 2}, again = {0};
	struct err err = ERR_INIT;

	skip(state, "INBOX", 1, 1);
	skip(state, "INBOX", 2, 1);
	CHECK(!state_each_skipped(state, archive, see, &seen, &err));
	CHECK_STR(err.text, "enough");
	CHECK_INT(seen.count, 1);
	skip(state, "INBOX", 3, 1);
	CHECK_OK(state_each_skipped(state, archive, see, &again, &err));
	CHECK_INT(again.count, 3);
}

static void a_transaction_is_kept_or_rolled_back_as_one(void)
{
	CLEANUP(state_freep) struct state *state = open_new("whole");
	struct err err = ERR_INIT;

	skip(state, "INBOX", 1, 1);
	CHECK_OK(state_begin(state, &err));
	CHECK_OK(state_forget(state, archive, &err));
	CHECK_INT(skipped_count(state, archive), 0);
	CHECK(!state_end(state, false, &err));
	CHECK_INT(skipped_count(state, archive), 1);
	CHECK_OK(state_begin(state, &err));
	CHECK_OK(state_forget(state, archive, &err));
	skip(state, "Work", 2, 1);
	skip(state, "Work", 3, 1);
	CHECK_OK(state_end(state, true, &err));
	CHECK_INT(skipped_count(state, archive), 2);
	CHECK_OK(state_empty_wal(state, &err));
}

/* --- several at once --- */

struct opener {
	const char *dir;
	bool good;
	struct err err;
};

static void *open_and_read(void *argument)
{
	CLEANUP(state_freep) struct state *state = NULL;
	struct opener *opener = argument;
	struct account_status got;

	opener->good = state_open(opener->dir, &state, &opener->err) &&
		       state_get(state, archive, &got, &opener->err);
	return NULL;
}

/* A daemon starts while a command reads the status. */
static void many_can_be_the_first_to_open(void)
{
	for (int round = 0; round < ROUNDS; round++) {
		CLEANUP(freep) char *dir = str_printf("%s/first%d", check_temp_dir(), round);
		struct opener openers[OPENERS] = {0};
		pthread_t threads[OPENERS];

		for (size_t i = 0; i < OPENERS; i++) {
			openers[i].dir = dir;
			CHECK(pthread_create(&threads[i], NULL, open_and_read, &openers[i]) == 0);
		}
		for (size_t i = 0; i < OPENERS; i++)
			CHECK(pthread_join(threads[i], NULL) == 0);
		for (size_t i = 0; i < OPENERS; i++)
			if (!openers[i].good)
				check_fail(__FILE__, __LINE__, "%s", openers[i].err.text);
	}
}

static void *write_often(void *argument)
{
	CLEANUP(state_freep) struct state *state = NULL;
	struct opener *opener = argument;
	CLEANUP(freep) char *own = str_printf("/mail/%p", argument);

	opener->good = state_open(opener->dir, &state, &opener->err);
	for (int i = 1; opener->good && i <= WRITES; i++) {
		const struct account_status status = {
			.state = ACCOUNT_WATCHING, .last_success_ms = i};
		struct account_status got = {0};

		opener->good = state_put(state, own, &status, &opener->err) &&
			       state_put(state, archive, &status, &opener->err) &&
			       state_get(state, own, &got, &opener->err) &&
			       got.last_success_ms == i;
	}
	return NULL;
}

static void writers_wait_for_one_another(void)
{
	CLEANUP(freep) char *dir = str_printf("%s/writers", check_temp_dir());
	struct opener openers[OPENERS] = {0};
	pthread_t threads[OPENERS];

	for (size_t i = 0; i < OPENERS; i++) {
		openers[i].dir = dir;
		CHECK(pthread_create(&threads[i], NULL, write_often, &openers[i]) == 0);
	}
	for (size_t i = 0; i < OPENERS; i++)
		CHECK(pthread_join(threads[i], NULL) == 0);
	for (size_t i = 0; i < OPENERS; i++)
		if (!openers[i].good)
			check_fail(__FILE__, __LINE__, "%s", openers[i].err.text);
}

static void a_command_sees_what_the_daemon_wrote(void)
{
	CLEANUP(state_freep) struct state *daemon = open_new("shared");
	CLEANUP(state_freep) struct state *command = open_new("shared");
	const struct account_status status = {.state = ACCOUNT_MIRRORING};
	struct account_status got;
	struct err err = ERR_INIT;

	CHECK_OK(state_get(command, archive, &got, &err));
	CHECK_INT(got.state, ACCOUNT_STOPPED);
	CHECK_OK(state_put(daemon, archive, &status, &err));
	skip(daemon, "INBOX", 1, 1);
	CHECK_OK(state_get(command, archive, &got, &err));
	CHECK_INT(got.state, ACCOUNT_MIRRORING);
	CHECK_INT(skipped_count(command, archive), 1);
}

static void a_running_daemon_holds_its_lock(void)
{
	CLEANUP(freep) char *dir = str_printf("%s/daemon", check_temp_dir());
	CLEANUP(fs_unlock) int lock = -1, second = -1;
	struct err err = ERR_INIT;

	CHECK(!state_daemon_runs(dir));
	CHECK_OK(state_daemon_lock(dir, &lock, &err));
	CHECK(state_daemon_runs(dir));
	CHECK(!state_daemon_lock(dir, &second, &err));
	CHECK_INT(err.kind, ERR_BUSY);
	CHECK(strstr(err.text, "daemon"));
	fs_unlock(&lock);
	lock = -1;
	CHECK(!state_daemon_runs(dir));
	CHECK_OK(state_daemon_lock(dir, &second, &err));
}

static void a_file_that_is_not_sqlite_is_refused_by_name(void)
{
	CLEANUP(freep) char *path = str_printf("%s/state.db", check_temp_dir());
	CLEANUP(state_freep) struct state *state = NULL;
	struct err err = ERR_INIT;
	char rubbish[8192];

	memset(rubbish, 'r', sizeof(rubbish));
	CHECK_OK(fs_write_atomic(path, rubbish, sizeof(rubbish), 0600, &err));
	CHECK(!state_open(check_temp_dir(), &state, &err) && !state);
	CHECK(strstr(err.text, "state.db"));
}

int main(int argc, char **argv)
{
	static const struct promise promises[] = {
		PROMISE(a_status_survives_reopening),
		PROMISE(an_unknown_account_is_stopped),
		PROMISE(the_best_copy_is_on_another_disk),
		PROMISE(every_state_has_its_word),
		PROMISE(each_account_has_its_latest_status),
		PROMISE(skipped_messages_are_listed_until_done),
		PROMISE(a_listing_can_end_early_and_be_repeated),
		PROMISE(a_transaction_is_kept_or_rolled_back_as_one),
		PROMISE(many_can_be_the_first_to_open),
		PROMISE(writers_wait_for_one_another),
		PROMISE(a_command_sees_what_the_daemon_wrote),
		PROMISE(a_running_daemon_holds_its_lock),
		PROMISE(a_file_that_is_not_sqlite_is_refused_by_name),
	};

	return check_main(argc, argv, promises, ARRAY_LEN(promises));
}
