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

static void begin(struct fingerprint *likeness)
{
	likeness->size = likeness->header_ends = likeness->body_ends = 0;
	likeness->chunk_len = 0;
	likeness->in_body = likeness->body_begun = false;
	likeness->line_empty = true;
}

struct fingerprint *fingerprint_new(void)
{
	struct fingerprint *likeness = xcalloc(1, sizeof(*likeness));

	likeness->exact = sha256_new();
	likeness->whole = sha256_new();
	likeness->body = sha256_new();
	begin(likeness);
	return likeness;
}

void fingerprint_freep(struct fingerprint **likeness)
{
	struct fingerprint *old = TAKE(*likeness);

	if (!old)
		return;
	sha256_freep(&old->exact);
	sha256_freep(&old->whole);
	sha256_freep(&old->body);
	free(old);
}

static void flush(struct fingerprint *likeness, bool body)
{
	sha256_add(likeness->whole, likeness->chunk, likeness->chunk_len);
	if (body)
		sha256_add(likeness->body, likeness->chunk, likeness->chunk_len);
	likeness->chunk_len = 0;
}

static void put(struct fingerprint *likeness, uint8_t byte, bool body)
{
	if (likeness->chunk_len == sizeof(likeness->chunk))
		flush(likeness, body);
	likeness->chunk[likeness->chunk_len++] = byte;
}

static void end_line(struct fingerprint *likeness)
{
	if (likeness->in_body) {
		likeness->body_ends++;
		return;
	}
	likeness->header_ends++;
	likeness->in_body = likeness->line_empty;
	likeness->line_empty = true;
}

/* Something follows: what was held back counts. */
static void put_line_ends(struct fingerprint *likeness)
{
	for (; likeness->header_ends > 0; likeness->header_ends--)
		put(likeness, '\n', false);
	if (likeness->in_body && !likeness->body_begun) {
		flush(likeness, false);
		likeness->body_begun = true;
	}
	for (; likeness->body_ends > 0; likeness->body_ends--)
		put(likeness, '\n', true);
}

static void add_byte(struct fingerprint *likeness, uint8_t byte)
{
	if (byte == '\r')
		return;
	if (byte == '\n') {
		end_line(likeness);
		return;
	}
	put_line_ends(likeness);
	likeness->line_empty = false;
	put(likeness, byte == 0 || byte >= 0x80 ? 'X' : byte, likeness->in_body);
}

void fingerprint_add(struct fingerprint *likeness, const uint8_t *data, size_t len)
{
	sha256_add(likeness->exact, data, len);
	likeness->size += len;
	for (size_t i = 0; i < len; i++)
		add_byte(likeness, data[i]);
}

void fingerprint_finish(struct fingerprint *likeness, struct fingerprint_digests *ret_digests)
{
	flush(likeness, likeness->body_begun);
	ret_digests->size = likeness->size;
	sha256_finish(likeness->exact, ret_digests->exact);
	sha256_finish(likeness->whole, ret_digests->whole);
	sha256_finish(likeness->body, ret_digests->body);
	begin(likeness);
}
