#include "support/crash/power_disk.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/crypto.h"
#include "base/str.h"
#include "support/check.h"

enum { SECTOR_BYTES = 512, FOLDER_MODE = 0700 };

static const char *const fate_names[] = {
	[POWER_LOST] = "lost",
	[POWER_KEPT] = "kept",
	[POWER_NAMES] = "names",
	[POWER_BYTES] = "bytes",
	[POWER_SOME] = "some",
	[POWER_TORN] = "torn",
	[POWER_ZEROS] = "zeros",
};

struct image {
	uint8_t *data;
	size_t len, cap;
	mode_t mode;
	bool changed;
};

struct power_disk {
	const struct power_log *log;
	struct power_cut cut;
	long first_lost;      /* number of the first event that is not durable */
	struct image *images; /* by number of the file */
	struct power_names names;
};

const char *power_fate_name(enum power_fate fate)
{
	return fate_names[fate];
}

enum power_fate power_fate_named(const char *name)
{
	enum power_fate fate = POWER_LOST;

	while (fate < POWER_FATES && strcmp(fate_names[fate], name) != 0)
		fate++;
	return fate;
}

bool power_fate_is_random(enum power_fate fate)
{
	return fate == POWER_SOME || fate == POWER_TORN || fate == POWER_ZEROS;
}

/* --- chance --- */

static uint64_t mix(uint64_t a, uint64_t b)
{
	uint64_t x = a * 0x9e3779b97f4a7c15U + b;

	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9U;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebU;
	return x ^ (x >> 31);
}

static bool coin(const struct power_disk *disk, uint64_t about)
{
	return mix(mix(disk->cut.seed, (uint64_t)disk->cut.at), about) & 1;
}

/* --- bytes --- */

static void resize(struct image *image, size_t len)
{
	if (len > image->cap) {
		image->cap = len * 2;
		image->data = xrealloc(image->data, image->cap);
	}
	if (len > image->len)
		memset(image->data + image->len, 0, len - image->len);
	image->len = len;
	image->changed = true;
}

static void put(struct image *image, const uint8_t *data, size_t len, size_t offset)
{
	if (offset + len > image->len)
		resize(image, offset + len);
	memcpy(image->data + offset, data, len);
	image->changed = true;
}

/* A sector reaches the disk as it was at some moment since the first unsynced change: it holds the
 * changes before that moment and none of the later ones. */
static bool sector_has(const struct power_disk *disk, long file, size_t sector, long number)
{
	uint64_t chance = mix(
		mix(disk->cut.seed, (uint64_t)disk->cut.at), mix((uint64_t)file, (uint64_t)sector));

	return number <
	       disk->first_lost + (long)(chance % (uint64_t)(disk->cut.at - disk->first_lost + 1));
}

static void tear(struct power_disk *disk, const struct power_event *event, long number)
{
	struct image *image = &disk->images[event->file];
	size_t at = (size_t)event->offset;
	size_t end = at + event->len;

	if (coin(disk, (uint64_t)event->file) && end > image->len)
		resize(image, end);
	while (at < end) {
		size_t next = (at / SECTOR_BYTES + 1) * SECTOR_BYTES;
		size_t len = (next < end ? next : end) - at;

		if (sector_has(disk, event->file, at / SECTOR_BYTES, number))
			put(image, event->data + (at - (size_t)event->offset), len, at);
		at += len;
	}
}

static void change_file(struct power_disk *disk, const struct power_event *event)
{
	struct image *image = &disk->images[event->file];

	switch ((int)event->kind) {
	case DISK_WRITE:
		put(image, event->data, event->len, (size_t)event->offset);
		break;
	case DISK_TRUNCATE:
		resize(image, (size_t)event->offset);
		break;
	case DISK_CHMOD:
		image->mode = event->mode;
		break;
	}
}

/* Another file may have the name by now. */
static void drop_name(struct power_disk *disk, const struct power_event *event)
{
	long at = power_names_find(&disk->names, event->path);

	if (at >= 0 && disk->names.items[at].file == event->file)
		power_names_remove(&disk->names, event->path);
}

