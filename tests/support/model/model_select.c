/* SELECT, EXAMINE (RFC 3501, QRESYNC of RFC 7162), CLOSE, UNSELECT, IDLE. */
#include "support/model/model_internal.h"

struct resync {
	bool given;
	uint64_t uidvalidity;
	uint64_t modseq;
	bool with_uids;
	struct rangeset uids;
};

static void resync_free(struct resync *resync)
{
	rangeset_free(&resync->uids);
}

static void out_code(struct session *session, const char *text, const char *format, ...)
	PRINTF_LIKE(3, 4);
static void out_code(struct session *session, const char *text, const char *format, ...)
{
	struct buf code = BUF_INIT(MODEL_COMMAND_MAX);
	bool silent = quirk(session, MODEL_QUIRK_CODES_WITHOUT_TEXT);
	va_list args;
	bool ok;

	va_start(args, format);
	ok = buf_vprintf(&code, format, args);
	va_end(args);
	assert(ok);
	untagged(session, "OK [%s]%s%s", buf_str(&code), silent ? "" : " ", silent ? "" : text);
	buf_free(&code);
}

/* "(uidvalidity modseq [known-uids [(known-sequence-set known-uid-set)]])" */
static bool read_resync(struct words *words, struct resync *resync)
{
	CLEANUP(buf_free) struct buf pairs = BUF_INIT(MODEL_COMMAND_MAX);

	if (!words_space(words) || !words_char(words, '(') ||
		!words_number(words, &resync->uidvalidity) || !words_space(words) ||
		!words_number(words, &resync->modseq))
		return false;
	resync->given = true;
	if (words_space(words) && !words_peek(words, '(')) {
		resync->with_uids = words_set(words, 0, &resync->uids);
		if (!resync->with_uids)
			return false;
		(void)words_space(words);
	}
	if (words_peek(words, '(') && !words_list(words, &pairs))
		return false;
	return words_char(words, ')');
}

static bool read_parameters(struct session *session, struct words *words, struct resync *resync)
{
	char word[MODEL_WORD_MAX];

	if (!words_space(words))
		return true;
	if (!words_char(words, '('))
		return false;
	while (words_word(words, word)) {
		if (strcmp(word, "CONDSTORE") == 0 && offers(session, MODEL_CAP_CONDSTORE))
			session->condstore = true;
		else if (strcmp(word, "QRESYNC") != 0 || !session->qresync ||
			 !read_resync(words, resync))
			return false;
		(void)words_space(words);
	}
	return words_char(words, ')');
}

static void out_folder(struct session *session, const struct model_folder *folder, bool read_only)
{
	CLEANUP(str_list_free) struct str_list keywords = {0};
	bool fixed = quirk(session, MODEL_QUIRK_NO_NEW_KEYWORDS);

	flags_keywords(folder, &keywords);
	out_printf(session, "* FLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft");
	for (size_t i = 0; i < keywords.count; i++)
		out_printf(session, " %s", keywords.items[i]);
	out_printf(session, ")\r\n");
	out_code(session, "flags that stay", "PERMANENTFLAGS (%s%s)",
		read_only ? "" : "\\Answered \\Flagged \\Deleted \\Seen \\Draft",
		read_only || fixed ? "" : " \\*");
	untagged(session, "%zu EXISTS", folder->count);
	untagged(session, "%zu RECENT", quirk(session, MODEL_QUIRK_RECENT) ? folder->count : 0);
	if (!quirk(session, MODEL_QUIRK_NO_UIDVALIDITY))
		out_code(
			session, "UIDs are valid", "UIDVALIDITY %u", (unsigned)folder->uidvalidity);
	if (!quirk(session, MODEL_QUIRK_NO_UIDNEXT))
		out_code(session, "predicted next UID", "UIDNEXT %u", (unsigned)folder->uidnext);
	if (!offers(session, MODEL_CAP_CONDSTORE))
		return;
	if (quirk(session, MODEL_QUIRK_NOMODSEQ))
		out_code(session, "no mod-sequences here", "NOMODSEQ");
	else
		out_code(session, "highest", "HIGHESTMODSEQ %llu",
			(unsigned long long)folder->highestmodseq);
}

void resync_vanished(const struct model_folder *folder, uint64_t modseq,
	const struct rangeset *known, struct rangeset *ret_vanished)
{
	CLEANUP(rangeset_free) struct rangeset gone = {0}, there = {0}, all = {0};

	if (modseq < folder->forgotten) {
		for (size_t i = 0; i < folder->count; i++)
			rangeset_add(&there, folder->messages[i].uid, folder->messages[i].uid);
		if (folder->uidnext > 1)
			rangeset_add(&all, 1, folder->uidnext - 1);
		rangeset_subtract(&all, &there, &gone);
	} else {
		for (size_t i = 0; i < folder->expunged_count; i++)
			if (folder->expunged[i].modseq > modseq)
				rangeset_add(
					&gone, folder->expunged[i].uid, folder->expunged[i].uid);
	}
	if (known)
		rangeset_intersect(&gone, known, ret_vanished);
	else
		rangeset_add_set(ret_vanished, &gone);
}

