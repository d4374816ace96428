/*
 * A session with a real Dovecot that this test starts and stops (tools/dovecot, its path in
 * DOVECOT_TOOL). Skipped where no Dovecot is installed.
 */
#include <poll.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/fs.h"
#include "base/str.h"
#include "imap/session.h"
#include "support/check.h"

enum { PATH_MAX_BYTES = 512, MESSAGES = 300 };

static char dir[] = "/tmp/mailstow-live-XXXXXX"; /* short, for UNIX sockets */
static char ca_file[PATH_MAX_BYTES];
static uint16_t port, tls_port;

extern char **environ;

static bool run_tool(const char *const *arguments)
{
	pid_t pid;
	int status;

	return posix_spawnp(&pid, arguments[0], NULL, NULL, (char *const *)arguments, environ) ==
		       0 &&
	       waitpid(pid, &status, 0) == pid && status == 0;
}

static uint16_t read_port(const char *name)
{
	CLEANUP(buf_free) struct buf text = BUF_INIT(64);
	CLEANUP(freep) char *path = str_printf("%s/%s", dir, name);

	return fs_read(path, &text, NULL) ? (uint16_t)strtoul(buf_str(&text), NULL, 10) : 0;
}

static bool start_server(const char *tool)
{
	const char *const arguments[] = {tool, "start", dir, "0", "0", "maildir", NULL};

	if (!mkdtemp(dir) || chmod(dir, 0755) != 0 || !run_tool(arguments))
		return false;
	(void)snprintf(ca_file, sizeof(ca_file), "%s/ca.pem", dir);
	port = read_port("port");
	tls_port = read_port("tls-port");
	return port && tls_port;
}

static void stop_server(const char *tool)
{
	const char *const stop[] = {tool, "stop", dir, NULL};
	const char *const clean[] = {"rm", "-rf", dir, NULL};

	(void)run_tool(stop);
	(void)run_tool(clean);
}

static struct imap_login login_as(enum imap_tls tls, enum imap_auth auth)
{
	return (struct imap_login){
		.host = "127.0.0.1",
		.port = tls == IMAP_TLS_IMPLICIT ? tls_port : port,
		.tls = tls,
		.ca_file = ca_file,
		.auth = auth,
		.user = "alice",
		.password = "secret",
	};
}

static struct imap *connect_to_server(void)
{
	const struct imap_login login = login_as(IMAP_TLS_IMPLICIT, IMAP_AUTH_AUTO);
	struct imap *imap = NULL;
	struct err err = ERR_INIT;

	CHECK_OK(imap_connect(&login, &imap, &err));
	return imap;
}

static void every_way_in_works(void)
{
	static const enum imap_tls ways[] = {IMAP_TLS_IMPLICIT, IMAP_TLS_STARTTLS, IMAP_TLS_OFF};
	static const enum imap_auth means[] = {
		IMAP_AUTH_AUTO, IMAP_AUTH_PLAIN, IMAP_AUTH_LOGIN, IMAP_AUTH_SCRAM_SHA_256};

	for (size_t way = 0; way < ARRAY_LEN(ways); way++) {
		for (size_t i = 0; i < ARRAY_LEN(means); i++) {
			const struct imap_login login = login_as(ways[way], means[i]);
			CLEANUP(imap_logout) struct imap *imap = NULL;
			struct err err = ERR_INIT;

			CHECK_OK(imap_connect(&login, &imap, &err));
			CHECK(imap_qresync_enabled(imap));
			CHECK_INT(imap_delimiter(imap), '/');
		}
	}
}

static void wrong_password_is_said_so(void)
{
	struct imap_login login = login_as(IMAP_TLS_IMPLICIT, IMAP_AUTH_AUTO);
	CLEANUP(imap_logout) struct imap *imap = NULL;
	struct err err = ERR_INIT;

	login.password = "wrong";
	CHECK(!imap_connect(&login, &imap, &err));
	CHECK_INT(err.kind, ERR_AUTH);
}

/* --- sending --- */

static bool give_message(void *context, const uint8_t **ret_data, size_t *ret_len, struct err *err)
{
	const char *message = context;

	(void)err;
	*ret_data = (const uint8_t *)message;
	*ret_len = strlen(message);
	return true;
}

static void take_result(struct imap *imap)
{
	struct imap_append_result result;
	struct err err = ERR_INIT;

	CHECK_OK(imap_append_result(imap, &result, &err));
	CHECK_INT(result.status, IMAP_OK);
	CHECK(result.uid > 0 && result.uidvalidity > 0);
}

