#include <string.h>

#include "base/str.h"
#include "imap/session_internal.h"

bool imap_create(struct imap *imap, const char *wire_name, const char *special_use,
	bool *ret_exists, struct err *err)
{
	CLEANUP(command_free) struct imap_command command = {0};
	const struct imap_reply *reply;

	*ret_exists = false;
	session_start(imap, &command, "CREATE");
	command_astring(&command, wire_name);
	if (special_use && imap->caps & IMAP_CAP_CREATE_SPECIAL_USE) {
		command_text(&command, "(USE");
		command_flags(&command, special_use);
		command_close(&command);
	}
	command_end(&command);
	if (!session_run(imap, &command, NULL, &reply, err))
		return false;
	*ret_exists = reply->status == IMAP_NO &&
		      (reply->code == IMAP_CODE_ALREADYEXISTS || reply_has_words(reply, "exists"));
	return reply_is_ok("CREATE", reply, err);
}

bool imap_subscribe(struct imap *imap, const char *wire_name, struct err *err)
{
	CLEANUP(command_free) struct imap_command command = {0};

	session_start(imap, &command, "SUBSCRIBE");
	command_astring(&command, wire_name);
	command_end(&command);
	return session_run_ok(imap, &command, NULL, err);
}

bool imap_store_flags(struct imap *imap, uint32_t uid, const char *flags, struct err *err)
{
	CLEANUP(command_free) struct imap_command command = {0};
	bool stored;

	session_start(imap, &command, "UID STORE");
	command_number(&command, uid);
	command_text(&command, "+FLAGS.SILENT");
	command_flags(&command, flags);
	command_end(&command);
	imap->fetching = true;
	stored = session_run_ok(imap, &command, NULL, err);
	imap->fetching = false;
	return stored;
}
