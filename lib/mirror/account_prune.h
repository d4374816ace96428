/* Prunes an account's archive by its configured keep rules. */
#ifndef MAILSTOW_MIRROR_ACCOUNT_PRUNE_H
#define MAILSTOW_MIRROR_ACCOUNT_PRUNE_H

#include "archive/prune.h"
#include "config/config.h"

/* The rules as of now, with days and weeks in the local time zone. */
struct archive_prune mirror_prune_rules(const struct config_keep *keep, int64_t keep_deleted_ms);

/*
 * Call after a complete pass. Prunes at most once a day, and only if `keep` lets anything go; else
 * sets ret_pruned->skipped. Takes the writer lock, waiting one second; ERR_BUSY.
 */
bool mirror_prune(const struct config_account *account, struct archive_keys *keys,
	struct archive_pruned *ret_pruned, struct err *err);

#endif
