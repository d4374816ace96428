#include "net/resolve.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/str.h"

enum { PORT_TEXT_MAX = 8 };

/* Shared by the thread and the caller; the last one to leave frees it. */
struct lookup {
	atomic_int holders;
	int done_fd;      /* eventfd, readable when done */
	atomic_bool done; /* the fields below are valid */
	int result;       /* of getaddrinfo(3) */
	int result_errno;
	struct addrinfo *found;
	char port[PORT_TEXT_MAX];
	char host[];
};

static atomic_int under_way;

static void lookup_leavep(struct lookup **lookup_at)
{
	struct lookup *lookup = TAKE(*lookup_at);

	if (!lookup || atomic_fetch_sub(&lookup->holders, 1) > 1)
		return;
	if (lookup->found)
		freeaddrinfo(lookup->found);
	closep(&lookup->done_fd);
	free(lookup);
}

static int get_addresses(const char *host, const char *port, int flags, struct addrinfo **ret_found)
{
	const struct addrinfo hints = {
		.ai_flags = AI_NUMERICSERV | flags,
		.ai_family = AF_UNSPEC,
		.ai_socktype = SOCK_STREAM,
	};

	return getaddrinfo(host, port, &hints, ret_found);
}

static void *run_lookup(void *argument)
{
	CLEANUP(lookup_leavep) struct lookup *lookup = argument;
	struct addrinfo *found = NULL;
	static const uint64_t one = 1;

	lookup->result = get_addresses(lookup->host, lookup->port, 0, &found);
	lookup->result_errno = errno;
	lookup->found = lookup->result == 0 ? found : NULL;
	/* In this order: the caller reads the result once the eventfd wakes it. */
	atomic_store(&lookup->done, true);
	(void)!write(lookup->done_fd, &one, sizeof(one));
	atomic_fetch_sub(&under_way, 1);
	return NULL;
}

/* The program's own threads handle signals, so this one blocks them all. */
static int start_thread(struct lookup *lookup)
{
	pthread_attr_t attributes;
	pthread_t thread;
	sigset_t all, before;
	int failure;

	sigfillset(&all);
	(void)pthread_attr_init(&attributes);
	(void)pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
	(void)pthread_sigmask(SIG_SETMASK, &all, &before);
	failure = pthread_create(&thread, &attributes, run_lookup, lookup);
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	(void)pthread_attr_destroy(&attributes);
	return failure;
}

static bool lookup_start(
	const char *host, const char *port, struct lookup **ret_lookup, struct err *err)
{
	CLEANUP(lookup_leavep) struct lookup *lookup = NULL;
	int failure;

	lookup = xcalloc(1, sizeof(*lookup) + strlen(host) + 1);
	lookup->holders = 1;
	memcpy(lookup->host, host, strlen(host) + 1);
	memcpy(lookup->port, port, sizeof(lookup->port));
	lookup->done_fd = eventfd(0, EFD_CLOEXEC);
	if (lookup->done_fd < 0)
		return err_errno(err, ERR_LOCAL, errno, "eventfd");
	if (atomic_fetch_add(&under_way, 1) >= RESOLVE_UNDER_WAY_MAX) {
		atomic_fetch_sub(&under_way, 1);
		return err_set(err, ERR_RETRY, "%s: %d name lookups are under way already", host,
			RESOLVE_UNDER_WAY_MAX);
	}
	/* Before the thread starts: it may end, and leave, before this function goes on. */
	lookup->holders = 2;
	failure = start_thread(lookup);
	if (failure) {
		lookup->holders = 1;
		atomic_fetch_sub(&under_way, 1);
		return err_errno(err, ERR_LOCAL, failure, "thread for a name lookup");
	}
	*ret_lookup = TAKE(lookup);
	return true;
}

static bool lookup_failed(const struct lookup *lookup, struct err *err)
{
	switch (lookup->result) {
	case EAI_NONAME:
	case EAI_NODATA:
	case EAI_ADDRFAMILY:
		return err_set(err, ERR_RETRY, "%s: no such host name", lookup->host);
	case EAI_AGAIN:
		return err_set(err, ERR_RETRY, "%s: name lookup failed temporarily", lookup->host);
	case EAI_SYSTEM:
		return err_errno(err, ERR_RETRY, lookup->result_errno, "%s: name lookup failed",
			lookup->host);
	default:
		return err_set(err, ERR_RETRY, "%s: name lookup failed: %s", lookup->host,
			gai_strerror(lookup->result));
	}
}

static void add_address(struct address_list *list, const struct addrinfo *info)
{
	struct address *address = &list->items[list->count++];

	assert(list->count <= TCP_ADDRESSES_MAX);
	assert(info->ai_addrlen <= sizeof(address->sockaddr));
	memcpy(&address->sockaddr, info->ai_addr, info->ai_addrlen);
	address->len = info->ai_addrlen;
}

static const struct addrinfo *next_of(const struct addrinfo *info, int family, bool same)
{
	while (info && (info->ai_family == family) != same)
		info = info->ai_next;
	return info;
}

/* Alternates the address families, starting with the one the system prefers. */
static void alternate(const struct addrinfo *found, struct address_list *list)
{
	int family = found->ai_family;
	const struct addrinfo *same = found;
	const struct addrinfo *other = next_of(found, family, false);
	bool turn = true;

	while ((same || other) && list->count < TCP_ADDRESSES_MAX) {
		const struct addrinfo **from = (turn && same) || !other ? &same : &other;

		add_address(list, *from);
		*from = next_of((*from)->ai_next, family, from == &same);
		turn = !turn;
	}
}

static void add_literal(const char *host, const char *port, struct address_list *list)
{
	struct addrinfo *found = NULL;

	if (get_addresses(host, port, AI_NUMERICHOST, &found) != 0)
		return;
	add_address(list, found);
	freeaddrinfo(found);
}

static bool timed_out(const char *host, int64_t began_ms, struct err *err)
{
	if (err && err->kind == ERR_RETRY)
		return err_set(err, ERR_RETRY, "%s: name lookup timed out after %lld s", host,
			(long long)(clock_mono_ms() - began_ms + 500) / 1000);
	return false;
}

bool resolve(const char *host, uint16_t port, struct wait wait, struct address_list *ret_list,
	struct err *err)
{
	CLEANUP(lookup_leavep) struct lookup *lookup = NULL;
	struct address_list list = {.count = 0};
	int64_t began_ms = clock_mono_ms();
	char port_text[PORT_TEXT_MAX];

	(void)snprintf(port_text, sizeof(port_text), "%u", (unsigned)port);
	if (str_equal_case(host, "localhost")) {
		add_literal("::1", port_text, &list);
		add_literal("127.0.0.1", port_text, &list);
	} else {
		add_literal(host, port_text, &list);
	}
	if (list.count == 0) {
		if (!lookup_start(host, port_text, &lookup, err))
			return false;
		if (!wait_fd(lookup->done_fd, POLLIN, wait, err))
			return timed_out(host, began_ms, err);
		assert(atomic_load(&lookup->done));
		if (!lookup->found)
			return lookup_failed(lookup, err);
		alternate(lookup->found, &list);
	}
	*ret_list = list;
	return true;
}
