#include "daemon/busy_folders.h"

#include "base/str.h"
#include "support/check.h"

static void the_fullest_come_first_until_something_changes(void)
{
	CLEANUP(busy_folders_free) struct busy_folders busy = {0};

	busy_folders_note(&busy, "Sent", 10, 0);
	busy_folders_note(&busy, "Archive", 90, 0);
	busy_folders_note(&busy, "Lists", 30, 0);
	CHECK_INT(busy_folders_rank(&busy, "Archive"), 0);
	CHECK_INT(busy_folders_rank(&busy, "Lists"), 1);
	CHECK_INT(busy_folders_rank(&busy, "Sent"), 2);
	CHECK_INT(busy_folders_rank(&busy, "elsewhere"), busy.count);
}

static void the_most_recently_changed_come_first(void)
{
	CLEANUP(busy_folders_free) struct busy_folders busy = {0};

	busy_folders_note(&busy, "Archive", 90, 0);
	busy_folders_note(&busy, "Sent", 10, 5);
	busy_folders_note(&busy, "Lists", 30, 7);
	busy_folders_note(&busy, "Lists", 30, 0); /* unchanged: the known time stays */
	CHECK_INT(busy_folders_rank(&busy, "Lists"), 0);
	CHECK_INT(busy_folders_rank(&busy, "Sent"), 1);
	busy_folders_note(&busy, "Sent", 11, 8);
	CHECK_INT(busy_folders_rank(&busy, "Sent"), 0);
	CHECK_INT(busy.count, 3);
}

static void inbox_is_never_among_them(void)
{
	CLEANUP(busy_folders_free) struct busy_folders busy = {0};

	busy_folders_note(&busy, "INBOX", 10, 5);
	busy_folders_note(&busy, "inbox", 10, 5);
	CHECK_INT(busy.count, 0);
}

static void only_the_busiest_are_remembered(void)
{
	CLEANUP(busy_folders_free) struct busy_folders busy = {0};

	for (uint32_t i = 0; i < 100; i++) {
		CLEANUP(freep) char *name = str_printf("folder %u", i * 37 % 100);

		busy_folders_note(&busy, name, i * 37 % 100, 0);
	}
	CHECK_INT(busy.count, BUSY_FOLDERS_MAX);
	CHECK_INT(busy_folders_rank(&busy, "folder 99"), 0);
	CHECK_INT(busy_folders_rank(&busy, "folder 81"), BUSY_FOLDERS_MAX - 1);
	busy_folders_note(&busy, "folder 3", 3, 1);
	CHECK_INT(busy_folders_rank(&busy, "folder 3"), 0);
	CHECK_INT(busy_folders_rank(&busy, "folder 81"), BUSY_FOLDERS_MAX);
}

int main(int argc, char **argv)
{
	static const struct promise promises[] = {
		PROMISE(the_fullest_come_first_until_something_changes),
		PROMISE(the_most_recently_changed_come_first),
		PROMISE(inbox_is_never_among_them),
		PROMISE(only_the_busiest_are_remembered),
	};
	return check_main(argc, argv, promises, ARRAY_LEN(promises));
}
