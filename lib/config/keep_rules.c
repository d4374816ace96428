#include "config/keep_rules.h"

#include <stddef.h>
#include <string.h>

#include "base/str.h"
#include "config/values.h"

enum { KEEP_NUMBER_MAX = 1000000, KEEP_WORD_BYTES_MAX = 64 };

static const struct {
	const char *name;
	size_t offset;
} numbers[] = {
	{"last=", offsetof(struct config_keep, last)},
	{"hourly=", offsetof(struct config_keep, hourly)},
	{"daily=", offsetof(struct config_keep, daily)},
	{"weekly=", offsetof(struct config_keep, weekly)},
	{"monthly=", offsetof(struct config_keep, monthly)},
	{"yearly=", offsetof(struct config_keep, yearly)},
};

static const char within[] = "within=";

static bool set_rule_number(struct config_keep *keep, size_t at, const char *text)
{
	unsigned *number = (unsigned *)((char *)keep + numbers[at].offset);
	uint64_t value;

	if (*number != 0 || !str_parse_u64(text, &value) || value < 1 || value > KEEP_NUMBER_MAX)
		return false;
	*number = (unsigned)value;
	return true;
}

static bool set_rule(struct config_keep *keep, const char *word)
{
	for (size_t i = 0; i < ARRAY_LEN(numbers); i++)
		if (str_starts(word, numbers[i].name))
			return set_rule_number(keep, i, word + strlen(numbers[i].name));
	return str_starts(word, within) && keep->within_ms == 0 &&
	       config_parse_duration(word + strlen(within), &keep->within_ms) &&
	       keep->within_ms > 0;
}

bool config_parse_keep(const char *text, struct config_keep *ret_keep)
{
	struct config_keep keep = {.all = strcmp(text, "all") == 0};
	bool any = keep.all;

	while (*text && !keep.all) {
		size_t len = strcspn(text, " \t");
		char word[KEEP_WORD_BYTES_MAX];

		if (len >= sizeof(word))
			return false;
		memcpy(word, text, len);
		word[len] = '\0';
		if (len > 0 && !set_rule(&keep, word))
			return false;
		any = any || len > 0;
		text += len;
		text += strspn(text, " \t");
	}
	if (any)
		*ret_keep = keep;
	return any;
}
