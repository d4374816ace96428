/*
 * Makes or continues an archive as a test tells it on standard input, so that tests of the commands
 * need no server:  make_archive PATH < SCRIPT
 *
 * A line is a word and its arguments, parted by tabs:
 *
 *	folder  PATH UIDVALIDITY [SPECIAL-USE]        (also to go on with one that is there)
 *	message PATH UID FLAGS INTERNALDATE FILE
 *	flags   PATH UID FLAGS
 *	gone    PATH UID
 *	remove  PATH
 *	commit  complete|partial
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "archive/archive.h"
#include "base/alloc.h"
#include "base/fs.h"
#include "base/str.h"
#include "support/archive/archive_fixture.h"
#include "support/archive/refs.h"

enum { LINE_BYTES = 4096, WORDS = 6, FOLDERS = 64, MESSAGE_BYTES_MAX = 64 * 1024 * 1024 };

struct making {
	struct archive_writer *writer;
	struct {
		char *path;
		int64_t id;
		uint32_t uidvalidity;
	} folders[FOLDERS];
	size_t folders_count;
};

static uint32_t number_of(const char *text)
{
	uint64_t number = 0;

	if (!str_parse_u64(text, &number) || number > UINT32_MAX) {
		(void)fprintf(stderr, "make_archive: %s is no number\n", text);
		exit(1);
	}
	return (uint32_t)number;
}

static size_t folder_of(const struct making *making, const char *path)
{
	for (size_t i = 0; i < making->folders_count; i++)
		if (strcmp(making->folders[i].path, path) == 0)
			return i;
	(void)fprintf(stderr, "make_archive: no folder %s\n", path);
	exit(1);
}

static bool look_at_folder(void *context, const struct archive_folder *folder, struct err *err)
{
	struct archive_folder *wanted = context;

	(void)err;
	if (strcmp(folder->path, wanted->path) == 0)
		wanted->id = folder->id;
	return true;
}

static bool find_folder(struct making *making, struct archive_folder *folder, struct err *err)
{
	struct archive *view = archive_writer_view(making->writer);
	struct archive_snapshot now;

	return archive_resolve(view, (struct archive_when){.kind = ARCHIVE_LATEST}, &now, err) &&
	       archive_each_folder(view, now.generation, look_at_folder, folder, err);
}

static bool make_folder(struct making *making, char **words, struct err *err)
{
	struct archive_folder folder = {
		.path = words[1],
		.wire_name = words[1],
		.delimiter = '/',
		.attributes = words[3] ? words[3] : "\\HasNoChildren",
		.special_use = words[3],
		.subscribed = true,
		.selectable = true,
	};
	size_t at = making->folders_count++;

	if (at == FOLDERS)
		exit(1);
	making->folders[at].path = xstrdup(words[1]);
	making->folders[at].uidvalidity = number_of(words[2]);
	return find_folder(making, &folder, err) &&
	       archive_put_folder(making->writer, &folder, &making->folders[at].id, err) &&
	       archive_set_uidvalidity(making->writer, making->folders[at].id,
		       making->folders[at].uidvalidity, err);
}

static bool make_message(struct making *making, char **words, struct err *err)
{
	CLEANUP(buf_free) struct buf content = BUF_INIT(MESSAGE_BYTES_MAX);
	size_t at = folder_of(making, words[1]);
	struct archive_placement placement = {
		.folder_id = making->folders[at].id,
		.uidvalidity = making->folders[at].uidvalidity,
		.uid = number_of(words[2]),
		.flags = words[3],
	};

	placement.has_date = zoned_time_parse_imap(words[4], strlen(words[4]), &placement.date);
	if (!placement.has_date)
		placement.date_text = words[4];
	return fs_read(words[5], &content, err) &&
	       archive_message_begin(making->writer, placement.folder_id, content.len, err) &&
	       archive_message_data(making->writer, content.data, content.len, err) &&
	       archive_message_end(making->writer, &placement.ticket, err) &&
	       archive_place(making->writer, &placement, err);
}

static bool make_gone(struct making *making, char **words, struct err *err)
{
	CLEANUP(rangeset_free) struct rangeset uids = {0};
	size_t at = folder_of(making, words[1]);

	rangeset_add(&uids, number_of(words[2]), number_of(words[2]));
	return archive_set_gone(making->writer, making->folders[at].id,
		making->folders[at].uidvalidity, &uids, err);
}

static bool make_flags(struct making *making, char **words, struct err *err)
{
	size_t at = folder_of(making, words[1]);

	return archive_set_flags(making->writer, making->folders[at].id,
		making->folders[at].uidvalidity, number_of(words[2]), words[3], err);
}

static bool make_removed(struct making *making, char **words, struct err *err)
{
	size_t at = folder_of(making, words[1]);

	return archive_folder_gone(making->writer, making->folders[at].id, err);
}

static bool make_commit(struct making *making, char **words, struct err *err)
{
	int64_t generation;

	return archive_commit(making->writer, strcmp(words[1], "complete") == 0, &generation, err);
}

static bool obey(struct making *making, char *line, struct err *err)
{
	static const struct {
		const char *name;
		size_t words_min;
		bool (*make)(struct making *making, char **words, struct err *err);
	} orders[] = {{"folder", 3, make_folder}, {"message", 6, make_message},
		{"flags", 4, make_flags}, {"gone", 3, make_gone}, {"remove", 2, make_removed},
		{"commit", 2, make_commit}};
	char *words[WORDS + 1] = {0};
	size_t count = 0;

	line[strcspn(line, "\n")] = '\0';
	for (char *word; count < WORDS && (word = strsep(&line, "\t"));)
		words[count++] = word;
	for (size_t i = 0; i < ARRAY_LEN(orders); i++)
		if (strcmp(orders[i].name, words[0]) == 0 && count >= orders[i].words_min)
			return orders[i].make(making, words, err);
	return err_set(err, ERR_USAGE, "not understood: %s", words[0]);
}

int main(int argc, char **argv)
{
	struct making making = {0};
	struct err err = ERR_INIT;
	char line[LINE_BYTES];
	bool good = argc == 2;

	if (good && !archive_exists(argv[1]))
		good = fixture_create(argv[1], &err);
	good = good && fixture_unlock(argv[1], &err) &&
	       archive_writer_open(ref_of(argv[1]), 1000, &making.writer, &err);
	while (good && fgets(line, sizeof(line), stdin))
		good = obey(&making, line, &err);
	archive_writer_freep(&making.writer);
	for (size_t i = 0; i < making.folders_count; i++)
		free(making.folders[i].path);
	if (!good)
		(void)fprintf(stderr, "make_archive: %s\n", err.text);
	return good ? 0 : 1;
}
