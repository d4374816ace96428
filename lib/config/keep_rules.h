/* The value of `keep`: "all", or some of last=N hourly=N ... within=DURATION. Pure. */
#ifndef MAILSTOW_CONFIG_KEEP_RULES_H
#define MAILSTOW_CONFIG_KEEP_RULES_H

#include <stdbool.h>
#include <stdint.h>

/* 0: the rule is not given. */
struct config_keep {
	bool all;
	unsigned last, hourly, daily, weekly, monthly, yearly;
	int64_t within_ms;
};

/* False when a rule is unknown, given twice or out of range, or when there is none. */
bool config_parse_keep(const char *text, struct config_keep *ret_keep);

#endif
