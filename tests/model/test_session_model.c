/* The client against the model server, in every profile and through seeded histories. */
#include <poll.h>
#include <string.h>

#include "base/alloc.h"
#include "base/str.h"
#include "imap/session.h"
#include "model/seen.h"
#include "support/check.h"
#include "support/model/model_server.h"

enum {
	ITEMS_ALL = IMAP_ITEM_FLAGS | IMAP_ITEM_DATE | IMAP_ITEM_SIZE | IMAP_ITEM_MODSEQ |
		    IMAP_ITEM_BODY,
	HISTORY_STEPS = 150,
	IDLE_WAIT_MS = 10 * 1000,
};

static const struct model_profile *const profiles[] = {&model_profile_full, &model_profile_plain,
	&model_profile_condstore, &model_profile_courier, &model_profile_odd};

static const struct imap_patience hurry = {.greeting_ms = 10 * 1000,
	.reply_ms = 10 * 1000,
	.command_ms = 10 * 1000,
	.idle_done_ms = 10 * 1000,
	.logout_ms = 2 * 1000};

static bool log_in(uint16_t port, const char *password, struct imap **ret_imap, struct err *err)
{
	struct imap_login login = {.host = "127.0.0.1",
		.port = port,
		.tls = IMAP_TLS_OFF,
		.user = "alice",
		.password = password,
		.patience = &hurry};

	return imap_connect(&login, ret_imap, err);
}

static struct model *serve(
	const struct model_profile *profile, enum model_use use, uint16_t *ret_port)
{
	struct model *model = model_new(profile);

	model_account_add(model, "alice", "secret", use);
	*ret_port = model_listen(model);
	return model;
}

static void live(struct model *model, uint64_t *rng, unsigned steps)
{
	for (unsigned i = 0; i < steps; i++)
		(void)model_random_step(model, "alice", rng);
}

static void check_peace(struct model *model)
{
	CLEANUP(freep) char *text = NULL;
	struct model_stats stats;

	(void)model_violations(model, &text);
	CHECK_STR(text, "");
	model_stats(model, &stats);
	CHECK_INT(stats.bad, 0);
}

static void logs_in_to_every_profile(void)
{
	for (size_t i = 0; i < ARRAY_LEN(profiles); i++) {
		uint16_t port;
		CLEANUP(model_freep)
		struct model *model = serve(profiles[i], MODEL_MIRROR, &port);
		CLEANUP(imap_logout) struct imap *imap = NULL;
		struct err err = ERR_INIT;
		bool qresync = profiles[i]->caps & MODEL_CAP_QRESYNC;

		CHECK(!log_in(port, "wrong", &imap, &err));
		CHECK_INT(err.kind, ERR_AUTH);
		CHECK_OK(log_in(port, "secret", &imap, &err));
		CHECK_STR(imap_prefix(imap), profiles[i]->prefix ? profiles[i]->prefix : "");
		CHECK_INT(imap_delimiter(imap), profiles[i]->delimiter);
		CHECK_INT(imap_qresync_enabled(imap), qresync);
		CHECK_INT(imap_condstore(imap), (profiles[i]->caps & MODEL_CAP_CONDSTORE) != 0);
		CHECK_INT(!(imap_caps(imap) & IMAP_CAP_UIDPLUS),
			!(profiles[i]->caps & MODEL_CAP_UIDPLUS));
		CHECK_OK(imap_noop(imap, &err));
		check_peace(model);
	}
}

static void check_counts(const struct imap_folder *told, const struct model_folder *folder)
{
	const struct imap_counts *counts = &told->counts;

	CHECK(counts->has & IMAP_HAS_MESSAGES);
	CHECK_INT(counts->messages, folder->count);
	CHECK_INT(counts->uidnext, folder->uidnext);
	CHECK_INT(counts->uidvalidity, folder->uidvalidity);
	if (counts->has & IMAP_HAS_HIGHESTMODSEQ)
		CHECK_INT(counts->highestmodseq, folder->highestmodseq);
}

