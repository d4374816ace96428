#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/str.h"
#include "restore/app.h"

enum { OPTION_UIDVALIDITY = 256 };

struct wanted {
	const char *folder;
	uint32_t uid;
	uint32_t uidvalidity; /* 0: the newest there is */
	bool found;
	uint32_t found_uidvalidity;
	int64_t message_id;
};

static bool look(void *context, const struct archive_entry *entry, struct err *err)
{
	struct wanted *wanted = context;

	(void)err;
	if (entry->uid != wanted->uid || strcmp(entry->folder_path, wanted->folder) != 0)
		return true;
	if (wanted->uidvalidity && entry->uidvalidity != wanted->uidvalidity)
		return true;
	if (wanted->found && entry->uidvalidity < wanted->found_uidvalidity)
		return true;
	wanted->found = true;
	wanted->found_uidvalidity = entry->uidvalidity;
	wanted->message_id = entry->message_id;
	return true;
}

static bool write_piece(void *context, const uint8_t *data, size_t len, struct err *err)
{
	(void)context;
	while (len > 0) {
		ssize_t done = write(STDOUT_FILENO, data, len);

		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0)
			return err_errno(err, ERR_LOCAL, errno, "standard output");
		data += done;
		len -= (size_t)done;
	}
	return true;
}

static bool find(const struct moment *moment, struct wanted *wanted, struct err *err)
{
	/* what is present wins over what is gone */
	for (int deleted = 0; deleted <= 1 && !wanted->found; deleted++) {
		struct archive_list list = {
			.generation = moment->at.generation, .deleted = deleted == 1};

		if (!archive_each_entry(moment->archive, &list, look, wanted, err))
			return false;
	}
	if (!wanted->found)
		return err_set(err, ERR_NOT_FOUND, "no message %u in folder %s",
			(unsigned)wanted->uid, wanted->folder);
	return true;
}

int cmd_cat(struct app *app, int argc, char **argv)
{
	static const struct option options[] = {
		{"uidvalidity", required_argument, NULL, OPTION_UIDVALIDITY}, {0}};
	CLEANUP(moment_free) struct moment moment = {0};
	struct wanted wanted = {0};
	struct err err = ERR_INIT;
	uint64_t number;
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option != OPTION_UIDVALIDITY || !str_parse_u64(optarg, &number) ||
			number > UINT32_MAX)
			return app_usage("cat", "--uidvalidity takes a number");
		wanted.uidvalidity = (uint32_t)number;
	}
	if (argc - optind != 3)
		return app_usage("cat", "cat takes ACCOUNT[@WHEN] FOLDER UID");
	if (!str_parse_u64(argv[optind + 2], &number) || number < 1 || number > UINT32_MAX)
		return app_usage("cat", "%s: UID is a number from 1", argv[optind + 2]);
	wanted.folder = argv[optind + 1];
	wanted.uid = (uint32_t)number;
	if (!app_open(app, argv[optind], &moment, &err) || !find(&moment, &wanted, &err) ||
		!archive_read_message(moment.archive, wanted.message_id, write_piece, NULL, &err))
		return app_fail(&err);
	return 0;
}
