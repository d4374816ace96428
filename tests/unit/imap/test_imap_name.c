#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/alloc.h"
#include "base/rand.h"
#include "imap/name.h"
#include "support/check.h"

static void modified_utf7_and_utf8_are_one_name(void)
{
	static const struct {
		const char *wire, *utf8;
	} names[] = {
		{"", ""},
		{"INBOX", "INBOX"},
		{"Entw&APw-rfe", "Entw\xc3\xbcrfe"},
		{"~peter/mail/&U,BTFw-/&ZeVnLIqe-", "~peter/mail/\xe5\x8f\xb0\xe5\x8c\x97/"
						    "\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e"},
		{"R&-D", "R&D"},
		{"&-&-", "&&"},
		{"&2D3cqQ-", "\xf0\x9f\x92\xa9"},
		{"a&2D3cqdg9AOQ-b", NULL},
		{"&AOQ-&-&AOQ-", "\xc3\xa4&\xc3\xa4"},
		{"&AAE-", "\x01"},
	};

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		CLEANUP(freep) char *utf8 = utf7_decode(names[i].wire);
		CLEANUP(freep) char *wire = utf8 ? utf7_encode(utf8) : NULL;

		if (!names[i].utf8) {
			CHECK(!utf8);
			continue;
		}
		CHECK_STR(utf8, names[i].utf8);
		CHECK_STR(wire, names[i].wire);
	}
}

static void invalid_modified_utf7_is_not_decoded(void)
{
	static const char *const bad[] = {"&", "a&", "&A-", "&AO-", "&AOQ", "&AOQA-", "&AEE-",
		"&ACY-", "&AAA-", "&2D0-", "&3Kk-", "&2D0AQQ-", "&3KnYPQ-", "&AOQ-&APY-", "&A/Q-",
		"&AOR-", "&AO Q-", "caf\xc3\xa9", "a\x01", "\x7f", "&AOQ=-", "&AAAA-"};

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		CLEANUP(freep) char *utf8 = utf7_decode(bad[i]);

		if (utf8)
			check_fail(__FILE__, __LINE__, "\"%s\" is decoded", bad[i]);
	}
	CHECK(!utf7_encode("\xc3"));
	CHECK(!utf7_encode("\xed\xa0\x80"));
}

struct sample {
	const char *wire;
	char delimiter;
	const char *prefix;
	bool utf8;
	const char *path;
	const char *back; /* NULL: as wire */
};

static void check_sample(const struct sample *sample)
{
	CLEANUP(freep)
	char *path = name_to_path(sample->wire, sample->delimiter, sample->prefix, sample->utf8);
	CLEANUP(freep) char *back = NULL;
	bool changed = true;

	CHECK_STR(path, sample->path);
	back = name_from_path(path, sample->delimiter, sample->prefix, sample->utf8, &changed);
	CHECK_STR(back, sample->back ? sample->back : sample->wire);
	CHECK(!changed);
}

static void wire_names_become_paths_and_come_back(void)
{
	static const struct sample samples[] = {
		{"INBOX", '/', NULL, false, "INBOX"},
		{"inbox", '/', "", false, "INBOX", "INBOX"},
		{"Inbox/Sub", '/', "", false, "INBOX/Sub", "INBOX/Sub"},
		{"Inboxes", '/', "", false, "Inboxes"},
		{"a.b.c", '.', "", false, "a/b/c"},
		{"a/b.c%d", '.', "", false, "a%2Fb/c%25d"},
		{"a.b/c", 0, "", false, "a.b%2Fc"},
		{"[Gmail]/Entw&APw-rfe", '/', "", false, "[Gmail]/Entw\xc3\xbcrfe"},
		{"[Gmail]/R&-D", '/', "", false, "[Gmail]/R&D"},
		{"R&D/x", '/', "", false, "R%26D/x"},
		{"caf\xc3\xa9/x", '/', "", false, "caf%C3%A9/x"},
		{"caf\xc3\xa9/x", '/', "", true, "caf\xc3\xa9/x"},
		{"R&D", '/', "", true, "R&D"},
		{"caf\xe9&", '/', "", true, "caf%E9%26"},
		{"a\x01z", '/', "", false, "a%01z"},
		{"a&AAE-z", '/', "", false, "a%26AAE-z"},
		{"a\xc2\x85", '/', "", true, "a%C2%85"},
		{"a&AIU-", '/', "", false, "a%26AIU-"},
		{"../../etc/passwd", '/', "", false, "../../etc/passwd"},
	};

	for (size_t i = 0; i < ARRAY_LEN(samples); i++)
		check_sample(&samples[i]);
}

