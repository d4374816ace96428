/* Where folders of an archive go on servers of several kinds. */
#include <string.h>

#include "base/str.h"
#include "restore/map/map.h"
#include "support/check.h"

enum { FOLDERS_MAX = 12 };

struct scene {
	const char *promise;
	const char *rules[4];
	const char *prefix;
	bool no_special_use, no_junk;
	struct map_source sources[FOLDERS_MAX];
	const char *namespace; /* of the target */
	char delimiter;
	struct map_target targets[FOLDERS_MAX];
	const char
		*wire_names[FOLDERS_MAX]; /* expected for each source, NULL: none, "-": left out */
};

#define FOLDER(name)                                                                               \
	{                                                                                          \
		.path = (name), .selectable = true                                                 \
	}
#define SPECIAL(name, use)                                                                         \
	{                                                                                          \
		.path = (name), .special_use = (use), .selectable = true                           \
	}
#define CONTAINER(name)                                                                            \
	{                                                                                          \
		.path = (name)                                                                     \
	}
#define THERE(name)                                                                                \
	{                                                                                          \
		.path = (name), .wire_name = (name), .selectable = true                            \
	}
#define THERE_AS(name, use)                                                                        \
	{                                                                                          \
		.path = (name), .wire_name = (name), .special_use = (use), .selectable = true      \
	}

static const struct scene scenes[] = {
	{.promise = "a path stays what it is",
		.sources = {FOLDER("INBOX"), FOLDER("Work"), FOLDER("Work/2026"), FOLDER("Grüße")},
		.delimiter = '/',
		.targets = {THERE("INBOX")},
		.wire_names = {"INBOX", "Work", "Work/2026", "Gr&APwA3w-e"}},
	{.promise = "prefix and separator are the target's",
		.sources = {FOLDER("INBOX"), FOLDER("Work/2026")},
		.namespace = "INBOX.",
		.delimiter = '.',
		.targets = {THERE("INBOX")},
		.wire_names = {"INBOX", "INBOX.Work.2026"}},
	{.promise = "a rule takes whole components, the longest wins",
		.rules = {"Work=Job", "Work/a=Else/where"},
		.sources = {FOLDER("Work"), FOLDER("Workshop"), FOLDER("Work/a/b"),
			FOLDER("Work/b")},
		.delimiter = '/',
		.wire_names = {"Job", "Workshop", "Else/where/b", "Job/b"}},
	{.promise = "INBOX can be mapped, in any case",
		.rules = {"inbox=Old"},
		.sources = {FOLDER("INBOX"), FOLDER("INBOX/x")},
		.delimiter = '/',
		.wire_names = {"Old", "Old/x"}},
	{.promise = "a prefix keeps everything apart, special use or not",
		.rules = {"Work=Job"},
		.prefix = "Restored",
		.sources = {FOLDER("INBOX"), SPECIAL("Gesendet", "\\Sent"), FOLDER("Work")},
		.delimiter = '.',
		.targets = {THERE("INBOX"), THERE_AS("Sent", "\\Sent")},
		.wire_names = {"Restored.INBOX", "Restored.Gesendet", "Restored.Job"}},
	{.promise = "special use goes to special use, whatever the names, with what is below",
		.sources = {SPECIAL("Gesendet", "\\Sent"), FOLDER("Gesendet/2020")},
		.delimiter = '/',
		.targets = {THERE_AS("Sent Mail", "\\sent")},
		.wire_names = {"Sent Mail", "Sent Mail/2020"}},
	{.promise = "... else to a well-known name at the top",
		.sources = {SPECIAL("Gesendet", "\\Sent")},
		.delimiter = '/',
		.targets = {THERE("Work/Sent"), THERE("sent items")},
		.wire_names = {"sent items"}},
	{.promise = "... unless a folder of that name is restored as well",
		.sources = {SPECIAL("Gesendet", "\\Sent"), FOLDER("Sent Items")},
		.delimiter = '/',
		.targets = {THERE("Sent Items")},
		.wire_names = {"Gesendet", "Sent Items"}},
	{.promise = "a name implies a use only if no folder has the attribute",
		.sources = {FOLDER("Sent Items"), FOLDER("Trash"), SPECIAL("Muell", "\\Trash")},
		.delimiter = '/',
		.targets = {THERE_AS("Sent", "\\Sent"), THERE_AS("Bin", "\\Trash")},
		.wire_names = {"Sent", "Trash", "Bin"}},
	{.promise = "a folder that is there by the same name keeps it",
		.sources = {FOLDER("Sent Items")},
		.delimiter = '/',
		.targets = {THERE("Sent"), THERE("Sent Items")},
		.wire_names = {"Sent Items"}},
	{.promise = "one of two with the same use is enough",
		.sources = {SPECIAL("A", "\\Sent"), SPECIAL("B", "\\Sent")},
		.delimiter = '/',
		.targets = {THERE_AS("Sent", "\\Sent")},
		.wire_names = {"Sent", "B"}},
	{.promise = "a rule is stronger than special use",
		.rules = {"Gesendet=Mine"},
		.sources = {SPECIAL("Gesendet", "\\Sent")},
		.delimiter = '/',
		.targets = {THERE_AS("Sent", "\\Sent")},
		.wire_names = {"Mine"}},
	{.promise = "special use can be left alone",
		.no_special_use = true,
		.sources = {SPECIAL("Gesendet", "\\Sent")},
		.delimiter = '/',
		.targets = {THERE_AS("Sent", "\\Sent")},
		.wire_names = {"Gesendet"}},
	{.promise = "INBOX is never anything else",
		.sources = {SPECIAL("INBOX", "\\Archive"), FOLDER("Archive/Inbox")},
		.delimiter = '/',
		.targets = {THERE_AS("All", "\\Archive"), THERE("INBOX")},
		.wire_names = {"INBOX", "Archive/Inbox"}},
	{.promise = "junk can be left out, by attribute or by name",
		.no_junk = true,
		.sources = {SPECIAL("X", "\\Junk"), FOLDER("spam"), FOLDER("Work/Spam")},
		.delimiter = '/',
		.wire_names = {"-", "-", "Work/Spam"}},
	{.promise = "what holds no messages is not a place",
		.sources = {CONTAINER("Work"), FOLDER("Work/a")},
		.delimiter = '/',
		.wire_names = {"-", "Work/a"}},
	{.promise = "an existing folder keeps the name the server has for it",
		.sources = {FOLDER("a%2Fb")},
		.delimiter = '.',
		.targets = {{.path = "a%2Fb", .wire_name = "a/b", .selectable = true}},
		.wire_names = {"a/b"}},
	{.promise = "a slash in a name is no level",
		.sources = {FOLDER("a%2Fb/c=d")},
		.delimiter = '/',
		.wire_names = {"a=2Fb/c=d"}},
	{.promise = "a path that is none has no place",
		.rules = {"a=x%zz"},
		.sources = {FOLDER("a"), FOLDER("b")},
		.delimiter = '/',
		.wire_names = {NULL, "b"}},
};

