#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "imap/limits.h"
#include "imap/parse/scan.h"
#include "support/check.h"
#include "support/imap/show_scan.h"

static void scans(const char *bytes, const char *wanted)
{
	check_pieces(show_scan, bytes, strlen(bytes), wanted);
}

static void fails(const char *bytes, const char *why)
{
	CLEANUP(buf_free) struct buf out = BUF_INIT(64 * 1024);
	size_t len = strlen(bytes);

	show_scan(bytes, len, 0, &out);
	if (!strstr(buf_str(&out), "!") || !strstr(buf_str(&out), why))
		check_fail(__FILE__, __LINE__, "\"%s\" gives \"%s\"", bytes, buf_str(&out));
	check_pieces(show_scan, bytes, len, NULL);
}

static void a_response_becomes_tokens(void)
{
	scans("* 12 FETCH (UID 7 FLAGS (\\Seen $x))\r\n",
		"<*><12><FETCH>(<UID><7><FLAGS>(<\\Seen><$x>))$");
	scans("* LIST (\\HasNoChildren) \"/\" INBOX\r\n",
		"<*><LIST>(<\\HasNoChildren>)\"/\"<INBOX>$");
	scans("* OK [ALERT] Be careful\r\n", "<*><OK>[<ALERT>]'Be careful'$");
	scans("a1 OK [READ-WRITE] done\r\na2 NO no\r\n",
		"<a1><OK>[<READ-WRITE>]'done'$<a2><NO>'no'$");
	scans("+ idling\r\n", "<+>'idling'$");
	scans("* NAMESPACE ((\"\" \"/\")) NIL NIL\r\n", "<*><NAMESPACE>((\"\"\"/\"))<NIL><NIL>$");
}

static void strings_lose_quotes_and_escapes(void)
{
	scans("* X \"\"\r\n", "<*><X>\"\"$");
	scans("* X \"a\\\"b\\\\c\" \"\\\"\" \"(not [a {3} list\"\r\n",
		"<*><X>\"a\"b\\c\"\"\"\"\"(not [a {3} list\"$");
	scans("* X \"caf\xc3\xa9\ttab\"\r\n", "<*><X>\"caf\\c3\\a9\\09tab\"$");
	fails("* X \"no end\r\n", "unterminated string");
	fails("* X \"no end\\\r\n", "unterminated string");
}

static void literals_are_announced_streamed_and_ended(void)
{
	scans("* X {3}\r\nabc {0}\r\n y\r\n", "<*><X>{3:abc}{0:}<y>$");
	scans("* X {3+}\r\n\r\n) ~{2}\r\n\"\\\r\n", "<*><X>{3:\\0d\\0a)}{2:\"\\}$");
	scans("* X (A {1}\nb)\n", "<*><X>(<A>{1:b})$");
	scans("* X ({1}\r\na{1}\r\nb)\r\n", "<*><X>({1:a}{1:b})$");
	scans("* 1 FETCH (BODY[]{2}\r\nhi)\r\n", "<*><1><FETCH>(<BODY[]>{2:hi})$");
	scans("* 1 FETCH (BODY[]\"hi\")\r\n", "<*><1><FETCH>(<BODY[]>\"hi\")$");
}

static void hostile_literal_sizes_are_exact_or_refused(void)
{
	static const char *const good[] = {"0", "1", "007", "2147483647", "2147483648",
		"2147483649", "4294967295", "4294967296", "4294967297", "9223372036854775807",
		"9223372036854775808", "18446744073709551615",
		"0000000000000000000000000000000000000018446744073709551615"};
	static const char *const bad[] = {"", "-1", "+", "+1", "1-", " 1", "1 ", "x", "0x10", "1.5",
		"18446744073709551616", "99999999999999999999",
		"1111111111111111111111111111111111111111", "1++", "1+1"};

	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		char line[128], wanted[128];

		(void)snprintf(line, sizeof(line), "* X {%s}\r\n", good[i]);
		(void)snprintf(wanted, sizeof(wanted), "<*><X>{%" PRIu64 ":%s",
			(uint64_t)strtoull(good[i], NULL, 10), i == 0 ? "}" : "");
		scans(line, wanted);
	}
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		char line[128];

		(void)snprintf(line, sizeof(line), "* X {%s}\r\n", bad[i]);
		fails(line, "literal");
	}
	fails("* X {5} \r\nabcde", "literal size not at the end of a line");
	fails("* X {5}abcde\r\n", "literal size not at the end of a line");
	fails("* X {5\r\n", "literal without a size");
}

