#include "archive/archive.h"

#include <stdlib.h>
#include <string.h>

#include "support/archive_fixture.h"
#include "support/check.h"

enum { VALIDITY = 77 };

#define WRITER CLEANUP(archive_writer_freep) struct archive_writer *
#define READER CLEANUP(archive_freep) struct archive *

static void messages_of_every_size_come_back_exactly(void)
{
	static const size_t sizes[] = {
		0, 1, 100, 65535, 65536, 65537, 1048576, 4194303, 4194304, 4194305, 20000000};
	CLEANUP(freep) char *path = fixture_archive("sizes");
	CLEANUP(buf_free) struct buf wanted = BUF_INIT(FIXTURE_MESSAGE_MAX);
	CLEANUP(buf_free) struct buf got = BUF_INIT(FIXTURE_MESSAGE_MAX);
	WRITER writer = fixture_writer(path);
	READER reader = NULL;
	int64_t folder = fixture_folder(writer, "INBOX", VALIDITY);
	int64_t generation;

	for (uint32_t i = 0; i < ARRAY_LEN(sizes); i++)
		fixture_add(writer, folder, VALIDITY, i + 1, i, sizes[i], "\\Seen");
	generation = fixture_commit(writer, true);
	CHECK_INT(generation, 1);
	reader = fixture_reader(path);
	for (uint32_t i = 0; i < ARRAY_LEN(sizes); i++) {
		fixture_message(&wanted, i, sizes[i]);
		fixture_read(reader, fixture_find(reader, 1, folder, VALIDITY, i + 1), &got);
		CHECK_INT(got.len, sizes[i]);
		CHECK(sizes[i] == 0 || memcmp(got.data, wanted.data, got.len) == 0);
	}
}

int main(int argc, char **argv)
{
	static const struct promise promises[] = {
		PROMISE(messages_of_every_size_come_back_exactly),
	};

	return check_main(argc, argv, promises, ARRAY_LEN(promises));
}
