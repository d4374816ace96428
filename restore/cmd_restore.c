#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/str.h"
#include "mirror/connect.h"
#include "restore/app.h"
#include "restore/json.h"
#include "restore/progress.h"
#include "restore/restore.h"
#include "restore/select.h"
#include "restore/table.h"

enum {
	OPTION_TO = 256,
	OPTION_MAP,
	OPTION_PREFIX,
	OPTION_NO_SPECIAL,
	OPTION_NO_JUNK,
	OPTION_DRY,
	OPTION_VERIFY,
	ANSWER_BYTES = 16
};

struct request {
	struct app *app;
	const char *source, *to;
	struct map_rules rules;
	struct selection selection;
	bool dry_run;
	enum restore_verify verify;
	const struct config_account *target;
	struct progress progress;
};

static void request_free(struct request *request)
{
	map_rules_free(&request->rules);
	select_free(&request->selection);
}

/* --- what the restore tells --- */

static void show_plan(const struct restore_folder *folders, size_t count)
{
	static const char *const heads[] = {"FOLDER", "TO", "MESSAGES", "SIZE", "THERE", ""};
	struct table *table = table_new("xxrrrx");

	for (size_t i = 0; i < ARRAY_LEN(heads); i++)
		table_cell(table, heads[i]);
	for (size_t i = 0; i < count; i++) {
		const struct restore_folder *folder = &folders[i];

		table_cell(table, folder->path);
		table_cell(table, folder->target_path ? folder->target_path : "-");
		table_number(table, folder->messages);
		table_size(table, folder->bytes);
		table_number(table, folder->there);
		table_cell(table, folder->note ? folder->note : folder->is_new ? "new" : "");
	}
	table_print(table);
	(void)fflush(stdout);
}

static bool asked_and_meant(const struct request *request, uint64_t messages)
{
	char answer[ANSWER_BYTES] = "";

	if (request->app->yes || request->dry_run || !isatty(STDIN_FILENO) ||
		!isatty(STDERR_FILENO))
		return true;
	(void)fprintf(stderr, "Write %llu messages to %s? [y/N] ", (unsigned long long)messages,
		request->target->name);
	return fgets(answer, sizeof(answer), stdin) && (answer[0] == 'y' || answer[0] == 'Y');
}

static bool consent(void *context, const struct restore_folder *folders, size_t count)
{
	struct request *request = context;
	uint64_t messages = 0, bytes = 0;

	for (size_t i = 0; i < count; i++) {
		messages += folders[i].messages - folders[i].there;
		bytes += folders[i].bytes - folders[i].there_bytes;
	}
	if (!request->app->json)
		show_plan(folders, count);
	if (!asked_and_meant(request, messages))
		return false;
	progress_begin(&request->progress, request->app, messages, bytes);
	return true;
}

static void tell_message(
	void *context, const char *folder, uint32_t uid, enum outcome outcome, const char *detail)
{
	struct request *request = context;
	CLEANUP(freep) char *text = str_printable(detail, strlen(detail), ITEM_DETAIL_MAX);

	if (request->app->json) {
		struct json *line = json_line();

		json_text(line, "folder", folder);
		json_int(line, "uid", uid);
		json_text(line, "outcome", outcome_name(outcome));
		json_text(line, "detail", text);
		json_print(line);
		return;
	}
	progress_end(&request->progress);
	(void)printf("%s: uid %u: %s: %s\n", folder, (unsigned)uid, outcome_name(outcome), text);
}

static void tell_difference(
	void *context, const char *folder, uint32_t uid, const char *kind, const char *detail)
{
	struct request *request = context;

	if (!request->app->json)
		(void)printf("%s: uid %u: differs in %s: %s\n", folder, (unsigned)uid, kind,
			detail ? detail : "");
}

static void tell_note(void *context, const char *folder, const char *text)
{
	CLEANUP(freep) char *shown = str_printable(text, strlen(text), ITEM_DETAIL_MAX);

	(void)context;
	(void)fprintf(stderr, "mailstow: %s: %s\n", folder, shown);
}

static void tell_progress(void *context, uint64_t messages, uint64_t bytes)
{
	struct request *request = context;

	progress_show(&request->progress, messages, bytes);
}

static void json_summary(const struct restore_summary *summary)
{
	struct json *line = json_line();

	json_flag(line, "summary", true);
	json_int(line, "planned", (int64_t)summary->planned);
	for (int outcome = OUTCOME_EXACT; outcome < OUTCOMES; outcome++)
		json_int(line, outcome_name((enum outcome)outcome),
			(int64_t)summary->outcomes[outcome]);
	json_int(line, "folders_created", (int64_t)summary->folders_created);
	json_print(line);
}

static void text_summary(const struct request *request, const struct restore_summary *summary)
{
	(void)printf("%llu messages: %llu exact, %llu already there, %llu normalised, %llu refused,"
		     " %llu %s; %llu folders created\n",
		(unsigned long long)summary->planned,
		(unsigned long long)summary->outcomes[OUTCOME_EXACT],
		(unsigned long long)summary->outcomes[OUTCOME_ALREADY_THERE],
		(unsigned long long)summary->outcomes[OUTCOME_NORMALISED],
		(unsigned long long)summary->outcomes[OUTCOME_REFUSED],
		(unsigned long long)summary->outcomes[OUTCOME_SKIPPED],
		request->dry_run ? "to do" : "skipped",
		(unsigned long long)summary->folders_created);
	if (request->verify != RESTORE_VERIFY_NONE)
		(void)printf("verified %llu messages: %s\n",
			(unsigned long long)summary->verified.compared,
			summary->sound ? "as restored" : "differences, see above");
}

