#include "mirror/folder/plan.h"

#include "base/str.h"
#include "support/check.h"

enum { MANY = 1000 };

static const uint32_t all_counts =
	IMAP_HAS_MESSAGES | IMAP_HAS_UIDNEXT | IMAP_HAS_UIDVALIDITY | IMAP_HAS_HIGHESTMODSEQ;

static void only_an_equal_modseq_skips_a_folder(void)
{
	struct archive_mark mark = {7, 11, 50, 10, 0};
	struct imap_counts counts = {all_counts, 10, 11, 7, 0, 50};

	CHECK(plan_skip(&counts, &mark, 0, true));
	counts.highestmodseq = 49; /* a decrease is a change, too */
	CHECK(!plan_skip(&counts, &mark, 0, false));
	counts.highestmodseq = 50;
	counts.uidvalidity = 8;
	CHECK(!plan_skip(&counts, &mark, 0, false));
	counts.uidvalidity = 7;
	counts.messages = 9;
	CHECK(!plan_skip(&counts, &mark, 0, false));
	CHECK(plan_skip(&counts, &(struct archive_mark){7, 11, 50, 8, 0}, 1, false));
	CHECK(!plan_skip(
		&counts, &mark, 1, false)); /* its message is gone, or the mark counts it */
	counts.messages = 10;
	counts.has &= ~(uint32_t)IMAP_HAS_HIGHESTMODSEQ;
	CHECK(!plan_skip(&counts, &mark, 0, false));
}

static void without_modseq_a_due_flag_scan_opens_the_folder(void)
{
	struct archive_mark mark = {7, 11, 0, 10, 1000};
	struct imap_counts counts = {
		all_counts & ~(uint32_t)IMAP_HAS_HIGHESTMODSEQ, 10, 11, 7, 0, 0};

	CHECK(plan_skip(&counts, &mark, 0, false));
	CHECK(!plan_skip(&counts, &mark, 0, true));
	counts.uidnext = 12;
	CHECK(!plan_skip(&counts, &mark, 0, false));
	CHECK(plan_flag_scan_due(1000, 60, 1060));
	CHECK(!plan_flag_scan_due(1000, 60, 1059));
	CHECK(plan_flag_scan_due(1000, 60, 999)); /* the clock was set back */
}

static void views_give_new_changed_and_gone_messages(void)
{
	CLEANUP(server_view_free) struct server_view server = {0};
	CLEANUP(archive_view_free) struct archive_view archive = {0};
	CLEANUP(part_plan_free) struct part_plan plan = {0};
	CLEANUP(rangeset_free) struct rangeset without = {0};

	rangeset_add(&server.uids, 2, 6);
	uid_list_add(&server.flags, 99, "\\Seen"); /* not asked for */
	uid_list_add(&server.flags, 3, "\\Seen");
	uid_list_add(&server.flags, 2, "");
	uid_list_sort(&server.flags);
	rangeset_add(&archive.uids, 1, 3);
	uid_list_add(&archive.flags, 2, "");
	uid_list_add(&archive.flags, 3, "");
	rangeset_add(&without, 5, 5);
	plan_part(&server, &archive, &without, &plan);
	CHECK_INT(rangeset_size(&plan.missing), 3);
	CHECK_INT(rangeset_size(&plan.fetch), 2);
	CHECK(rangeset_has(&plan.fetch, 4) && rangeset_has(&plan.fetch, 6));
	CHECK_INT(plan.reflag.count, 1);
	CHECK_INT(plan.reflag.items[0].uid, 3);
	CHECK_INT(rangeset_size(&plan.gone), 1);
	CHECK(rangeset_has(&plan.gone, 1));
}

/* `held` is the UID the archive has in the scope of the delta; the mark counts the others. */
static bool adds_up(
	struct delta *delta, uint32_t held, uint32_t left_out, uint32_t messages, uint32_t exists)
{
	CLEANUP(server_view_free) struct server_view server = {0};
	CLEANUP(archive_view_free) struct archive_view archive = {0};
	CLEANUP(rangeset_free) struct rangeset without = {0};
	const struct archive_mark mark = {.uidnext = 10, .messages = messages};

	if (left_out)
		rangeset_add(&without, left_out, left_out);
	view_of_delta(delta, &without, &server);
	if (held && rangeset_has(&server.scope, held))
		rangeset_add(&archive.uids, held, held);
	return plan_delta_adds_up(&server, &archive, &without, &mark, 0, exists);
}

