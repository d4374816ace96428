/*
 * How fast mail goes into an archive: 5,000 messages, 111 MB, two thirds of it base64 attachments,
 * handed over by one thread as a mirror would. Prints MB/s of wall and processor time, the stored
 * size and how much memory the writer took at its peak.
 *
 *	bench_ingest [MESSAGES] [FOLDER]
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "archive/archive.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/crypto.h"
#include "base/fs.h"
#include "base/str.h"
#include "support/archive/refs.h"

enum {
	MESSAGES = 5000,
	POOL_BYTES = 3 * 1024 * 1024,
	MESSAGE_BYTES_MAX = 8 * 1024 * 1024,
	MAY_COMMIT_EVERY = 50,
	WIRE_BYTES = 16 * 1024, /* a read of the network */
	LINE_BYTES = 57,        /* raw bytes of a base64 line */
};

static struct buf noise = BUF_INIT(2 * POOL_BYTES); /* base64 lines */
static struct buf words = BUF_INIT(2 * POOL_BYTES);
static uint64_t state = 1;

static uint32_t next(uint32_t below)
{
	state = state * 6364136223846793005U + 1442695040888963407U;
	return (uint32_t)((state >> 33) % below);
}

static void need(bool ok, const struct err *err)
{
	if (ok)
		return;
	(void)fprintf(stderr, "bench_ingest: %s\n", err ? err->text : "buffer too small");
	exit(1);
}

static void make_pools(void)
{
	static const char *const syllables[] = {"ta", "ri", "no", "mes", "sage ", "con", "el ",
		"der ", "the ", "und ", "ver", "ing ", "of ", "to ", "re", "quest ", "\r\n", "> ",
		"http://www.example.org/", ", ", ". ", "at ", "ma", "il "};

	while (noise.len < POOL_BYTES) {
		uint8_t raw[LINE_BYTES];
		char *line;

		for (size_t i = 0; i < sizeof(raw); i++)
			raw[i] = (uint8_t)next(256);
		line = base64_encode(raw, sizeof(raw));
		need(buf_add_str(&noise, line) && buf_add_str(&noise, "\r\n"), NULL);
		free(line);
	}
	while (words.len < POOL_BYTES)
		need(buf_add_str(&words, syllables[next(next(ARRAY_LEN(syllables)) + 1)]), NULL);
}

static void add_some(struct buf *out, const struct buf *pool, size_t len)
{
	need(buf_add(out, pool->data + next((uint32_t)(POOL_BYTES - len)), len), NULL);
}

/* One in nine carries an attachment of up to 300 kB; text is 1 to 14 kB. */
static void make_message(struct buf *out, uint32_t number)
{
	buf_reset(out);
	need(buf_printf(out,
		     "Return-Path: <list-bounces+%u@example.org>\r\n"
		     "Received: from mx%u.example.org (mx%u.example.org [192.0.2.%u])\r\n"
		     "\tby mail.example.net with ESMTPS id %08x%08x;\r\n"
		     "\tMon, 23 Nov 2026 %02u:%02u:%02u +0100\r\n"
		     "DKIM-Signature: v=1; a=rsa-sha256; d=example.org; s=mail; b=",
		     next(100000), next(9), next(9), next(250), next(UINT32_MAX), next(UINT32_MAX),
		     next(24), next(60), next(60)),
		NULL);
	add_some(out, &noise, 76);
	need(buf_printf(out,
		     "\r\nFrom: Person %u <person%u@example.org>\r\n"
		     "To: somebody@example.net\r\nSubject: about %u and %u\r\n"
		     "Date: Mon, 23 Nov 2026 10:00:00 +0100\r\n"
		     "Message-ID: <%u.%08x@example.org>\r\nMIME-Version: 1.0\r\n"
		     "Content-Type: multipart/mixed; boundary=\"b%u\"\r\n\r\n--b%u\r\n"
		     "Content-Type: text/plain; charset=utf-8\r\n\r\n",
		     next(300), next(300), next(5000), next(5000), number, next(UINT32_MAX), number,
		     number),
		NULL);
	add_some(out, &words, 1000 + next(13000));
	if (number % 9 == 0) {
		need(buf_printf(out,
			     "\r\n--b%u\r\nContent-Type: application/pdf\r\n"
			     "Content-Transfer-Encoding: base64\r\n\r\n",
			     number),
			NULL);
		add_some(out, &noise, 1000 + next(next(2) ? 450000 : 100000));
	}
	need(buf_printf(out, "\r\n--b%u--\r\n", number), NULL);
}

