/* SEARCH and UID SEARCH: ALL, UID set, HEADER field text, and keys on flags (RFC 3501, 4731). */
#include "support/model/model_internal.h"

struct search {
	bool extended;
	bool with_all, with_min, with_max, with_count;
	struct rangeset uids; /* found so far */
};

static void search_free(struct search *search)
{
	rangeset_free(&search->uids);
}

static bool read_return(struct session *session, struct words *words, struct search *search)
{
	char option[MODEL_WORD_MAX];

	if (!offers(session, MODEL_CAP_ESEARCH) || !words_space(words) || !words_char(words, '('))
		return false;
	search->extended = true;
	search->with_all = words_peek(words, ')');
	while (words_word(words, option)) {
		search->with_all = search->with_all || strcmp(option, "ALL") == 0;
		search->with_min = search->with_min || strcmp(option, "MIN") == 0;
		search->with_max = search->with_max || strcmp(option, "MAX") == 0;
		search->with_count = search->with_count || strcmp(option, "COUNT") == 0;
		(void)words_space(words);
	}
	return words_char(words, ')') && words_space(words);
}

static bool text_found(const struct buf *header, const char *text)
{
	size_t len = strlen(text);

	for (size_t i = 0; i + len <= header->len; i++)
		if (strncasecmp((const char *)header->data + i, text, len) == 0)
			return true;
	return false;
}

static bool header_found(const struct model_message *message, const char *field, const char *text)
{
	CLEANUP(buf_free) struct buf header = BUF_INIT(MODEL_COMMAND_MAX);
	bool ok;

	header_fields(message, field, &header);
	header.len -= 2; /* the empty line */
	ok = header.len > 0 && text_found(&header, text);
	return ok;
}

/* Keep of `uids` those for which the key holds. */
static void keep_header(const struct model_folder *folder, const char *field, const char *text,
	struct rangeset *uids)
{
	CLEANUP(rangeset_free) struct rangeset kept = {0}, old = *uids;

	for (size_t i = 0; i < folder->count; i++) {
		const struct model_message *message = &folder->messages[i];

		if (rangeset_has(&old, message->uid) && header_found(message, field, text))
			rangeset_add(&kept, message->uid, message->uid);
	}
	*uids = kept;
	kept = (struct rangeset){0};
}

static void keep_flag(
	const struct model_folder *folder, const char *flag, bool wanted, struct rangeset *uids)
{
	CLEANUP(rangeset_free) struct rangeset kept = {0}, old = *uids;

	for (size_t i = 0; i < folder->count; i++) {
		const struct model_message *message = &folder->messages[i];

		if (rangeset_has(&old, message->uid) && flags_hold(message->flags, flag) == wanted)
			rangeset_add(&kept, message->uid, message->uid);
	}
	*uids = kept;
	kept = (struct rangeset){0};
}

static bool keep_set(
	struct session *session, struct words *words, bool by_uid, struct rangeset *uids)
{
	CLEANUP(rangeset_free) struct rangeset wanted = {0}, old = *uids;

	*uids = (struct rangeset){0};
	if (!view_set(session, words, by_uid, &wanted))
		return false;
	rangeset_intersect(&old, &wanted, uids);
	return true;
}

static bool search_header(
	const struct model_folder *folder, struct words *words, struct rangeset *uids)
{
	CLEANUP(buf_free) struct buf field = BUF_INIT(MODEL_NAME_MAX);
	CLEANUP(buf_free) struct buf text = BUF_INIT(MODEL_COMMAND_MAX);

	if (!words_space(words) || !words_astring(words, &field) || !words_space(words) ||
		!words_astring(words, &text))
		return false;
	keep_header(folder, buf_str(&field), buf_str(&text), uids);
	return true;
}

static bool search_key(struct session *session, const struct model_folder *folder,
	struct words *words, struct rangeset *uids)
{
	static const char *const flags[][3] = {{"SEEN", "UNSEEN", "\\Seen"},
		{"DELETED", "UNDELETED", "\\Deleted"}, {"FLAGGED", "UNFLAGGED", "\\Flagged"}};
	char key[MODEL_WORD_MAX];
	struct words before = *words;

	if (!words_word(words, key))
		return false;
	if (strcmp(key, "ALL") == 0)
		return true;
	if (strcmp(key, "UID") == 0)
		return words_space(words) && keep_set(session, words, true, uids);
	if (strcmp(key, "HEADER") == 0)
		return search_header(folder, words, uids);
	for (size_t i = 0; i < ARRAY_LEN(flags); i++)
		for (size_t j = 0; j < 2; j++)
			if (strcmp(key, flags[i][j]) == 0) {
				keep_flag(folder, flags[i][2], j == 0, uids);
				return true;
			}
	*words = before;
	return keep_set(session, words, false, uids);
}

static void out_extended(struct session *session, const struct search *search,
	const struct rangeset *found, bool by_uid)
{
	out_printf(session, "* ESEARCH (TAG \"%s\")%s", session->tag, by_uid ? " UID" : "");
	if (search->with_min && found->count)
		out_printf(session, " MIN %u", (unsigned)found->items[0].first);
	if (search->with_max && found->count)
		out_printf(session, " MAX %u", (unsigned)found->items[found->count - 1].last);
	if (search->with_count)
		out_printf(session, " COUNT %llu", (unsigned long long)rangeset_size(found));
	if (search->with_all && found->count) {
		out_printf(session, " ALL ");
		out_set(session, found);
	}
	out_printf(session, "\r\n");
}

static void out_found(struct session *session, const struct rangeset *found)
{
	if (!found->count && quirk(session, MODEL_QUIRK_EMPTY_SEARCH_SILENT))
		return;
	out_printf(session, "* SEARCH");
	for (size_t i = 0; i < found->count; i++)
		for (uint64_t n = found->items[i].first; n <= found->items[i].last; n++)
			out_printf(session, " %llu", (unsigned long long)n);
	out_printf(session, "\r\n");
}

static bool read_keys(struct session *session, struct words *words, struct search *search)
{
	const struct model_folder *folder = view_folder(session);

	if (!folder)
		return false;
	for (size_t i = 0; i < folder->count; i++)
		if (view_number(session, folder->messages[i].uid))
			rangeset_add(
				&search->uids, folder->messages[i].uid, folder->messages[i].uid);
	do {
		if (!search_key(session, folder, words, &search->uids))
			return false;
	} while (words_space(words));
	return words_end(words);
}

static void search(struct session *session, struct words *words, bool by_uid)
{
	CLEANUP(search_free) struct search wish = {0};
	CLEANUP(rangeset_free) struct rangeset numbers = {0};
	struct words before;
	char word[MODEL_WORD_MAX];
	bool ok = words_space(words);

	before = *words;
	if (ok && words_word(words, word) && strcmp(word, "RETURN") == 0)
		ok = read_return(session, words, &wish);
	else
		*words = before;
	if (!ok || !read_keys(session, words, &wish)) {
		reply(session, "BAD SEARCH");
		return;
	}
	for (size_t i = 0; i < session->view_count; i++)
		if (rangeset_has(&wish.uids, session->view[i].uid)) {
			uint32_t number = by_uid ? session->view[i].uid : (uint32_t)(i + 1);
			rangeset_add(&numbers, number, number);
		}
	if (wish.extended)
		out_extended(session, &wish, &numbers, by_uid);
	else
		out_found(session, &numbers);
	reply(session, "OK done");
}

void cmd_search(struct session *session, struct words *words)
{
	search(session, words, false);
}

void cmd_uid_search(struct session *session, struct words *words)
{
	search(session, words, true);
}
