/*
 * What a power cut leaves on a disk. Everything synced before the cut survives. Unsynced changes
 * have a fate: bytes of files and names in folders are lost or kept independently of each other,
 * as a file system may do (POSIX promises no more, see fsync(2)).
 */
#ifndef MAILSTOW_TESTS_SUPPORT_CRASH_POWER_DISK_H
#define MAILSTOW_TESTS_SUPPORT_CRASH_POWER_DISK_H

#include "support/crash/power_log.h"

enum power_fate {
	POWER_LOST,  /* all unsynced changes are lost */
	POWER_KEPT,  /* none is lost: the process was only killed */
	POWER_NAMES, /* names survive, bytes do not: new files are empty */
	POWER_BYTES, /* bytes survive, names do not */
	POWER_SOME,  /* some changes survive, in any order */
	POWER_TORN,  /* sectors were written in any order; a file may already have its final size */
	POWER_ZEROS, /* lost bytes leave the file's new size, filled with zeros */
	POWER_FATES
};

struct power_cut {
	long at; /* number of events */
	enum power_fate fate;
	uint32_t seed; /* for the last three */
};

struct power_disk;

struct power_disk *power_disk_after(const struct power_log *log, const struct power_cut *cut);
void power_disk_freep(struct power_disk **disk);

/* Equal disks have equal digests. */
uint64_t power_disk_digest(const struct power_disk *disk);

/* Write the disk to a path that does not exist. Failures end the promise. */
void power_disk_write(const struct power_disk *disk, const char *place);

/* A name that exists here but not on the disk without a cut, or the other way round; NULL: none.
 * The caller frees. */
char *power_disk_difference(const struct power_disk *disk);

/* Describe what was not durable and what is on the disk. */
void power_disk_print(const struct power_disk *disk);

/* A fate's name as part of the names of states, and back. POWER_FATES: no such fate. */
const char *power_fate_name(enum power_fate fate);
enum power_fate power_fate_named(const char *name);

/* Does another seed give another disk? */
bool power_fate_is_random(enum power_fate fate);

#endif
