#include "config/load/account_keys.h"

#include <stddef.h>

#include "base/str.h"
#include "config/load/key_value.h"

enum {
	CONNECTIONS_MAX = 20,
	IDLE_MINUTES_MAX = 29, /* RFC 2177: servers may log out after 30 */
	POLL_MINUTES_MAX = 7 * 24 * 60,
	SCAN_MINUTES_MAX = 365 * 24 * 60,
};

#define ACCOUNT(member) offsetof(struct config_account, member)

static const char a_command[] = "a shell command";
static const char a_private_file[] = "a file of mode 0600";
static const char a_credential[] = "the name of a systemd credential";
static const char text_or_nothing[] = "text or nothing";

static const struct config_key of_account[] = {
	{"address", ACCOUNT(address), VALUE_ADDRESS, 0, "a mail address such as a@example.org"},
	{"host", ACCOUNT(host), VALUE_HOST, 0, "a host name or address"},
	{"port", ACCOUNT(port), VALUE_PORT, 0, "a number from 1 to 65535"},
	{"tls", ACCOUNT(tls), VALUE_TLS, 0, "implicit, starttls or off"},
	{"tls-ca-file", ACCOUNT(tls_ca_file), VALUE_MAYBE_PATH, 0, "a PEM file"},
	{"tls-pin-sha256", ACCOUNT(tls_pin_sha256), VALUE_PIN, 0,
		"SHA-256 of the server's public key in base64 or hex"},
	{"user", ACCOUNT(user), VALUE_TEXT, 0, "a login name"},
	{"auth", ACCOUNT(auth), VALUE_AUTH, 0,
		"auto, plain, login, scram-sha-256, scram-sha-1, xoauth2 or oauthbearer"},
	{"password-command", ACCOUNT(password.command), VALUE_COMMAND, 0, a_command},
	{"password-file", ACCOUNT(password.file), VALUE_PATH, 0, a_private_file},
	{"password-credential", ACCOUNT(password.credential), VALUE_CREDENTIAL, 0, a_credential},
	{"token-command", ACCOUNT(token.command), VALUE_COMMAND, 0, a_command},
	{"oauth-client-id", ACCOUNT(oauth_client_id), VALUE_MAYBE, 0, text_or_nothing},
	{"oauth-client-secret-file", ACCOUNT(oauth_client_secret_file), VALUE_MAYBE_PATH, 0,
		a_private_file},
	{"oauth-tenant", ACCOUNT(oauth_tenant), VALUE_MAYBE, 0, text_or_nothing},
	{"master-user", ACCOUNT(master_user), VALUE_MAYBE, 0, "a login name or nothing"},
	{"mirror", ACCOUNT(mirror), VALUE_YES, 0, "yes or no"},
	{"folders", ACCOUNT(folders), VALUE_GLOBS, 0,
		"blank-separated globs, '!' before one excludes"},
	{"connections", ACCOUNT(connections), VALUE_NUMBER, CONNECTIONS_MAX,
		"a number from 1 to 20"},
	{"idle-renew", ACCOUNT(idle_renew_ms), VALUE_DURATION, IDLE_MINUTES_MAX,
		"a duration from 1s to 29m"},
	{"poll", ACCOUNT(poll_ms), VALUE_DURATION, POLL_MINUTES_MAX, "a duration from 1s to 7d"},
	{"flag-scan", ACCOUNT(flag_scan_ms), VALUE_DURATION, SCAN_MINUTES_MAX,
		"a duration from 1s to 365d"},
	{"passphrase-command", ACCOUNT(passphrase.command), VALUE_COMMAND, 0, a_command},
	{"passphrase-file", ACCOUNT(passphrase.file), VALUE_MAYBE_PATH, 0, a_private_file},
	{"key-file", ACCOUNT(key_file), VALUE_MAYBE_PATH, 0, a_private_file},
	{"key-credential", ACCOUNT(key_credential), VALUE_CREDENTIAL, 0, a_credential},
	{"keep", ACCOUNT(keep), VALUE_KEEP, 0,
		"all, or some of last=N hourly=N daily=N weekly=N monthly=N yearly=N within=7d"},
	{"keep-deleted", ACCOUNT(keep_deleted_ms), VALUE_FOREVER, 0,
		"forever or a duration such as 90d"},
	{"seal-after", ACCOUNT(seal_after_ms), VALUE_DURATION, SCAN_MINUTES_MAX,
		"a duration from 1s to 365d"},
	{"guard-threshold", ACCOUNT(guard_percent), VALUE_PERCENT, 0, "0% to 100%"},
	{"max-message-size", ACCOUNT(max_message_bytes), VALUE_SIZE, 0,
		"a size such as 512M (k M G T)"},
	{"ping-url", ACCOUNT(ping_url), VALUE_URL, 0, "an http or https URL"},
};

const struct key_table account_keys = {of_account, ARRAY_LEN(of_account)};

void account_defaults(struct config_account *account)
{
	static const char *const defaults[][2] = {{"folders", "*"}, {"connections", "2"},
		{"idle-renew", "9m"}, {"poll", "5m"}, {"flag-scan", "1h"}, {"keep", "all"},
		{"keep-deleted", "forever"}, {"seal-after", "10m"}, {"guard-threshold", "30%"},
		{"max-message-size", "512M"}, {"mirror", "yes"}};

	for (size_t i = 0; i < ARRAY_LEN(defaults); i++)
		(void)key_set(key_find(&account_keys, defaults[i][0]), account, "", defaults[i][1]);
}
