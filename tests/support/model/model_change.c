/* The commands that change a mailbox: STORE, EXPUNGE, APPEND and those on folders. */
#include "support/model/model_internal.h"

/* --- APPEND (RFC 3501, 3502, 4315, 7888) --- */

enum { LETTERS_MAX = 1000 };

struct append {
	struct buf name;
	struct letter {
		char *flags;
		char *date;
		const uint8_t *data;
		size_t len;
	} * letters;
	size_t count, cap;
};

static void append_free(struct append *append)
{
	for (size_t i = 0; i < append->count; i++) {
		free(append->letters[i].flags);
		free(append->letters[i].date);
	}
	free(append->letters);
	buf_free(&append->name);
}

/* " (flags) "date"", both optional, up to the literal */
static bool read_letter_head(struct words *words, struct letter *letter)
{
	CLEANUP(buf_free) struct buf text = BUF_INIT(MODEL_COMMAND_MAX);

	if (!words_space(words))
		return false;
	if (words_peek(words, '(')) {
		if (!words_list(words, &text))
			return false;
		letter->flags = xstrdup(buf_str(&text));
		(void)words_space(words);
	}
	if (words_peek(words, '"')) {
		if (!words_astring(words, &text))
			return false;
		letter->date = xstrdup(buf_str(&text));
		(void)words_space(words);
	}
	return words_peek(words, '{');
}

/* Why the letter cannot be taken, as an answer; NULL: it can. */
static const char *refusal(struct session *session, const struct letter *letter)
{
	if (letter->flags && flags_have_keyword(letter->flags) &&
		quirk(session, MODEL_QUIRK_APPEND_NO_KEYWORDS))
		return "NO [CANNOT] no keywords here";
	if (letter->date && quirk(session, MODEL_QUIRK_APPEND_NO_DATE))
		return "NO [CANNOT] no such date";
	return NULL;
}

static const char *folder_refusal(struct session *session, const char *name)
{
	const struct model_folder *folder = box_folder(session->account, name);

	if (folder && !folder->noselect)
		return NULL;
	return quirk(session, MODEL_QUIRK_NO_TRYCREATE) ? "NO no such folder"
							: "NO [TRYCREATE] no such folder";
}

bool append_refused_early(struct session *session, struct words *words)
{
	CLEANUP(append_free) struct append append = {.name = BUF_INIT(MODEL_NAME_MAX)};
	struct letter letter = {0};
	const char *answer;

	if (!words_space(words) || !words_astring(words, &append.name))
		return false;
	if (!read_letter_head(words, &letter))
		answer = NULL;
	else if ((answer = folder_refusal(session, buf_str(&append.name))) == NULL)
		answer = refusal(session, &letter);
	free(letter.flags);
	free(letter.date);
	if (answer)
		reply(session, "%s", answer);
	return answer;
}

static bool read_append(struct words *words, struct append *append)
{
	if (!words_space(words) || !words_astring(words, &append->name))
		return false;
	do {
		struct letter *letter;

		if (append->count == LETTERS_MAX)
			return false;
		ARRAY_GROW(append->letters, append->count, append->cap);
		letter = &append->letters[append->count++];
		*letter = (struct letter){0};
		if (!read_letter_head(words, letter) ||
			!words_literal(words, &letter->data, &letter->len))
			return false;
	} while (words_peek(words, ' '));
	return words_end(words);
}

/* As Cyrus does: each 8-bit byte before the first empty line becomes an X. */
static void munge(uint8_t *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (bytes[i] >= 0x80)
			bytes[i] = 'X';
		if (i >= 3 && memcmp(bytes + i - 3, "\r\n\r\n", 4) == 0)
			return;
	}
}

static void store_letters(struct session *session, const struct append *append,
	struct model_folder *folder, struct rangeset *ret_uids)
{
	for (size_t i = 0; i < append->count; i++) {
		const struct letter *letter = &append->letters[i];
		bool dated = letter->date && !quirk(session, MODEL_QUIRK_APPEND_IGNORES_DATE);
		struct model_message *message = box_add(
			folder, &(struct model_letter){.bytes = letter->len ? letter->data : NULL,
					.len = letter->len,
					.flags = letter->flags,
					.date = dated ? letter->date : NULL});

		if (quirk(session, MODEL_QUIRK_APPEND_MUNGES_8BIT))
			munge(message->bytes, message->len);
		rangeset_add(ret_uids, message->uid, message->uid);
		session->model->stats.appends++;
	}
}