static void check_folders(
	const struct imap_folders *told, const struct model_snapshot *snapshot, bool special_use)
{
	CHECK_INT(told->count, snapshot->count);
	for (size_t i = 0; i < told->count; i++) {
		const struct imap_folder *here = &told->items[i];
		const struct model_folder *folder =
			model_snapshot_folder(snapshot, here->wire_name);

		CHECK(folder);
		CHECK_INT(here->subscribed, folder->subscribed);
		CHECK_INT((here->attributes & IMAP_ATTR_NOSELECT) != 0, folder->noselect);
		if (special_use)
			CHECK_STR(here->special_use ? here->special_use : "",
				folder->special_use ? folder->special_use : "");
		if (!folder->noselect)
			check_counts(here, folder);
	}
}

static void lists_all_folders_as_they_are(void)
{
	for (uint64_t seed = 0; seed < 20; seed++) {
		const struct model_profile *profile = profiles[seed % ARRAY_LEN(profiles)];
		uint64_t rng = seed;
		uint16_t port;
		CLEANUP(model_freep) struct model *model = serve(profile, MODEL_MIRROR, &port);
		CLEANUP(imap_logout) struct imap *imap = NULL;
		CLEANUP(imap_folders_free) struct imap_folders folders = {0};
		CLEANUP(model_snapshot_freep) struct model_snapshot *snapshot = NULL;
		struct err err = ERR_INIT;

		live(model, &rng, HISTORY_STEPS);
		snapshot = model_snapshot(model, "alice");
		CHECK_OK(log_in(port, "secret", &imap, &err));
		CHECK_OK(imap_list(imap, true, &folders, &err));
		check_folders(&folders, snapshot, profile->caps & MODEL_CAP_SPECIAL_USE);
		check_peace(model);
	}
}

static void check_folder(struct imap *imap, const struct model_folder *folder)
{
	CLEANUP(seen_free) struct seen seen;
	CLEANUP(imap_examined_free) struct imap_examined examined = {0};
	CLEANUP(rangeset_free) struct rangeset uids = {0};
	CLEANUP(freep) char *difference = NULL;
	struct imap_fetch fetch = {.uids = &uids, .items = ITEMS_ALL, .range_messages = 7};
	struct imap_fetch_sink sink;
	struct err err = ERR_INIT;

	seen_init(&seen);
	sink = seen_sink(&seen);
	CHECK_OK(imap_examine(imap, folder->name, NULL, &sink, &examined, &err));
	CHECK_INT(examined.uidvalidity, folder->uidvalidity);
	CHECK_INT(examined.exists, folder->count);
	CHECK(examined.read_only);
	if (examined.uidnext)
		CHECK_INT(examined.uidnext, folder->uidnext);
	if (imap_condstore(imap))
		CHECK_INT(examined.highestmodseq, folder->highestmodseq);
	CHECK_OK(imap_search_all(imap, &uids, &err));
	CHECK_INT(rangeset_size(&uids), folder->count);
	CHECK_OK(imap_fetch(imap, &fetch, &sink, &err));
	CHECK(rangeset_equal(&seen.done, &uids));
	difference = seen_difference(&seen, folder, true);
	CHECK_STR(difference ? difference : "", "");
}

static void fetches_every_message_as_it_is(void)
{
	for (uint64_t seed = 0; seed < 20; seed++) {
		uint64_t rng = seed;
		uint16_t port;
		CLEANUP(model_freep)
		struct model *model =
			serve(profiles[seed % ARRAY_LEN(profiles)], MODEL_MIRROR, &port);
		CLEANUP(imap_logout) struct imap *imap = NULL;
		CLEANUP(model_snapshot_freep) struct model_snapshot *snapshot = NULL;
		struct err err = ERR_INIT;

		live(model, &rng, HISTORY_STEPS);
		snapshot = model_snapshot(model, "alice");
		model_chop(model, seed % 3 == 0 ? 1 + seed : 0);
		CHECK_OK(log_in(port, "secret", &imap, &err));
		for (size_t i = 0; i < snapshot->count; i++)
			if (!snapshot->folders[i].noselect)
				check_folder(imap, &snapshot->folders[i]);
		check_peace(model);
	}
}

