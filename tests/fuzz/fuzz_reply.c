/* Any bytes as replies: no crash, no read beyond them, and the same result however they are cut. */
#include "fuzz/fuzz_pieces.h"
#include "support/imap/show_reply.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	fuzz_pieces(show_replies, data, len);
	return 0;
}