static void send_messages(struct imap *imap, const char *folder, unsigned count)
{
	static const struct zoned_time date = {.unix_s = 837596665, .offset_min = -420};
	struct err err = ERR_INIT;

	for (unsigned i = 0; i < count; i++) {
		CLEANUP(freep)
		char *message = str_printf("Message-ID: <%u@example.org>\r\n\r\nbody %u\r\n", i, i);
		const struct imap_append append = {
			.wire_name = folder,
			.flags = i % 2 ? "$label \\Seen" : "",
			.date = &date,
			.size_bytes = strlen(message),
			.read = give_message,
			.context = message,
		};

		if (imap_append_pending(imap) == IMAP_APPEND_IN_FLIGHT)
			take_result(imap);
		CHECK_OK(imap_append_send(imap, &append, &err));
	}
	while (imap_append_pending(imap) > 0)
		take_result(imap);
}

static void folder_is_made_filled_and_listed(void)
{
	CLEANUP(imap_logout) struct imap *imap = connect_to_server();
	CLEANUP(imap_folders_free) struct imap_folders folders = {0};
	struct err err = ERR_INIT;
	bool exists;
	unsigned found = 0;

	CHECK_OK(imap_create(imap, "a/T&APY-pfe", NULL, &exists, &err));
	CHECK(!imap_create(imap, "a/T&APY-pfe", NULL, &exists, &err));
	CHECK(exists);
	CHECK_OK(imap_subscribe(imap, "a/T&APY-pfe", &err));
	send_messages(imap, "a/T&APY-pfe", MESSAGES);
	CHECK_OK(imap_list(imap, true, &folders, &err));
	for (size_t i = 0; i < folders.count; i++) {
		const struct imap_folder *folder = &folders.items[i];

		if (strcmp(folder->path, "a/T\xc3\xb6pfe") == 0) {
			found++;
			CHECK(folder->subscribed && folder->counts.messages == MESSAGES);
			CHECK(folder->counts.has & IMAP_HAS_HIGHESTMODSEQ);
		}
		if (strcmp(folder->path, "Sent") == 0) {
			found++;
			CHECK_STR(folder->special_use, "\\Sent");
		}
	}
	CHECK_INT(found, 2);
}

/* --- fetching --- */

struct gathered {
	uint64_t bytes;
	unsigned bodies;
	unsigned messages;
	unsigned seen;
	unsigned dated;
	unsigned vanished;
	unsigned ranges;
};

static bool gather_data(void *context, const uint8_t *data, size_t len, struct err *err)
{
	struct gathered *gathered = context;

	(void)data;
	(void)err;
	gathered->bytes += len;
	return true;
}

static bool gather_end(void *context, struct err *err)
{
	struct gathered *gathered = context;

	(void)err;
	gathered->bodies++;
	return true;
}

static bool gather_begin(void *context, uint64_t size_bytes, struct err *err)
{
	(void)context;
	(void)size_bytes;
	(void)err;
	return true;
}

static bool gather_message(void *context, const struct imap_fetch_reply *fetch, struct err *err)
{
	struct gathered *gathered = context;

	(void)err;
	gathered->messages++;
	gathered->seen += fetch->flags && flags_have(fetch->flags, "\\Seen");
	gathered->dated += fetch->has & IMAP_FETCHED_DATE && fetch->date.unix_s == 837596665;
	return true;
}

static bool gather_vanished(
	void *context, const struct rangeset *uids, bool earlier, struct err *err)
{
	struct gathered *gathered = context;

	(void)earlier;
	(void)err;
	gathered->vanished += (unsigned)rangeset_size(uids);
	return true;
}

static bool gather_range(
	void *context, const struct rangeset *uids, bool ok, const char *text, struct err *err)
{
	struct gathered *gathered = context;

	(void)uids;
	(void)text;
	(void)err;
	gathered->ranges += ok;
	return true;
}

static struct imap_fetch_sink sink_for(struct gathered *gathered)
{
	return (struct imap_fetch_sink){
		.context = gathered,
		.body = {gathered, gather_begin, gather_data, gather_end},
		.fetched = gather_message,
		.vanished = gather_vanished,
		.range_done = gather_range,
	};
}

static void whole_folder_is_fetched(void)
{
	CLEANUP(imap_logout) struct imap *imap = connect_to_server();
	CLEANUP(imap_examined_free) struct imap_examined examined = {0};
	CLEANUP(rangeset_free) struct rangeset uids = {0};
	struct gathered gathered = {0};
	const struct imap_fetch_sink sink = sink_for(&gathered);
	const struct imap_fetch fetch = {
		.uids = &uids,
		.items = IMAP_ITEM_FLAGS | IMAP_ITEM_DATE | IMAP_ITEM_SIZE | IMAP_ITEM_MODSEQ |
			 IMAP_ITEM_BODY,
	};
	struct err err = ERR_INIT;

	CHECK_OK(imap_examine(imap, "a/T&APY-pfe", NULL, NULL, &examined, &err));
	CHECK_INT(examined.exists, MESSAGES);
	CHECK(examined.uidvalidity && examined.uidnext == MESSAGES + 1 && examined.read_only);
	CHECK_OK(imap_search_all(imap, &uids, &err));
	CHECK_INT(rangeset_size(&uids), MESSAGES);
	CHECK_OK(imap_fetch(imap, &fetch, &sink, &err));
	CHECK_INT(gathered.bodies, MESSAGES);
	CHECK_INT(gathered.messages, MESSAGES);
	CHECK_INT(gathered.seen, MESSAGES / 2);
	CHECK_INT(gathered.dated, MESSAGES);
	CHECK_INT(gathered.ranges, 2);
	CHECK(!imap_take_news(imap));
	CHECK_OK(imap_unselect(imap, &err));
}

