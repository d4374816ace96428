/* A section more at the end of the file. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fs.h"
#include "config/loading.h"

enum { FILE_MODE = 0600, FOLDER_MODE = 0700, PERMISSIONS = 0777 };

bool config_read_with(const char *path, const char *section, struct buf *ret_text, struct err *err)
{
	const char *between = "";

	buf_reset(ret_text);
	if (fs_exists(path) && !fs_read(path, ret_text, err)) {
		err->kind = ERR_CONFIG;
		return err_wrap(err, "configuration");
	}
	if (ret_text->len > 0)
		between = ret_text->data[ret_text->len - 1] == '\n' ? "\n" : "\n\n";
	return (buf_add_str(ret_text, between) && buf_add_str(ret_text, section)) ||
	       err_set(err, ERR_CONFIG, "%s: longer than %d bytes", path, CONFIG_FILE_BYTES_MAX);
}

static bool make_folder(const char *path, struct err *err)
{
	const char *slash = strrchr(path, '/');
	CLEANUP(freep) char *folder = slash ? xstrndup(path, (size_t)(slash - path)) : NULL;

	return !folder || !folder[0] || fs_make_dirs(folder, FOLDER_MODE, err);
}

/* Who edits through a link keeps the link. A file of somebody else would become ours. */
static bool find_file(const char *path, char **ret_path, mode_t *ret_mode, struct err *err)
{
	struct stat st;

	*ret_mode = FILE_MODE;
	if (!fs_exists(path)) {
		*ret_path = xstrdup(path);
		return make_folder(path, err);
	}
	*ret_path = realpath(path, NULL);
	if (!*ret_path || stat(*ret_path, &st) < 0)
		return err_errno(err, ERR_CONFIG, errno, "%s", path);
	*ret_mode = st.st_mode & PERMISSIONS;
	return st.st_uid == geteuid() ||
	       err_set(err, ERR_AUTH, "%s: belongs to somebody else", path);
}

bool config_add(const char *path, const char *section, struct err *err)
{
	CLEANUP(buf_free) struct buf text = BUF_INIT(CONFIG_FILE_BYTES_MAX);
	CLEANUP(freep) char *file = NULL;
	mode_t mode;

	return find_file(path, &file, &mode, err) && config_read_with(path, section, &text, err) &&
	       fs_write_atomic(file, text.data, text.len, mode, err);
}
