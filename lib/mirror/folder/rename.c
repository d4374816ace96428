#include "mirror/folder/rename.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

/* What is found out about a folder of the archive. */
struct known_state {
	size_t home;        /* the server's folder of its name, or RENAME_NONE */
	bool home_compared; /* messages were compared with those at home */
	bool displaced;     /* another folder is at home */
	bool empty;         /* the archive has no messages in it */
};

struct matching {
	struct rename_side *known, *server;
	struct known_state *states; /* of known */
	bool *never_opened;         /* of server: the archive has the name without a UIDVALIDITY */
	rename_compare *compare;
	void *context;
};

/* The folders of one UIDVALIDITY, as indexes of either side, sorted by their numbers. */
struct group {
	const size_t *known, *server;
	size_t known_count, server_count;
};

/* --- two folders by their numbers --- */

static int by_numbers(const struct rename_folder *a, const struct rename_folder *b)
{
	if (a->uidvalidity != b->uidvalidity)
		return a->uidvalidity < b->uidvalidity ? -1 : 1;
	if (a->uidnext != b->uidnext)
		return a->uidnext < b->uidnext ? -1 : 1;
	if (a->highestmodseq != b->highestmodseq)
		return a->highestmodseq < b->highestmodseq ? -1 : 1;
	return (a->messages > b->messages) - (a->messages < b->messages);
}

static bool has_equal_numbers(const struct rename_folder *known, const struct rename_folder *server)
{
	return known->uidnext != 0 && by_numbers(known, server) == 0;
}

/* Neither UIDNEXT nor HIGHESTMODSEQ ever decreases in the life of a folder. */
static bool shrank(const struct rename_folder *known, const struct rename_folder *server)
{
	return (server->uidnext != 0 && server->uidnext < known->uidnext) ||
	       (server->highestmodseq != 0 && server->highestmodseq < known->highestmodseq);
}

