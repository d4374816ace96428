#include "config/config_file.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fs.h"
#include "base/str.h"
#include "config/config_limits.h"

enum { FILE_MODE = 0600, FOLDER_MODE = 0700, PERMISSIONS = 0777 };

bool config_read_file(const char *path, struct buf *ret_text, struct err *err)
{
	if (fs_read(path, ret_text, err))
		return true;
	err->kind = ERR_CONFIG;
	return err_wrap(err, "configuration");
}

bool config_read_with(const char *path, const char *section, struct buf *ret_text, struct err *err)
{
	const char *between = "";

	buf_reset(ret_text);
	if (fs_exists(path) && !config_read_file(path, ret_text, err))
		return false;
	if (ret_text->len > 0)
		between = ret_text->data[ret_text->len - 1] == '\n' ? "\n" : "\n\n";
	return (buf_add_str(ret_text, between) && buf_add_str(ret_text, section)) ||
	       err_set(err, ERR_CONFIG, "%s: longer than %d bytes", path, CONFIG_FILE_BYTES_MAX);
}

static bool make_parent_folder(const char *path, struct err *err)
{
	const char *slash = strrchr(path, '/');
	CLEANUP(freep) char *folder = slash ? xstrndup(path, (size_t)(slash - path)) : NULL;

	return !folder || !folder[0] || fs_make_dirs(folder, FOLDER_MODE, err);
}

/* Resolves links, so that the link itself survives the replacement. Refuses another user's file:
 * replacing it would make it ours. */
static bool resolve_target(const char *path, char **ret_path, mode_t *ret_mode, struct err *err)
{
	struct stat st;

	*ret_mode = FILE_MODE;
	if (!fs_exists(path)) {
		*ret_path = xstrdup(path);
		return make_parent_folder(path, err);
	}
	*ret_path = realpath(path, NULL);
	if (!*ret_path || stat(*ret_path, &st) < 0)
		return err_errno(err, ERR_CONFIG, errno, "%s", path);
	*ret_mode = st.st_mode & PERMISSIONS;
	return st.st_uid == geteuid() ||
	       err_set(err, ERR_AUTH,
		       "%s: belongs to another user; run this as its owner, or give your own file "
		       "with -c FILE",
		       path);
}

bool config_add(const char *path, const char *section, struct err *err)
{
	CLEANUP(buf_free) struct buf text = BUF_INIT(CONFIG_FILE_BYTES_MAX);
	CLEANUP(freep) char *file = NULL;
	mode_t mode;

	return resolve_target(path, &file, &mode, err) &&
	       config_read_with(path, section, &text, err) &&
	       fs_write_atomic(file, text.data, text.len, mode, err);
}
