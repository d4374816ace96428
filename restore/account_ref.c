#include "restore/account_ref.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "archive/unlock.h"
#include "base/alloc.h"
#include "base/buf.h"
#include "restore/ui/when.h"

enum { NAME_SHOWN_BYTES = 200, NAMES_SHOWN_MAX = 8, NAMES_BYTES_MAX = 4096 };

/* "alice@yesterday": the part after '@' was probably meant as WHEN. */
static bool has_account_before_at(const struct config *config, const char *name)
{
	const char *at = strrchr(name, '@');
	CLEANUP(freep) char *account = at ? xstrndup(name, (size_t)(at - name)) : NULL;

	return account && config_account(config, account);
}

static bool report_no_account(const struct config *config, const char *name, struct err *err)
{
	CLEANUP(buf_free) struct buf names = BUF_INIT(NAMES_BYTES_MAX);
	CLEANUP(freep) char *shown = str_printable(name, strlen(name), NAME_SHOWN_BYTES);
	size_t count =
		config->accounts_count < NAMES_SHOWN_MAX ? config->accounts_count : NAMES_SHOWN_MAX;

	if (has_account_before_at(config, name))
		return err_set(err, ERR_NOT_FOUND,
			"no account '%s'; @WHEN is a snapshot number, a date such as 2026-11-20 or "
			"a time such as 2026-11-20T10:00",
			shown);
	if (count == 0)
		return err_set(err, ERR_NOT_FOUND, "no account '%s': %s configures none", shown,
			config->file);
	for (size_t i = 0; i < count; i++)
		if (!buf_printf(&names, "%s%s", i ? ", " : "", config->accounts[i].name))
			break;
	return err_set(err, ERR_NOT_FOUND, "no account '%s'; there %s %s%s", shown,
		count == 1 ? "is" : "are", buf_str(&names),
		count < config->accounts_count ? ", ..." : "");
}

static bool find_configured(struct app *app, struct account_ref *place, struct err *err)
{
	const struct config *config = NULL;

	if (!app_config(app, &config, err))
		return false;
	assert(config);
	place->account = config_account(config, place->name);
	if (!place->account)
		return report_no_account(config, place->name, err);
	place->archive.path = xstrdup(place->account->archive_path);
	return true;
}

bool account_ref_find(
	struct app *app, const char *text, struct account_ref *ret_place, struct err *err)
{
	CLEANUP(account_ref_free) struct account_ref place = {0};

	place.archive.keys = archive_keys_new();
	place.when_given = when_split(text, &place.name, &place.when);
	if (strchr(place.name, '/'))
		place.archive.path = xstrdup(place.name);
	else if (!find_configured(app, &place, err))
		return false;
	*ret_place = place;
	place = (struct account_ref){0};
	return true;
}

bool account_ref_find_whole(
	struct app *app, const char *text, struct account_ref *ret_place, struct err *err)
{
	return account_ref_find(app, text, ret_place, err) &&
	       (!ret_place->when_given ||
		       err_set(err, ERR_USAGE, "%s: works on the whole archive; leave out @WHEN",
			       app->command->name));
}

void account_ref_free(struct account_ref *place)
{
	free(place->name);
	free((char *)place->archive.path);
	archive_keys_freep(&place->archive.keys);
	*place = (struct account_ref){0};
}
