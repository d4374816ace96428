/* Any bytes as tokens: no crash, no read beyond them, and the same result however they are cut. */
#include "fuzz/fuzz_pieces.h"
#include "support/imap/show_scan.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	fuzz_pieces(show_scan, data, len);
	return 0;
}
