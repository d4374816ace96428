/*
 * What the files of the model server share. Everything here is called with the model's lock held
 * unless it says otherwise.
 */
#ifndef MAILSTOW_TESTS_SUPPORT_MODEL_MODEL_INTERNAL_H
#define MAILSTOW_TESTS_SUPPORT_MODEL_MODEL_INTERNAL_H

#include <assert.h>
#include <pthread.h>
#include <stdarg.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/rangeset.h"
#include "base/str.h"
#include "support/model/model_server.h"

enum {
	MODEL_NAME_MAX = 4096,
	MODEL_WORD_MAX = 64,
	MODEL_ANSWERS_MAX = 8,
	MODEL_COMMANDS_MAX = 64,
	MODEL_OUT_MAX = 256 * 1024 * 1024,
	MODEL_FLUSH_BYTES = 64 * 1024,
};

struct model_account {
	char *user;
	char *password;
	enum model_use use;
	struct model_folder *folders; /* in order of creation */
	size_t count, cap;
	struct str_list subscriptions;
};

struct model_answer {
	char *command; /* NULL: free place */
	char *answer;
	unsigned skip;
};

struct model_faults {
	struct model_cut cut;
	bool cut_armed;
	bool cut_fired;
	uint64_t cut_left;
	unsigned refuse;
	unsigned delay_ms;
	size_t chop;
	struct model_answer answers[MODEL_ANSWERS_MAX];
};

struct model_command_count {
	char name[MODEL_WORD_MAX];
	unsigned count;
};

struct session;

struct model {
	pthread_mutex_t lock;
	struct model_profile profile;
	struct model_account **accounts;
	size_t account_count, account_cap;
	uint32_t next_uidvalidity;
	uint64_t next_folder_id;

	struct session *sessions;
	pthread_t acceptor;
	int listen_fd; /* -1: not listening */
	int stop_fd;   /* readable once all sessions must end */
	uint16_t port; /* 0: none chosen yet */

	struct model_faults faults;
	struct model_stats stats;
	struct model_command_count commands[MODEL_COMMANDS_MAX];
	size_t command_count;
	struct str_list log;
	struct str_list violations;
};

/* What a session was told of a message of its folder. */
struct view_message {
	uint32_t uid;
	uint64_t modseq;
};

struct session {
	struct session *next;
	struct model *model;
	pthread_t thread;
	bool done; /* the thread is about to return */
	int fd;
	int wake_fd; /* something changed: look again */

	struct buf in;  /* read, not yet a command */
	struct buf out; /* written, not yet sent */
	struct buf command;
	char tag[MODEL_WORD_MAX];
	bool dead;    /* no more reading or writing */
	bool closing; /* flush, then close */
	char *bye;    /* say this and close */
	bool chatter;

	uint32_t caps;
	struct model_account *account; /* NULL before login */
	bool qresync;
	bool condstore;
	uint64_t folder_id; /* selected; 0: none */
	bool read_only;
	struct view_message *view; /* by sequence number - 1 */
	size_t view_count, view_cap;
	bool may_expunge; /* the command under way allows EXPUNGE before its tagged reply */
	unsigned fetches; /* messages told of, for the unsolicited ones */
};

static inline void model_lock(struct model *model)
{
	(void)pthread_mutex_lock(&model->lock);
}

static inline void model_unlock(struct model *model)
{
	(void)pthread_mutex_unlock(&model->lock);
}

/* --- model_box.c: accounts, folders, messages --- */

struct model_account *box_account(struct model *model, const char *user); /* NULL: none */
struct model_account *box_account_must(struct model *model, const char *user);
struct model_folder *box_folder(struct model_account *account, const char *name);
struct model_folder *box_folder_must(struct model *model, const char *user, const char *name);
struct model_folder *box_folder_by_id(struct model_account *account, uint64_t id);
/* NULL: it exists. A \Noselect one becomes selectable. */
struct model_folder *box_create(
	struct model *model, struct model_account *account, const char *name);
bool box_delete(struct model *model, struct model_account *account, const char *name);
bool box_rename(
	struct model *model, struct model_account *account, const char *from, const char *to);
bool box_has_children(
	const struct model *model, const struct model_account *account, const char *name);
bool box_is_inbox(const char *name);
bool box_subscribed(const struct model_account *account, const char *name);
void box_subscribe(struct model_account *account, const char *name, bool subscribed);
void box_folder_clear(struct model_folder *folder);
void box_account_free(struct model_account *account);

struct model_message *box_message(const struct model_folder *folder, uint32_t uid);
struct model_message *box_add(struct model_folder *folder, const struct model_letter *letter);
/* modseq 0: the next one. */
void box_expunge(struct model_folder *folder, struct model_message *message, uint64_t modseq);
void box_set_flags(struct model_folder *folder, struct model_message *message, const char *flags);
/* A new life under a new UIDVALIDITY, the messages as before. */
void box_reset(struct model *model, struct model_folder *folder);

/* --- model_flags.c: texts of flags, canonical as in struct model_message --- */

