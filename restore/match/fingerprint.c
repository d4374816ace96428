#include "restore/match/fingerprint.h"

#include <stdlib.h>

#include "base/alloc.h"

enum { CHUNK_BYTES = 4096 };

struct fingerprint {
	struct sha256 *exact, *whole, *body;
	uint64_t size;
	/* Line ends held back: they count only if something follows. In the header, in the body. */
	uint64_t header_ends, body_ends;
	bool in_body;
	bool body_begun; /* a byte of the body was digested */
	bool line_empty;
	uint8_t chunk[CHUNK_BYTES]; /* normalised bytes to be added to whole and body */
	size_t chunk_len;
};

static void reset(struct fingerprint *fingerprint)
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
	reset(fingerprint);
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

static void digest_chunk(struct fingerprint *fingerprint, bool body)
{
	sha256_add(fingerprint->whole, fingerprint->chunk, fingerprint->chunk_len);
	if (body)
		sha256_add(fingerprint->body, fingerprint->chunk, fingerprint->chunk_len);
	fingerprint->chunk_len = 0;
}

static void add_plain(struct fingerprint *fingerprint, uint8_t byte, bool body)
{
	if (fingerprint->chunk_len == sizeof(fingerprint->chunk))
		digest_chunk(fingerprint, body);
	fingerprint->chunk[fingerprint->chunk_len++] = byte;
}

static void hold_line_end(struct fingerprint *fingerprint)
{
	if (fingerprint->in_body) {
		fingerprint->body_ends++;
		return;
	}
	fingerprint->header_ends++;
	fingerprint->in_body = fingerprint->line_empty;
	fingerprint->line_empty = true;
}

/* Something follows, so the line ends held back count. */
static void put_line_ends(struct fingerprint *fingerprint)
{
	for (; fingerprint->header_ends > 0; fingerprint->header_ends--)
		add_plain(fingerprint, '\n', false);
	/* the chunk so far is header and the empty line: it counts for `whole` only */
	if (fingerprint->in_body && !fingerprint->body_begun) {
		digest_chunk(fingerprint, false);
		fingerprint->body_begun = true;
	}
	for (; fingerprint->body_ends > 0; fingerprint->body_ends--)
		add_plain(fingerprint, '\n', true);
}

static void add_byte(struct fingerprint *fingerprint, uint8_t byte)
{
	if (byte == '\r')
		return;
	if (byte == '\n') {
		hold_line_end(fingerprint);
		return;
	}
	put_line_ends(fingerprint);
	fingerprint->line_empty = false;
	add_plain(fingerprint, byte == 0 || byte >= 0x80 ? 'X' : byte, fingerprint->in_body);
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
	digest_chunk(fingerprint, fingerprint->body_begun);
	ret_digests->size = fingerprint->size;
	sha256_finish(fingerprint->exact, ret_digests->exact);
	sha256_finish(fingerprint->whole, ret_digests->whole);
	sha256_finish(fingerprint->body, ret_digests->body);
	reset(fingerprint);
}
