/* One connection: reads commands, finds their handlers, answers. */
#include "support/model/model_internal.h"

#include <ctype.h>
#include <stdio.h>

enum state { ANY = 0, BEFORE_LOGIN, LOGGED_IN, SELECTED };

struct command {
	const char *name;
	session_handler *handler;
	enum state state;
	bool may_expunge; /* RFC 3501 section 7.4.1 */
};

bool offers(const struct session *session, uint32_t cap)
{
	return session->caps & cap;
}

bool quirk(const struct session *session, uint32_t bit)
{
	return session->model->profile.quirks & bit;
}

void violation(struct session *session, const char *format, ...)
{
	struct buf text = BUF_INIT(MODEL_COMMAND_MAX);
	const char *user = session->account ? session->account->user : "-";
	va_list args;
	bool ok;

	va_start(args, format);
	ok = buf_printf(&text, "%s: ", user) && buf_vprintf(&text, format, args);
	va_end(args);
	assert(ok);
	str_list_take(&session->model->violations, buf_take_str(&text));
}

void out_add(struct session *session, const void *data, size_t len)
{
	bool ok = buf_add(&session->out, data, len);

	assert(ok);
}

static void out_vprintf(struct session *session, const char *format, va_list args)
	PRINTF_LIKE(2, 0);
static void out_vprintf(struct session *session, const char *format, va_list args)
{
	bool ok = buf_vprintf(&session->out, format, args);

	assert(ok);
}

void out_printf(struct session *session, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	out_vprintf(session, format, args);
	va_end(args);
}

void untagged(struct session *session, const char *format, ...)
{
	va_list args;
	size_t start;

	out_printf(session, "* ");
	start = session->out.len;
	va_start(args, format);
	out_vprintf(session, format, args);
	va_end(args);
	if (quirk(session, MODEL_QUIRK_LOWER_CASE) && isdigit(session->out.data[start]))
		for (size_t i = start; i < session->out.len; i++)
			session->out.data[i] = (uint8_t)tolower(session->out.data[i]);
	out_printf(session, "\r\n");
}

void reply(struct session *session, const char *format, ...)
{
	va_list args;

	if (session->folder_id && !session->closing)
		view_sync(session, session->may_expunge);
	session->model->stats.bad += str_starts(format, "BAD");
	session->model->stats.no += str_starts(format, "NO");
	out_printf(session, "%s ", session->tag);
	va_start(args, format);
	out_vprintf(session, format, args);
	va_end(args);
	out_printf(session, "\r\n");
}

void out_string(struct session *session, const char *text)
{
	bool atom = text[0] && quirk(session, MODEL_QUIRK_ATOM_NAMES);
	bool literal = quirk(session, MODEL_QUIRK_LITERAL_NAMES);

	for (const char *at = text; *at; at++) {
		if ((uint8_t)*at < ' ' || (uint8_t)*at >= 0x7f)
			literal = true;
		if (strchr("(){ %*\"\\]", *at))
			atom = false;
	}
	if (literal) {
		out_printf(session, "{%zu}\r\n%s", strlen(text), text);
		return;
	}
	if (atom) {
		out_printf(session, "%s", text);
		return;
	}
	out_printf(session, "\"");
	for (const char *at = text; *at; at++)
		out_printf(session, "%s%c", *at == '"' || *at == '\\' ? "\\" : "", *at);
	out_printf(session, "\"");
}

void out_set(struct session *session, const struct rangeset *set)
{
	for (size_t i = 0; i < set->count; i++) {
		const struct range *range = &set->items[i];

		out_printf(session, "%s%u", i ? "," : "", (unsigned)range->first);
		if (range->last > range->first)
			out_printf(session, ":%u", (unsigned)range->last);
	}
}

void session_flush_unlocked(struct session *session)
{
	model_unlock(session->model);
	(void)wire_flush(session);
	model_lock(session->model);
}

bool session_read_line_unlocked(struct session *session, struct buf *line)
{
	bool have_line = false, ok;

	model_unlock(session->model);
	ok = wire_flush(session);
	while (ok && !have_line)
		ok = wire_wait_line(session, &have_line);
	if (ok)
		wire_take_line(session, line);
	model_lock(session->model);
	return ok;
}

bool may_change(struct session *session, const char *what)
{
	bool mirror = session->account->use == MODEL_MIRROR;

	if (mirror)
		violation(session, "%s, which would change the account", what);
	if (mirror)
		reply(session, "NO [NOPERM] this account must not change");
	return !mirror;
}

