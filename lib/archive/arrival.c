#include "archive/arrival.h"

#include <assert.h>
#include <stdlib.h>

#include "archive/archive.h"

void arrival_init(struct arrival *arrival)
{
	*arrival = (struct arrival){.leaf_digest = sha256_new(), .again = sha256_new()};
	buf_init(&arrival->window, ARCHIVE_PIECE_BYTES);
	skeleton_maker_init(&arrival->skeleton);
}

void arrival_free(struct arrival *arrival)
{
	if (arrival->summarised)
		mime_summary_free(&arrival->summary);
	sha256_freep(&arrival->leaf_digest);
	sha256_freep(&arrival->again);
	buf_free(&arrival->window);
	skeleton_maker_free(&arrival->skeleton);
	free(arrival->leaves);
	*arrival = (struct arrival){0};
}

void arrival_begin(struct arrival *arrival, int64_t folder)
{
	assert(!arrival->open);
	arrival->open = true;
	arrival->folder = folder;
	arrival->size = 0;
	arrival->taken = 0;
	arrival->streamed = false;
	arrival->leaf = (struct open_leaf){0};
	arrival->leaves_count = 0;
	buf_reset(&arrival->window);
	skeleton_maker_reset(&arrival->skeleton);
	splitter_begin(&arrival->splitter);
}

/* Digests begin anew when they are finished. */
void arrival_end(struct arrival *arrival)
{
	uint8_t unused[SHA256_BYTES];

	sha256_finish(arrival->leaf_digest, unused);
	sha256_finish(arrival->again, unused);
	if (arrival->summarised)
		mime_summary_free(&arrival->summary);
	arrival->summarised = false;
	arrival->open = false;
}
