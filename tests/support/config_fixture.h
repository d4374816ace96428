/*
 * Configurations below check_temp_dir(), for tests. A failure ends the promise (CHECK_OK).
 */
#ifndef MAILSTOW_TESTS_SUPPORT_CONFIG_FIXTURE_H
#define MAILSTOW_TESTS_SUPPORT_CONFIG_FIXTURE_H

#include "config/config.h"

/* The caller frees what these functions return. */
char *config_path_of(const char *name);
void config_write_bytes(const char *name, const void *data, size_t len);
void config_write_text(const char *name, const char *text);

/* Leaves out the tests' folder to keep expected lines short. */
char *config_without_folder(const char *text);

/* Writes the text to mailstow.conf and loads it; there must be no problem. */
struct config *config_load_text(const char *text);

#endif
