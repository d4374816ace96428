#include "imap/flags.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/alloc.h"
#include "imap/limits.h"

static const char *const system_flags[] = {
	"\\Answered", "\\Deleted", "\\Draft", "\\Flagged", "\\Seen"};

void flag_set_init(struct flag_set *set)
{
	*set = (struct flag_set){0};
	buf_init(&set->text, IMAP_FLAGS_BYTES_MAX);
}

void flag_set_free(struct flag_set *set)
{
	buf_free(&set->text);
	set->count = 0;
}

void flag_set_reset(struct flag_set *set)
{
	buf_reset(&set->text);
	set->count = 0;
	set->wildcard = false;
}

/* An atom, or a backslash and an atom. Allows ']', as real keywords hold it. */
static bool is_flag(const char *flag, size_t len)
{
	if (len > 0 && *flag == '\\') {
		flag++;
		len--;
	}
	for (size_t i = 0; i < len; i++)
		if (flag[i] <= ' ' || flag[i] > '~' || strchr("(){%*\"\\", flag[i]))
			return false;
	return len > 0;
}

static bool is_recent(const char *flag, size_t len)
{
	return len == strlen("\\Recent") && strncasecmp(flag, "\\Recent", len) == 0;
}

static bool is_wildcard(const char *flag, size_t len)
{
	return len == 2 && memcmp(flag, "\\*", 2) == 0;
}

bool flag_set_add(struct flag_set *set, const void *flag, size_t len, size_t *ret_bad)
{
	if (!is_flag(flag, len) && !(set->wildcard && is_wildcard(flag, len))) {
		(*ret_bad)++;
		return true;
	}
	if (is_recent(flag, len))
		return true;
	if (set->count == IMAP_FLAGS_MAX || set->text.len + len >= IMAP_FLAGS_BYTES_MAX)
		return false;
	set->count++;
	return (set->text.len == 0 || buf_add_byte(&set->text, ' ')) &&
	       buf_add(&set->text, flag, len);
}

static const char *in_rfc_case(const char *flag)
{
	for (size_t i = 0; i < ARRAY_LEN(system_flags); i++)
		if (strcasecmp(flag, system_flags[i]) == 0)
			return system_flags[i];
	return flag;
}

static int compare(const void *a, const void *b)
{
	const char *const *left = a, *const *right = b;

	return strcmp(*left, *right);
}

/* Puts flags that are equal ignoring case side by side, the bytewise first one in front. */
static int compare_case(const void *a, const void *b)
{
	const char *const *left = a, *const *right = b;
	int order = strcasecmp(*left, *right);

	return order ? order : strcmp(*left, *right);
}

static size_t drop_doubles(const char **flags, size_t count)
{
	size_t kept = 0;

	for (size_t i = 0; i < count; i++)
		if (kept == 0 || strcasecmp(flags[kept - 1], flags[i]) != 0)
			flags[kept++] = flags[i];
	return kept;
}

char *flag_set_canonical(const struct flag_set *set)
{
	CLEANUP(freep) char *text = xstrdup(buf_str(&set->text));
	CLEANUP(freep) const char **flags = xcalloc(set->count + 1, sizeof(const char *));
	char *result = xmalloc(set->text.len + 1), *end = result, *rest = text;
	size_t count = 0;

	assert(set->count <= IMAP_FLAGS_MAX && set->text.len <= IMAP_FLAGS_BYTES_MAX);
	for (const char *flag; (flag = strsep(&rest, " ")) && count < set->count;)
		flags[count++] = in_rfc_case(flag);
	qsort(flags, count, sizeof(const char *), compare_case);
	count = drop_doubles(flags, count);
	qsort(flags, count, sizeof(const char *), compare);
	for (size_t i = 0; i < count; i++) {
		if (i > 0)
			*end++ = ' ';
		end = stpcpy(end, flags[i]);
	}
	*end = '\0';
	return result;
}

bool flag_can_be_sent(const char *flag, size_t len)
{
	return is_flag(flag, len) && !is_recent(flag, len);
}

bool flags_have(const char *flags, const char *flag)
{
	size_t wanted = strlen(flag);

	while (*flags) {
		size_t len = strcspn(flags, " ");

		if (len == wanted && strncasecmp(flags, flag, len) == 0)
			return true;
		flags += len;
		flags += *flags == ' ';
	}
	return false;
}
