/*
 * Records what a run does to the disk, in order; support/crash/power_disk.h derives from it what a
 * power cut leaves. All files are below one place; what was there before the run is durable.
 */
#ifndef MAILSTOW_TESTS_SUPPORT_CRASH_POWER_LOG_H
#define MAILSTOW_TESTS_SUPPORT_CRASH_POWER_LOG_H

#include <stdbool.h>

#include "support/crash/disk.h"

enum { POWER_FOLDER = -1, POWER_NEVER = -1 };

/* A file, independent of its names. */
struct power_file {
	uint8_t *data; /* content before the run; a new file starts empty */
	size_t len;
	mode_t mode;
	struct timespec changed; /* time before the run; {0}: the file is new */
};

struct power_name {
	char *path; /* below the place */
	long file;  /* number of the file, or POWER_FOLDER */
};

struct power_names {
	struct power_name *items;
	size_t count, cap;
};

struct power_event {
	enum disk_kind kind;
	bool acknowledges; /* not a change, but an acknowledgement; kind has no meaning */
	long file;
	char *path, *to;
	uint8_t *data;
	size_t len;
	int64_t offset;
	mode_t mode;
	long durable_at; /* number of the event that makes it durable, or POWER_NEVER */
};

struct power_log {
	char *place;
	struct power_file *files;
	size_t files_count, files_cap;
	struct power_names before, now;
	struct power_event *events;
	size_t count, cap;
	long stop_at;
	void (*stop)(struct power_log *log); /* NULL: nowhere */
};

/* Once, before any database is opened. */
void power_log_watch(void);

/* Start recording everything below place. Failures end the promise. */
struct power_log *power_log_begin(const char *place);

/* Record an acknowledgement. Only from the thread that does the work. Does nothing without a log.
 */
void power_log_acknowledge(void);

/* Call stop() before the event of this number, counted from 0. stop() does not return; concurrent
 * events wait. */
void power_log_stop_at(struct power_log *log, long at, void (*stop)(struct power_log *log));

/* Stop recording. */
void power_log_end(struct power_log *log);
void power_log_freep(struct power_log **log);

/* From now on syncs of files, or those of folders, do nothing. */
enum power_lie { POWER_HONEST, POWER_FILES_LIE, POWER_FOLDERS_LIE };
void power_log_lie(struct power_log *log, enum power_lie lie);

bool power_is_of_names(enum disk_kind kind);

/* The number of the name, or -1. */
long power_names_find(const struct power_names *names, const char *path);
void power_names_set(struct power_names *names, const char *path, long file);
void power_names_remove(struct power_names *names, const char *path);
void power_names_free(struct power_names *names);

#endif
