/* `mailstow restore`: its plan, progress, messages and summary around restore_run(). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "archive/unlock.h"
#include "base/str.h"
#include "mirror/account_connect.h"
#include "restore/app.h"
#include "restore/app_archive.h"
#include "restore/commands/cmd_restore_options.h"
#include "restore/commands/commands.h"
#include "restore/say.h"
#include "restore/ui/json.h"
#include "restore/ui/progress.h"
#include "restore/ui/table.h"
#include "restore/upload/restore.h"

enum { SHOWN_LINES_MAX = 50, WORDS_MAX = 600, NAME_MAX_BYTES = 300 };

/* The context of the watcher's callbacks. */
struct restore_session {
	const struct app *app;
	const struct restore_options *options;
	struct progress_line progress;
	uint64_t lines; /* messages reported on stderr */
};

/* --- what the watcher reports --- */

static void say_about_message(struct restore_session *session, const char *folder, uint32_t uid,
	const char *what, const char *detail)
{
	CLEANUP(freep) char *name = str_printable(folder, strlen(folder), NAME_MAX_BYTES);
	CLEANUP(freep) char *words = str_printable(detail, strlen(detail), WORDS_MAX);

	if (session->lines++ >= SHOWN_LINES_MAX)
		return;
	progress_clear(&session->progress);
	say_note("%s uid %u: %s%s%s", name, uid, what, *words ? ": " : "", words);
}

static void report_message(
	void *context, const char *folder, uint32_t uid, enum outcome outcome, const char *detail)
{
	struct restore_session *session = context;
	struct json *line;

	if (!session->app->json) {
		say_about_message(session, folder, uid, outcome_name(outcome), detail);
		return;
	}
	line = json_begin();
	json_put_text(line, "folder", folder);
	json_put_count(line, "uid", uid);
	json_put_text(line, "outcome", outcome_name(outcome));
	json_put_text(line, "detail", detail);
	json_print(line);
}

static void report_difference(
	void *context, const char *folder, uint32_t uid, const char *kind, const char *detail)
{
	struct restore_session *session = context;
	struct json *line;

	if (!session->app->json) {
		say_about_message(session, folder, uid, "verified", detail);
		return;
	}
	line = json_begin();
	json_put_text(line, "folder", folder);
	json_put_count(line, "uid", uid);
	json_put_text(line, "kind", kind);
	json_put_text(line, "detail", detail);
	json_print(line);
}

static void report_note(void *context, const char *folder, const char *text)
{
	struct restore_session *session = context;
	CLEANUP(freep) char *name = str_printable(folder, strlen(folder), NAME_MAX_BYTES);
	CLEANUP(freep) char *words = str_printable(text, strlen(text), WORDS_MAX);

	progress_clear(&session->progress);
	say_warn("%s%s%s", name, *name ? ": " : "", words);
}

static void report_progress(void *context, uint64_t messages, uint64_t bytes)
{
	struct restore_session *session = context;

	progress_update(&session->progress, messages, bytes, clock_mono_ms());
}

/* --- the plan --- */

static void show_folder(struct table *table, const struct restore_folder *folder)
{
	char messages[TABLE_NUMBER_MAX], size[STR_SIZE_MAX], there[TABLE_NUMBER_MAX];
	CLEANUP(freep)
	char *target = str_printf("%s%s", folder->target_path ? folder->target_path : "(nowhere)",
		folder->is_new ? " (new)" : "");
	const char *cells[] = {
		folder->path, target, messages, size, there, folder->note ? folder->note : ""};

	table_number(folder->messages, messages);
	str_format_size(folder->bytes, size);
	table_number(folder->there, there);
	table_row(table, cells);
}

static void show_plan(const struct restore_folder *folders, size_t count)
{
	static const struct table_column columns[] = {
		{"FOLDER", TEXT_LEFT, 12},
		{"GOES TO", TEXT_LEFT, 12},
		{"MESSAGES", TEXT_RIGHT, 0},
		{"SIZE", TEXT_RIGHT, 0},
		{"THERE", TEXT_RIGHT, 0},
		{"", TEXT_LEFT, 10},
	};
	CLEANUP(table_end) struct table table;

	table_init(&table, columns, ARRAY_LEN(columns));
	for (size_t i = 0; i < count; i++)
		show_folder(&table, &folders[i]);
}

static bool confirm_plan(void *context, const struct restore_folder *folders, size_t count)
{
	struct restore_session *session = context;
	CLEANUP(freep) char *question = NULL;
	uint64_t messages = 0, bytes = 0;
	char size[STR_SIZE_MAX], written[STR_COUNT_MAX];

	for (size_t i = 0; i < count; i++) {
		messages += folders[i].messages - folders[i].there;
		bytes += folders[i].bytes - folders[i].there_bytes;
	}
	session->progress.total = messages;
	session->progress.total_bytes = bytes;
	if (!session->app->json)
		show_plan(folders, count);
	if (session->options->dry_run)
		return true;
	(void)fflush(stdout);
	str_format_size(bytes, size);
	str_format_count(messages, "message", written);
	question = str_printf("Write %s (%s) to %s?", written, size, session->options->to);
	return app_consents(session->app, question);
}

