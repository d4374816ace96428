/* Flags of a canonical (blank-separated) text, one by one. Pure. */
#ifndef MAILSTOW_RESTORE_MATCH_FLAG_TEXT_H
#define MAILSTOW_RESTORE_MATCH_FLAG_TEXT_H

#include <stdbool.h>

/* The flags `keep` is true for, blank-separated, in order; "" when none. The caller frees. */
char *flag_text_pick(const char *flags, bool (*keep)(const void *context, const char *flag),
	const void *context);

/* Those of `flags` that are not in `others` (compared without case). The caller frees. */
char *flag_text_without(const char *flags, const char *others);

/* The keywords: what does not begin with a backslash. The caller frees. */
char *flag_text_keywords(const char *flags);

#endif
