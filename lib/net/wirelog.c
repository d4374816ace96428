#include "net/wirelog.h"

#include <inttypes.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/str.h"

/* str_printable() writes at most four characters for a byte. */
enum { SHOWN_MAX = 4 * WIRELOG_LINE_MAX, LITERAL_DIGITS_MAX = 20 };

/* Traffic in one direction that is not logged yet. */
struct direction {
	char name; /* 'C' or 'S' */
	struct buf line;
	uint64_t left_out;  /* bytes of this line beyond WIRELOG_LINE_MAX */
	uint64_t skip_left; /* bytes left of a literal */
	uint64_t skipped;   /* bytes of that literal so far */
	bool hidden;        /* "<secret>" is in the line */
};

struct wirelog {
	struct stream stream;
	FILE *file;
	bool hide;
	struct direction out, in;
};

static void write_line(struct wirelog *log, const struct direction *way, const char *text)
{
	char now[ZONED_TIME_TEXT_MAX];

	clock_format_ms(clock_wall_ms(), now);
	(void)fprintf(log->file, "%s %c: %s\n", now, way->name, text);
	(void)fflush(log->file);
}

static void end_line(struct wirelog *log, struct direction *way)
{
	size_t len = way->line.len;
	CLEANUP(freep) char *shown = NULL;
	CLEANUP(freep) char *whole = NULL;

	if (len == 0 && way->left_out == 0)
		return;
	if (len > 0 && way->line.data[len - 1] == '\r' && way->left_out == 0)
		len--;
	shown = str_printable(buf_str(&way->line), len, SHOWN_MAX);
	if (way->left_out > 0)
		whole = str_printf("%s <%" PRIu64 " more bytes>", shown, way->left_out);
	write_line(log, way, whole ? whole : shown);
	buf_reset(&way->line);
	way->left_out = 0;
	way->hidden = false;
}

static void end_literal(struct wirelog *log, struct direction *way)
{
	CLEANUP(freep) char *text = NULL;

	if (way->skipped == 0)
		return;
	text = str_printf("<%" PRIu64 " bytes>", way->skipped);
	write_line(log, way, text);
	way->skipped = 0;
}

static void add_to_line(struct direction *way, const uint8_t *data, size_t len)
{
	size_t room = WIRELOG_LINE_MAX - way->line.len;
	size_t shown = len < room ? len : room;
	bool fits = buf_add(&way->line, data, shown);

	way->left_out += fits ? len - shown : len;
}

/* N of a line that ends in {N}, {N+} or {N-}, else 0. The line lacks only its line feed. */
static uint64_t literal_of(const struct direction *way)
{
	CLEANUP(freep) char *digits = NULL;
	const char *line = buf_str(&way->line);
	size_t end = way->line.len;
	size_t begin;
	uint64_t len;

	if (way->left_out > 0 || end < 2 || line[end - 1] != '\r' || line[end - 2] != '}')
		return 0;
	end -= 2;
	if (end > 0 && (line[end - 1] == '+' || line[end - 1] == '-'))
		end--;
	for (begin = end; begin > 0 && line[begin - 1] != '{'; begin--)
		if (end - begin > LITERAL_DIGITS_MAX)
			return 0;
	if (begin == 0)
		return 0;
	digits = xstrndup(line + begin, end - begin);
	return str_parse_u64(digits, &len) ? len : 0;
}

static size_t pass_literal(struct wirelog *log, struct direction *way, size_t len)
{
	size_t used = len < way->skip_left ? len : (size_t)way->skip_left;

	way->skip_left -= used;
	way->skipped += used;
	if (way->skip_left == 0)
		end_literal(log, way);
	return used;
}

static size_t pass_text(struct wirelog *log, struct direction *way, const uint8_t *data, size_t len)
{
	const uint8_t *line_feed = memchr(data, '\n', len);
	size_t used = line_feed ? (size_t)(line_feed - data) : len;

	add_to_line(way, data, used);
	if (!line_feed)
		return used;
	way->skip_left = literal_of(way);
	end_line(log, way);
	return used + 1;
}

static void pass(struct wirelog *log, struct direction *way, const uint8_t *data, size_t len)
{
	while (len > 0) {
		size_t used = way->skip_left > 0 ? pass_literal(log, way, len)
						 : pass_text(log, way, data, len);

		data += used;
		len -= used;
	}
}

/* A secret may be a whole literal or end its line; what follows it is logged again. */
static void pass_secret(struct wirelog *log, const uint8_t *data, size_t len)
{
	static const char mark[] = "<secret>";
	struct direction *way = &log->out;

	if (!way->hidden)
		add_to_line(way, (const uint8_t *)mark, strlen(mark));
	way->hidden = true;
	way->skip_left -= len < way->skip_left ? len : way->skip_left;
	if (data[len - 1] == '\n')
		end_line(log, way);
}

static bool wirelog_read(struct stream *stream, void *data, size_t max, size_t *ret_len,
	struct wait wait, struct err *err)
{
	struct wirelog *log = (struct wirelog *)stream;

	end_line(log, &log->out);
	if (!stream_read(stream->lower, data, max, ret_len, wait, err))
		return false;
	pass(log, &log->in, data, *ret_len);
	return true;
}

static bool wirelog_write(
	struct stream *stream, const void *data, size_t len, struct wait wait, struct err *err)
{
	struct wirelog *log = (struct wirelog *)stream;

	if (log->hide)
		pass_secret(log, data, len);
	else
		pass(log, &log->out, data, len);
	return stream_write(stream->lower, data, len, wait, err);
}

static void free_direction(struct wirelog *log, struct direction *way)
{
	end_line(log, way);
	end_literal(log, way);
	buf_free(&way->line);
}

static void wirelog_free(struct stream *stream)
{
	struct wirelog *log = (struct wirelog *)stream;

	free_direction(log, &log->out);
	free_direction(log, &log->in);
	free(log);
}

static const struct stream_class wirelog_class = {
	.name = "wirelog",
	.read = wirelog_read,
	.write = wirelog_write,
	.free = wirelog_free,
};

struct stream *wirelog_wrap(struct stream *lower, FILE *file)
{
	struct wirelog *log = xcalloc(1, sizeof(*log));

	log->stream = (struct stream){.class = &wirelog_class, .lower = lower};
	log->file = file;
	log->out = (struct direction){.name = 'C', .line = BUF_INIT(WIRELOG_LINE_MAX)};
	log->in = (struct direction){.name = 'S', .line = BUF_INIT(WIRELOG_LINE_MAX)};
	return &log->stream;
}

void wirelog_secret(struct stream *top, bool hide)
{
	struct wirelog *log = (struct wirelog *)top;

	if (top->class != &wirelog_class)
		return;
	log->hide = hide;
	log->out.hidden = false;
}

void wirelog_skip_read(struct stream *top, uint64_t len)
{
	if (top->class == &wirelog_class)
		((struct wirelog *)top)->in.skip_left = len;
}
