#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/str.h"
#include "net/resolve.h"
#include "support/check.h"
#include "support/net/tls_peer.h"

enum { SOON_MS = 100, LONG_MS = 60000 };

/* --- how often something waited in vain --- */

static atomic_int timeouts;

bool __real_wait_fd(int fd, short events, struct wait wait, struct err *err);
bool __wrap_wait_fd(int fd, short events, struct wait wait, struct err *err);

/* tests/meson.build has ld put this in the place of wait_fd(). */
bool __wrap_wait_fd(int fd, short events, struct wait wait, struct err *err)
{
	bool ready = __real_wait_fd(fd, events, wait, err);

	if (!ready && err->kind == ERR_RETRY)
		atomic_fetch_add(&timeouts, 1);
	return ready;
}

/* --- a resolver in place of the C library's --- */

static atomic_int lookups;  /* begun */
static atomic_int answered; /* ended */
static atomic_int living;   /* answers not freed yet */
static atomic_bool hang;

static const struct {
	const char *name;
	int result;
	const char *addresses; /* separated by blanks */
} known_hosts[] = {
	{"gone.example.org", EAI_NONAME, ""},
	{"mx-only.example.org", EAI_NODATA, ""},
	{"later.example.org", EAI_AGAIN, ""},
	{"broken.example.org", EAI_FAIL, ""},
	{"system.example.org", EAI_SYSTEM, ""},
	{"hangs.example.org", 0, "127.0.0.1"},
	{"both.example.org", 0, "2001:db8::1 2001:db8::2 2001:db8::3 192.0.2.1 192.0.2.2"},
	{"v4.example.org", 0, "192.0.2.1 2001:db8::1"},
	{"many.example.org", 0,
		"::1 ::2 ::3 ::4 ::5 ::6 ::7 ::8 ::9 ::a ::b ::c ::d ::e ::f ::10 ::11 ::12"},
	{"silent-first.example.org", 0, "127.0.0.2 127.0.0.1"},
	{"refusing-first.example.org", 0, "127.0.0.3 127.0.0.1"},
};

static struct addrinfo *make_answer(const char *address, const char *port)
{
	struct addrinfo *info = xcalloc(1, sizeof(*info));
	struct sockaddr_in v4 = {.sin_family = AF_INET};
	struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};
	uint64_t number = 0;
	bool is_v6 = inet_pton(AF_INET, address, &v4.sin_addr) != 1;

	(void)str_parse_u64(port, &number);
	v4.sin_port = v6.sin6_port = htons((uint16_t)number);
	if (is_v6 && inet_pton(AF_INET6, address, &v6.sin6_addr) != 1)
		abort();
	info->ai_family = is_v6 ? AF_INET6 : AF_INET;
	info->ai_addrlen = is_v6 ? sizeof(v6) : sizeof(v4);
	info->ai_addr = xmemdup(is_v6 ? (void *)&v6 : (void *)&v4, info->ai_addrlen);
	atomic_fetch_add(&living, 1);
	return info;
}

static struct addrinfo *make_answers(const char *addresses, const char *port)
{
	CLEANUP(freep) char *text = xstrdup(addresses);
	struct addrinfo *first = NULL;
	struct addrinfo **at = &first;
	char *rest = text;
	char *address;

	while ((address = strsep(&rest, " "))) {
		*at = make_answer(address, port);
		at = &(*at)->ai_next;
	}
	return first;
}

static bool is_literal(const char *host)
{
	uint8_t address[16];

	return inet_pton(AF_INET, host, address) == 1 || inet_pton(AF_INET6, host, address) == 1;
}

static int look_up(const char *host, const char *port, struct addrinfo **ret_answers)
{
	for (size_t i = 0; i < ARRAY_LEN(known_hosts); i++) {
		if (strcmp(known_hosts[i].name, host) != 0)
			continue;
		errno = ENETDOWN;
		if (known_hosts[i].result == 0)
			*ret_answers = make_answers(known_hosts[i].addresses, port);
		return known_hosts[i].result;
	}
	return EAI_NONAME;
}

int getaddrinfo(const char *host, const char *port, const struct addrinfo *hints,
	struct addrinfo **ret_answers)
{
	int result;