/* --- the end --- */

static void print_summary_json(
	const struct restore_options *options, const struct restore_summary *summary)
{
	const struct restore_verified *verified = &summary->verified;
	struct json *json = json_begin();

	json_put_bool(json, "summary", true);
	json_put_count(json, "planned", summary->planned);
	for (enum outcome i = OUTCOME_EXACT; i < OUTCOMES; i++)
		json_put_count(json, outcome_name(i), summary->outcomes[i]);
	json_put_count(json, "folders_created", summary->folders_created);
	if (options->dry_run)
		json_put_bool(json, "dry_run", true);
	if (options->verify != RESTORE_VERIFY_NONE) {
		json_put_count(json, "compared", verified->compared);
		json_put_count(json, "missing", verified->missing);
		json_put_count(json, "extra", verified->extra);
		json_put_count(json, "different_flags", verified->different_flags);
		json_put_count(json, "different_date", verified->different_date);
		json_put_count(json, "different_bytes", verified->different_bytes);
	}
	json_print(json);
}

/* Whether anything was written, or tried, on the target. */
static bool did_anything(const struct restore_summary *summary)
{
	const uint64_t *outcomes = summary->outcomes;

	return outcomes[OUTCOME_EXACT] + outcomes[OUTCOME_NORMALISED] + outcomes[OUTCOME_REFUSED] +
		       summary->folders_created + summary->folders_failed >
	       0;
}

/* Outcomes that did not occur are left out. */
static void print_outcomes(const struct restore_summary *summary)
{
	static const char *const words[OUTCOMES] = {[OUTCOME_EXACT] = "restored exactly",
		[OUTCOME_ALREADY_THERE] = "already there",
		[OUTCOME_NORMALISED] = "changed by the server",
		[OUTCOME_REFUSED] = "refused",
		[OUTCOME_SKIPPED] = "skipped"};

	char messages[STR_COUNT_MAX], folders[STR_COUNT_MAX];

	str_format_count(summary->planned, "message", messages);
	str_format_count(summary->folders_created, "folder", folders);
	printf("%s planned, %s created.\n", messages, folders);
	for (size_t i = OUTCOME_EXACT; i < OUTCOMES; i++)
		if (summary->outcomes[i])
			printf("  %8llu %s\n", (unsigned long long)summary->outcomes[i], words[i]);
}

static void print_verified(const struct restore_verified *verified)
{
	printf("Verified: %llu compared, %llu missing, %llu extra;\n"
	       "  flags differ in %llu, dates in %llu, bytes in %llu.\n",
		(unsigned long long)verified->compared, (unsigned long long)verified->missing,
		(unsigned long long)verified->extra, (unsigned long long)verified->different_flags,
		(unsigned long long)verified->different_date,
		(unsigned long long)verified->different_bytes);
}

static void print_summary(
	const struct restore_session *session, const struct restore_summary *summary)
{
	const uint64_t *outcomes = summary->outcomes;

	if (session->lines > SHOWN_LINES_MAX)
		say_note("... and %llu more; --json lists all",
			(unsigned long long)(session->lines - SHOWN_LINES_MAX));
	if (session->options->dry_run) {
		printf("Dry run, nothing was changed: %llu messages to restore, %llu of them "
		       "already there.\n",
			(unsigned long long)summary->planned,
			(unsigned long long)outcomes[OUTCOME_ALREADY_THERE]);
		return;
	}
	print_outcomes(summary);
	if (session->options->verify != RESTORE_VERIFY_NONE)
		print_verified(&summary->verified);
}

static void report_end(struct app *app, struct restore_session *session,
	const struct restore_summary *summary, bool fine)
{
	progress_clear(&session->progress);
	if (app->json)
		print_summary_json(session->options, summary);
	else if (fine || did_anything(summary))
		print_summary(session, summary);
	if (!session->options->dry_run)
		app->partial = summary->outcomes[OUTCOME_REFUSED] > 0 ||
			       summary->outcomes[OUTCOME_SKIPPED] > 0 ||
			       summary->folders_failed > 0 || !summary->sound;
}

/* --- putting it together --- */

static bool wants_folder(void *context, const char *path)
{
	const struct restore_session *session = context;

	return selection_wants_folder(&session->options->selection, path);
}

static bool wants_message(void *context, const struct archive_entry *entry)
{
	const struct restore_session *session = context;

	return selection_wants_entry(&session->options->selection, entry);
}

static bool selects_messages(const struct selection *selection)
{
	return selection->has_since || selection->has_before || selection->from ||
	       selection->subject || selection->message_id;
}

static bool collect_folder_path(void *context, const struct archive_folder *folder, struct err *err)
{
	(void)err;
	str_list_add(context, folder->path);
	return true;
}

