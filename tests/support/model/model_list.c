/* LIST (RFC 3501, 5258, 5819, 6154), LSUB, STATUS, NAMESPACE. */
#include "support/model/model_internal.h"

enum { PATTERNS_MAX = 16 };

struct list_wish {
	bool only_subscribed, only_special_use;
	bool tell_subscribed, tell_special_use, tell_children;
	struct buf status; /* items; empty: none */
	struct buf reference;
	struct str_list patterns;
};

static void list_wish_free(struct list_wish *wish)
{
	buf_free(&wish->status);
	buf_free(&wish->reference);
	str_list_free(&wish->patterns);
}

/* '*' any characters, '%' any but the delimiter; INBOX in any case. Iterative backtracking. */
static bool name_matches(const char *pattern, const char *name, char delimiter)
{
	const char *star = NULL, *retry = NULL;
	bool fold = str_starts_case(name, "INBOX");

	while (*name) {
		bool same = fold ? str_lower_char(*pattern) == str_lower_char(*name)
				 : *pattern == *name;

		if (*pattern == '*' || *pattern == '%') {
			star = pattern++;
			retry = name;
		} else if (*pattern && same) {
			pattern++;
			name++;
		} else if (star && !(*star == '%' && delimiter && *retry == delimiter)) {
			pattern = star + 1;
			name = ++retry;
		} else {
			return false;
		}
	}
	while (*pattern == '*' || *pattern == '%')
		pattern++;
	return *pattern == '\0';
}

static bool wished(struct session *session, const struct list_wish *wish, const char *name)
{
	for (size_t i = 0; i < wish->patterns.count; i++) {
		CLEANUP(freep)
		char *full = str_printf("%s%s", buf_str(&wish->reference), wish->patterns.items[i]);

		if (name_matches(full, name, session->model->profile.delimiter))
			return true;
	}
	return false;
}

static void out_delimiter(struct session *session)
{
	char delimiter = session->model->profile.delimiter;

	if (delimiter)
		out_printf(session, "\"%s%c\"", delimiter == '\\' ? "\\" : "", delimiter);
	else
		out_printf(session, "NIL");
}

/* In an LSUB \Noselect would say that it is only the parent of what is subscribed (RFC 3501 6.3.9).
 */
static void out_attributes(struct session *session, const char *verb,
	const struct model_folder *folder, const struct list_wish *wish, const char *name)
{
	const struct model_account *account = session->account;
	const char *gap = "";

	if (!folder || (folder->noselect && strcmp(verb, "LSUB") != 0)) {
		out_printf(session, "%s", folder ? "\\Noselect" : "\\NonExistent");
		gap = " ";
	}
	if (folder && (wish->tell_children || offers(session, MODEL_CAP_CHILDREN))) {
		out_printf(session, "%s%s", gap,
			box_has_children(session->model, account, name) ? "\\HasChildren"
									: "\\HasNoChildren");
		gap = " ";
	}
	if (wish->tell_subscribed && box_subscribed(account, name)) {
		out_printf(session, "%s\\Subscribed", gap);
		gap = " ";
	}
	if (wish->tell_special_use && folder && folder->special_use)
		out_printf(session, "%s%s", gap, folder->special_use);
}

static void out_status(
	struct session *session, const struct model_folder *folder, const char *items);

static void list_one(struct session *session, const char *verb, const struct list_wish *wish,
	const struct model_folder *folder, const char *name)
{
	out_printf(session, "* %s (", verb);
	out_attributes(session, verb, folder, wish, name);
	out_printf(session, ") ");
	out_delimiter(session);
	out_printf(session, " ");
	out_string(session, name);
	out_printf(session, "\r\n");
	if (folder && !folder->noselect && wish->status.len)
		out_status(session, folder, buf_str(&wish->status));
}

static void list_subscriptions(
	struct session *session, const char *verb, const struct list_wish *wish)
{
	struct model_account *account = session->account;

