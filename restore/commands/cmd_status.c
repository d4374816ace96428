/* `mailstow status`: what mailstowd noted about each account, and what its archive holds. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "archive/unlock.h"
#include "base/alloc.h"
#include "base/fs.h"
#include "base/str.h"
#include "base/wait.h"
#include "restore/app_archive.h"
#include "restore/app_secrets.h"
#include "restore/commands/commands.h"
#include "restore/options.h"
#include "restore/say.h"
#include "restore/ui/json.h"
#include "restore/ui/table.h"
#include "restore/ui/when.h"
#include "state/state.h"

enum status_option { OPTION_FOLLOW, OPTION_MAX_AGE };

enum { FOLLOW_STEP_MS = 1000, DETAIL_BYTES = 500 };

static const int64_t COPY_OLD_MS = 30LL * 24 * 60 * 60 * 1000;

static const struct table_column columns[] = {{"ACCOUNT", TEXT_LEFT, 12}, {"STATE"},
	{"LAST SUCCESS"}, {"MESSAGES", TEXT_RIGHT}, {"SIZE", TEXT_RIGHT}, {"ON DISK", TEXT_RIGHT},
	{"SKIPPED", TEXT_RIGHT}};

/* What status knows of one account. */
struct account_report {
	struct account_status status;
	struct archive_facts facts;
	uint64_t skipped;
	struct state_copy copy;
	bool broken; /* the archive cannot be read: status.detail says why */
};

struct status {
	bool follow;
	bool has_max_age;
	int64_t max_age_ms;
	char *state_dir;
	struct account_ref *places;
	size_t count;
	struct account_report *shown; /* what was printed last, one for each place */
	struct table table;
};

static void status_free(struct status *status)
{
	for (size_t i = 0; i < status->count; i++)
		account_ref_free(&status->places[i]);
	freep(&status->places);
	freep(&status->shown);
	freep(&status->state_dir);
}

static bool set_status_option(void *context, int id, const char *value, struct err *err)
{
	struct status *status = context;
	CLEANUP(freep) char *shown = NULL;

	if (id == OPTION_FOLLOW) {
		status->follow = true;
		return true;
	}
	status->has_max_age = true;
	if (config_parse_duration(value, &status->max_age_ms))
		return true;
	shown = str_printable(value, strlen(value), TABLE_NUMBER_MAX);
	return err_set(
		err, ERR_USAGE, "--max-age %s: expected a duration such as 30m, 2h or 1d", shown);
}

/* Stands in for a last success that is not noted (the state directory may be lost). */
static int64_t newest_complete_ms(struct archive *archive)
{
	const struct archive_when now = {.kind = ARCHIVE_TIME, .unix_ms = clock_wall_ms()};
	struct archive_snapshot snapshot;
	struct err err = ERR_INIT;

	return archive_resolve(archive, now, &snapshot, &err) ? snapshot.unix_ms : 0;
}

/* status asks nobody for a passphrase: without the configured secret an archive stays locked. */
static bool stays_locked(const struct account_ref *place, struct account_report *report)
{
	report->facts.encrypted = archive_needs_secret(&place->archive);
	if (app_unlock_unasked(place))
		return false;
	report->status.state = ACCOUNT_LOCKED;
	(void)snprintf(report->status.detail, sizeof(report->status.detail),
		"encrypted, and its passphrase or key is not configured or does not open it");
	return true;
}

static void read_archive_facts(const struct account_ref *place, struct account_report *report)
{
	CLEANUP(archive_freep) struct archive *archive = NULL;
	CLEANUP(freep) char *interrupted = NULL;
	const char *path = place->archive.path;
	struct err err = ERR_INIT;

	if (!archive_exists(path) || stays_locked(place, report))
		return;
	if (!app_open_quietly(place, &archive, &err) ||
		!archive_facts(archive, &report->facts, &err)) {
		CLEANUP(freep)
		char *shown = str_printable(err.text, strlen(err.text), DETAIL_BYTES);

		/* The archive may be just being created. */
		report->broken = err.kind != ERR_NOT_FOUND && err.kind != ERR_BUSY;
		if (report->broken)
			report->status.state = ACCOUNT_FAILED;
		(void)snprintf(report->status.detail, sizeof(report->status.detail), "%s", shown);
		return;
	}
	if (report->status.last_success_ms == 0)
		report->status.last_success_ms = newest_complete_ms(archive);
	interrupted = app_interrupted_rekey(place);
	if (interrupted)
		(void)snprintf(
			report->status.detail, sizeof(report->status.detail), "%s", interrupted);
}