	if (hints->ai_flags & AI_NUMERICHOST) {
		if (!is_literal(host))
			return EAI_NONAME;
		*ret_answers = make_answers(host, port);
		return 0;
	}
	atomic_fetch_add(&lookups, 1);
	while (strcmp(host, "hangs.example.org") == 0 && atomic_load(&hang))
		(void)usleep(1000);
	result = look_up(host, port, ret_answers);
	atomic_fetch_add(&answered, 1);
	return result;
}

void freeaddrinfo(struct addrinfo *answers)
{
	while (answers) {
		struct addrinfo *next = answers->ai_next;

		free(answers->ai_addr);
		free(answers);
		atomic_fetch_sub(&living, 1);
		answers = next;
	}
}

/* --- helpers --- */

static void show(const struct address_list *list, char *out, size_t max)
{
	char host[INET6_ADDRSTRLEN];

	out[0] = '\0';
	for (size_t i = 0; i < list->count; i++) {
		CHECK_INT(getnameinfo((const struct sockaddr *)&list->items[i].sockaddr,
				  list->items[i].len, host, sizeof(host), NULL, 0, NI_NUMERICHOST),
			0);
		strncat(out, i ? " " : "", max - strlen(out) - 1);
		strncat(out, host, max - strlen(out) - 1);
	}
}

static void check_order(const char *host, const char *wanted)
{
	struct address_list list;
	struct err err = ERR_INIT;
	char got[512];

	CHECK_OK(resolve(host, 993, wait_for(LONG_MS, NULL), &list, &err));
	show(&list, got, sizeof(got));
	CHECK_STR(got, wanted);
}

/* Abandoned threads end at some later time. */
static void wait_until_all_is_freed(void)
{
	int64_t until_ms = clock_mono_ms() + LONG_MS;

	while ((atomic_load(&living) > 0 || atomic_load(&answered) < atomic_load(&lookups)) &&
		clock_mono_ms() < until_ms)
		(void)usleep(1000);
	CHECK_INT(atomic_load(&living), 0);
}

static void *cancel_soon(void *cancel)
{
	(void)usleep(SOON_MS * 1000);
	cancel_now(cancel);
	return NULL;
}

