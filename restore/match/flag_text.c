#include "restore/match/flag_text.h"

#include <string.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "imap/flags.h"

char *flag_text_pick(
	const char *flags, bool (*keep)(const void *context, const char *flag), const void *context)
{
	CLEANUP(freep) char *copy = xstrdup(flags);
	char *out = xcalloc(1, strlen(copy) + 1), *end = out, *rest = copy, *flag;

	while ((flag = strsep(&rest, " "))) {
		size_t len = strlen(flag);

		if (len == 0 || !keep(context, flag))
			continue;
		if (end > out)
			*end++ = ' ';
		memcpy(end, flag, len);
		end += len;
	}
	return out;
}

static bool is_absent(const void *others, const char *flag)
{
	return !flags_have(others, flag);
}

char *flag_text_without(const char *flags, const char *others)
{
	return flag_text_pick(flags, is_absent, others);
}

static bool is_keyword(const void *unused, const char *flag)
{
	(void)unused;
	return *flag != '\\';
}

char *flag_text_keywords(const char *flags)
{
	return flag_text_pick(flags, is_keyword, NULL);
}
