#include "model/raw.h"

#include <assert.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

struct raw raw_over(int fd)
{
	return (struct raw){.fd = fd, .in = BUF_INIT(RAW_TEXT_MAX), .text = BUF_INIT(RAW_TEXT_MAX)};
}

struct raw raw_dial(uint16_t port)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof(address)) != 0)
		closep(&fd);
	return raw_over(fd);
}

struct raw raw_login(struct model *model)
{
	struct raw raw = raw_over(model_connect_pair(model));

	(void)raw_line(&raw);
	(void)raw_ask(&raw, "LOGIN alice secret");
	return raw;
}

void raw_close(struct raw *raw)
{
	closep(&raw->fd);
	buf_free(&raw->in);
	buf_free(&raw->text);
}

void raw_say(struct raw *raw, const char *text)
{
	size_t len = strlen(text);

	while (len) {
		ssize_t sent = send(raw->fd, text, len, MSG_NOSIGNAL);

		if (sent <= 0) {
			raw->reset = true;
			return;
		}
		text += sent;
		len -= (size_t)sent;
	}
}

/* 1: received more; 0: end of the stream; -1: nothing came, or an error */
static int receive(struct raw *raw)
{
	struct pollfd ready = {.fd = raw->fd, .events = POLLIN};
	uint8_t *room = buf_reserve(&raw->in, 4096);
	ssize_t got;

	if (!room || poll(&ready, 1, RAW_WAIT_MS) <= 0)
		return -1;
	got = recv(raw->fd, room, 4096, 0);
	if (got > 0)
		raw->in.len += (size_t)got;
	if (got < 0 && errno == ECONNRESET)
		raw->reset = true;
	return got > 0 ? 1 : (int)got;
}

static bool take_line(struct raw *raw, struct buf *out)
{
	const uint8_t *end = NULL;
	bool ok;

	while (!raw->in.len || !(end = memchr(raw->in.data, '\n', raw->in.len)))
		if (receive(raw) <= 0)
			return false;
	ok = buf_add(out, raw->in.data, (size_t)(end + 1 - raw->in.data));
	assert(ok);
	buf_consume(&raw->in, (size_t)(end + 1 - raw->in.data));
	return true;
}

const char *raw_line(struct raw *raw)
{
	buf_reset(&raw->text);
	return take_line(raw, &raw->text) ? buf_str(&raw->text) : "";
}

const char *raw_until(struct raw *raw, const char *tag)
{
	size_t start, len = strlen(tag);

	buf_reset(&raw->text);
	do {
		start = raw->text.len;
		if (!take_line(raw, &raw->text))
			break;
	} while (strncmp(buf_str(&raw->text) + start, tag, len) != 0 ||
		 buf_str(&raw->text)[start + len] != ' ');
	return buf_str(&raw->text);
}

const char *raw_ask(struct raw *raw, const char *command)
{
	raw_say(raw, "a ");
	raw_say(raw, command);
	raw_say(raw, "\r\n");
	return raw_until(raw, "a");
}

const char *raw_rest(struct raw *raw)
{
	bool ok;

	while (receive(raw) > 0)
		continue;
	buf_reset(&raw->text);
	ok = buf_add(&raw->text, raw->in.data, raw->in.len);
	assert(ok);
	buf_reset(&raw->in);
	return buf_str(&raw->text);
}

struct model *raw_model(void)
{
	struct model *model = model_new(&model_profile_full);

	model_account_add(model, "alice", "secret", MODEL_TARGET);
	return model;
}

void raw_add(struct model *model, const char *folder, const char *text, const char *flags)
{
	(void)model_message_add(
		model, "alice", folder, &(struct model_letter){.bytes = text, .flags = flags});
}