struct result {
	struct map map;
	struct str_list problems;
};

static struct result play(const struct scene *scene)
{
	CLEANUP(map_rules_free)
	struct map_rules rules = {
		.no_special_use = scene->no_special_use, .no_junk = scene->no_junk};
	struct map_server server = {.prefix = scene->namespace ? scene->namespace : "",
		.delimiter = scene->delimiter,
		.folders = scene->targets};
	struct result result = {0};
	struct err err = ERR_INIT;
	size_t count = 0;

	for (size_t i = 0; i < ARRAY_LEN(scene->rules) && scene->rules[i]; i++)
		CHECK_OK(map_rule_add(&rules, scene->rules[i], &err));
	if (scene->prefix)
		CHECK_OK(map_rules_set_prefix(&rules, scene->prefix, &err));
	while (scene->sources[count].path)
		count++;
	while (server.count < FOLDERS_MAX && scene->targets[server.count].path)
		server.count++;
	map_make(scene->sources, count, &rules, &server, &result.map, &result.problems);
	return result;
}

static void result_free(struct result *result)
{
	map_free(&result->map);
	str_list_free(&result->problems);
}

static const char *name_of(const struct result *result, size_t source)
{
	size_t place = result->map.place_of[source];

	if (place == MAP_LEFT_OUT)
		return "-";
	return place == MAP_NONE ? "(none)" : result->map.places[place].wire_name;
}

static void every_scene_maps_as_listed(void)
{
	for (size_t i = 0; i < ARRAY_LEN(scenes); i++) {
		struct result result = play(&scenes[i]);

		for (size_t k = 0; scenes[i].sources[k].path; k++) {
			const char *wanted =
				scenes[i].wire_names[k] ? scenes[i].wire_names[k] : "(none)";

			if (strcmp(name_of(&result, k), wanted) != 0)
				check_fail(__FILE__, __LINE__, "%s: %s goes to %s, not %s",
					scenes[i].promise, scenes[i].sources[k].path,
					name_of(&result, k), wanted);
		}
		result_free(&result);
	}
}

static void several_folders_in_one_place_are_noted(void)
{
	const struct scene scene = {
		.rules = {"a=x", "b=x"}, .sources = {FOLDER("a"), FOLDER("b")}, .delimiter = '/'};
	struct result result = play(&scene);

	CHECK_INT(result.map.count, 1);
	CHECK_INT(result.map.places[0].sources, 2);
	CHECK_STR(result.map.places[0].note, "several folders are merged here");
	result_free(&result);
}

static void names_that_differ_in_case_are_noted(void)
{
	const struct scene scene = {.sources = {FOLDER("Work"), FOLDER("work")},
		.delimiter = '/',
		.targets = {THERE("Work")}};
	struct result result = play(&scene);

	CHECK_INT(result.map.count, 2);
	CHECK(!result.map.places[0].note);
	CHECK_STR(result.map.places[1].note, "differs from another folder only in case");
	result_free(&result);
}

