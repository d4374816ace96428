/* Split messages: attachments are stored once, everything comes back exactly. */
#include <stdlib.h>
#include <string.h>

#include "archive/archive.h"
#include "archive/check.h"
#include "archive/compact/maintenance.h"
#include "archive/format/record.h"
#include "base/alloc.h"
#include "mime/base64_lines.h"
#include "support/archive/archive_fixture.h"
#include "support/archive/refs.h"
#include "support/check.h"

enum {
	VALIDITY = 77,
	MIB = 1024 * 1024,
	WAIT_MS = 1000,
	COMMIT_BYTES = 3000, /* bytes for a message whose attachment is already stored */
};

#define WRITER CLEANUP(archive_writer_freep) struct archive_writer *
#define READER CLEANUP(archive_freep) struct archive *
#define PATH   CLEANUP(freep) char *
#define MAIL   CLEANUP(buf_free) struct buf

static uint64_t seed = 5;

static uint32_t roll(uint32_t sides)
{
	seed = seed * 6364136223846793005U + 1442695040888963407U;
	return (uint32_t)(seed >> 33) % sides;
}

static void add(struct buf *mail, const char *text)
{
	CHECK(buf_add_str(mail, text));
}

static void add_noise(struct buf *mail, size_t len)
{
	uint8_t *to = buf_reserve(mail, len);

	CHECK(to);
	for (size_t i = 0; i < len; i++)
		to[i] = (uint8_t)roll(256);
	mail->len += len;
}

static void add_lines(struct buf *mail, const struct buf *bytes, size_t line_chars)
{
	struct base64_writer writer = {.line_chars = line_chars};
	uint8_t *to = buf_reserve(mail, base64_writer_room(&writer, bytes->len));
	size_t len;

	CHECK(to);
	len = base64_writer_add(&writer, bytes->data, bytes->len, to);
	mail->len += len + base64_writer_end(&writer, true, to + len);
}

static void add_attachment(struct buf *mail, const struct buf *bytes, size_t line_chars)
{
	add(mail, "--b\r\nContent-Transfer-Encoding: base64\r\n\r\n");
	add_lines(mail, bytes, line_chars);
	add(mail, "\r\n--b--\r\n");
}

static void add_words(struct buf *mail, size_t len)
{
	for (size_t end = mail->len + len; mail->len < end;)
		CHECK(buf_printf(mail, "word %u and some more of them\r\n", roll(1000000)));
}

static void begin_mail(struct buf *mail, const char *subject)
{
	buf_reset(mail);
	CHECK(buf_printf(mail, "Subject: %s\r\nMessage-ID: <%u@example.org>\r\n\r\n", subject,
		roll(1U << 30)));
}

static uint32_t put(struct archive_writer *writer, int64_t folder, const struct buf *mail)
{
	static uint32_t uid;

	uid++;
	fixture_place(writer, folder, VALIDITY, uid,
		fixture_store(writer, folder, mail->data, mail->len), "");
	return uid;
}

static void check_exact(const char *path, int64_t folder, uint32_t uid, const struct buf *mail)
{
	MAIL got = BUF_INIT(FIXTURE_MESSAGE_MAX);
	READER reader = fixture_reader(path);
	struct archive_snapshot now;
	struct err err = ERR_INIT;

	CHECK_OK(
		archive_resolve(reader, (struct archive_when){.kind = ARCHIVE_LATEST}, &now, &err));
	fixture_read(reader, fixture_find(reader, now.generation, folder, VALIDITY, uid), &got);
	CHECK_INT(got.len, mail->len);
	CHECK(memcmp(got.data, mail->data, got.len) == 0);
}

static bool found(void *context, const struct archive_finding *finding, struct err *err)
{
	(void)context;
	(void)err;
	CHECK_STR(finding->what, "");
	return true;
}

static void check_sound(const char *path)
{
	struct archive_check check = {.read_percent = 100, .finding = found};
	struct archive_checked checked;
	struct err err = ERR_INIT;

	CHECK_OK(archive_check(ref_of(path), &check, ARCHIVE_LOCK_TIMEOUT_MS, &checked, &err));
	CHECK_INT(checked.errors, 0);
}

static uint64_t stored(struct archive_writer *writer)
{
	(void)fixture_commit(writer, true);
	return archive_writer_figures(writer).stored_bytes;
}

