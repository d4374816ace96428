/* What a restore decides from what an archive and a folder of the target hold. */
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/str.h"
#include "mime/summary.h"
#include "restore/match/match.h"
#include "support/check.h"

enum { MESSAGES_MAX = 20, DATE = 1000 };

/* A message on either side. */
struct letter {
	const char *text; /* NULL: end of the list */
	int date;         /* 0: DATE */
	const char *flags;
	const char *known;     /* target: the journal says it is this text */
	uint32_t pending_from; /* source */
	bool unreadable;       /* target */
	int claimed_size;      /* target: RFC822.SIZE when it is a lie */
};

struct scene {
	const char *promise;
	struct letter sources[MESSAGES_MAX];
	struct letter targets[MESSAGES_MAX];
	const char *fates; /* of the sources: 'a' append, 't' there, 'l' like */
	int bodies;        /* of the target that had to be looked at */
};

static const struct scene scenes[] = {
	{"an empty folder gets everything", {{"A"}, {"BB"}}, {{NULL}}, "aa", 0},
	{"nothing to restore", {{NULL}}, {{"A"}}, "", 0},
	{"what the journal knows is not looked at", {{"A"}, {"B"}},
		{{"A", .known = "A"}, {"B", .known = "B"}, {"C"}}, "tt", 0},
	{"equal size is looked at, and decides by bytes", {{"A"}, {"B"}}, {{"A"}, {"C"}}, "ta", 2},
	{"another size is not looked at", {{"A"}}, {{"Message-ID: <x>\n\nlonger"}}, "a", 0},
	{"duplicates keep their count", {{"A"}, {"A"}, {"A"}}, {{"A"}, {"A"}}, "tta", 2},
	{"more copies on the target stay where they are", {{"A"}}, {{"A"}, {"A"}, {"A"}}, "t", 3},
	{"a twin with the same flags is preferred", {{"A", .flags = "\\Seen"}, {"A"}},
		{{"A", .known = "A", .flags = ""}}, "at", 0},
	{"a twin with the same date is preferred", {{"A", .date = 5}, {"A", .date = 6}},
		{{"A", .known = "A", .date = 6}}, "at", 0},
	{"line ends made CRLF are the same message", {{"Message-ID: <1>\n\na\nb\n"}},
		{{"Message-ID: <1>\r\n\r\na\r\nb\r\n"}}, "l", 1},
	{"NUL and 8-bit bytes replaced are the same message",
		{{"Message-ID: <1>\nX: \xc3\xa9\n\nab"}}, {{"Message-ID: <1>\nX: XX\n\nab\r\n"}},
		"l", 1},
	{"without Message-ID fingerprint is enough", {{"a\nb"}}, {{"a\r\nb\r\n"}}, "l", 1},
	{"another Message-ID is another message", {{"Message-ID: <1>\n\na"}},
		{{"Message-ID: <22>\n\na\r\n"}}, "a", 0},
	{"a header line more with the same date and body is the same message",
		{{"Message-ID: <1>\n\nbody"}}, {{"Message-ID: <1>\nX-Added: 1\n\nbody"}}, "l", 1},
	{"a header line more with another date is not", {{"Message-ID: <1>\n\nbody"}},
		{{"Message-ID: <1>\nX-Added: 1\n\nbody", 7}}, "a", 1},
	{"... unless it was being sent, and is new there",
		{{"Message-ID: <1>\n\nbody", .pending_from = 1}},
		{{"Message-ID: <1>\nX-Added: 1\n\nbody", 7}}, "l", 1},
	{"... and not when it was there before", {{"Message-ID: <1>\n\nbody", .pending_from = 2}},
		{{"Message-ID: <1>\nX-Added: 1\n\nbody", 7}}, "a", 1},
	{"a cut body with the date kept, being sent",
		{{"Message-ID: <1>\n\nbody", .pending_from = 1}}, {{"Message-ID: <1>\n\nbo"}}, "l",
		1},
	{"a cut body that was not being sent is another message", {{"Message-ID: <1>\n\nbody"}},
		{{"Message-ID: <1>\n\nbo"}}, "a", 1},
	{"a target the journal explains is never taken for another", {{"Message-ID: <1>\n\na\n"}},
		{{"Message-ID: <1>\r\n\r\na\r\n", .known = "something else"}}, "a", 0},
	{"a message with a wrong size is found by Message-ID", {{"Message-ID: <1>\n\nbody"}},
		{{"Message-ID: <1>\n\nbody", .claimed_size = 99}}, "t", 1},
	{"what cannot be read is not taken for anything", {{"A"}}, {{"A", .unreadable = true}}, "a",
		0},
	{"one changed copy makes up for one source only",
		{{"Message-ID: <1>\n\na\n"}, {"Message-ID: <1>\n\na\n"}},
		{{"Message-ID: <1>\r\n\r\na\r\n"}}, "la", 1},
};