static void change_names(struct power_disk *disk, const struct power_event *event)
{
	if (event->kind == DISK_MKDIR)
		power_names_set(&disk->names, event->path, POWER_FOLDER);
	if (event->kind == DISK_CREATE)
		power_names_set(&disk->names, event->path, event->file);
	if (event->kind == DISK_RENAME)
		power_names_set(&disk->names, event->to, event->file);
	if (event->kind == DISK_RENAME || event->kind == DISK_REMOVE)
		drop_name(disk, event);
}

/* --- fates --- */

static bool is_durable(const struct power_disk *disk, const struct power_event *event)
{
	return event->durable_at != POWER_NEVER && event->durable_at < disk->cut.at;
}

/* Everything is durable. */
static bool is_synced(const struct power_disk *disk, long number)
{
	const struct power_event *event = &disk->log->events[number];

	return event->acknowledges || event->kind == DISK_SYNC || event->kind == DISK_SYNC_FOLDER ||
	       is_durable(disk, event);
}

static void fate_of_name(struct power_disk *disk, const struct power_event *event, long number)
{
	enum power_fate fate = disk->cut.fate;

	if (is_durable(disk, event) || fate == POWER_KEPT || fate == POWER_NAMES ||
		(power_fate_is_random(fate) && coin(disk, (uint64_t)number)))
		change_names(disk, event);
}

static void fate_of_bytes(struct power_disk *disk, const struct power_event *event, long number)
{
	enum power_fate fate = disk->cut.fate;
	size_t end = (size_t)event->offset + event->len;

	if (is_durable(disk, event) || fate == POWER_KEPT || fate == POWER_BYTES)
		change_file(disk, event);
	else if (fate == POWER_TORN && event->kind == DISK_WRITE)
		tear(disk, event, number);
	else if (power_fate_is_random(fate) && coin(disk, (uint64_t)number))
		change_file(disk, event);
	else if (fate == POWER_ZEROS && event->kind == DISK_WRITE &&
		 end > disk->images[event->file].len)
		resize(&disk->images[event->file], end);
}

static void decide(struct power_disk *disk, long number)
{
	const struct power_event *event = &disk->log->events[number];

	if (event->acknowledges)
		return;
	if (power_is_of_names(event->kind))
		fate_of_name(disk, event, number);
	else if (event->kind == DISK_WRITE || event->kind == DISK_TRUNCATE ||
		 event->kind == DISK_CHMOD)
		fate_of_bytes(disk, event, number);
}

struct power_disk *power_disk_after(const struct power_log *log, const struct power_cut *cut)
{
	struct power_disk *disk = xcalloc(1, sizeof(*disk));

	assert(cut->at <= (long)log->count);
	disk->log = log;
	disk->cut = *cut;
	disk->images = xcalloc(log->files_count + 1, sizeof(*disk->images));
	for (size_t i = 0; i < log->files_count; i++) {
		disk->images[i].mode = log->files[i].mode;
		if (log->files[i].len > 0)
			put(&disk->images[i], log->files[i].data, log->files[i].len, 0);
		disk->images[i].changed = false;
	}
	for (size_t i = 0; i < log->before.count; i++)
		power_names_set(&disk->names, log->before.items[i].path, log->before.items[i].file);
	while (disk->first_lost < cut->at && is_synced(disk, disk->first_lost))
		disk->first_lost++;
	for (long i = 0; i < cut->at; i++)
		decide(disk, i);
	return disk;
}

void power_disk_freep(struct power_disk **disk)
{
	struct power_disk *old = *disk;

	if (!old)
		return;
	for (size_t i = 0; i < old->log->files_count; i++)
		free(old->images[i].data);
	power_names_free(&old->names);
	free(old->images);
	free(old);
	*disk = NULL;
}

/* --- what it is --- */

static uint64_t digest_bytes(const void *data, size_t len)
{
	const uint8_t *at = data;
	uint64_t digest = len;

	for (; len >= sizeof(digest); at += sizeof(digest), len -= sizeof(digest)) {
		uint64_t word;

		memcpy(&word, at, sizeof(word));
		digest = (digest ^ word) * 0x9e3779b97f4a7c15U;
		digest ^= digest >> 32;
	}
	for (; len > 0; at++, len--)
		digest = mix(digest, *at);
	return mix(digest, 1);
}

