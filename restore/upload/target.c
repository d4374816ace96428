#include "restore/upload/target.h"

static bool pause_after(const struct target *target, struct err *err)
{
	int pause_ms = target->pause_ms ? target->pause_ms : TARGET_PAUSE_MS;

	for (unsigned i = 1; i < target->losses && pause_ms < TARGET_PAUSE_MAX_MS; i++)
		pause_ms *= 2;
	if (pause_ms > TARGET_PAUSE_MAX_MS)
		pause_ms = TARGET_PAUSE_MAX_MS;
	return wait_sleep(wait_for(pause_ms, target->cancel), err);
}

bool target_need(struct target *target, struct err *err)
{
	while (!target->imap) {
		if (target->losses > 0 && !pause_after(target, err))
			return false;
		if (target->connect(target->context, &target->imap, err))
			return true;
		if (target->losses == 0 || !target_lost(target, err))
			return false;
	}
	return true;
}

/* ERR_PROTOCOL is retried as well: a line may have been cut off by a lost connection. */
bool target_lost(struct target *target, struct err *err)
{
	imap_freep(&target->imap);
	if (err->kind != ERR_RETRY && err->kind != ERR_PROTOCOL)
		return false;
	if (++target->losses >= TARGET_LOSSES_MAX)
		return err_wrap(err, "gave up after %u lost connections in a row", target->losses);
	err_clear(err);
	return true;
}

void target_achieved(struct target *target)
{
	target->losses = 0;
}

void target_close(struct target *target)
{
	imap_logout(&target->imap);
}
