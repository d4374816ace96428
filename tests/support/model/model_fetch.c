/* FETCH and UID FETCH (RFC 3501, CHANGEDSINCE and VANISHED of RFC 7162). */
#include "support/model/model_internal.h"

#include <ctype.h>

enum item_kind {
	ITEM_UID,
	ITEM_FLAGS,
	ITEM_DATE,
	ITEM_SIZE,
	ITEM_MODSEQ,
	ITEM_BODY,   /* the whole message */
	ITEM_HEADER, /* its header */
	ITEM_FIELDS, /* some fields of it */
};

enum { ITEMS_MAX = 16, FETCHES_BETWEEN_UNSOLICITED = 3, WRONG_SIZE = 7 };

struct fetch_item {
	enum item_kind kind;
	struct buf fields; /* ITEM_FIELDS: blank-separated */
};

struct fetch {
	struct fetch_item items[ITEMS_MAX];
	size_t count;
	bool has_body, sets_seen;
	bool changed_since, vanished;
	uint64_t modseq;
	struct rangeset uids;
};

static void fetch_free(struct fetch *fetch)
{
	for (size_t i = 0; i < fetch->count; i++)
		buf_free(&fetch->items[i].fields);
	rangeset_free(&fetch->uids);
}

static struct fetch_item *add_item(struct fetch *fetch, enum item_kind kind)
{
	struct fetch_item *item = &fetch->items[fetch->count++];

	*item = (struct fetch_item){.kind = kind, .fields = BUF_INIT(MODEL_NAME_MAX)};
	fetch->has_body = fetch->has_body || kind == ITEM_BODY;
	return item;
}

/* After "BODY[" or "BODY.PEEK[" */
static bool read_section(struct words *words, struct fetch *fetch)
{
	char name[MODEL_WORD_MAX];
	struct fetch_item *item;

	if (words_char(words, ']')) {
		(void)add_item(fetch, ITEM_BODY);
		return true;
	}
	if (!words_word(words, name))
		return false;
	if (strcmp(name, "HEADER") == 0) {
		(void)add_item(fetch, ITEM_HEADER);
		return words_char(words, ']');
	}
	if (strcmp(name, "HEADER.FIELDS") != 0)
		return false;
	item = add_item(fetch, ITEM_FIELDS);
	return words_space(words) && words_list(words, &item->fields) && words_char(words, ']');
}

static bool read_item(struct session *session, struct words *words, struct fetch *fetch)
{
	static const struct {
		const char *name;
		enum item_kind kind;
	} plain[] = {{"UID", ITEM_UID}, {"FLAGS", ITEM_FLAGS}, {"INTERNALDATE", ITEM_DATE},
		{"RFC822.SIZE", ITEM_SIZE}, {"MODSEQ", ITEM_MODSEQ}};
	char name[MODEL_WORD_MAX];

	if (fetch->count == ITEMS_MAX || !words_word(words, name))
		return false;
	for (size_t i = 0; i < ARRAY_LEN(plain); i++)
		if (strcmp(plain[i].name, name) == 0) {
			session->condstore = session->condstore || plain[i].kind == ITEM_MODSEQ;
			(void)add_item(fetch, plain[i].kind);
			return plain[i].kind != ITEM_MODSEQ || offers(session, MODEL_CAP_CONDSTORE);
		}
	if (strcmp(name, "BODY.PEEK") == 0)
		return words_char(words, '[') && read_section(words, fetch);
	if (strcmp(name, "BODY") == 0 && words_char(words, '[')) {
		fetch->sets_seen = true;
		return read_section(words, fetch);
	}
	violation(session, "FETCH of %s, which is never needed", name);
	return false;
}

static bool read_items(struct session *session, struct words *words, struct fetch *fetch)
{
	if (!words_char(words, '('))
		return read_item(session, words, fetch);
	do {
		if (!read_item(session, words, fetch))
			return false;
	} while (words_space(words));
	return words_char(words, ')');
}

static bool read_modifiers(struct session *session, struct words *words, struct fetch *fetch)
{
	char name[MODEL_WORD_MAX];

	if (!words_space(words))
		return true;
	if (!words_char(words, '('))
		return false;
	while (words_word(words, name)) {
		if (strcmp(name, "CHANGEDSINCE") == 0)
			fetch->changed_since = offers(session, MODEL_CAP_CONDSTORE) &&
					       words_space(words) &&
					       words_number(words, &fetch->modseq);
		else if (strcmp(name, "VANISHED") == 0)
			fetch->vanished = session->qresync;
		else
			return false;
		(void)words_space(words);
	}
	session->condstore = session->condstore || fetch->changed_since;
	return words_char(words, ')') && fetch->changed_since;
}

