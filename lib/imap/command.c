#include "imap/command_internal.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/crypto.h"
#include "base/rand.h"
#include "base/str.h"
#include "imap/flags.h"
#include "imap/seqset.h"

enum {
	TAG_LETTERS = 10,
	FIRST_BYTES = 1024, /* reserved so that growing does not leave copies of a secret */
	QUOTED_MAX = 1000,
};

static void make_tag(char tag[COMMAND_TAG_MAX])
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz";

	for (size_t i = 0; i < TAG_LETTERS; i++)
		tag[i] = letters[rand_below(sizeof(letters) - 1)];
	tag[TAG_LETTERS] = '\0';
}

static void add(struct imap_command *command, const void *data, size_t len)
{
	if (!buf_add(&command->bytes, data, len))
		command->fault = "longer than 128 KiB";
}

static void add_text(struct imap_command *command, const char *text)
{
	for (const char *c = text; *c; c++)
		assert(*c >= ' ' && *c <= '~');
	add(command, text, strlen(text));
}

static void mark(struct imap_command *command, enum command_mark_kind kind, size_t at, size_t len)
{
	assert(command->marks_count < COMMAND_MARKS_MAX);
	command->marks[command->marks_count++] = (struct command_mark){kind, at, len};
}

static void next_argument(struct imap_command *command)
{
	if (!command->joined)
		add(command, " ", 1);
	command->joined = false;
}

void command_start(struct imap_command *command, const char *name, enum command_literals literals)
{
	*command = (struct imap_command){.name = name, .literals = literals};
	buf_init(&command->bytes, COMMAND_LENGTH_MAX);
	(void)!buf_reserve(&command->bytes, FIRST_BYTES);
	make_tag(command->tag);
	add_text(command, command->tag);
	command_text(command, name);
}

void command_free(struct imap_command *command)
{
	buf_wipe(&command->bytes);
}

void command_text(struct imap_command *command, const char *text)
{
	next_argument(command);
	add_text(command, text);
}

void command_open(struct imap_command *command)
{
	command_text(command, "(");
	command->joined = true;
}

void command_close(struct imap_command *command)
{
	add_text(command, ")");
	command->joined = false;
}

void command_number(struct imap_command *command, uint64_t number)
{
	char text[24];

	(void)snprintf(text, sizeof(text), "%" PRIu64, number);
	command_text(command, text);
}

void command_set(struct imap_command *command, const struct rangeset *set)
{
	struct rangeset closed = *set;
	char open_end[24];

	assert(set->count > 0);
	next_argument(command);
	if (set->items[set->count - 1].last == UINT32_MAX)
		closed.count--;
	if (closed.count > 0 && !seqset_format(&closed, &command->bytes))
		command->fault = "longer than 128 KiB";
	if (closed.count == set->count)
		return;
	(void)snprintf(open_end, sizeof(open_end), "%s%" PRIu32 ":*", closed.count > 0 ? "," : "",
		set->items[closed.count].first);
	add_text(command, open_end);
}

static bool is_plain_atom(const char *text)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789._-/&+=@$#,:";

	return *text && !text[strspn(text, plain)] && !str_equal_case(text, "NIL");
}

static bool is_quotable(const char *text)
{
	for (const char *c = text; *c; c++)
		if (*c < ' ' || *c > '~')
			return false;
	return strlen(text) <= QUOTED_MAX;
}

static void add_quoted(struct imap_command *command, const char *text)
{
	add(command, "\"", 1);
	for (const char *c = text; *c; c++) {
		if (*c == '"' || *c == '\\')
			add(command, "\\", 1);
		add(command, c, 1);
	}
	add(command, "\"", 1);
}

/* "{n}" or "{n+}" and the line end. True: the server has to send '+' first. */
static bool announce(struct imap_command *command, uint64_t size_bytes)
{
	bool wait = command->literals == COMMAND_LITERAL_SYNC ||
		    (command->literals == COMMAND_LITERAL_MINUS &&
			    size_bytes > COMMAND_LITERAL_MINUS_MAX);

	if (!buf_printf(&command->bytes, "{%" PRIu64 "%s}\r\n", size_bytes, wait ? "" : "+"))
		command->fault = "longer than 128 KiB";
	return wait;
}

static void add_string(struct imap_command *command, const char *text)
{
	if (is_plain_atom(text)) {
		add(command, text, strlen(text));
	} else if (is_quotable(text)) {
		add_quoted(command, text);
	} else {
		if (announce(command, strlen(text)))
			mark(command, COMMAND_WAIT, command->bytes.len, 0);
		add(command, text, strlen(text));
	}
}

void command_astring(struct imap_command *command, const char *text)
{
	next_argument(command);
	add_string(command, text);
}

void command_secret(struct imap_command *command, const char *text)
{
	size_t marks = command->marks_count, from;

	next_argument(command);
	from = command->bytes.len;
	add_string(command, text);
	if (command->marks_count > marks)
		from = command->bytes.len - strlen(text);
	mark(command, COMMAND_SECRET, from, command->bytes.len - from);
}

void command_flags(struct imap_command *command, const char *flags)
{
	command_open(command);
	while (*flags) {
		size_t len = strcspn(flags, " ");

		if (!flag_can_be_sent(flags, len)) {
			command->fault = "a flag has characters that IMAP does not allow";
			return;
		}
		next_argument(command);
		add(command, flags, len);
		flags += len;
		flags += *flags == ' ';
	}
	command_close(command);
}

void command_date(struct imap_command *command, const struct zoned_time *date)
{
	char text[ZONED_TIME_TEXT_MAX];

	zoned_time_format_imap(*date, text);
	next_argument(command);
	add_quoted(command, text);
}

bool command_literal(struct imap_command *command, uint64_t size_bytes)
{
	next_argument(command);
	return announce(command, size_bytes);
}

void command_end(struct imap_command *command)
{
	add(command, "\r\n", 2);
}
