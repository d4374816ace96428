/* Steps: list, open and search folders. */
#include <string.h>

#include "imap/seqset.h"
#include "transcript/talk.h"

enum { LINE_MAX_BYTES = 64 * 1024 };

static bool add_counts(const struct imap_counts *counts, struct buf *line)
{
	const struct {
		enum imap_count has;
		const char *name;
		uint64_t value;
	} all[] = {
		{IMAP_HAS_MESSAGES, "messages", counts->messages},
		{IMAP_HAS_UIDNEXT, "uidnext", counts->uidnext},
		{IMAP_HAS_UIDVALIDITY, "uidvalidity", counts->uidvalidity},
		{IMAP_HAS_HIGHESTMODSEQ, "modseq", counts->highestmodseq},
		{IMAP_HAS_UNSEEN, "unseen", counts->unseen},
	};
	bool fits = true;

	for (size_t i = 0; i < ARRAY_LEN(all); i++)
		if (counts->has & all[i].has)
			fits = fits && buf_printf(line, " %s %llu", all[i].name,
					       (unsigned long long)all[i].value);
	return fits;
}

static bool add_folder(const struct imap_folder *folder, struct buf *line)
{
	char delimiter[] = {folder->delimiter, '\0'};

	return buf_printf(line, "folder %s delimiter %s", folder->path,
		       *delimiter ? delimiter : "none") &&
	       buf_add_str(line, folder->subscribed ? " subscribed" : "") &&
	       buf_add_str(line, folder->attributes & IMAP_ATTR_NOSELECT ? " noselect" : "") &&
	       (!folder->special_use || buf_printf(line, " use %s", folder->special_use)) &&
	       add_counts(&folder->counts, line) &&
	       (!folder->refused || buf_printf(line, " refused: %s", folder->refusal));
}

bool talk_list(struct talk *talk, struct talk_args *args)
{
	CLEANUP(imap_folders_free) struct imap_folders folders = {0};
	bool counts = talk_args_take(args, "counts");

	if (!imap_list(talk->imap, counts, &folders, &talk->err))
		return false;
	for (size_t i = 0; i < folders.count; i++) {
		CLEANUP(buf_free) struct buf line = BUF_INIT(LINE_MAX_BYTES);

		if (!add_folder(&folders.items[i], &line))
			args->wrong = "a line is too long";
		talk_says(talk, "%s", buf_str(&line));
	}
	return true;
}

static void show_examined(struct talk *talk, const struct imap_examined *examined)
{
	talk_says(talk, "uidvalidity %u uidnext %u exists %u modseq %llu", examined->uidvalidity,
		examined->uidnext, examined->exists, (unsigned long long)examined->highestmodseq);
	talk_says(talk, "%s, permanent flags %s", examined->read_only ? "read-only" : "read-write",
		examined->permanent_flags ? examined->permanent_flags : "unknown");
}

bool talk_examine(struct talk *talk, struct talk_args *args)
{
	CLEANUP(imap_examined_free) struct imap_examined examined = {0};
	CLEANUP(rangeset_free) struct rangeset known = {0};
	struct talk_view view = {.talk = talk};
	const struct imap_fetch_sink sink = talk_sink(&view);
	const char *name = talk_args_word(args);
	bool with = talk_args_take(args, "qresync"), done;
	struct imap_qresync qresync = {0};

	if (with) {
		qresync.uidvalidity = (uint32_t)talk_args_number(args);
		qresync.modseq = talk_args_number(args);
	}
	if (with && talk_args_left(args)) {
		talk_args_uids(args, &known);
		qresync.known_uids = &known;
	}
	if (args->wrong)
		return true;
	done = imap_examine(talk->imap, name, with ? &qresync : NULL, &sink, &examined, &talk->err);
	talk_end_view(&view);
	if (done)
		show_examined(talk, &examined);
	return done;
}

bool talk_select(struct talk *talk, struct talk_args *args)
{
	CLEANUP(imap_examined_free) struct imap_examined examined = {0};

	if (!imap_select(talk->imap, talk_args_word(args), &examined, &talk->err))
		return false;
	show_examined(talk, &examined);
	return true;
}

bool talk_unselect(struct talk *talk, struct talk_args *args)
{
	(void)args;
	return imap_unselect(talk->imap, &talk->err);
}

bool talk_news(struct talk *talk, struct talk_args *args)
{
	(void)args;
	talk_says(talk, imap_take_news(talk->imap) ? "news" : "no news");
	return true;
}

bool talk_search(struct talk *talk, struct talk_args *args)
{
	CLEANUP(rangeset_free) struct rangeset uids = {0};
	CLEANUP(buf_free) struct buf line = BUF_INIT(LINE_MAX_BYTES);
	const char *message_id = talk_args_take(args, "message-id") ? talk_args_word(args) : NULL;
	bool found = message_id ? imap_search_message_id(talk->imap, message_id, &uids, &talk->err)
				: imap_search_all(talk->imap, &uids, &talk->err);

	if (!found)
		return false;
	if (uids.count > 0 && !seqset_format(&uids, &line))
		args->wrong = "a line is too long";
	talk_says(talk, "found %s", uids.count > 0 ? buf_str(&line) : "nothing");
	return true;
}
