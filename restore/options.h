/*
 * Parses a command line. The options of every command (-c, --json, --yes, --progress=, --help) are
 * handled here, before and after the command's name; a command lists its own.
 *
 *	static const struct option_spec specs[] = {{"follow", OPTION_PLAIN, FOLLOW}};
 *	if (!options_parse(app, argc, argv, &(struct options){specs, ARRAY_LEN(specs), set, &mine,
 *0, 1}, &arguments, err)) return false;
 */
#ifndef MAILSTOW_RESTORE_OPTIONS_H
#define MAILSTOW_RESTORE_OPTIONS_H

#include <stddef.h>

#include "restore/app.h"

enum option_kind {
	OPTION_PLAIN, /* --name */
	OPTION_VALUE, /* --name=VALUE, --name VALUE */
	OPTION_MAYBE, /* --name, --name=VALUE */
};

enum { OPTIONS_MAX = 40 };

struct option_spec {
	const char *name;
	enum option_kind kind;
	int id;
};

struct options {
	const struct option_spec *specs;
	size_t count;
	/* value: NULL if none was given. ERR_USAGE: not acceptable. NULL without specs. */
	bool (*set)(void *context, int id, const char *value, struct err *err);
	void *context;
	int arguments_min, arguments_max;
};

struct arguments {
	int count;
	char **items; /* into argv */
};

/*
 * Parses what follows the command's name. ERR_USAGE says what is wrong. With --help it prints the
 * command's help and returns false with err->kind ERR_NONE; the command returns false as well.
 */
bool options_parse(struct app *app, int argc, char **argv, const struct options *options,
	struct arguments *ret_arguments, struct err *err);

/* Parses what precedes the command's name. *ret_next: index of that name, argc if there is none. */
bool options_parse_common(struct app *app, int argc, char **argv, int *ret_next, struct err *err);

#endif