static void a_separator_in_a_name_is_replaced_told_and_found_again(void)
{
	struct scene scene = {.sources = {FOLDER("Dr. Jones=")}, .delimiter = '.'};
	struct result first = play(&scene), second;

	CHECK_STR(first.map.places[0].wire_name, "Dr=2E Jones=3D");
	CHECK_STR(first.map.places[0].note, "the name contained the target's hierarchy separator");
	scene.targets[0] = (struct map_target){
		.path = "whatever", .wire_name = first.map.places[0].wire_name, .selectable = true};
	second = play(&scene);
	CHECK_INT(second.map.places[0].target, 0);
	CHECK_STR(second.map.places[0].wire_name, first.map.places[0].wire_name);
	result_free(&first);
	result_free(&second);
}

static void a_name_that_may_be_refused_has_a_plain_one_that_is_found_again(void)
{
	struct scene scene = {.sources = {FOLDER("50%25=/a\"b/Größe & Co/c.d")}, .delimiter = '/'};
	struct result first = play(&scene), second;

	CHECK_STR(first.map.places[0].wire_name, "50%=/a\"b/Gr&APYA3w-e &- Co/c.d");
	CHECK_STR(first.map.places[0].plain_path, "50=25=3D/a=22b/Größe & Co/c.d");
	CHECK_STR(first.map.places[0].plain_wire_name, "50=25=3D/a=22b/Gr&APYA3w-e &- Co/c.d");
	scene.targets[0] = (struct map_target){.path = "whatever",
		.wire_name = first.map.places[0].plain_wire_name,
		.selectable = true};
	second = play(&scene);
	CHECK_INT(second.map.places[0].target, 0);
	CHECK_STR(second.map.places[0].wire_name, first.map.places[0].plain_wire_name);
	CHECK_STR(second.map.places[0].path, first.map.places[0].plain_path);
	result_free(&first);
	result_free(&second);
}

static void a_plain_name_is_never_that_of_another_folder(void)
{
	const struct scene scene = {
		.sources = {FOLDER("50%25"), FOLDER("50=25")}, .delimiter = '/'};
	struct result result = play(&scene);

	CHECK_INT(result.map.count, 2);
	CHECK(!result.map.places[0].plain_path && !result.map.places[1].plain_path);
	result_free(&result);
}

static void parents_come_before_children(void)
{
	const struct scene scene = {
		.sources = {FOLDER("b/c/d"), FOLDER("b"), FOLDER("a"), FOLDER("b/c")},
		.delimiter = '/'};
	struct result result = play(&scene);

	CHECK_STR(result.map.places[0].path, "a");
	CHECK_STR(result.map.places[1].path, "b");
	CHECK_STR(result.map.places[2].path, "b/c");
	CHECK_STR(result.map.places[3].path, "b/c/d");
	CHECK_INT(result.map.place_of[0], 3);
	result_free(&result);
}

static void subscription_and_special_use_are_asked_for_where_they_are_missing(void)
{
	const struct scene scene = {.sources = {{.path = "A",
							.selectable = true,
							.subscribed = true,
							.special_use = "\\Sent"},
					    {.path = "B", .selectable = true, .subscribed = true},
					    {.path = "C", .selectable = true, .subscribed = true}},
		.delimiter = '/',
		.targets = {THERE("B"),
			{.path = "C", .wire_name = "C", .selectable = true, .subscribed = true}}};
	struct result result = play(&scene);

	CHECK_STR(result.map.places[0].special_use, "\\Sent");
	CHECK_INT(result.map.places[0].target, MAP_NONE);
	CHECK(result.map.places[0].subscribe);
	CHECK_INT(result.map.places[1].target, 0);
	CHECK(result.map.places[1].subscribe);
	CHECK(!result.map.places[2].subscribe);
	result_free(&result);
}

static void rules_that_are_none_are_refused(void)
{
	static const char *const bad[] = {"", "a", "=b", "a=", "/a=b", "a/=b", "a=b//c", "a=/b"};
	CLEANUP(map_rules_free) struct map_rules rules = {0};
	struct err err = ERR_INIT;

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		CHECK(!map_rule_add(&rules, bad[i], &err));
		CHECK_INT(err.kind, ERR_USAGE);
	}
	CHECK_OK(map_rule_add(&rules, "a=b=c", &err));
	CHECK_STR(rules.items[0].to, "b=c");
	CHECK(!map_rule_add(&rules, "a=d", &err));
	CHECK(!map_rules_set_prefix(&rules, "x/", &err));
}

int main(int argc, char **argv)
{
	static const struct promise promises[] = {
		PROMISE(every_scene_maps_as_listed),
		PROMISE(several_folders_in_one_place_are_noted),
		PROMISE(names_that_differ_in_case_are_noted),
		PROMISE(a_separator_in_a_name_is_replaced_told_and_found_again),
		PROMISE(a_name_that_may_be_refused_has_a_plain_one_that_is_found_again),
		PROMISE(a_plain_name_is_never_that_of_another_folder),
		PROMISE(parents_come_before_children),
		PROMISE(subscription_and_special_use_are_asked_for_where_they_are_missing),
		PROMISE(rules_that_are_none_are_refused),
	};

	return check_main(argc, argv, promises, ARRAY_LEN(promises));
}
