#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "mirror/account_prune.h"
#include "restore/app_secrets.h"
#include "restore/commands/commands.h"
#include "restore/options.h"
#include "restore/ui/json.h"

enum option {
	KEEP_LAST,
	KEEP_HOURLY,
	KEEP_DAILY,
	KEEP_WEEKLY,
	KEEP_MONTHLY,
	KEEP_YEARLY,
	KEEP_WITHIN,
	KEEP_DELETED,
	DRY_RUN
};

enum { KEEP_TEXT_MAX = 512 };

static const struct option_spec specs[] = {
	{"keep-last", OPTION_VALUE, KEEP_LAST},
	{"keep-hourly", OPTION_VALUE, KEEP_HOURLY},
	{"keep-daily", OPTION_VALUE, KEEP_DAILY},
	{"keep-weekly", OPTION_VALUE, KEEP_WEEKLY},
	{"keep-monthly", OPTION_VALUE, KEEP_MONTHLY},
	{"keep-yearly", OPTION_VALUE, KEEP_YEARLY},
	{"keep-within", OPTION_VALUE, KEEP_WITHIN},
	{"keep-deleted", OPTION_VALUE, KEEP_DELETED},
	{"dry-run", OPTION_PLAIN, DRY_RUN},
};

struct line {
	struct buf
		keep; /* words as the configuration has them; empty: those of the configuration */
	bool has_keep_deleted;
	int64_t keep_deleted_ms;
	bool dry_run;
};

static bool set_keep_deleted(struct line *line, const char *value, struct err *err)
{
	line->has_keep_deleted = true;
	line->keep_deleted_ms = -1;
	return strcmp(value, "forever") == 0 ||
	       config_parse_duration(value, &line->keep_deleted_ms) ||
	       err_set(err, ERR_USAGE, "--keep-deleted: forever, or a duration like 90d");
}

/* --keep-daily 7 is the word daily=7. */
static bool set_keep(struct line *line, enum option option, const char *value, struct err *err)
{
	const char *word = specs[option].name + strlen("keep-");
	struct config_keep keep;

	if (buf_printf(&line->keep, "%s%s=%s", line->keep.len ? " " : "", word, value) &&
		config_parse_keep(buf_str(&line->keep), &keep))
		return true;
	return err_set(err, ERR_USAGE, "--%s: %s, once", specs[option].name,
		option == KEEP_WITHIN ? "a duration like 7d" : "a number from 1 on");
}

static bool set(void *context, int id, const char *value, struct err *err)
{
	struct line *line = context;

	switch ((enum option)id) {
	case KEEP_DELETED:
		return set_keep_deleted(line, value, err);
	case DRY_RUN:
		line->dry_run = true;
		return true;
	default:
		return set_keep(line, (enum option)id, value, err);
	}
}

/* What the command line does not say the configuration does; for a bare path nothing goes. */
static bool choose_rules(const struct line *line, const struct account_ref *place,
	struct archive_prune *ret_prune, struct err *err)
{
	const char *words = line->keep.len ? buf_str(&line->keep) : "all";
	int64_t keep_deleted_ms = line->has_keep_deleted ? line->keep_deleted_ms : -1;
	struct config_keep keep;

	if (line->keep.len == 0 && place->account)
		words = place->account->keep;
	if (!line->has_keep_deleted && place->account)
		keep_deleted_ms = place->account->keep_deleted_ms;
	if (!config_parse_keep(words, &keep))
		return err_set(err, ERR_CONFIG, "keep: '%s'", words);
	*ret_prune = mirror_prune_rules(&keep, keep_deleted_ms);
	return true;
}

static void tell_json(const struct archive_pruned *pruned, bool dry_run)
{
	struct json *line = json_begin();

	json_put_bool(line, "summary", true);
	json_put_bool(line, "dry_run", dry_run);
	json_put_count(line, "kept", pruned->kept);
	json_put_count(line, "removed", pruned->snapshots);
	json_put_count(line, "messages_lost", pruned->messages);
	json_put_count(line, "bytes_lost", pruned->message_bytes);
	json_put_count(line, "volumes", pruned->volumes);
	json_put_count(line, "bytes_freed", pruned->bytes);
	json_print(line);
}