static struct fingerprint_digests look(const char *text)
{
	CLEANUP(fingerprint_freep) struct fingerprint *fingerprint = fingerprint_new();
	struct fingerprint_digests digests;

	fingerprint_add(fingerprint, (const uint8_t *)text, strlen(text));
	fingerprint_finish(fingerprint, &digests);
	return digests;
}

struct stage {
	struct match match;
	struct match_source sources[MESSAGES_MAX];
	struct match_target targets[MESSAGES_MAX];
	struct fingerprint_digests source_looks[MESSAGES_MAX], target_looks[MESSAGES_MAX];
	struct mime_summary source_heads[MESSAGES_MAX], target_heads[MESSAGES_MAX];
	int bodies, rounds;
};

static void set_source(struct stage *stage, size_t i, const struct letter *letter)
{
	struct match_source *source = &stage->sources[i];

	mime_summarise(
		(const uint8_t *)letter->text, strlen(letter->text), &stage->source_heads[i]);
	*source = (struct match_source){.size = strlen(letter->text),
		.has_date = true,
		.unix_s = letter->date ? letter->date : DATE,
		.flags = letter->flags ? letter->flags : "",
		.message_id = stage->source_heads[i].message_id,
		.pending_from = letter->pending_from};
	sha256_of(letter->text, strlen(letter->text), source->sha256);
}

static void set_target(struct stage *stage, size_t i, const struct letter *letter)
{
	struct match_target *target = &stage->targets[i];

	mime_summarise(
		(const uint8_t *)letter->text, strlen(letter->text), &stage->target_heads[i]);
	*target = (struct match_target){.uid = (uint32_t)i + 1,
		.size = letter->claimed_size ? (uint64_t)letter->claimed_size
					     : strlen(letter->text),
		.has_date = true,
		.unix_s = letter->date ? letter->date : DATE,
		.flags = letter->flags ? letter->flags : "",
		.known = letter->known,
		.unreadable = letter->unreadable};
	if (letter->known)
		sha256_of(letter->known, strlen(letter->known), target->sha256);
}

static void fulfil(struct stage *stage, const struct scene *scene)
{
	for (size_t i = 0; i < stage->match.sources_count; i++) {
		if (stage->sources[i].need != MATCH_NEED_FINGERPRINT)
			continue;
		stage->source_looks[i] = look(scene->sources[i].text);
		stage->sources[i].fingerprint = &stage->source_looks[i];
	}
	for (size_t i = 0; i < stage->match.targets_count; i++) {
		if (stage->targets[i].need == MATCH_NEED_NOTHING)
			continue;
		stage->targets[i].message_id = stage->target_heads[i].message_id;
		if (stage->targets[i].need != MATCH_NEED_BYTES)
			continue;
		stage->target_looks[i] = look(scene->targets[i].text);
		stage->targets[i].fingerprint = &stage->target_looks[i];
		stage->bodies++;
	}
}