/* What a mirror does: fetch the changes since the last mod-sequence, and which messages still
 * exist. */
static void catch_up(struct imap *imap, struct seen *seen, struct imap_examined *last)
{
	CLEANUP(rangeset_free) struct rangeset known = {0}, all = {0}, added = {0};
	struct imap_fetch_sink sink = seen_sink(seen);
	struct imap_examined now = {0};
	struct err err = ERR_INIT;
	struct imap_qresync qresync = {.uidvalidity = last->uidvalidity,
		.modseq = last->highestmodseq,
		.known_uids = &known};
	struct imap_fetch fetch = {.uids = &all, .items = IMAP_ITEM_FLAGS | IMAP_ITEM_MODSEQ};
	bool quick = imap_qresync_enabled(imap) && last->uidvalidity && seen->count;

	seen_uids(seen, &known);
	CHECK_OK(imap_examine(imap, "INBOX", quick ? &qresync : NULL, &sink, &now, &err));
	if (now.uidvalidity != last->uidvalidity) {
		seen_keep(seen, &all);
		rangeset_clear(&known);
	}
	CHECK_OK(imap_search_all(imap, &all, &err));
	if (!quick || now.uidvalidity != last->uidvalidity) {
		seen_keep(seen, &all);
		if (imap_condstore(imap) && now.uidvalidity == last->uidvalidity)
			fetch.changed_since = last->highestmodseq;
		CHECK_OK(imap_fetch(imap, &fetch, &sink, &err));
	} else {
		rangeset_subtract(&all, &known, &added);
		fetch.uids = &added;
		CHECK_OK(imap_fetch(imap, &fetch, &sink, &err));
	}
	imap_examined_free(last);
	*last = now;
}

static void follows_a_folder_from_session_to_session(void)
{
	for (uint64_t seed = 0; seed < 15; seed++) {
		uint64_t rng = seed;
		uint16_t port;
		CLEANUP(model_freep)
		struct model *model =
			serve(profiles[seed % ARRAY_LEN(profiles)], MODEL_MIRROR, &port);
		CLEANUP(seen_free) struct seen seen;
		CLEANUP(imap_examined_free) struct imap_examined last = {0};

		seen_init(&seen);
		for (unsigned round = 0; round < 12; round++) {
			CLEANUP(imap_logout) struct imap *imap = NULL;
			CLEANUP(model_snapshot_freep) struct model_snapshot *snapshot = NULL;
			CLEANUP(freep) char *difference = NULL;
			struct err err = ERR_INIT;

			live(model, &rng, 30);
			if (round % 5 == 4)
				model_folder_forget(model, "alice", "INBOX", round * 20);
			snapshot = model_snapshot(model, "alice");
			CHECK_OK(log_in(port, "secret", &imap, &err));
			catch_up(imap, &seen, &last);
			difference = seen_difference(
				&seen, model_snapshot_folder(snapshot, "INBOX"), false);
			CHECK_STR(difference ? difference : "", "");
		}
		check_peace(model);
	}
}

