/* One account as configured. Keys and defaults are those of mailstow.conf(5). */
#ifndef MAILSTOW_CONFIG_ACCOUNT_H
#define MAILSTOW_CONFIG_ACCOUNT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"
#include "config/account_secret.h"

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

/* The words used in the configuration file. */
const char *config_tls_word(enum config_tls tls);
const char *config_auth_word(enum config_auth auth);

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
	char *keep;              /* the configured text, checked by config_parse_keep(); "all" */
	int64_t keep_deleted_ms; /* -1: forever */
	int64_t seal_after_ms;   /* after this long without changes */
	int guard_percent;
	uint64_t max_message_bytes;
	char *ping_url;     /* NULL: none */
	char *archive_path; /* archive-dir/NAME */
};

/* Is this a valid account name? [A-Za-z0-9._+@-], 1 to 64, no leading dot. */
bool config_name_valid(const char *name);

/* Does a folder path match the account's `folders` globs? Pure. */
bool config_wants_folder(const struct config_account *account, const char *path);

#endif
