/* Flags as canonical text, separated by spaces: filters. Pure. */
#ifndef MAILSTOW_RESTORE_MATCH_FLAG_TEXT_H
#define MAILSTOW_RESTORE_MATCH_FLAG_TEXT_H

#include <stdbool.h>

/* The flags for which keep() is true, in the same form and order; "" if none. The caller frees. */
char *flag_text_pick(const char *flags, bool (*keep)(const void *context, const char *flag),
	const void *context);

/* The flags that are not in `others`, compared without case. The caller frees. */
char *flag_text_without(const char *flags, const char *others);

/* The keywords: flags without a leading backslash. The caller frees. */
char *flag_text_keywords(const char *flags);

#endif