static void the_prefix_is_not_part_of_a_path(void)
{
	static const struct sample samples[] = {
		{"INBOX.Sent", '.', "INBOX.", false, "Sent"},
		{"Inbox.Sent.x", '.', "INBOX.", false, "Sent/x", "INBOX.Sent.x"},
		{"INBOX", '.', "INBOX.", false, "INBOX"},
		{"INBOX.INBOX", '.', "INBOX.", false, "%49NBOX"},
		{"INBOX.inbox.x", '.', "INBOX.", false, "%69nbox/x"},
		{"INBOX.INBOX.x", '.', "INBOX.", false, "INBOX/x"},
		{"INBOX.INBOX.INBOX", '.', "INBOX.", false, "INBOX/INBOX"},
		{"Mail/x", '/', "Mail/", false, "x"},
		{"Mail/INBOX/x", '/', "Mail/", false, "%49NBOX/x"},
		{"INBOX/x", '/', "Mail/", false, "INBOX/x"},
		{"INBOX", '/', "Mail/", false, "INBOX"},
	};

	for (size_t i = 0; i < ARRAY_LEN(samples); i++)
		check_sample(&samples[i]);
}

static void paths_translate_to_other_servers(void)
{
	static const struct {
		const char *path;
		char delimiter;
		const char *prefix;
		bool utf8;
		const char *wire;
		bool changed;
	} samples[] = {
		{"a/b", '.', "INBOX.", false, "INBOX.a.b", false},
		{"v1.2/x", '.', "", false, "v1_2.x", true},
		{"a_b/c", '_', "", false, "a-b_c", true},
		{"INBOX", '.', "INBOX.", false, "INBOX", false},
		{"inbox/x", '/', "", false, "INBOX/x", false},
		{"INBOX/x", '.', "INBOX.", false, "INBOX.INBOX.x", false},
		{"Entw\xc3\xbcrfe", '/', "", true, "Entw\xc3\xbcrfe", false},
		{"a%2Fb", '.', "", false, "a/b", false},
		{"a%2Fb", '/', "", false, "a_b", true},
		{"a%2Fb", 0, NULL, false, "a/b", false},
	};

	for (size_t i = 0; i < ARRAY_LEN(samples); i++) {
		bool changed = !samples[i].changed;
		CLEANUP(freep)
		char *wire = name_from_path(samples[i].path, samples[i].delimiter,
			samples[i].prefix, samples[i].utf8, &changed);

		CHECK_STR(wire, samples[i].wire);
		CHECK_INT(changed, samples[i].changed);
	}
}

static void invalid_paths_are_refused(void)
{
	static const char *const bad[] = {
		"", "/", "a/", "/a", "a//b", "%", "a%2", "a%2g", "a%2f", "%00", "x\xc3", "INBOX/"};
	bool changed = false;

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		CLEANUP(freep) char *wire = name_from_path(bad[i], '/', "", false, &changed);

		if (wire)
			check_fail(__FILE__, __LINE__, "\"%s\" is \"%s\"", bad[i], wire);
	}
	CHECK(!name_from_path("a/b", 0, "", false, &changed));
}

/* --- random names --- */

static uint32_t seed;

/* xorshift: the same seed gives the same names */
static uint32_t chance(uint32_t below)
{
	seed ^= seed << 13;
	seed ^= seed >> 17;
	seed ^= seed << 5;
	return seed % below;
}