void session_wake_all(struct model *model)
{
	for (struct session *session = model->sessions; session; session = session->next)
		wire_wake(session);
}

static void cmd_noop(struct session *session, struct words *words)
{
	(void)words;
	reply(session, "OK done");
}

static void cmd_logout(struct session *session, struct words *words)
{
	(void)words;
	untagged(session, "BYE until next time");
	reply(session, "OK done");
	session->closing = true;
}

static const struct command commands[] = {
	{"CAPABILITY", cmd_capability, ANY, true},
	{"NOOP", cmd_noop, ANY, true},
	{"CHECK", cmd_noop, SELECTED, true},
	{"LOGOUT", cmd_logout, ANY, false},
	{"ID", cmd_id, ANY, true},
	{"AUTHENTICATE", cmd_authenticate, BEFORE_LOGIN, false},
	{"LOGIN", cmd_login, BEFORE_LOGIN, false},
	{"ENABLE", cmd_enable, LOGGED_IN, true},
	{"NAMESPACE", cmd_namespace, LOGGED_IN, true},
	{"LIST", cmd_list, LOGGED_IN, true},
	{"LSUB", cmd_lsub, LOGGED_IN, true},
	{"STATUS", cmd_status, LOGGED_IN, true},
	{"SELECT", cmd_select, LOGGED_IN, false},
	{"EXAMINE", cmd_examine, LOGGED_IN, false},
	{"UNSELECT", cmd_unselect, SELECTED, false},
	{"CLOSE", cmd_close, SELECTED, false},
	{"CREATE", cmd_create, LOGGED_IN, true},
	{"DELETE", cmd_delete, LOGGED_IN, true},
	{"RENAME", cmd_rename, LOGGED_IN, true},
	{"SUBSCRIBE", cmd_subscribe, LOGGED_IN, true},
	{"UNSUBSCRIBE", cmd_unsubscribe, LOGGED_IN, true},
	{"APPEND", cmd_append, LOGGED_IN, true},
	{"FETCH", cmd_fetch, SELECTED, false},
	{"UID FETCH", cmd_uid_fetch, SELECTED, true},
	{"SEARCH", cmd_search, SELECTED, false},
	{"UID SEARCH", cmd_uid_search, SELECTED, true},
	{"STORE", cmd_store, SELECTED, false},
	{"UID STORE", cmd_uid_store, SELECTED, true},
	{"EXPUNGE", cmd_expunge, SELECTED, true},
	{"UID EXPUNGE", cmd_uid_expunge, SELECTED, true},
	{"IDLE", cmd_idle, LOGGED_IN, true},
};

static const struct command *find_command(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(commands); i++)
		if (strcmp(commands[i].name, name) == 0)
			return &commands[i];
	return NULL;
}

static void count_command(struct model *model, const char *name)
{
	size_t i = 0;

	model->stats.commands++;
	while (i < model->command_count && strcmp(model->commands[i].name, name) != 0)
		i++;
	if (i == MODEL_COMMANDS_MAX)
		return;
	if (i == model->command_count)
		(void)snprintf(
			model->commands[model->command_count++].name, MODEL_WORD_MAX, "%s", name);
	model->commands[i].count++;
}

/* The command's text with every literal's bytes left out. */
static void log_arguments(struct words words, struct buf *text)
{
	bool ok = true;

	while (words.at < words.end) {
		const uint8_t *cr = memchr(words.at, '\r', (size_t)(words.end - words.at));
		size_t len = (size_t)((cr ? cr : words.end) - words.at);
		uint64_t skip = 0;
		bool plus;

		ok = ok && buf_add(text, words.at, len);
		if (!cr)
			break;
		if (!parse_literal_mark(words.at, len, &skip, &plus) ||
			skip + 2 > (uint64_t)(words.end - cr))
			break;
		words.at = cr + 2 + skip;
	}
	assert(ok);
}

static void log_command(struct session *session, const char *name, const struct words *words)
{
	struct model *model = session->model;
	struct buf text = BUF_INIT(MODEL_COMMAND_MAX);
	bool secret = strcmp(name, "LOGIN") == 0 || strcmp(name, "AUTHENTICATE") == 0;
	bool ok =
		buf_printf(&text, "%s: %s", session->account ? session->account->user : "-", name);

	assert(ok);
	count_command(model, name);
	if (!secret)
		log_arguments(*words, &text);
	if (model->log.count < MODEL_LOG_MAX)
		str_list_take(&model->log, buf_take_str(&text));
	else
		buf_free(&text);
}

