#include "restore/match/match.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

enum { SIZE_SLACK = 64 }; /* bytes a server may add to a small message */

/* The properties by which sources and targets are compared. */
struct match_key {
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

static int order_date(const struct match_key *a, const struct match_key *b)
{
	if (a->has_date != b->has_date)
		return a->has_date - b->has_date;
	return a->has_date ? (a->unix_s > b->unix_s) - (a->unix_s < b->unix_s) : 0;
}

static int order_digest(const void *a, const void *b)
{
	return memcmp(a, b, SHA256_BYTES);
}

typedef int key_order(const struct match_key *a, const struct match_key *b);

static int by_sha256(const struct match_key *a, const struct match_key *b)
{
	return order_digest(a->sha256, b->sha256);
}

static int by_everything(const struct match_key *a, const struct match_key *b)
{
	int order = by_sha256(a, b);

	if (order == 0)
		order = order_date(a, b);
	return order ? order : strcmp(a->flags, b->flags);
}

static int by_size(const struct match_key *a, const struct match_key *b)
{
	return order_u64(a->size, b->size);
}

static int by_message_id(const struct match_key *a, const struct match_key *b)
{
	return strcmp(a->message_id, b->message_id);
}

static int by_whole(const struct match_key *a, const struct match_key *b)
{
	int order = by_message_id(a, b);

	return order ? order : order_digest(a->fingerprint->whole, b->fingerprint->whole);
}

static int by_body(const struct match_key *a, const struct match_key *b)
{
	int order = by_message_id(a, b);

	return order ? order : order_digest(a->fingerprint->body, b->fingerprint->body);
}

static int by_date(const struct match_key *a, const struct match_key *b)
{
	int order = by_message_id(a, b);

	return order ? order : order_date(a, b);
}

static int by_body_and_date(const struct match_key *a, const struct match_key *b)
{
	int order = by_body(a, b);

	return order ? order : order_date(a, b);
}

/* --- joining sources and targets that are equal by an order --- */

struct match_join {
	struct match *match;
	key_order *order;
	bool (*takes_source)(const struct match_source *source);
	bool (*takes_target)(const struct match_target *target);
	void (*meet)(struct match *match, const struct match_key *sources, size_t sources_count,
		const struct match_key *targets, size_t targets_count);
};

static int compare_keys(const void *a, const void *b, void *order)
{
	key_order *compare = *(key_order **)order;
	int result = compare(a, b);

	return result ? result
		      : order_u64(((const struct match_key *)a)->index,
				((const struct match_key *)b)->index);
}

static struct match_key source_key(const struct match *match, size_t i)
{
	const struct match_source *source = &match->sources[i];