static void tell(FILE *out, const struct archive_pruned *pruned, bool dry_run)
{
	char snapshots[STR_COUNT_MAX], messages[STR_COUNT_MAX];
	char lost[STR_SIZE_MAX], freed[STR_SIZE_MAX];

	str_format_size(pruned->message_bytes, lost);
	str_format_size(pruned->bytes, freed);
	str_format_count(pruned->snapshots, "snapshot", snapshots);
	str_format_count(pruned->messages, "message", messages);
	(void)fprintf(out, "%s: %s; %" PRIu64 " kept.\n", dry_run ? "Would go" : "Gone", snapshots,
		pruned->kept);
	(void)fprintf(
		out, "%s for good: %s (%s).\n", dry_run ? "Would be lost" : "Lost", messages, lost);
	(void)fprintf(out, "%s: %s.\n", dry_run ? "Would be freed, about" : "Freed", freed);
}

static bool ask(const struct app *app, const char *path, struct archive_prune prune, bool *ret_go,
	struct err *err)
{
	struct archive_pruned pruned;

	*ret_go = true;
	if (!app_asks(app))
		return true;
	prune.dry_run = true;
	if (!archive_prune(path, &prune, ARCHIVE_LOCK_TIMEOUT_MS, &pruned, err))
		return false;
	tell(stderr, &pruned, true);
	*ret_go = (pruned.snapshots == 0 && pruned.messages == 0) ||
		  app_consents(app, "Prune the archive?");
	return true;
}

static bool prune_place(const struct app *app, const struct line *line,
	const struct account_ref *place, struct err *err)
{
	struct archive_prune prune;
	struct archive_pruned pruned;
	bool go = true;

	if (!choose_rules(line, place, &prune, err) || !app_unlock(place, err))
		return false;
	prune.dry_run = line->dry_run;
	if (!prune.dry_run && !ask(app, place->archive_path, prune, &go, err))
		return false;
	if (!go)
		return true;
	if (!archive_prune(place->archive_path, &prune, ARCHIVE_LOCK_TIMEOUT_MS, &pruned, err))
		return false;
	if (app->json)
		tell_json(&pruned, prune.dry_run);
	else
		tell(stdout, &pruned, prune.dry_run);
	return true;
}

static bool run(struct app *app, int argc, char **argv, struct err *err)
{
	struct line line = {.keep = BUF_INIT(KEEP_TEXT_MAX)};
	const struct options options = {specs, ARRAY_LEN(specs), set, &line, 1, 1};
	CLEANUP(account_ref_free) struct account_ref place = {0};
	struct arguments arguments;
	bool done = options_parse(app, argc, argv, &options, &arguments, err) &&
		    account_ref_find(app, arguments.items[0], &place, err);

	if (done && place.when_given)
		done = err_set(err, ERR_USAGE, "prune: the whole archive, without @WHEN");
	done = done && prune_place(app, &line, &place, err);
	buf_free(&line.keep);
	return done;
}

const struct command cmd_prune = {
	.name = "prune",
	.group = COMMAND_SETUP,
	.summary = "drop old snapshots and give back the space they took",
	.usage = "ACCOUNT [--keep-last N] [--keep-hourly N] [--keep-daily N] "
		 "[--keep-weekly N] [--keep-monthly N] [--keep-yearly N] "
		 "[--keep-within DURATION] [--keep-deleted forever|DURATION] [--dry-run]",
	.help = "What no rule keeps goes; without --keep-... the rules of the configuration hold.\n"
		"What is pinned, the newest state and the newest complete snapshot always stay,\n"
		"and so does what is on the server now.\n"
		"\n"
		"  --keep-last N           the newest N snapshots\n"
		"  --keep-hourly N         the newest of each of the last N hours that have one;\n"
		"                          daily, weekly, monthly, yearly alike\n"
		"  --keep-within DURATION  all that are at most this much older than the newest\n"
		"  --keep-deleted forever|DURATION\n"
		"                          mail that is gone from the server stays this long,\n"
		"                          whatever becomes of its snapshots\n"
		"  --dry-run               say what would go; the space freed is an estimate\n"
		"\n"
		"Space comes back by whole files: one is emptied when less than 60 % of it is\n"
		"still wanted.\n",
	.run = run,
};
