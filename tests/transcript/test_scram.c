/* SCRAM-SHA-256 with a server that knows the password, or does not (RFC 5802, RFC 7677). */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/crypto.h"
#include "base/str.h"
#include "support/imap/talk.h"

struct scram_server {
	char *first_bare; /* of the client */
	char *first;      /* ours */
	const char *iterations;
	bool lies;
};

static char *decoded(const char *base64)
{
	CLEANUP(freep) uint8_t *data = NULL;
	size_t len;

	if (!base64_decode(base64, strlen(base64), &data, &len))
		return NULL;
	return xstrndup((const char *)data, len);
}

static char *challenge(const char *text)
{
	CLEANUP(freep) char *base64 = base64_encode(text, strlen(text));

	return str_printf("+ %s", base64);
}

static char *scram_server_first(struct scram_server *server, const char *line)
{
	const char *blank = strrchr(line, ' ');
	CLEANUP(freep) char *message = decoded(blank ? blank + 1 : line);

	if (!message || !str_starts(message, "n,,"))
		return NULL;
	server->first_bare = str_printf("%s", message + strlen("n,,"));
	server->first = str_printf("r=%s+server,s=c2FsdA==,i=%s",
		strstr(server->first_bare, "r=") + strlen("r="), server->iterations);
	return challenge(server->first);
}

static char *scram_server_final(struct scram_server *server, const char *line)
{
	CLEANUP(freep) char *message = decoded(line);
	CLEANUP(freep) char *auth = NULL, *base64 = NULL, *final = NULL;
	uint8_t salted[SHA256_BYTES], key[SHA256_BYTES], signature[SHA256_BYTES];

	if (!message || !strstr(message, ",p="))
		return NULL;
	*strstr(message, ",p=") = '\0';
	auth = str_printf("%s,%s,%s", server->first_bare, server->first, message);
	pbkdf2_sha256(TALK_PASSWORD, strlen(TALK_PASSWORD), "salt", 4, 4096, salted);
	hmac_sha256(salted, sizeof(salted), "Server Key", 10, key);
	hmac_sha256(key, sizeof(key), auth, strlen(auth), signature);
	signature[0] ^= server->lies;
	base64 = base64_encode(signature, sizeof(signature));
	final = str_printf("v=%s", base64);
	return challenge(final);
}

static char *scram_serve(void *context, const char *word, const char *line)
{
	return strcmp(word, "first") == 0 ? scram_server_first(context, line)
					  : scram_server_final(context, line);
}

static void scram_free_server(struct scram_server *server)
{
	free(server->first_bare);
	free(server->first);
}

static void scram_begin(struct talk *talk, struct scram_server *server, const char *text)
{
	talk->script = script_new(text);
	script_set_hook(talk->script, scram_serve, server);
}

static void scram_is_preferred_and_proved(void)
{
	static const char *const script[] = {
		GREETED("SASL-IR AUTH=PLAIN AUTH=SCRAM-SHA-256 AUTH=SCRAM-SHA-256-PLUS"),
		"C: a AUTHENTICATE SCRAM-SHA-256 ...\n",
		"H: first\n",
		"c: ...\n",
		"H: final\n",
		"c: \n",
		"S: a OK [CAPABILITY IMAP4rev1] in\n",
		NO_NAMESPACE,
	};
	CLEANUP(talk_end) struct talk talk = {0};
	CLEANUP(scram_free_server) struct scram_server server = {.iterations = "4096"};

	scram_begin(&talk, &server, SCRIPT(script));
	CHECK_TALK(&talk, talk_begin(&talk, NULL));
	CHECK_STR(talk_close(&talk), "");
}

static void scram_refuses_a_server_that_lies(void)
{
	static const char *const script[] = {
		GREETED("SASL-IR AUTH=PLAIN AUTH=SCRAM-SHA-256"),
		"C: a AUTHENTICATE SCRAM-SHA-256 ...\n",
		"H: first\n",
		"c: ...\n",
		"H: final\n",
	};
	CLEANUP(talk_end) struct talk talk = {0};
	CLEANUP(scram_free_server)
	struct scram_server server = {.iterations = "4096", .lies = true};

	scram_begin(&talk, &server, SCRIPT(script));
	CHECK(!talk_begin(&talk, NULL));
	CHECK_INT(talk.err.kind, ERR_SECURITY);
	CHECK_STR(talk_close(&talk), "");
}

static void scram_without_the_servers_proof_is_refused(void)
{
	static const char *const script[] = {
		GREETED("AUTH=SCRAM-SHA-256"),
		"C: a AUTHENTICATE SCRAM-SHA-256\n",
		"S: + \n",
		"c: ...\n",
		"H: first\n",
		"c: ...\n",
		"S: a OK in\n",
	};
	CLEANUP(talk_end) struct talk talk = {0};
	CLEANUP(scram_free_server) struct scram_server server = {.iterations = "4096"};

	scram_begin(&talk, &server, SCRIPT(script));
	CHECK(!talk_begin(&talk, NULL));
	CHECK_INT(talk.err.kind, ERR_SECURITY);
}

static void scram_iterations_are_bounded(void)
{
	static const char *const script[] = {
		GREETED("SASL-IR AUTH=SCRAM-SHA-256 AUTH=PLAIN"),
		"C: a AUTHENTICATE SCRAM-SHA-256 ...\n",
		"H: first\n",
	};
	static const char *const counts[] = {"1", "2147483648", "4294967296"};

	for (size_t i = 0; i < ARRAY_LEN(counts); i++) {
		CLEANUP(talk_end) struct talk talk = {0};
		CLEANUP(scram_free_server) struct scram_server server = {.iterations = counts[i]};

		scram_begin(&talk, &server, SCRIPT(script));
		CHECK(!talk_begin(&talk, NULL));
		CHECK_INT(talk.err.kind, ERR_SECURITY);
		CHECK_STR(talk_close(&talk), "");
	}
}

static void refused_scram_is_not_followed_by_plain(void)
{
	static const char *const script[] = {
		GREETED("SASL-IR AUTH=PLAIN AUTH=SCRAM-SHA-256"),
		"C: a AUTHENTICATE SCRAM-SHA-256 ...\n",
		"S: a NO no such mechanism\n",
	};
	CLEANUP(talk_end) struct talk talk = {0};

	CHECK(!talk_begin(&talk, SCRIPT(script)));
	CHECK_INT(talk.err.kind, ERR_AUTH);
	CHECK_STR(talk_close(&talk), "");
}

int main(int argc, char **argv)
{
	static const struct promise promises[] = {
		PROMISE(scram_is_preferred_and_proved),
		PROMISE(scram_refuses_a_server_that_lies),
		PROMISE(scram_without_the_servers_proof_is_refused),
		PROMISE(scram_iterations_are_bounded),
		PROMISE(refused_scram_is_not_followed_by_plain),
	};

	return check_main(argc, argv, promises, ARRAY_LEN(promises));
}
