#include "archive/format/journal.h"

#include <assert.h>
#include <string.h>

enum { PAYLOAD_VERSION = 1, FLAGS_AT = 1, FLAG_FINAL = 1, FLAG_CHECKPOINT = 2, FLAGS = 3 };

void journal_origin(const uint8_t *archive_uuid, size_t len, uint8_t out[SHA256_BYTES])
{
	sha256_of(archive_uuid, len, out);
}

void journal_begin(struct buf *out, const struct journal_header *header)
{
	uint8_t flags = header->checkpoint ? FLAG_CHECKPOINT : 0;
	bool fits;

	buf_reset(out);
	fits = buf_add_byte(out, PAYLOAD_VERSION) && buf_add_byte(out, flags) &&
	       buf_add(out, header->previous, SHA256_BYTES) && put_uint(out, header->seq) &&
	       put_uint(out, (uint64_t)header->generation);
	assert(fits);
}

void journal_set_final(struct buf *payload)
{
	assert(payload->len > FLAGS_AT);
	payload->data[FLAGS_AT] |= FLAG_FINAL;
}

bool journal_open(const struct buf *payload, struct journal_header *ret_header,
	struct reader *ret_records, struct err *err)
{
	struct reader in = {.at = payload->data, .end = payload->data + payload->len};
	const uint8_t *fixed = get_bytes(&in, 2 + SHA256_BYTES);
	struct journal_header header = {0};

	if (!fixed)
		return err_set(err, ERR_CORRUPT, "journal payload of %zu bytes", payload->len);
	if (fixed[0] != PAYLOAD_VERSION || fixed[FLAGS_AT] > FLAGS)
		return err_set(err, ERR_CORRUPT, "journal payload of version %u, flags %u",
			(unsigned)fixed[0], (unsigned)fixed[FLAGS_AT]);
	header.final = fixed[FLAGS_AT] & FLAG_FINAL;
	header.checkpoint = fixed[FLAGS_AT] & FLAG_CHECKPOINT;
	memcpy(header.previous, fixed + 2, SHA256_BYTES);
	header.seq = get_uint_max(&in, INT64_MAX);
	header.generation = (int64_t)get_uint_max(&in, INT64_MAX);
	if (in.bad || header.seq == 0 || header.generation == 0)
		return err_set(err, ERR_CORRUPT, "journal payload with a bad header");
	*ret_header = header;
	*ret_records = in;
	return true;
}