static bool has_item(const struct fetch *fetch, enum item_kind kind)
{
	for (size_t i = 0; i < fetch->count; i++)
		if (fetch->items[i].kind == kind)
			return true;
	return false;
}

/* UID FETCH tells the UID, CHANGEDSINCE the mod-sequence. */
static bool imply_items(struct fetch *fetch, bool by_uid)
{
	if (by_uid && !has_item(fetch, ITEM_UID)) {
		if (fetch->count == ITEMS_MAX)
			return false;
		memmove(&fetch->items[1], &fetch->items[0], fetch->count * sizeof(fetch->items[0]));
		fetch->items[0] = (struct fetch_item){.kind = ITEM_UID};
		fetch->count++;
	}
	if (fetch->changed_since && !has_item(fetch, ITEM_MODSEQ)) {
		if (fetch->count == ITEMS_MAX)
			return false;
		(void)add_item(fetch, ITEM_MODSEQ);
	}
	return true;
}

static size_t header_len(const struct model_message *message)
{
	const char *text = (const char *)message->bytes;
	const char *crlf = memmem(text, message->len, "\r\n\r\n", 4);
	const char *lf = memmem(text, message->len, "\n\n", 2);

	if (crlf && (!lf || crlf < lf))
		return (size_t)(crlf - text) + 4;
	return lf ? (size_t)(lf - text) + 2 : message->len;
}

static bool field_wanted(const char *line, size_t len, const char *fields)
{
	const char *colon = memchr(line, ':', len);
	CLEANUP(freep) char *copy = xstrdup(fields);
	char *rest = copy, *field;

	while (colon && (field = strsep(&rest, " ")))
		if (strlen(field) == (size_t)(colon - line) &&
			strncasecmp(field, line, strlen(field)) == 0)
			return true;
	return false;
}

void header_fields(const struct model_message *message, const char *fields, struct buf *out)
{
	const char *at = (const char *)message->bytes, *end = at + header_len(message);
	bool wanted = false, ok = true;

	while (at < end) {
		const char *lf = memchr(at, '\n', (size_t)(end - at));
		size_t len = lf ? (size_t)(lf + 1 - at) : (size_t)(end - at);

		if (*at != ' ' && *at != '\t')
			wanted = field_wanted(at, len, fields);
		if (wanted)
			ok = ok && buf_add(out, at, len);
		at += len;
	}
	ok = ok && buf_add_str(out, "\r\n");
	assert(ok);
}

static void out_literal(struct session *session, const void *data, size_t len)
{
	out_printf(session, "{%zu}\r\n", len);
	if (len)
		out_add(session, data, len);
}

static void out_body(struct session *session, struct model_message *message)
{
	out_printf(session, "BODY[] ");
	if (message->oddities & MODEL_ODD_NIL_BODY) {
		out_printf(session, "NIL");
		return;
	}
	message->bodies_fetched++;
	session->model->stats.bodies++;
	out_literal(session, message->bytes, message->len);
}

static void out_fields(
	struct session *session, const struct model_message *message, const struct fetch_item *item)
{
	CLEANUP(buf_free) struct buf text = BUF_INIT(MODEL_COMMAND_MAX);

	header_fields(message, buf_str(&item->fields), &text);
	out_printf(session, "BODY[HEADER.FIELDS (%s)] ", buf_str(&item->fields));
	out_literal(session, text.data, text.len);
}

static void out_item(
	struct session *session, struct model_message *message, const struct fetch_item *item)
{
	bool wrong = quirk(session, MODEL_QUIRK_WRONG_SIZE) ||
		     (message->oddities & MODEL_ODD_WRONG_SIZE);

	switch (item->kind) {
	case ITEM_UID:
		out_printf(session, "UID %u", (unsigned)message->uid);
		break;
	case ITEM_FLAGS:
		out_flags(session, message);
		break;
	case ITEM_DATE:
		out_printf(session, "INTERNALDATE \"%s\"", message->date);
		break;
	case ITEM_SIZE:
		out_printf(session, "RFC822.SIZE %zu", message->len + (wrong ? WRONG_SIZE : 0));
		break;
	case ITEM_MODSEQ:
		out_printf(session, "MODSEQ (%llu)", (unsigned long long)message->modseq);
		break;
	case ITEM_BODY:
		out_body(session, message);
		break;
	case ITEM_HEADER:
		out_printf(session, "BODY[HEADER] ");
		out_literal(session, message->bytes, header_len(message));
		break;
	case ITEM_FIELDS:
		out_fields(session, message, item);
		break;
	}
}

