/*
 * Replaces a fuzzing engine: feeds the target each named file, and each file in a named folder. No
 * file at all is a failure, so that a lost corpus does not pass.
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/str.h"

enum { FILE_BYTES_MAX = 64 * 1024 * 1024 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static bool replay_file(const char *path, size_t size)
{
	/* exactly the file's size, so that a sanitizer sees a read of one byte too many */
	CLEANUP(freep) uint8_t *data = size <= FILE_BYTES_MAX ? xmalloc(size) : NULL;
	FILE *file = data ? fopen(path, "rb") : NULL;
	bool whole;

	if (!file)
		return false;
	whole = fread(data, 1, size, file) == size;
	(void)fclose(file);
	if (whole)
		(void)LLVMFuzzerTestOneInput(data, size);
	return whole;
}

static bool replay_folder(const char *path, size_t *count);

/* Adds the number of files fed to the target to *count. */
static bool replay(const char *path, bool folders_too, size_t *count)
{
	struct stat st;

	if (stat(path, &st) != 0) {
		perror(path);
		return false;
	}
	if (S_ISDIR(st.st_mode))
		return !folders_too || replay_folder(path, count);
	if (!replay_file(path, (size_t)st.st_size)) {
		(void)fprintf(stderr, "%s: cannot be read\n", path);
		return false;
	}
	(*count)++;
	return true;
}

static bool replay_folder(const char *path, size_t *count)
{
	DIR *folder = opendir(path);
	bool good = folder != NULL;

	for (struct dirent *entry; good && (entry = readdir(folder));) {
		CLEANUP(freep) char *file = str_printf("%s/%s", path, entry->d_name);

		if (entry->d_name[0] != '.')
			good = replay(file, false, count);
	}
	if (folder)
		(void)closedir(folder);
	return good;
}

int main(int argc, char **argv)
{
	size_t count = 0;

	for (int i = 1; i < argc; i++)
		if (!replay(argv[i], true, &count))
			return EXIT_FAILURE;
	(void)printf("%zu files\n", count);
	return count > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
