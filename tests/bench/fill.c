/*
 * Fills an archive with mail that cannot be compressed, quickly:
 *
 *	bench_fill ARCHIVE MESSAGES BYTES
 *
 * UIDs 1 to MESSAGES in INBOX, each with an attachment of about BYTES random ones, no two alike. A
 * commit after every thousand. Prints the exact bytes of all mail.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "archive/archive.h"
#include "base/buf.h"
#include "base/str.h"
#include "mime/base64_lines.h"

enum {
	COMMIT_EACH = 1000,
	LINE_CHARS = 76,
	BYTES_MIN = 1024,
	BYTES_MAX = 8 * 1024 * 1024,
	LOCK_MS = 1000,
};

static uint64_t state = 88172645463325252U;

static uint64_t next(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state;
}

static void add_noise(struct buf *noise, size_t len)
{
	for (size_t at = 0; at < len; at += sizeof(uint64_t)) {
		uint64_t bytes = next();

		if (!buf_add(noise, &bytes, sizeof(bytes)))
			abort();
	}
}

/* A message of half to one and a half times `bytes`. */
static void make(uint64_t uid, uint64_t bytes, struct buf *noise, struct buf *mail)
{
	struct base64_writer writer = {.line_chars = LINE_CHARS};
	uint8_t *to;
	size_t len;

	buf_reset(noise);
	buf_reset(mail);
	add_noise(noise, bytes / 2 + next() % bytes);
	if (!buf_printf(mail,
		    "From: Person %" PRIu64 " <p%" PRIu64 "@example.org>\r\n"
		    "Subject: number %" PRIu64 "\r\nDate: Mon, 23 Nov 2026 10:00:00 +0100\r\n"
		    "Message-ID: <%" PRIu64 "@example.org>\r\n"
		    "Content-Transfer-Encoding: base64\r\n\r\n",
		    uid % 300, uid % 300, uid, uid))
		abort();
	to = buf_reserve(mail, base64_writer_room(&writer, noise->len));
	if (!to)
		abort();
	len = base64_writer_add(&writer, noise->data, noise->len, to);
	mail->len += len + base64_writer_end(&writer, true, to + len);
}

static bool put(struct archive_writer *writer, int64_t folder, uint64_t uid, const struct buf *mail,
	struct err *err)
{
	struct archive_placement placement = {
		.folder_id = folder,
		.uidvalidity = 1,
		.uid = (uint32_t)uid,
		.has_date = true,
		.date.unix_s = 1700000000 + (int64_t)uid,
		.flags = "\\Seen",
	};

	return archive_message_begin(writer, folder, mail->len, err) &&
	       archive_message_data(writer, mail->data, mail->len, err) &&
	       archive_message_end(writer, &placement.ticket, err) &&
	       archive_place(writer, &placement, err);
}

static bool put_all(struct archive_writer *writer, uint64_t count, uint64_t bytes, struct err *err)
{
	CLEANUP(buf_free) struct buf noise = BUF_INIT(2 * BYTES_MAX);
	CLEANUP(buf_free) struct buf mail = BUF_INIT(4 * BYTES_MAX);
	const struct archive_folder inbox = {
		.path = "INBOX", .wire_name = "INBOX", .attributes = "", .selectable = true};
	uint64_t total = 0;
	int64_t id, generation;

	if (!archive_put_folder(writer, &inbox, &id, err) ||
		!archive_set_uidvalidity(writer, id, 1, err))
		return false;
	for (uint64_t uid = 1; uid <= count; uid++) {
		make(uid, bytes, &noise, &mail);
		total += mail.len;
		if (!put(writer, id, uid, &mail, err) ||
			((uid % COMMIT_EACH == 0 || uid == count) &&
				!archive_commit(writer, true, &generation, err)))
			return false;
	}
	(void)printf("%" PRIu64 "\n", total);
	return true;
}

int main(int argc, char **argv)
{
	CLEANUP(archive_writer_freep) struct archive_writer *writer = NULL;
	struct err err = ERR_INIT;
	uint64_t count, bytes;

	if (argc != 4 || !str_parse_u64(argv[2], &count) || !str_parse_u64(argv[3], &bytes) ||
		count == 0 || count > UINT32_MAX || bytes < BYTES_MIN || bytes > BYTES_MAX) {
		(void)fputs("usage: bench_fill ARCHIVE MESSAGES BYTES\n", stderr);
		return 64;
	}
	if (archive_create(argv[1], 0, &err) &&
		archive_writer_open(
			&(struct archive_ref){.path = argv[1]}, LOCK_MS, &writer, &err) &&
		put_all(writer, count, bytes, &err))
		return 0;
	(void)fprintf(stderr, "bench_fill: %s\n", err.text);
	return 1;
}
