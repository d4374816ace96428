#include "archive/write/incoming.h"

#include <assert.h>
#include <stdlib.h>

#include "archive/archive.h"

void incoming_init(struct incoming *incoming)
{
	*incoming = (struct incoming){.leaf_digest = sha256_new(), .again = sha256_new()};
	buf_init(&incoming->window, ARCHIVE_PIECE_BYTES);
	skeleton_maker_init(&incoming->skeleton);
}

void incoming_free(struct incoming *incoming)
{
	if (incoming->summarised)
		mime_summary_free(&incoming->summary);
	sha256_freep(&incoming->leaf_digest);
	sha256_freep(&incoming->again);
	buf_free(&incoming->window);
	skeleton_maker_free(&incoming->skeleton);
	free(incoming->leaves);
	*incoming = (struct incoming){0};
}

void incoming_begin(struct incoming *incoming, int64_t folder)
{
	assert(!incoming->open);
	incoming->open = true;
	incoming->folder = folder;
	incoming->size = 0;
	incoming->taken = 0;
	incoming->streamed = false;
	incoming->leaf = (struct open_leaf){0};
	incoming->leaves_count = 0;
	buf_reset(&incoming->window);
	skeleton_maker_reset(&incoming->skeleton);
	splitter_begin(&incoming->splitter);
}

/* Finishing a digest resets it. */
void incoming_end(struct incoming *incoming)
{
	uint8_t unused[SHA256_BYTES];

	sha256_finish(incoming->leaf_digest, unused);
	sha256_finish(incoming->again, unused);
	if (incoming->summarised)
		mime_summary_free(&incoming->summary);
	incoming->summarised = false;
	incoming->open = false;
}