static void a_repeated_attachment_costs_little(void)
{
	static const size_t sizes[] = {20000, 300000, 3000000};
	PATH path = fixture_archive("again");
	WRITER writer = fixture_writer(path);
	int64_t folder = fixture_folder(writer, "INBOX", VALIDITY);
	MAIL mail = BUF_INIT(FIXTURE_MESSAGE_MAX);
	MAIL bytes = BUF_INIT(FIXTURE_MESSAGE_MAX);

	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		static const size_t line_chars[] = {76, 60, 72};
		uint64_t before = stored(writer);

		buf_reset(&bytes);
		add_noise(&bytes, sizes[i]);
		for (size_t j = 0; j < ARRAY_LEN(line_chars); j++) {
			uint32_t uid;

			begin_mail(&mail, "with an attachment");
			add_attachment(&mail, &bytes, line_chars[j]);
			uid = put(writer, folder, &mail);
			if (j == 0)
				before = stored(writer);
			CHECK(stored(writer) - before < COMMIT_BYTES * (j + 1));
			check_exact(path, folder, uid, &mail);
		}
	}
	archive_writer_freep(&writer);
	check_sound(path);
}

static void one_message_may_have_the_same_leaf_twice(void)
{
	PATH path = fixture_archive("twice");
	WRITER writer = fixture_writer(path);
	int64_t folder = fixture_folder(writer, "INBOX", VALIDITY);
	MAIL mail = BUF_INIT(FIXTURE_MESSAGE_MAX);
	MAIL bytes = BUF_INIT(FIXTURE_MESSAGE_MAX);
	uint32_t uid;

	add_noise(&bytes, 100000);
	begin_mail(&mail, "twice");
	add_attachment(&mail, &bytes, 76);
	add_attachment(&mail, &bytes, 64);
	uid = put(writer, folder, &mail);
	CHECK(stored(writer) < 100000 + COMMIT_BYTES);
	check_exact(path, folder, uid, &mail);
}

static void long_messages_stream(void)
{
	PATH path = fixture_archive("long");
	WRITER writer = fixture_writer(path);
	int64_t folder = fixture_folder(writer, "INBOX", VALIDITY);
	MAIL mail = BUF_INIT(FIXTURE_MESSAGE_MAX);
	MAIL bytes = BUF_INIT(FIXTURE_MESSAGE_MAX);
	uint32_t uid;

	begin_mail(&mail, "of everything");
	for (size_t i = 1; i <= 5; i++) {
		buf_reset(&bytes);
		add_noise(&bytes, i * MIB + i);
		add_words(&mail, i * MIB / 2);
		add_attachment(&mail, &bytes, 76);
	}
	uid = put(writer, folder, &mail);
	CHECK(stored(writer) < 20U * MIB);
	check_exact(path, folder, uid, &mail);
	uid = put(writer, folder, &mail);
	check_exact(path, folder, uid - 1, &mail);
	(void)stored(writer);
	check_exact(path, folder, uid, &mail);
	archive_writer_freep(&writer);
	check_sound(path);
	fixture_remove_catalogue(path);
	writer = fixture_writer(path);
	check_exact(path, folder, uid, &mail);
}

static void a_message_with_too_many_leaves_is_exact(void)
{
	enum { PARTS = RECORD_LEAVES_MAX + 200 };
	PATH path = fixture_archive("more");
	WRITER writer = fixture_writer(path);
	int64_t folder = fixture_folder(writer, "INBOX", VALIDITY);
	MAIL mail = BUF_INIT(FIXTURE_MESSAGE_MAX);
	MAIL bytes = BUF_INIT(FIXTURE_MESSAGE_MAX);
	uint32_t uid;

	begin_mail(&mail, "of many leaves");
	for (size_t i = 0; i < PARTS; i++) {
		buf_reset(&bytes);
		add_noise(&bytes, 1100);
		add_attachment(&mail, &bytes, 76);
	}
	uid = put(writer, folder, &mail);
	(void)stored(writer);
	check_exact(path, folder, uid, &mail);
	begin_mail(&mail, "of a head without end");
	while (mail.len < 9U * MIB)
		CHECK(buf_printf(&mail, "--%u\r\nX-Header: of some length\r\n", roll(1U << 30)));
	uid = put(writer, folder, &mail);
	(void)stored(writer);
	check_exact(path, folder, uid, &mail);
	archive_writer_freep(&writer);
	check_sound(path);
}

