/*
 * Any bytes as a folder's name: its path is valid UTF-8 without control characters, and maps back
 * to the same name.
 */
#include <assert.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

#include "base/alloc.h"
#include "base/str.h"
#include "imap/name.h"

enum { INBOX_LEN = 5 };

static const struct server {
	char delimiter;
	const char *prefix;
	bool utf8;
} servers[] = {{'/', "", false}, {'.', "INBOX.", false}, {'/', "Mail/", true}, {'\0', "", false}};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void check_path(const char *path)
{
	assert(str_utf8_valid(path, strlen(path)));
	for (; *path; path++)
		assert((uint8_t)*path >= ' ' && *path != 0x7f);
}

static bool has_empty_level(const char *name, char delimiter)
{
	const char doubled[] = {delimiter, delimiter, '\0'};

	if (!*name || !delimiter)
		return !*name;
	return *name == delimiter || name[strlen(name) - 1] == delimiter || strstr(name, doubled);
}

static void check_wire(const struct server *server, const char *name)
{
	CLEANUP(freep) char *wire = str_printf("%s%s", server->prefix, name);
	CLEANUP(freep)
	char *path = name_to_path(wire, server->delimiter, server->prefix, server->utf8);
	CLEANUP(freep) char *back = NULL;
	size_t any_case = str_starts_case(wire, "INBOX") ? INBOX_LEN : 0;
	bool changed = true;

	check_path(path);
	back = name_from_path(path, server->delimiter, server->prefix, server->utf8, &changed);
	if (has_empty_level(name, server->delimiter)) {
		assert(!back);
		return;
	}
	assert(back && !changed);
	assert(strncasecmp(back, wire, any_case) == 0);
	assert(strcmp(back + any_case, wire + any_case) == 0);
}

/* The same bytes as a path given by a person. */
static void check_written(const struct server *server, const char *path)
{
	bool changed = false;
	CLEANUP(freep)
	char *wire =
		name_from_path(path, server->delimiter, server->prefix, server->utf8, &changed);

	assert(!wire || *wire);
}

static void check_encoding(const char *text)
{
	CLEANUP(freep) char *decoded = utf7_decode(text);
	CLEANUP(freep) char *encoded = utf7_encode(text);
	CLEANUP(freep) char *again = decoded ? utf7_encode(decoded) : NULL;
	CLEANUP(freep) char *text_again = encoded ? utf7_decode(encoded) : NULL;

	assert(!decoded || strcmp(again, text) == 0);
	assert(!encoded || strcmp(text_again, text) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	CLEANUP(freep) char *name = xstrndup((const char *)data, len);

	check_encoding(name);
	for (size_t i = 0; i < ARRAY_LEN(servers); i++) {
		check_wire(&servers[i], name);
		check_written(&servers[i], name);
	}
	return 0;
}
