/*
 * Stops or fails the process at its n-th change of the disk.
 *
 * Changes are those support/crash/disk.h tells of, counted over all threads. A process that is
 *stopped loses nothing the kernel has; a power cut takes what was not synced
 *(support/crash/unsynced.h) since crash_vfs_arm().
 *
 *	crash_vfs_install();                 once, before any database is opened
 *	for (n = 1; ; n++)
 *		if (fork() == 0) { crash_vfs_arm(n, CRASH_EXIT); work(); _exit(0); }
 */
#ifndef MAILSTOW_TESTS_SUPPORT_CRASH_CRASH_VFS_H
#define MAILSTOW_TESTS_SUPPORT_CRASH_CRASH_VFS_H

#include "support/crash/disk.h"

enum crash_mode {
	CRASH_OFF,         /* only count */
	CRASH_EXIT,        /* _exit(CRASH_EXIT_CODE) in place of the n-th change */
	CRASH_TEAR,        /* the same, but half of a write is done */
	CRASH_POWER,       /* the same, and all unsynced changes are lost */
	CRASH_POWER_MIXED, /* the same, and every other unsynced write is lost */
	CRASH_FULL,        /* from the n-th change on every write fails with ENOSPC */
	CRASH_FAIL_ONCE,   /* the n-th change fails with an I/O error */
};

enum { CRASH_EXIT_CODE = DISK_EXIT_CODE };

void crash_vfs_install(void);

/* Counting restarts at 0; n counts from 1. */
void crash_vfs_arm(long n, enum crash_mode mode);

/* Changes since crash_vfs_arm(). */
long crash_vfs_count(void);

/* Armed with CRASH_POWER or CRASH_POWER_MIXED: cut the power now, at the end of the work, and
 * _exit(). */
void crash_vfs_cut_power(void);

#endif
