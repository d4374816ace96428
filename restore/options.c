#include "restore/options.h"

#include <assert.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "restore/help.h"

enum { COMMON_JSON = 1000, COMMON_YES, COMMON_PROGRESS, COMMON_HELP, COMMON_VERSION };
enum { WORD_SHOWN_BYTES = 80, OWN_FIRST = 2000 };

static const struct option common[] = {
	{"config", required_argument, NULL, 'c'},
	{"json", no_argument, NULL, COMMON_JSON},
	{"yes", no_argument, NULL, COMMON_YES},
	{"progress", required_argument, NULL, COMMON_PROGRESS},
	{"help", no_argument, NULL, COMMON_HELP},
	{"version", no_argument, NULL, COMMON_VERSION},
};

static bool set_progress(struct app *app, const char *value, struct err *err)
{
	static const char *const words[] = {
		[PROGRESS_AUTO] = "auto", [PROGRESS_ALWAYS] = "always", [PROGRESS_NEVER] = "never"};
	CLEANUP(freep) char *shown = NULL;

	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		if (strcmp(words[i], value) == 0) {
			app->progress = (enum progress)i;
			return true;
		}
	}
	shown = str_printable(value, strlen(value), WORD_SHOWN_BYTES);
	return err_set(err, ERR_USAGE, "--progress=%s: expected auto, always or never", shown);
}

static bool set_common(struct app *app, int id, const char *value, struct err *err)
{
	switch (id) {
	case 'c':
		app->config_file = value;
		return true;
	case COMMON_JSON:
		app->json = true;
		return true;
	case COMMON_YES:
		app->yes = true;
		return true;
	case COMMON_PROGRESS:
		return set_progress(app, value, err);
	case COMMON_HELP:
		app->help = true;
		return true;
	case COMMON_VERSION:
		app->version = true;
		return true;
	}
	return false;
}

static bool report_bad_option(int result, char **argv, struct err *err)
{
	const char *word = argv[optind - 1];
	CLEANUP(freep) char *shown = NULL;

	/* getopt has not moved past a word that holds a bad short option. */
	if (optopt > 0 && optopt < COMMON_JSON)
		shown = str_printf("-%c", optopt >= ' ' && optopt <= '~' ? optopt : '?');
	else
		shown = str_printable(word, strlen(word), WORD_SHOWN_BYTES);
	if (result == ':')
		return err_set(err, ERR_USAGE, "%s: needs a value", shown);
	if (optopt >= COMMON_JSON)
		return err_set(err, ERR_USAGE, "%s: takes no value", shown);
	return err_set(err, ERR_USAGE, "%s: no such option", shown);
}

/* getopt_long() with the common options and those of `options` (NULL: none). */
static bool run_getopt(struct app *app, int argc, char **argv, const char *short_options,
	const struct options *options, struct err *err)
{
	static const int argument_of[] = {[OPTION_PLAIN] = no_argument,
		[OPTION_VALUE] = required_argument,
		[OPTION_MAYBE] = optional_argument};
	struct option all[ARRAY_LEN(common) + OPTIONS_MAX + 1] = {0};
	size_t own = options ? options->count : 0;
	int result;

	assert(own <= OPTIONS_MAX);
	memcpy(all, common, sizeof(common));
	for (size_t i = 0; i < own; i++)
		all[ARRAY_LEN(common) + i] =
			(struct option){options->specs[i].name, argument_of[options->specs[i].kind],
				NULL, OWN_FIRST + options->specs[i].id};
	opterr = 0;
	optind = 0; /* resets getopt, even inside a word */
	while ((result = getopt_long(argc, argv, short_options, all, NULL)) != -1) {
		bool good;

		if (result == '?' || result == ':')
			return report_bad_option(result, argv, err);
		assert(options || result < OWN_FIRST);
		good = options && result >= OWN_FIRST
			       ? options->set(options->context, result - OWN_FIRST, optarg, err)
			       : set_common(app, result, optarg, err);
		if (!good)
			return false;
	}
	return true;
}

bool options_parse_common(struct app *app, int argc, char **argv, int *ret_next, struct err *err)
{
	if (!run_getopt(app, argc, argv, "+:c:", NULL, err))
		return false;
	*ret_next = optind;
	return true;
}

bool options_parse(struct app *app, int argc, char **argv, const struct options *options,
	struct arguments *ret_arguments, struct err *err)
{
	int count;

	if (!run_getopt(app, argc, argv, ":c:", options, err))
		return false;
	if (app->help || app->version) {
		if (app->version)
			help_version();
		else
			help_command(app->command);
		err_clear(err);
		return false;
	}
	count = argc - optind;
	if (count < options->arguments_min)
		return err_set(err, ERR_USAGE,
			"%s: too few arguments; 'mailstow %s --help' shows them", argv[0], argv[0]);
	if (count > options->arguments_max) {
		const char *word = argv[optind + options->arguments_max];
		CLEANUP(freep) char *shown = str_printable(word, strlen(word), WORD_SHOWN_BYTES);

		return err_set(err, ERR_USAGE, "%s: unexpected argument '%s'", argv[0], shown);
	}
	*ret_arguments = (struct arguments){count, argv + optind};
	return true;
}
