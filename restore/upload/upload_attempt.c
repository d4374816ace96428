#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "imap/flags.h"
#include "restore/match/flag_text.h"
#include "restore/upload/upload_internal.h"

void attempt_free(struct attempt *attempt)
{
	for (size_t i = 0; i < attempt->refusals_count; i++)
		free(attempt->refusals[i].words);
	free(attempt->refusals);
	free(attempt->list);
	free(attempt->stored);
	present_free(&attempt->present);
}

void attempt_decide(
	struct attempt *attempt, struct item *item, enum outcome outcome, const char *detail)
{
	const struct upload *upload = attempt->upload;

	item_decide(item, outcome, detail);
	if (upload->done)
		upload->done(upload->context, item);
}

bool attempt_may_send(const struct attempt *attempt, const struct item *item)
{
	const struct restore_journal *journal = attempt->upload->journal;

	/* without UIDVALIDITY nothing can be remembered of the folder */
	return !journal || attempt->present.uidvalidity == 0 ||
	       restore_journal_is_durable(journal, item->row);
}

bool attempt_forget_row(struct attempt *attempt, struct item *item, struct err *err)
{
	int64_t row = item->row;

	item->row = 0;
	return row == 0 || restore_journal_remove(attempt->upload->journal, row, err);
}

struct flag_filter {
	const struct attempt *attempt;
	const struct item *item;
};

static bool may_send_flag(const void *context, const char *flag)
{
	const struct flag_filter *filter = context;
	const struct upload_lessons *lessons = filter->attempt->upload->lessons;
	const char *permanent = filter->attempt->present.permanent_flags;

	if (!flag_can_be_sent(flag, strlen(flag)))
		return false;
	if (permanent && *permanent && !flags_have(permanent, "\\*") &&
		!flags_have(permanent, flag))
		return false;
	if (*flag == '\\')
		return true;
	return !(filter->item->drop & ITEM_DROP_KEYWORDS) &&
	       !str_list_has(&lessons->refused_keywords, flag);
}

char *attempt_flags(void *attempt, const struct item *item)
{
	const struct flag_filter filter = {attempt, item};

	return flag_text_pick(item->flags, may_send_flag, &filter);
}
