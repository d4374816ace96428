/* A message of an archive as JSON: the keys of every command that lists messages. */
#ifndef MAILSTOW_RESTORE_UI_ENTRY_JSON_H
#define MAILSTOW_RESTORE_UI_ENTRY_JSON_H

#include "archive/archive.h"
#include "restore/ui/json.h"

void entry_json_put(struct json *line, const struct archive_entry *entry);

/* Prints an object with these keys only. */
void entry_json_print(const struct archive_entry *entry);

#endif
