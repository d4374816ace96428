#include "daemon/suspend.h"

void suspend_init(struct suspend *suspend, int64_t boot_ms, int64_t mono_ms)
{
	suspend->ahead_ms = boot_ms - mono_ms;
}

bool suspend_happened(struct suspend *suspend, int64_t boot_ms, int64_t mono_ms)
{
	int64_t before_ms = suspend->ahead_ms;

	suspend->ahead_ms = boot_ms - mono_ms;
	return suspend->ahead_ms - before_ms >= SUSPEND_MIN_MS;
}