static void a_huge_literal_costs_no_memory_and_can_be_left(void)
{
	static const char line[] = "* X {18446744073709551615}\r\n";
	static const uint8_t chunk[65536];
	struct err err = ERR_INIT;
	struct scan_token token;
	struct scan scan;
	size_t used;

	scan_init(&scan);
	for (size_t i = 0, at = 0; i < 3; i++, at += used)
		CHECK_OK(scan_next(
			&scan, (const uint8_t *)line + at, strlen(line) - at, &used, &token, &err));
	CHECK_INT(token.kind, SCAN_LITERAL);
	CHECK(scan_literal_left(&scan) == UINT64_MAX);
	for (int i = 0; i < 1000; i++) {
		CHECK_OK(scan_next(&scan, chunk, sizeof(chunk), &used, &token, &err));
		CHECK(token.kind == SCAN_LITERAL_DATA && token.data == chunk);
	}
	CHECK(scan_literal_left(&scan) == UINT64_MAX - 1000 * sizeof(chunk));
	CHECK(scan.piece.cap < 1024);
	scan_free(&scan);
}

static void sections_are_one_atom(void)
{
	scans("* 1 FETCH (BODY[HEADER.FIELDS (MESSAGE-ID \"X\")] {2}\r\nhi BODY[]<0> \"x\")\r\n",
		"<*><1><FETCH>(<BODY[HEADER.FIELDS (MESSAGE-ID \"X\")]>{2:hi}<BODY[]<0>>\"x\")$");
	scans("* 1 FETCH (body[] NIL BINARY[1.2]<0> ~{1}\r\na)\r\n",
		"<*><1><FETCH>(<body[]><NIL><BINARY[1.2]<0>>{1:a})$");
	scans("* LIST () \"/\" [Gmail]/BODY[x y\r\n", "<*><LIST>()\"/\"<[Gmail]/BODY[x><y>$");
	fails("* 1 FETCH (BODY[\r\n", "unterminated section");
}

static void codes_are_scanned_and_what_follows_is_text(void)
{
	scans("* OK [HIGHESTMODSEQ 79154]\r\n", "<*><OK>[<HIGHESTMODSEQ><79154>]$");
	scans("* OK\r\n* OK \r\n* NO [X]\n", "<*><OK>$<*><OK>$<*><NO>[<X>]$");
	scans("* OK [PERMANENTFLAGS (\\Seen a] \\*)] Flags (and \"so on\r\n",
		"<*><OK>[<PERMANENTFLAGS>(<\\Seen><a]><\\*>)]'Flags (and \"so on'$");
	scans("* NO [X-A [b c] d[e]f \"g]\" {2}\r\n]h] [not a code] t\r\n",
		"<*><NO>[<X-A><[b><c]><d[e]f>\"g]\"{2:]h}]'[not a code] t'$");
	scans("* NO [ALERT]no blank\r\n", "<*><NO>[<ALERT>]'no blank'$");
	scans("* NO [ALERT never closed\r\n", "<*><NO>[<ALERT><never><closed>$");
	scans("* NO []\r\n", "<*><NO>[]$");
	scans("+ [x] y\r\n", "<+>[<x>]'y'$");
	scans("+\r\n", "<+>$");
	scans("+no blank\r\n", "<+>'no blank'$");
	scans("* BYE a\rb\r\r\n", "<*><BYE>'a\\0db'$");
}

static void real_servers_deviations_are_tolerated(void)
{
	scans("* STATUS INBOX (MESSAGES 0)  \r\n", "<*><STATUS><INBOX>(<MESSAGES><0>)$");
	scans("*  SEARCH  1   2 \n", "<*><SEARCH><1><2>$");
	scans("* SEARCH\r\r\n", "<*><SEARCH>$");
	scans("* LIST () \"/\" caf\xc3\xa9\tx\r\n", "<*><LIST>()\"/\"<caf\\c3\\a9\\09x>$");
	scans("* FLAGS (a]b ] [c \\* x\"y z{3} {)\r\n", NULL);
	scans("* FLAGS (a]b ] [c \\* x\"y z{3} w)\r\n",
		"<*><FLAGS>(<a]b><]><[c><\\*><x\"y><z{3}><w>)$");
	check_pieces(show_scan, "\0\0 \0* OK x\r\n", 12, "<*><OK>'x'$");
	scans("\r\n  \r\n* X\r\n", "$$<*><X>$");
}