void out_vanished_earlier(struct session *session, const struct rangeset *vanished)
{
	bool split = quirk(session, MODEL_QUIRK_SPLIT_VANISHED);

	if (!vanished->count)
		return;
	for (size_t i = 0; i < (split ? vanished->count : 1); i++) {
		struct rangeset one = {.items = &vanished->items[i], .count = 1};

		out_printf(session, "* VANISHED (EARLIER) ");
		out_set(session, split ? &one : vanished);
		out_printf(session, "\r\n");
	}
}

/* RFC 7162 section 3.2.5.1 */
static void out_resync(
	struct session *session, const struct model_folder *folder, const struct resync *resync)
{
	CLEANUP(rangeset_free) struct rangeset vanished = {0};

	resync_vanished(
		folder, resync->modseq, resync->with_uids ? &resync->uids : NULL, &vanished);
	out_vanished_earlier(session, &vanished);
	for (size_t i = 0; i < folder->count; i++) {
		const struct model_message *message = &folder->messages[i];

		if (message->modseq <= resync->modseq ||
			(resync->with_uids && !rangeset_has(&resync->uids, message->uid)))
			continue;
		out_printf(session, "* %zu FETCH (UID %u ", i + 1, (unsigned)message->uid);
		out_flags(session, message);
		out_printf(session, " MODSEQ (%llu))\r\n", (unsigned long long)message->modseq);
	}
}

static void open_folder(
	struct session *session, const char *name, const struct resync *resync, bool read_only)
{
	struct model_folder *folder = box_folder(session->account, name);

	if (session->folder_id && session->qresync)
		untagged(session, "OK [CLOSED] the folder before");
	view_close(session);
	if (!folder || folder->noselect) {
		reply(session, "NO [NONEXISTENT] no such folder");
		return;
	}
	view_open(session, folder, read_only);
	out_folder(session, folder, read_only);
	if (resync->given && resync->uidvalidity == folder->uidvalidity &&
		!quirk(session, MODEL_QUIRK_NOMODSEQ))
		out_resync(session, folder, resync);
	reply(session, "OK [%s] done", read_only ? "READ-ONLY" : "READ-WRITE");
}

static void select_or_examine(struct session *session, struct words *words, bool read_only)
{
	CLEANUP(buf_free) struct buf name = BUF_INIT(MODEL_NAME_MAX);
	CLEANUP(resync_free) struct resync resync = {0};

	if (!words_space(words) || !words_astring(words, &name) ||
		!read_parameters(session, words, &resync) || !words_end(words))
		reply(session, "BAD SELECT");
	else
		open_folder(session, buf_str(&name), &resync, read_only);
}

void cmd_select(struct session *session, struct words *words)
{
	session->model->stats.selects++;
	if (session->account->use == MODEL_MIRROR)
		violation(session, "SELECT, where EXAMINE would do");
	select_or_examine(session, words, false);
}

void cmd_examine(struct session *session, struct words *words)
{
	session->model->stats.examines++;
	select_or_examine(session, words, true);
}

void cmd_close(struct session *session, struct words *words)
{
	struct model_folder *folder = view_folder(session);
	bool expunges = folder && !session->read_only;

	(void)words;
	for (size_t i = expunges ? folder->count : 0; i-- > 0;)
		if (flags_hold(folder->messages[i].flags, "\\Deleted")) {
			if (!may_change(session, "CLOSE with deleted messages"))
				return;
			box_expunge(folder, &folder->messages[i], 0);
		}
	view_close(session);
	session_wake_all(session->model);
	reply(session, "OK done");
}

void cmd_unselect(struct session *session, struct words *words)
{
	(void)words;
	if (!offers(session, MODEL_CAP_UNSELECT)) {
		reply(session, "BAD UNSELECT is not offered");
		return;
	}
	view_close(session);
	reply(session, "OK done");
}

/* Tell what is new, then wait for more of it or for a line. */
void cmd_idle(struct session *session, struct words *words)
{
	CLEANUP(buf_free) struct buf line = BUF_INIT(MODEL_COMMAND_MAX);
	bool have_line = false, ok = true;

	(void)words;
	if (!offers(session, MODEL_CAP_IDLE)) {
		reply(session, "BAD IDLE is not offered");
		return;
	}
	out_printf(session, "+ idling\r\n");
	while (ok && !have_line) {
		if (session->folder_id)
			view_sync(session, true);
		if (session->chatter)
			untagged(session, "OK Still here");
		session->chatter = false;
		if (session->closing || session->bye)
			return;
		model_unlock(session->model);
		ok = wire_flush(session) && wire_wait_line(session, &have_line);
		if (ok && have_line)
			wire_take_line(session, &line);
		model_lock(session->model);
	}
	if (ok && str_equal_case(buf_str(&line), "DONE"))
		reply(session, "OK done");
	else if (ok)
		reply(session, "BAD only DONE ends IDLE");
}
