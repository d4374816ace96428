/* The command line of `mailstow restore`. */
#ifndef MAILSTOW_RESTORE_COMMANDS_CMD_RESTORE_OPTIONS_H
#define MAILSTOW_RESTORE_COMMANDS_CMD_RESTORE_OPTIONS_H

#include "restore/map/map.h"
#include "restore/options.h"
#include "restore/selection.h"
#include "restore/upload/restore_task.h"

struct restore_options {
	struct selection selection;
	struct map_rules rules;
	const char *to;
	bool dry_run;
	enum restore_verify verify;
};

/* Sets options->to, which is required. ERR_USAGE names what would be accepted. */
bool restore_options_parse(struct app *app, int argc, char **argv, struct restore_options *options,
	struct arguments *arguments, struct err *err);
void restore_options_free(struct restore_options *options);

#endif
