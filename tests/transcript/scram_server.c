#include "transcript/scram_server.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/crypto.h"
#include "base/str.h"
#include "transcript/talk.h"

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

static char *first_message(struct scram_server *server, const char *iterations, const char *line)
{
	const char *blank = strrchr(line, ' ');
	CLEANUP(freep) char *message = decoded(blank ? blank + 1 : line);

	if (!message || !str_starts(message, "n,,") || !strstr(message, "r="))
		return NULL;
	scram_server_free(server);
	server->first_bare = str_printf("%s", message + strlen("n,,"));
	server->first = str_printf("r=%s+server,s=c2FsdA==,i=%s",
		strstr(server->first_bare, "r=") + strlen("r="), iterations);
	return challenge(server->first);
}

static char *final_message(struct scram_server *server, bool honest, const char *line)
{
	CLEANUP(freep) char *message = decoded(line);
	CLEANUP(freep) char *auth = NULL, *base64 = NULL, *final = NULL;
	uint8_t salted[SHA256_BYTES], key[SHA256_BYTES], signature[SHA256_BYTES];

	if (!message || !strstr(message, ",p=") || !server->first)
		return NULL;
	*strstr(message, ",p=") = '\0';
	auth = str_printf("%s,%s,%s", server->first_bare, server->first, message);
	pbkdf2_sha256(TALK_PASSWORD, strlen(TALK_PASSWORD), "salt", 4, 4096, salted);
	hmac_sha256(salted, sizeof(salted), "Server Key", 10, key);
	hmac_sha256(key, sizeof(key), auth, strlen(auth), signature);
	signature[0] ^= !honest;
	base64 = base64_encode(signature, sizeof(signature));
	final = str_printf("v=%s", base64);
	return challenge(final);
}

char *scram_server_answer(void *context, const char *word, const char *client_line)
{
	if (str_starts(word, "first "))
		return first_message(context, word + strlen("first "), client_line);
	if (strcmp(word, "final") == 0 || strcmp(word, "false-final") == 0)
		return final_message(context, strcmp(word, "final") == 0, client_line);
	return NULL;
}

void scram_server_free(struct scram_server *server)
{
	free(server->first_bare);
	free(server->first);
	*server = (struct scram_server){0};
}
