/*
 * Thousands of messages that no mail program would write. Each goes through a real archive: split,
 * committed, sealed and read back. However it is split, the bytes come back exactly. A message
 * depends on its number alone, so none need be kept.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "archive/archive.h"
#include "archive/check.h"
#include "archive/seal.h"
#include "base/alloc.h"
#include "mime/base64_lines.h"
#include "support/archive/archive_fixture.h"
#include "support/archive/refs.h"
#include "support/check.h"

enum {
	MESSAGES = 5400,
	COMMIT_EACH = 450,
	SMALL_BYTES = 3000,
	NEST_MAX = 60,
	ATTACHMENTS = 40, /* different ones, used repeatedly */
	ATTACHMENT_BYTES_MAX = 24000,
	BIG_EACH = 400, /* one of so many is about 4 MiB long */
	VALIDITY = 5,
	WAIT_MS = 10000,
};

/* --- pieces --- */

struct storm {
	uint64_t state;
	struct buf *mail;
};

static uint32_t roll(struct storm *storm, uint32_t sides)
{
	storm->state = storm->state * 6364136223846793005U + 1442695040888963407U;
	return (uint32_t)(storm->state >> 33) % sides;
}

static void add(struct storm *storm, const char *text)
{
	CHECK(buf_add_str(storm->mail, text));
}

static void add_byte(struct storm *storm, uint8_t byte)
{
	CHECK(buf_add(storm->mail, &byte, 1));
}

static const char *line_end(struct storm *storm)
{
	static const char *const ends[] = {
		"\r\n", "\r\n", "\r\n", "\r\n", "\n", "\r", "", "\r\r\n", "\n\r"};

	return ends[roll(storm, ARRAY_LEN(ends))];
}

static void add_noise(struct storm *storm, size_t len)
{
	for (; len > 0; len--)
		add_byte(storm, (uint8_t)roll(storm, 256));
}

static void add_words(struct storm *storm, size_t len)
{
	for (size_t end = storm->mail->len + len; storm->mail->len < end;)
		CHECK(buf_printf(storm->mail, "words %u of a text\r\n", roll(storm, 100)));
}

static void add_boundary(struct storm *storm, uint32_t number, const char *after)
{
	CHECK(buf_printf(storm->mail, "--=_part_%u%s\r\n", number, after));
}

static void add_head(struct storm *storm, const char *type, uint32_t boundary)
{
	CHECK(buf_printf(storm->mail,
		"Content-Type: %s; boundary=\"=_part_%u\"\r\n"
		"Content-Transfer-Encoding: base64\r\n\r\n",
		type, boundary));
}

static size_t make_bytes(uint32_t number, uint8_t out[ATTACHMENT_BYTES_MAX])
{
	struct storm own = {.state = number + 1000003};
	size_t len = 900 + roll(&own, ATTACHMENT_BYTES_MAX - 900);

	for (size_t i = 0; i < len; i++)
		out[i] = (uint8_t)(number % 3 ? roll(&own, 256) : i / 31);
	return len;
}

static void encode(
	struct storm *storm, const uint8_t *bytes, size_t len, size_t line_chars, bool crlf)
{
	struct base64_writer writer = {.line_chars = line_chars};
	uint8_t *to = buf_reserve(storm->mail, base64_writer_room(&writer, len));

	CHECK(to);
	len = base64_writer_add(&writer, bytes, len, to);
	storm->mail->len += len + base64_writer_end(&writer, crlf, to + len);
}

/* One of the repeated attachments, with a varying line length. */
static void add_attachment(struct storm *storm)
{
	static const size_t line_chars[] = {4, 8, 60, 64, 72, 76, 76, 76, 100, 996, 4092, 4096};
	uint8_t bytes[ATTACHMENT_BYTES_MAX];
	size_t len = make_bytes(roll(storm, ATTACHMENTS), bytes);

	encode(storm, bytes, len, line_chars[roll(storm, ARRAY_LEN(line_chars))],
		roll(storm, 4) != 0);
}

