#include "config/default_paths.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fs.h"
#include "base/str.h"

char *config_default_archive_dir(void)
{
	const char *data = getenv("XDG_DATA_HOME");
	const char *home = getenv("HOME");

	if (data && data[0] == '/')
		return str_printf("%s/mailstow", data);
	if (geteuid() != 0 && home)
		return str_printf("%s/.local/share/mailstow", home);
	return xstrdup("/var/lib/mailstow");
}

static void list_config_paths(struct str_list *paths)
{
	const char *xdg = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");

	if (xdg && xdg[0] == '/')
		str_list_take(paths, str_printf("%s/mailstow/mailstow.conf", xdg));
	if (home)
		str_list_take(paths, str_printf("%s/.config/mailstow/mailstow.conf", home));
	str_list_add(paths, "/etc/mailstow/mailstow.conf");
}

bool config_find(const char *given, char **ret_path, struct err *err)
{
	CLEANUP(str_list_free) struct str_list paths = {0};

	if (given) {
		*ret_path = xstrdup(given);
		return true;
	}
	list_config_paths(&paths);
	for (size_t i = 0; i < paths.count; i++) {
		if (fs_exists(paths.items[i])) {
			*ret_path = xstrdup(paths.items[i]);
			return true;
		}
	}
	return err_set(err, ERR_CONFIG,
		"no configuration file: looked for %s%s%s; name one with -c FILE", paths.items[0],
		paths.count > 1 ? " and " : "",
		paths.count > 1 ? paths.items[paths.count - 1] : "");
}

char *config_find_or_place(const char *given)
{
	CLEANUP(str_list_free) struct str_list paths = {0};
	struct err none = ERR_INIT;
	char *path;

	if (config_find(given, &path, &none))
		return path;
	list_config_paths(&paths);
	return xstrdup(paths.items[0]);
}

char *config_state_dir(void)
{
	const char *systemd = getenv("STATE_DIRECTORY"), *xdg = getenv("XDG_STATE_HOME");
	const char *home = getenv("HOME");

	if (systemd && systemd[0] == '/')
		return str_printf("%.*s/state", (int)strcspn(systemd, ":"), systemd);
	if (xdg && xdg[0] == '/')
		return str_printf("%s/mailstow", xdg);
	if (geteuid() != 0 && home)
		return str_printf("%s/.local/state/mailstow", home);
	return xstrdup("/var/lib/mailstow/state");
}