static const char *append_refusal(struct session *session, const struct append *append)
{
	const char *answer = folder_refusal(session, buf_str(&append->name));

	if (!answer && append->count > 1 && !offers(session, MODEL_CAP_MULTIAPPEND))
		answer = "BAD MULTIAPPEND is not offered";
	for (size_t i = 0; !answer && i < append->count; i++)
		answer = refusal(session, &append->letters[i]);
	return answer;
}

void cmd_append(struct session *session, struct words *words)
{
	CLEANUP(append_free) struct append append = {.name = BUF_INIT(MODEL_NAME_MAX)};
	CLEANUP(rangeset_free) struct rangeset uids = {0};
	struct model_folder *folder;
	const char *answer;

	if (!read_append(words, &append)) {
		reply(session, "BAD APPEND");
		return;
	}
	if (!may_change(session, "APPEND"))
		return;
	answer = append_refusal(session, &append);
	if (answer) {
		reply(session, "%s", answer);
		return;
	}
	folder = box_folder(session->account, buf_str(&append.name));
	store_letters(session, &append, folder, &uids);
	session_wake_all(session->model);
	if (session->folder_id)
		view_sync(session, true);
	if (!offers(session, MODEL_CAP_UIDPLUS)) {
		reply(session, "OK done");
		return;
	}
	out_printf(session, "%s OK [APPENDUID %u ", session->tag, (unsigned)folder->uidvalidity);
	out_set(session, &uids);
	out_printf(session, "] done\r\n");
}

/* --- STORE and EXPUNGE --- */

static bool may_change_view(struct session *session, const char *what)
{
	if (session->read_only) {
		violation(session, "%s under EXAMINE", what);
		reply(session, "NO [READ-ONLY] the folder is only examined");
		return false;
	}
	return may_change(session, what);
}

static void out_stored(
	struct session *session, const struct model_message *message, bool by_uid, bool silent)
{
	size_t number = view_number(session, message->uid);
	const char *gap = "";

	session->view[number - 1].modseq = message->modseq;
	if (silent && !session->condstore)
		return;
	out_printf(session, "* %zu FETCH (", number);
	if (by_uid) {
		out_printf(session, "UID %u", (unsigned)message->uid);
		gap = " ";
	}
	if (session->condstore) {
		out_printf(session, "%sMODSEQ (%llu)", gap, (unsigned long long)message->modseq);
		gap = " ";
	}
	if (!silent) {
		out_printf(session, "%s", gap);
		out_flags(session, message);
	}
	out_printf(session, ")\r\n");
}

static bool read_store(struct words *words, char *ret_sign, bool *ret_silent, struct buf *flags)
{
	char item[MODEL_WORD_MAX];

	if (!words_space(words) || !words_word(words, item))
		return false;
	*ret_sign = item[0] == '+' || item[0] == '-' ? item[0] : '=';
	*ret_silent = strstr(item, ".SILENT");
	if (!str_starts(item + (*ret_sign != '='), "FLAGS") || !words_space(words))
		return false;
	return words_peek(words, '(') ? words_list(words, flags) : words_astring(words, flags);
}

static void store(struct session *session, struct words *words, bool by_uid)
{
	CLEANUP(rangeset_free) struct rangeset uids = {0};
	CLEANUP(buf_free) struct buf change = BUF_INIT(MODEL_COMMAND_MAX);
	struct model_folder *folder = view_folder(session);
	char sign;
	bool silent;

	if (!words_space(words) || !view_set(session, words, by_uid, &uids) ||
		!read_store(words, &sign, &silent, &change) || !words_end(words)) {
		reply(session, "BAD STORE");
		return;
	}
	if (!folder || !may_change_view(session, "STORE"))
		return;
	for (size_t i = 0; i < folder->count; i++) {
		struct model_message *message = &folder->messages[i];

		if (!rangeset_has(&uids, message->uid))
			continue;
		char *flags = flags_change(message->flags, sign, buf_str(&change));
		box_set_flags(folder, message, flags);
		free(flags);
		out_stored(session, message, by_uid, silent);
	}
	session_wake_all(session->model);
	reply(session, "OK done");
}

void cmd_store(struct session *session, struct words *words)
{
	store(session, words, false);
}

void cmd_uid_store(struct session *session, struct words *words)
{
	store(session, words, true);
}