static void random_name(char *name, size_t max)
{
	static const char *const parts[] = {"a", "B", "/", ".", "&", "-", "&-", "&APw-", "%", "%41",
		"%2F", "INBOX", "inbox", "\xc3\xbc", "\xe9", "\x01", "\x7f", "&AAE-", "\xc2\x85",
		"&2D3cqQ-", "\"", "\\", " ", "_", "~", "&AOQA", "+", ",", "Mail",
		"\xf0\x9f\x92\xa9"};
	size_t len = 0, count = 1 + chance(6);

	*name = '\0';
	for (size_t i = 0; i < count; i++) {
		const char *part = parts[chance(ARRAY_LEN(parts))];

		if (len + strlen(part) >= max)
			break;
		len = (size_t)(stpcpy(name + len, part) - name);
	}
}

static bool has_empty_level(const char *name, char delimiter)
{
	const char doubled[] = {delimiter, delimiter, '\0'};

	if (!*name)
		return true;
	return delimiter &&
	       (*name == delimiter || name[strlen(name) - 1] == delimiter || strstr(name, doubled));
}

/* Equal except for the case of a leading INBOX? */
static bool is_same_name(const char *a, const char *b)
{
	size_t any_case = strncasecmp(a, "INBOX", 5) == 0 ? 5 : 0;

	return strncasecmp(a, b, any_case) == 0 && strcmp(a + any_case, b + any_case) == 0;
}

static void any_name_survives_the_round_trip(void)
{
	static const struct {
		char delimiter;
		const char *prefix;
	} servers[] = {{'/', ""}, {'.', ""}, {'\0', ""}, {'\\', ""}, {'.', "INBOX."},
		{'/', "Mail/"}, {'/', "INBOX/"}};
	uint32_t first = seed = 1 + rand_below(UINT32_MAX);

	for (int i = 0; i < 200 * 1000; i++) {
		size_t which = chance(ARRAY_LEN(servers));
		char delimiter = servers[which].delimiter, name[80], wire[100];
		const char *prefix = servers[which].prefix;
		bool utf8 = chance(2), changed = true;
		CLEANUP(freep) char *path = NULL, *back = NULL;

		random_name(name, sizeof(name));
		if (has_empty_level(name, delimiter))
			continue;
		(void)snprintf(wire, sizeof(wire), "%s%s", prefix, name);
		path = name_to_path(wire, delimiter, prefix, utf8);
		back = name_from_path(path, delimiter, prefix, utf8, &changed);
		if (!back || changed || !is_same_name(back, wire))
			check_fail(__FILE__, __LINE__,
				"seed %u, name %d: \"%s\" is \"%s\" and comes back as \"%s\"",
				first, i, wire, path, back ? back : "(none)");
	}
}

static void long_names_cost_linear_time(void)
{
	size_t len = 1000 * 1000;
	CLEANUP(freep) char *wire = xmalloc(len + 1);
	CLEANUP(freep) char *path = NULL, *back = NULL;
	bool changed;

	memset(wire, '&', len);
	wire[len] = '\0';
	path = name_to_path(wire, '/', "", false);
	CHECK_INT(strlen(path), 3 * len);
	back = name_from_path(path, '/', "", false, &changed);
	CHECK_STR(back, wire);
	for (size_t i = 0; i + 1 < len; i += 2)
		memcpy(wire + i, "a/", 2);
	wire[len - 1] = '\0';
	free(path);
	path = name_to_path(wire, '/', "", false);
	CHECK_STR(path, wire);
}

int main(int argc, char **argv)
{
	static const struct promise promises[] = {
		PROMISE(modified_utf7_and_utf8_are_one_name),
		PROMISE(invalid_modified_utf7_is_not_decoded),
		PROMISE(wire_names_become_paths_and_come_back),
		PROMISE(the_prefix_is_not_part_of_a_path),
		PROMISE(paths_translate_to_other_servers),
		PROMISE(invalid_paths_are_refused),
		PROMISE(any_name_survives_the_round_trip),
		PROMISE(long_names_cost_linear_time),
	};
	return check_main(argc, argv, promises, ARRAY_LEN(promises));
}
