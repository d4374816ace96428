#include <stdlib.h>

#include "base/alloc.h"
#include "base/str.h"
#include "imap/session_internal.h"

struct settling {
	struct imap *imap;
	uint64_t id, enable, namespace, root;
	unsigned waiting;
	bool enabled_said; /* "* ENABLED" came */
	bool enabled_qresync;
};

static void take_namespace(struct imap *imap, const struct imap_reply *reply)
{
	if (reply->namespace_prefix) {
		free(imap->prefix);
		imap->prefix = xstrdup(reply->namespace_prefix);
		imap->delimiter = reply->namespace_delimiter;
	}
	str_list_free(&imap->other_prefixes);
	for (size_t i = 0; i < reply->words_count; i++)
		str_list_add(&imap->other_prefixes, reply->words[i]);
}

static bool hear_settling(void *context, const struct imap_reply *reply, struct err *err)
{
	struct settling *settling = context;
	struct imap *imap = settling->imap;

	(void)err;
	if (reply->kind == IMAP_NAMESPACE && settling->namespace) {
		take_namespace(imap, reply);
	} else if (reply->kind == IMAP_LIST && settling->root) {
		imap->delimiter = reply->list.delimiter;
	} else if (reply->kind == IMAP_ENABLED && settling->enable) {
		settling->enabled_said = true;
		for (size_t i = 0; i < reply->words_count; i++)
			settling->enabled_qresync |= str_equal_case(reply->words[i], "QRESYNC");
	}
	return true;
}

static bool settled(void *context, uint64_t serial, const struct imap_reply *reply, struct err *err)
{
	struct settling *settling = context;
	struct imap *imap = settling->imap;

	settling->waiting--;
	if (reply->status != IMAP_OK && reply_is_busy(reply))
		return reply_error("after login", "not now", reply, ERR_RETRY, err);
	if (serial == settling->enable && reply->status == IMAP_OK)
		imap->qresync = imap->caps & IMAP_CAP_QRESYNC &&
				(settling->enabled_qresync || !settling->enabled_said);
	return true;
}

static bool send_one(struct settling *settling, const char *name, const char *arguments,
	uint64_t *ret_serial, struct err *err)
{
	CLEANUP(command_free) struct imap_command command = {0};

	session_start(settling->imap, &command, name);
	command_text(&command, arguments);
	command_end(&command);
	settling->waiting++;
	return session_send(settling->imap, &command, ret_serial, NULL, err);
}

static bool send_namespace(struct settling *settling, struct err *err)
{
	CLEANUP(command_free) struct imap_command command = {0};

	if (!(settling->imap->caps & IMAP_CAP_NAMESPACE))
		return send_one(settling, "LIST", "\"\" \"\"", &settling->root, err);
	session_start(settling->imap, &command, "NAMESPACE");
	command_end(&command);
	settling->waiting++;
	return session_send(settling->imap, &command, &settling->namespace, NULL, err);
}

/* ID, ENABLE and NAMESPACE in one round trip. */
bool session_setup(struct imap *imap, struct err *err)
{
	static const char id[] = "(\"name\" \"mailstow\" \"version\" \"" MAILSTOW_VERSION "\")";
	struct settling settling = {.imap = imap};
	const struct listener listener = {hear_settling, settled, &settling};
	const struct imap_reply *reply;
	struct sent sent;
	bool fine;

	imap->condstore = imap->caps & IMAP_CAP_CONDSTORE;
	session_listen(imap, &listener);
	fine = !(imap->caps & IMAP_CAP_ID) || send_one(&settling, "ID", id, &settling.id, err);
	if (fine && imap->caps & IMAP_CAP_ENABLE && imap->condstore)
		fine = send_one(&settling, "ENABLE",
			imap->caps & IMAP_CAP_QRESYNC ? "QRESYNC" : "CONDSTORE", &settling.enable,
			err);
	fine = fine && send_namespace(&settling, err);
	while (fine && settling.waiting > 0)
		fine = session_step(imap, &sent, &reply, err);
	session_listen(imap, NULL);
	return fine;
}
