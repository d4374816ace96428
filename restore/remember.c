/* Copies of archives, as the state keeps them. */
#include <stdlib.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "restore/app.h"
#include "state/state.h"

void app_remember_copy(const char *archive_path, const char *place)
{
	CLEANUP(freep) char *dir = config_state_dir();
	CLEANUP(freep) char *full = realpath(place, NULL);
	CLEANUP(state_freep) struct state *state = NULL;
	struct state_copy copy = {.copied_ms = clock_wall_ms()};
	struct stat here, there;
	struct err err = ERR_INIT;

	copy.same_disk = stat(archive_path, &here) == 0 && stat(place, &there) == 0 &&
			 here.st_dev == there.st_dev;
	if (!state_open(dir, &state, &err) ||
		!state_put_copy(state, archive_path, full ? full : place, &copy, &err))
		app_warn("%s", err.text);
}
