/*
 * Configurations below check_temp_dir(), for tests. A failure ends the promise (CHECK_OK).
 */
#ifndef MAILSTOW_TESTS_SUPPORT_CONFIG_FIXTURE_H
#define MAILSTOW_TESTS_SUPPORT_CONFIG_FIXTURE_H

#include "config/config.h"

/* What is given is the caller's to free. */
char *config_path_of(const char *name);
void config_write_bytes(const char *name, const void *data, size_t len);
void config_write_text(const char *name, const char *text);

/* The folder of the tests is left out, so that expected lines are short. */
char *config_without_folder(const char *text);

/* Written as mailstow.conf, and loaded without a problem. */
struct config *config_load_text(const char *text);

#endif
