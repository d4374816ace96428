#include "archive/volume/source.h"

#include <inttypes.h>

void source_init(struct source *source, struct volume *volume, struct zstd *zstd)
{
	*source = (struct source){.volume = volume, .zstd = zstd};
	for (size_t i = 0; i < SOURCE_FRAMES_KEPT; i++)
		buf_init(&source->frames[i].raw, FRAME_RAW_BYTES_MAX);
}

void source_free(struct source *source)
{
	for (size_t i = 0; i < SOURCE_FRAMES_KEPT; i++)
		buf_free(&source->frames[i].raw);
}

/* The cached frame, or the one to evict for it. */
static struct source_frame *find(struct source *source, int64_t id)
{
	struct source_frame *least = &source->frames[0];

	for (size_t i = 0; i < SOURCE_FRAMES_KEPT; i++) {
		struct source_frame *frame = &source->frames[i];

		if (frame->id == id)
			return frame;
		if (frame->used < least->used)
			least = frame;
	}
	return least;
}

static bool use(struct source *source, int64_t id, struct source_frame **ret_frame, struct err *err)
{
	struct source_frame *frame = find(source, id);

	if (frame->id != id) {
		frame->id = 0;
		if (!volume_get_frame(
			    source->volume, id, FRAMES_DATA, source->zstd, &frame->raw, err))
			return false;
		frame->id = id;
	}
	frame->used = ++source->uses;
	*ret_frame = frame;
	return true;
}

bool source_take(struct source *source, struct source_item *left, uint64_t most,
	const uint8_t **ret_data, size_t *ret_len, struct err *err)
{
	uint64_t wanted = left->size < most ? left->size : most;
	struct source_frame *frame;
	uint64_t there;

	if (!use(source, left->frame, &frame, err))
		return false;
	if (left->offset >= frame->raw.len)
		return err_set(err, ERR_CORRUPT, "frame %" PRId64 " ends early", left->frame);
	there = frame->raw.len - left->offset;
	*ret_data = frame->raw.data + left->offset;
	*ret_len = there < wanted ? there : wanted;
	left->size -= *ret_len;
	left->offset += *ret_len;
	if (left->offset == frame->raw.len) {
		left->frame++;
		left->offset = 0;
	}
	return true;
}
