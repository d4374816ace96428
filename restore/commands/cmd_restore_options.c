#include "restore/commands/cmd_restore_options.h"

#include <string.h>

enum restore_option {
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

static bool set_verify(struct restore_options *wanted, const char *value, struct err *err)
{
	if (!value || strcmp(value, "sample") == 0)
		wanted->verify = RESTORE_VERIFY_SAMPLE;
	else if (strcmp(value, "full") == 0)
		wanted->verify = RESTORE_VERIFY_FULL;
	else
		return err_set(err, ERR_USAGE, "--verify=%s: expected sample or full", value);
	return true;
}

/* A message in several folders goes into each of them; there is no other choice yet. */
static bool set_labels(const char *value, struct err *err)
{
	bool known = strcmp(value, "first") == 0 || strcmp(value, "primary") == 0;

	if (strcmp(value, "all") == 0)
		return true;
	return err_set(err, ERR_USAGE, "--labels=%s: %s", value,
		known ? "not supported yet; use all" : "expected all");
}

static bool set_restore_option(void *context, int id, const char *value, struct err *err)
{
	struct restore_options *wanted = context;

	switch (id) {
	case OPT_TO:
		wanted->to = value;
		return true;
	case OPT_MAP:
		return map_rule_add(&wanted->rules, value, err);
	case OPT_PREFIX:
		return map_rules_set_prefix(&wanted->rules, value, err);
	case OPT_NO_SPECIAL_USE:
		wanted->rules.no_special_use = true;
		return true;
	case OPT_NO_JUNK:
		wanted->rules.no_junk = true;
		return true;
	case OPT_DRY_RUN:
		wanted->dry_run = true;
		return true;
	case OPT_VERIFY:
		return set_verify(wanted, value, err);
	case OPT_LABELS:
		return set_labels(value, err);
	case OPT_REPAIR:
		return err_set(err, ERR_USAGE,
			"--repair: not supported yet; messages are restored as they are");
	default:
		return selection_set(&wanted->selection, (enum select_option)id, value, err);
	}
}

bool restore_options_parse(struct app *app, int argc, char **argv, struct restore_options *wanted,
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
	const struct options options = {specs, ARRAY_LEN(specs), set_restore_option, wanted, 1, 1};

	if (!options_parse(app, argc, argv, &options, arguments, err))
		return false;
	return wanted->to || err_set(err, ERR_USAGE,
				     "restore: --to ACCOUNT2 is missing: the account to write to");
}

void restore_options_free(struct restore_options *wanted)
{
	selection_free(&wanted->selection);
	map_rules_free(&wanted->rules);
}
