/*
 * What a power cut leaves on a disk. All that was synced before the cut is there. What was not has
 * a fate: bytes of files and names in folders are lost or kept apart from each other, as a file
 * system may (POSIX promises no more; fsync(2)).
 */
#ifndef MAILSTOW_TESTS_SUPPORT_CRASH_POWER_DISK_H
#define MAILSTOW_TESTS_SUPPORT_CRASH_POWER_DISK_H

#include "support/crash/power_log.h"

enum power_fate {
	POWER_LOST,  /* nothing of it is left */
	POWER_KEPT,  /* all of it is: killed, no more */
	POWER_NAMES, /* names are, bytes are not: new files are empty */
	POWER_BYTES, /* bytes are, names are not */
	POWER_SOME,  /* some changes are, whatever their order was */
	POWER_TORN,  /* sectors came to the disk in an order of their own, files may be long before
		      */
	POWER_ZEROS, /* of what is lost the files' new size is left, filled with zeros */
	POWER_FATES
};

struct power_cut {
	long at; /* how many events there were */
	enum power_fate fate;
	uint32_t seed; /* of the last three */
};

struct power_disk;

struct power_disk *power_disk_after(const struct power_log *log, const struct power_cut *cut);
void power_disk_freep(struct power_disk **disk);

/* Equal disks have equal digests. */
uint64_t power_disk_digest(const struct power_disk *disk);

/* Onto a place where nothing is. Failures end the promise. */
void power_disk_write(const struct power_disk *disk, const char *place);

/* A name that is here and not there without a cut, or the other way round; NULL: none. The caller
 * frees. */
char *power_disk_difference(const struct power_disk *disk);

/* What was not durable, and what is on the disk. */
void power_disk_print(const struct power_disk *disk);

/* Its name in the names of states; and back, POWER_FATES: there is none. */
const char *power_fate_name(enum power_fate fate);
enum power_fate power_fate_named(const char *name);

/* Has another seed another disk? */
bool power_fate_is_random(enum power_fate fate);

#endif