	for (size_t i = 0; i < account->subscriptions.count; i++) {
		const char *name = account->subscriptions.items[i];

		if (wished(session, wish, name))
			list_one(session, verb, wish, box_folder(account, name), name);
	}
}

static void list_folders(struct session *session, const struct list_wish *wish)
{
	const struct model_account *account = session->account;

	for (size_t i = 0; i < account->count; i++) {
		const struct model_folder *folder = &account->folders[i];

		if ((!wish->only_special_use || folder->special_use) &&
			wished(session, wish, folder->name))
			list_one(session, "LIST", wish, folder, folder->name);
	}
}

static bool read_selection(struct session *session, struct words *words, struct list_wish *wish)
{
	char option[MODEL_WORD_MAX];

	if (!words_char(words, '('))
		return true;
	if (!offers(session, MODEL_CAP_LIST_EXTENDED))
		return false;
	while (words_word(words, option)) {
		wish->only_subscribed = wish->only_subscribed || strcmp(option, "SUBSCRIBED") == 0;
		wish->only_special_use =
			wish->only_special_use || strcmp(option, "SPECIAL-USE") == 0;
		(void)words_space(words);
	}
	wish->tell_subscribed = wish->only_subscribed;
	wish->tell_special_use = wish->only_special_use;
	return words_char(words, ')') && words_space(words);
}

static bool read_return(struct session *session, struct words *words, struct list_wish *wish)
{
	char option[MODEL_WORD_MAX];

	if (!words_space(words))
		return true;
	if (!offers(session, MODEL_CAP_LIST_EXTENDED) || !words_word(words, option) ||
		strcmp(option, "RETURN") != 0 || !words_space(words) || !words_char(words, '('))
		return false;
	while (words_word(words, option)) {
		if (strcmp(option, "SUBSCRIBED") == 0)
			wish->tell_subscribed = true;
		else if (strcmp(option, "CHILDREN") == 0)
			wish->tell_children = true;
		else if (strcmp(option, "SPECIAL-USE") == 0 &&
			 offers(session, MODEL_CAP_SPECIAL_USE))
			wish->tell_special_use = true;
		else if (strcmp(option, "STATUS") != 0 || !offers(session, MODEL_CAP_LIST_STATUS) ||
			 !words_space(words) || !words_list(words, &wish->status))
			return false;
		(void)words_space(words);
	}
	return words_char(words, ')');
}

/* A pattern holds '%' and '*' as an atom may not: list-char of RFC 3501. */
static bool read_patterns(struct words *words, struct list_wish *wish)
{
	CLEANUP(buf_free) struct buf pattern = BUF_INIT(MODEL_NAME_MAX);
	bool many = words_char(words, '(');

	do {
		if (!words_astring(words, &pattern))
			return false;
		str_list_add(&wish->patterns, buf_str(&pattern));
	} while (many && words_space(words) && wish->patterns.count < PATTERNS_MAX);
	return !many || words_char(words, ')');
}

void cmd_list(struct session *session, struct words *words)
{
	CLEANUP(list_wish_free)
	struct list_wish wish = {
		.status = BUF_INIT(MODEL_NAME_MAX), .reference = BUF_INIT(MODEL_NAME_MAX)};

	if (!words_space(words) || !read_selection(session, words, &wish) ||
		!words_astring(words, &wish.reference) || !words_space(words) ||
		!read_patterns(words, &wish) || !read_return(session, words, &wish) ||
		!words_end(words)) {
		reply(session, "BAD LIST");
		return;
	}
	if (!offers(session, MODEL_CAP_LIST_EXTENDED) && offers(session, MODEL_CAP_SPECIAL_USE))
		wish.tell_special_use = true;
	if (wish.patterns.items[0][0] == '\0') {
		out_printf(session, "* LIST (\\Noselect) ");
		out_delimiter(session);
		out_printf(session, " \"\"\r\n");
	} else if (wish.only_subscribed) {
		list_subscriptions(session, "LIST", &wish);
	} else {
		list_folders(session, &wish);
	}
	reply(session, "OK done");
}

