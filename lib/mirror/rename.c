#include "mirror/rename.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

/* What became known of a folder of the archive. */
struct standing {
	size_t home; /* the server's folder of its name, or RENAME_NONE */
	bool looked; /* at home */
	bool displaced;
	bool empty;
};

struct matching {
	struct rename_side *known, *server;
	struct standing *standings; /* of known */
	bool *unopened; /* of server: the archive knows the name, and no UIDVALIDITY of it */
	rename_look *look;
	void *context;
};

/* Folders with one UIDVALIDITY, of either side: indexes, those with equal numbers together. */
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

static bool is_unchanged(const struct rename_folder *known, const struct rename_folder *server)
{
	return known->uidnext != 0 && by_numbers(known, server) == 0;
}

/* Neither number ever falls in the life of a folder. */
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

/* How likely one became the other, as an order to look in. */
static int likelihood(const struct rename_folder *known, const struct rename_folder *server)
{
	bool same_name = strcmp(last_component(known->path), last_component(server->path)) == 0;

	return same_name + is_unchanged(known, server);
}

/* --- joining --- */

static void join(struct matching *matching, size_t known, size_t server)
{
	matching->known->items[known].match = server;
	matching->server->items[server].match = known;
}

static bool is_joined(const struct rename_side *side, size_t index)
{
	return side->items[index].match != RENAME_NONE;
}

static bool ask(struct matching *matching, size_t known, size_t server,
	enum rename_fingerprint *ret_fingerprint, struct err *err)
{
	bool home = server == matching->standings[known].home;

	if (!matching->look(matching->context, known, server, ret_fingerprint, err))
		return false;
	matching->standings[known].empty = *ret_fingerprint == RENAME_EMPTY;
	if (*ret_fingerprint == RENAME_SAME || (home && *ret_fingerprint == RENAME_LIKE))
		join(matching, known, server);
	return true;
}

/* --- a group: under their old names --- */

static bool is_home_here(const struct matching *matching, size_t known)
{
	size_t home = matching->standings[known].home;

	return home != RENAME_NONE && matching->server->items[home].uidvalidity ==
					      matching->known->items[known].uidvalidity;
}

static bool shrank_at_home(const struct matching *matching, size_t known)
{
	return shrank(&matching->known->items[known],
		&matching->server->items[matching->standings[known].home]);
}

/* Does each folder seem to be where it was, and no other? One that cannot be opened is none. */
static bool is_calm(const struct matching *matching, const struct group *group)
{
	size_t places = 0;

	for (size_t i = 0; i < group->server_count; i++)
		places += !matching->unopened[group->server[i]];
	if (group->known_count != places)
		return false;
	for (size_t i = 0; i < group->known_count; i++)
		if (!is_home_here(matching, group->known[i]) ||
			shrank_at_home(matching, group->known[i]))
			return false;
	return true;
}

static bool is_doubtful(const struct matching *matching, size_t known)
{
	return !is_unchanged(&matching->known->items[known],
		&matching->server->items[matching->standings[known].home]);
}

/* No pass over it has ended well, and it holds nothing that could be another's. */
static bool never_had_any(const struct matching *matching, size_t known)
{
	return matching->standings[known].empty && matching->known->items[known].uidnext == 0;
}

/* *ret_calm: those that were looked at are themselves. */
static bool look_at_home(struct matching *matching, const struct group *group, bool all,
	bool *ret_calm, struct err *err)
{
	*ret_calm = true;
	for (size_t i = 0; i < group->known_count; i++) {
		size_t known = group->known[i];
		struct standing *standing = &matching->standings[known];
		enum rename_fingerprint likeness;

		if (!is_home_here(matching, known) || standing->looked ||
			!(all || is_doubtful(matching, known)))
			continue;
		if (!ask(matching, known, standing->home, &likeness, err))
			return false;
		standing->looked = true;
		standing->displaced = likeness == RENAME_OTHER;
		*ret_calm &= is_joined(matching->known, known) || never_had_any(matching, known);
	}
	return true;
}

/* --- a group: elsewhere --- */

struct candidates {
	size_t items[RENAME_TRIES];
	int likelihoods[RENAME_TRIES];
	size_t count;
};

