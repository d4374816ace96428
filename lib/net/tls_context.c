#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <sys/stat.h>

#include <openssl/err.h>

#include "base/alloc.h"
#include "net/tls_trust.h"

enum { TLS_READ_AHEAD_BYTES = 64 * 1024 };

/* What a CA file looked like when it was loaded. */
struct ca_version {
	dev_t device;
	ino_t inode;
	off_t size_bytes;
	struct timespec changed;
};

struct cached_context {
	char *ca_file; /* NULL: the system's */
	struct ca_version version;
	SSL_CTX *context;
};

static pthread_mutex_t known_lock = PTHREAD_MUTEX_INITIALIZER;
static struct cached_context known[TLS_CONTEXTS_MAX];
static size_t known_count;
static size_t oldest; /* replaced next when all are used */

static void context_freep(SSL_CTX **context)
{
	SSL_CTX_free(*context);
	*context = NULL;
}

static bool read_version(const char *ca_file, struct ca_version *ret_version, struct err *err)
{
	struct stat file = {0};

	if (ca_file && stat(ca_file, &file) < 0) {
		(void)err_errno(err, ERR_CONFIG, errno, "CA file %s", ca_file);
		return false;
	}
	*ret_version = (struct ca_version){file.st_dev, file.st_ino, file.st_size, file.st_mtim};
	return true;
}

static bool same_version(const struct ca_version *a, const struct ca_version *b)
{
	return a->device == b->device && a->inode == b->inode && a->size_bytes == b->size_bytes &&
	       a->changed.tv_sec == b->changed.tv_sec && a->changed.tv_nsec == b->changed.tv_nsec;
}

static bool load_trusted(SSL_CTX *context, const char *ca_file, struct err *err)
{
	int ok = ca_file ? SSL_CTX_load_verify_file(context, ca_file)
			 : SSL_CTX_set_default_verify_paths(context);

	ERR_clear_error();
	if (ok == 1)
		return true;
	if (!ca_file)
		return err_set(err, ERR_LOCAL, "cannot load the system's CA certificates");
	return err_set(err, ERR_CONFIG, "CA file %s: holds no certificate in PEM format", ca_file);
}

static bool load(const char *ca_file, SSL_CTX **ret_context, struct err *err)
{
	CLEANUP(context_freep) SSL_CTX *context = SSL_CTX_new(TLS_client_method());

	if (!context)
		return err_set(err, ERR_LOCAL, "OpenSSL cannot create a TLS context");
	/* openssl.cnf may demand a later version, never allow an earlier one */
	if (SSL_CTX_get_min_proto_version(context) < TLS1_2_VERSION &&
		SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) != 1)
		return err_set(err, ERR_LOCAL, "OpenSSL does not support TLS 1.2");
	SSL_CTX_set_options(
		context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_NO_TICKET);
	SSL_CTX_clear_options(context, SSL_OP_IGNORE_UNEXPECTED_EOF);
	SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE);
	/* One recv(2) reads many records; otherwise each costs two calls. */
	SSL_CTX_set_read_ahead(context, 1);
	SSL_CTX_set_default_read_buffer_len(context, TLS_READ_AHEAD_BYTES);
	(void)SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
	if (!load_trusted(context, ca_file, err))
		return false;
	*ret_context = TAKE(context);
	return true;
}

static struct cached_context *find(const char *ca_file)
{
	for (size_t i = 0; i < known_count; i++) {
		const char *name = known[i].ca_file;

		if (name == ca_file || (name && ca_file && strcmp(name, ca_file) == 0))
			return &known[i];
	}
	return NULL;
}

static struct cached_context *make_room(void)
{
	struct cached_context *entry;

	if (known_count < TLS_CONTEXTS_MAX)
		return &known[known_count++];
	entry = &known[oldest];
	oldest = (oldest + 1) % TLS_CONTEXTS_MAX;
	return entry;
}

/* Takes the context. Streams that use the one before have references of their own. */
static void replace_entry(struct cached_context *entry, const char *ca_file,
	const struct ca_version *version, SSL_CTX *context)
{
	char *name = ca_file ? xstrdup(ca_file) : NULL;

	free(entry->ca_file);
	SSL_CTX_free(entry->context);
	*entry = (struct cached_context){name, *version, context};
}

static bool find_or_load(const char *ca_file, SSL_CTX **ret_context, struct err *err)
{
	struct cached_context *entry = find(ca_file);
	struct ca_version version;
	SSL_CTX *context = NULL;
	int ok;

	if (!read_version(ca_file, &version, err))
		return false;
	if (!entry || !same_version(&entry->version, &version)) {
		if (!load(ca_file, &context, err))
			return false;
		if (!entry)
			entry = make_room();
		replace_entry(entry, ca_file, &version, context);
	}
	ok = SSL_CTX_up_ref(entry->context);
	assert(ok == 1);
	*ret_context = entry->context;
	return true;
}

bool tls_context(const char *ca_file, SSL_CTX **ret_context, struct err *err)
{
	bool done;

	(void)pthread_mutex_lock(&known_lock);
	done = find_or_load(ca_file, ret_context, err);
	(void)pthread_mutex_unlock(&known_lock);
	return done;
}

bool tls_check_ca_file(const char *path, struct err *err)
{
	SSL_CTX *context = NULL;

	if (!tls_context(path, &context, err))
		return false;
	SSL_CTX_free(context);
	return true;
}
