#include "archive/check/findings.h"

#include <stdlib.h>

#include "base/alloc.h"

bool checking_found(struct checking *checking, const char *where, const char *what, struct err *err)
{
	const struct archive_finding finding = {.where = where,
		.what = what,
		.lost = checking->lost,
		.lost_count = checking->lost_count};
	bool go_on;

	checking->result->errors++;
	go_on = checking->check->finding(checking->check->context, &finding, err);
	for (size_t i = 0; i < checking->lost_count; i++)
		free(checking->lost[i].folder);
	checking->lost_count = 0;
	return go_on;
}

bool checking_lose(
	struct checking *checking, struct db *catalogue, int64_t message, struct err *err)
{
	bool row;

	if (message > 0 && message <= UINT32_MAX)
		rangeset_add(&checking->lost_messages, (uint32_t)message, (uint32_t)message);
	db_bind_int(catalogue, CATALOGUE_MESSAGE_PLACES, "message", message);
	while (db_step(catalogue, CATALOGUE_MESSAGE_PLACES, &row, err)) {
		if (!row)
			return true;
		ARRAY_GROW(checking->lost, checking->lost_count, checking->lost_cap);
		checking->lost[checking->lost_count++] = (struct archive_lost){
			.folder = xstrdup(db_text(catalogue, CATALOGUE_MESSAGE_PLACES, 0)),
			.uid = (uint32_t)db_int(catalogue, CATALOGUE_MESSAGE_PLACES, 1)};
	}
	return false;
}

bool checking_blame(struct checking *checking, const char *where, struct err *of, struct err *err)
{
	if (of->kind == ERR_NEWER)
		checking->result->newer++;
	if (err_is_unreadable(of) || of->kind == ERR_NOT_FOUND)
		return checking_found(checking, where, of->text, err);
	return err_set(err, of->kind, "%s: %s", where, of->text);
}