static bool read_noted_state(
	const struct status *status, struct account_report *reports, struct err *err)
{
	CLEANUP(state_freep) struct state *state = NULL;
	CLEANUP(freep) char *file = str_printf("%s/state.db", status->state_dir);

	if (!fs_exists(file))
		return true;
	if (!state_open(status->state_dir, &state, err))
		return false;
	for (size_t i = 0; i < status->count; i++) {
		const char *path = status->places[i].archive.path;

		if (!state_get(state, path, &reports[i].status, err) ||
			!state_skipped_count(state, path, &reports[i].skipped, err) ||
			!state_best_copy(state, path, &reports[i].copy, err))
			return false;
	}
	return true;
}

/* These states, found by a pass, hold even while no daemon runs. */
static bool waits_for_a_person(enum account_state state)
{
	return state == ACCOUNT_AUTH_REQUIRED || state == ACCOUNT_GUARDED;
}

static struct account_report *collect_reports(const struct status *status)
{
	struct account_report *reports = xcalloc(status->count + 1, sizeof(*reports));
	bool daemon_runs = state_daemon_runs(status->state_dir);
	struct err err = ERR_INIT;

	if (!read_noted_state(status, reports, &err))
		say_warn("%s", err.text);
	for (size_t i = 0; i < status->count; i++) {
		if (!daemon_runs && !waits_for_a_person(reports[i].status.state))
			reports[i].status.state = ACCOUNT_STOPPED;
		read_archive_facts(&status->places[i], &reports[i]);
	}
	return reports;
}

static void print_status_json(const struct account_ref *place, const struct account_report *report)
{
	const struct account_status *status = &report->status;
	struct json *line = json_begin();

	json_put_text(line, "account", place->account ? place->account->name : place->name);
	json_put_text(line, "state", state_name(status->state));
	json_put_time(line, "since", status->since_ms);
	json_put_time(line, "last_success", status->last_success_ms);
	json_put_time(line, "last_check", status->last_check_ms);
	json_put_count(line, "messages", report->facts.messages);
	json_put_count(line, "bytes", report->facts.bytes);
	json_put_count(line, "archive_bytes", report->facts.archive_bytes);
	json_put_bool(line, "encrypted", report->facts.encrypted);
	json_put_count(line, "skipped", report->skipped);
	json_put_text(line, "push", status->push[0] ? status->push : NULL);
	json_put_time(line, "paused_until", status->paused_until_ms);
	json_put_text(line, "head", report->facts.head[0] ? report->facts.head : NULL);
	json_put_text(line, "detail", status->detail);
	json_print(line);
}

static void add_status_row(
	struct status *status, const struct account_ref *place, const struct account_report *report)
{
	char success[WHEN_TEXT_MAX] = "never", messages[TABLE_NUMBER_MAX] = "-";
	char size[STR_SIZE_MAX] = "-", on_disk[STR_SIZE_MAX] = "-", skipped[TABLE_NUMBER_MAX];
	const char *cells[] = {place->account ? place->account->name : place->name,
		state_name(report->status.state), success, messages, size, on_disk, skipped};
	/* an archive that exists but is locked or damaged: its figures are unknown, not 0 */
	bool unknown = report->facts.archive_bytes == 0 && archive_exists(place->archive.path);

	if (report->status.last_success_ms)
		when_format(report->status.last_success_ms, false, success);
	if (!unknown) {
		table_number(report->facts.messages, messages);
		str_format_size(report->facts.bytes, size);
		str_format_size(report->facts.archive_bytes, on_disk);
	}
	table_number(report->skipped, skipped);
	table_row(&status->table, cells);
}

/* Points out archives that one failing disk would take with it. */
static void print_copy(const struct account_ref *place, const struct state_copy *copy)
{
	char when[WHEN_TEXT_MAX];

	if (!place->account || !archive_exists(place->archive.path))
		return;
	when_format(copy->copied_ms, false, when);
	if (copy->copied_ms == 0)
		(void)printf("%s: on one disk only; 'mailstow copy %s DIR' copies it to another\n",
			place->name, place->name);
	else if (copy->same_disk)
		(void)printf("%s: its copy, made %s, is on the same disk\n", place->name, when);
	else if (clock_wall_ms() - copy->copied_ms > COPY_OLD_MS)
		(void)printf("%s: the last copy was made %s\n", place->name, when);
}

static void print_details(const struct status *status, const struct account_report *reports)
{
	for (size_t i = 0; i < status->count; i++) {
		const char *detail = reports[i].status.detail;
		CLEANUP(freep) char *shown = str_printable(detail, strlen(detail), strlen(detail));

		if (detail[0])
			(void)printf("%s: %s\n", status->places[i].name, shown);
		print_copy(&status->places[i], &reports[i].copy);
	}
}

