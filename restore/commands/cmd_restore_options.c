#include "restore/commands/cmd_restore_options.h"

#include <string.h>

enum option {
	OPT_TO = SELECT_OPTIONS_END,
	OPT_MAP,
	OPT_PREFIX,
	OPT_NO_SPECIAL_USE,
	OPT_NO_JUNK,
	OPT_DRY_RUN,
	OPT_VERIFY,
	OPT_LABELS,
	OPT_REPAIR,
};

static bool set_verify(struct restore_line *line, const char *value, struct err *err)
{
	if (!value || strcmp(value, "sample") == 0)
		line->verify = RESTORE_VERIFY_SAMPLE;
	else if (strcmp(value, "full") == 0)
		line->verify = RESTORE_VERIFY_FULL;
	else
		return err_set(err, ERR_USAGE, "--verify=%s: sample or full", value);
	return true;
}

/* A message that stands in several folders is put into each of them. */
static bool set_labels(const char *value, struct err *err)
{
	bool known = strcmp(value, "first") == 0 || strcmp(value, "primary") == 0;

	if (strcmp(value, "all") == 0)
		return true;
	return err_set(err, ERR_USAGE, "--labels=%s: %s", value,
		known ? "not in this version; all is" : "all is accepted");
}

static bool set_option(void *context, int id, const char *value, struct err *err)
{
	struct restore_line *line = context;

	switch (id) {
	case OPT_TO:
		line->to = value;
		return true;
	case OPT_MAP:
		return map_rule_add(&line->rules, value, err);
	case OPT_PREFIX:
		return map_rules_set_prefix(&line->rules, value, err);
	case OPT_NO_SPECIAL_USE:
		line->rules.no_special_use = true;
		return true;
	case OPT_NO_JUNK:
		line->rules.no_junk = true;
		return true;
	case OPT_DRY_RUN:
		line->dry_run = true;
		return true;
	case OPT_VERIFY:
		return set_verify(line, value, err);
	case OPT_LABELS:
		return set_labels(value, err);
	case OPT_REPAIR:
		return err_set(err, ERR_USAGE,
			"--repair: not in this version; messages are put back as they are");
	default:
		return selection_set(&line->selection, (enum select_option)id, value, err);
	}
}

bool restore_line_parse(struct app *app, int argc, char **argv, struct restore_line *line,
	struct arguments *arguments, struct err *err)
{
	static const struct option_spec specs[] = {
		SELECT_OPTION_SPECS,
		{"to", OPTION_VALUE, OPT_TO},
		{"map", OPTION_VALUE, OPT_MAP},
		{"prefix", OPTION_VALUE, OPT_PREFIX},
		{"no-special-use", OPTION_PLAIN, OPT_NO_SPECIAL_USE},
		{"no-junk", OPTION_PLAIN, OPT_NO_JUNK},
		{"dry-run", OPTION_PLAIN, OPT_DRY_RUN},
		{"verify", OPTION_MAYBE, OPT_VERIFY},
		{"labels", OPTION_VALUE, OPT_LABELS},
		{"repair", OPTION_VALUE, OPT_REPAIR},
	};
	const struct options options = {specs, ARRAY_LEN(specs), set_option, line, 1, 1};

	if (!options_parse(app, argc, argv, &options, arguments, err))
		return false;
	return line->to || err_set(err, ERR_USAGE, "--to ACCOUNT is missing: where to restore to");
}

void restore_line_free(struct restore_line *line)
{
	selection_free(&line->selection);
	map_rules_free(&line->rules);
}
