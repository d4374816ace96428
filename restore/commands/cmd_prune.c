/* `mailstow prune`: drops snapshots that no rule keeps, and frees their space. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "mirror/account_prune.h"
#include "restore/app_secrets.h"
#include "restore/commands/commands.h"
#include "restore/options.h"
#include "restore/ui/json.h"

enum prune_option {
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

struct prune_options {
	/* Keep rules as the configuration writes them; empty: the configured ones apply. */
	struct buf keep;
	bool has_keep_deleted;
	int64_t keep_deleted_ms;
	bool dry_run;
};

static bool set_keep_deleted(struct prune_options *wanted, const char *value, struct err *err)
{
	wanted->has_keep_deleted = true;
	wanted->keep_deleted_ms = -1;
	return strcmp(value, "forever") == 0 ||
	       config_parse_duration(value, &wanted->keep_deleted_ms) ||
	       err_set(err, ERR_USAGE,
		       "--keep-deleted: expected forever or a duration such as 90d");
}

/* --keep-daily 7 becomes the configuration's daily=7. */
static bool set_keep(
	struct prune_options *wanted, enum prune_option option, const char *value, struct err *err)
{
	const char *word = specs[option].name + strlen("keep-");
	struct config_keep keep;

	if (buf_printf(&wanted->keep, "%s%s=%s", wanted->keep.len ? " " : "", word, value) &&
		config_parse_keep(buf_str(&wanted->keep), &keep))
		return true;
	return err_set(err, ERR_USAGE, "--%s: expected %s, given once", specs[option].name,
		option == KEEP_WITHIN ? "a duration such as 7d" : "a number from 1");
}

static bool set_prune_option(void *context, int id, const char *value, struct err *err)
{
	struct prune_options *wanted = context;

	switch ((enum prune_option)id) {
	case KEEP_DELETED:
		return set_keep_deleted(wanted, value, err);
	case DRY_RUN:
		wanted->dry_run = true;
		return true;
	default:
		return set_keep(wanted, (enum prune_option)id, value, err);
	}
}

/* Options not given come from the configuration; an archive named by its path keeps everything. */
static bool choose_rules(const struct prune_options *wanted, const struct account_ref *place,
	struct archive_prune *ret_prune, struct err *err)
{
	const char *words = wanted->keep.len ? buf_str(&wanted->keep) : "all";
	int64_t keep_deleted_ms = wanted->has_keep_deleted ? wanted->keep_deleted_ms : -1;
	struct config_keep keep;

	if (wanted->keep.len == 0 && place->account)
		words = place->account->keep;
	if (!wanted->has_keep_deleted && place->account)
		keep_deleted_ms = place->account->keep_deleted_ms;
	if (!config_parse_keep(words, &keep))
		return err_set(err, ERR_CONFIG, "keep: '%s' is not a list of rules", words);
	*ret_prune = mirror_prune_rules(&keep, keep_deleted_ms);
	return true;
}

static void print_pruned_json(const struct archive_pruned *pruned, bool dry_run)
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

static void print_pruned(FILE *out, const struct archive_pruned *pruned, bool dry_run)
{
	char snapshots[STR_COUNT_MAX], messages[STR_COUNT_MAX];
	char lost[STR_SIZE_MAX], freed[STR_SIZE_MAX];

	str_format_size(pruned->message_bytes, lost);
	str_format_size(pruned->bytes, freed);
	str_format_count(pruned->snapshots, "snapshot", snapshots);
	str_format_count(pruned->messages, "message", messages);
	(void)fprintf(out, "%s %s, %s %" PRIu64 ".\n", dry_run ? "Would remove" : "Removed",
		snapshots, dry_run ? "keep" : "kept", pruned->kept);
	(void)fprintf(
		out, "%s %s (%s) for good.\n", dry_run ? "Would lose" : "Lost", messages, lost);
	(void)fprintf(out, "%s %s.\n", dry_run ? "Would free about" : "Freed", freed);
}

static bool confirm_prune(const struct app *app, const struct archive_ref *archive,
	struct archive_prune prune, bool *ret_go, struct err *err)
{
	struct archive_pruned pruned;

	*ret_go = true;
	if (!app_asks(app))
		return true;
	prune.dry_run = true;
	if (!archive_prune(archive, &prune, ARCHIVE_LOCK_TIMEOUT_MS, &pruned, err))
		return false;
	print_pruned(stderr, &pruned, true);
	*ret_go = (pruned.snapshots == 0 && pruned.messages == 0) ||
		  app_consents(app, "Prune the archive?");
	return true;
}

static bool prune_archive(const struct app *app, const struct prune_options *wanted,
	const struct account_ref *place, struct err *err)
{
	struct archive_prune prune;
	struct archive_pruned pruned;
	bool go = true;

	if (!choose_rules(wanted, place, &prune, err) || !app_unlock(place, err))
		return false;
	prune.dry_run = wanted->dry_run;
	if (!prune.dry_run && !confirm_prune(app, &place->archive, prune, &go, err))
		return false;
	if (!go)
		return true;
	if (!archive_prune(&place->archive, &prune, ARCHIVE_LOCK_TIMEOUT_MS, &pruned, err))
		return false;
	if (app->json)
		print_pruned_json(&pruned, prune.dry_run);
	else
		print_pruned(stdout, &pruned, prune.dry_run);
	return true;
}

static bool run_prune(struct app *app, int argc, char **argv, struct err *err)
{
	struct prune_options wanted = {.keep = BUF_INIT(KEEP_TEXT_MAX)};
	const struct options options = {specs, ARRAY_LEN(specs), set_prune_option, &wanted, 1, 1};
	CLEANUP(account_ref_free) struct account_ref place = {0};
	struct arguments arguments;
	bool done = options_parse(app, argc, argv, &options, &arguments, err) &&
		    account_ref_find_whole(app, arguments.items[0], &place, err) &&
		    prune_archive(app, &wanted, &place, err);
	buf_free(&wanted.keep);
	return done;
}

const struct command cmd_prune = {
	.name = "prune",
	.group = COMMAND_SETUP,
	.summary = "remove old snapshots and free their space",
	.usage = "ACCOUNT [--keep-last N] [--keep-hourly N] [--keep-daily N] "
		 "[--keep-weekly N] [--keep-monthly N] [--keep-yearly N] "
		 "[--keep-within DURATION] [--keep-deleted forever|DURATION] [--dry-run]",
	.help = "Removes the snapshots that no rule keeps. Without --keep-... options the rules\n"
		"of the configuration apply. Pinned snapshots, the newest state, the newest\n"
		"complete snapshot and all mail that is on the server now always stay.\n"
		"\n"
		"  --keep-last N           keep the newest N complete snapshots\n"
		"  --keep-hourly N         keep the newest snapshot of each of the last N hours\n"
		"                          that have one; likewise daily, weekly, monthly, yearly\n"
		"  --keep-within DURATION  keep all that are at most this much older than\n"
		"                          the newest\n"
		"  --keep-deleted forever|DURATION\n"
		"                          keep mail that is gone from the server this long,\n"
		"                          whatever happens to its snapshots\n"
		"  --dry-run               only show what would be removed; the space it\n"
		"                          would free is an estimate\n"
		"\n"
		"Space is freed in whole volume files: a file is rewritten without the removed\n"
		"mail once less than 60 % of it is still needed.\n",
	.run = run_prune,
};
