#include "mirror/account_connect.h"

static const enum imap_tls tls_of[] = {
	[CONFIG_TLS_IMPLICIT] = IMAP_TLS_IMPLICIT,
	[CONFIG_TLS_STARTTLS] = IMAP_TLS_STARTTLS,
	[CONFIG_TLS_OFF] = IMAP_TLS_OFF,
};

static bool auth_of(const struct config_account *account, enum imap_auth *ret_auth, struct err *err)
{
	switch (account->auth) {
	case CONFIG_AUTH_AUTO:
		*ret_auth = IMAP_AUTH_AUTO;
		return true;
	case CONFIG_AUTH_PLAIN:
		*ret_auth = IMAP_AUTH_PLAIN;
		return true;
	case CONFIG_AUTH_LOGIN:
		*ret_auth = IMAP_AUTH_LOGIN;
		return true;
	case CONFIG_AUTH_SCRAM_SHA_256:
		*ret_auth = IMAP_AUTH_SCRAM_SHA_256;
		return true;
	case CONFIG_AUTH_SCRAM_SHA_1:
	case CONFIG_AUTH_XOAUTH2:
	case CONFIG_AUTH_OAUTHBEARER:
		break;
	}
	return err_set(err, ERR_CONFIG,
		"auth: this mechanism is not supported yet; "
		"expected auto, plain, login or scram-sha-256");
}

bool mirror_connect(const struct config_account *account, FILE *wire_log,
	const struct cancel *cancel, struct imap **ret_imap, struct err *err)
{
	CLEANUP(buf_wipe) struct buf password = BUF_INIT(CONFIG_SECRET_BYTES_MAX);
	struct imap_login login = {
		.host = account->host,
		.port = account->port,
		.tls = tls_of[account->tls],
		.ca_file = account->tls_ca_file,
		.pin_sha256 = account->tls_pin_sha256,
		.user = account->master_user ? account->master_user : account->user,
		.act_for = account->master_user ? account->user : NULL,
		.wire_log = wire_log,
		.cancel = cancel,
	};

	if (account->host[0] == '\0')
		return err_set(err, ERR_CONFIG,
			"account %s has no host; set host in the configuration", account->name);
	if (!auth_of(account, &login.auth, err))
		return false;
	if (!config_secret_read(&account->password, "password", cancel, &password, err))
		return false;
	login.password = buf_str(&password);
	return imap_connect(&login, ret_imap, err);
}
