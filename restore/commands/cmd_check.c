/* `mailstow check`: whether an archive is intact, and which messages damage costs. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "archive/check.h"
#include "base/str.h"
#include "restore/app_archive.h"
#include "restore/app_secrets.h"
#include "restore/commands/commands.h"
#include "restore/options.h"
#include "restore/ui/json.h"

enum { READ_DATA, EXPECT_HEAD };
enum { PERCENT = 100, LOST_LINES_MAX = 20 };

struct check_options {
	unsigned percent;
	const char *head;
};

static bool set_read_percent(struct check_options *wanted, const char *value, struct err *err)
{
	char *end;
	unsigned long percent;

	if (!value) {
		wanted->percent = PERCENT;
		return true;
	}
	percent = strtoul(value, &end, 10);
	if (*value < '0' || *value > '9' || percent < 1 || percent > PERCENT ||
		(*end && strcmp(end, "%") != 0))
		return err_set(err, ERR_USAGE, "--read-data: expected a percentage from 1 to 100");
	wanted->percent = (unsigned)percent;
	return true;
}

static bool set_check_option(void *context, int id, const char *value, struct err *err)
{
	struct check_options *wanted = context;

	if (id == READ_DATA)
		return set_read_percent(wanted, value, err);
	if (strlen(value) != SHA256_HEX_MAX - 1 ||
		strspn(value, "0123456789abcdefABCDEF") != SHA256_HEX_MAX - 1)
		return err_set(
			err, ERR_USAGE, "--expect-head: expected a SHA-256 of 64 hex digits");
	wanted->head = value;
	return true;
}

static bool print_finding_json(
	void *context, const struct archive_finding *finding, struct err *err)
{
	struct json *line = json_begin();

	(void)context;
	json_put_text(line, "where", finding->where);
	json_put_text(line, "what", finding->what);
	json_put_list(line, "lost");
	for (size_t i = 0; i < finding->lost_count; i++) {
		struct json *lost = json_begin();

		json_put_text(lost, "folder", finding->lost[i].folder);
		json_put_int(lost, "uid", finding->lost[i].uid);
		json_list_add(line, "lost", lost);
	}
	json_print(line);
	return app_can_print(err);
}

static bool print_finding(void *context, const struct archive_finding *finding, struct err *err)
{
	(void)context;
	(void)printf("%s: %s\n", finding->where, finding->what);
	for (size_t i = 0; i < finding->lost_count && i < LOST_LINES_MAX; i++)
		(void)printf(
			"  lost: %s %" PRIu32 "\n", finding->lost[i].folder, finding->lost[i].uid);
	if (finding->lost_count > LOST_LINES_MAX)
		(void)printf("  lost: and %zu more; --json lists all\n",
			finding->lost_count - LOST_LINES_MAX);
	return app_can_print(err);
}

static void print_check_summary(const struct app *app, const struct archive_checked *checked)
{
	char volumes[STR_COUNT_MAX], frames[STR_COUNT_MAX], messages[STR_COUNT_MAX];
	char errors[STR_COUNT_MAX];
	struct json *line;

	if (!app->json) {
		str_format_count(checked->volumes, "volume", volumes);
		str_format_count(checked->frames, "frame", frames);
		str_format_count(checked->messages, "message", messages);
		str_format_count(checked->errors, "error", errors);
		(void)printf("%s, %s, %s read, %s\nhead %s\n", volumes, frames, messages, errors,
			checked->head);
		return;
	}
	line = json_begin();
	json_put_bool(line, "summary", true);
	json_put_count(line, "volumes", checked->volumes);
	json_put_count(line, "frames", checked->frames);
	json_put_count(line, "messages", checked->messages);
	json_put_count(line, "errors", checked->errors);
	json_put_text(line, "head", checked->head);
	json_print(line);
}

static bool run_check(struct app *app, int argc, char **argv, struct err *err)
{
	static const struct option_spec specs[] = {
		{"read-data", OPTION_MAYBE, READ_DATA}, {"expect-head", OPTION_VALUE, EXPECT_HEAD}};
	struct check_options wanted = {0};
	const struct options options = {specs, ARRAY_LEN(specs), set_check_option, &wanted, 1, 1};
	CLEANUP(account_ref_free) struct account_ref place = {0};
	struct arguments arguments;
	struct archive_check check = {.context = app};
	struct archive_checked checked;

	if (!options_parse(app, argc, argv, &options, &arguments, err) ||
		!account_ref_find_whole(app, arguments.items[0], &place, err))
		return false;
	check.finding = app->json ? print_finding_json : print_finding;
	check.read_percent = wanted.percent;
	check.expect_head = wanted.head;
	/* a different part each day, so that all of it is read in turn */
	check.rotation = (unsigned)((uint64_t)clock_wall_ms() / (24U * 60 * 60 * 1000) % PERCENT *
				    wanted.percent % PERCENT);
	if (!app_unlock(&place, err))
		return false;
	app_catch_up(&place);
	if (!archive_check(&place.archive, &check, ARCHIVE_LOCK_TIMEOUT_MS, &checked, err))
		return false;
	print_check_summary(app, &checked);
	if (checked.errors == 1 && wanted.head && !str_equal_case(wanted.head, checked.head))
		return err_set(err, ERR_CORRUPT, "%s: intact, but its head is not the expected one",
			place.name);
	if (checked.errors > 0 && checked.errors == checked.newer)
		return err_set(err, ERR_NEWER,
			"%s: written by a newer mailstow; check it with that version", place.name);
	return checked.errors == 0 ||
	       err_set(err, ERR_CORRUPT, "%s: the archive is damaged", place.name);
}

const struct command cmd_check = {
	.name = "check",
	.group = COMMAND_SETUP,
	.summary = "check that an archive is complete and intact",
	.usage = "ACCOUNT [--read-data[=PERCENT]] [--expect-head HASH]",
	.help = "Checks the volumes, their frames, the hash chain of the journal, and the\n"
		"catalogue against the volumes. Names whatever is damaged and the messages lost\n"
		"with it; everything else stays readable. Changes nothing.\n"
		"\n"
		"  --read-data[=PERCENT]  also read all messages and compare their SHA-256; with\n"
		"                         PERCENT only a part of them, a different one each day\n"
		"  --expect-head HASH     fail unless the archive's head is HASH, as an earlier\n"
		"                         check or status printed it\n",
	.run = run_check,
};