static void a_line_that_is_no_response_is_not_read_as_one(void)
{
	scans("Server Unavailable. 15\r\n", "<Server><Unavailable.>'15'$");
	scans("[COPYUID 124 10 233]\r\n", "<[COPYUID><124>'10 233]'$");
	scans("<a href=\"x (y {3}\r\n</a>)\r\n", "<<a><href=\"x>'(y {3}'$<</a>)>$");
	scans("{\"json\": (\r\n", "<{\"json\":><(>$");
	scans("*OK [x\r\n", "<*OK><[x>$");
}

static void controls_are_refused(void)
{
	static const char nul_in_atom[] = "* X a\0b\r\n", nul_in_string[] = "* X \"a\0b\"\r\n",
			  nul_in_text[] = "* OK a\0b\r\n", nul_alone[] = "* X \0 b\r\n";

	fails("* X a\x01z\r\n", "control character");
	fails("* X \x7f\r\n", "control character");
	fails("\x15\x03\x01", "control character");
	fails("* X\ra\n", "CR without LF");
	check_pieces(show_scan, nul_in_atom, sizeof(nul_in_atom) - 1,
		"<*><X>!malformed response: control character");
	check_pieces(show_scan, nul_in_string, sizeof(nul_in_string) - 1,
		"<*><X>!malformed response: unterminated string");
	check_pieces(show_scan, nul_in_text, sizeof(nul_in_text) - 1,
		"<*><OK>!malformed response: NUL in a text");
	check_pieces(show_scan, nul_alone, sizeof(nul_alone) - 1,
		"<*><X>!malformed response: control character");
}

static void parentheses_are_counted(void)
{
	fails("* X )\r\n", "closing parenthesis");
	fails("* X (a\r\n", "within parentheses");
	fails("* OK [X (a] text\r\n", "within parentheses");
}

static void a_literal_in_the_middle_of_an_atom_is_refused(void)
{
	fails("* 1 FETCH (RFC822{4}\r\nA OK)\r\n", "literal inside an atom");
	fails("* X a{4+}\r\nA OK\r\n", "literal inside an atom");
}

/* --- floods --- */

static char *repeat(const char *head, const char *part, size_t times, size_t *ret_len)
{
	size_t head_len = strlen(head), part_len = strlen(part);
	char *text = xmalloc(head_len + part_len * times + 1);

	memcpy(text, head, head_len);
	for (size_t i = 0; i < times; i++)
		memcpy(text + head_len + i * part_len, part, part_len);
	*ret_len = head_len + part_len * times;
	text[*ret_len] = '\0';
	return text;
}

/* Tokens of data in pieces of at most `piece`; -1 when the scanner fails. */
static long count_tokens(const char *data, size_t len, size_t piece, struct err *err)
{
	long count = 0;
	struct scan scan;

	scan_init(&scan);
	for (size_t at = 0; at < len && count >= 0;) {
		size_t used, left = len - at < piece ? len - at : piece;
		struct scan_token token;

		if (!scan_next(&scan, (const uint8_t *)data + at, left, &used, &token, err))
			count = -1;
		else
			at += used;
		count += count >= 0 && token.kind != SCAN_MORE;
	}
	scan_free(&scan);
	return count;
}

