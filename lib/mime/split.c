#include "mime/split.h"

#include <assert.h>
#include <string.h>

#include "mime/base64_lines.h"

enum { LINE_BYTES_MAX = BASE64_LINE_CHARS_MAX + 2 /* a longer line is never base64 */ };

void splitter_begin(struct splitter *splitter)
{
	*splitter = (struct splitter){.where = SPLIT_IN_HEAD};
}

void splitter_take_the_rest(struct splitter *splitter)
{
	assert(!splitter->begun);
	splitter->where = SPLIT_IN_TEXT;
	splitter->to_the_end = true;
}

/* --- lines --- */

struct line {
	size_t len; /* its end included */
	bool ended;
};

/* False: the window must hold more of the line. Takes the available part of a line that is too
 * long. */
static bool take_line(const uint8_t *data, size_t len, bool final, struct line *ret_line)
{
	const uint8_t *end = memchr(data, '\n', len);

	*ret_line = (struct line){end ? (size_t)(end - data) + 1 : len, end != NULL};
	return end || final || len > LINE_BYTES_MAX;
}

static bool is_empty(const uint8_t *line, size_t len)
{
	return len == 1 || (len == 2 && line[0] == '\r');
}

static bool is_boundary(const uint8_t *line, size_t len)
{
	return len >= 2 && line[0] == '-' && line[1] == '-';
}

/* --- a run of base64 lines --- */

struct base64_run {
	bool any;
	size_t start;
	size_t line_chars;
	size_t decoded;
	bool closed; /* its last line is short, so no line can follow */
};

static void add_line(struct base64_run *run, size_t at, const struct base64_line *line)
{
	if (!run->any || run->closed || line->chars > run->line_chars)
		*run = (struct base64_run){.any = true, .start = at, .line_chars = line->chars};
	run->decoded += base64_line_decoded(line);
	run->closed = line->padding > 0 || line->chars < run->line_chars || !line->crlf;
}

static size_t take_base64(struct splitter *splitter, const uint8_t *window, size_t len, bool final,
	struct split_span *span)
{
	size_t at = 0;

	while (at < len && !span->ends) {
		struct base64_line look;
		struct line line;

		if (!take_line(window + at, len - at, final, &line))
			return at;
		if (!base64_line_recognise(window + at, line.len, &look) ||
			look.chars > splitter->line_chars) {
			span->ends = true;
			break;
		}
		at += line.len;
		span->crlf = look.crlf;
		span->ends = look.padding > 0 || look.chars < splitter->line_chars || !look.crlf;
	}
	span->ends = span->ends || final;
	return at;
}

static bool next_of_base64(struct splitter *splitter, const uint8_t *window, size_t len, bool final,
	struct split_span *ret_span)
{
	struct split_span span = {.what = SPLIT_BASE64,
		.begins = !splitter->begun,
		.line_chars = splitter->line_chars,
		.crlf = true};

	span.len = take_base64(splitter, window, len, final, &span);
	if (span.len == 0 && !span.ends)
		return false;
	assert(span.len <= len);
	splitter->begun = !span.ends;
	if (span.ends)
		splitter->where = SPLIT_IN_REST;
	*ret_span = span;
	return true;
}

/* --- text --- */

/* Where the text up to `len` ends, and why. */
struct stop {
	size_t len;
	enum { STOP_WINDOW, STOP_BASE64, STOP_BOUNDARY, STOP_BODY, STOP_LONG } why;
	size_t line_chars; /* of the base64 */
	bool mid_line;
};

/* Examines the line at `at`. True: the text stops there. */
static bool stops_at_line(const struct splitter *splitter, const uint8_t *window, size_t at,
	const struct line *line, struct base64_run *run, struct stop *stop)
{
	struct base64_line look;
	bool whole = !(splitter->mid_line && at == 0);

	if (whole && base64_line_recognise(window + at, line->len, &look)) {
		add_line(run, at, &look);
		if (run->decoded < SPLIT_BASE64_BYTES_MIN)
			return false;
		*stop = (struct stop){run->start, STOP_BASE64, run->line_chars, false};
		return true;
	}
	run->any = false;
	if (!whole || !line->ended)
		return false;
	if (splitter->where == SPLIT_IN_HEAD) {
		*stop = (struct stop){at + line->len, STOP_BODY, 0, false};
		return is_empty(window + at, line->len);
	}
	*stop = (struct stop){at, STOP_BOUNDARY, 0, false};
	return is_boundary(window + at, line->len);
}

