#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/fs.h"
#include "base/str.h"
#include "base/wait.h"
#include "restore/app.h"
#include "restore/json.h"
#include "restore/table.h"
#include "state/state.h"

enum { OPTION_MAX_AGE = 256, OPTION_FOLLOW, FOLLOW_MS = 1000 };

struct asked {
	struct app *app;
	const char *account; /* NULL: all */
	int64_t max_age_ms;  /* 0: not asked */
	bool too_old;
	bool daemon_runs;
	char *state_dir;
};

struct seen {
	struct account_status status;
	struct archive_facts facts;
	uint64_t skipped;
	bool archived;
};

static bool see(struct asked *asked, const struct config_account *account, struct seen *ret_seen,
	struct err *err)
{
	CLEANUP(state_freep) struct state *state = NULL;
	CLEANUP(archive_freep) struct archive *archive = NULL;

	*ret_seen = (struct seen){0};
	if (fs_exists(asked->state_dir)) {
		if (!state_open(asked->state_dir, &state, err) ||
			!state_get(state, account->archive_path, &ret_seen->status, err) ||
			!state_skipped_count(state, account->archive_path, &ret_seen->skipped, err))
			return false;
	}
	if (!asked->daemon_runs && ret_seen->status.state != ACCOUNT_AUTH_REQUIRED)
		ret_seen->status.state = ACCOUNT_STOPPED;
	ret_seen->archived = archive_exists(account->archive_path);
	return !ret_seen->archived || (archive_open(account->archive_path, &archive, err) &&
					      archive_facts(archive, &ret_seen->facts, err));
}

static void as_json(const struct config_account *account, const struct seen *seen)
{
	struct json *line = json_line();

	json_text(line, "account", account->name);
	json_text(line, "state", state_name(seen->status.state));
	json_time_ms(line, "since", seen->status.since_ms);
	json_time_ms(line, "last_success", seen->status.last_success_ms);
	json_time_ms(line, "last_check", seen->status.last_check_ms);
	json_int(line, "messages", (int64_t)seen->facts.messages);
	json_int(line, "bytes", (int64_t)seen->facts.bytes);
	json_int(line, "archive_bytes", (int64_t)seen->facts.archive_bytes);
	json_flag(line, "encrypted", seen->facts.encrypted);
	json_int(line, "skipped", (int64_t)seen->skipped);
	json_text(line, "push", seen->status.push[0] ? seen->status.push : NULL);
	json_time_ms(line, "paused_until", seen->status.paused_until_ms);
	json_text(line, "head", seen->facts.head[0] ? seen->facts.head : NULL);
	json_text(line, "detail", seen->status.detail);
	json_print(line);
}

static void as_row(
	struct table *table, const struct config_account *account, const struct seen *seen)
{
	table_cell(table, account->name);
	table_cell(table, state_name(seen->status.state));
	table_time_ms(table, seen->status.last_success_ms);
	table_number(table, seen->facts.messages);
	table_size(table, seen->facts.bytes);
	table_size(table, seen->facts.archive_bytes);
	table_cell(table, seen->archived ? seen->status.detail : "nothing archived yet");
}

static bool show_all(struct asked *asked, struct err *err)
{
	static const char *const heads[] = {
		"ACCOUNT", "STATE", "LAST SUCCESS", "MESSAGES", "SIZE", "ARCHIVE", ""};
	const struct config *config = asked->app->config;
	struct table *table = asked->app->json ? NULL : table_new("lllrrrx");
	bool done = true;

	for (size_t i = 0; table && i < ARRAY_LEN(heads); i++)
		table_cell(table, heads[i]);
	asked->daemon_runs = state_daemon_runs(asked->state_dir);
	for (size_t i = 0; done && i < config->accounts_count; i++) {
		const struct config_account *account = &config->accounts[i];
		struct seen seen;

		if (asked->account ? config_account(config, asked->account) != account
				   : !account->mirror)
			continue;
		done = see(asked, account, &seen, err);
		if (!done)
			break;
		if (asked->max_age_ms &&
			clock_wall_ms() - seen.status.last_success_ms > asked->max_age_ms)
			asked->too_old = true;
		if (table)
			as_row(table, account, &seen);
		else
			as_json(account, &seen);
	}
	if (table)
		table_print(table);
	return done;
}

static int run(struct asked *asked, bool follow)
{
	const struct config_account *account;
	struct err err = ERR_INIT;

	if (!app_config(asked->app, &err))
		return app_fail(&err);
	if (asked->account && !app_account(asked->app, asked->account, &account, &err))
		return app_fail(&err);
	do {
		if (!show_all(asked, &err))
			return app_fail(&err);
		(void)fflush(stdout);
	} while (follow && !ferror(stdout) && wait_sleep(wait_for(FOLLOW_MS, NULL), &err));
	return asked->too_old ? EXIT_PARTIAL : 0;
}

int cmd_status(struct app *app, int argc, char **argv)
{
	static const struct option options[] = {
		{"max-age", required_argument, NULL, OPTION_MAX_AGE},
		{"follow", no_argument, NULL, OPTION_FOLLOW},
		{0},
	};
	CLEANUP(freep) char *state_dir = config_state_dir();
	struct asked asked = {.app = app, .state_dir = state_dir};
	bool follow = false;
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == OPTION_FOLLOW)
			follow = true;
		else if (option != OPTION_MAX_AGE)
			return app_usage("status", "unknown option");
		else if (!config_parse_duration(optarg, &asked.max_age_ms) || asked.max_age_ms == 0)
			return app_usage("status", "--max-age takes a duration: 10s 5m 2h 7d");
	}
	if (argc - optind > 1)
		return app_usage("status", "status takes at most one ACCOUNT");
	asked.account = argv[optind];
	return run(&asked, follow);
}