static void one_odd_message_spoils_no_other(void)
{
	uint16_t port;
	CLEANUP(model_freep) struct model *model = serve(&model_profile_full, MODEL_MIRROR, &port);
	CLEANUP(imap_logout) struct imap *imap = NULL;
	CLEANUP(seen_free) struct seen seen;
	CLEANUP(imap_examined_free) struct imap_examined examined = {0};
	CLEANUP(rangeset_free) struct rangeset uids = {0};
	struct imap_fetch fetch = {.uids = &uids, .items = ITEMS_ALL, .range_messages = 1};
	struct imap_fetch_sink sink;
	struct err err = ERR_INIT;

	seen_init(&seen);
	sink = seen_sink(&seen);
	for (unsigned i = 0; i < 6; i++)
		(void)model_message_add(
			model, "alice", "INBOX", &(struct model_letter){.bytes = "A: b\r\n\r\n"});
	model_message_odd(model, "alice", "INBOX", 2, MODEL_ODD_NIL_BODY);
	model_message_odd(model, "alice", "INBOX", 3, MODEL_ODD_REFUSED);
	model_message_odd(model, "alice", "INBOX", 4, MODEL_ODD_MISSING);
	model_message_odd(model, "alice", "INBOX", 5, MODEL_ODD_WRONG_SIZE);
	rangeset_add(&uids, 1, 6);
	CHECK_OK(log_in(port, "secret", &imap, &err));
	CHECK_OK(imap_examine(imap, "INBOX", NULL, &sink, &examined, &err));
	CHECK_OK(imap_fetch(imap, &fetch, &sink, &err));
	CHECK(seen_message(&seen, 1)->has_body && seen_message(&seen, 6)->has_body);
	CHECK(seen_message(&seen, 2)->nil_body && !seen_message(&seen, 2)->has_body);
	CHECK(!seen_message(&seen, 3) && !seen_message(&seen, 4));
	CHECK_INT(seen_message(&seen, 5)->body.len, 8);
	CHECK_INT(rangeset_size(&seen.refused), 1);
	CHECK(rangeset_has(&seen.refused, 3));
	CHECK(strstr(seen.refusal, "server error"));
	check_peace(model);
}

static bool wait_for_news(struct imap *imap, struct err *err)
{
	struct pollfd fd = {.fd = imap_fd(imap), .events = POLLIN};
	bool news = false;

	while (!news)
		if (poll(&fd, 1, IDLE_WAIT_MS) <= 0 || !imap_idle_drain(imap, &news, err))
			return false;
	return true;
}

static void is_told_of_news_while_it_idles(void)
{
	for (size_t i = 0; i < ARRAY_LEN(profiles); i++) {
		uint16_t port;
		CLEANUP(model_freep)
		struct model *model = serve(profiles[i], MODEL_MIRROR, &port);
		CLEANUP(imap_logout) struct imap *imap = NULL;
		CLEANUP(imap_examined_free) struct imap_examined examined = {0};
		struct imap_fetch_sink nobody = {0};
		struct err err = ERR_INIT;
		bool news = true;

		if (!(profiles[i]->caps & MODEL_CAP_IDLE))
			continue;
		CHECK_OK(log_in(port, "secret", &imap, &err));
		CHECK_OK(imap_examine(imap, "INBOX", NULL, &nobody, &examined, &err));
		CHECK_OK(imap_idle_start(imap, &err));
		CHECK_OK(imap_idle_drain(imap, &news, &err));
		CHECK(!news);
		model_chatter(model);
		(void)model_message_add(
			model, "alice", "INBOX", &(struct model_letter){.bytes = "A: b\r\n\r\n"});
		CHECK_OK(wait_for_news(imap, &err));
		CHECK(model_message_flags(model, "alice", "INBOX", 1, "\\Seen"));
		CHECK_OK(wait_for_news(imap, &err));
		CHECK(imap_park(imap));
		CHECK(model_message_expunge(model, "alice", "INBOX", 1));
		CHECK_OK(wait_for_news(imap, &err));
		CHECK_OK(imap_idle_done(imap, &err));
		CHECK_OK(imap_noop(imap, &err));
		check_peace(model);
	}
}

struct source {
	const struct model_message *message;
	size_t at;
};

static bool give(void *context, const uint8_t **ret_data, size_t *ret_len, struct err *err)
{
	struct source *source = context;
	size_t left = source->message->len - source->at;

	(void)err;
	*ret_data = source->message->bytes + source->at;
	*ret_len = left < 100 ? left : 100;
	source->at += *ret_len;
	return true;
}

