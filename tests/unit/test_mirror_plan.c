#include "mirror/plan.h"

#include <string.h>

#include "base/str.h"
#include "support/check.h"

enum { MANY = 1000 };

static const uint32_t all_counts =
	IMAP_HAS_MESSAGES | IMAP_HAS_UIDNEXT | IMAP_HAS_UIDVALIDITY | IMAP_HAS_HIGHESTMODSEQ;

static void equal_modseq_skips_and_nothing_else_does(void)
{
	struct archive_mark mark = {7, 11, 50, 10, 0};
	struct imap_counts counts = {all_counts, 10, 11, 7, 0, 50};

	CHECK(plan_skip(&counts, &mark, true));
	counts.highestmodseq = 49; /* going back is a change as well */
	CHECK(!plan_skip(&counts, &mark, false));
	counts.highestmodseq = 50;
	counts.uidvalidity = 8;
	CHECK(!plan_skip(&counts, &mark, false));
	counts.uidvalidity = 7;
	counts.messages = 9;
	CHECK(!plan_skip(&counts, &mark, false));
	counts.messages = 10;
	counts.has &= ~(uint32_t)IMAP_HAS_HIGHESTMODSEQ;
	CHECK(!plan_skip(&counts, &mark, false));
}

static void without_modseq_a_due_flag_scan_opens_the_folder(void)
{
	struct archive_mark mark = {7, 11, 0, 10, 1000};
	struct imap_counts counts = {
		all_counts & ~(uint32_t)IMAP_HAS_HIGHESTMODSEQ, 10, 11, 7, 0, 0};

	CHECK(plan_skip(&counts, &mark, false));
	CHECK(!plan_skip(&counts, &mark, true));
	counts.uidnext = 12;
	CHECK(!plan_skip(&counts, &mark, false));
	CHECK(plan_flag_scan_due(1000, 60, 1060));
	CHECK(!plan_flag_scan_due(1000, 60, 1059));
	CHECK(plan_flag_scan_due(1000, 60, 999)); /* the clock was set back */
}

static void flags_that_many_have_are_kept_once(void)
{
	static const char *const usual[] = {"", "\\Seen", "$Junk \\Seen"};
	CLEANUP(uid_list_free) struct uid_list list = {0};

	for (uint32_t uid = 1; uid <= MANY; uid++)
		uid_list_add(&list, uid, usual[uid % ARRAY_LEN(usual)]);
	CHECK_INT(list.texts_count, ARRAY_LEN(usual));
	for (uint32_t uid = MANY; uid > 0; uid--) {
		CLEANUP(freep) char *rare = str_printf("kw%u", uid);

		uid_list_add(&list, uid, rare);
	}
	uid_list_sort(&list);
	CHECK_INT(list.count, MANY);
	for (uint32_t uid = 1; uid <= MANY; uid++) {
		const struct uid_flags *found = uid_list_find(&list, uid);
		CLEANUP(freep) char *rare = str_printf("kw%u", uid);

		CHECK(found && (strcmp(found->flags, rare) == 0 ||
				       strcmp(found->flags, usual[uid % ARRAY_LEN(usual)]) == 0));
	}
}

static void whole_view_tells_what_came_changed_and_went(void)
{
	CLEANUP(server_view_free) struct server_view server = {.whole = true};
	CLEANUP(archive_view_free) struct archive_view archive = {0};
	CLEANUP(folder_plan_free) struct folder_plan plan = {0};
	CLEANUP(rangeset_free) struct rangeset without = {0};

	rangeset_add(&server.uids, 2, 6);
	uid_list_add(&server.changed, 3, "\\Seen");
	uid_list_add(&server.changed, 2, "");
	uid_list_sort(&server.changed);
	for (uint32_t uid = 1; uid <= 3; uid++) {
		uid_list_add(&archive.present, uid, "");
		rangeset_add(&archive.uids, uid, uid);
	}
	rangeset_add(&without, 5, 5);
	plan_folder(&server, &archive, &without, &plan);
	CHECK_INT(rangeset_size(&plan.fetch), 2);
	CHECK(rangeset_has(&plan.fetch, 4) && rangeset_has(&plan.fetch, 6));
	CHECK_INT(plan.reflag.count, 1);
	CHECK_INT(plan.reflag.items[0].uid, 3);
	CHECK_INT(rangeset_size(&plan.gone), 1);
	CHECK(rangeset_has(&plan.gone, 1));
}

static void delta_that_does_not_add_up_is_noticed(void)
{
	CLEANUP(server_view_free) struct server_view server = {.exists = 3};
	CLEANUP(archive_view_free) struct archive_view archive = {0};
	CLEANUP(rangeset_free) struct rangeset without = {0};

	rangeset_add(&archive.uids, 1, 3);
	uid_list_add(&server.changed, 4, "");
	CHECK(!plan_delta_adds_up(&server, &archive, &without));
	rangeset_add(&server.vanished, 1, 1);
	rangeset_add(&server.vanished, 100, 4294967295u);
	CHECK(plan_delta_adds_up(&server, &archive, &without));
}

static void attributes_of_the_moment_are_no_change(void)
{
	CLEANUP(freep) char *kept = plan_attributes("\\HasNoChildren \\Marked \\Sent");
	CLEANUP(freep) char *none = plan_attributes("\\UnMarked");

	CHECK_STR(kept, "\\HasNoChildren \\Sent");
	CHECK_STR(none, "");
}

int main(int argc, char **argv)
{
	static const struct promise promises[] = {
		PROMISE(equal_modseq_skips_and_nothing_else_does),
		PROMISE(without_modseq_a_due_flag_scan_opens_the_folder),
		PROMISE(flags_that_many_have_are_kept_once),
		PROMISE(whole_view_tells_what_came_changed_and_went),
		PROMISE(delta_that_does_not_add_up_is_noticed),
		PROMISE(attributes_of_the_moment_are_no_change),
	};

	return check_main(argc, argv, promises, ARRAY_LEN(promises));
}
