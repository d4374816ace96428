#include "archive/compact/maintenance.h"

#include <assert.h>

#include "archive/catalogue/create.h"
#include "archive/volume/staged.h"
#include "base/fs.h"

bool maintenance_open(struct maintenance *maintenance, const struct archive_ref *archive,
	int timeout_ms, struct err *err)
{
	*maintenance = (struct maintenance){.lock = -1};
	if (!archive_exists(archive->path))
		return err_set(err, ERR_NOT_FOUND, "%s: there is no archive", archive->path);
	if (!staged_lock_and_publish(archive->path, timeout_ms, &maintenance->lock, err) ||
		!create_missing_catalogue(archive, err) ||
		!packer_open(&maintenance->packer, archive, ARCHIVE_VOLUME_BYTES, NULL, err))
		return false;
	assert(maintenance->lock >= 0); /* what reclaim and rewrite rely on */
	maintenance->open = true;
	maintenance->zstd = zstd_new();
	return true;
}

void maintenance_end(struct maintenance *maintenance)
{
	if (maintenance->open)
		packer_close(&maintenance->packer);
	maintenance->open = false;
	zstd_freep(&maintenance->zstd);
}

void maintenance_close(struct maintenance *maintenance)
{
	maintenance_end(maintenance);
	if (maintenance->lock >= 0)
		fs_unlock(&maintenance->lock);
}
