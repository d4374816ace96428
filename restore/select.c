#include "restore/select.h"

#include <string.h>

#include "restore/when.h"

static bool take_date(
	const char *what, const char *value, bool *ret_has, int64_t *ret_s, struct err *err)
{
	*ret_has = when_parse_date(value, ret_s);
	if (!*ret_has)
		return err_set(
			err, ERR_USAGE, "%s: not a date; 2026-11-20 or 2026-11-20T10:00Z is", what);
	return true;
}

bool select_option(
	struct selection *selection, int option, const char *value, bool *ret_ours, struct err *err)
{
	*ret_ours = true;
	switch (option) {
	case SELECT_FOLDER:
		str_list_add(&selection->folders, value);
		return true;
	case SELECT_SINCE:
		return take_date("--since", value, &selection->has_since, &selection->since_s, err);
	case SELECT_BEFORE:
		return take_date(
			"--before", value, &selection->has_before, &selection->before_s, err);
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
	default:
		*ret_ours = false;
		return true;
	}
}

bool select_folder(const struct selection *selection, const char *path)
{
	bool wanted = false, only_exclusions = true;

	for (size_t i = 0; i < selection->folders.count; i++) {
		const char *glob = selection->folders.items[i];

		if (glob[0] == '!') {
			if (str_glob(glob + 1, path))
				return false;
			continue;
		}
		only_exclusions = false;
		wanted = wanted || str_glob(glob, path);
	}
	return wanted || only_exclusions;
}

static bool same_message_id(const char *wanted, const char *held)
{
	size_t len = strlen(held);

	if (strcmp(wanted, held) == 0)
		return true;
	return len >= 2 && held[0] == '<' && held[len - 1] == '>' && strlen(wanted) == len - 2 &&
	       strncmp(wanted, held + 1, len - 2) == 0;
}

bool select_entry(const struct selection *selection, const struct archive_entry *entry)
{
	if (!select_folder(selection, entry->folder_path))
		return false;
	if (selection->deleted_only && entry->gone_ms == 0)
		return false;
	if (selection->has_since && (!entry->has_date || entry->date.unix_s < selection->since_s))
		return false;
	if (selection->has_before &&
		(!entry->has_date || entry->date.unix_s >= selection->before_s))
		return false;
	if (selection->from && !strcasestr(entry->from, selection->from))
		return false;
	if (selection->subject && !strcasestr(entry->subject, selection->subject))
		return false;
	return !selection->message_id ||
	       same_message_id(selection->message_id, entry->header_message_id);
}

void select_free(struct selection *selection)
{
	str_list_free(&selection->folders);
}
