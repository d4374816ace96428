/*
 * The floor of a first mirror: logs in, fetches everything of every folder with one bulk UID FETCH
 * each and throws it away. Prints a JSON line with messages, bytes and seconds.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/client.h"

enum { FOLDERS_MAX = 10000 };

static char *folders[FOLDERS_MAX];
static size_t folder_count;

/* Store the folder's wire name from: * LIST (...) "/" name */
static void keep_folder(const char *line)
{
	const char *name = strstr(line, ") \"");

	if (strncmp(line, "* LIST (", 8) != 0 || !name || strstr(line, "\\Noselect"))
		return;
	if (folder_count == FOLDERS_MAX)
		bench_die("too many folders");
	name = strchr(name + 3, ' ');
	folders[folder_count++] = strdup(name + 1);
}

static void list_folders(struct bench_client *client)
{
	bench_send(client, "LIST \"\" \"*\"");
	while (!bench_reply(client, false))
		keep_folder(client->line);
}

static size_t fetch_folder(struct bench_client *client, const char *name)
{
	size_t messages = 0;

	bench_send(client, "EXAMINE %s", name);
	bench_finish(client, false);
	bench_send(client, "UID FETCH 1:* (UID FLAGS INTERNALDATE RFC822.SIZE BODY.PEEK[])");
	while (!bench_reply(client, false))
		messages += strstr(client->line, " FETCH (") != NULL;
	return messages;
}

int main(int argc, char **argv)
{
	static struct bench_client client;
	double start = bench_seconds();
	size_t messages = 0;

	if (argc != 5)
		bench_die("usage: floor HOST PORT CA-FILE USER");
	bench_connect(&client, argv[1], argv[2], argv[3], argv[4]);
	list_folders(&client);
	for (size_t i = 0; i < folder_count; i++)
		messages += fetch_folder(&client, folders[i]);
	bench_close(&client);
	printf("{\"messages\": %zu, \"bytes\": %zu, \"seconds\": %.4f}\n", messages, client.skipped,
		bench_seconds() - start);
	for (size_t i = 0; i < folder_count; i++)
		free(folders[i]);
	return 0;
}
