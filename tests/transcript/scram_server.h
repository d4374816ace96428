/*
 * The server's side of SCRAM-SHA-256 (RFC 5802, RFC 7677) for the user and password of
 * transcript/talk.h, as a hook of a script:
 *
 *	H: first 4096    the server's first message, with this iteration count
 *	H: final         its proof that it knows the password
 *	H: false-final   a wrong proof
 */
#ifndef MAILSTOW_TESTS_TRANSCRIPT_SCRAM_SERVER_H
#define MAILSTOW_TESTS_TRANSCRIPT_SCRAM_SERVER_H

struct scram_server {
	char *first_bare; /* of the client */
	char *first;      /* ours */
};

/* A script_hook; context is a struct scram_server. */
char *scram_server_answer(void *context, const char *word, const char *client_line);
void scram_server_free(struct scram_server *server);

#endif
