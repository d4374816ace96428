#include "support/config_fixture.h"

#include <string.h>

#include "base/alloc.h"
#include "base/fs.h"
#include "base/str.h"
#include "support/check.h"

enum { TEXT_BYTES_MAX = 16 * 1024 * 1024 };

char *config_path_of(const char *name)
{
	return str_printf("%s/%s", check_temp_dir(), name);
}

void config_write_bytes(const char *name, const void *data, size_t len)
{
	CLEANUP(freep) char *path = config_path_of(name);
	struct err err = ERR_INIT;

	CHECK_OK(fs_write_atomic(path, data, len, 0600, &err));
}

void config_write_text(const char *name, const char *text)
{
	config_write_bytes(name, text, strlen(text));
}

char *config_without_folder(const char *text)
{
	CLEANUP(freep) char *folder = config_path_of("");
	struct buf out = BUF_INIT(TEXT_BYTES_MAX);

	while (*text) {
		bool here = str_starts(text, folder);

		CHECK(here || buf_add_byte(&out, (uint8_t)*text));
		text += here ? strlen(folder) : 1;
	}
	return out.len ? buf_take_str(&out) : xstrdup("");
}

struct config *config_load_text(const char *text)
{
	CLEANUP(freep) char *path = config_path_of("mailstow.conf");
	struct config *config = NULL;
	struct err err = ERR_INIT;

	config_write_text("mailstow.conf", text);
	CHECK_OK(config_load(path, &config, NULL, &err));
	return config;
}