/* --- doing --- */

static bool connect_target(void *context, struct imap **ret_imap, struct err *err)
{
	struct request *request = context;

	return mirror_connect(request->target, NULL, NULL, ret_imap, err) ||
	       err_wrap(err, "%s", request->target->name);
}

static bool wants_folder(void *context, const char *path)
{
	struct request *request = context;

	return select_folder(&request->selection, path);
}

static bool wants_message(void *context, const struct archive_entry *entry)
{
	struct request *request = context;

	return select_entry(&request->selection, entry);
}

/* Only then are folders without a message that is meant left out. */
static bool selects_messages(const struct selection *selection)
{
	return selection->has_since || selection->has_before || selection->from ||
	       selection->subject || selection->message_id;
}

static bool open_journal(struct request *request, struct archive *archive,
	struct restore_journal **ret_journal, struct err *err)
{
	CLEANUP(freep) char *state_dir = config_state_dir();
	CLEANUP(freep) char *path = NULL;
	struct archive_facts facts;

	if (!archive_facts(archive, &facts, err))
		return false;
	path = restore_journal_path(state_dir, facts.uuid, request->target->host,
		request->target->port, request->target->user);
	return restore_journal_open(path, ret_journal, err);
}

static int finish(struct request *request, const struct restore_summary *summary, bool done,
	const struct err *err)
{
	bool partial = summary->outcomes[OUTCOME_REFUSED] || summary->folders_failed ||
		       !summary->sound || (!request->dry_run && summary->outcomes[OUTCOME_SKIPPED]);

	progress_end(&request->progress);
	if (request->app->json)
		json_summary(summary);
	else
		text_summary(request, summary);
	if (!done)
		return app_fail(err);
	return partial ? EXIT_PARTIAL : 0;
}

static int restore(struct request *request)
{
	CLEANUP(moment_free) struct moment moment = {0};
	CLEANUP(restore_journal_freep) struct restore_journal *journal = NULL;
	CLEANUP(target_close)
	struct target target = {.connect = connect_target, .context = request};
	struct restore_watcher watcher = {
		request, consent, tell_message, tell_difference, tell_note, tell_progress};
	struct restore job = {
		.rules = &request->rules,
		.wants_folder = wants_folder,
		.wants_message = selects_messages(&request->selection) ? wants_message : NULL,
		.wants_context = request,
		.only_deleted = request->selection.deleted_only,
		.target = &target,
		.dry_run = request->dry_run,
		.verify = request->verify,
		.watcher = &watcher,
	};
	struct restore_summary summary = {0};
	struct err err = ERR_INIT;
	bool done;

	if (!app_account(request->app, request->to, &request->target, &err) ||
		!app_open(request->app, request->source, &moment, &err) ||
		!open_journal(request, moment.archive, &journal, &err))
		return app_fail(&err);
	job.archive_path = moment.path;
	job.archive = moment.archive;
	job.generation = moment.at.generation;
	job.journal = journal;
	done = restore_run(&job, &summary, &err);
	return finish(request, &summary, done, &err);
}

static bool take_verify(struct request *request, const char *how)
{
	bool full = how && strcmp(how, "full") == 0;

	request->verify = full ? RESTORE_VERIFY_FULL : RESTORE_VERIFY_SAMPLE;
	return !how || full || strcmp(how, "sample") == 0;
}

static bool take_option(struct request *request, int option, struct err *err)
{
	bool ours;

	switch (option) {
	case OPTION_TO:
		request->to = optarg;
		return true;
	case OPTION_MAP:
		return map_rule_add(&request->rules, optarg, err);
	case OPTION_PREFIX:
		return map_rules_set_prefix(&request->rules, optarg, err);
	case OPTION_NO_SPECIAL:
		request->rules.no_special_use = true;
		return true;
	case OPTION_NO_JUNK:
		request->rules.no_junk = true;
		return true;
	case OPTION_DRY:
		request->dry_run = true;
		return true;
	case OPTION_VERIFY:
		return take_verify(request, optarg) ||
		       err_set(err, ERR_USAGE, "--verify takes sample or full");
	default:
		if (!select_option(&request->selection, option, optarg, &ours, err))
			return false;
		return ours || err_set(err, ERR_USAGE, "see `mailstow restore --help`");
	}
}

int cmd_restore(struct app *app, int argc, char **argv)
{
	static const struct option options[] = {
		SELECT_OPTIONS,
		{"to", required_argument, NULL, OPTION_TO},
		{"map", required_argument, NULL, OPTION_MAP},
		{"prefix", required_argument, NULL, OPTION_PREFIX},
		{"no-special-use", no_argument, NULL, OPTION_NO_SPECIAL},
		{"no-junk", no_argument, NULL, OPTION_NO_JUNK},
		{"dry-run", no_argument, NULL, OPTION_DRY},
		{"verify", optional_argument, NULL, OPTION_VERIFY},
		{0},
	};
	CLEANUP(request_free) struct request request = {.app = app};
	struct err err = ERR_INIT;
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1)
		if (!take_option(&request, option, &err))
			return app_fail(&err);
	if (argc - optind != 1)
		return app_usage("restore", "restore takes one ACCOUNT[@WHEN]");
	if (!request.to)
		return app_usage("restore", "--to ACCOUNT2 is missing");
	request.source = argv[optind];
	return restore(&request);
}
