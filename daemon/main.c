#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "archive/unlock.h"
#include "base/fs.h"
#include "base/log.h"
#include "base/secret.h"
#include "base/str.h"
#include "daemon/turns.h"
#include "daemon/watch.h"

enum {
	EXIT_PARTIAL = 3,
	OPTION_ONCE = 256,
	OPTION_CHECK,
	OPTION_WIRE_LOG,
	OPTION_HELP,
	OPTION_VERSION
};
enum { SKIPPED_LISTED_MAX = 50, FOLDER_BYTES_SHOWN = 300 };

static const char help[] =
	"mailstowd mirrors IMAP accounts into archives, as they change.\n"
	"\n"
	"Usage: mailstowd [-c FILE]                        run until SIGTERM\n"
	"       mailstowd [-c FILE] --once [ACCOUNT ...]   one mirror pass, then exit\n"
	"       mailstowd [-c FILE] --check-config         report problems of the file\n"
	"\n"
	"  -c, --config FILE   configuration (default:\n"
	"                      $XDG_CONFIG_HOME/mailstow/mailstow.conf, usually\n"
	"                      ~/.config/..., then /etc/mailstow/mailstow.conf)\n"
	"  -v, --verbose       log more\n"
	"      --wire-log FILE with --once: append the conversation with the server to\n"
	"                      FILE, without secrets or message bodies\n"
	"      --help          show this help\n"
	"      --version       show the version\n"
	"\n"
	"SIGHUP makes a running mailstowd compare all accounts now, including those that\n"
	"wait after a failure.\n"
	"\n"
	"See mailstowd(8) and mailstow.conf(5).\n";

struct daemon_arguments {
	const char *config;
	const char *wire_log;
	bool once, check;
	char **accounts;
	int accounts_count;
};

static int report_error(const struct err *err)
{
	(void)fprintf(stderr, "mailstowd: %s\n", err->text);
	return err_exit_code(err->kind);
}

/* The exit code for two accounts: any failure before partial, the first failure before later ones.
 */
static int worse(int a, int b)
{
	if (a == 0 || b == 0)
		return a ? a : b;
	return a == EXIT_PARTIAL ? b : a;
}

struct skip_list {
	const char *account;
	unsigned listed;
};

static bool list_skipped(void *context, const struct skipped *skipped, struct err *err)
{
	struct skip_list *list = context;
	CLEANUP(freep)
	char *folder = str_printable(
		skipped->folder_path, strlen(skipped->folder_path), FOLDER_BYTES_SHOWN);

	(void)err;
	if (skipped->next_try_ms > 0 && list->listed++ < SKIPPED_LISTED_MAX)
		log_warning("%s: %s uid %u: left out: %s", list->account, folder, skipped->uid,
			skipped->reason);
	return true;
}

/* Lists the messages left out, for a pass that ends with EXIT_PARTIAL. */
static void list_all_skipped(const struct config_account *account, struct state *state)
{
	struct skip_list list = {.account = account->name};
	struct err err = ERR_INIT;

	if (!state_each_skipped(state, account->archive_path, list_skipped, &list, &err))
		log_warning("%s: %s", account->name, err.text);
	if (list.listed > SKIPPED_LISTED_MAX)
		log_warning("%s: and %u more left out", account->name,
			list.listed - SKIPPED_LISTED_MAX);
}

static int once_account(const struct config_account *account, struct state *state, FILE *wire_log)
{
	CLEANUP(archive_keys_freep) struct archive_keys *keys = archive_keys_new();
	CLEANUP(turns_free)
	struct account_turns turns = {
		.account = account, .keys = keys, .state = state, .wire_log = wire_log};
	struct mirror_result result;
	struct err err = ERR_INIT;
	bool passed = turns_pass(&turns, &result, &err);

	imap_logout(&turns.imap);
	if (!passed) {
		log_error("%s: %s", account->name, err.text);
		return err_exit_code(err.kind);
	}
	turns_prune(&turns);
	turns_empty_wal(&turns);
	turns_set_state(&turns, ACCOUNT_STOPPED, "", result.detail);
	list_all_skipped(account, state);
	return result.complete && result.skipped == 0 ? 0 : EXIT_PARTIAL;
}

static void close_file(FILE **file)
{
	if (*file)
		(void)fclose(*file);
}

/* Mode 0600: it contains addresses and folder names. */
static bool open_wire_log(const char *path, FILE **ret_file, struct err *err)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);

	*ret_file = fd >= 0 ? fdopen(fd, "a") : NULL;
	if (*ret_file)
		return true;
	(void)err_errno(err, ERR_CREATE, errno, "%s", path);
	if (fd >= 0)
		(void)close(fd);
	return false;
}