static bool take_answer(struct session *session, const char *name, bool count_down)
{
	struct model_faults *faults = &session->model->faults;

	for (size_t i = 0; i < MODEL_ANSWERS_MAX; i++) {
		struct model_answer *answer = &faults->answers[i];

		if (!answer->command || strcmp(answer->command, name) != 0)
			continue;
		if (answer->skip > 0) {
			answer->skip -= count_down;
			continue;
		}
		reply(session, "%s", answer->answer);
		free(answer->command);
		free(answer->answer);
		*answer = (struct model_answer){0};
		return true;
	}
	return false;
}

/* Tag and name; "UID x" is one name. */
static bool take_name(struct session *session, struct words *words, char name[MODEL_WORD_MAX])
{
	char more[MODEL_WORD_MAX - 4];
	size_t len = 0;

	while (words->at<words->end && * words->at> ' ' && len < MODEL_WORD_MAX - 1)
		session->tag[len++] = (char)*words->at++;
	session->tag[len] = '\0';
	if (len == 0 || !words_space(words) || !words_word(words, name)) {
		(void)snprintf(session->tag, MODEL_WORD_MAX, "*");
		return false;
	}
	if (strcmp(name, "UID") != 0)
		return true;
	if (!words_space(words) || !words_word(words, name) || strlen(name) >= sizeof(more))
		return false;
	(void)snprintf(more, sizeof(more), "%s", name);
	(void)snprintf(name, MODEL_WORD_MAX, "UID %s", more);
	return true;
}

static bool state_allows(struct session *session, const struct command *command)
{
	switch (command->state) {
	case ANY:
		return true;
	case BEFORE_LOGIN:
		return !session->account;
	case LOGGED_IN:
		return session->account;
	case SELECTED:
		return session->account && session->folder_id;
	}
	return false;
}

static void run_command(struct session *session)
{
	struct words words = {session->command.data, session->command.data + session->command.len};
	const struct command *command = NULL;
	char name[MODEL_WORD_MAX];

	session->may_expunge = false;
	if (take_name(session, &words, name)) {
		command = find_command(name);
		log_command(session, name, &words);
	}
	if (!command || !state_allows(session, command)) {
		reply(session, "BAD %s", command ? "not now" : "unknown command");
		return;
	}
	session->may_expunge = command->may_expunge;
	if (take_answer(session, name, true))
		return;
	if (session->folder_id)
		view_sync(session, false);
	if (!session->closing)
		command->handler(session, &words);
}

bool session_refuses_literal(struct session *session)
{
	struct words words = {session->command.data, session->command.data + session->command.len};
	char name[MODEL_WORD_MAX];

	session->may_expunge = false;
	if (!session->account || !take_name(session, &words, name) || strcmp(name, "APPEND") != 0)
		return false;
	if (!take_answer(session, name, false) && !append_refused_early(session, &words))
		return false;
	log_command(session, name, &words);
	return true;
}

static void greet(struct session *session)
{
	out_printf(session, "* OK ");
	if (!quirk(session, MODEL_QUIRK_NO_CAPABILITY_CODES)) {
		out_printf(session, "[");
		out_capabilities(session);
		out_printf(session, "] ");
	}
	out_printf(session, "model server ready\r\n");
}

void *model_session_run(void *context)
{
	struct session *session = context;
	struct model *model = session->model;

	model_lock(model);
	greet(session);
	model_unlock(model);
	while (wire_flush(session) && !session->closing && wire_read_command(session)) {
		model_lock(model);
		if (session->command.len)
			run_command(session);
		model_unlock(model);
	}
	model_lock(model);
	if (session->bye && !session->dead)
		untagged(session, "BYE %s", session->bye);
	model_unlock(model);
	(void)wire_flush(session);
	wire_close(session);
	model_lock(model);
	model->stats.open--;
	session->done = true;
	model_unlock(model);
	return NULL;
}

void session_free(struct session *session)
{
	closep(&session->fd);
	closep(&session->wake_fd);
	buf_free(&session->in);
	buf_free(&session->out);
	buf_free(&session->command);
	free(session->bye);
	free(session->view);
	free(session);
}
