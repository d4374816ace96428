#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "imap/seqset.h"
#include "imap/session_internal.h"

/* Ranges as received, sorted once at the end: a server may send them in any order. */
struct searching {
	struct range *items;
	size_t count;
	size_t cap;
};

static void searching_free(struct searching *searching)
{
	free(searching->items);
}

static bool hear_found(void *context, const struct imap_reply *reply, struct err *err)
{
	struct searching *searching = context;

	if ((reply->kind != IMAP_SEARCH && reply->kind != IMAP_ESEARCH) || !reply->set)
		return true;
	for (size_t i = 0; i < reply->set->count; i++) {
		if (searching->count == IMAP_RANGES_MAX)
			return err_set(
				err, ERR_PROTOCOL, "SEARCH: more than %d ranges", IMAP_RANGES_MAX);
		ARRAY_GROW(searching->items, searching->count, searching->cap);
		searching->items[searching->count++] = reply->set->items[i];
	}
	return true;
}

static void start_search(const struct imap *imap, struct imap_command *command)
{
	session_start(imap, command, "UID SEARCH");
	if (imap->caps & IMAP_CAP_ESEARCH)
		command_text(command, "RETURN (ALL)");
}

/* Messages from sequence number first to last; 0: to the end. */
static bool search_part(struct imap *imap, uint32_t first, uint32_t last,
	const struct listener *listener, struct err *err)
{
	CLEANUP(command_free) struct imap_command command = {0};
	CLEANUP(rangeset_free) struct rangeset part = {0};

	start_search(imap, &command);
	if (first == 1 && last == 0) {
		command_text(&command, "ALL");
	} else {
		rangeset_add(&part, first, last ? last : UINT32_MAX);
		command_set(&command, &part);
	}
	command_end(&command);
	return session_run_ok(imap, &command, listener, err);
}

/* Refuses a result that cannot be true, as the caller will ask for every UID: far more UIDs than
 * messages, or none in a folder that held messages before and still does. */
static bool check_found(uint32_t before, uint32_t now, const struct rangeset *uids, struct err *err)
{
	uint64_t found = rangeset_size(uids);
	uint32_t exists = before > now ? before : now;

	if (found <= (uint64_t)exists + IMAP_SEARCH_SURPLUS_MAX &&
		(found > 0 || before == 0 || now == 0))
		return true;
	return err_set(err, ERR_PROTOCOL,
		"SEARCH: server reports %" PRIu64 " messages in a folder of %" PRIu32, found,
		exists);
}

/*
 * Searches a large folder in parts, as each answer is one line, and from the top down: a message
 * expunged meanwhile moves others down, into parts that are still to come.
 */
bool imap_search_all(struct imap *imap, struct rangeset *ret_uids, struct err *err)
{
	CLEANUP(searching_free) struct searching searching = {0};
	const struct listener listener = {.heard = hear_found, .context = &searching};
	uint32_t exists = imap->exists, last = 0, first;

	do {
		uint32_t top = last ? last : exists;

		first = top > IMAP_SEARCH_MESSAGES ? top - IMAP_SEARCH_MESSAGES + 1 : 1;
		if (!search_part(imap, first, last, &listener, err))
			return false;
		last = first - 1;
	} while (last > 0);
	rangeset_clear(ret_uids);
	seqset_from_ranges(searching.items, searching.count, ret_uids);
	return check_found(exists, imap->exists, ret_uids, err);
}

bool imap_search_message_id(
	struct imap *imap, const char *message_id, struct rangeset *ret_uids, struct err *err)
{
	CLEANUP(searching_free) struct searching searching = {0};
	const struct listener listener = {.heard = hear_found, .context = &searching};
	CLEANUP(command_free) struct imap_command command = {0};

	start_search(imap, &command);
	command_text(&command, "HEADER Message-ID");
	command_astring(&command, message_id);
	command_end(&command);
	if (!session_run_ok(imap, &command, &listener, err))
		return false;
	rangeset_clear(ret_uids);
	seqset_from_ranges(searching.items, searching.count, ret_uids);
	return true;
}
