#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/crypto.h"
#include "base/err.h"
#include "base/fs.h"
#include "base/rangeset.h"
#include "base/str.h"
#include "base/wait.h"
#include "support/check.h"

static void error_text_grows_outward(void)
{
	struct err err = ERR_INIT;

	CHECK(!err_set(&err, ERR_RETRY, "reset after %d bytes", 8));
	CHECK(!err_wrap(&err, "uid %d", 42));
	CHECK_STR(err.text, "uid 42: reset after 8 bytes");
	CHECK_INT(err_exit_code(err.kind), 69);
}

static void full_disk_has_its_own_kind(void)
{
	struct err err = ERR_INIT;

	(void)err_errno(&err, ERR_LOCAL, 28, "x");
	CHECK_INT(err.kind, ERR_NO_SPACE);
}

static void buffer_refuses_to_pass_its_maximum(void)
{
	CLEANUP(buf_free) struct buf buf = BUF_INIT(4);

	CHECK(buf_add_str(&buf, "abc"));
	CHECK(!buf_add_str(&buf, "de"));
	CHECK_STR(buf_str(&buf), "abc");
	CHECK(buf_printf(&buf, "%d", 7));
	CHECK(!buf_add_byte(&buf, 'x'));
	buf_consume(&buf, 2);
	CHECK_STR(buf_str(&buf), "c7");
}

static void imap_dates_round_trip(void)
{
	static const struct {
		const char *text;
		const char *rfc3339;
		int64_t unix_s;
	} good[] = {
		{"17-Jul-1996 02:44:25 -0700", "1996-07-17T02:44:25-07:00", 837596665},
		{" 1-Jan-1970 00:00:00 +0000", "1970-01-01T00:00:00Z", 0},
		{"31-Dec-1969 23:59:59 +0000", "1969-12-31T23:59:59Z", -1},
		{"29-Feb-2000 12:00:00 +0530", "2000-02-29T12:00:00+05:30", 951805800},
	};
	static const char *const bad[] = {"", "00-Jan-0000 00:00:00 +0000",
		"29-Feb-2001 12:00:00 +0000", "31-Apr-2001 12:00:00 +0000",
		"01-Foo-2001 12:00:00 +0000", "01-Jan-2001 24:00:00 +0000", "01-Jan-2001 12:00:00",
		"01-Jan-2001 12:00:00 +0000x", "01-Jan-2001 12:00:00 +2400"};

	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		struct zoned_time time;
		char out[ZONED_TIME_TEXT_MAX];

		CHECK(zoned_time_parse_imap(good[i].text, strlen(good[i].text), &time));
		CHECK_INT(time.unix_s, good[i].unix_s);
		zoned_time_format_imap(time, out);
		CHECK_STR(out, good[i].text);
		zoned_time_format_rfc3339(time, out);
		CHECK_STR(out, good[i].rfc3339);
	}
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct zoned_time time;

		CHECK(!zoned_time_parse_imap(bad[i], strlen(bad[i]), &time));
	}
}

static void the_zone_offset_of_a_time_is_known(void)
{
	CHECK(setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3", 1) == 0);
	tzset();
	CHECK_INT(clock_local_offset_s(1768478400), 3600);     /* January 2026 */
	CHECK_INT(clock_local_offset_s(1784116800), 2 * 3600); /* July 2026 */
	CHECK(unsetenv("TZ") == 0);
	tzset();
}

static void untrusted_text_cannot_steer_a_terminal(void)
{
	static const struct {
		const char *in, *out;
	} table[] = {
		{"plain", "plain"},
		{"\x1b[2J", "\\x1b[2J"},
		{"a\r\nb", "a\\x0d\\x0ab"},
		{"\xc2\x9b"
		 "1m",
			"\\x9b1m"},
		{"\xe2\x80\xae"
		 "evil",
			"\\u{202e}evil"},
		{"\xff\xfe", "\xef\xbf\xbd\xef\xbf\xbd"},
		{"gr\xc3\xbc\xc3\x9f", "gr\xc3\xbc\xc3\x9f"},
	};

	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		CLEANUP(freep) char *shown = str_printable(table[i].in, strlen(table[i].in), 100);

		CHECK_STR(shown, table[i].out);
	}
}

