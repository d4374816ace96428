#include "config/load/presets.h"

#include <string.h>

#include "base/str.h"

/* As the providers publish them; all offer implicit TLS on port 993. */
static const struct {
	const char *domain, *host;
} presets[] = {
	{"gmail.com", "imap.gmail.com"},
	{"googlemail.com", "imap.gmail.com"},
	{"outlook.com", "outlook.office365.com"},
	{"hotmail.com", "outlook.office365.com"},
	{"live.com", "outlook.office365.com"},
	{"msn.com", "outlook.office365.com"},
	{"fastmail.com", "imap.fastmail.com"},
	{"fastmail.fm", "imap.fastmail.com"},
	{"gmx.net", "imap.gmx.net"},
	{"gmx.de", "imap.gmx.net"},
	{"gmx.com", "imap.gmx.com"},
	{"web.de", "imap.web.de"},
	{"icloud.com", "imap.mail.me.com"},
	{"me.com", "imap.mail.me.com"},
	{"mac.com", "imap.mail.me.com"},
	{"yahoo.com", "imap.mail.yahoo.com"},
	{"ymail.com", "imap.mail.yahoo.com"},
	{"aol.com", "imap.aol.com"},
	{"posteo.de", "posteo.de"},
	{"mailbox.org", "imap.mailbox.org"},
	{"t-online.de", "secureimap.t-online.de"},
	{"zoho.com", "imap.zoho.com"},
	{"mail.ru", "imap.mail.ru"},
};

const char *preset_host(const char *address)
{
	const char *at = strrchr(address, '@');

	for (size_t i = 0; at && i < ARRAY_LEN(presets); i++)
		if (str_equal_case(at + 1, presets[i].domain))
			return presets[i].host;
	return NULL;
}
