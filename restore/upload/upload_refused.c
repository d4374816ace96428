#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/str.h"
#include "restore/match/flag_text.h"
#include "restore/upload/upload_internal.h"

void refused_add(struct attempt *attempt, struct item *item, enum imap_code code, const char *words)
{
	ARRAY_GROW(attempt->refusals, attempt->refusals_count, attempt->refusals_cap);
	attempt->refusals[attempt->refusals_count++] = (struct refusal){item, code, xstrdup(words)};
}

static bool sends_keywords(struct attempt *attempt, const struct item *item)
{
	CLEANUP(freep) char *flags = attempt_flags(attempt, item);
	CLEANUP(freep) char *keywords = flag_text_keywords(flags);

	return *keywords;
}

/* UNAVAILABLE and INUSE (RFC 5530) pass. False: the refusal is final, or was met too often. */
static bool may_offer_later(struct item *item, enum imap_code code)
{
	return (code == IMAP_CODE_UNAVAILABLE || code == IMAP_CODE_INUSE) &&
	       item->delays++ < UPLOAD_DELAYS_MAX;
}

/* Leaves out what the server may object to. False: there is nothing left to leave out. */
static bool offer_less(struct attempt *attempt, const struct refusal *refusal)
{
	struct item *item = refusal->item;

	if (refusal->code == IMAP_CODE_TOOBIG || refusal->code == IMAP_CODE_OVERQUOTA)
		return false;
	if (!(item->drop & ITEM_DROP_KEYWORDS) && sends_keywords(attempt, item)) {
		item->drop |= ITEM_DROP_KEYWORDS;
		item_note(item, "refused with its keywords: %s", refusal->words);
		return true;
	}
	if (!(item->drop & ITEM_DROP_DATE) && item->has_date) {
		item->drop |= ITEM_DROP_DATE;
		item_note(item, "refused with its date: %s", refusal->words);
		return true;
	}
	return false;
}

static bool give_up(struct attempt *attempt, const struct refusal *refusal, struct err *err)
{
	struct upload_lessons *lessons = attempt->upload->lessons;
	struct item *item = refusal->item;

	free(item->detail);
	item->detail = NULL;
	attempt_decide(attempt, item, OUTCOME_REFUSED, refusal->words);
	target_achieved(attempt->upload->target);
	/* if a crash loses this, the next run looks for the message in vain and offers it again */
	if (!attempt_forget_row(attempt, item, err))
		return false;
	if (refusal->code != IMAP_CODE_OVERQUOTA)
		return true;
	if (++lessons->quota_refusals < UPLOAD_QUOTA_REFUSALS_MAX)
		return true;
	return err_set(err, ERR_REFUSED, "the server is full: %s", refusal->words);
}

/* Fills `again` with the items to offer once more; gives up the others. */
static bool change_or_give_up(struct attempt *attempt, struct refusal *refusals, size_t count,
	struct item **again, size_t *ret_again, struct err *err)
{
	size_t pauses = 0;

	*ret_again = 0;
	for (size_t i = 0; i < count; i++) {
		struct refusal *refusal = &refusals[i];

		if (may_offer_later(refusal->item, refusal->code))
			pauses++;
		else if (!offer_less(attempt, refusal)) {
			if (!give_up(attempt, refusal, err))
				return false;
			continue;
		}
		again[(*ret_again)++] = refusal->item;
	}
	return pauses == 0 ||
	       wait_sleep(wait_for(UPLOAD_DELAY_MS, attempt->upload->target->cancel), err);
}

static bool offer_again(struct attempt *attempt, struct err *err)
{
	struct refusal *refusals = TAKE(attempt->refusals);
	size_t count = attempt->refusals_count, again_count;
	CLEANUP(freep) struct item **again = xcalloc(count, sizeof(struct item *));
	bool fine;

	attempt->refusals_count = attempt->refusals_cap = 0;
	fine = change_or_give_up(attempt, refusals, count, again, &again_count, err);
	/* the pending row of the first try covers this one: it names bytes, not flags or dates */
	for (size_t i = 0; fine && i < again_count; i++)
		assert(attempt_may_send(attempt, again[i]));
	fine = fine &&
	       sending_run(&attempt->sending, again, again_count, IMAP_APPEND_IN_FLIGHT, NULL, err);
	for (size_t i = 0; i < count; i++)
		free(refusals[i].words);
	free(refusals);
	return fine;
}

bool refused_retry(struct attempt *attempt, struct err *err)
{
	if (!sending_drain(&attempt->sending, err))
		return false;
	while (attempt->refusals_count > 0)
		if (!offer_again(attempt, err))
			return false;
	return true;
}
