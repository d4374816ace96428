#include "config/load/key_value.h"

#include <string.h>

#include "base/alloc.h"
#include "base/fs.h"
#include "config/account.h"
#include "config/keep_rules.h"
#include "config/load/texts.h"
#include "config/values.h"

enum {
	PORT_MAX = 65535,
	PERCENT_MAX = 100,
	GLOBS_MAX = 1000,
	MINUTE_MS = 60 * 1000,
	SECOND_MS = 1000,
};

static void replace_text(char **text, char *value)
{
	free(*text);
	*text = value;
}

static bool set_text_value(char **text, const char *value, bool (*valid)(const char *value))
{
	if (valid && !valid(value))
		return false;
	replace_text(text, value[0] ? xstrdup(value) : NULL);
	return true;
}

static bool not_empty(const char *value)
{
	return value[0] != '\0';
}

static bool set_optional_text(char **text, const char *value, bool (*valid)(const char *value))
{
	return set_text_value(text, value, value[0] ? valid : NULL);
}

static bool set_path(char **text, const char *value, const char *folder)
{
	CLEANUP(freep) char *path = fs_expand_home(value);

	if (value[0] == '\0')
		return false;
	replace_text(text, path[0] == '/' || folder[0] == '\0' ? TAKE(path)
							       : str_printf("%s/%s", folder, path));
	return true;
}

static bool set_number(int *number, const char *value, int limit)
{
	uint64_t parsed;

	if (!str_parse_u64(value, &parsed) || parsed < 1 || parsed > (uint64_t)limit)
		return false;
	*number = (int)parsed;
	return true;
}

static bool set_port(uint16_t *port, const char *value)
{
	int number;

	if (!set_number(&number, value, PORT_MAX))
		return false;
	*port = (uint16_t)number;
	return true;
}

static bool set_yes(bool *yes, const char *value)
{
	if (strcmp(value, "yes") != 0 && strcmp(value, "no") != 0)
		return false;
	*yes = value[0] == 'y';
	return true;
}

static bool set_tls(enum config_tls *tls, const char *value)
{
	for (enum config_tls word = CONFIG_TLS_IMPLICIT; word <= CONFIG_TLS_OFF; word++) {
		if (strcmp(config_tls_word(word), value) == 0) {
			*tls = word;
			return true;
		}
	}
	return false;
}

static bool set_auth(enum config_auth *auth, const char *value)
{
	for (enum config_auth word = CONFIG_AUTH_AUTO; word <= CONFIG_AUTH_OAUTHBEARER; word++) {
		if (strcmp(config_auth_word(word), value) == 0) {
			*auth = word;
			return true;
		}
	}
	return false;
}

static bool set_percent(int *percent, const char *value)
{
	size_t digits = strspn(value, "0123456789");
	CLEANUP(freep) char *number = xstrndup(value, digits);
	uint64_t parsed;

	if (strcmp(value + digits, "%") != 0 || !str_parse_u64(number, &parsed) ||
		parsed > PERCENT_MAX)
		return false;
	*percent = (int)parsed;
	return true;
}

static bool set_globs(struct str_list *globs, const char *value)
{
	CLEANUP(str_list_free) struct str_list words = {0};

	while (*value) {
		size_t len = strcspn(value, " \t");

		if (len > 0)
			str_list_take(&words, xstrndup(value, len));
		value += len;
		value += strspn(value, " \t");
	}
	if (words.count == 0 || words.count > GLOBS_MAX || str_list_has(&words, "!"))
		return false;
	str_list_free(globs);
	*globs = words;
	words = (struct str_list){0};
	return true;
}

static bool keep_valid(const char *value)
{
	struct config_keep keep;

	return config_parse_keep(value, &keep);
}

static bool set_duration(int64_t *ms, const char *value, int limit_minutes)
{
	int64_t parsed;

	if (!config_parse_duration(value, &parsed) || parsed < SECOND_MS ||
		parsed > (int64_t)limit_minutes * MINUTE_MS)
		return false;
	*ms = parsed;
	return true;
}

static bool set_forever(int64_t *ms, const char *value)
{
	if (strcmp(value, "forever") != 0)
		return config_parse_duration(value, ms);
	*ms = -1;
	return true;
}

static bool set_size(uint64_t *bytes, const char *value)
{
	uint64_t parsed;

	if (!config_parse_size(value, &parsed) || parsed == 0)
		return false;
	*bytes = parsed;
	return true;
}

bool key_set(const struct config_key *key, void *target, const char *folder, const char *value)
{
	void *at = (char *)target + key->offset;

	switch (key->kind) {
	case VALUE_ADDRESS:
		return set_text_value(at, value, text_is_address);
	case VALUE_HOST:
		return set_text_value(at, value, text_is_host);
	case VALUE_TEXT:
		return set_text_value(at, value, not_empty);
	case VALUE_MAYBE:
	case VALUE_COMMAND:
		return set_optional_text(at, value, NULL);
	case VALUE_CREDENTIAL:
		return set_optional_text(at, value, text_is_file_name);
	case VALUE_URL:
		return set_optional_text(at, value, text_is_url);
	case VALUE_LISTEN:
		return set_optional_text(at, value, text_is_listen);
	case VALUE_PIN:
		return set_optional_text(at, value, text_is_pin);
	case VALUE_PATH:
		return set_path(at, value, folder);
	case VALUE_MAYBE_PATH:
		return value[0] ? set_path(at, value, folder) : set_optional_text(at, value, NULL);
	case VALUE_NUMBER:
		return set_number(at, value, key->limit);
	case VALUE_PORT:
		return set_port(at, value);
	case VALUE_TLS:
		return set_tls(at, value);
	case VALUE_AUTH:
		return set_auth(at, value);
	case VALUE_YES:
		return set_yes(at, value);
	case VALUE_DURATION:
		return set_duration(at, value, key->limit);
	case VALUE_FOREVER:
		return set_forever(at, value);
	case VALUE_SIZE:
		return set_size(at, value);
	case VALUE_PERCENT:
		return set_percent(at, value);
	case VALUE_GLOBS:
		return set_globs(at, value);
	case VALUE_KEEP:
		return set_text_value(at, value, keep_valid);
	}
	return false;
}
