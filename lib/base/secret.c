#include "base/secret.h"

#include <assert.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/crypto.h"

struct secret *secret_new(size_t len)
{
	struct secret *secret = xcalloc(1, sizeof(*secret));
	size_t page = (size_t)sysconf(_SC_PAGESIZE);

	assert(len > 0 && len <= SECRET_BYTES_MAX);
	secret->len = len;
	secret->mapped = (len + page - 1) / page * page;
	secret->data = mmap(
		NULL, secret->mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (secret->data == MAP_FAILED)
		abort();
	(void)mlock(secret->data, secret->mapped);
	(void)madvise(secret->data, secret->mapped, MADV_DONTDUMP);
	return secret;
}

struct secret *secret_copy(const void *data, size_t len)
{
	struct secret *secret = secret_new(len);

	memcpy(secret->data, data, len);
	return secret;
}

void secret_freep(struct secret **secret)
{
	struct secret *old = *secret;

	if (!old)
		return;
	crypto_wipe(old->data, old->mapped);
	(void)munmap(old->data, old->mapped);
	free(old);
	*secret = NULL;
}

void secret_forbid_dumps(void)
{
	static const struct rlimit none = {0, 0};

	(void)prctl(PR_SET_DUMPABLE, 0);
	(void)setrlimit(RLIMIT_CORE, &none);
}