static void play(const struct scene *scene)
{
	struct stage *stage = xcalloc(1, sizeof(*stage));
	char fates[MESSAGES_MAX + 1] = "";

	stage->match.sources = stage->sources;
	stage->match.targets = stage->targets;
	for (; scene->sources[stage->match.sources_count].text; stage->match.sources_count++)
		set_source(stage, stage->match.sources_count,
			&scene->sources[stage->match.sources_count]);
	for (; scene->targets[stage->match.targets_count].text; stage->match.targets_count++)
		set_target(stage, stage->match.targets_count,
			&scene->targets[stage->match.targets_count]);
	while (!match_decide(&stage->match)) {
		CHECK(++stage->rounds < MATCH_ROUNDS_MAX);
		fulfil(stage, scene);
	}
	for (size_t i = 0; i < stage->match.sources_count; i++)
		fates[i] = "atl"[stage->sources[i].fate];
	if (strcmp(fates, scene->fates) != 0 || stage->bodies != scene->bodies)
		check_fail(__FILE__, __LINE__, "%s: %s with %d bodies, not %s with %d",
			scene->promise, fates, stage->bodies, scene->fates, scene->bodies);
	for (size_t i = 0; i < MESSAGES_MAX; i++) {
		mime_summary_free(&stage->source_heads[i]);
		mime_summary_free(&stage->target_heads[i]);
	}
	free(stage);
}

static void every_scene_ends_as_listed(void)
{
	for (size_t i = 0; i < ARRAY_LEN(scenes); i++)
		play(&scenes[i]);
}

static void many_messages_are_decided_in_little_time(void)
{
	enum { MANY = 100 * 1000 };
	struct match match = {.sources_count = MANY, .targets_count = MANY};

	match.sources = xcalloc(MANY, sizeof(*match.sources));
	match.targets = xcalloc(MANY, sizeof(*match.targets));
	for (size_t i = 0; i < MANY; i++) {
		match.sources[i] = (struct match_source){.flags = "", .message_id = "", .size = 5};
		match.targets[i] = (struct match_target){.flags = "", .known = i % 2};
		memcpy(match.sources[i].sha256, &i, sizeof(i));
		memcpy(match.targets[i].sha256, &i, sizeof(i));
	}
	CHECK(!match_decide(&match));
	for (size_t i = 0; i < MANY; i++)
		CHECK_INT(match.sources[i].fate, i % 2 ? MATCH_THERE : MATCH_APPEND);
	free(match.sources);
	free(match.targets);
}

static void fingerprint_is_the_same_however_it_is_cut(void)
{
	static const char text[] = "A: b\r\nC: \xc3\xa9\r\n\r\nbody\r\n\r\nmore\n\n\r\n";
	struct fingerprint_digests whole = look(text), cut;

	for (size_t at = 0; at < sizeof(text); at++) {
		CLEANUP(fingerprint_freep) struct fingerprint *fingerprint = fingerprint_new();

		fingerprint_add(fingerprint, (const uint8_t *)text, at);
		fingerprint_add(fingerprint, (const uint8_t *)text + at, strlen(text) - at);
		fingerprint_finish(fingerprint, &cut);
		CHECK(memcmp(&whole, &cut, sizeof(cut)) == 0);
	}
}

static void fingerprint_sees_every_other_change(void)
{
	static const char *const texts[] = {"A: b\n\nbody", "A: b\n\nbodY", "A: b\n\nbo dy",
		"A: b\n\nbo\ndy", "A: b\nbody", "A: b\n\n\nbody", "\nA: b\n\nbody", ""};

	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		for (size_t k = 0; k < i; k++) {
			struct fingerprint_digests a = look(texts[i]), b = look(texts[k]);

			CHECK(memcmp(a.whole, b.whole, SHA256_BYTES) != 0);
		}
}

int main(int argc, char **argv)
{
	static const struct promise promises[] = {
		PROMISE(every_scene_ends_as_listed),
		PROMISE(many_messages_are_decided_in_little_time),
		PROMISE(fingerprint_is_the_same_however_it_is_cut),
		PROMISE(fingerprint_sees_every_other_change),
	};

	return check_main(argc, argv, promises, ARRAY_LEN(promises));
}
