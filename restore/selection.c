#include "restore/selection.h"

#include <string.h>

#include "restore/ui/text.h"
#include "restore/ui/when.h"

enum { VALUE_SHOWN_BYTES = 80, SECOND_MS = 1000 };

static bool set_date_limit(
	const char *name, const char *value, bool *has, int64_t *ms, struct err *err)
{
	CLEANUP(freep) char *shown = NULL;

	if (when_parse_date(value, ms)) {
		*has = true;
		return true;
	}
	shown = str_printable(value, strlen(value), VALUE_SHOWN_BYTES);
	return err_set(err, ERR_USAGE,
		"--%s %s: expected a date such as 2026-11-20 or a time such as 2026-11-20T10:00",
		name, shown);
}

static bool add_folder_glob(struct selection *selection, const char *glob, struct err *err)
{
	if (selection->folders.count == SELECT_FOLDERS_MAX)
		return err_set(
			err, ERR_USAGE, "--folder: given more than %d times", SELECT_FOLDERS_MAX);
	if (glob[glob[0] == '!'] == '\0')
		return err_set(err, ERR_USAGE, "--folder: empty");
	str_list_add(&selection->folders, glob);
	return true;
}

bool selection_set(
	struct selection *selection, enum select_option option, const char *value, struct err *err)
{
	switch (option) {
	case SELECT_FOLDER:
		return add_folder_glob(selection, value, err);
	case SELECT_SINCE:
		return set_date_limit(
			"since", value, &selection->has_since, &selection->since_ms, err);
	case SELECT_BEFORE:
		return set_date_limit(
			"before", value, &selection->has_before, &selection->before_ms, err);
	case SELECT_FROM:
		selection->from = value;
		return true;
	case SELECT_SUBJECT:
		selection->subject = value;
		return true;
	case SELECT_MESSAGE_ID:
		selection->message_id = value;
		return true;
	case SELECT_DELETED_ONLY:
		selection->deleted_only = true;
		return true;
	case SELECT_OPTIONS_END:
		break;
	}
	return false;
}

void selection_free(struct selection *selection)
{
	str_list_free(&selection->folders);
	*selection = (struct selection){0};
}

static bool folder_matches(const char *glob, const char *path)
{
	return str_glob(glob, path) ||
	       (str_equal_case(glob, "INBOX") && str_equal_case(path, "INBOX"));
}

bool selection_wants_folder(const struct selection *selection, const char *path)
{
	bool wanted = false, only_excluding = true;

	for (size_t i = 0; i < selection->folders.count; i++) {
		const char *glob = selection->folders.items[i];

		if (glob[0] != '!') {
			only_excluding = false;
			wanted = wanted || folder_matches(glob, path);
		} else if (folder_matches(glob + 1, path)) {
			return false;
		}
	}
	return wanted || only_excluding;
}

/* The user may leave out the angle brackets. */
static bool same_message_id(const char *wanted, const char *there)
{
	size_t len = strlen(wanted);

	if (strcmp(wanted, there) == 0)
		return true;
	return there[0] == '<' && strncmp(there + 1, wanted, len) == 0 &&
	       strcmp(there + 1 + len, ">") == 0;
}

bool selection_wants_entry(const struct selection *selection, const struct archive_entry *entry)
{
	int64_t ms = entry->has_date ? entry->date.unix_s * SECOND_MS : entry->added_ms;

	if (selection->has_since && ms < selection->since_ms)
		return false;
	if (selection->has_before && ms >= selection->before_ms)
		return false;
	if (selection->from && !text_contains(entry->from, selection->from))
		return false;
	if (selection->subject && !text_contains(entry->subject, selection->subject))
		return false;
	if (selection->message_id &&
		!same_message_id(selection->message_id, entry->header_message_id))
		return false;
	return selection_wants_folder(selection, entry->folder_path);
}

const char *selection_missing_folder(const struct selection *selection, const struct str_list *seen)
{
	for (size_t i = 0; i < selection->folders.count; i++) {
		const char *name = selection->folders.items[i];
		bool found = name[0] == '!' || strpbrk(name, "*?");

		for (size_t k = 0; !found && k < seen->count; k++)
			found = folder_matches(name, seen->items[k]);
		if (!found)
			return name;
	}
	return NULL;
}
