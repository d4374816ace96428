#include "daemon/wake.h"

void wake_init(struct wake *wake, int64_t boot_ms, int64_t mono_ms)
{
	wake->ahead_ms = boot_ms - mono_ms;
}

bool wake_slept(struct wake *wake, int64_t boot_ms, int64_t mono_ms)
{
	int64_t before_ms = wake->ahead_ms;

	wake->ahead_ms = boot_ms - mono_ms;
	return wake->ahead_ms - before_ms >= WAKE_SLEPT_MS;
}
