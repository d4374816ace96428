/* A session's own picture of its folder: sequence numbers, and what it still has to be told. */
#include "support/model/model_internal.h"

struct model_folder *view_folder(struct session *session)
{
	struct model_folder *folder;

	if (!session->folder_id)
		return NULL;
	folder = box_folder_by_id(session->account, session->folder_id);
	if (!folder) {
		untagged(session, "BYE the selected folder is gone");
		session->closing = true;
	}
	return folder;
}

static void view_append(struct session *session, const struct model_message *message)
{
	ARRAY_GROW(session->view, session->view_count, session->view_cap);
	session->view[session->view_count++] =
		(struct view_message){.uid = message->uid, .modseq = message->modseq};
}

void view_open(struct session *session, struct model_folder *folder, bool read_only)
{
	session->folder_id = folder->id;
	session->read_only = read_only;
	session->view_count = 0;
	for (size_t i = 0; i < folder->count; i++)
		view_append(session, &folder->messages[i]);
}

void view_close(struct session *session)
{
	session->folder_id = 0;
	session->view_count = 0;
}

size_t view_number(const struct session *session, uint32_t uid)
{
	size_t low = 0, high = session->view_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (session->view[middle].uid < uid)
			low = middle + 1;
		else
			high = middle;
	}
	return low < session->view_count && session->view[low].uid == uid ? low + 1 : 0;
}

void out_flags(struct session *session, const struct model_message *message)
{
	bool recent = quirk(session, MODEL_QUIRK_RECENT);

	out_printf(session, "FLAGS (%s%s%s)", message->flags,
		recent && message->flags[0] ? " " : "", recent ? "\\Recent" : "");
}

static void tell_expunges(struct session *session, const struct model_folder *folder)
{
	CLEANUP(rangeset_free) struct rangeset gone = {0};
	size_t kept = 0;

	for (size_t i = 0; i < session->view_count; i++) {
		uint32_t uid = session->view[i].uid;

		if (box_message(folder, uid)) {
			session->view[kept++] = session->view[i];
			continue;
		}
		rangeset_add(&gone, uid, uid);
		if (!session->qresync)
			untagged(session, "%zu EXPUNGE", kept + 1);
	}
	session->view_count = kept;
	if (session->qresync && gone.count) {
		out_printf(session, "* VANISHED ");
		out_set(session, &gone);
		out_printf(session, "\r\n");
	}
}

static void tell_flags(struct session *session, const struct model_folder *folder)
{
	for (size_t i = 0; i < session->view_count; i++) {
		const struct model_message *message = box_message(folder, session->view[i].uid);

		if (!message || message->modseq <= session->view[i].modseq)
			continue;
		session->view[i].modseq = message->modseq;
		out_printf(session, "* %zu FETCH (", i + 1);
		if (session->qresync)
			out_printf(session, "UID %u ", (unsigned)message->uid);
		out_flags(session, message);
		if (session->condstore)
			out_printf(session, " MODSEQ (%llu)", (unsigned long long)message->modseq);
		out_printf(session, ")\r\n");
	}
}

static void tell_arrivals(struct session *session, const struct model_folder *folder)
{
	uint32_t last = session->view_count ? session->view[session->view_count - 1].uid : 0;
	size_t before = session->view_count;

	for (size_t i = 0; i < folder->count; i++)
		if (folder->messages[i].uid > last)
			view_append(session, &folder->messages[i]);
	if (session->view_count > before)
		untagged(session, "%zu EXISTS", session->view_count);
}

void view_sync(struct session *session, bool with_expunges)
{
	const struct model_folder *folder = view_folder(session);

	if (!folder)
		return;
	if (with_expunges)
		tell_expunges(session, folder);
	tell_arrivals(session, folder);
	tell_flags(session, folder);
}

bool view_set(struct session *session, struct words *words, bool by_uid, struct rangeset *ret_uids)
{
	CLEANUP(rangeset_free) struct rangeset wanted = {0};
	size_t count = session->view_count;
	uint32_t last_uid = count ? session->view[count - 1].uid : 0;

	if (!words_set(words, by_uid ? last_uid : (uint32_t)count, &wanted))
		return false;
	for (size_t i = 0; i < count; i++) {
		uint32_t uid = session->view[i].uid;

		if (rangeset_has(&wanted, by_uid ? uid : (uint32_t)(i + 1)))
			rangeset_add(ret_uids, uid, uid);
	}
	return true;
}
