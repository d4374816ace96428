/*
 * The configuration file (INI, libinih) and the lists of accounts it names: text in, checked
 * structs out. Keys and defaults are those of mailstow.conf(5). No password is fetched here.
 *
 * [template NAME] has the keys of an account, and [accounts-from NAME] a `file` of lines
 * name<TAB>address<TAB>user (user may be left out; '#' begins a comment), each an account with the
 * template's keys. In the template's values %u is the local part of the address, %d its domain, %%
 * a percent sign. Where they could do harm (commands, paths, hosts, ...) only letters, digits and
 * . _ + = - are put in.
 *
 * Paths may begin with "~"; relative ones begin at the folder of the configuration file.
 *
 * Every problem is one line "FILE:LINE: KEY: reason; what would be accepted". All of them are
 * collected, up to CONFIG_PROBLEMS_MAX, sorted by file and line. None holds a secret.
 */
#ifndef MAILSTOW_CONFIG_CONFIG_H
#define MAILSTOW_CONFIG_CONFIG_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"
#include "base/wait.h"

enum {
	CONFIG_FILE_BYTES_MAX = 16 * 1024 * 1024,
	CONFIG_ACCOUNTS_MAX = 20000,
	CONFIG_NAME_BYTES_MAX = 64,
	CONFIG_LIST_LINE_BYTES_MAX = 1024, /* of a file of accounts */
	CONFIG_PROBLEMS_MAX = 100,
	CONFIG_SECRET_BYTES_MAX = 64 * 1024,
	CONFIG_SECRET_TIMEOUT_MS = 60 * 1000, /* of a password-command */
};

enum config_tls { CONFIG_TLS_IMPLICIT, CONFIG_TLS_STARTTLS, CONFIG_TLS_OFF };

enum config_auth {
	CONFIG_AUTH_AUTO,
	CONFIG_AUTH_PLAIN,
	CONFIG_AUTH_LOGIN,
	CONFIG_AUTH_SCRAM_SHA_256,
	CONFIG_AUTH_SCRAM_SHA_1,
	CONFIG_AUTH_XOAUTH2,
	CONFIG_AUTH_OAUTHBEARER,
};

/* As the file has them. */
const char *config_tls_word(enum config_tls tls);
const char *config_auth_word(enum config_auth auth);

/* Where a secret comes from; at most one is set. Never the secret itself. */
struct config_secret {
	char *command;    /* run by /bin/sh, first line of its output */
	char *file;       /* mode 0600 or stricter, first line */
	char *credential; /* name below $CREDENTIALS_DIRECTORY (systemd) */
};

struct config_account {
	char *name;
	char *address; /* "" when not given */
	char *host;    /* "" when not known */
	uint16_t port;
	enum config_tls tls;
	char *tls_ca_file;    /* NULL: the system's */
	char *tls_pin_sha256; /* NULL: none */
	char *user;
	enum config_auth auth;
	struct config_secret password;
	struct config_secret token;                                      /* command only */
	struct config_secret passphrase;                                 /* archive encryption */
	char *key_file;                                                  /* NULL: none */
	char *key_credential;                                            /* NULL: none */
	char *oauth_client_id, *oauth_client_secret_file, *oauth_tenant; /* NULL: none */
	char *master_user;                                               /* NULL: none */
	bool mirror;
	struct str_list folders; /* globs, '!' excludes; default "*" */
	int connections;
	int64_t idle_renew_ms;
	int64_t poll_ms;
	int64_t flag_scan_ms;
	char *keep;              /* as written, checked: config_parse_keep(); "all" */
	int64_t keep_deleted_ms; /* -1: forever */
	int64_t seal_after_ms;   /* without changes */
	int guard_percent;
	uint64_t max_message_bytes;
	char *ping_url;     /* NULL: none */
	char *archive_path; /* archive-dir/NAME */
};

struct config {
	char *file; /* that was read */
	char *archive_dir;
	int workers;
	char *metrics_listen, *metrics_textfile, *notify_command; /* NULL: off */
	struct config_account *accounts;                          /* in file order */
	size_t accounts_count;
};

/*
 * The file to read: `given` (may be NULL), else the defaults of the interface, first that exists.
 * ERR_CONFIG when there is none, naming where was looked. The caller frees.
 */
bool config_find(const char *given, char **ret_path, struct err *err);

/* The same, and where there is none, the place to make it: `given`, or the first of the defaults.
 */
char *config_find_or_place(const char *given);

/*
 * Read and check. On failure (ERR_CONFIG) err has the first problem and, when problems is not NULL,
 * problems gets all of them.
 */
bool config_load(
	const char *path, struct config **ret_config, struct str_list *problems, struct err *err);

/*
 * A section that is to stand at the end of the file, which is made if there is none: load it as if
 * it did, and then write it. The file is replaced at once, keeps its mode, and may be a link.
 * config_add(): ERR_AUTH when it belongs to somebody else.
 */
bool config_load_with(const char *path, const char *section, struct config **ret_config,
	struct str_list *problems, struct err *err);
bool config_add(const char *path, const char *section, struct err *err);

/*
 * For --check-config: as config_load(), and the files it names must be there: readable, and those
 * with secrets by nobody else.
 */
bool config_check(const char *path, struct str_list *problems, struct err *err);

void config_freep(struct config **config);

/* By name, else by address when just one has it. NULL: none. */
const struct config_account *config_account(const struct config *config, const char *name);

/* Is this a valid account name? [A-Za-z0-9._+@-], 1 to 64, no leading dot. */
bool config_name_valid(const char *name);

/* Does a folder path pass an account's `folders` globs? Pure. */
bool config_wants_folder(const struct config_account *account, const char *path);

/*
 * Fetch a secret into out (bounded, wiped by the caller with buf_wipe()). Nothing of it is in err.
 * ERR_CONFIG: none configured, file too open (mode), empty; ERR_AUTH: command failed;
 * ERR_RETRY: command timed out; ERR_CANCELLED. A command that is waited for no more is ended.
 */
bool config_secret_read(const struct config_secret *secret, const char *what,
	const struct cancel *cancel, struct buf *out, struct err *err);

/* Values, also for command-line options. "10s 5m 2h 7d", "10M" (k M G T, powers of 1024). */
bool config_parse_duration(const char *text, int64_t *ret_ms);
bool config_parse_size(const char *text, uint64_t *ret_bytes);

/* The words of `keep`; 0: the word is not there. */
struct config_keep {
	bool all;
	unsigned last, hourly, daily, weekly, monthly, yearly;
	int64_t within_ms;
};
bool config_parse_keep(const char *text, struct config_keep *ret_keep);

/* Where losable state lives: state/ in the first of $STATE_DIRECTORY (systemd),
 * $XDG_STATE_HOME/mailstow or
 * ~/.local/state/mailstow, /var/lib/mailstow/state for root. The caller frees. */
char *config_state_dir(void);

#endif