static void changes_are_told_by_qresync(void)
{
	CLEANUP(imap_logout) struct imap *imap = connect_to_server();
	CLEANUP(imap_examined_free) struct imap_examined before = {0};
	CLEANUP(imap_examined_free) struct imap_examined selected = {0};
	CLEANUP(imap_examined_free) struct imap_examined after = {0};
	struct gathered gathered = {0};
	const struct imap_fetch_sink sink = sink_for(&gathered);
	struct imap_qresync qresync;
	struct err err = ERR_INIT;

	CHECK_OK(imap_examine(imap, "a/T&APY-pfe", NULL, NULL, &before, &err));
	qresync = (struct imap_qresync){before.uidvalidity, before.highestmodseq, NULL};
	CHECK_OK(imap_select(imap, "a/T&APY-pfe", &selected, &err));
	CHECK(!selected.read_only);
	CHECK_OK(imap_store_flags(imap, 1, "\\Seen new", &err));
	CHECK_OK(imap_examine(imap, "a/T&APY-pfe", &qresync, &sink, &after, &err));
	CHECK_INT(gathered.messages, 1);
	CHECK(after.highestmodseq > before.highestmodseq);
}

static void message_is_found_by_its_id(void)
{
	CLEANUP(imap_logout) struct imap *imap = connect_to_server();
	CLEANUP(imap_examined_free) struct imap_examined examined = {0};
	CLEANUP(rangeset_free) struct rangeset uids = {0};
	struct err err = ERR_INIT;

	CHECK_OK(imap_examine(imap, "a/T&APY-pfe", NULL, NULL, &examined, &err));
	CHECK_OK(imap_search_message_id(imap, "<41@example.org>", &uids, &err));
	CHECK(rangeset_size(&uids) == 1 && rangeset_has(&uids, 42));
}

static void parked_session_hears_of_new_mail(void)
{
	CLEANUP(imap_logout) struct imap *watcher = connect_to_server();
	CLEANUP(imap_logout) struct imap *sender = connect_to_server();
	CLEANUP(imap_examined_free) struct imap_examined examined = {0};
	struct pollfd poll_fd = {.fd = imap_fd(watcher), .events = POLLIN};
	struct err err = ERR_INIT;
	bool news = false;

	CHECK_OK(imap_examine(watcher, "INBOX", NULL, NULL, &examined, &err));
	CHECK_OK(imap_idle_start(watcher, &err));
	CHECK_OK(imap_idle_drain(watcher, &news, &err));
	CHECK(imap_park(watcher) && !news);
	send_messages(sender, "INBOX", 1);
	while (!news) {
		CHECK_INT(poll(&poll_fd, 1, 10 * 1000), 1);
		CHECK_OK(imap_idle_drain(watcher, &news, &err));
		CHECK(imap_park(watcher));
	}
	CHECK_OK(imap_idle_done(watcher, &err));
	CHECK_OK(imap_noop(watcher, &err));
}

int main(int argc, char **argv)
{
	static const struct promise promises[] = {
		PROMISE(every_way_in_works),
		PROMISE(wrong_password_is_said_so),
		PROMISE(folder_is_made_filled_and_listed),
		PROMISE(whole_folder_is_fetched),
		PROMISE(changes_are_told_by_qresync),
		PROMISE(message_is_found_by_its_id),
		PROMISE(parked_session_hears_of_new_mail),
	};
	const char *tool = getenv("DOVECOT_TOOL");
	int status;

	if (!tool || !fs_exists(tool) || !fs_exists("/usr/sbin/dovecot")) {
		(void)printf("1..0 # SKIP no Dovecot\n");
		return 0;
	}
	(void)setenv("DOVECOT_FSYNC", "never", 0);
	if (!start_server(tool)) {
		(void)printf("Bail out! Dovecot does not start\n");
		stop_server(tool);
		return 1;
	}
	status = check_main(argc, argv, promises, ARRAY_LEN(promises));
	stop_server(tool);
	return status;
}