	return (struct match_key){.index = i,
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

static struct match_key target_key(const struct match *match, size_t i)
{
	const struct match_target *target = &match->targets[i];

	return (struct match_key){.index = i,
		.size = target->size,
		.has_date = target->has_date,
		.unix_s = target->unix_s,
		.uid = target->uid,
		.flags = target->flags,
		.message_id = target->message_id,
		.sha256 = target_digest(target),
		.fingerprint = target->fingerprint};
}

static struct match_key *pick_sources(struct match_join *join, size_t *ret_count)
{
	struct match_key *keys = xcalloc(join->match->sources_count + 1, sizeof(*keys));
	size_t count = 0;

	for (size_t i = 0; i < join->match->sources_count; i++)
		if (join->match->sources[i].target == MATCH_NONE &&
			(!join->takes_source || join->takes_source(&join->match->sources[i])))
			keys[count++] = source_key(join->match, i);
	qsort_r(keys, count, sizeof(*keys), compare_keys, &join->order);
	*ret_count = count;
	return keys;
}

static struct match_key *pick_targets(struct match_join *join, size_t *ret_count)
{
	struct match_key *keys = xcalloc(join->match->targets_count + 1, sizeof(*keys));
	size_t count = 0;

	for (size_t i = 0; i < join->match->targets_count; i++)
		if (join->match->targets[i].source == MATCH_NONE &&
			join->takes_target(&join->match->targets[i]))
			keys[count++] = target_key(join->match, i);
	qsort_r(keys, count, sizeof(*keys), compare_keys, &join->order);
	*ret_count = count;
	return keys;
}

static size_t equal_length(const struct match_key *keys, size_t count, key_order *order)
{
	size_t len = 1;

	while (len < count && order(&keys[0], &keys[len]) == 0)
		len++;
	return len;
}

/* Calls meet() for every group of keys that are equal on both sides. */
static void join_equal(struct match_join join)
{
	size_t sources_count, targets_count, s = 0, t = 0;
	CLEANUP(freep) struct match_key *sources = pick_sources(&join, &sources_count);
	CLEANUP(freep) struct match_key *targets = pick_targets(&join, &targets_count);

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
		sources_run = equal_length(&sources[s], sources_count - s, join.order);
		targets_run = equal_length(&targets[t], targets_count - t, join.order);
		join.meet(join.match, &sources[s], sources_run, &targets[t], targets_run);
		s += sources_run;
		t += targets_run;
	}
}

/* --- which sources and targets a join considers --- */

static bool has_digest(const struct match_target *target)
{
	return target_digest(target) != NULL;
}

static bool is_unexplained(const struct match_target *target)
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

/* --- what happens to equal groups --- */

static void pair_one(struct match *match, const struct match_key *source,
	const struct match_key *target, enum match_fate fate)
{
	assert(match->sources[source->index].target == MATCH_NONE);
	assert(match->targets[target->index].source == MATCH_NONE);
	match->sources[source->index].target = target->index;
	match->sources[source->index].fate = fate;
	match->targets[target->index].source = source->index;
}

static void pair_exact(struct match *match, const struct match_key *sources, size_t sources_count,
	const struct match_key *targets, size_t targets_count)
{
	for (size_t i = 0; i < sources_count && i < targets_count; i++)
		pair_one(match, &sources[i], &targets[i], MATCH_THERE);
}

static void pair_alike(struct match *match, const struct match_key *sources, size_t sources_count,
	const struct match_key *targets, size_t targets_count)
{
	for (size_t i = 0; i < sources_count && i < targets_count; i++)
		pair_one(match, &sources[i], &targets[i], MATCH_ALIKE);
}

/*
 * Date or body alone is a weak reason. It is enough where the journal says that the message was on
 * its way, and only for a UID that the server assigned since; other messages are not touched.
 */
static void pair_pending(struct match *match, const struct match_key *sources, size_t sources_count,
	const struct match_key *targets, size_t targets_count)
{
	size_t s = 0;

	for (size_t t = 0; t < targets_count && s < sources_count; t++)
		if (targets[t].uid >= sources[s].uid)
			pair_one(match, &sources[s++], &targets[t], MATCH_ALIKE);
}

static void need_bytes_of_targets(struct match *match, const struct match_key *sources,
	size_t sources_count, const struct match_key *targets, size_t targets_count)
{
	(void)sources;
	(void)sources_count;
	for (size_t i = 0; i < targets_count; i++)
		match->targets[targets[i].index].need = MATCH_NEED_BYTES;
}

struct bounds {
	uint64_t smallest, biggest;
};

static struct bounds bounds_of(const struct match_key *keys, size_t count)
{
	struct bounds bounds = {UINT64_MAX, 0};

	for (size_t i = 0; i < count; i++) {
		if (keys[i].size < bounds.smallest)
			bounds.smallest = keys[i].size;
		if (keys[i].size > bounds.biggest)
			bounds.biggest = keys[i].size;
	}
	return bounds;
}

/* Without a Message-ID only a similar size hints at the same message with other line ends. */
static bool may_be_among(const struct match_key *key, struct bounds others)
{
	return key->message_id[0] || (key->size + SIZE_SLACK >= others.smallest / 2 &&
					     key->size / 2 <= others.biggest + SIZE_SLACK);
}

static void need_fingerprints(struct match *match, const struct match_key *sources,
	size_t sources_count, const struct match_key *targets, size_t targets_count)
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

static void clear_decisions(struct match *match)
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

/* Strongest reason first: a later join sees only what the earlier ones left. */
static void match_alike(struct match *match)
{
	join_equal(
		(struct match_join){match, by_whole, source_is_seen, target_is_seen, pair_alike});
	join_equal((struct match_join){
		match, by_body_and_date, source_is_named, target_is_seen, pair_alike});
	join_equal((struct match_join){
		match, by_date, source_was_pending, target_is_seen, pair_pending});
	join_equal((struct match_join){
		match, by_body, source_was_pending, target_is_seen, pair_pending});
}

/*
 * What costs least to know comes first: the journal, then bytes of targets with the size of a
 * source, then Message-IDs of what is left, then fingerprints of those that share one. Each round
 * fetches one of these three at most once for a target, so the fourth call decides.
 *
 * Of equal bytes, those with equal date and flags pair first: two copies of a message that differ
 * only in a flag each find their own.
 */
bool match_decide(struct match *match)
{
	clear_decisions(match);
	join_equal((struct match_join){match, by_everything, NULL, has_digest, pair_exact});
	join_equal((struct match_join){match, by_sha256, NULL, has_digest, pair_exact});
	if (all_are_there(match))
		return true;
	join_equal(
		(struct match_join){match, by_size, NULL, is_unexplained, need_bytes_of_targets});
	if (needs_something(match))
		return false;
	need_message_ids(match);
	if (needs_something(match))
		return false;
	match_alike(match);
	join_equal(
		(struct match_join){match, by_message_id, NULL, has_message_id, need_fingerprints});
	return !needs_something(match);
}