/* --- shapes --- */

static void no_header(struct storm *storm)
{
	add(storm, "\r\n");
	add_attachment(storm);
}

static void no_body(struct storm *storm)
{
	add(storm, "Subject: nothing follows\r\nContent-Type: multipart/mixed; boundary=x\r\n");
}

static void nothing_or_little(struct storm *storm)
{
	add_noise(storm, roll(storm, 4));
}

static void noise(struct storm *storm)
{
	add_noise(storm, roll(storm, SMALL_BYTES));
}

static void zeros(struct storm *storm)
{
	add(storm, "Subject: a\r\n\r\n");
	for (uint32_t i = roll(storm, 70000); i > 0; i--)
		add_byte(storm, 0);
	add_attachment(storm);
}

static void multipart_whose_boundary_never_comes(struct storm *storm)
{
	add_head(storm, "multipart/mixed", 1);
	for (uint32_t i = roll(storm, 5); i > 0; i--) {
		add_boundary(storm, 2, "");
		add_attachment(storm);
	}
}

static void nested(struct storm *storm)
{
	uint32_t depth = 1 + roll(storm, NEST_MAX);

	for (uint32_t i = 0; i < depth; i++) {
		add_head(storm, roll(storm, 4) ? "multipart/mixed" : "message/rfc822", i);
		add_boundary(storm, i, "");
	}
	add_attachment(storm);
	for (uint32_t i = depth; i > roll(storm, depth); i--)
		add_boundary(storm, i - 1, roll(storm, 8) ? "--" : "");
}

static void messages_in_messages(struct storm *storm)
{
	for (uint32_t i = 1 + roll(storm, NEST_MAX); i > 0; i--)
		add(storm, "Subject: within\r\nContent-Type: message/rfc822\r\n\r\n");
	add_attachment(storm);
}

static void odd_lines_of_base64(struct storm *storm)
{
	uint8_t bytes[ATTACHMENT_BYTES_MAX];
	size_t len = make_bytes(roll(storm, ATTACHMENTS), bytes);

	add_head(storm, "application/octet-stream", 1);
	for (size_t at = 0, part; at < len; at += part) {
		part = 3 * (1 + roll(storm, 60));
		part = part < len - at ? part : len - at;
		encode(storm, bytes + at, part, 4096, false);
		add(storm, line_end(storm));
	}
}

static void a_byte_of_base64_is_another(struct storm *storm)
{
	static const char bytes[] = "\r\n=\0 -_.\x80\t@A";
	size_t at = storm->mail->len;

	add_attachment(storm);
	for (uint32_t i = 1 + roll(storm, 3); i > 0; i--)
		storm->mail->data[at + roll(storm, (uint32_t)(storm->mail->len - at))] =
			(uint8_t)bytes[roll(storm, sizeof(bytes) - 1)];
}

static void padding_everywhere(struct storm *storm)
{
	static const char *const ends[] = {"QQ==\r\n", "QR==\r\n", "QUI=\r\n", "QUJ=\r\n",
		"====\r\n", "=\r\n", "QQ==", "QQ=\r\n", "QQ==QQ==\r\n"};

	for (uint32_t i = 1 + roll(storm, 6); i > 0; i--) {
		add_attachment(storm);
		add(storm, ends[roll(storm, ARRAY_LEN(ends))]);
	}
}

static void trailing_junk(struct storm *storm)
{
	add(storm, "Subject: junk\r\n\r\n");
	add_attachment(storm);
	add_noise(storm, roll(storm, 200));
}

static void boundaries_within_base64(struct storm *storm)
{
	add_head(storm, "multipart/mixed", 1);
	for (uint32_t i = 1 + roll(storm, 8); i > 0; i--) {
		add_attachment(storm);
		add_boundary(storm, roll(storm, 3), roll(storm, 2) ? "--" : "");
	}
}

