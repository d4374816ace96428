#include "support/imap/show_scan.h"

#include <assert.h>
#include <string.h>
#include <strings.h>

#include "imap/parse/scan.h"

enum { WORD_MAX = 16 };

struct show {
	struct scan scan;
	struct buf *out;
	unsigned atoms; /* of this response */
	bool tagged;
};

static void add(
	struct buf *out, const char *before, const void *data, size_t len, const char *after)
{
	bool fits = buf_add_str(out, before);

	for (size_t i = 0; i < len && fits; i++) {
		uint8_t c = ((const uint8_t *)data)[i];

		fits = c >= ' ' && c < 0x7f ? buf_add_byte(out, c) : buf_printf(out, "\\%02x", c);
	}
	fits = fits && buf_add_str(out, after);
	(void)fits;
}

static bool is_status(const struct scan_token *token)
{
	static const char *const words[] = {"OK", "NO", "BAD", "BYE", "PREAUTH"};

	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (token->len == strlen(words[i]) &&
			strncasecmp((const char *)token->data, words[i], token->len) == 0)
			return true;
	return false;
}

static void expect(struct show *show, const struct scan_token *token)
{
	uint8_t first = token->len == 1 ? *token->data : 0;

	if (show->atoms == 0 && first == '+') {
		scan_expect_text(&show->scan);
		show->atoms++;
	} else if (show->atoms == 0) {
		show->tagged = first != '*';
	} else if (show->atoms == 1 && is_status(token)) {
		scan_expect_text(&show->scan);
	} else if (show->atoms == 1 && show->tagged) {
		scan_expect_raw(&show->scan);
	}
	show->atoms++;
}

static void show_token(struct show *show, const struct scan_token *token)
{
	switch (token->kind) {
	case SCAN_MORE:
		break;
	case SCAN_ATOM:
		add(show->out, "<", token->data, token->len, ">");
		expect(show, token);
		break;
	case SCAN_STRING:
		add(show->out, "\"", token->data, token->len, "\"");
		break;
	case SCAN_LITERAL:
		(void)!buf_printf(show->out, "{%llu:", (unsigned long long)token->size);
		break;
	case SCAN_LITERAL_DATA:
		add(show->out, "", token->data, token->len, "");
		break;
	case SCAN_LITERAL_END:
		add(show->out, "}", NULL, 0, "");
		break;
	case SCAN_TEXT:
		add(show->out, "'", token->data, token->len, "'");
		break;
	case SCAN_END:
		show->atoms = 0;
		assert(scan_is_empty(&show->scan));
		add(show->out, "$", NULL, 0, "");
		break;
	case SCAN_OPEN:
		add(show->out, "(", NULL, 0, "");
		break;
	case SCAN_CLOSE:
		add(show->out, ")", NULL, 0, "");
		break;
	case SCAN_CODE_OPEN:
		add(show->out, "[", NULL, 0, "");
		break;
	case SCAN_CODE_CLOSE:
		add(show->out, "]", NULL, 0, "");
		break;
	}
}

/* One piece. False: the scanner failed. */
static bool feed(struct show *show, const uint8_t *data, size_t len)
{
	struct err err = ERR_INIT;
	struct scan_token token;
	size_t used;

	do {
		if (!scan_next(&show->scan, data, len, &used, &token, &err)) {
			assert(err.kind == ERR_PROTOCOL);
			(void)!buf_printf(show->out, "!%s", err.text);
			return false;
		}
		assert(used <= len);
		assert(token.kind != SCAN_MORE || used == len);
		data += used;
		len -= used;
		show_token(show, &token);
	} while (token.kind != SCAN_MORE);
	return true;
}

void show_scan(const char *data, size_t len, size_t cut, struct buf *out)
{
	struct show show = {.out = out};
	bool good = true;

	scan_init(&show.scan);
	for (size_t at = 0; at < len && good;) {
		size_t piece = piece_len(at, len, cut);
		CLEANUP(buf_free) struct buf copy = BUF_INIT(len);
		bool fits = buf_add(&copy, data + at, piece);

		assert(fits);
		good = feed(&show, copy.data, piece);
		at += piece;
	}
	scan_free(&show.scan);
}