/* uids NULL: all that are deleted */
static void expunge(struct session *session, const struct rangeset *uids)
{
	struct model_folder *folder = view_folder(session);

	if (!folder || !may_change_view(session, "EXPUNGE"))
		return;
	for (size_t i = folder->count; i-- > 0;) {
		struct model_message *message = &folder->messages[i];

		if (flags_hold(message->flags, "\\Deleted") &&
			(!uids || rangeset_has(uids, message->uid)))
			box_expunge(folder, message, 0);
	}
	session_wake_all(session->model);
	reply(session, "OK done");
}

void cmd_expunge(struct session *session, struct words *words)
{
	(void)words;
	expunge(session, NULL);
}

void cmd_uid_expunge(struct session *session, struct words *words)
{
	CLEANUP(rangeset_free) struct rangeset uids = {0};

	if (!offers(session, MODEL_CAP_UIDPLUS) || !words_space(words) ||
		!view_set(session, words, true, &uids) || !words_end(words))
		reply(session, "BAD UID EXPUNGE");
	else
		expunge(session, &uids);
}

/* --- folders --- */

static bool read_name(struct words *words, struct buf *name)
{
	return words_space(words) && words_astring(words, name);
}

/* " (USE (\Sent))" (RFC 6154) */
static bool read_use(struct session *session, struct words *words, struct buf *use)
{
	char word[MODEL_WORD_MAX];

	if (!words_space(words))
		return true;
	return offers(session, MODEL_CAP_CREATE_SPECIAL_USE) && words_char(words, '(') &&
	       words_word(words, word) && strcmp(word, "USE") == 0 && words_space(words) &&
	       words_list(words, use) && words_char(words, ')');
}

void cmd_create(struct session *session, struct words *words)
{
	CLEANUP(buf_free) struct buf name = BUF_INIT(MODEL_NAME_MAX);
	CLEANUP(buf_free) struct buf use = BUF_INIT(MODEL_NAME_MAX);
	struct model_folder *folder;
	char delimiter = session->model->profile.delimiter;

	if (!read_name(words, &name) || !read_use(session, words, &use) || !words_end(words)) {
		reply(session, "BAD CREATE");
		return;
	}
	if (!may_change(session, "CREATE"))
		return;
	if (delimiter && name.len > 1 && name.data[name.len - 1] == (uint8_t)delimiter)
		name.data[--name.len] = '\0';
	if (!str_starts_case(buf_str(&name), session->model->profile.prefix)) {
		reply(session, "NO [CANNOT] only below the personal namespace");
		return;
	}
	folder = box_create(session->model, session->account, buf_str(&name));
	if (!folder) {
		reply(session, "NO [ALREADYEXISTS] it exists");
		return;
	}
	if (use.len)
		folder->special_use = xstrdup(buf_str(&use));
	reply(session, "OK done");
}

void cmd_delete(struct session *session, struct words *words)
{
	CLEANUP(buf_free) struct buf name = BUF_INIT(MODEL_NAME_MAX);

	if (!read_name(words, &name) || !words_end(words))
		reply(session, "BAD DELETE");
	else if (may_change(session, "DELETE")) {
		bool ok = box_delete(session->model, session->account, buf_str(&name));

		session_wake_all(session->model);
		reply(session, ok ? "OK done" : "NO [CANNOT] not this one");
	}
}

void cmd_rename(struct session *session, struct words *words)
{
	CLEANUP(buf_free) struct buf from = BUF_INIT(MODEL_NAME_MAX);
	CLEANUP(buf_free) struct buf to = BUF_INIT(MODEL_NAME_MAX);

	if (!read_name(words, &from) || !read_name(words, &to) || !words_end(words))
		reply(session, "BAD RENAME");
	else if (may_change(session, "RENAME")) {
		bool ok =
			box_rename(session->model, session->account, buf_str(&from), buf_str(&to));

		reply(session, ok ? "OK done" : "NO [CANNOT] not so");
	}
}

static void subscribe(struct session *session, struct words *words, bool subscribed)
{
	CLEANUP(buf_free) struct buf name = BUF_INIT(MODEL_NAME_MAX);

	if (!read_name(words, &name) || !words_end(words))
		reply(session, "BAD SUBSCRIBE");
	else if (may_change(session, "SUBSCRIBE")) {
		box_subscribe(session->account, buf_str(&name), subscribed);
		reply(session, "OK done");
	}
}

void cmd_subscribe(struct session *session, struct words *words)
{
	subscribe(session, words, true);
}

void cmd_unsubscribe(struct session *session, struct words *words)
{
	subscribe(session, words, false);
}