static void put_message(
	struct archive_writer *writer, int64_t folder, uint32_t uid, const struct buf *message)
{
	struct archive_placement placement = {
		.folder_id = folder,
		.uidvalidity = 1,
		.uid = uid,
		.has_date = true,
		.date.unix_s = 1700000000 + uid,
		.flags = uid % 3 ? "\\Seen" : "",
	};
	struct err err = ERR_INIT;

	need(archive_message_begin(writer, folder, message->len, &err), &err);
	for (size_t at = 0; at < message->len; at += WIRE_BYTES) {
		size_t left = message->len - at;

		need(archive_message_data(writer, message->data + at,
			     left < WIRE_BYTES ? left : WIRE_BYTES, &err),
			&err);
	}
	need(archive_message_end(writer, &placement.ticket, &err), &err);
	need(archive_place(writer, &placement, &err), &err);
}

static long memory_kib(const char *what)
{
	FILE *file = fopen("/proc/self/status", "r");
	size_t len = strlen(what);
	char line[256];
	long kib = 0;

	while (file && fgets(line, sizeof(line), file))
		if (strncmp(line, what, len) == 0)
			kib = strtol(line + len, NULL, 10);
	if (file)
		(void)fclose(file);
	return kib;
}

/* With a third argument the archive is encrypted. */
#define KEY_TEXT "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static double cpu_s(void)
{
	struct rusage usage;

	(void)getrusage(RUSAGE_SELF, &usage);
	return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
	       (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

static void report(struct archive_writer *writer, int64_t wall_ms, double cpu, long before_kib)
{
	struct archive_writer_figures figures = archive_writer_figures(writer);
	struct archive_facts facts;
	struct err err = ERR_INIT;
	double mb = (double)figures.message_bytes / 1e6;

	need(archive_facts(archive_writer_view(writer), &facts, &err), &err);
	(void)printf("messages %" PRIu64 "  %.1f MB  stored %.1f MB  commits %" PRIu64 "\n",
		figures.messages, mb, (double)figures.stored_bytes / 1e6, figures.commits);
	(void)printf("wall %.2f s  %.1f MB/s  cpu %.2f s  %.1f MB/s\n", (double)wall_ms / 1e3,
		mb * 1e3 / (double)wall_ms, cpu, mb / cpu);
	(void)printf("memory of the writer at its peak %.1f MB, on disk %.1f MB\n",
		(double)(memory_kib("VmHWM:") - before_kib) / 1e3,
		(double)facts.archive_bytes / 1e6);
}

int main(int argc, char **argv)
{
	uint32_t messages = argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 10) : MESSAGES;
	CLEANUP(freep)
	char *path = str_printf("%s/bench-ingest-%ld", argc > 2 ? argv[2] : "/tmp", (long)getpid());
	CLEANUP(archive_writer_freep) struct archive_writer *writer = NULL;
	CLEANUP(buf_free) struct buf message = BUF_INIT(MESSAGE_BYTES_MAX);
	const struct archive_secret key = {ARCHIVE_KEY, KEY_TEXT, sizeof(KEY_TEXT) - 1};
	struct archive_folder folder = {.path = "INBOX", .wire_name = "INBOX", .attributes = ""};
	struct err err = ERR_INIT;
	int64_t generation;
	int64_t start_ms;
	double start_cpu;
	long before_kib;

	make_pools();
	make_message(&message, 0);
	need(argc > 3 ? archive_create_encrypted(ref_of(path), &key, 0, &err)
		      : archive_create(path, 0, &err),
		&err);
	before_kib = memory_kib("VmRSS:");
	start_ms = clock_mono_ms();
	start_cpu = cpu_s();
	need(archive_writer_open(ref_of(path), 1000, &writer, &err), &err);
	need(archive_put_folder(writer, &folder, &folder.id, &err), &err);
	need(archive_set_uidvalidity(writer, folder.id, 1, &err), &err);
	for (uint32_t uid = 1; uid <= messages; uid++) {
		make_message(&message, uid);
		put_message(writer, folder.id, uid, &message);
		if (uid % MAY_COMMIT_EVERY == 0)
			need(archive_may_commit(writer, &err), &err);
	}
	need(archive_commit(writer, true, &generation, &err), &err);
	report(writer, clock_mono_ms() - start_ms, cpu_s() - start_cpu, before_kib);
	(void)printf("archive: %s\n", path);
	return 0;
}
