#include "mirror/account_prune.h"

#include "archive/archive.h"
#include "base/clock.h"

enum { LOCK_TIMEOUT_MS = 1000 }; /* short: a later pass tries again */

static const int64_t EVERY_MS = 24 * 60 * 60 * 1000LL;

struct archive_prune mirror_prune_rules(const struct config_keep *keep, int64_t keep_deleted_ms)
{
	return (struct archive_prune){
		.keep =
			{
				.all = keep->all,
				.last = keep->last,
				.hourly = keep->hourly,
				.daily = keep->daily,
				.weekly = keep->weekly,
				.monthly = keep->monthly,
				.yearly = keep->yearly,
				.within_ms = keep->within_ms,
			},
		.offset = clock_local_offset_s,
		.keep_deleted_ms = keep_deleted_ms,
		.now_ms = clock_wall_ms(),
	};
}

bool mirror_prune(const struct config_account *account, struct archive_keys *keys,
	struct archive_pruned *ret_pruned, struct err *err)
{
	const struct archive_ref archive = {account->archive_path, keys};
	struct archive_prune prune;
	struct config_keep keep;

	if (!config_parse_keep(account->keep, &keep))
		return err_set(err, ERR_CONFIG, "keep: '%s' is not valid", account->keep);
	if (keep.all) { /* every snapshot is kept, with all its messages */
		*ret_pruned = (struct archive_pruned){.skipped = true};
		return true;
	}
	prune = mirror_prune_rules(&keep, account->keep_deleted_ms);
	prune.every_ms = EVERY_MS;
	return archive_prune(&archive, &prune, LOCK_TIMEOUT_MS, ret_pruned, err);
}