/* UID 5 is on the server, and in the ledger or not; the mark counts three others. */
static bool adds_up_beside(uint32_t in_ledger, uint32_t exists)
{
	CLEANUP(server_view_free) struct server_view server = {0};
	CLEANUP(archive_view_free) struct archive_view archive = {0};
	CLEANUP(rangeset_free) struct rangeset without = {0};
	CLEANUP(delta_free) struct delta delta = {.most = 100};
	const struct archive_mark mark = {.uidnext = 10, .messages = 3};

	if (in_ledger)
		rangeset_add(&without, 5, 5);
	view_of_delta(&delta, &without, &server);
	return plan_delta_adds_up(&server, &archive, &without, &mark, in_ledger, exists);
}

static void a_lost_ledger_is_noticed(void)
{
	CHECK(adds_up_beside(1, 4));
	CHECK(!adds_up_beside(0, 4)); /* lost */
	CHECK(!adds_up_beside(1, 3)); /* stale */
	CHECK(adds_up_beside(0, 3));
}

static void a_delta_that_does_not_add_up_is_noticed(void)
{
	static const struct {
		uint32_t told, vanished, held, left_out, messages, exists;
		bool adds_up;
	} cases[] = {
		{0, 0, 0, 0, 3, 3, true}, {0, 0, 0, 0, 3, 4, false},
		{10, 0, 0, 0, 3, 4, true},  /* new */
		{10, 0, 0, 0, 3, 3, false}, /* new, and another is gone unreported */
		{10, 0, 10, 0, 3, 4, true}, /* the archive has it from an interrupted pass */
		{5, 0, 5, 0, 3, 3, true},   /* other flags */
		{5, 0, 5, 0, 3, 2, false},  /* and one is gone */
		{5, 0, 0, 0, 3, 3, true},   /* the archive lacks it and will fetch it */
		{0, 5, 5, 0, 3, 2, true},   /* gone */
		{0, 5, 0, 0, 3, 3, true},   /* was never present */
		{0, 5, 0, 0, 3, 2, false},  /* or the archive did not know it */
		{0, 10, 0, 0, 3, 3, true},  /* added and removed */
		{0, 10, 10, 0, 3, 3, true}, /* and an interrupted pass fetched it */
		{10, 10, 0, 0, 3, 3, true}, /* reported before it was removed */
		{10, 5, 5, 0, 3, 3, true},  /* one for the other */
		{0, 5, 0, 5, 3, 2, true},   /* left out, and gone */
		{0, 0, 0, 5, 3, 3, true},   /* left out, still present */
		{10, 0, 0, 10, 3, 4, true}, /* left out of the new ones */
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		CLEANUP(delta_free) struct delta delta = {.most = MANY};
		CLEANUP(rangeset_free) struct rangeset vanished = {0};

		if (cases[i].told)
			delta_add_changed(&delta, cases[i].told, "");
		rangeset_add(&vanished, 100, UINT32_MAX);
		if (cases[i].vanished)
			rangeset_add(&vanished, cases[i].vanished, cases[i].vanished);
		delta_add_vanished(&delta, &vanished);
		if (adds_up(&delta, cases[i].held, cases[i].left_out, cases[i].messages,
			    cases[i].exists) != cases[i].adds_up)
			check_fail(__FILE__, __LINE__, "case %zu", i);
	}
}

static void transient_attributes_are_no_change(void)
{
	CLEANUP(freep) char *kept = plan_attributes("\\HasNoChildren \\Marked \\Sent");
	CLEANUP(freep) char *none = plan_attributes("\\UnMarked");

	CHECK_STR(kept, "\\HasNoChildren \\Sent");
	CHECK_STR(none, "");
}

int main(int argc, char **argv)
{
	static const struct promise promises[] = {
		PROMISE(only_an_equal_modseq_skips_a_folder),
		PROMISE(without_modseq_a_due_flag_scan_opens_the_folder),
		PROMISE(views_give_new_changed_and_gone_messages),
		PROMISE(a_delta_that_does_not_add_up_is_noticed),
		PROMISE(a_lost_ledger_is_noticed),
		PROMISE(transient_attributes_are_no_change),
	};

	return check_main(argc, argv, promises, ARRAY_LEN(promises));
}
