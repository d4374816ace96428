/* Values of the configuration file that command-line options accept, too. Pure. */
#ifndef MAILSTOW_CONFIG_VALUES_H
#define MAILSTOW_CONFIG_VALUES_H

#include <stdbool.h>
#include <stdint.h>

/* A duration has a unit: "10s 5m 2h 7d", or is "0". */
bool config_parse_duration(const char *text, int64_t *ret_ms);

/* A size in bytes, or with a unit: "10M" (k M G T, powers of 1024). */
bool config_parse_size(const char *text, uint64_t *ret_bytes);

#endif