static bool check_selected_folders(struct archive *archive, int64_t generation,
	const struct selection *selection, struct err *err)
{
	CLEANUP(str_list_free) struct str_list seen = {0};
	const char *missing;

	if (!archive_each_folder(archive, generation, collect_folder_path, &seen, err))
		return false;
	missing = selection->deleted_only ? NULL : selection_missing_folder(selection, &seen);
	return !missing || err_set(err, ERR_NOT_FOUND, "no folder '%s'", missing);
}

static bool find_target(struct app *app, const char *name,
	const struct config_account **ret_account, struct err *err)
{
	const struct config *config;

	if (!app_config(app, &config, err))
		return false;
	*ret_account = config_account(config, name);
	return *ret_account ||
	       err_set(err, ERR_NOT_FOUND, "--to %s: no such account in the configuration", name);
}

static bool open_journal(const struct archive_ref *ref, struct archive *archive,
	const struct config_account *account, struct restore_journal **ret_journal, struct err *err)
{
	CLEANUP(freep) char *state_dir = config_state_dir();
	CLEANUP(freep) char *path = NULL;
	CLEANUP(secret_freep) struct secret *key = NULL;
	struct archive_facts facts;

	if (!archive_facts(archive, &facts, err) || !archive_side_key(ref, "restore", &key, err))
		return false;
	path = restore_journal_path(
		state_dir, facts.uuid, account->host, account->port, account->user);
	return restore_journal_open_encrypted(path, key ? key->data : NULL, ret_journal, err);
}

static bool connect_to(void *context, struct imap **ret_imap, struct err *err)
{
	const struct config_account *account = context;

	return mirror_connect(account, NULL, NULL, ret_imap, err) ||
	       err_wrap(err, "%s", account->name);
}

static bool run_session(struct app *app, struct restore_session *session,
	const struct account_ref *place, const struct config_account *account, struct err *err)
{
	CLEANUP(archive_freep) struct archive *archive = NULL;
	CLEANUP(restore_journal_freep) struct restore_journal *journal = NULL;
	const struct restore_options *options = session->options;
	struct target target = {.connect = connect_to, .context = (void *)account};
	const struct restore_watcher watcher = {session, confirm_plan, report_message,
		report_difference, report_note, report_progress};
	struct restore_summary summary = {0};
	struct archive_snapshot snapshot;
	bool fine;

	if (!app_open(place, &archive, &snapshot, err) ||
		!check_selected_folders(archive, snapshot.generation, &options->selection, err) ||
		!open_journal(&place->archive, archive, account, &journal, err))
		return false;
	const struct restore restore = {
		.ref = &place->archive,
		.archive = archive,
		.generation = snapshot.generation,
		.only_deleted = options->selection.deleted_only,
		.rules = &options->rules,
		.wants_folder = wants_folder,
		.wants_message = selects_messages(&options->selection) ? wants_message : NULL,
		.wants_context = session,
		.target = &target,
		.journal = journal,
		.dry_run = options->dry_run,
		.verify = options->verify,
		.watcher = &watcher,
	};
	fine = restore_run(&restore, &summary, err);
	target_close(&target);
	report_end(app, session, &summary, fine);
	return fine;
}

static bool run_restore(struct app *app, int argc, char **argv, struct err *err)
{
	struct restore_options options = {0};
	struct restore_session session = {.app = app, .options = &options};
	CLEANUP(account_ref_free) struct account_ref place = {0};
	const struct config_account *account;
	struct arguments arguments;
	bool fine;

	session.progress =
		(struct progress_line){.shown = app_shows_progress(app), .fd = STDERR_FILENO};
	fine = restore_options_parse(app, argc, argv, &options, &arguments, err) &&
	       account_ref_find(app, arguments.items[0], &place, err) &&
	       find_target(app, options.to, &account, err) &&
	       run_session(app, &session, &place, account, err);
	restore_options_free(&options);
	return fine;
}

const struct command cmd_restore = {
	.name = "restore",
	.group = COMMAND_RESTORE,
	.summary = "restore mail from an archive to a server",
	.usage = "ACCOUNT[@WHEN] --to ACCOUNT2 [SELECTION] [MAPPING] [--dry-run] "
		 "[--verify[=sample|full]]",
	.help = "Messages that are already on the server are left alone, so running the command\n"
		"again adds nothing; after an interruption it resumes.\n"
		"\n"
		"  --to ACCOUNT2         the configured account to write to; one with mirror =\n"
		"                        no is enough, and ACCOUNT itself is allowed\n"
		"  --dry-run             show the plan, change nothing\n"
		"  --verify[=sample|full]\n"
		"                        compare again afterwards: counts, flags, dates, and the\n"
		"                        bytes of a sample or, with =full, of all messages\n"
		"\n"
		"Selection:\n" SELECT_HELP "\n"
		"Mapping:\n"
		"  --map OLD=NEW         restore folder OLD and its subfolders as NEW; may be\n"
		"                        given several times, the longest OLD wins\n"
		"  --prefix P            restore everything below folder P\n"
		"  --no-special-use      do not use the server's own Sent, Trash, ... folders\n"
		"  --no-junk             leave out junk mail\n"
		"  --labels=all          restore a message into each of its folders (the default\n"
		"                        and only choice)\n",
	.run = run_restore,
};
