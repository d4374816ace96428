/* Pruning an account's archive as the configuration says. */
#ifndef MAILSTOW_MIRROR_ACCOUNT_PRUNE_H
#define MAILSTOW_MIRROR_ACCOUNT_PRUNE_H

#include "archive/prune.h"
#include "config/config.h"

/* Rules, with days and weeks as this machine's zone has them, and now. */
struct archive_prune mirror_prune_rules(const struct config_keep *keep, int64_t keep_deleted_ms);

/*
 * After a pass that was complete: at most once a day, and only where `keep` or `keep-deleted` says
 * that anything may go; else ret_pruned->skipped. Takes the writer's lock.
 */
bool mirror_prune(
	const struct config_account *account, struct archive_pruned *ret_pruned, struct err *err);

#endif