/* A listener on address:port, or -1. */
static int listen_on(const char *address, uint16_t port, int backlog)
{
	struct sockaddr_in name = {.sin_family = AF_INET, .sin_port = htons(port)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	CHECK_INT(inet_pton(AF_INET, address, &name.sin_addr), 1);
	CHECK_INT(bind(fd, (const struct sockaddr *)&name, sizeof(name)), 0);
	CHECK_INT(listen(fd, backlog), 0);
	for (int i = 0; backlog == 0 && i < 3; i++) {
		int full = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

		(void)!connect(full, (const struct sockaddr *)&name, sizeof(name));
	}
	return fd;
}

/* --- promises --- */

static void families_alternate_beginning_with_the_preferred_one(void)
{
	check_order("both.example.org", "2001:db8::1 192.0.2.1 2001:db8::2 192.0.2.2 2001:db8::3");
	check_order("v4.example.org", "192.0.2.1 2001:db8::1");
	wait_until_all_is_freed();
}

static void the_number_of_addresses_tried_is_limited(void)
{
	check_order("many.example.org",
		"::1 ::2 ::3 ::4 ::5 ::6 ::7 ::8 ::9 ::a ::b ::c ::d ::e ::f ::10");
	wait_until_all_is_freed();
}

static void addresses_and_localhost_need_no_lookup(void)
{
	int before = atomic_load(&lookups);

	check_order("192.0.2.7", "192.0.2.7");
	check_order("2001:db8::7", "2001:db8::7");
	check_order("localhost", "::1 127.0.0.1");
	check_order("LOCALHOST", "::1 127.0.0.1");
	CHECK_INT(atomic_load(&lookups), before);
	CHECK_INT(atomic_load(&living), 0);
}

static void each_failed_lookup_has_its_own_text(void)
{
	static const struct {
		const char *host;
		const char *words;
	} cases[] = {
		{"gone.example.org", "gone.example.org: no such host name"},
		{"mx-only.example.org", "mx-only.example.org: no such host name"},
		{"later.example.org", "later.example.org: name lookup failed temporarily"},
		{"broken.example.org", "broken.example.org: name lookup failed: "
				       "Non-recoverable failure in name resolution"},
		{"system.example.org", "system.example.org: name lookup failed: Network is down"},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct address_list list;
		struct err err = ERR_INIT;

		CHECK(!resolve(cases[i].host, 993, wait_for(LONG_MS, NULL), &list, &err));
		CHECK_STR(err.text, cases[i].words);
		CHECK_INT(err.kind, ERR_RETRY);
	}
}

static void a_hanging_resolver_is_abandoned_at_the_deadline(void)
{
	struct address_list list;
	struct err err = ERR_INIT;

	atomic_store(&hang, true);
	CHECK(!resolve("hangs.example.org", 993, wait_for(1000, NULL), &list, &err));
	CHECK_STR(err.text, "hangs.example.org: name lookup timed out after 1 s");
	CHECK_INT(err.kind, ERR_RETRY);
	atomic_store(&hang, false);
	wait_until_all_is_freed();
}

static void a_lookup_can_be_cancelled(void)
{
	CLEANUP(cancel_close) struct cancel cancel;
	struct stream *stream = NULL;
	struct err err = ERR_INIT;
	pthread_t thread;

	atomic_store(&hang, true);
	CHECK_OK(cancel_init(&cancel, &err));
	CHECK_INT(pthread_create(&thread, NULL, cancel_soon, &cancel), 0);
	CHECK(!tcp_connect("hangs.example.org", 993, wait_for(LONG_MS, &cancel), &stream, &err));
	CHECK_INT(err.kind, ERR_CANCELLED);
	(void)pthread_join(thread, NULL);
	atomic_store(&hang, false);
	wait_until_all_is_freed();
}

static void the_number_of_hanging_lookups_is_limited(void)
{
	struct address_list list;
	struct err err = ERR_INIT;

	atomic_store(&hang, true);
	for (int i = 0; i < RESOLVE_UNDER_WAY_MAX; i++)
		CHECK(!resolve("hangs.example.org", 993, wait_for(0, NULL), &list, &err));
	CHECK(!resolve("v4.example.org", 993, wait_for(LONG_MS, NULL), &list, &err));
	CHECK_STR(err.text, "v4.example.org: 256 name lookups are under way already");
	CHECK_INT(err.kind, ERR_RETRY);
	atomic_store(&hang, false);
	wait_until_all_is_freed();
}

static void serve_nothing(struct tls_peer_conn *conn)
{
	(void)conn;
}

static void a_silent_address_does_not_hold_up_the_next(void)
{
	CLEANUP(tls_peer_freep)
	struct tls_peer *peer = tls_peer_start(&(struct tls_peer_options){.serve = serve_nothing});
	CLEANUP(closep) int silent = listen_on("127.0.0.2", tls_peer_port(peer), 0);
	CLEANUP(stream_freep) struct stream *stream = NULL;
	struct err err = ERR_INIT;

	CHECK(silent >= 0);
	atomic_store(&timeouts, 0);
	CHECK_OK(tcp_connect("silent-first.example.org", tls_peer_port(peer),
		wait_for(LONG_MS, NULL), &stream, &err));
	CHECK_INT(atomic_load(&timeouts), 1); /* the attempt delay */
}

static void after_a_refusal_the_next_address_follows_at_once(void)
{
	CLEANUP(tls_peer_freep)
	struct tls_peer *peer = tls_peer_start(&(struct tls_peer_options){.serve = serve_nothing});
	CLEANUP(stream_freep) struct stream *stream = NULL;
	struct err err = ERR_INIT;

	atomic_store(&timeouts, 0);
	CHECK_OK(tcp_connect("refusing-first.example.org", tls_peer_port(peer),
		wait_for(LONG_MS, NULL), &stream, &err));
	CHECK_INT(atomic_load(&timeouts), 0);
}

int main(int argc, char **argv)
{
	static const struct promise promises[] = {
		PROMISE(families_alternate_beginning_with_the_preferred_one),
		PROMISE(the_number_of_addresses_tried_is_limited),
		PROMISE(addresses_and_localhost_need_no_lookup),
		PROMISE(each_failed_lookup_has_its_own_text),
		PROMISE(a_hanging_resolver_is_abandoned_at_the_deadline),
		PROMISE(a_lookup_can_be_cancelled),
		PROMISE(the_number_of_hanging_lookups_is_limited),
		PROMISE(a_silent_address_does_not_hold_up_the_next),
		PROMISE(after_a_refusal_the_next_address_follows_at_once),
	};

	return check_main(argc, argv, promises, ARRAY_LEN(promises));
}
