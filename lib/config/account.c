#include "config/account.h"

#include <string.h>

#include "config/config_limits.h"

static const char *const tls_words[] = {
	[CONFIG_TLS_IMPLICIT] = "implicit",
	[CONFIG_TLS_STARTTLS] = "starttls",
	[CONFIG_TLS_OFF] = "off",
};

static const char *const auth_words[] = {
	[CONFIG_AUTH_AUTO] = "auto",
	[CONFIG_AUTH_PLAIN] = "plain",
	[CONFIG_AUTH_LOGIN] = "login",
	[CONFIG_AUTH_SCRAM_SHA_256] = "scram-sha-256",
	[CONFIG_AUTH_SCRAM_SHA_1] = "scram-sha-1",
	[CONFIG_AUTH_XOAUTH2] = "xoauth2",
	[CONFIG_AUTH_OAUTHBEARER] = "oauthbearer",
};

const char *config_tls_word(enum config_tls tls)
{
	return tls_words[tls];
}

const char *config_auth_word(enum config_auth auth)
{
	return auth_words[auth];
}

bool config_name_valid(const char *name)
{
	static const char allowed[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._+@-";
	size_t len = strlen(name);

	return len >= 1 && len <= CONFIG_NAME_BYTES_MAX && name[0] != '.' &&
	       strspn(name, allowed) == len;
}

/* INBOX is the only case-insensitive name (RFC 9051, 5.1). */
static bool glob_matches_folder(const char *glob, const char *path)
{
	return str_glob(glob, path) ||
	       (str_equal_case(glob, "INBOX") && str_equal_case(path, "INBOX"));
}

bool config_wants_folder(const struct config_account *account, const char *path)
{
	bool wanted = false, only_exclusions = true;

	for (size_t i = 0; i < account->folders.count; i++) {
		const char *glob = account->folders.items[i];

		if (glob[0] != '!') {
			only_exclusions = false;
			wanted = wanted || glob_matches_folder(glob, path);
		} else if (glob_matches_folder(glob + 1, path)) {
			return false;
		}
	}
	return wanted || only_exclusions;
}
