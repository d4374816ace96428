/* Limits of the configuration that other rooms and the tests rely on. */
#ifndef MAILSTOW_CONFIG_CONFIG_LIMITS_H
#define MAILSTOW_CONFIG_CONFIG_LIMITS_H

enum {
	CONFIG_FILE_BYTES_MAX = 16 * 1024 * 1024,
	CONFIG_ACCOUNTS_MAX = 20000,
	CONFIG_NAME_BYTES_MAX = 64,
	CONFIG_LIST_LINE_BYTES_MAX = 1024, /* one line of a file of accounts */
	CONFIG_PROBLEMS_MAX = 100,
	CONFIG_SECRET_BYTES_MAX = 64 * 1024,
	CONFIG_SECRET_TIMEOUT_MS = 60 * 1000, /* for one password-command */
};

#endif
