#include "archive/catalogue/heads.h"

#include <string.h>

#include "base/buf.h"
#include "base/fs.h"
#include "base/str.h"

enum { FILE_MODE = 0600, LINES = 2, FILE_BYTES_MAX = LINES * SHA256_HEX_MAX };

static char *path_in(const char *copy)
{
	return str_printf("%s/copied", copy);
}

static char *lines_of(const uint8_t brought[SHA256_BYTES], const uint8_t *replaced)
{
	char hex[SHA256_HEX_MAX], other[SHA256_HEX_MAX];

	sha256_hex(brought, hex);
	if (!replaced || memcmp(brought, replaced, SHA256_BYTES) == 0)
		return str_printf("%s\n", hex);
	sha256_hex(replaced, other);
	return str_printf("%s\n%s\n", hex, other);
}

bool ancestry_note_copied(const char *copy, const uint8_t brought[SHA256_BYTES],
	const uint8_t *replaced, struct err *err)
{
	CLEANUP(freep) char *path = path_in(copy);
	CLEANUP(freep) char *lines = lines_of(brought, replaced);

	if (ancestry_was_copied(copy, brought) &&
		(!replaced || ancestry_was_copied(copy, replaced)))
		return true;
	return fs_write_atomic(path, lines, strlen(lines), FILE_MODE, err);
}

bool ancestry_was_copied(const char *copy, const uint8_t head[SHA256_BYTES])
{
	CLEANUP(buf_free) struct buf text = BUF_INIT(FILE_BYTES_MAX + 1);
	CLEANUP(freep) char *path = path_in(copy);
	char hex[SHA256_HEX_MAX];
	struct err unreadable = ERR_INIT;

	sha256_hex(head, hex);
	return fs_is_file(path) && fs_read(path, &text, &unreadable) && buf_add(&text, "", 1) &&
	       strstr(buf_str(&text), hex);
}
