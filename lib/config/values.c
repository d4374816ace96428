#include "config/values.h"

#include <limits.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/str.h"

struct unit {
	char letter;
	uint64_t factor;
};

/* "NUMBER[unit]". Only 0 may lack the unit, unless plain_allowed. */
static bool parse_with_unit(const char *text, const struct unit *units, size_t count,
	bool plain_allowed, uint64_t *ret_value)
{
	size_t digits = strspn(text, "0123456789");
	CLEANUP(freep) char *number = strndup(text, digits);
	uint64_t value, factor = 0;

	if (!number || !str_parse_u64(number, &value))
		return false;
	if (text[digits] == '\0')
		factor = plain_allowed || value == 0 ? 1 : 0;
	else if (text[digits + 1] == '\0')
		for (size_t i = 0; i < count; i++)
			if (units[i].letter == text[digits])
				factor = units[i].factor;
	if (factor == 0 || value > INT64_MAX / factor)
		return false;
	*ret_value = value * factor;
	return true;
}

bool config_parse_duration(const char *text, int64_t *ret_ms)
{
	static const struct unit units[] = {
		{'s', 1000}, {'m', 60 * 1000}, {'h', 3600 * 1000}, {'d', 86400000ULL}};
	uint64_t value;

	if (!parse_with_unit(text, units, ARRAY_LEN(units), false, &value))
		return false;
	*ret_ms = (int64_t)value;
	return true;
}

bool config_parse_size(const char *text, uint64_t *ret_bytes)
{
	static const struct unit units[] = {{'k', 1ULL << 10}, {'K', 1ULL << 10}, {'M', 1ULL << 20},
		{'G', 1ULL << 30}, {'T', 1ULL << 40}};

	return parse_with_unit(text, units, ARRAY_LEN(units), true, ret_bytes);
}
