/* Bytes between a session and its client, counted, and broken where the test wants it. */
#include "support/model/model_internal.h"

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "base/rand.h"

enum {
	AUTOLOGOUT_MS = 30 * 60 * 1000, /* RFC 3501 section 5.4 */
	SEND_WAIT_MS = 60 * 1000,
	DRAIN_MS = 5 * 1000,
	RECEIVE_BYTES = 16 * 1024,
	LINE_MAX_BYTES = 1024 * 1024,
	BIND_TRIES = 200,
	BACKLOG = 128,
};

/* False: the server stops, or nothing happened for so long. ret_ready may be NULL. */
static bool wait_for_any(
	struct session *session, short events, int timeout_ms, bool with_wake, bool *ret_ready)
{
	struct pollfd fds[3] = {
		{.fd = session->model->stop_fd, .events = POLLIN},
		{.fd = session->fd, .events = events},
		{.fd = with_wake ? session->wake_fd : -1, .events = POLLIN},
	};
	uint64_t count;
	int ready = poll(fds, 3, timeout_ms);

	if (ready < 0 && errno == EINTR)
		ready = 1;
	if (ready <= 0 || fds[0].revents)
		return false;
	if (fds[2].revents)
		(void)!read(session->wake_fd, &count, sizeof(count));
	if (ret_ready)
		*ret_ready = fds[1].revents;
	return true;
}

static void drain(struct session *session)
{
	int64_t deadline = clock_mono_ms() + DRAIN_MS;
	uint8_t waste[4096];

	(void)shutdown(session->fd, SHUT_WR);
	while (clock_mono_ms() < deadline) {
		if (!wait_for_any(session, POLLIN, DRAIN_MS, false, NULL))
			return;
		ssize_t got = recv(session->fd, waste, sizeof(waste), MSG_DONTWAIT);
		if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR))
			return;
	}
}

static void end_connection(struct session *session, enum model_end end)
{
	static const char bye[] = "* BYE cut by the test\r\n";
	struct linger at_once = {.l_onoff = 1, .l_linger = 0};

	session->dead = true;
	switch (end) {
	case MODEL_BYE:
		(void)send(session->fd, bye, sizeof(bye) - 1, MSG_NOSIGNAL | MSG_DONTWAIT);
		drain(session);
		return;
	case MODEL_FIN:
		drain(session);
		return;
	case MODEL_RST:
		(void)setsockopt(session->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
		return;
	case MODEL_STALL:
		(void)wait_for_any(session, POLLRDHUP, AUTOLOGOUT_MS, false, NULL);
		return;
	}
}

/* How many of `wanted` bytes may be sent, now taken from the cut. 0: cut here, by *ret_end. */
static size_t may_send(struct model *model, size_t wanted, enum model_end *ret_end)
{
	struct model_faults *faults = &model->faults;
	size_t allowed = wanted;

	model_lock(model);
	if (faults->cut_armed && faults->cut.way == MODEL_TO_CLIENT) {
		if (faults->cut_left < allowed)
			allowed = (size_t)faults->cut_left;
		faults->cut_left -= allowed;
		if (allowed == 0) {
			faults->cut_armed = false;
			faults->cut_fired = true;
			*ret_end = faults->cut.end;
		}
	}
	model->stats.sent_bytes += allowed;
	model_unlock(model);
	return allowed;
}

static bool send_all(struct session *session, const uint8_t *data, size_t len)
{
	while (len) {
		ssize_t sent = send(session->fd, data, len, MSG_NOSIGNAL | MSG_DONTWAIT);

		if (sent > 0) {
			data += sent;
			len -= (size_t)sent;
		} else if (errno != EINTR &&
			   (errno != EAGAIN ||
				   !wait_for_any(session, POLLOUT, SEND_WAIT_MS, false, NULL))) {
			session->dead = true;
			return false;
		}
	}
	return true;
}

static bool hold_back(struct session *session, unsigned delay_ms)
{
	struct pollfd stop = {.fd = session->model->stop_fd, .events = POLLIN};

	return delay_ms == 0 || poll(&stop, 1, (int)delay_ms) <= 0;
}

bool wire_flush(struct session *session)
{
	struct model *model = session->model;
	size_t at = 0;

	while (at < session->out.len && !session->dead) {
		enum model_end end = MODEL_FIN;
		size_t len = session->out.len - at, chop;
		unsigned delay_ms;

		model_lock(model);
		chop = model->faults.chop;
		delay_ms = model->faults.delay_ms;
		model_unlock(model);
		if (!hold_back(session, delay_ms)) {
			session->dead = true;
			break;
		}
		len = may_send(model, chop && chop < len ? chop : len, &end);
		if (len == 0)
			end_connection(session, end);
		else if (send_all(session, session->out.data + at, len))
			at += len;
	}
	buf_reset(&session->out);
	return !session->dead;
}

/* Read under the lock, without waiting, so that the count is exact whoever else reads. */
static bool receive(struct session *session)
{
	struct model *model = session->model;
	struct model_faults *faults = &model->faults;
	uint8_t *room = buf_reserve(&session->in, RECEIVE_BYTES);
	size_t allowed = room ? RECEIVE_BYTES : 0;
	enum model_end end = MODEL_FIN;
	bool counted, cut = false;
	ssize_t got = 0;

	model_lock(model);
	counted = faults->cut_armed && faults->cut.way == MODEL_FROM_CLIENT;
	if (counted && faults->cut_left < allowed)
		allowed = (size_t)faults->cut_left;
	if (allowed > 0)
		got = recv(session->fd, room, allowed, MSG_DONTWAIT);
	else
		cut = counted;
	session->dead = got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR);
	if (got > 0) {
		session->in.len += (size_t)got;
		model->stats.received_bytes += (size_t)got;
		faults->cut_left -= counted ? (size_t)got : 0;
	}
	if (cut) {
		faults->cut_armed = false;
		faults->cut_fired = true;
		end = faults->cut.end;
	}
	model_unlock(model);
	if (cut)
		end_connection(session, end);
	return !session->dead;
}

