/*
 * The floor of a restore: appends what `tools/make_mail.py --spool` wrote, with LITERAL+ and 64
 * commands in flight. Everything is in memory before the clock starts. Prints a JSON line.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/client.h"

enum { IN_FLIGHT_MAX = 64, MESSAGES_MAX = 1000 * 1000, PATH_BYTES = 4096 };

struct letter {
	char *folder, *flags, *date; /* into line */
	char *line, *content;
	size_t size;
};

static void load_content(const char *dir, const char *name, struct letter *letter)
{
	char path[PATH_BYTES];
	FILE *file;
	long size;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	file = fopen(path, "rb");
	if (!file || fseek(file, 0, SEEK_END) < 0 || (size = ftell(file)) < 0)
		bench_die("%s: cannot read", path);
	rewind(file);
	letter->size = (size_t)size;
	letter->content = malloc(letter->size + 1);
	if (!letter->content || fread(letter->content, 1, letter->size, file) != letter->size)
		bench_die("%s: cannot read", path);
	fclose(file);
}

static bool load_letter(FILE *index, const char *dir, struct letter *letter)
{
	size_t room = 0;
	ssize_t len = getline(&letter->line, &room, index);
	char *rest = letter->line, *name;

	if (len <= 0) {
		free(letter->line);
		return false;
	}
	letter->line[len - 1] = '\0';
	name = strsep(&rest, "\t");
	letter->folder = strsep(&rest, "\t");
	letter->flags = strsep(&rest, "\t");
	letter->date = rest;
	if (!letter->date)
		bench_die("index.tsv: a line lacks columns");
	load_content(dir, name, letter);
	return true;
}

static size_t load(const char *dir, struct letter **ret_letters)
{
	char path[PATH_BYTES];
	struct letter *letters = calloc(MESSAGES_MAX, sizeof(*letters));
	FILE *index;
	size_t count = 0;

	snprintf(path, sizeof(path), "%s/index.tsv", dir);
	index = fopen(path, "r");
	if (!letters || !index)
		bench_die("%s: cannot read", path);
	while (count < MESSAGES_MAX && load_letter(index, dir, &letters[count]))
		count++;
	fclose(index);
	*ret_letters = letters;
	return count;
}

/* A folder name as a quoted string. */
static const char *quoted(const char *name)
{
	static char text[BENCH_LINE_BYTES / 2];
	size_t len = 0;

	text[len++] = '"';
	for (; *name && len < sizeof(text) - 3; name++) {
		if (*name == '"' || *name == '\\')
			text[len++] = '\\';
		text[len++] = *name;
	}
	memcpy(text + len, "\"", 2);
	return text;
}

static void append(struct bench_client *client, const struct letter *letter)
{
	char text[BENCH_LINE_BYTES];
	int len = snprintf(text, sizeof(text), "a%u APPEND %s (%s) \"%s\" {%zu+}\r\n",
		++client->tag, quoted(letter->folder), letter->flags, letter->date, letter->size);

	if (len < 0 || (size_t)len >= sizeof(text))
		bench_die("command too long");
	bench_write(client, text, (size_t)len);
	bench_write(client, letter->content, letter->size);
	bench_write(client, "\r\n", 2);
}

static void upload(struct bench_client *client, const struct letter *letters, size_t count)
{
	size_t in_flight = 0;

	for (size_t i = 0; i < count; i++) {
		if (i == 0 || strcmp(letters[i].folder, letters[i - 1].folder) != 0) {
			for (; in_flight > 0; in_flight--)
				bench_finish(client, false);
			bench_send(client, "CREATE %s", quoted(letters[i].folder));
			bench_finish(client, true);
		}
		append(client, &letters[i]);
		if (++in_flight == IN_FLIGHT_MAX) {
			bench_finish(client, false);
			in_flight--;
		}
	}
	for (; in_flight > 0; in_flight--)
		bench_finish(client, false);
}

int main(int argc, char **argv)
{
	static struct bench_client client;
	struct letter *letters;
	size_t count, bytes = 0;
	double start;

	if (argc != 6)
		bench_die("usage: uploader HOST PORT CA-FILE USER SPOOL-DIR");
	count = load(argv[5], &letters);
	start = bench_seconds();
	bench_connect(&client, argv[1], argv[2], argv[3], argv[4]);
	upload(&client, letters, count);
	bench_close(&client);
	for (size_t i = 0; i < count; i++) {
		bytes += letters[i].size;
		free(letters[i].line);
		free(letters[i].content);
	}
	free(letters);
	printf("{\"messages\": %zu, \"bytes\": %zu, \"seconds\": %.4f}\n", count, bytes,
		bench_seconds() - start);
	return 0;
}