static struct stop find_stop(
	const struct splitter *splitter, const uint8_t *window, size_t len, bool final)
{
	struct base64_run run = {0};
	struct stop stop;
	struct line line = {0};
	size_t at = 0;

	while (at < len) {
		size_t sure;

		if (!take_line(window + at, len - at, final, &line)) {
			sure = run.any ? run.start : at;
			if (splitter->mid_line && at == 0)
				return (struct stop){len, STOP_WINDOW, 0, true};
			return (struct stop){sure, STOP_WINDOW, 0, false};
		}
		if (stops_at_line(splitter, window, at, &line, &run, &stop))
			return stop;
		at += line.len;
		sure = run.any ? run.start : at;
		if (splitter->where == SPLIT_AT_BODY && sure >= SPLIT_TEXT_BYTES_MIN)
			return (struct stop){sure, STOP_LONG, 0, sure == at && !line.ended};
	}
	if (run.any && !final)
		return (struct stop){run.start, STOP_WINDOW, 0, false};
	return (struct stop){len, STOP_WINDOW, 0, len > 0 && !line.ended};
}

static void move_on(struct splitter *splitter, const struct stop *stop)
{
	splitter->mid_line = stop->mid_line;
	switch (stop->why) {
	case STOP_BASE64:
		splitter->where = SPLIT_IN_BASE64;
		splitter->line_chars = stop->line_chars;
		break;
	case STOP_BOUNDARY:
		splitter->where = SPLIT_IN_HEAD;
		break;
	case STOP_BODY:
		splitter->where = SPLIT_AT_BODY;
		break;
	case STOP_LONG:
		splitter->where = SPLIT_IN_TEXT;
		break;
	case STOP_WINDOW:
		break;
	}
}

/* A body is a leaf if it is long enough. Until that is known, its bytes stay in the window. */
static bool next_of_body(
	struct splitter *splitter, const struct stop *stop, bool final, struct split_span *ret_span)
{
	bool leaf = stop->len >= SPLIT_TEXT_BYTES_MIN;

	if (stop->why == STOP_WINDOW && !final)
		return false;
	*ret_span = (struct split_span){.what = leaf ? SPLIT_TEXT : SPLIT_REST,
		.len = stop->len,
		.begins = leaf,
		.ends = leaf && stop->why != STOP_LONG};
	splitter->begun = leaf && !ret_span->ends;
	if (stop->why == STOP_WINDOW)
		splitter->where = SPLIT_IN_REST;
	move_on(splitter, stop);
	return true;
}

static bool next_of_text(
	struct splitter *splitter, const struct stop *stop, bool final, struct split_span *ret_span)
{
	struct split_span span = {.what = SPLIT_TEXT, .len = stop->len, .begins = !splitter->begun};

	span.ends = final || stop->why != STOP_WINDOW;
	if (span.len == 0 && (!span.ends || span.begins))
		return false;
	splitter->begun = !span.ends;
	if (span.ends)
		splitter->where = SPLIT_IN_REST;
	move_on(splitter, stop);
	*ret_span = span;
	return true;
}

/* False: no bytes come before the stop, or the window holds too little. */
static bool next_of_stop(
	struct splitter *splitter, const struct stop *stop, bool final, struct split_span *ret_span)
{
	if (splitter->where == SPLIT_AT_BODY && stop->len > 0)
		return next_of_body(splitter, stop, final, ret_span);
	if (splitter->where == SPLIT_IN_TEXT)
		return next_of_text(splitter, stop, final, ret_span);
	move_on(splitter, stop);
	*ret_span = (struct split_span){.what = SPLIT_REST, .len = stop->len};
	return stop->len > 0;
}

bool splitter_next(struct splitter *splitter, const uint8_t *window, size_t len, bool final,
	struct split_span *ret_span)
{
	struct stop stop = {.len = len, .why = STOP_WINDOW};

	if (len == 0 && !(final && splitter->begun))
		return false;
	do {
		if (splitter->where == SPLIT_IN_BASE64)
			return next_of_base64(splitter, window, len, final, ret_span);
		if (!splitter->to_the_end)
			stop = find_stop(splitter, window, len, final);
		if (next_of_stop(splitter, &stop, final, ret_span))
			return true;
	} while (stop.why != STOP_WINDOW);
	return false;
}