static const uint8_t *line_end(const struct session *session)
{
	return session->in.len ? memchr(session->in.data, '\n', session->in.len) : NULL;
}

/* A cut after n bytes from the client is due once n were read, not when the next one comes. */
static bool cut_is_due(struct model *model)
{
	model_lock(model);
	bool due = model->faults.cut_armed && model->faults.cut.way == MODEL_FROM_CLIENT &&
		   model->faults.cut_left == 0;
	model_unlock(model);
	return due;
}

bool wire_wait_line(struct session *session, bool *ret_line)
{
	bool ready = false;

	*ret_line = line_end(session);
	if (*ret_line)
		return true;
	if (session->dead || session->in.len > LINE_MAX_BYTES)
		return false;
	if (cut_is_due(session->model))
		return receive(session);
	if (!wait_for_any(session, POLLIN, AUTOLOGOUT_MS, true, &ready)) {
		session->dead = true;
		return false;
	}
	if (ready && !receive(session))
		return false;
	*ret_line = line_end(session);
	return true;
}

void wire_take_line(struct session *session, struct buf *line)
{
	const uint8_t *end = line_end(session);
	size_t len = (size_t)(end - session->in.data);
	bool had_cr = len > 0 && end[-1] == '\r';
	bool ok = buf_add(line, session->in.data, had_cr ? len - 1 : len);

	assert(ok);
	buf_consume(&session->in, len + 1);
	if (!had_cr) {
		model_lock(session->model);
		violation(session, "a line ends without CR");
		model_unlock(session->model);
	}
}

static bool bye_is_due(struct session *session)
{
	model_lock(session->model);
	bool due = session->bye;
	model_unlock(session->model);
	return due;
}

static bool read_bytes(struct session *session, size_t len)
{
	size_t taken = 0;

	while (taken < len) {
		size_t here = session->in.len < len - taken ? session->in.len : len - taken;

		if (here > 0) {
			if (!buf_add(&session->command, session->in.data, here))
				return false;
			buf_consume(&session->in, here);
			taken += here;
			continue;
		}
		if (bye_is_due(session))
			return false;
		if (!cut_is_due(session->model) &&
			!wait_for_any(session, POLLIN, AUTOLOGOUT_MS, false, NULL))
			return false;
		if (!receive(session))
			return false;
	}
	return true;
}

/* The literal that the command's last line announces. False: no more of this command. */
static bool read_literal(struct session *session, uint64_t len, bool plus)
{
	struct model *model = session->model;
	bool refused = false;

	model_lock(model);
	if (plus && !offers(session, MODEL_CAP_LITERAL_PLUS) &&
		!(offers(session, MODEL_CAP_LITERAL_MINUS) && len <= 4096)) {
		violation(session, "a non-synchronising literal of %llu bytes, not offered",
			(unsigned long long)len);
		session->closing = true;
		refused = true;
	} else if (len > MODEL_LITERAL_MAX) {
		untagged(session, "BYE literal too big");
		session->closing = true;
		refused = true;
	} else if (!plus) {
		refused = session_refuses_literal(session);
		if (!refused)
			out_printf(session, "+ go ahead\r\n");
	}
	model_unlock(model);
	if (refused)
		return false;
	return (plus || wire_flush(session)) && buf_add_str(&session->command, "\r\n") &&
	       read_bytes(session, (size_t)len);
}

bool wire_read_command(struct session *session)
{
	bool have_line;
	uint64_t len;
	bool plus;

	buf_reset(&session->command);
	for (;;) {
		size_t start = session->command.len;

		do {
			if (bye_is_due(session) || !wire_wait_line(session, &have_line))
				return false;
		} while (!have_line);
		wire_take_line(session, &session->command);
		if (session->command.len == start ||
			!parse_literal_mark(session->command.data + start,
				session->command.len - start, &len, &plus))
			return true;
		if (!read_literal(session, len, plus)) {
			buf_reset(&session->command);
			return !session->dead;
		}
	}
}

void wire_close(struct session *session)
{
	if (!session->dead)
		end_connection(session, MODEL_FIN);
	closep(&session->fd);
}

void wire_wake(struct session *session)
{
	uint64_t one = 1;

	(void)!write(session->wake_fd, &one, sizeof(one));
}

int wire_listen(uint16_t *port)
{
	int on = 1;

	for (int i = 0; i < BIND_TRIES; i++) {
		uint16_t wanted =
			*port ? *port
			      : (uint16_t)(MODEL_PORT_MIN +
					   rand_below(MODEL_PORT_MAX - MODEL_PORT_MIN + 1));
		struct sockaddr_in address = {.sin_family = AF_INET,
			.sin_port = htons(wanted),
			.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
		int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

		(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
		if (fd >= 0 && bind(fd, (struct sockaddr *)&address, sizeof(address)) == 0 &&
			listen(fd, BACKLOG) == 0) {
			*port = wanted;
			return fd;
		}
		closep(&fd);
	}
	return -1;
}
