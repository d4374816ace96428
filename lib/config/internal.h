/* What the parts of this room share. */
#ifndef MAILSTOW_CONFIG_INTERNAL_H
#define MAILSTOW_CONFIG_INTERNAL_H

#include "config/config.h"

/* The key table (keys.c). Sets one value; false: *ret_reason says why and what is accepted (static
 * text or owned by `reason`). */
enum key_result { KEY_SET, KEY_UNKNOWN, KEY_BAD };

enum key_result account_set(struct config_account *account, const char *key, const char *value,
	const char **ret_reason);
enum key_result general_set(
	struct config *config, const char *key, const char *value, const char **ret_reason);

void account_defaults(struct config_account *account);
void account_free(struct config_account *account);

/* Host by the address's domain for well-known providers; NULL: none (presets.c). */
const char *preset_host(const char *address);

#endif
