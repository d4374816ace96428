/*
 * The programs' log. Library rooms return errors and never log.
 *
 * Writes lines to stderr; under systemd (JOURNAL_STREAM) without a time and with a "<N>" priority.
 * The caller passes untrusted text through str_printable(); any control characters left are masked
 * here.
 */
#ifndef MAILSTOW_BASE_LOG_H
#define MAILSTOW_BASE_LOG_H

#include "base/cleanup.h"

enum log_level {
	LOG_LEVEL_ERROR = 3,
	LOG_LEVEL_WARNING = 4,
	LOG_LEVEL_INFO = 6,
	LOG_LEVEL_DEBUG = 7
};

void log_set_level(enum log_level least_important);
void log_line(enum log_level level, const char *format, ...) PRINTF_LIKE(2, 3);

#define log_error(...)   log_line(LOG_LEVEL_ERROR, __VA_ARGS__)
#define log_warning(...) log_line(LOG_LEVEL_WARNING, __VA_ARGS__)
#define log_info(...)    log_line(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_debug(...)   log_line(LOG_LEVEL_DEBUG, __VA_ARGS__)

#endif