/* Kept in order, the likeliest first, of equal ones who came first. */
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

		if (!is_joined(matching->server, server) &&
			server != matching->standings[known].home && !shrank(one, other))
			add_candidate(candidates, server, likelihood(one, other));
	}
}

static bool look_elsewhere(
	struct matching *matching, const struct group *group, size_t known, struct err *err)
{
	struct candidates candidates = {0};
	struct standing *standing = &matching->standings[known];

	find_candidates(matching, group, known, &candidates);
	for (size_t i = 0; i < candidates.count && !standing->empty; i++) {
		enum rename_fingerprint likeness;

		if (!ask(matching, known, candidates.items[i], &likeness, err))
			return false;
		if (likeness == RENAME_SAME)
			break;
	}
	return true;
}

static size_t count_open(const struct rename_side *side, const size_t *items, size_t count)
{
	size_t open = 0;

	for (size_t i = 0; i < count; i++)
		open += !is_joined(side, items[i]);
	return open;
}

static bool look_for_missing(struct matching *matching, const struct group *group, struct err *err)
{
	size_t missing = count_open(matching->known, group->known, group->known_count);
	size_t places = count_open(matching->server, group->server, group->server_count);

	if (missing > 0 && places > RENAME_PAIRS_MAX / missing)
		return true;
	for (size_t i = 0; i < group->known_count; i++)
		if (!is_joined(matching->known, group->known[i]) &&
			!look_elsewhere(matching, group, group->known[i], err))
			return false;
	return true;
}

/* --- a group --- */

static bool is_alone(const struct group *group)
{
	return group->known_count == 1 && group->server_count == 1;
}

/* An empty folder, where no other of its UIDVALIDITY is, here or there. */
static void join_empty(struct matching *matching, const struct group *group)
{
	size_t known = group->known[0], server = group->server[0];
	const struct rename_folder *one = &matching->known->items[known];
	const struct rename_folder *other = &matching->server->items[server];

	if (is_alone(group) && !is_joined(matching->known, known) &&
		matching->standings[known].empty && one->uidnext != 0 && other->uidnext != 0 &&
		!shrank(one, other))
		join(matching, known, server);
}

static bool match_group(struct matching *matching, const struct group *group, struct err *err)
{
	bool calm = is_calm(matching, group);

	if (group->server_count == 0)
		return true;
	if (calm && is_alone(group)) {
		join(matching, group->known[0], group->server[0]);
		return true;
	}
	if (calm && !look_at_home(matching, group, false, &calm, err))
		return false;
	if (calm)
		return true; /* by name */
	if (!look_at_home(matching, group, true, &calm, err) ||
		!look_for_missing(matching, group, err))
		return false;
	join_empty(matching, group);
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

/* How many of the order, from `at` on, have this UIDVALIDITY. */
static size_t run_length(
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
		group.known_count = run_length(known, known_order, here, uidvalidity);
		group.server_count = run_length(server, server_order, there, uidvalidity);
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
		const struct standing *standing = &matching->standings[i];

		if (!is_joined(matching->known, i) && !standing->displaced &&
			standing->home != RENAME_NONE &&
			!is_joined(matching->server, standing->home))
			join(matching, i, standing->home);
	}
}

bool rename_match(struct rename_side *known, struct rename_side *server, rename_look *look,
	void *context, struct err *err)
{
	CLEANUP(freep) size_t *known_order = sort_side(known);
	CLEANUP(freep) size_t *server_order = sort_side(server);
	CLEANUP(freep)
	struct standing *standings = xcalloc(known->count + 1, sizeof(*standings));
	CLEANUP(freep) bool *unopened = xcalloc(server->count + 1, sizeof(*unopened));
	struct matching matching = {
		.known = known,
		.server = server,
		.standings = standings,
		.unopened = unopened,
		.look = look,
		.context = context,
	};

	for (size_t i = 0; i < known->count; i++) {
		standings[i].home = find_home(server, known->items[i].path);
		if (standings[i].home != RENAME_NONE && known->items[i].uidvalidity == 0)
			unopened[standings[i].home] = true;
	}
	if (!match_groups(&matching, known_order, server_order, err))
		return false;
	match_names(&matching);
	return true;
}
