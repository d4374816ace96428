/* The command line of `mailstow restore`. */
#ifndef MAILSTOW_RESTORE_COMMANDS_CMD_RESTORE_OPTIONS_H
#define MAILSTOW_RESTORE_COMMANDS_CMD_RESTORE_OPTIONS_H

#include "restore/map/map.h"
#include "restore/options.h"
#include "restore/selection.h"
#include "restore/upload/restore.h"

struct restore_line {
	struct selection selection;
	struct map_rules rules;
	const char *to;
	bool dry_run;
	enum restore_verify verify;
};

/* ERR_USAGE names what would be accepted. line->to is there afterwards. */
bool restore_line_parse(struct app *app, int argc, char **argv, struct restore_line *line,
	struct arguments *arguments, struct err *err);
void restore_line_free(struct restore_line *line);

#endif
