#include "restore/match/fingerprint.h"

#include <stdlib.h>

#include "base/alloc.h"

enum { CHUNK_BYTES = 4096 };

struct fingerprint {
	struct sha256 *exact, *whole, *body;
	uint64_t size;
	/* Held back, as they count only when something follows: of the header, of the body. */
	uint64_t header_ends, body_ends;
	bool in_body;
	bool body_begun; /* a byte of it was digested */
	bool line_empty;
	uint8_t chunk[CHUNK_BYTES]; /* of plain bytes on the way to whole and body */
	size_t chunk_len;
};

static void begin(struct fingerprint *fingerprint)
{
	fingerprint->size = fingerprint->header_ends = fingerprint->body_ends = 0;
	fingerprint->chunk_len = 0;
	fingerprint->in_body = fingerprint->body_begun = false;
	fingerprint->line_empty = true;
}

struct fingerprint *fingerprint_new(void)
{
	struct fingerprint *fingerprint = xcalloc(1, sizeof(*fingerprint));

	fingerprint->exact = sha256_new();
	fingerprint->whole = sha256_new();
	fingerprint->body = sha256_new();
	begin(fingerprint);
	return fingerprint;
}

void fingerprint_freep(struct fingerprint **fingerprint)
{
	struct fingerprint *old = TAKE(*fingerprint);

	if (!old)
		return;
	sha256_freep(&old->exact);
	sha256_freep(&old->whole);
	sha256_freep(&old->body);
	free(old);
}

static void flush(struct fingerprint *fingerprint, bool body)
{
	sha256_add(fingerprint->whole, fingerprint->chunk, fingerprint->chunk_len);
	if (body)
		sha256_add(fingerprint->body, fingerprint->chunk, fingerprint->chunk_len);
	fingerprint->chunk_len = 0;
}

static void put(struct fingerprint *fingerprint, uint8_t byte, bool body)
{
	if (fingerprint->chunk_len == sizeof(fingerprint->chunk))
		flush(fingerprint, body);
	fingerprint->chunk[fingerprint->chunk_len++] = byte;
}

static void end_line(struct fingerprint *fingerprint)
{
	if (fingerprint->in_body) {
		fingerprint->body_ends++;
		return;
	}
	fingerprint->header_ends++;
	fingerprint->in_body = fingerprint->line_empty;
	fingerprint->line_empty = true;
}

/* Something follows: what was held back counts. */
static void put_line_ends(struct fingerprint *fingerprint)
{
	for (; fingerprint->header_ends > 0; fingerprint->header_ends--)
		put(fingerprint, '\n', false);
	if (fingerprint->in_body && !fingerprint->body_begun) {
		flush(fingerprint, false);
		fingerprint->body_begun = true;
	}
	for (; fingerprint->body_ends > 0; fingerprint->body_ends--)
		put(fingerprint, '\n', true);
}

static void add_byte(struct fingerprint *fingerprint, uint8_t byte)
{
	if (byte == '\r')
		return;
	if (byte == '\n') {
		end_line(fingerprint);
		return;
	}
	put_line_ends(fingerprint);
	fingerprint->line_empty = false;
	put(fingerprint, byte == 0 || byte >= 0x80 ? 'X' : byte, fingerprint->in_body);
}

void fingerprint_add(struct fingerprint *fingerprint, const uint8_t *data, size_t len)
{
	sha256_add(fingerprint->exact, data, len);
	fingerprint->size += len;
	for (size_t i = 0; i < len; i++)
		add_byte(fingerprint, data[i]);
}

void fingerprint_finish(struct fingerprint *fingerprint, struct fingerprint_digests *ret_digests)
{
	flush(fingerprint, fingerprint->body_begun);
	ret_digests->size = fingerprint->size;
	sha256_finish(fingerprint->exact, ret_digests->exact);
	sha256_finish(fingerprint->whole, ret_digests->whole);
	sha256_finish(fingerprint->body, ret_digests->body);
	begin(fingerprint);
}