static const char *last_component(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* How likely one was renamed to the other: higher is compared first. */
static int likelihood(const struct rename_folder *known, const struct rename_folder *server)
{
	bool same_name = strcmp(last_component(known->path), last_component(server->path)) == 0;

	return same_name + has_equal_numbers(known, server);
}

/* --- matching --- */

static void match_pair(struct matching *matching, size_t known, size_t server)
{
	matching->known->items[known].match = server;
	matching->server->items[server].match = known;
}

static bool is_matched(const struct rename_side *side, size_t index)
{
	return side->items[index].match != RENAME_NONE;
}

/* Matches the pair if the messages prove it. Under its own name, SIMILAR is enough. */
static bool compare_pair(struct matching *matching, size_t known, size_t server,
	enum rename_verdict *ret_verdict, struct err *err)
{
	bool home = server == matching->states[known].home;

	if (!matching->compare(matching->context, known, server, ret_verdict, err))
		return false;
	matching->states[known].empty = *ret_verdict == RENAME_EMPTY;
	if (*ret_verdict == RENAME_SAME || (home && *ret_verdict == RENAME_SIMILAR))
		match_pair(matching, known, server);
	return true;
}

/* --- a group: under the old names --- */

/* The server's folder of its name; NULL: there is none, or it has another UIDVALIDITY. */
static const struct rename_folder *home_of(const struct matching *matching, size_t known)
{
	size_t home = matching->states[known].home;

	return home != RENAME_NONE && matching->server->items[home].uidvalidity ==
					      matching->known->items[known].uidvalidity
		       ? &matching->server->items[home]
		       : NULL;
}

/* Does every folder seem to be at home, with none added or removed? Folders that could never be
 * opened do not count. */
static bool seems_unchanged(const struct matching *matching, const struct group *group)
{
	size_t places = 0;

	for (size_t i = 0; i < group->server_count; i++)
		places += !matching->never_opened[group->server[i]];
	if (group->known_count != places)
		return false;
	for (size_t i = 0; i < group->known_count; i++) {
		const struct rename_folder *home = home_of(matching, group->known[i]);

		if (!home || shrank(&matching->known->items[group->known[i]], home))
			return false;
	}
	return true;
}

/* No pass over it ever completed, and it has no messages that another folder could claim. */
static bool was_never_filled(const struct matching *matching, size_t known)
{
	return matching->states[known].empty && matching->known->items[known].uidnext == 0;
}

/* Compares the changed ones, or all, under their old names. *ret_unchanged: each one compared is
 * itself. */
static bool compare_at_home(struct matching *matching, const struct group *group, bool all,
	bool *ret_unchanged, struct err *err)
{
	*ret_unchanged = true;
	for (size_t i = 0; i < group->known_count; i++) {
		size_t known = group->known[i];
		struct known_state *state = &matching->states[known];
		const struct rename_folder *home = home_of(matching, known);
		enum rename_verdict verdict;

		if (!home || state->home_compared ||
			(!all && has_equal_numbers(&matching->known->items[known], home)))
			continue;
		if (!compare_pair(matching, known, state->home, &verdict, err))
			return false;
		state->home_compared = true;
		state->displaced = verdict == RENAME_OTHER;
		*ret_unchanged &=
			is_matched(matching->known, known) || was_never_filled(matching, known);
	}
	return true;
}

/* --- a group: elsewhere --- */

struct candidates {
	size_t items[RENAME_TRIES];
	int likelihoods[RENAME_TRIES];
	size_t count;
};

/* Keeps the likeliest first; of equally likely ones, the one added first. */
static void add_candidate(struct candidates *candidates, size_t server, int likelihood)
{
	size_t at = candidates->count;

	while (at > 0 && candidates->likelihoods[at - 1] < likelihood)
		at--;
	if (at == RENAME_TRIES)
		return;
	if (candidates->count < RENAME_TRIES)
		candidates->count++;
	for (size_t i = candidates->count - 1; i > at; i--) {
		candidates->items[i] = candidates->items[i - 1];
		candidates->likelihoods[i] = candidates->likelihoods[i - 1];
	}
	candidates->items[at] = server;
	candidates->likelihoods[at] = likelihood;
}

static void find_candidates(const struct matching *matching, const struct group *group,
	size_t known, struct candidates *candidates)
{
	const struct rename_folder *one = &matching->known->items[known];

	for (size_t i = 0; i < group->server_count; i++) {
		size_t server = group->server[i];
		const struct rename_folder *other = &matching->server->items[server];

		if (!is_matched(matching->server, server) &&
			server != matching->states[known].home && !shrank(one, other))
			add_candidate(candidates, server, likelihood(one, other));
	}
}

static bool compare_elsewhere(
	struct matching *matching, const struct group *group, size_t known, struct err *err)
{
	struct candidates candidates = {0};
	struct known_state *state = &matching->states[known];

	find_candidates(matching, group, known, &candidates);
	for (size_t i = 0; i < candidates.count && !state->empty; i++) {
		enum rename_verdict verdict;

		if (!compare_pair(matching, known, candidates.items[i], &verdict, err))
			return false;
		if (verdict == RENAME_SAME)
			break;
	}
	return true;
}

static size_t count_unmatched(const struct rename_side *side, const size_t *items, size_t count)
{
	size_t unmatched = 0;

	for (size_t i = 0; i < count; i++)
		unmatched += !is_matched(side, items[i]);
	return unmatched;
}

static bool find_missing(struct matching *matching, const struct group *group, struct err *err)
{
	size_t missing = count_unmatched(matching->known, group->known, group->known_count);
	size_t places = count_unmatched(matching->server, group->server, group->server_count);

	if (missing > 0 && places > RENAME_PAIRS_MAX / missing)
		return true; /* too many to compare: match_names() matches what it can */
	for (size_t i = 0; i < group->known_count; i++)
		if (!is_matched(matching->known, group->known[i]) &&
			!compare_elsewhere(matching, group, group->known[i], err))
			return false;
	return true;
}

/* --- a group --- */

static bool is_alone(const struct group *group)
{
	return group->known_count == 1 && group->server_count == 1;
}

/* Matches an empty folder if it is the only one of its UIDVALIDITY on either side. */
static void match_empty(struct matching *matching, const struct group *group)
{
	size_t known = group->known[0], server = group->server[0];
	const struct rename_folder *one = &matching->known->items[known];
	const struct rename_folder *other = &matching->server->items[server];

	if (is_alone(group) && !is_matched(matching->known, known) &&
		matching->states[known].empty && one->uidnext != 0 && other->uidnext != 0 &&
		!shrank(one, other))
		match_pair(matching, known, server);
}

/* From the cheapest evidence to the dearest: numbers alone; messages of the changed folders; those
 * of all folders, under their old names and then elsewhere. */
static bool match_group(struct matching *matching, const struct group *group, struct err *err)
{
	bool unchanged = seems_unchanged(matching, group);

	if (group->server_count == 0)
		return true;
	if (unchanged && is_alone(group)) {
		match_pair(matching, group->known[0], group->server[0]);
		return true;
	}
	if (unchanged && !compare_at_home(matching, group, false, &unchanged, err))
		return false;
	if (unchanged)
		return true; /* match_names() matches them */
	if (!compare_at_home(matching, group, true, &unchanged, err) ||
		!find_missing(matching, group, err))
		return false;
	match_empty(matching, group);
	return true;
}

/* --- all --- */

static int by_numbers_at(const void *a, const void *b, void *context)
{
	const struct rename_folder *items = context;
	size_t left = *(const size_t *)a, right = *(const size_t *)b;
	int compared = by_numbers(&items[left], &items[right]);

	return compared ? compared : (left > right) - (left < right);
}

static size_t *sort_side(struct rename_side *side)
{
	size_t *order = xcalloc(side->count + 1, sizeof(*order));

	for (size_t i = 0; i < side->count; i++) {
		order[i] = i;
		side->items[i].match = RENAME_NONE;
	}
	qsort_r(order, side->count, sizeof(*order), by_numbers_at, side->items);
	return order;
}

/* How many folders of the order, from `at` on, have this UIDVALIDITY. */
static size_t count_of_uidvalidity(
	const struct rename_side *side, const size_t *order, size_t at, uint32_t uidvalidity)
{
	size_t end = at;

	while (end < side->count && side->items[order[end]].uidvalidity == uidvalidity)
		end++;
	return end - at;
}

static bool match_groups(struct matching *matching, const size_t *known_order,
	const size_t *server_order, struct err *err)
{
	const struct rename_side *known = matching->known, *server = matching->server;
	size_t there = 0;

	for (size_t here = 0; here < known->count;) {
		uint32_t uidvalidity = known->items[known_order[here]].uidvalidity;
		struct group group = {.known = known_order + here};

		while (there < server->count &&
			server->items[server_order[there]].uidvalidity < uidvalidity)
			there++;
		group.server = server_order + there;
		group.known_count = count_of_uidvalidity(known, known_order, here, uidvalidity);
		group.server_count = count_of_uidvalidity(server, server_order, there, uidvalidity);
		if (uidvalidity != 0 && !match_group(matching, &group, err))
			return false;
		here += group.known_count;
	}
	return true;
}

static int compare_path(const void *path, const void *folder)
{
	return strcmp(path, ((const struct rename_folder *)folder)->path);
}

static size_t find_home(const struct rename_side *server, const char *path)
{
	const struct rename_folder *found = server->count == 0
						    ? NULL
						    : bsearch(path, server->items, server->count,
							      sizeof(*server->items), compare_path);

	return found ? (size_t)(found - server->items) : RENAME_NONE;
}

static void match_names(struct matching *matching)
{
	for (size_t i = 0; i < matching->known->count; i++) {
		const struct known_state *state = &matching->states[i];

		if (!is_matched(matching->known, i) && !state->displaced &&
			state->home != RENAME_NONE && !is_matched(matching->server, state->home))
			match_pair(matching, i, state->home);
	}
}

bool rename_match(struct rename_side *known, struct rename_side *server, rename_compare *compare,
	void *context, struct err *err)
{
	CLEANUP(freep) size_t *known_order = sort_side(known);
	CLEANUP(freep) size_t *server_order = sort_side(server);
	CLEANUP(freep)
	struct known_state *states = xcalloc(known->count + 1, sizeof(*states));
	CLEANUP(freep) bool *never_opened = xcalloc(server->count + 1, sizeof(*never_opened));
	struct matching matching = {
		.known = known,
		.server = server,
		.states = states,
		.never_opened = never_opened,
		.compare = compare,
		.context = context,
	};

	for (size_t i = 0; i < known->count; i++) {
		states[i].home = find_home(server, known->items[i].path);
		if (states[i].home != RENAME_NONE && known->items[i].uidvalidity == 0)
			never_opened[states[i].home] = true;
	}
	if (!match_groups(&matching, known_order, server_order, err))
		return false;
	match_names(&matching);
	return true;
}