/* Independent of the order of the names. */
uint64_t power_disk_digest(const struct power_disk *disk)
{
	uint64_t digest = 0;

	for (size_t i = 0; i < disk->names.count; i++) {
		const struct power_name *name = &disk->names.items[i];
		const struct image *image = name->file < 0 ? NULL : &disk->images[name->file];

		digest += mix(digest_bytes(name->path, strlen(name->path)),
			image ? digest_bytes(image->data, image->len) + image->mode : 1);
	}
	return digest;
}

/* A file that did not change keeps its time, by which a copy recognises it. */
static void write_file(const struct power_disk *disk, long number, const char *path)
{
	const struct image *image = &disk->images[number];
	const struct timespec changed = disk->log->files[number].changed;
	CLEANUP(closep) int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	if (fd < 0 && errno == ENOENT)
		return; /* its folder does not exist */
	CHECK(fd >= 0);
	CHECK_INT(write(fd, image->data, image->len), (ssize_t)image->len);
	CHECK(fchmod(fd, image->mode) == 0);
	if (!image->changed && changed.tv_sec != 0)
		CHECK(futimens(fd, (const struct timespec[]){changed, changed}) == 0);
}

static int by_path(const void *a, const void *b)
{
	return strcmp(((const struct power_name *)a)->path, ((const struct power_name *)b)->path);
}

void power_disk_write(const struct power_disk *disk, const char *place)
{
	if (disk->names.count > 0)
		qsort(disk->names.items, disk->names.count, sizeof(*disk->names.items), by_path);
	CHECK(mkdir(place, FOLDER_MODE) == 0);
	for (size_t i = 0; i < disk->names.count; i++) {
		const struct power_name *name = &disk->names.items[i];
		CLEANUP(freep) char *path = str_printf("%s%s", place, name->path);

		if (name->file == POWER_FOLDER)
			CHECK(mkdir(path, FOLDER_MODE) == 0 || errno == ENOENT);
		else
			write_file(disk, name->file, path);
	}
}

static const char *lacking(const struct power_names *names, const struct power_names *others)
{
	for (size_t i = 0; i < names->count; i++) {
		long at = power_names_find(others, names->items[i].path);

		if (at < 0 || others->items[at].file != names->items[i].file)
			return names->items[i].path;
	}
	return NULL;
}

char *power_disk_difference(const struct power_disk *disk)
{
	const char *lost = lacking(&disk->log->now, &disk->names);
	const char *back = lacking(&disk->names, &disk->log->now);

	if (!lost && !back)
		return NULL;
	return str_printf("%s %s", lost ? lost : back, lost ? "is not on the disk" : "is back");
}

static void print_event(const struct power_event *event, long number)
{
	static const char *const kinds[] = {
		[DISK_MKDIR] = "mkdir",
		[DISK_CREATE] = "create",
		[DISK_WRITE] = "write",
		[DISK_TRUNCATE] = "truncate",
		[DISK_CHMOD] = "chmod",
		[DISK_SYNC] = "sync",
		[DISK_SYNC_FOLDER] = "sync folder",
		[DISK_RENAME] = "rename",
		[DISK_REMOVE] = "remove",
	};

	(void)printf("# %ld: ", number);
	if (event->acknowledges)
		(void)printf("acknowledged");
	else
		(void)printf("%s %s", kinds[event->kind], event->path);
	if (event->to)
		(void)printf(" to %s", event->to);
	if (event->kind == DISK_WRITE && !event->acknowledges)
		(void)printf(", %zu bytes at %lld", event->len, (long long)event->offset);
	(void)printf("\n");
}

void power_disk_print(const struct power_disk *disk)
{
	enum { BEFORE_MAX = 12 };
	long first = disk->cut.at > BEFORE_MAX ? disk->cut.at - BEFORE_MAX : 0;

	for (long i = 0; i < disk->cut.at; i++)
		if (i >= first || !is_synced(disk, i))
			print_event(&disk->log->events[i], i);
	(void)printf("# here the power is cut\n");
	for (size_t i = 0; i < disk->names.count; i++) {
		const struct power_name *name = &disk->names.items[i];

		if (name->file == POWER_FOLDER)
			(void)printf("#   %s/\n", name->path);
		else
			(void)printf("#   %s, %zu bytes, %016llx\n", name->path,
				disk->images[name->file].len,
				(unsigned long long)digest_bytes(disk->images[name->file].data,
					disk->images[name->file].len));
	}
}
