#include "power_copies.h"

#include <string.h>

#include "archive/adopt.h"
#include "archive/copy.h"
#include "base/alloc.h"
#include "base/fs.h"
#include "base/str.h"
#include "support/archive/archive_fixture.h"
#include "support/archive/files.h"
#include "support/archive/inside.h"
#include "support/archive/refs.h"
#include "support/check.h"
#include "support/crash/power_archive.h"

enum { WAIT_MS = 1000 };

static char *archive_in(const char *place)
{
	return str_printf("%s/archive", place);
}

static char *copy_in(const char *place)
{
	return str_printf("%s/copy", place);
}

/* The catalogue is written last; before that the files are not a copy yet. The archive must not
 * change. */
char *power_tell_copy(const char *place)
{
	CLEANUP(freep) char *path = archive_in(place);
	CLEANUP(freep) char *copy = copy_in(place);
	CLEANUP(freep) char *catalogue = str_printf("%s/catalogue.db", copy);
	CLEANUP(freep) char *here = power_tell(path, true);
	CLEANUP(freep) char *there = fs_exists(catalogue) ? power_tell(copy, false) : xstrdup("");

	return str_printf("archive:\n%scopy:\n%s", here, there);
}

static bool no_finding(void *context, const struct archive_finding *finding, struct err *err)
{
	(void)context;
	return err_set(err, ERR_CORRUPT, "%s: %s", finding->where, finding->what);
}

static char *tell_adopted(const char *copy, const char *adopted)
{
	struct archive_adopted made;
	struct err err = ERR_INIT;

	CHECK_OK(fixture_unlock(copy, &err));
	CHECK_OK(archive_adopt(ref_of(copy), adopted, no_finding, NULL, WAIT_MS, &made, &err));
	return power_tell(adopted, false);
}

/* Adopted or written to, it also shows the old state or the new one. */
static void check_taken(const char *place, const char *copy)
{
	CLEANUP(freep) char *path = archive_in(place);
	CLEANUP(freep) char *catalogue = str_printf("%s/catalogue.db", copy);
	CLEANUP(freep) char *taken = str_printf("%s/taken", place);
	CLEANUP(freep) char *new = power_tell(path, true);
	CLEANUP(freep) char *old = fs_exists(catalogue) ? power_tell(copy, false) : xstrdup(new);
	CLEANUP(freep) char *adopted = tell_adopted(copy, taken);
	CLEANUP(freep) char *written = NULL;

	CHECK(strcmp(adopted, old) == 0 || strcmp(adopted, new) == 0);
	files_remove(taken);
	files_copy(copy, taken);
	written = power_tell(taken, true);
	CHECK_STR(written, adopted);
	files_remove(taken);
}

void power_check_copy(const char *place)
{
	CLEANUP(freep) char *path = archive_in(place);
	CLEANUP(freep) char *copy = copy_in(place);

	if (archive_exists(path))
		fixture_check(path);
	if (!archive_exists(copy))
		return;
	if (!inside_is_staged(copy))
		fixture_check(copy);
	check_taken(place, copy);
}

bool power_copy(const char *place, struct err *err)
{
	CLEANUP(freep) char *path = archive_in(place);
	CLEANUP(freep) char *copy = copy_in(place);
	struct archive_copied copied;

	return fixture_unlock(path, err) && archive_copy(ref_of(path), copy, WAIT_MS, &copied, err);
}
