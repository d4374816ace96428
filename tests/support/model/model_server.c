/* The model's life: threads, sockets, profiles and the arming of faults. */
#include "support/model/model_internal.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

enum {
	CAPS_FULL = MODEL_CAP_SASL_IR | MODEL_CAP_LITERAL_PLUS | MODEL_CAP_ID | MODEL_CAP_ENABLE |
		    MODEL_CAP_NAMESPACE | MODEL_CAP_LIST_EXTENDED | MODEL_CAP_LIST_STATUS |
		    MODEL_CAP_SPECIAL_USE | MODEL_CAP_CREATE_SPECIAL_USE | MODEL_CAP_CONDSTORE |
		    MODEL_CAP_QRESYNC | MODEL_CAP_UIDPLUS | MODEL_CAP_ESEARCH | MODEL_CAP_IDLE |
		    MODEL_CAP_MULTIAPPEND | MODEL_CAP_UNSELECT | MODEL_CAP_CHILDREN,
	CAPS_GMAIL = MODEL_CAP_SASL_IR | MODEL_CAP_LITERAL_MINUS | MODEL_CAP_ID | MODEL_CAP_ENABLE |
		     MODEL_CAP_NAMESPACE | MODEL_CAP_LIST_EXTENDED | MODEL_CAP_LIST_STATUS |
		     MODEL_CAP_SPECIAL_USE | MODEL_CAP_CONDSTORE | MODEL_CAP_UIDPLUS |
		     MODEL_CAP_ESEARCH | MODEL_CAP_IDLE | MODEL_CAP_UNSELECT | MODEL_CAP_CHILDREN,
	QUIRKS_HARMLESS = MODEL_QUIRK_NO_UIDNEXT | MODEL_QUIRK_SILENT_ENABLE |
			  MODEL_QUIRK_REORDERED_ITEMS | MODEL_QUIRK_UNSOLICITED_FETCH |
			  MODEL_QUIRK_WRONG_SIZE | MODEL_QUIRK_NO_CAPABILITY_CODES |
			  MODEL_QUIRK_LITERAL_NAMES | MODEL_QUIRK_CODES_WITHOUT_TEXT |
			  MODEL_QUIRK_RECENT | MODEL_QUIRK_NO_STATUS_OF_SELECTED |
			  MODEL_QUIRK_SPLIT_VANISHED | MODEL_QUIRK_LOWER_CASE,
};

const struct model_profile model_profile_full = {
	.name = "full", .caps = CAPS_FULL, .delimiter = '/'};
const struct model_profile model_profile_plain = {.name = "plain",
	.delimiter = '/',
	.quirks = MODEL_QUIRK_EMPTY_SEARCH_SILENT | MODEL_QUIRK_ATOM_NAMES};
const struct model_profile model_profile_condstore = {
	.name = "condstore", .caps = CAPS_GMAIL, .delimiter = '/'};
const struct model_profile model_profile_courier = {.name = "courier",
	.caps = MODEL_CAP_NAMESPACE | MODEL_CAP_UIDPLUS | MODEL_CAP_IDLE | MODEL_CAP_CHILDREN,
	.delimiter = '.',
	.prefix = "INBOX."};
const struct model_profile model_profile_odd = {
	.name = "odd", .caps = CAPS_FULL, .quirks = QUIRKS_HARMLESS, .delimiter = '/'};

static _Noreturn void give_up(const char *what)
{
	perror(what);
	abort();
}

struct model *model_new(const struct model_profile *profile)
{
	struct model *model = xcalloc(1, sizeof(*model));

	if (pthread_mutex_init(&model->lock, NULL) != 0)
		give_up("model: mutex");
	model->profile = *profile;
	if (!profile->prefix)
		model->profile.prefix = "";
	model->next_uidvalidity = 1000;
	model->listen_fd = -1;
	model->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (model->stop_fd < 0)
		give_up("model: eventfd");
	return model;
}

/* Join those that ended; with `all`, wait for the others too. Without the lock. */
static void reap(struct model *model, bool all)
{
	struct session *ended = NULL, **at;

	model_lock(model);
	for (at = &model->sessions; *at;) {
		struct session *session = *at;

		if (all || session->done) {
			*at = session->next;
			session->next = ended;
			ended = session;
		} else {
			at = &session->next;
		}
	}
	model_unlock(model);
	while (ended) {
		struct session *next = ended->next;

		(void)pthread_join(ended->thread, NULL);
		session_free(ended);
		ended = next;
	}
}

static void start_session(struct model *model, int fd)
{
	struct session *session = xcalloc(1, sizeof(*session));

	reap(model, false);
	session->model = model;
	session->fd = fd;
	session->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (session->wake_fd < 0)
		give_up("model: eventfd");
	buf_init(&session->in, MODEL_COMMAND_MAX);
	buf_init(&session->out, MODEL_OUT_MAX);
	buf_init(&session->command, MODEL_COMMAND_MAX);
	model_lock(model);
	session->caps = model->profile.caps;
	session->next = model->sessions;
	model->sessions = session;
	model->stats.connections++;
	model->stats.open++;
	if (pthread_create(&session->thread, NULL, model_session_run, session) != 0)
		give_up("model: thread");
	model_unlock(model);
}