char *flags_canonical(const char *flags);
bool flags_hold(const char *flags, const char *flag);
char *flags_change(const char *flags, char sign, const char *change); /* '+', '-' or '=' */
bool flags_have_keyword(const char *flags);
void flags_keywords(const struct model_folder *folder, struct str_list *ret_keywords);

/* --- model_parse.c: a cursor over one command --- */

struct words {
	const uint8_t *at;
	const uint8_t *end;
};

bool words_end(const struct words *words);
bool words_space(struct words *words); /* one or more */
bool words_char(struct words *words, char c);
bool words_peek(const struct words *words, char c);
/* Up to a blank, parenthesis, bracket or the end; upper case; false when empty or too long. */
bool words_word(struct words *words, char out[MODEL_WORD_MAX]);
bool words_number(struct words *words, uint64_t *ret_number);
bool words_astring(struct words *words, struct buf *out); /* atom, "quoted" or {literal} */
bool words_literal(struct words *words, const uint8_t **ret_data, size_t *ret_len);
bool words_set(struct words *words, uint32_t star, struct rangeset *set);
bool words_list(struct words *words, struct buf *out); /* "(a b c)" as "a b c" */
bool parse_literal_mark(const uint8_t *line, size_t len, uint64_t *ret_len, bool *ret_plus);

/* --- model_wire.c: bytes in and out. Called WITHOUT the lock. --- */

bool wire_flush(struct session *session);
bool wire_read_command(struct session *session); /* into session->command, without last CRLF */
/* Wait for bytes or for a change; true with *ret_line when a whole line is in session->in. */
bool wire_wait_line(struct session *session, bool *ret_line);
void wire_take_line(struct session *session, struct buf *line);
void wire_close(struct session *session);
void wire_wake(struct session *session); /* with or without the lock */
int wire_listen(uint16_t *port);

/* --- model_session.c --- */

void *model_session_run(void *context);
void session_free(struct session *session);
void session_wake_all(struct model *model);
void violation(struct session *session, const char *format, ...) PRINTF_LIKE(2, 3);
void untagged(struct session *session, const char *format, ...) PRINTF_LIKE(2, 3);
/* Tagged, after what is new in the folder. */
void reply(struct session *session, const char *format, ...) PRINTF_LIKE(2, 3);
void out_add(struct session *session, const void *data, size_t len);
void out_printf(struct session *session, const char *format, ...) PRINTF_LIKE(2, 3);
void out_string(struct session *session, const char *text); /* as quoted or literal */
void out_set(struct session *session, const struct rangeset *set);
void session_flush_unlocked(struct session *session); /* gives up the lock meanwhile */
bool offers(const struct session *session, uint32_t cap);
bool quirk(const struct session *session, uint32_t bit);
/* False and answered when this account or view must not change. */
bool may_change(struct session *session, const char *what);
/* Before a synchronising literal is asked for: true when an answer was given instead. */
bool session_refuses_literal(struct session *session);

typedef void session_handler(struct session *session, struct words *words);
session_handler cmd_list, cmd_lsub, cmd_status, cmd_namespace;
session_handler cmd_select, cmd_examine, cmd_close, cmd_unselect;
session_handler cmd_fetch, cmd_uid_fetch, cmd_search, cmd_uid_search;
session_handler cmd_store, cmd_uid_store, cmd_expunge, cmd_uid_expunge;
session_handler cmd_append, cmd_create, cmd_delete, cmd_rename, cmd_subscribe, cmd_unsubscribe;
session_handler cmd_idle, cmd_capability, cmd_id, cmd_enable, cmd_login, cmd_authenticate;
/* The next line without its CR LF; gives up the lock meanwhile. */
bool session_read_line_unlocked(struct session *session, struct buf *line);
void out_capabilities(struct session *session);
bool append_refused_early(struct session *session, struct words *words);

/* --- model_view.c: the selected folder as this session knows it --- */

struct model_folder *view_folder(struct session *session); /* NULL: none, or gone */
void view_open(struct session *session, struct model_folder *folder, bool read_only);
void view_close(struct session *session);
/* Tell what is new; expunges only where they are allowed. */
void view_sync(struct session *session, bool with_expunges);
size_t view_number(const struct session *session, uint32_t uid); /* 0: not in it */
void out_flags(struct session *session, const struct model_message *message);
bool view_set(struct session *session, struct words *words, bool by_uid, struct rangeset *ret_uids);

/* --- shared answers --- */

/* model_fetch.c: the wanted fields with their continuation lines, and the empty line. */
void header_fields(const struct model_message *message, const char *fields, struct buf *out);

/* model_select.c: UIDs expunged after modseq, or, where the history does not reach back so far, all
 * that are not there; known NULL: of all UIDs. */
void resync_vanished(const struct model_folder *folder, uint64_t modseq,
	const struct rangeset *known, struct rangeset *ret_vanished);
void out_vanished_earlier(struct session *session, const struct rangeset *vanished);

#endif
