#include <assert.h>
#include <string.h>

#include "base/str.h"
#include "imap/folders_internal.h"

/* --- one LIST with everything (RFC 5258, 5819, 6154) --- */

struct listing {
	struct imap *imap;
	struct imap_folders folders;
	struct counts_list counts;
	struct str_list subscribed; /* of LSUB */
};

static void listing_free(struct listing *listing)
{
	imap_folders_free(&listing->folders);
	counts_free(&listing->counts);
	str_list_free(&listing->subscribed);
}

static bool hear_list(void *context, const struct imap_reply *reply, struct err *err)
{
	struct listing *listing = context;

	if (reply->kind == IMAP_LIST)
		return folders_add(listing->imap, &listing->folders, &reply->list, err);
	if (reply->kind == IMAP_STATUS_OF)
		return counts_add(&listing->counts, reply, err);
	return true;
}

static bool hear_lsub(void *context, const struct imap_reply *reply, struct err *err)
{
	struct listing *listing = context;

	if (reply->kind != IMAP_LIST || reply->list.attributes & IMAP_ATTR_NOSELECT)
		return true;
	if (listing->subscribed.count == IMAP_FOLDERS_MAX)
		return err_set(err, ERR_PROTOCOL, "LSUB: more than %d folders", IMAP_FOLDERS_MAX);
	str_list_add(&listing->subscribed, reply->list.name);
	return true;
}

static void add_counts_wanted(const struct imap *imap, struct imap_command *command)
{
	command_text(command, "(MESSAGES UIDNEXT UIDVALIDITY");
	if (imap->condstore)
		command_text(command, "HIGHESTMODSEQ");
	command_close(command);
}

/* Runs a command that may bring a reply for each folder. A refusal is no error. */
static bool run_listing(struct imap *imap, struct imap_command *command,
	const struct listener *listener, bool *ret_ok, struct err *err)
{
	const struct imap_reply *reply;

	command_end(command);
	session_expect(imap, IMAP_FOLDERS_MAX);
	if (!session_run(imap, command, listener, &reply, err))
		return false;
	*ret_ok = reply->status == IMAP_OK;
	return *ret_ok || !reply_is_busy(reply) || reply_is_ok(command->name, reply, err);
}

static bool list_extended(struct listing *listing, bool want_counts, bool *ret_ok, struct err *err)
{
	struct imap *imap = listing->imap;
	const struct listener listener = {.heard = hear_list, .context = listing};
	CLEANUP(command_free) struct imap_command command = {0};

	session_start(imap, &command, "LIST");
	command_text(&command, "\"\" \"*\" RETURN (SUBSCRIBED CHILDREN");
	if (imap->caps & IMAP_CAP_SPECIAL_USE)
		command_text(&command, "SPECIAL-USE");
	if (want_counts && imap->caps & IMAP_CAP_LIST_STATUS) {
		command_text(&command, "STATUS");
		add_counts_wanted(imap, &command);
	}
	command_close(&command);
	return run_listing(imap, &command, &listener, ret_ok, err);
}

static bool list_plain(struct listing *listing, struct err *err)
{
	const struct listener list = {.heard = hear_list, .context = listing};
	const struct listener lsub = {.heard = hear_lsub, .context = listing};
	CLEANUP(command_free) struct imap_command list_command = {0};
	CLEANUP(command_free) struct imap_command lsub_command = {0};
	bool ok;

	session_start(listing->imap, &list_command, "LIST");
	session_start(listing->imap, &lsub_command, "LSUB");
	command_text(&list_command, "\"\" \"*\"");
	command_text(&lsub_command, "\"\" \"*\"");
	command_end(&list_command);
	session_expect(listing->imap, IMAP_FOLDERS_MAX);
	return session_run_ok(listing->imap, &list_command, &list, err) &&
	       run_listing(listing->imap, &lsub_command, &lsub, &ok, err);
}

/* --- pipelined STATUS commands --- */

struct asking {
	struct listing *listing;
	struct {
		uint64_t serial; /* 0: free */
		struct imap_folder *folder;
	} flights[IMAP_STATUS_IN_FLIGHT];
	size_t in_flight;
	size_t next; /* folder */
};

