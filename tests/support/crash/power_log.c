#include "support/crash/power_log.h"

#include <assert.h>
#include <ftw.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/fs.h"
#include "base/str.h"
#include "support/check.h"

enum { WALK_FDS = 16, FILE_BYTES_MAX = 64 * 1024 * 1024 };

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static struct power_log *recording; /* nftw() and hooks pass no context */

/* --- names --- */

long power_names_find(const struct power_names *names, const char *path)
{
	for (size_t i = 0; i < names->count; i++)
		if (strcmp(names->items[i].path, path) == 0)
			return (long)i;
	return -1;
}

void power_names_set(struct power_names *names, const char *path, long file)
{
	long at = power_names_find(names, path);

	if (at < 0) {
		ARRAY_GROW(names->items, names->count, names->cap);
		at = (long)names->count++;
		names->items[at].path = xstrdup(path);
	}
	names->items[at].file = file;
}

void power_names_remove(struct power_names *names, const char *path)
{
	long at = power_names_find(names, path);

	if (at < 0)
		return;
	free(names->items[at].path);
	names->items[at] = names->items[--names->count];
}

void power_names_free(struct power_names *names)
{
	for (size_t i = 0; i < names->count; i++)
		free(names->items[i].path);
	free(names->items);
	*names = (struct power_names){0};
}

/* --- what is there before --- */

static long add_file(struct power_log *log, struct power_file file)
{
	ARRAY_GROW(log->files, log->files_count, log->files_cap);
	log->files[log->files_count++] = file;
	return (long)log->files_count - 1;
}

static bool is_scratch(const char *name)
{
	size_t len = strlen(name);

	return (len > 4 && strcmp(name + len - 4, "-shm") == 0) || strcmp(name, "lock") == 0 ||
	       strcmp(name, "sealing") == 0;
}

static int read_one(const char *path, const struct stat *st, int type, struct FTW *level)
{
	CLEANUP(buf_free) struct buf bytes = BUF_INIT(FILE_BYTES_MAX);
	const char *below = path + strlen(recording->place);
	struct power_file file = {.mode = st->st_mode & 0777, .changed = st->st_mtim};
	struct err err = ERR_INIT;

	if (is_scratch(path + level->base) || !*below)
		return 0;
	if (type == FTW_D) {
		power_names_set(&recording->before, below, POWER_FOLDER);
		return 0;
	}
	CHECK_OK(fs_read(path, &bytes, &err));
	file.len = bytes.len;
	file.data = xmalloc(bytes.len + 1);
	if (bytes.len > 0)
		memcpy(file.data, bytes.data, bytes.len);
	power_names_set(&recording->before, below, add_file(recording, file));
	return 0;
}

/* --- recording --- */

bool power_is_of_names(enum disk_kind kind)
{
	return kind == DISK_MKDIR || kind == DISK_CREATE || kind == DISK_RENAME ||
	       kind == DISK_REMOVE;
}

static long file_named(const struct power_log *log, const char *path)
{
	long at = power_names_find(&log->now, path);

	return at < 0 ? -1 : log->now.items[at].file;
}

/* An existing file is truncated. */
static void create(struct power_log *log, struct power_event *event)
{
	event->file = file_named(log, event->path);
	if (event->file >= 0) {
		event->kind = DISK_TRUNCATE;
		event->offset = 0;
		return;
	}
	event->file = add_file(log, (struct power_file){.mode = event->mode});
	power_names_set(&log->now, event->path, event->file);
}

static int64_t end_of(const struct power_log *log, long file)
{
	int64_t end = (int64_t)log->files[file].len;

	for (size_t i = 0; i < log->count; i++) {
		const struct power_event *event = &log->events[i];

		if (event->file != file || event->acknowledges)
			continue;
		if (event->kind == DISK_TRUNCATE)
			end = event->offset;
		if (event->kind == DISK_WRITE && event->offset + (int64_t)event->len > end)
			end = event->offset + (int64_t)event->len;
	}
	return end;
}

