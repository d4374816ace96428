#include "support/archive/refs.h"

#include <pthread.h>
#include <string.h>

#include "base/alloc.h"

struct known_ref {
	struct known_ref *next;
	struct archive_ref ref;
};

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static struct known_ref *all;

/* With the mutex held. */
static struct known_ref *find_or_add(const char *path)
{
	struct known_ref *known = all;

	while (known && strcmp(known->ref.path, path) != 0)
		known = known->next;
	if (known)
		return known;
	known = xcalloc(1, sizeof(*known));
	known->ref = (struct archive_ref){xstrdup(path), archive_keys_new()};
	known->next = all;
	all = known;
	return known;
}

const struct archive_ref *ref_of(const char *path)
{
	struct known_ref *known;

	(void)pthread_mutex_lock(&mutex);
	known = find_or_add(path);
	(void)pthread_mutex_unlock(&mutex);
	return &known->ref;
}

void ref_lock_out(const char *path)
{
	struct known_ref *known;

	(void)pthread_mutex_lock(&mutex);
	known = find_or_add(path);
	archive_keys_freep(&known->ref.keys);
	known->ref.keys = archive_keys_new();
	(void)pthread_mutex_unlock(&mutex);
}