static void lines_of_one_byte(struct storm *storm)
{
	for (uint32_t i = roll(storm, SMALL_BYTES); i > 0; i--) {
		add_byte(storm, (uint8_t)("QUJD=- \0"[roll(storm, 8)]));
		add(storm, line_end(storm));
	}
}

static void a_huge_header(struct storm *storm)
{
	for (uint32_t i = roll(storm, 2000); i > 0; i--)
		CHECK(buf_printf(
			storm->mail, "X-%u: of some length%s", roll(storm, 9), line_end(storm)));
	add(storm, "Subject: ");
	add_words(storm, roll(storm, 30000));
	add(storm, "\r\n\r\n");
	add_attachment(storm);
}

static void one_endless_line(struct storm *storm)
{
	add(storm, "A: b\r\n\r\n");
	for (uint32_t i = roll(storm, 40000); i > 0; i--)
		add(storm, "QUJD");
}

/* Sizes around the limits of leaves, parts and pieces. */
static void sizes_about_thresholds(struct storm *storm)
{
	static const size_t sizes[] = {1024, 16 * 1024, 64 * 1024, 48 * 1024, 768};
	size_t size = sizes[roll(storm, ARRAY_LEN(sizes))] + roll(storm, 9) - 4;

	add(storm, "Subject: about\r\n\r\n");
	if (roll(storm, 2)) {
		CLEANUP(freep) uint8_t *bytes = xcalloc(1, size);

		bytes[roll(storm, (uint32_t)size)] = 1;
		encode(storm, bytes, size, 76, true);
		return;
	}
	for (; size > 0; size--)
		add_byte(storm, size % 60 ? 'a' + size % 7 : '\n');
}

static void sound_mail(struct storm *storm)
{
	add_head(storm, "multipart/mixed", 1);
	add_boundary(storm, 1, "");
	add_words(storm, roll(storm, 20000));
	add_boundary(storm, 1, "");
	add(storm, "Content-Transfer-Encoding: base64\r\n\r\n");
	add_attachment(storm);
	add(storm, "\r\n");
	add_boundary(storm, 1, "--");
}

static void big(struct storm *storm)
{
	size_t size = 4 * 1024 * 1024 + roll(storm, 9) - 4;
	CLEANUP(freep) uint8_t *bytes = xcalloc(1, size);

	bytes[roll(storm, (uint32_t)size)] = 1;
	add(storm, "Subject: of 4 MiB\r\n\r\n");
	if (roll(storm, 2))
		encode(storm, bytes, size, 76, true);
	else
		CHECK(buf_add(storm->mail, bytes, size - storm->mail->len));
}

static void (*const shapes[])(struct storm *storm) = {no_header, no_body, nothing_or_little, noise,
	zeros, multipart_whose_boundary_never_comes, nested, messages_in_messages,
	odd_lines_of_base64, a_byte_of_base64_is_another, padding_everywhere, trailing_junk,
	boundaries_within_base64, lines_of_one_byte, a_huge_header, one_endless_line,
	sizes_about_thresholds, sound_mail};

/* The message with this number, sometimes truncated or damaged. */
static void make(uint32_t number, struct buf *mail)
{
	struct storm storm = {.state = number, .mail = mail};

	buf_reset(mail);
	(void)roll(&storm, 2);
	if (number % BIG_EACH == 0)
		big(&storm);
	else
		shapes[number % ARRAY_LEN(shapes)](&storm);
	if (mail->len > 0 && roll(&storm, 4) == 0)
		mail->len = roll(&storm, (uint32_t)mail->len);
	if (mail->len > 0 && roll(&storm, 4) == 0)
		mail->data[roll(&storm, (uint32_t)mail->len)] ^= (uint8_t)(1 + roll(&storm, 255));
}

/* --- through an archive --- */

static uint32_t messages_count(void)
{
	return MESSAGES / (uint32_t)check_stride(1);
}

/* In portions of the sizes a socket gives. */
static int64_t store(
	struct archive_writer *writer, int64_t folder, uint32_t number, const struct buf *mail)
{
	struct storm portions = {.state = number + 77};
	struct err err = ERR_INIT;
	int64_t ticket;

