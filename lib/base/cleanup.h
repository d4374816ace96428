/*
 * Visible ownership.
 *
 * CLEANUP(f) on a local variable calls f(&variable) when the scope ends. TAKE(p) yields the value
 * of p and sets p to NULL, so that the scope no longer owns it.
 *
 *	CLEANUP(buf_free) struct buf line = BUF_INIT(LINE_MAX_BYTES);
 *	CLEANUP(stream_freep) struct stream *stream = NULL;
 *	...
 *	*ret_stream = TAKE(stream);
 */
#ifndef MAILSTOW_BASE_CLEANUP_H
#define MAILSTOW_BASE_CLEANUP_H

#include <stdlib.h>
#include <unistd.h>

#define CLEANUP(function) __attribute__((cleanup(function)))

#define TAKE(pointer)                                                                              \
	({                                                                                         \
		__auto_type taken_ = (pointer);                                                    \
		(pointer) = NULL;                                                                  \
		taken_;                                                                            \
	})

/* For CLEANUP(freep): a malloc'ed pointer of any type. */
static inline void freep(void *pointer_to_pointer)
{
	void **p = pointer_to_pointer;
	free(*p);
	*p = NULL;
}

/* For CLEANUP(closep): a file descriptor, -1 when there is none. */
static inline void closep(int *fd)
{
	if (*fd >= 0)
		(void)close(*fd);
	*fd = -1;
}

#define ARRAY_LEN(array)               (sizeof(array) / sizeof((array)[0]))
#define PRINTF_LIKE(text_at, first_at) __attribute__((format(printf, text_at, first_at)))
#define MUST_USE                       __attribute__((warn_unused_result))

#endif