/* Two states of one archive have different heads. */
static bool same_report(const struct account_report *a, const struct account_report *b)
{
	const struct account_status *left = &a->status, *right = &b->status;

	return left->state == right->state && left->since_ms == right->since_ms &&
	       left->last_success_ms == right->last_success_ms &&
	       left->last_check_ms == right->last_check_ms &&
	       left->paused_until_ms == right->paused_until_ms &&
	       strcmp(left->push, right->push) == 0 && strcmp(left->detail, right->detail) == 0 &&
	       strcmp(a->facts.head, b->facts.head) == 0 &&
	       a->facts.archive_bytes == b->facts.archive_bytes && a->skipped == b->skipped &&
	       a->broken == b->broken;
}

/* Prints the accounts that changed since the last call; all of them the first time. */
static void print_changes(
	const struct app *app, struct status *status, struct account_report *reports)
{
	for (size_t i = 0; i < status->count; i++) {
		if (status->shown && same_report(&status->shown[i], &reports[i]))
			continue;
		if (app->json)
			print_status_json(&status->places[i], &reports[i]);
		else
			add_status_row(status, &status->places[i], &reports[i]);
	}
	if (!app->json) {
		table_end(&status->table);
		if (!status->shown)
			print_details(status, reports);
	}
	freep(&status->shown);
	status->shown = reports;
}

static bool choose_all(struct app *app, struct status *status, struct err *err)
{
	const struct config *config;

	if (!app_config(app, &config, err))
		return false;
	status->places = xcalloc(config->accounts_count + 1, sizeof(*status->places));
	for (size_t i = 0; i < config->accounts_count; i++) {
		const struct config_account *account = &config->accounts[i];

		if (!account->mirror && !archive_exists(account->archive_path))
			continue;
		status->places[status->count++] =
			(struct account_ref){.name = xstrdup(account->name),
				.archive = {xstrdup(account->archive_path), archive_keys_new()},
				.account = account};
	}
	return true;
}

static bool choose_one(struct app *app, const char *text, struct status *status, struct err *err)
{
	struct account_ref *place;

	status->places = xcalloc(1, sizeof(*status->places));
	place = &status->places[0];
	if (!account_ref_find(app, text, place, err))
		return false;
	status->count = 1;
	if (place->when_given)
		return err_set(err, ERR_USAGE, "status: shows the present; leave out @WHEN");
	if (!place->account && !archive_exists(place->archive.path))
		return err_set(err, ERR_NOT_FOUND, "%s: no archive there", place->archive.path);
	return true;
}

static bool success_is_too_old(const struct status *status, size_t i)
{
	const struct config_account *account = status->places[i].account;

	return status->has_max_age && (!account || account->mirror) &&
	       status->shown[i].status.last_success_ms < clock_wall_ms() - status->max_age_ms;
}

static bool run_status(struct app *app, int argc, char **argv, struct err *err)
{
	static const struct option_spec specs[] = {
		{"follow", OPTION_PLAIN, OPTION_FOLLOW}, {"max-age", OPTION_VALUE, OPTION_MAX_AGE}};
	CLEANUP(status_free) struct status status = {0};
	const struct options options = {specs, ARRAY_LEN(specs), set_status_option, &status, 0, 1};
	struct arguments arguments;

	if (!options_parse(app, argc, argv, &options, &arguments, err))
		return false;
	if (status.follow && status.has_max_age)
		return err_set(err, ERR_USAGE, "status: --follow and --max-age exclude each other");
	if (!(arguments.count ? choose_one(app, arguments.items[0], &status, err)
			      : choose_all(app, &status, err)))
		return false;
	status.state_dir = config_state_dir();
	table_init(&status.table, columns, ARRAY_LEN(columns));
	print_changes(app, &status, collect_reports(&status));
	while (status.follow) {
		if (!app_flush(err) || !wait_sleep(wait_for(FOLLOW_STEP_MS, NULL), err))
			return false;
		print_changes(app, &status, collect_reports(&status));
	}
	for (size_t i = 0; i < status.count; i++)
		app->partial =
			app->partial || status.shown[i].broken || success_is_too_old(&status, i);
	return true;
}

const struct command cmd_status = {
	.name = "status",
	.group = COMMAND_LOOK,
	.summary = "show the state of the accounts",
	.usage = "[ACCOUNT] [--follow] [--max-age DURATION]",
	.help = "  --follow              keep running and print what changes\n"
		"  --max-age DURATION    exit 3 if the last success of an account is older than\n"
		"                        this: 30m, 2h, 1d\n",
	.run = run_status,
};