	CHECK_OK(archive_message_begin(writer, folder, mail->len, &err));
	for (size_t at = 0, len; at < mail->len; at += len) {
		len = 1 + roll(&portions, number % 7 ? 20000 : 90);
		len = len < mail->len - at ? len : mail->len - at;
		CHECK_OK(archive_message_data(writer, mail->data + at, len, &err));
	}
	CHECK_OK(archive_message_end(writer, &ticket, &err));
	return ticket;
}

static void fill(const char *path)
{
	CLEANUP(buf_free) struct buf mail = BUF_INIT(FIXTURE_MESSAGE_MAX);
	CLEANUP(archive_writer_freep) struct archive_writer *writer = fixture_writer(path);
	int64_t folder = fixture_folder(writer, "INBOX", VALIDITY);

	for (uint32_t number = 1; number <= messages_count(); number++) {
		make(number, &mail);
		fixture_place(
			writer, folder, VALIDITY, number, store(writer, folder, number, &mail), "");
		if (number % COMMIT_EACH == 0)
			(void)fixture_commit(writer, true);
	}
	(void)fixture_commit(writer, true);
}

struct comparing {
	struct archive *archive;
	struct buf wanted;
	struct buf got;
	uint32_t count;
};

static bool compare(void *context, const struct archive_entry *entry, struct err *err)
{
	struct comparing *comparing = context;

	(void)err;
	make(entry->uid, &comparing->wanted);
	fixture_read(comparing->archive, entry->message_id, &comparing->got);
	if (comparing->got.len != comparing->wanted.len ||
		memcmp(comparing->got.data, comparing->wanted.data, comparing->got.len) != 0)
		check_fail(__FILE__, __LINE__, "message %u came back another", entry->uid);
	CHECK_INT(entry->size, comparing->wanted.len);
	comparing->count++;
	return true;
}

static void compare_all(const char *path)
{
	CLEANUP(archive_freep) struct archive *archive = fixture_reader(path);
	struct comparing comparing = {
		.archive = archive,
		.wanted = BUF_INIT(FIXTURE_MESSAGE_MAX),
		.got = BUF_INIT(FIXTURE_MESSAGE_MAX),
	};
	struct archive_list list = {0};
	struct archive_snapshot now;
	struct err err = ERR_INIT;

	CHECK_OK(archive_resolve(
		archive, (struct archive_when){.kind = ARCHIVE_LATEST}, &now, &err));
	list.generation = now.generation;
	CHECK_OK(archive_each_entry(archive, &list, compare, &comparing, &err));
	CHECK_INT(comparing.count, messages_count());
	buf_free(&comparing.wanted);
	buf_free(&comparing.got);
}

static bool found(void *context, const struct archive_finding *finding, struct err *err)
{
	(void)context, (void)err;
	check_fail(__FILE__, __LINE__, "%s: %s", finding->where, finding->what);
}

static void a_storm_of_hostile_mail_comes_back_to_the_byte(void)
{
	const struct archive_seal seal = {.open_bytes_min = 1};
	const struct archive_check check = {.read_percent = 100, .finding = found};
	CLEANUP(freep) char *path = fixture_archive("storm");
	struct archive_sealed sealed;
	struct archive_checked checked;
	struct err err = ERR_INIT;

	fill(path);
	compare_all(path);
	CHECK_OK(archive_seal(ref_of(path), &seal, WAIT_MS, &sealed, &err));
	CHECK(sealed.volumes > 0);
	CHECK_OK(archive_rebuild(ref_of(path), WAIT_MS, &err));
	compare_all(path);
	CHECK_OK(archive_check(ref_of(path), &check, WAIT_MS, &checked, &err));
	CHECK_INT(checked.errors, 0);
}

int main(int argc, char **argv)
{
	static const struct promise promises[] = {
		PROMISE(a_storm_of_hostile_mail_comes_back_to_the_byte),
	};

	return check_main(argc, argv, promises, ARRAY_LEN(promises));
}
