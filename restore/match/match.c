#include "restore/match/match.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

enum { SIZE_SLACK = 64 }; /* bytes a server may add to a small message */

/* What sources and targets are compared by. */
struct face {
	size_t index;
	uint64_t size;
	bool has_date;
	int64_t unix_s;
	uint32_t uid; /* of a target; of a source: pending_from */
	const char *flags;
	const char *message_id;
	const uint8_t *sha256; /* NULL: not known */
	const struct fingerprint_digests *fingerprint;
};

static int order_u64(uint64_t a, uint64_t b)
{
	return (a > b) - (a < b);
}

static int order_date(const struct face *a, const struct face *b)
{
	if (a->has_date != b->has_date)
		return a->has_date - b->has_date;
	return a->has_date ? (a->unix_s > b->unix_s) - (a->unix_s < b->unix_s) : 0;
}

static int order_digest(const void *a, const void *b)
{
	return memcmp(a, b, SHA256_BYTES);
}

typedef int face_order(const struct face *a, const struct face *b);

static int by_bytes(const struct face *a, const struct face *b)
{
	return order_digest(a->sha256, b->sha256);
}

static int by_everything(const struct face *a, const struct face *b)
{
	int order = by_bytes(a, b);

	if (order == 0)
		order = order_date(a, b);
	return order ? order : strcmp(a->flags, b->flags);
}

static int by_size(const struct face *a, const struct face *b)
{
	return order_u64(a->size, b->size);
}

static int by_message_id(const struct face *a, const struct face *b)
{
	return strcmp(a->message_id, b->message_id);
}

static int by_whole(const struct face *a, const struct face *b)
{
	int order = by_message_id(a, b);

	return order ? order : order_digest(a->fingerprint->whole, b->fingerprint->whole);
}

static int by_body(const struct face *a, const struct face *b)
{
	int order = by_message_id(a, b);

	return order ? order : order_digest(a->fingerprint->body, b->fingerprint->body);
}

static int by_date(const struct face *a, const struct face *b)
{
	int order = by_message_id(a, b);

	return order ? order : order_date(a, b);
}

static int by_body_and_date(const struct face *a, const struct face *b)
{
	int order = by_body(a, b);

	return order ? order : order_date(a, b);
}

/* --- joining sources and targets that are equal by an order --- */

struct join {
	struct match *match;
	face_order *order;
	bool (*takes_source)(const struct match_source *source);
	bool (*takes_target)(const struct match_target *target);
	void (*meet)(struct match *match, const struct face *sources, size_t sources_count,
		const struct face *targets, size_t targets_count);
};

static int compare_faces(const void *a, const void *b, void *order)
{
	face_order *compare = *(face_order **)order;
	int result = compare(a, b);

	return result ? result
		      : order_u64(((const struct face *)a)->index, ((const struct face *)b)->index);
}

static struct face source_face(const struct match *match, size_t i)
{
	const struct match_source *source = &match->sources[i];

	return (struct face){.index = i,
		.size = source->size,
		.has_date = source->has_date,
		.unix_s = source->unix_s,
		.uid = source->pending_from,
		.flags = source->flags,
		.message_id = source->message_id,
		.sha256 = source->sha256,
		.fingerprint = source->fingerprint};
}

static const uint8_t *target_digest(const struct match_target *target)
{
	if (target->fingerprint)
		return target->fingerprint->exact;
	return target->known ? target->sha256 : NULL;
}

static struct face target_face(const struct match *match, size_t i)
{
	const struct match_target *target = &match->targets[i];

	return (struct face){.index = i,
		.size = target->size,
		.has_date = target->has_date,
		.unix_s = target->unix_s,
		.uid = target->uid,
		.flags = target->flags,
		.message_id = target->message_id,
		.sha256 = target_digest(target),
		.fingerprint = target->fingerprint};
}

static struct face *pick_sources(struct join *join, size_t *ret_count)
{
	struct face *faces = xcalloc(join->match->sources_count + 1, sizeof(*faces));
	size_t count = 0;