void cmd_lsub(struct session *session, struct words *words)
{
	CLEANUP(list_wish_free)
	struct list_wish wish = {
		.status = BUF_INIT(MODEL_NAME_MAX), .reference = BUF_INIT(MODEL_NAME_MAX)};

	if (!words_space(words) || !words_astring(words, &wish.reference) || !words_space(words) ||
		!read_patterns(words, &wish) || !words_end(words)) {
		reply(session, "BAD LSUB");
		return;
	}
	list_subscriptions(session, "LSUB", &wish);
	reply(session, "OK done");
}

static bool status_number(struct session *session, const struct model_folder *folder,
	const char *item, uint64_t *ret_number)
{
	uint64_t unseen = 0, size = 0;

	for (size_t i = 0; i < folder->count; i++) {
		unseen += !flags_hold(folder->messages[i].flags, "\\Seen");
		size += folder->messages[i].len;
	}
	if (str_equal_case(item, "MESSAGES"))
		*ret_number = folder->count;
	else if (str_equal_case(item, "UIDNEXT"))
		*ret_number = folder->uidnext;
	else if (str_equal_case(item, "UIDVALIDITY"))
		*ret_number = folder->uidvalidity;
	else if (str_equal_case(item, "UNSEEN"))
		*ret_number = unseen;
	else if (str_equal_case(item, "RECENT"))
		*ret_number = 0;
	else if (str_equal_case(item, "SIZE"))
		*ret_number = size;
	else if (str_equal_case(item, "HIGHESTMODSEQ") && offers(session, MODEL_CAP_CONDSTORE))
		*ret_number = quirk(session, MODEL_QUIRK_NOMODSEQ) ? 0 : folder->highestmodseq;
	else
		return false;
	return true;
}

static void out_status(
	struct session *session, const struct model_folder *folder, const char *items)
{
	CLEANUP(freep) char *copy = xstrdup(items);
	const char *gap = "";
	char *rest = copy, *item;
	uint64_t number;

	out_printf(session, "* STATUS ");
	out_string(session, folder->name);
	out_printf(session, " (");
	while ((item = strsep(&rest, " "))) {
		if (!status_number(session, folder, item, &number))
			continue;
		if (str_equal_case(item, "HIGHESTMODSEQ"))
			session->condstore = true;
		out_printf(session, "%s%s %llu", gap, item, (unsigned long long)number);
		gap = " ";
	}
	out_printf(session, ")\r\n");
}

void cmd_status(struct session *session, struct words *words)
{
	CLEANUP(buf_free) struct buf name = BUF_INIT(MODEL_NAME_MAX);
	CLEANUP(buf_free) struct buf items = BUF_INIT(MODEL_NAME_MAX);
	const struct model_folder *folder;

	if (!words_space(words) || !words_astring(words, &name) || !words_space(words) ||
		!words_list(words, &items) || !words_end(words)) {
		reply(session, "BAD STATUS");
		return;
	}
	folder = box_folder(session->account, buf_str(&name));
	if (!folder || folder->noselect) {
		reply(session, "NO [NONEXISTENT] no such folder");
	} else if (folder->id == session->folder_id &&
		   quirk(session, MODEL_QUIRK_NO_STATUS_OF_SELECTED)) {
		reply(session, "NO that folder is selected");
	} else {
		out_status(session, folder, buf_str(&items));
		reply(session, "OK done");
	}
}

void cmd_namespace(struct session *session, struct words *words)
{
	(void)words;
	if (!offers(session, MODEL_CAP_NAMESPACE)) {
		reply(session, "BAD NAMESPACE is not offered");
		return;
	}
	out_printf(session, "* NAMESPACE ((\"%s\" ", session->model->profile.prefix);
	out_delimiter(session);
	out_printf(session, ")) NIL NIL\r\n");
	reply(session, "OK done");
}
