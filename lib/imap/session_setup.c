#include <stdlib.h>

#include "base/alloc.h"
#include "base/str.h"
#include "imap/session_internal.h"

/* ID, ENABLE and NAMESPACE under way. */
struct setup {
	struct imap *imap;
	uint64_t id, enable, namespace, root; /* serials; 0: not sent */
	unsigned waiting;                     /* commands without a tagged reply */
	bool enabled_said;                    /* "* ENABLED" came */
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

static bool hear_setup(void *context, const struct imap_reply *reply, struct err *err)
{
	struct setup *setup = context;
	struct imap *imap = setup->imap;

	(void)err;
	if (reply->kind == IMAP_NAMESPACE && setup->namespace) {
		take_namespace(imap, reply);
	} else if (reply->kind == IMAP_LIST && setup->root) {
		imap->delimiter = reply->list.delimiter;
	} else if (reply->kind == IMAP_ENABLED && setup->enable) {
		setup->enabled_said = true;
		for (size_t i = 0; i < reply->words_count; i++)
			setup->enabled_qresync |= str_equal_case(reply->words[i], "QRESYNC");
	}
	return true;
}

static bool setup_answered(
	void *context, uint64_t serial, const struct imap_reply *reply, struct err *err)
{
	struct setup *setup = context;
	struct imap *imap = setup->imap;

	setup->waiting--;
	if (reply->status != IMAP_OK && reply_is_busy(reply))
		return reply_error("after login", "server is busy", reply, ERR_RETRY, err);
	if (serial == setup->enable && reply->status == IMAP_OK)
		imap->qresync = imap->caps & IMAP_CAP_QRESYNC &&
				(setup->enabled_qresync || !setup->enabled_said);
	return true;
}

static bool send_setup(struct setup *setup, const char *name, const char *arguments,
	uint64_t *ret_serial, struct err *err)
{
	CLEANUP(command_free) struct imap_command command = {0};

	session_start(setup->imap, &command, name);
	command_text(&command, arguments);
	command_end(&command);
	setup->waiting++;
	return session_send(setup->imap, &command, ret_serial, NULL, err);
}

static bool send_namespace(struct setup *setup, struct err *err)
{
	CLEANUP(command_free) struct imap_command command = {0};

	if (!(setup->imap->caps & IMAP_CAP_NAMESPACE))
		return send_setup(setup, "LIST", "\"\" \"\"", &setup->root, err);
	session_start(setup->imap, &command, "NAMESPACE");
	command_end(&command);
	setup->waiting++;
	return session_send(setup->imap, &command, &setup->namespace, NULL, err);
}

bool session_setup(struct imap *imap, struct err *err)
{
	static const char id[] = "(\"name\" \"mailstow\" \"version\" \"" MAILSTOW_VERSION "\")";
	struct setup setup = {.imap = imap};
	const struct listener listener = {hear_setup, setup_answered, &setup};
	const struct imap_reply *reply;
	struct sent sent;
	bool fine;

	imap->condstore = imap->caps & IMAP_CAP_CONDSTORE;
	session_listen(imap, &listener);
	fine = !(imap->caps & IMAP_CAP_ID) || send_setup(&setup, "ID", id, &setup.id, err);
	if (fine && imap->caps & IMAP_CAP_ENABLE && imap->condstore)
		fine = send_setup(&setup, "ENABLE",
			imap->caps & IMAP_CAP_QRESYNC ? "QRESYNC" : "CONDSTORE", &setup.enable,
			err);
	fine = fine && send_namespace(&setup, err);
	while (fine && setup.waiting > 0)
		fine = session_step(imap, &sent, &reply, err);
	session_listen(imap, NULL);
	return fine;
}