	for (size_t i = 0; i < join->match->sources_count; i++)
		if (join->match->sources[i].target == MATCH_NONE &&
			(!join->takes_source || join->takes_source(&join->match->sources[i])))
			faces[count++] = source_face(join->match, i);
	qsort_r(faces, count, sizeof(*faces), compare_faces, &join->order);
	*ret_count = count;
	return faces;
}

static struct face *pick_targets(struct join *join, size_t *ret_count)
{
	struct face *faces = xcalloc(join->match->targets_count + 1, sizeof(*faces));
	size_t count = 0;

	for (size_t i = 0; i < join->match->targets_count; i++)
		if (join->match->targets[i].source == MATCH_NONE &&
			join->takes_target(&join->match->targets[i]))
			faces[count++] = target_face(join->match, i);
	qsort_r(faces, count, sizeof(*faces), compare_faces, &join->order);
	*ret_count = count;
	return faces;
}

static size_t run_length(const struct face *faces, size_t count, face_order *order)
{
	size_t len = 1;

	while (len < count && order(&faces[0], &faces[len]) == 0)
		len++;
	return len;
}

/* Every group that both sides have meets. */
static void run(struct join join)
{
	size_t sources_count, targets_count, s = 0, t = 0;
	CLEANUP(freep) struct face *sources = pick_sources(&join, &sources_count);
	CLEANUP(freep) struct face *targets = pick_targets(&join, &targets_count);

	while (s < sources_count && t < targets_count) {
		int order = join.order(&sources[s], &targets[t]);
		size_t sources_run, targets_run;

		if (order < 0) {
			s++;
			continue;
		}
		if (order > 0) {
			t++;
			continue;
		}
		sources_run = run_length(&sources[s], sources_count - s, join.order);
		targets_run = run_length(&targets[t], targets_count - t, join.order);
		join.meet(join.match, &sources[s], sources_run, &targets[t], targets_run);
		s += sources_run;
		t += targets_run;
	}
}

/* --- who takes part --- */

static bool has_digest(const struct match_target *target)
{
	return target_digest(target) != NULL;
}

static bool is_unknown(const struct match_target *target)
{
	return !target->known && !target->fingerprint && !target->unreadable;
}

static bool has_message_id(const struct match_target *target)
{
	return !target->known && target->message_id;
}

static bool target_is_seen(const struct match_target *target)
{
	return !target->known && target->fingerprint && target->message_id;
}

static bool source_is_seen(const struct match_source *source)
{
	return source->fingerprint;
}

static bool source_is_named(const struct match_source *source)
{
	return source->fingerprint && source->message_id[0] && source->has_date;
}

static bool source_was_pending(const struct match_source *source)
{
	return source->pending_from > 0 && source->fingerprint && source->message_id[0];
}

/* --- what happens where they meet --- */

static void pair(struct match *match, const struct face *source, const struct face *target,
	enum match_fate fate)
{
	match->sources[source->index].target = target->index;
	match->sources[source->index].fate = fate;
	match->targets[target->index].source = source->index;
}

static void meet_exact(struct match *match, const struct face *sources, size_t sources_count,
	const struct face *targets, size_t targets_count)
{
	for (size_t i = 0; i < sources_count && i < targets_count; i++)
		pair(match, &sources[i], &targets[i], MATCH_THERE);
}

static void meet_alike(struct match *match, const struct face *sources, size_t sources_count,
	const struct face *targets, size_t targets_count)
{
	for (size_t i = 0; i < sources_count && i < targets_count; i++)
		pair(match, &sources[i], &targets[i], MATCH_ALIKE);
}

static void meet_pending(struct match *match, const struct face *sources, size_t sources_count,
	const struct face *targets, size_t targets_count)
{
	size_t s = 0;

	for (size_t t = 0; t < targets_count && s < sources_count; t++)
		if (targets[t].uid >= sources[s].uid)
			pair(match, &sources[s++], &targets[t], MATCH_ALIKE);
}

static void meet_same_size(struct match *match, const struct face *sources, size_t sources_count,
	const struct face *targets, size_t targets_count)
{
	(void)sources;
	(void)sources_count;
	for (size_t i = 0; i < targets_count; i++)
		match->targets[targets[i].index].need = MATCH_NEED_BYTES;
}

