#include "mirror/folder/view.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/str.h"
#include "support/check.h"

enum { MANY = 1000, MOST = 3 };

static void equal_flags_are_stored_once(void)
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

/* --- sets as text: "2:4,9" --- */

static void add_text(struct rangeset *set, const char *text)
{
	while (*text) {
		char *end;
		uint32_t first = (uint32_t)strtoul(text, &end, 10), last = first;

		if (*end == ':')
			last = (uint32_t)strtoul(end + 1, &end, 10);
		rangeset_add(set, first, last);
		text = end + (*end == ',');
	}
}

static char *set_text(const struct rangeset *set)
{
	CLEANUP(buf_free) struct buf text = BUF_INIT(MANY);

	for (size_t i = 0; i < set->count; i++) {
		const struct range *range = &set->items[i];

		CHECK(buf_printf(&text, "%s%u", i > 0 ? "," : "", range->first));
		if (range->last != range->first)
			CHECK(buf_printf(&text, ":%u", range->last));
	}
	return buf_take_str(&text);
}

static void check_set(const struct rangeset *set, const char *wanted)
{
	CLEANUP(freep) char *text = set_text(set);

	CHECK_STR(text, wanted);
}

/* --- windows --- */

/* "scope=uids scope=uids ..." */
static char *windows(const char *uids)
{
	CLEANUP(buf_free) struct buf text = BUF_INIT(MANY);
	CLEANUP(rangeset_free) struct rangeset left = {0};
	uint32_t from = 1;

	add_text(&left, uids);
	while (from > 0) {
		CLEANUP(server_view_free) struct server_view view = {0};
		CLEANUP(freep) char *scope = NULL;
		CLEANUP(freep) char *there = NULL;

		view_of_window(&left, from, MOST, &view, &from);
		scope = set_text(&view.scope);
		there = set_text(&view.uids);
		CHECK(buf_printf(&text, "%s%s=%s", text.len > 0 ? " " : "", scope, there));
	}
	CHECK_INT(left.count, 0);
	return buf_take_str(&text);
}

static void windows_are_bounded_and_cover_every_uid(void)
{
	static const struct {
		const char *uids, *windows;
	} cases[] = {
		{"", "1:4294967295="},
		{"1", "1:4294967295=1"},
		{"7:9", "1:4294967295=7:9"},
		{"1:4", "1:3=1:3 4:4294967295=4"},
		{"1:6", "1:3=1:3 4:4294967295=4:6"},
		{"2,4,6,8", "1:6=2,4,6 7:4294967295=8"},
		{"2:3,100:102", "1:100=2:3,100 101:4294967295=101:102"},
		{"5:7,4294967295", "1:7=5:7 8:4294967295=4294967295"},
		{"4294967290:4294967295", "1:4294967292=4294967290:4294967292 "
					  "4294967293:4294967295=4294967293:4294967295"},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		CLEANUP(freep) char *text = windows(cases[i].uids);

		CHECK_STR(text, cases[i].windows);
	}
}

/* --- deltas --- */

static void view_delta(const char *told, const char *vanished, const char *without,
	const char *wanted_scope, const char *wanted_uids)
{
	CLEANUP(delta_free) struct delta delta = {.most = MOST};
	CLEANUP(server_view_free) struct server_view view = {0};
	CLEANUP(rangeset_free) struct rangeset gone = {0}, left_out = {0};

	for (; *told; told++)
		delta_add_changed(&delta, (uint32_t)(*told - '0'), "");
	add_text(&gone, vanished);
	delta_add_vanished(&delta, &gone);
	add_text(&left_out, without);
	CHECK(!delta.too_much);
	view_of_delta(&delta, &left_out, &view);
	check_set(&view.scope, wanted_scope);
	check_set(&view.uids, wanted_uids);
}

static void the_scope_of_a_delta_is_what_it_names(void)
{
	view_delta("", "", "", "", "");
	view_delta("42", "", "", "2,4", "2,4");
	view_delta("2", "4:9", "", "2,4:9", "2");
	view_delta("25", "4:6", "", "2,4:6", "2");
	view_delta("", "4:4294967295", "5,2", "2,4:4294967295", "2");
}

static void a_delta_over_its_limit_is_dropped(void)
{
	CLEANUP(delta_free) struct delta changed = {.most = MOST}, gone = {.most = MOST};
	CLEANUP(rangeset_free) struct rangeset few = {0}, many = {0};

	for (uint32_t uid = 1; uid <= MOST; uid++)
		delta_add_changed(&changed, uid, "");
	CHECK(!changed.too_much);
	CHECK_INT(changed.changed.count, MOST);
	delta_add_changed(&changed, MOST + 1, "");
	CHECK(changed.too_much);
	delta_add_changed(&changed, MOST + 2, "");
	add_text(&few, "1:1000000");
	delta_add_vanished(&changed, &few);
	CHECK_INT(changed.changed.count + changed.vanished.count, 0);

	delta_add_vanished(&gone, &few);
	CHECK(!gone.too_much);
	add_text(&many, "2000000,3000000,4000000");
	delta_add_vanished(&gone, &many);
	CHECK(gone.too_much);
	CHECK_INT(gone.vanished.count, 0);
}

int main(int argc, char **argv)
{
	static const struct promise promises[] = {
		PROMISE(equal_flags_are_stored_once),
		PROMISE(windows_are_bounded_and_cover_every_uid),
		PROMISE(the_scope_of_a_delta_is_what_it_names),
		PROMISE(a_delta_over_its_limit_is_dropped),
	};

	return check_main(argc, argv, promises, ARRAY_LEN(promises));
}