static void similar_words_are_few_edits_apart(void)
{
	char long_word[STR_EDITS_BYTES_MAX + 2];

	memset(long_word, 'x', sizeof(long_word) - 1);
	long_word[sizeof(long_word) - 1] = '\0';
	CHECK_INT(str_edits("port", "port"), 0);
	CHECK_INT(str_edits("prot", "port"), 2);
	CHECK_INT(str_edits("worker", "workers"), 1);
	CHECK_INT(str_edits("", "abc"), 3);
	CHECK_INT(str_edits("abc", ""), 3);
	CHECK_INT(str_edits("kitten", "sitting"), 3);
	CHECK_INT(str_edits(long_word + 1, ""), STR_EDITS_BYTES_MAX);
	CHECK(str_edits(long_word, "a") == SIZE_MAX && str_edits("a", long_word) == SIZE_MAX);
}

static void globs_match_in_linear_time(void)
{
	CHECK(str_glob("*", "INBOX/a"));
	CHECK(str_glob("Arch*/20??", "Archive/2024"));
	CHECK(!str_glob("Arch*/20??", "Archive/202"));
	CHECK(str_glob("a?c", "a\xc3\xbc"
			      "c"));
	CHECK(!str_glob("*a*a*a*a*a*a*a*a*b", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"));
}

static void ranges_merge_and_split(void)
{
	CLEANUP(rangeset_free) struct rangeset set = {0}, other = {0}, out = {0};

	rangeset_add(&set, 5, 7);
	rangeset_add(&set, 1, 2);
	rangeset_add(&set, 3, 4);
	CHECK_INT(set.count, 1);
	rangeset_add(&set, 4294967295u, 4294967295u);
	rangeset_add(&set, 10, 20);
	CHECK_INT(set.count, 3);
	CHECK_INT(rangeset_size(&set), 19);
	CHECK(rangeset_has(&set, 20) && !rangeset_has(&set, 21) && !rangeset_has(&set, 0));
	rangeset_add(&other, 6, 12);
	rangeset_subtract(&set, &other, &out);
	CHECK_INT(rangeset_size(&out), 14);
	CHECK(rangeset_has(&out, 5) && !rangeset_has(&out, 6) && rangeset_has(&out, 13));
	rangeset_clear(&out);
	rangeset_intersect(&set, &other, &out);
	CHECK_INT(rangeset_size(&out), 5);
	rangeset_clear(&out);
	CHECK_INT(rangeset_size_below(&set, 0), 0);
	CHECK_INT(rangeset_size_below(&set, 3), 2);
	CHECK_INT(rangeset_size_below(&set, 15), rangeset_size_below(&set, 10) + 5);
	CHECK_INT(rangeset_size_below(&set, 4294967295u), rangeset_size(&set) - 1);
	rangeset_split(&set, 8, &out);
	CHECK_INT(rangeset_size(&out), 8);
	CHECK_INT(set.items[0].first, 11);
}

static void base64_is_strict(void)
{
	CLEANUP(freep) uint8_t *data = NULL;
	CLEANUP(freep) char *text = base64_encode("ab", 2);
	size_t len = 0;

	CHECK_STR(text, "YWI=");
	CHECK(base64_decode(text, 4, &data, &len));
	CHECK_INT(len, 2);
	CHECK(memcmp(data, "ab", 2) == 0);
	CHECK(!base64_decode("YW=I", 4, &data, &len));
	CHECK(!base64_decode("YWI", 3, &data, &len));
	CHECK(!base64_decode("YW I", 4, &data, &len));
}

static void files_are_replaced_whole(void)
{
	CLEANUP(freep) char *path = str_printf("%s/deep/er/file", check_temp_dir());
	CLEANUP(freep) char *dir = str_printf("%s/deep/er", check_temp_dir());
	CLEANUP(buf_free) struct buf text = BUF_INIT(100);
	struct err err = ERR_INIT;

	CHECK_OK(fs_make_dirs(dir, 0700, &err));
	CHECK_OK(fs_write_atomic(path, "one", 3, 0600, &err));
	CHECK_OK(fs_write_atomic(path, "two", 3, 0600, &err));
	CHECK_OK(fs_read(path, &text, &err));
	CHECK_STR(buf_str(&text), "two");
	CHECK_OK(fs_remove(path, &err));
	CHECK(!fs_read(path, &text, &err));
	CHECK_INT(err.kind, ERR_NOT_FOUND);
}

/* Locks `path`, reports it, and holds the lock until it is told to end. */
static pid_t hold_in_child(const char *path, int *ret_end)
{
	int said[2], end[2];
	char byte;
	pid_t child;

	CHECK(pipe(said) == 0 && pipe(end) == 0);
	child = fork();
	if (child == 0) {
		struct err err = ERR_INIT;
		int lock;

		(void)close(end[1]);
		if (fs_lock(path, 0, &lock, &err))
			(void)!write(said[1], "", 1);
		(void)!read(end[0], &byte, 1);
		_exit(0);
	}
	(void)close(said[1]);
	(void)close(end[0]);
	CHECK_INT(read(said[0], &byte, 1), 1);
	(void)close(said[0]);
	*ret_end = end[1];
	return child;
}

static void a_second_locker_learns_the_holder(void)
{
	CLEANUP(freep) char *path = str_printf("%s/lock", check_temp_dir());
	CLEANUP(freep) char *pid = NULL;
	CLEANUP(buf_free) struct buf text = BUF_INIT(100);
	CLEANUP(fs_unlock) int lock = -1;
	struct err err = ERR_INIT;
	int end;
	pid_t child;

	CHECK(!fs_is_locked(path));
	child = hold_in_child(path, &end);
	CHECK(fs_is_locked(path));
	CHECK(!fs_lock(path, 10, &lock, &err));
	CHECK_INT(err.kind, ERR_BUSY);
	pid = str_printf("(pid %ld)", (long)child);
	CHECK(strstr(err.text, pid));
	(void)close(end);
	CHECK(waitpid(child, NULL, 0) == child);
	CHECK(!fs_is_locked(path));
	CHECK_OK(fs_lock(path, 0, &lock, &err));
	CHECK(fs_is_locked(path));
	CHECK_OK(fs_read(path, &text, &err));
	CHECK_INT(text.len, 0);
}

static void waits_end_by_deadline_or_cancel(void)
{
	struct err err = ERR_INIT;
	CLEANUP(cancel_close) struct cancel cancel = {-1};

	CHECK_OK(cancel_init(&cancel, &err));
	CHECK(wait_sleep(wait_for(1, &cancel), &err));
	cancel_now(&cancel);
	CHECK(!wait_sleep(wait_for(10000, &cancel), &err));
	CHECK_INT(err.kind, ERR_CANCELLED);
}

/* A call may fail as busy without having waited. */
static void something_busy_is_retried_after_pauses(void)
{
	enum { FOR_MS = 4 * WAIT_PAUSE_MS, TRIES_MAX = 6, LONG_MS = 60000 };
	struct wait wait = wait_for(FOR_MS, NULL);
	CLEANUP(cancel_close) struct cancel cancel = {-1};
	struct err err = ERR_INIT;
	int tries = 1;

	(void)err_set(&err, ERR_BUSY, "busy");
	CHECK(wait_again(wait_for(LONG_MS, NULL), &err));
	while (wait_again(wait, &err))
		tries++;
	CHECK(tries <= TRIES_MAX);
	CHECK_STR(err.text, "busy");
	CHECK_OK(cancel_init(&cancel, &err));
	cancel_now(&cancel);
	CHECK(!wait_again(wait_for(10000, &cancel), &err));
	CHECK_INT(err.kind, ERR_CANCELLED);
	CHECK(!wait_again(wait_for(10000, NULL), &err));
}

static void counts_have_their_noun(void)
{
	char text[STR_COUNT_MAX];

	str_format_count(0, "message", text);
	CHECK_STR(text, "0 messages");
	str_format_count(1, "place", text);
	CHECK_STR(text, "1 place");
	str_format_count(UINT64_MAX, "snapshot", text);
	CHECK_STR(text, "18446744073709551615 snapshots");
}

int main(int argc, char **argv)
{
	static const struct promise promises[] = {
		PROMISE(error_text_grows_outward),
		PROMISE(full_disk_has_its_own_kind),
		PROMISE(buffer_refuses_to_pass_its_maximum),
		PROMISE(imap_dates_round_trip),
		PROMISE(the_zone_offset_of_a_time_is_known),
		PROMISE(untrusted_text_cannot_steer_a_terminal),
		PROMISE(similar_words_are_few_edits_apart),
		PROMISE(globs_match_in_linear_time),
		PROMISE(ranges_merge_and_split),
		PROMISE(base64_is_strict),
		PROMISE(files_are_replaced_whole),
		PROMISE(a_second_locker_learns_the_holder),
		PROMISE(waits_end_by_deadline_or_cancel),
		PROMISE(something_busy_is_retried_after_pauses),
		PROMISE(counts_have_their_noun),
	};

	return check_main(argc, argv, promises, ARRAY_LEN(promises));
}