static bool hear_status(void *context, const struct imap_reply *reply, struct err *err)
{
	const struct asking *asking = context;

	return reply->kind != IMAP_STATUS_OF || counts_add(&asking->listing->counts, reply, err);
}

static bool status_answered(
	void *context, uint64_t serial, const struct imap_reply *reply, struct err *err)
{
	struct asking *asking = context;
	const char *text = reply->text ? reply->text : "";

	if (reply->status != IMAP_OK && reply_is_busy(reply))
		return reply_is_ok("STATUS", reply, err);
	for (size_t i = 0; i < IMAP_STATUS_IN_FLIGHT; i++) {
		struct imap_folder *folder = asking->flights[i].folder;

		if (asking->flights[i].serial != serial)
			continue;
		asking->flights[i].serial = 0;
		asking->in_flight--;
		folder->refused = reply->status != IMAP_OK;
		if (folder->refused)
			folder->refusal = str_printable(text, strlen(text), SESSION_WORDS_MAX);
		return true;
	}
	return true;
}

/* Takes a free flight before sending: while the name waits for its '+', the reply may come. */
static bool ask(struct asking *asking, struct imap_folder *folder, struct err *err)
{
	struct imap *imap = asking->listing->imap;
	CLEANUP(command_free) struct imap_command command = {0};
	const struct imap_reply *refused = NULL;
	uint64_t serial;
	size_t i = 0;

	while (asking->flights[i].serial)
		i++;
	session_start(imap, &command, "STATUS");
	command_astring(&command, folder->wire_name);
	add_counts_wanted(imap, &command);
	command_end(&command);
	asking->flights[i].serial = imap->serial + 1;
	asking->flights[i].folder = folder;
	asking->in_flight++;
	assert(asking->in_flight <= IMAP_STATUS_IN_FLIGHT);
	return session_send(imap, &command, &serial, &refused, err);
}

static bool wants_status(const struct imap_folder *folder)
{
	return !(folder->attributes & (IMAP_ATTR_NOSELECT | IMAP_ATTR_NONEXISTENT)) &&
	       !folder->counts.has;
}

static bool ask_all(struct asking *asking, struct err *err)
{
	struct imap_folders *folders = &asking->listing->folders;
	const struct imap_reply *reply;
	struct sent sent;

	while (asking->next < folders->count || asking->in_flight > 0) {
		if (asking->next < folders->count && asking->in_flight < IMAP_STATUS_IN_FLIGHT) {
			struct imap_folder *folder = &folders->items[asking->next++];

			if (wants_status(folder) && !ask(asking, folder, err))
				return false;
		} else if (!session_step(asking->listing->imap, &sent, &reply, err)) {
			return false;
		}
	}
	return true;
}

static bool ask_status(struct listing *listing, struct err *err)
{
	struct asking asking = {.listing = listing};
	const struct listener listener = {hear_status, status_answered, &asking};
	bool asked;

	session_listen(listing->imap, &listener);
	asked = ask_all(&asking, err);
	session_listen(listing->imap, NULL);
	return asked;
}

bool imap_list(
	struct imap *imap, bool want_counts, struct imap_folders *ret_folders, struct err *err)
{
	CLEANUP(listing_free) struct listing listing = {.imap = imap};
	bool extended = false;

	if (imap->caps & IMAP_CAP_LIST_EXTENDED &&
		!list_extended(&listing, want_counts, &extended, err))
		return false;
	if ((!extended || listing.folders.count == 0) && !list_plain(&listing, err))
		return false;
	folders_tidy(&listing.folders);
	folders_set_subscribed(&listing.folders, &listing.subscribed);
	folders_set_counts(&listing.folders, &listing.counts);
	if (want_counts && !(imap->caps & IMAP_CAP_LIST_STATUS && listing.counts.count > 0)) {
		if (!ask_status(&listing, err))
			return false;
		folders_set_counts(&listing.folders, &listing.counts);
	}
	*ret_folders = listing.folders;
	listing.folders = (struct imap_folders){0};
	return true;
}
