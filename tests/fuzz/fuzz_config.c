/*
 * Any bytes as a configuration and, after a line of five '=', as the list of accounts it may name
 * (accounts.tsv). It is refused with printable problems, or gives usable accounts.
 */
#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "config/config.h"

static char folder[] = "/tmp/fuzz-config-XXXXXX";
static char *config_path, *list_path;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void remove_folder(void)
{
	(void)unlink(config_path);
	(void)unlink(list_path);
	(void)rmdir(folder);
	free(config_path);
	free(list_path);
}

static void make_folder(void)
{
	bool made = mkdtemp(folder) != NULL;

	assert(made);
	config_path = str_printf("%s/mailstow.conf", folder);
	list_path = str_printf("%s/accounts.tsv", folder);
	(void)atexit(remove_folder);
}

static void write_file(const char *path, const uint8_t *data, size_t len)
{
	FILE *file = fopen(path, "wb");
	bool written = file && fwrite(data, 1, len, file) == len && fclose(file) == 0;

	assert(written);
}

static void check_printable(const char *text)
{
	CLEANUP(freep) char *shown = str_printable(text, strlen(text), strlen(text) * 8);

	assert(strcmp(text, shown) == 0);
}

static void check_account(const struct config *config, const struct config_account *account)
{
	CLEANUP(freep) char *path = str_printf("%s/%s", config->archive_dir, account->name);

	assert(config_name_valid(account->name));
	assert(strcmp(path, account->archive_path) == 0);
	assert(account->host[0] && account->user[0] && account->address && account->keep);
	assert(account->port > 0 && account->connections > 0 && account->folders.count > 0);
	assert(account->idle_renew_ms > 0 && account->poll_ms > 0 && account->flag_scan_ms > 0);
	assert(!strpbrk(account->user, "\r\n") && !strpbrk(account->host, "\r\n /"));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static const char border[] = "\n=====\n";
	CLEANUP(config_freep) struct config *config = NULL;
	CLEANUP(str_list_free) struct str_list problems = {0};
	const uint8_t *list = memmem(data, len, border, strlen(border));
	size_t config_len = list ? (size_t)(list - data) + 1 : len;
	struct err err = ERR_INIT;

	if (!config_path)
		make_folder();
	list = list ? list + strlen(border) : data + len;
	write_file(config_path, data, config_len);
	write_file(list_path, list, (size_t)(data + len - list));
	if (!config_load(config_path, &config, &problems, &err)) {
		assert(err.kind == ERR_CONFIG);
		assert(problems.count > 0 && problems.count <= CONFIG_PROBLEMS_MAX);
		for (size_t i = 0; i < problems.count; i++)
			check_printable(problems.items[i]);
	}
	for (size_t i = 0; config && i < config->accounts_count; i++)
		check_account(config, &config->accounts[i]);
	return 0;
}