static void floods_end_in_an_error_that_names_the_limit(void)
{
	static const struct {
		const char *head, *part;
		size_t times;
		const char *why;
	} floods[] = {
		{"* X ", "a", 2 * IMAP_LINE_BYTES_MAX, "line longer than"},
		{"* X ", "a ", IMAP_LINE_BYTES_MAX, "line longer than"},
		{"* X ", " ", 2 * IMAP_LINE_BYTES_MAX, "line longer than"},
		{"* X \"", "a", 2 * IMAP_LINE_BYTES_MAX, "line longer than"},
		{"* X \"", "\\a", 2 * IMAP_LINE_BYTES_MAX, "line longer than"},
		{"* X {0", "0", 2 * IMAP_LINE_BYTES_MAX, "line longer than"},
		{"* OK ", "a", 2 * IMAP_LINE_BYTES_MAX, "line longer than"},
		{"* 1 FETCH (BODY[", "a", 2 * IMAP_LINE_BYTES_MAX, "line longer than"},
		{"", "a", 2 * IMAP_LINE_BYTES_MAX, "line longer than"},
		{"", " ", 2 * IMAP_LINE_BYTES_MAX, "line longer than"},
		{"* X", "\r", 2 * IMAP_LINE_BYTES_MAX, "line longer than"},
		{"* X ", "(", 100 * 1000, "nested too deep"},
		{"* X ", "{0}\r\n", 100 * 1000, "too many literals"},
		{"* FLAGS (", "keyword ", 1000 * 1000, "line longer than"},
	};
	struct err err = ERR_INIT;

	for (size_t i = 0; i < ARRAY_LEN(floods); i++) {
		size_t len;
		CLEANUP(freep)
		char *text = repeat(floods[i].head, floods[i].part, floods[i].times, &len);

		CHECK_INT(count_tokens(text, len, len, &err), -1);
		CHECK_INT(err.kind, ERR_PROTOCOL);
		CHECK(strstr(err.text, floods[i].why));
		CHECK_INT(count_tokens(text, len, 1, &err), -1);
		CHECK(strstr(err.text, floods[i].why));
	}
}

static void nul_flood_ends_too(void)
{
	CLEANUP(freep) char *nuls = xcalloc(2, IMAP_LINE_BYTES_MAX);
	struct err err = ERR_INIT;

	CHECK_INT(count_tokens(nuls, 2 * IMAP_LINE_BYTES_MAX, 4096, &err), -1);
}

static void a_line_at_its_limit_is_accepted(void)
{
	size_t len;
	CLEANUP(freep) char *text = repeat("* ", "a", IMAP_LINE_BYTES_MAX - 4, &len);
	struct err err = ERR_INIT;

	text = xrealloc(text, len + 3);
	memcpy(text + len, "\r\n", 3);
	CHECK_INT(count_tokens(text, len + 2, len + 2, &err), 3);
	CHECK_INT(count_tokens(text, len + 2, 1000, &err), 3);
}

/* --- cost --- */

static void a_whole_token_is_not_copied(void)
{
	static const char line[] = "* LIST \"quoted\" {3}\r\nabc text\r\n";
	struct err err = ERR_INIT;
	struct scan scan;
	size_t used, at = 0;

	scan_init(&scan);
	while (at < strlen(line)) {
		struct scan_token token;

		CHECK_OK(scan_next(
			&scan, (const uint8_t *)line + at, strlen(line) - at, &used, &token, &err));
		at += used;
		if (token.data)
			CHECK((const char *)token.data >= line &&
				(const char *)token.data < line + sizeof(line));
	}
	CHECK(scan.piece.data == NULL);
	scan_free(&scan);
}

int main(int argc, char **argv)
{
	static const struct promise promises[] = {
		PROMISE(a_response_becomes_tokens),
		PROMISE(strings_lose_quotes_and_escapes),
		PROMISE(literals_are_announced_streamed_and_ended),
		PROMISE(hostile_literal_sizes_are_exact_or_refused),
		PROMISE(a_huge_literal_costs_no_memory_and_can_be_left),
		PROMISE(sections_are_one_atom),
		PROMISE(codes_are_scanned_and_what_follows_is_text),
		PROMISE(real_servers_deviations_are_tolerated),
		PROMISE(a_line_that_is_no_response_is_not_read_as_one),
		PROMISE(controls_are_refused),
		PROMISE(parentheses_are_counted),
		PROMISE(a_literal_in_the_middle_of_an_atom_is_refused),
		PROMISE(floods_end_in_an_error_that_names_the_limit),
		PROMISE(nul_flood_ends_too),
		PROMISE(a_line_at_its_limit_is_accepted),
		PROMISE(a_whole_token_is_not_copied),
	};
	return check_main(argc, argv, promises, ARRAY_LEN(promises));
}