struct bounds {
	uint64_t smallest, biggest;
};

static struct bounds bounds_of(const struct face *faces, size_t count)
{
	struct bounds bounds = {UINT64_MAX, 0};

	for (size_t i = 0; i < count; i++) {
		if (faces[i].size < bounds.smallest)
			bounds.smallest = faces[i].size;
		if (faces[i].size > bounds.biggest)
			bounds.biggest = faces[i].size;
	}
	return bounds;
}

/* Without a Message-ID only the size tells what may be the same after line ends were changed. */
static bool may_be_among(const struct face *face, struct bounds others)
{
	return face->message_id[0] || (face->size + SIZE_SLACK >= others.smallest / 2 &&
					      face->size / 2 <= others.biggest + SIZE_SLACK);
}

static void meet_same_name(struct match *match, const struct face *sources, size_t sources_count,
	const struct face *targets, size_t targets_count)
{
	struct bounds source_bounds = bounds_of(sources, sources_count);
	struct bounds target_bounds = bounds_of(targets, targets_count);

	for (size_t i = 0; i < targets_count; i++) {
		struct match_target *target = &match->targets[targets[i].index];

		if (!target->fingerprint && !target->unreadable &&
			may_be_among(&targets[i], source_bounds))
			target->need = MATCH_NEED_BYTES;
	}
	for (size_t i = 0; i < sources_count; i++) {
		struct match_source *source = &match->sources[sources[i].index];

		if (!source->fingerprint && may_be_among(&sources[i], target_bounds))
			source->need = MATCH_NEED_FINGERPRINT;
	}
}

/* --- the rounds --- */

static void start(struct match *match)
{
	for (size_t i = 0; i < match->sources_count; i++) {
		match->sources[i].fate = MATCH_APPEND;
		match->sources[i].target = MATCH_NONE;
		match->sources[i].need = MATCH_NEED_NOTHING;
	}
	for (size_t i = 0; i < match->targets_count; i++) {
		match->targets[i].source = MATCH_NONE;
		match->targets[i].need = MATCH_NEED_NOTHING;
	}
}

static bool needs_something(const struct match *match)
{
	for (size_t i = 0; i < match->sources_count; i++)
		if (match->sources[i].need != MATCH_NEED_NOTHING)
			return true;
	for (size_t i = 0; i < match->targets_count; i++)
		if (match->targets[i].need != MATCH_NEED_NOTHING)
			return true;
	return false;
}

static bool all_are_there(const struct match *match)
{
	for (size_t i = 0; i < match->sources_count; i++)
		if (match->sources[i].target == MATCH_NONE)
			return false;
	return true;
}

static void need_message_ids(struct match *match)
{
	for (size_t i = 0; i < match->targets_count; i++) {
		struct match_target *target = &match->targets[i];

		if (target->source == MATCH_NONE && !target->known && !target->message_id &&
			!target->unreadable)
			target->need = MATCH_NEED_MESSAGE_ID;
	}
}

static void match_alike(struct match *match)
{
	run((struct join){match, by_whole, source_is_seen, target_is_seen, meet_alike});
	run((struct join){match, by_body_and_date, source_is_named, target_is_seen, meet_alike});
	run((struct join){match, by_date, source_was_pending, target_is_seen, meet_pending});
	run((struct join){match, by_body, source_was_pending, target_is_seen, meet_pending});
}

bool match_decide(struct match *match)
{
	start(match);
	run((struct join){match, by_everything, NULL, has_digest, meet_exact});
	run((struct join){match, by_bytes, NULL, has_digest, meet_exact});
	if (all_are_there(match))
		return true;
	run((struct join){match, by_size, NULL, is_unknown, meet_same_size});
	if (needs_something(match))
		return false;
	need_message_ids(match);
	if (needs_something(match))
		return false;
	match_alike(match);
	run((struct join){match, by_message_id, NULL, has_message_id, meet_same_name});
	return !needs_something(match);
}