/* False: the change has no effect. */
static bool follow(struct power_log *log, struct power_event *event)
{
	bool there = power_names_find(&log->now, event->path) >= 0;

	if (event->kind == DISK_SYNC_FOLDER)
		return true;
	if (event->kind == DISK_MKDIR) {
		power_names_set(&log->now, event->path, POWER_FOLDER);
		return !there;
	}
	if (event->kind == DISK_CREATE) {
		create(log, event);
		return true;
	}
	if (event->kind == DISK_REMOVE && !there)
		return false;
	assert(there);
	event->file = file_named(log, event->path);
	if (event->kind == DISK_WRITE && event->offset == DISK_AT_END)
		event->offset = end_of(log, event->file);
	if (event->kind == DISK_RENAME)
		power_names_set(&log->now, event->to, event->file);
	if (event->kind == DISK_RENAME || event->kind == DISK_REMOVE)
		power_names_remove(&log->now, event->path);
	return true;
}

static void append(struct power_log *log, const struct power_event *event)
{
	ARRAY_GROW(log->events, log->count, log->cap);
	log->events[log->count++] = *event;
}

static void free_event(struct power_event *event)
{
	free(event->path);
	free(event->to);
	free(event->data);
}

static void record(struct power_log *log, const struct disk_change *change)
{
	size_t skip = strlen(log->place);
	struct power_event event = {
		.kind = change->kind,
		.file = -1,
		.path = xstrdup(change->path + skip),
		.to = change->to ? xstrdup(change->to + skip) : NULL,
		.len = change->len,
		.offset = change->offset,
		.mode = change->mode,
	};

	if (change->data) {
		event.data = xmalloc(change->len + 1);
		memcpy(event.data, change->data, change->len);
	}
	if (follow(log, &event))
		append(log, &event);
	else
		free_event(&event);
}

static int on_change(const struct disk_change *change)
{
	assert(pthread_mutex_lock(&mutex) == 0);
	if (recording && str_starts(change->path, recording->place)) {
		if (recording->stop && (long)recording->count >= recording->stop_at)
			recording->stop(recording);
		record(recording, change);
	}
	assert(pthread_mutex_unlock(&mutex) == 0);
	return 0;
}

void power_log_acknowledge(void)
{
	assert(pthread_mutex_lock(&mutex) == 0);
	if (recording)
		append(recording, &(struct power_event){.acknowledges = true, .file = -1});
	assert(pthread_mutex_unlock(&mutex) == 0);
}

void power_log_stop_at(struct power_log *log, long at, void (*stop)(struct power_log *log))
{
	assert(pthread_mutex_lock(&mutex) == 0);
	log->stop_at = at;
	log->stop = stop;
	assert(pthread_mutex_unlock(&mutex) == 0);
}

void power_log_watch(void)
{
	disk_watch(on_change);
}

struct power_log *power_log_begin(const char *place)
{
	struct power_log *log = xcalloc(1, sizeof(*log));

	log->place = xstrdup(place);
	recording = log;
	CHECK(nftw(place, read_one, WALK_FDS, FTW_PHYS) == 0);
	for (size_t i = 0; i < log->before.count; i++)
		power_names_set(&log->now, log->before.items[i].path, log->before.items[i].file);
	return log;
}

void power_log_end(struct power_log *log)
{
	recording = NULL;
	power_log_lie(log, POWER_HONEST);
}

void power_log_freep(struct power_log **log)
{
	struct power_log *old = *log;

	if (!old)
		return;
	for (size_t i = 0; i < old->files_count; i++)
		free(old->files[i].data);
	for (size_t i = 0; i < old->count; i++)
		free_event(&old->events[i]);
	power_names_free(&old->before);
	power_names_free(&old->now);
	free(old->files);
	free(old->events);
	free(old->place);
	free(old);
	*log = NULL;
}

/* --- what syncs do --- */

static bool is_in(const char *folder, const char *path)
{
	size_t len = strlen(folder);

	return strncmp(path, folder, len) == 0 && path[len] == '/' && !strchr(path + len + 1, '/');
}

static bool makes_durable(
	const struct power_event *sync, const struct power_event *event, enum power_lie lie)
{
	if (sync->acknowledges || event->acknowledges)
		return false;
	if (power_is_of_names(event->kind))
		return sync->kind == DISK_SYNC_FOLDER && lie != POWER_FOLDERS_LIE &&
		       is_in(sync->path, event->path);
	return sync->kind == DISK_SYNC && lie != POWER_FILES_LIE && sync->file == event->file;
}

void power_log_lie(struct power_log *log, enum power_lie lie)
{
	for (size_t i = 0; i < log->count; i++) {
		size_t at = i + 1;

		while (at < log->count && !makes_durable(&log->events[at], &log->events[i], lie))
			at++;
		log->events[i].durable_at = at < log->count ? (long)at : POWER_NEVER;
	}
}