static int once(
	const struct config *config, const char *state_dir, const struct daemon_arguments *args)
{
	CLEANUP(close_file) FILE *wire_log = NULL;
	CLEANUP(state_freep) struct state *state = NULL;
	struct err err = ERR_INIT;
	int code = 0;

	if ((args->wire_log && !open_wire_log(args->wire_log, &wire_log, &err)) ||
		!state_open(state_dir, &state, &err))
		return report_error(&err);
	for (int i = 0; i < args->accounts_count; i++) {
		const struct config_account *account = config_account(config, args->accounts[i]);

		if (!account) {
			(void)fprintf(stderr, "mailstowd: no account %s in %s\n", args->accounts[i],
				config->file);
			return EX_NOINPUT;
		}
		code = worse(code, once_account(account, state, wire_log));
	}
	for (size_t i = 0; args->accounts_count == 0 && i < config->accounts_count; i++)
		if (config->accounts[i].mirror)
			code = worse(code, once_account(&config->accounts[i], state, wire_log));
	return code;
}

static bool archives_open(const struct config *config, struct err *err)
{
	for (size_t i = 0; i < config->accounts_count; i++) {
		const struct config_account *account = &config->accounts[i];
		const struct archive_ref ref = {.path = account->archive_path};
		CLEANUP(archive_freep) struct archive *archive = NULL;

		/* an encrypted archive is opened later, when its secret is available */
		if (!account->mirror || !archive_exists(account->archive_path) ||
			archive_is_encrypted(&ref))
			continue;
		if (!archive_open(&ref, &archive, err))
			return err_wrap(err, "%s", account->name);
	}
	return true;
}

static int watch_until_stopped(const struct config *config, const char *state_dir)
{
	CLEANUP(fs_unlock) int lock = -1;
	CLEANUP(state_freep) struct state *state = NULL;
	struct err err = ERR_INIT;

	if (!state_daemon_lock(state_dir, &lock, &err) || !state_open(state_dir, &state, &err) ||
		!archives_open(config, &err) || !watch_run(config, state, &err))
		return report_error(&err);
	return 0;
}

static bool parse_command_line(int argc, char **argv, struct daemon_arguments *args, int *ret_code)
{
	static const struct option options[] = {
		{"config", required_argument, NULL, 'c'},
		{"verbose", no_argument, NULL, 'v'},
		{"once", no_argument, NULL, OPTION_ONCE},
		{"check-config", no_argument, NULL, OPTION_CHECK},
		{"wire-log", required_argument, NULL, OPTION_WIRE_LOG},
		{"help", no_argument, NULL, OPTION_HELP},
		{"version", no_argument, NULL, OPTION_VERSION},
		{0},
	};
	int option;

	argv[0] = (char *)"mailstowd"; /* for the messages of getopt_long() */
	while ((option = getopt_long(argc, argv, "c:v", options, NULL)) != -1) {
		switch (option) {
		case 'c':
			args->config = optarg;
			break;
		case 'v':
			log_set_level(LOG_LEVEL_DEBUG);
			break;
		case OPTION_ONCE:
			args->once = true;
			break;
		case OPTION_CHECK:
			args->check = true;
			break;
		case OPTION_WIRE_LOG:
			args->wire_log = optarg;
			break;
		case OPTION_HELP:
			(void)fputs(help, stdout);
			*ret_code = 0;
			return false;
		case OPTION_VERSION:
			(void)puts("mailstowd " MAILSTOW_VERSION);
			*ret_code = 0;
			return false;
		default: /* getopt_long() has reported it */
			(void)fputs("see: mailstowd --help\n", stderr);
			*ret_code = EX_USAGE;
			return false;
		}
	}
	args->accounts = argv + optind;
	args->accounts_count = argc - optind;
	if ((args->accounts_count > 0 || args->wire_log) && !args->once) {
		(void)fprintf(stderr, "mailstowd: %s; see mailstowd --help\n",
			args->wire_log ? "--wire-log needs --once"
				       : "naming accounts needs --once");
		*ret_code = EX_USAGE;
		return false;
	}
	return true;
}

static int load_config(const struct daemon_arguments *args, struct config **ret_config)
{
	CLEANUP(str_list_free) struct str_list problems = {0};
	CLEANUP(freep) char *path = NULL;
	struct err err = ERR_INIT;

	if (!config_find(args->config, &path, &err))
		return report_error(&err);
	if (args->check ? config_check(path, &problems, &err)
			: config_load(path, ret_config, &problems, &err))
		return 0;
	for (size_t i = 0; i < problems.count; i++)
		(void)fprintf(stderr, "%s\n", problems.items[i]);
	return problems.count ? EX_CONFIG : report_error(&err);
}

int main(int argc, char **argv)
{
	CLEANUP(config_freep) struct config *config = NULL;
	CLEANUP(freep) char *state_dir = config_state_dir();
	struct daemon_arguments args = {0};
	int code = 0;

	secret_forbid_dumps();
	(void)signal(SIGPIPE, SIG_IGN);
	if (!parse_command_line(argc, argv, &args, &code))
		return code;
	code = load_config(&args, &config);
	if (!config || args.check)
		return code;
	return args.once ? once(config, state_dir, &args) : watch_until_stopped(config, state_dir);
}
