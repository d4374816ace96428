#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sysexits.h>

#include "base/alloc.h"
#include "base/str.h"
#include "restore/app.h"
#include "restore/select.h"

static const struct command commands[] = {
	{"status", "how each account fares",
		"usage: mailstow status [ACCOUNT] [--follow] [--max-age DURATION]\n\n"
		"  --follow            show again every second\n"
		"  --max-age DURATION  exit 3 when a last success is older (10s 5m 2h 7d)\n",
		cmd_status},
	{"snapshots", "the states an archive holds", "usage: mailstow snapshots ACCOUNT\n",
		cmd_snapshots},
	{"folders", "folders at a moment", "usage: mailstow folders ACCOUNT[@WHEN]\n", cmd_folders},
	{"ls", "messages at a moment",
		"usage: mailstow ls ACCOUNT[@WHEN] [selection] [--deleted]\n\n"
		"  --deleted           also mail that is gone from the server\n\n" SELECT_HELP,
		cmd_ls},
	{"cat", "one message, its exact bytes",
		"usage: mailstow cat ACCOUNT[@WHEN] FOLDER UID [--uidvalidity N]\n", cmd_cat},
	{"restore", "put a mailbox onto a server",
		"usage: mailstow restore ACCOUNT[@WHEN] --to ACCOUNT2 [options]\n\n"
		"  --to ACCOUNT2       the configured account to write to\n"
		"  --map OLD=NEW       put folder OLD to NEW; repeatable, longest wins\n"
		"  --prefix P          put everything below folder P\n"
		"  --no-special-use    do not join Sent with Sent by their use\n"
		"  --no-junk           leave out junk\n"
		"  --dry-run           show the plan only\n"
		"  --verify[=sample|full]  compare afterwards\n\n" SELECT_HELP,
		cmd_restore},
	{"config", "the configuration as understood", "usage: mailstow config show\n", cmd_config},
};

static const char overview_end[] =
	"\n"
	"ACCOUNT is a configured name or address, or the path of an archive.\n"
	"WHEN is latest, a snapshot's number, or a time: @17 @2026-11-20 @2026-11-20T10:00Z\n"
	"\n"
	"  -c, --config FILE   configuration (default: ~/.config/mailstow/mailstow.conf,\n"
	"                      then /etc/mailstow/mailstow.conf)\n"
	"      --json          JSON Lines on standard output\n"
	"      --progress=auto|always|never\n"
	"      --yes           do not ask\n"
	"      --help          this text; `mailstow COMMAND --help` for one command\n"
	"      --version       the version\n"
	"\n"
	"See mailstow(1).\n";

static void overview(FILE *file)
{
	(void)fputs("mailstow - looks into mail archives and puts mailboxes back\n\n"
		    "usage: mailstow [options] COMMAND ...\n\n",
		file);
	for (size_t i = 0; i < ARRAY_LEN(commands); i++)
		(void)fprintf(file, "  %-10s %s\n", commands[i].name, commands[i].summary);
	(void)fputs(overview_end, file);
}

/* The words that are not global options, in order. */
struct words {
	char **items;
	int count;
	bool help, version;
};

static bool take_progress(struct app *app, const char *value)
{
	static const char *const names[] = {"auto", "always", "never"};

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		if (strcmp(names[i], value) == 0) {
			app->progress = (enum progress_mode)i;
			return true;
		}
	}
	return false;
}

/* A global option at argv[*i]? *ret_wrong: yes, but not as it should be. */
static bool take_global(
	struct app *app, struct words *words, char **argv, int argc, int *i, const char **ret_wrong)
{
	const char *word = argv[*i];

	if (strcmp(word, "--json") == 0) {
		app->json = true;
	} else if (strcmp(word, "--yes") == 0) {
		app->yes = true;
	} else if (strcmp(word, "--help") == 0) {
		words->help = true;
	} else if (strcmp(word, "--version") == 0) {
		words->version = true;
	} else if (str_starts(word, "--progress=")) {
		if (!take_progress(app, word + strlen("--progress=")))
			*ret_wrong = "--progress takes auto, always or never";
	} else if (str_starts(word, "--config=")) {
		app->config_file = word + strlen("--config=");
	} else if (strcmp(word, "-c") == 0 || strcmp(word, "--config") == 0) {
		if (*i + 1 == argc)
			*ret_wrong = "-c takes a file";
		else
			app->config_file = argv[++*i];
	} else {
		return false;
	}
	return true;
}

static const char *split(struct app *app, struct words *words, int argc, char **argv)
{
	const char *wrong = NULL;
	bool plain = false; /* after "--" */

	for (int i = 1; i < argc && !wrong; i++) {
		plain = plain || strcmp(argv[i], "--") == 0;
		if (plain || !take_global(app, words, argv, argc, &i, &wrong))
			words->items[words->count++] = argv[i];
	}
	words->items[words->count] = NULL;
	return wrong;
}

static const struct command *find(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(commands); i++)
		if (strcmp(commands[i].name, name) == 0)
			return &commands[i];
	return NULL;
}

static int unknown(const char *name)
{
	CLEANUP(freep) char *shown = str_printable(name, strlen(name), 80);

	(void)fprintf(stderr, "mailstow: no command %s; `mailstow --help` lists them\n", shown);
	return EX_USAGE;
}

static int run(struct app *app, struct words *words)
{
	const struct command *command;

	if (words->version) {
		(void)puts("mailstow " MAILSTOW_VERSION);
		return 0;
	}
	if (words->count == 0) {
		overview(words->help ? stdout : stderr);
		return words->help ? 0 : EX_USAGE;
	}
	command = find(words->items[0]);
	if (!command)
		return unknown(words->items[0]);
	if (words->help) {
		(void)printf(
			"mailstow %s - %s\n\n%s", command->name, command->summary, command->usage);
		return 0;
	}
	return command->run(app, words->count, words->items);
}

/* No core dumps: they would hold passwords and mail. */
static void keep_secrets(void)
{
	static const struct rlimit none = {0, 0};

	(void)prctl(PR_SET_DUMPABLE, 0);
	(void)setrlimit(RLIMIT_CORE, &none);
	(void)signal(SIGPIPE, SIG_IGN);
}

int main(int argc, char **argv)
{
	struct app app = {0};
	CLEANUP(freep) char **items = xcalloc((size_t)argc + 1, sizeof(*items));
	struct words words = {.items = items};
	const char *wrong;
	int code;

	(void)setlocale(LC_CTYPE, "C.UTF-8");
	keep_secrets();
	wrong = split(&app, &words, argc, argv);
	if (wrong) {
		(void)fprintf(stderr, "mailstow: %s\n", wrong);
		return EX_USAGE;
	}
	code = run(&app, &words);
	config_freep(&app.config);
	if (fflush(stdout) != 0 && code == 0)
		code = EX_IOERR;
	return code;
}
