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
enum { PERCENT = 100, LOST_SHOWN_MAX = 20 };

struct line {
	unsigned percent;
	const char *head;
};

static bool set_percent(struct line *line, const char *value, struct err *err)
{
	char *end;
	unsigned long percent;

	if (!value) {
		line->percent = PERCENT;
		return true;
	}
	percent = strtoul(value, &end, 10);
	if (*value < '0' || *value > '9' || percent < 1 || percent > PERCENT ||
		(*end && strcmp(end, "%") != 0))
		return err_set(err, ERR_USAGE, "--read-data: a percentage from 1 to 100");
	line->percent = (unsigned)percent;
	return true;
}

static bool set(void *context, int id, const char *value, struct err *err)
{
	struct line *line = context;

	if (id == READ_DATA)
		return set_percent(line, value, err);
	if (strlen(value) != SHA256_HEX_MAX - 1 ||
		strspn(value, "0123456789abcdefABCDEF") != SHA256_HEX_MAX - 1)
		return err_set(err, ERR_USAGE, "--expect-head: a SHA-256 of 64 hex digits");
	line->head = value;
	return true;
}

static bool tell_json(void *context, const struct archive_finding *finding, struct err *err)
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
	return !ferror(stdout) || app_flush(err);
}

static bool tell(void *context, const struct archive_finding *finding, struct err *err)
{
	(void)context;
	(void)printf("%s: %s\n", finding->where, finding->what);
	for (size_t i = 0; i < finding->lost_count && i < LOST_SHOWN_MAX; i++)
		(void)printf(
			"  lost: %s %" PRIu32 "\n", finding->lost[i].folder, finding->lost[i].uid);
	if (finding->lost_count > LOST_SHOWN_MAX)
		(void)printf("  lost: and %zu more; --json lists all\n",
			finding->lost_count - LOST_SHOWN_MAX);
	return !ferror(stdout) || app_flush(err);
}

static void summarise(const struct app *app, const struct archive_checked *checked)
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

static bool run(struct app *app, int argc, char **argv, struct err *err)
{
	static const struct option_spec specs[] = {
		{"read-data", OPTION_MAYBE, READ_DATA}, {"expect-head", OPTION_VALUE, EXPECT_HEAD}};
	struct line line = {0};
	const struct options options = {specs, ARRAY_LEN(specs), set, &line, 1, 1};
	CLEANUP(account_ref_free) struct account_ref place = {0};
	struct arguments arguments;
	struct archive_check check = {.context = app};
	struct archive_checked checked;

	if (!options_parse(app, argc, argv, &options, &arguments, err) ||
		!account_ref_find(app, arguments.items[0], &place, err))
		return false;
	if (place.when_given)
		return err_set(err, ERR_USAGE, "check: the whole archive, without @WHEN");
	check.finding = app->json ? tell_json : tell;
	check.read_percent = line.percent;
	check.expect_head = line.head;
	/* another part every day, all of them in turn */
	check.rotation = (unsigned)((uint64_t)clock_wall_ms() / (24U * 60 * 60 * 1000) % PERCENT *
				    line.percent % PERCENT);
	if (!app_unlock(&place, err))
		return false;
	app_catch_up(&place);
	if (!archive_check(place.archive_path, &check, ARCHIVE_LOCK_TIMEOUT_MS, &checked, err))
		return false;
	summarise(app, &checked);
	if (checked.errors == 1 && line.head && !str_equal_case(line.head, checked.head))
		return err_set(err, ERR_CORRUPT,
			"%s: sound, but not in the state that was expected", place.name);
	if (checked.errors > 0 && checked.errors == checked.newer)
		return err_set(err, ERR_NEWER, "%s: is of a newer mailstow, which can check it",
			place.name);
	return checked.errors == 0 ||
	       err_set(err, ERR_CORRUPT, "%s: the archive is damaged", place.name);
}

const struct command cmd_check = {
	.name = "check",
	.group = COMMAND_SETUP,
	.summary = "look whether an archive is whole and sound",
	.usage = "ACCOUNT [--read-data[=PERCENT]] [--expect-head HASH]",
	.help = "Volumes, frames, the chain of the journal, and the catalogue against the\n"
		"volumes. What is damaged is named with the messages that are lost for it;\n"
		"everything else stays readable. Nothing is changed.\n"
		"\n"
		"  --read-data[=PERCENT]  also put messages together and compare their\n"
		"                         SHA-256; with PERCENT a part of them, every day\n"
		"                         another\n"
		"  --expect-head HASH     the head an earlier check or status told\n",
	.run = run,
};