static void out_message(struct session *session, struct model_message *message, size_t number,
	const struct fetch *fetch)
{
	bool backwards = quirk(session, MODEL_QUIRK_REORDERED_ITEMS);
	bool apart = fetch->has_body && (message->oddities & MODEL_ODD_APART);
	const char *blank = "";

	out_printf(session, "* %zu FETCH (", number);
	for (size_t i = 0; i < fetch->count; i++) {
		size_t at = backwards ? fetch->count - 1 - i : i;

		if (apart && fetch->items[at].kind == ITEM_FLAGS)
			continue;
		out_printf(session, "%s", blank);
		out_item(session, message, &fetch->items[at]);
		blank = " ";
	}
	out_printf(session, ")\r\n");
}

/* RFC 3501 section 7: a server may tell of any message at any time; 6.4.8: with its UID. */
static void out_unsolicited(struct session *session, const struct model_folder *folder)
{
	const struct view_message *other =
		&session->view[(session->fetches * 7) % session->view_count];
	const struct model_message *message = box_message(folder, other->uid);

	if (!message || session->fetches % FETCHES_BETWEEN_UNSOLICITED != 0)
		return;
	out_printf(session, "* %zu FETCH (UID %u ", view_number(session, other->uid),
		(unsigned)other->uid);
	out_flags(session, message);
	out_printf(session, ")\r\n");
}

enum outcome { GO_ON, REFUSED, GONE };

static enum outcome fetch_one(struct session *session, const struct fetch *fetch, uint32_t uid)
{
	struct model_folder *folder = view_folder(session);
	struct model_message *message = folder ? box_message(folder, uid) : NULL;
	size_t number = view_number(session, uid);

	if (!folder)
		return GONE;
	if (message && !fetch->has_body && has_item(fetch, ITEM_FLAGS) &&
		(message->oddities & MODEL_ODD_NO_FLAGS))
		return REFUSED;
	if (!message || (fetch->changed_since && message->modseq <= fetch->modseq))
		return GO_ON;
	if (fetch->has_body && (message->oddities & MODEL_ODD_REFUSED))
		return REFUSED;
	if (fetch->has_body && (message->oddities & MODEL_ODD_MISSING))
		return GO_ON;
	if (fetch->sets_seen && !session->read_only) {
		CLEANUP(freep) char *flags = flags_change(message->flags, '+', "\\Seen");

		box_set_flags(folder, message, flags);
	}
	if (has_item(fetch, ITEM_FLAGS))
		session->view[number - 1].modseq = message->modseq;
	session->fetches++;
	if (quirk(session, MODEL_QUIRK_UNSOLICITED_FETCH))
		out_unsolicited(session, folder);
	out_message(session, message, number, fetch);
	return GO_ON;
}

static void fetch_all(struct session *session, const struct fetch *fetch)
{
	for (size_t i = 0; i < fetch->uids.count; i++)
		for (uint64_t uid = fetch->uids.items[i].first; uid <= fetch->uids.items[i].last;
			uid++) {
			enum outcome outcome = fetch_one(session, fetch, (uint32_t)uid);

			if (outcome == REFUSED)
				reply(session, "NO [UNAVAILABLE] server error, try again later");
			if (outcome != GO_ON)
				return;
			if (session->out.len > MODEL_FLUSH_BYTES)
				session_flush_unlocked(session);
			if (session->dead)
				return;
		}
	reply(session, "OK done");
}

static void fetch_vanished(
	struct session *session, const struct fetch *fetch, const struct rangeset *wanted)
{
	CLEANUP(rangeset_free) struct rangeset vanished = {0};
	const struct model_folder *folder = view_folder(session);

	if (!folder)
		return;
	resync_vanished(folder, fetch->modseq, wanted, &vanished);
	out_vanished_earlier(session, &vanished);
}

static void fetch(struct session *session, struct words *words, bool by_uid)
{
	CLEANUP(fetch_free) struct fetch wish = {0};
	CLEANUP(rangeset_free) struct rangeset wanted = {0};
	struct words set;

	(void)words_space(words);
	set = *words;
	if (!view_set(session, words, by_uid, &wish.uids) || !words_space(words) ||
		!read_items(session, words, &wish) || !read_modifiers(session, words, &wish) ||
		!words_end(words) || !imply_items(&wish, by_uid)) {
		reply(session, "BAD FETCH");
		return;
	}
	if (wish.sets_seen && session->read_only)
		violation(session, "FETCH without PEEK under EXAMINE");
	else if (wish.sets_seen && !may_change(session, "FETCH without PEEK"))
		return;
	if (wish.vanished && words_set(&set, UINT32_MAX, &wanted))
		fetch_vanished(session, &wish, &wanted);
	fetch_all(session, &wish);
}

void cmd_fetch(struct session *session, struct words *words)
{
	fetch(session, words, false);
}

void cmd_uid_fetch(struct session *session, struct words *words)
{
	fetch(session, words, true);
}