static bool refused(struct model *model)
{
	model_lock(model);
	bool refuse = model->faults.refuse > 0;
	if (refuse)
		model->faults.refuse--;
	model_unlock(model);
	return refuse;
}

static void *accept_all(void *context)
{
	struct model *model = context;
	const int on = 1;
	struct pollfd fds[2] = {{.fd = model->stop_fd, .events = POLLIN},
		{.fd = model->listen_fd, .events = POLLIN}};

	for (;;) {
		int fd;

		if (poll(fds, 2, -1) < 0 && errno != EINTR)
			give_up("model: poll");
		if (fds[0].revents)
			return NULL;
		fd = accept4(fds[1].fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
		if (fd < 0)
			continue;
		(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
		if (refused(model))
			(void)close(fd);
		else
			start_session(model, fd);
	}
}

uint16_t model_listen(struct model *model)
{
	assert(model->listen_fd < 0);
	model->listen_fd = wire_listen(&model->port);
	if (model->listen_fd < 0)
		give_up("model: listen");
	if (pthread_create(&model->acceptor, NULL, accept_all, model) != 0)
		give_up("model: thread");
	return model->port;
}

void model_unlisten(struct model *model)
{
	uint64_t count = 1;

	(void)!write(model->stop_fd, &count, sizeof(count));
	if (model->listen_fd >= 0)
		(void)pthread_join(model->acceptor, NULL);
	closep(&model->listen_fd);
	reap(model, true);
	(void)!read(model->stop_fd, &count, sizeof(count));
}

int model_connect_pair(struct model *model)
{
	int fds[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) != 0)
		give_up("model: socketpair");
	start_session(model, fds[0]);
	return fds[1];
}

static void forget_answers(struct model_faults *faults)
{
	for (size_t i = 0; i < MODEL_ANSWERS_MAX; i++) {
		free(faults->answers[i].command);
		free(faults->answers[i].answer);
	}
}

void model_freep(struct model **model)
{
	struct model *old = *model;

	*model = NULL;
	if (!old)
		return;
	model_unlisten(old);
	for (size_t i = 0; i < old->account_count; i++)
		box_account_free(old->accounts[i]);
	free(old->accounts);
	forget_answers(&old->faults);
	str_list_free(&old->log);
	str_list_free(&old->violations);
	closep(&old->stop_fd);
	(void)pthread_mutex_destroy(&old->lock);
	free(old);
}

void model_set_quirks(struct model *model, uint32_t quirks)
{
	model_lock(model);
	model->profile.quirks = quirks;
	model_unlock(model);
}

void model_set_caps(struct model *model, uint32_t caps)
{
	model_lock(model);
	model->profile.caps = caps;
	model_unlock(model);
}

void model_cut_arm(struct model *model, const struct model_cut *cut)
{
	model_lock(model);
	model->faults.cut = *cut;
	model->faults.cut_left = cut->after_bytes;
	model->faults.cut_armed = true;
	model->faults.cut_fired = false;
	session_wake_all(model);
	model_unlock(model);
}

void model_cut_disarm(struct model *model)
{
	model_lock(model);
	model->faults.cut_armed = false;
	model_unlock(model);
}

bool model_cut_fired(struct model *model)
{
	model_lock(model);
	bool fired = model->faults.cut_fired;
	model_unlock(model);
	return fired;
}

void model_refuse_next(struct model *model, unsigned connections)
{
	model_lock(model);
	model->faults.refuse = connections;
	model_unlock(model);
}

void model_delay(struct model *model, unsigned ms)
{
	model_lock(model);
	model->faults.delay_ms = ms;
	model_unlock(model);
}

void model_chop(struct model *model, size_t bytes)
{
	model_lock(model);
	model->faults.chop = bytes;
	model_unlock(model);
}

void model_answer_next(struct model *model, const char *command, unsigned skip, const char *answer)
{
	struct model_answer *place = NULL;

	model_lock(model);
	for (size_t i = 0; i < MODEL_ANSWERS_MAX; i++)
		if (!model->faults.answers[i].command)
			place = &model->faults.answers[i];
	assert(place);
	*place = (struct model_answer){
		.command = xstrdup(command), .answer = xstrdup(answer), .skip = skip};
	model_unlock(model);
}

void model_bye_all(struct model *model, const char *text)
{
	model_lock(model);
	for (struct session *session = model->sessions; session; session = session->next) {
		free(session->bye);
		session->bye = xstrdup(text);
	}
	session_wake_all(model);
	model_unlock(model);
}

void model_chatter(struct model *model)
{
	model_lock(model);
	for (struct session *session = model->sessions; session; session = session->next)
		session->chatter = true;
	session_wake_all(model);
	model_unlock(model);
}