static void an_aborted_split_message_leaves_nothing(void)
{
	PATH path = fixture_archive("given up");
	WRITER writer = fixture_writer(path);
	int64_t folder = fixture_folder(writer, "INBOX", VALIDITY);
	MAIL mail = BUF_INIT(FIXTURE_MESSAGE_MAX);
	MAIL bytes = BUF_INIT(FIXTURE_MESSAGE_MAX);
	struct err err = ERR_INIT;
	uint32_t uid;

	add_noise(&bytes, 6U * MIB);
	begin_mail(&mail, "cut off");
	add_attachment(&mail, &bytes, 76);
	for (size_t len = mail.len / 4; len < mail.len; len += mail.len / 4) {
		CHECK_OK(archive_message_begin(writer, folder, mail.len, &err));
		CHECK_OK(archive_message_data(writer, mail.data, len, &err));
		archive_message_abort(writer);
	}
	uid = put(writer, folder, &mail);
	(void)stored(writer);
	check_exact(path, folder, uid, &mail);
	archive_writer_freep(&writer);
	check_sound(path);
}

static size_t leaves_of(struct packer *packer, const struct buf *mail, uint8_t of_another)
{
	uint8_t sha256[SHA256_BYTES];
	struct err err = ERR_INIT;

	sha256_of(mail->data, mail->len, sha256);
	sha256[0] ^= of_another;
	packer_message_begin(packer, 1);
	CHECK_OK(packer_message_data(packer, mail->data, mail->len, &err));
	CHECK_OK(packer_message_end(packer, sha256, &err));
	return packer->incoming.leaves_count;
}

/* A wrong digest simulates a bug in splitting. */
static void a_message_that_would_not_reassemble_is_stored_whole(void)
{
	PATH path = fixture_archive("mistaken");
	CLEANUP(maintenance_close) struct maintenance job = {.lock = -1};
	MAIL mail = BUF_INIT(FIXTURE_MESSAGE_MAX);
	MAIL bytes = BUF_INIT(FIXTURE_MESSAGE_MAX);
	struct err err = ERR_INIT;

	add_noise(&bytes, MIB);
	begin_mail(&mail, "split");
	add_attachment(&mail, &bytes, 76);
	CHECK_OK(fixture_unlock(path, &err));
	CHECK_OK(maintenance_open(&job, ref_of(path), WAIT_MS, &err));
	CHECK_INT(leaves_of(&job.packer, &mail, 1), 0);
	CHECK_INT(leaves_of(&job.packer, &mail, 0), 1);
}

static void add_hostile_piece(struct buf *mail, const struct buf *bytes)
{
	static const char *const pieces[] = {"\r\n", "\n", "\r", "==\r\n", "--b\r\n", "QUJD",
		"QR==\r\n", "Content-Type: message/rfc822\r\n\r\n", "\x80\xff"};
	static const size_t line_chars[] = {4, 60, 76, 4096};
	struct buf part = *bytes;

	switch (roll(6)) {
	case 0:
		part.len = 1 + roll((uint32_t)part.len);
		add_lines(mail, &part, line_chars[roll(ARRAY_LEN(line_chars))]);
		break;
	case 1:
		add_words(mail, roll(40000));
		break;
	default:
		add(mail, pieces[roll(ARRAY_LEN(pieces))]);
	}
}

static void hostile_mail_comes_back_exactly(void)
{
	enum { MESSAGES = 300 };
	PATH path = fixture_archive("hostile");
	WRITER writer = fixture_writer(path);
	int64_t folder = fixture_folder(writer, "INBOX", VALIDITY);
	MAIL bytes = BUF_INIT(FIXTURE_MESSAGE_MAX);
	struct buf mails[MESSAGES];
	uint32_t uids[MESSAGES];

	add_noise(&bytes, 90000);
	for (size_t i = 0; i < MESSAGES; i++) {
		buf_init(&mails[i], FIXTURE_MESSAGE_MAX);
		for (uint32_t n = 1 + roll(20); n > 0; n--)
			add_hostile_piece(&mails[i], &bytes);
		mails[i].data[roll((uint32_t)mails[i].len)] = (uint8_t)roll(256);
		uids[i] = put(writer, folder, &mails[i]);
	}
	(void)stored(writer);
	for (size_t i = 0; i < MESSAGES; i++) {
		check_exact(path, folder, uids[i], &mails[i]);
		buf_free(&mails[i]);
	}
	archive_writer_freep(&writer);
	check_sound(path);
}

int main(int argc, char **argv)
{
	static const struct promise promises[] = {
		PROMISE(a_repeated_attachment_costs_little),
		PROMISE(one_message_may_have_the_same_leaf_twice),
		PROMISE(long_messages_stream),
		PROMISE(a_message_with_too_many_leaves_is_exact),
		PROMISE(an_aborted_split_message_leaves_nothing),
		PROMISE(a_message_that_would_not_reassemble_is_stored_whole),
		PROMISE(hostile_mail_comes_back_exactly),
	};

	return check_main(argc, argv, promises, ARRAY_LEN(promises));
}
