/* `mailstow pin` and `unpin`: snapshots that prune never removes. */
#include <inttypes.h>
#include <stdio.h>

#include "restore/app_secrets.h"
#include "restore/commands/commands.h"
#include "restore/options.h"

/* Commits the pin as a new snapshot, which is complete if the newest one was: no mail changed. */
static bool commit_pin(
	struct archive_writer *writer, int64_t generation, bool pinned, struct err *err)
{
	struct archive_snapshot newest;
	int64_t committed;

	return archive_resolve(archive_writer_view(writer),
		       (struct archive_when){.kind = ARCHIVE_LATEST}, &newest, err) &&
	       archive_pin(writer, generation, pinned, err) &&
	       archive_commit(writer, newest.complete, &committed, err);
}

static bool set_pin(struct app *app, int argc, char **argv, bool pinned, struct err *err)
{
	const struct options options = {.arguments_min = 1, .arguments_max = 1};
	CLEANUP(account_ref_free) struct account_ref place = {0};
	CLEANUP(archive_writer_freep) struct archive_writer *writer = NULL;
	struct archive_snapshot snapshot;
	struct arguments arguments;

	if (!options_parse(app, argc, argv, &options, &arguments, err) ||
		!account_ref_find(app, arguments.items[0], &place, err))
		return false;
	if (!place.when_given)
		return err_set(err, ERR_USAGE, "%s: expected a snapshot: ACCOUNT@WHEN", argv[0]);
	if (!app_unlock(&place, err) ||
		!archive_writer_open(&place.archive, ARCHIVE_LOCK_TIMEOUT_MS, &writer, err) ||
		!archive_resolve(archive_writer_view(writer), place.when, &snapshot, err) ||
		!commit_pin(writer, snapshot.generation, pinned, err))
		return false;
	if (!app->json)
		(void)printf("Snapshot %" PRId64 " is %s.\n", snapshot.generation,
			pinned ? "pinned" : "no longer pinned");
	return true;
}

static bool run_pin(struct app *app, int argc, char **argv, struct err *err)
{
	return set_pin(app, argc, argv, true, err);
}

static bool run_unpin(struct app *app, int argc, char **argv, struct err *err)
{
	return set_pin(app, argc, argv, false, err);
}

const struct command cmd_pin = {
	.name = "pin",
	.group = COMMAND_SETUP,
	.summary = "keep a snapshot, whatever the keep rules say",
	.usage = "ACCOUNT@WHEN",
	.help = "A pinned snapshot survives 'mailstow prune' until it is unpinned. The pin is\n"
		"recorded as a new snapshot without changes.\n",
	.run = run_pin,
};

const struct command cmd_unpin = {
	.name = "unpin",
	.group = COMMAND_SETUP,
	.summary = "let the keep rules decide about a snapshot again",
	.usage = "ACCOUNT@WHEN",
	.help = "The next 'mailstow prune' removes it if no keep rule keeps it.\n",
	.run = run_unpin,
};