static void send_one(struct imap *imap, const char *folder, const struct model_message *message)
{
	struct source source = {.message = message};
	struct zoned_time date;
	struct imap_append append = {.wire_name = folder,
		.flags = message->flags,
		.date = &date,
		.size_bytes = message->len,
		.read = give,
		.context = &source};
	struct err err = ERR_INIT;

	CHECK(zoned_time_parse_imap(message->date, strlen(message->date), &date));
	CHECK_OK(imap_append_send(imap, &append, &err));
}

static void take_results(struct imap *imap, const struct model_folder *to, uint32_t first_uid)
{
	struct err err = ERR_INIT;
	bool uidplus = imap_caps(imap) & IMAP_CAP_UIDPLUS;

	for (uint32_t uid = first_uid; imap_append_pending(imap) > 0; uid++) {
		struct imap_append_result result;

		CHECK_OK(imap_append_result(imap, &result, &err));
		CHECK_INT(result.status, IMAP_OK);
		CHECK_INT(result.uid, uidplus ? uid : 0);
		CHECK_INT(result.uidvalidity, uidplus ? to->uidvalidity : 0);
	}
}

/* A seeded mailbox on one server, all of it appended to an empty account on another. */
static void appends_what_it_was_given(void)
{
	for (uint64_t seed = 0; seed < 10; seed++) {
		const struct model_profile *profile = profiles[seed % ARRAY_LEN(profiles)];
		uint64_t rng = seed;
		uint16_t port;
		CLEANUP(model_freep) struct model *source = model_new(&model_profile_full);
		CLEANUP(model_freep) struct model *model = serve(profile, MODEL_TARGET, &port);
		CLEANUP(imap_logout) struct imap *imap = NULL;
		CLEANUP(model_snapshot_freep) struct model_snapshot *from = NULL, *to = NULL;
		CLEANUP(freep) char *name = NULL, *difference = NULL;
		struct err err = ERR_INIT;
		bool exists = true;
		size_t sent = 0;

		model_account_add(source, "alice", "secret", MODEL_MIRROR);
		live(source, &rng, HISTORY_STEPS);
		from = model_snapshot(source, "alice");
		name = str_printf("%sINBOX", profile->prefix ? profile->prefix : "");
		CHECK_OK(log_in(port, "secret", &imap, &err));
		if (strcmp(name, "INBOX") != 0)
			CHECK_OK(imap_create(imap, name, NULL, &exists, &err));
		to = model_snapshot(model, "alice");
		for (size_t i = 0; i < from->folders[0].count; i++) {
			send_one(imap, name, &from->folders[0].messages[i]);
			if (imap_append_pending(imap) < 5)
				continue;
			take_results(imap, model_snapshot_folder(to, name), (uint32_t)sent + 1);
			sent = i + 1;
		}
		take_results(imap, model_snapshot_folder(to, name), (uint32_t)sent + 1);
		model_snapshot_freep(&to);
		to = model_snapshot(model, "alice");
		struct model_snapshot one_from = {.folders = from->folders, .count = 1};
		struct model_snapshot one_to = {.folders = &to->folders[to->count - 1], .count = 1};
		free(one_to.folders->name); /* INBOX may have a prefix */
		one_to.folders->name = xstrdup(one_from.folders->name);
		difference = model_snapshot_difference(
			&one_from, &one_to, MODEL_COMPARE_DATES | MODEL_COMPARE_FLAGS);
		CHECK_STR(difference ? difference : "", "");
		check_peace(model);
	}
}

int main(int argc, char **argv)
{
	static const struct promise promises[] = {
		PROMISE(logs_in_to_every_profile),
		PROMISE(lists_all_folders_as_they_are),
		PROMISE(fetches_every_message_as_it_is),
		PROMISE(follows_a_folder_from_session_to_session),
		PROMISE(one_odd_message_spoils_no_other),
		PROMISE(is_told_of_news_while_it_idles),
		PROMISE(appends_what_it_was_given),
	};
	return check_main(argc, argv, promises, ARRAY_LEN(promises));
}
