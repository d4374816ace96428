#include "base/err.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#undef err_set
#undef err_errno
#undef err_wrap

enum { EXIT_PARTIAL = 3 };

static const struct {
	const char *name;
	int exit_code;
} kinds[] = {
	[ERR_NONE] = {"none", EX_OK},
	[ERR_RETRY] = {"retry", EX_UNAVAILABLE},
	[ERR_REFUSED] = {"refused", EXIT_PARTIAL},
	[ERR_PROTOCOL] = {"protocol", EX_PROTOCOL},
	[ERR_SECURITY] = {"security", EX_PROTOCOL},
	[ERR_AUTH] = {"auth", EX_NOPERM},
	[ERR_LOCAL] = {"local", EX_IOERR},
	[ERR_NO_SPACE] = {"no-space", EX_IOERR},
	[ERR_CREATE] = {"create", EX_CANTCREAT},
	[ERR_CORRUPT] = {"corrupt", EX_DATAERR},
	[ERR_NEWER] = {"newer", EX_DATAERR},
	[ERR_NOT_FOUND] = {"not-found", EX_NOINPUT},
	[ERR_BUSY] = {"busy", EX_TEMPFAIL},
	[ERR_CANCELLED] = {"cancelled", EX_TEMPFAIL},
	[ERR_CONFIG] = {"config", EX_CONFIG},
	[ERR_USAGE] = {"usage", EX_USAGE},
};

PRINTF_LIKE(3, 0)
static void set_text(struct err *err, enum err_kind kind, const char *format, va_list args)
{
	assert(kind != ERR_NONE);
	err->kind = kind;
	(void)vsnprintf(err->text, sizeof(err->text), format, args);
}

bool err_set(struct err *err, enum err_kind kind, const char *format, ...)
{
	va_list args;

	if (!err)
		return false;
	va_start(args, format);
	set_text(err, kind, format, args);
	va_end(args);
	return false;
}

bool err_errno(struct err *err, enum err_kind kind, int errno_value, const char *format, ...)
{
	va_list args;
	size_t used;

	if (!err)
		return false;
	if (errno_value == ENOSPC || errno_value == EDQUOT)
		kind = ERR_NO_SPACE;
	va_start(args, format);
	set_text(err, kind, format, args);
	va_end(args);
	used = strlen(err->text);
	(void)snprintf(err->text + used, sizeof(err->text) - used, ": %s", strerror(errno_value));
	return false;
}

bool err_wrap(struct err *err, const char *format, ...)
{
	char inner[ERR_TEXT_MAX];
	va_list args;
	size_t used;

	if (!err)
		return false;
	assert(err->kind != ERR_NONE);
	memcpy(inner, err->text, sizeof(inner));
	va_start(args, format);
	(void)vsnprintf(err->text, sizeof(err->text), format, args);
	va_end(args);
	used = strlen(err->text);
	(void)snprintf(err->text + used, sizeof(err->text) - used, ": %s", inner);
	return false;
}

void err_clear(struct err *err)
{
	err->kind = ERR_NONE;
	err->text[0] = '\0';
}

bool err_is_unreadable(const struct err *err)
{
	return err->kind == ERR_CORRUPT || err->kind == ERR_NEWER;
}

int err_exit_code(enum err_kind kind)
{
	assert(kind < ARRAY_LEN(kinds));
	return kinds[kind].exit_code;
}

const char *err_kind_name(enum err_kind kind)
{
	assert(kind < ARRAY_LEN(kinds));
	return kinds[kind].name;
}
