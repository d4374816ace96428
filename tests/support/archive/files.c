#include "support/archive/files.h"

#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/crypto.h"
#include "base/fs.h"
#include "base/str.h"
#include "support/check.h"

enum { WALK_FDS = 16, FILE_BYTES_MAX = 64 * 1024 * 1024 };

/* nftw() passes no context */
static struct {
	const char *from, *to;
	char **lines;
	size_t count, cap;
} walk;

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *level)
{
	(void)st;
	(void)type;
	(void)level;
	return remove(path);
}

void files_remove(const char *path)
{
	CHECK(nftw(path, remove_one, WALK_FDS, FTW_DEPTH | FTW_PHYS) == 0 || errno == ENOENT);
}

static void copy_file(const char *from, const char *to, mode_t mode)
{
	CLEANUP(buf_free) struct buf bytes = BUF_INIT(FILE_BYTES_MAX);
	CLEANUP(closep) int fd = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
	struct err err = ERR_INIT;

	CHECK(fd >= 0);
	CHECK_OK(fs_read(from, &bytes, &err));
	CHECK_INT(write(fd, bytes.data, bytes.len), (ssize_t)bytes.len);
}

static int copy_one(const char *path, const struct stat *st, int type, struct FTW *level)
{
	CLEANUP(freep) char *to = str_printf("%s%s", walk.to, path + strlen(walk.from));

	(void)level;
	if (type == FTW_D)
		CHECK(mkdir(to, st->st_mode & 0777) == 0);
	else
		copy_file(path, to, st->st_mode & 0777);
	return 0;
}

void files_copy(const char *from, const char *to)
{
	walk.from = from;
	walk.to = to;
	CHECK(nftw(from, copy_one, WALK_FDS, FTW_PHYS) == 0);
}

static int digest_one(const char *path, const struct stat *st, int type, struct FTW *level)
{
	CLEANUP(buf_free) struct buf bytes = BUF_INIT(FILE_BYTES_MAX);
	struct err err = ERR_INIT;
	uint8_t digest[SHA256_BYTES];
	char hex[SHA256_HEX_MAX];

	(void)st;
	(void)level;
	if (type != FTW_F || fnmatch("*-shm", path, 0) == 0)
		return 0;
	CHECK_OK(fs_read(path, &bytes, &err));
	sha256_of(bytes.data, bytes.len, digest);
	sha256_hex(digest, hex);
	ARRAY_GROW(walk.lines, walk.count, walk.cap);
	walk.lines[walk.count++] = str_printf("%s %s\n", path, hex);
	return 0;
}

static int compare_lines(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

char *files_digests(const char *path)
{
	CLEANUP(buf_free) struct buf text = BUF_INIT(FILE_BYTES_MAX);

	walk.lines = NULL;
	walk.count = walk.cap = 0;
	CHECK(nftw(path, digest_one, WALK_FDS, FTW_PHYS) == 0);
	if (walk.count > 0)
		qsort(walk.lines, walk.count, sizeof(*walk.lines), compare_lines);
	for (size_t i = 0; i < walk.count; i++) {
		CHECK(buf_printf(&text, "%s", walk.lines[i]));
		free(walk.lines[i]);
	}
	free(walk.lines);
	return xstrdup(buf_str(&text));
}

static int has_word(const char *file, const char *word)
{
	CLEANUP(buf_free) struct buf bytes = BUF_INIT(FILE_BYTES_MAX);
	struct err err = ERR_INIT;

	CHECK_OK(fs_read(file, &bytes, &err));
	return bytes.len > 0 && memmem(bytes.data, bytes.len, word, strlen(word)) != NULL;
}

int files_with(const char *path, const char *const *words, size_t count)
{
	CLEANUP(freep) char *digests = files_digests(path);
	char *rest = digests;
	char *line;
	int found = 0;

	while ((line = strsep(&rest, "\n"))) {
		char *end = strrchr(line, ' ');

		if (!end)
			continue;
		*end = '\0';
		for (size_t i = 0; i < count; i++)
			found += has_word(line, words[i]);
	}
	return found;
}
