/* Problems of a configuration, and its limits. */
#include "config/config.h"

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/str.h"
#include "config/load/texts.h"
#include "support/check.h"
#include "support/config_fixture.h"

enum { PROBLEMS_MAX = 16, TEXT_BYTES_MAX = 16 * 1024 * 1024 };

#define SECRET "hunter2"

/* --- problems and their lines --- */

struct bad {
	const char *text;
	const char *list; /* accounts.tsv, NULL: none */
	const char *problems[PROBLEMS_MAX];
};

#define HOSTED "[template t]\nhost = localhost\n[accounts-from t]\nfile = accounts.tsv\n"

#define BAD_NAME                                                                                   \
	"not a valid account name; expected 1 to 64 of A-Z a-z 0-9 . _ + @ -, no leading dot"
#define ACCOUNT_KEYS                                                                               \
	"address, host, port, tls, tls-ca-file, tls-pin-sha256, user, auth, password-command, "    \
	"password-file, password-credential, token-command, oauth-client-id, "                     \
	"oauth-client-secret-file, oauth-tenant, master-user, mirror, folders, connections, "      \
	"idle-renew, poll, flag-scan, passphrase-command, passphrase-file, key-file, "             \
	"key-credential, keep, keep-deleted, seal-after, guard-threshold, max-message-size or "    \
	"ping-url"

#define FROBNICATE "mailstow.conf:7: frobnicate: unknown key in [account a]; expected " ACCOUNT_KEYS

static const struct bad bad_configs[] = {
	{"[mailstow]\nworker = 4\nnonsense = 1\n[account a]\nhost = h\nprot = 1\nfrobnicate = 1\n",
		NULL,
		{"mailstow.conf:2: worker: unknown key in [mailstow]; did you mean workers?",
			"mailstow.conf:3: nonsense: unknown key in [mailstow]; expected "
			"archive-dir, workers, metrics-listen, metrics-textfile or "
			"notify-command",
			"mailstow.conf:6: prot: unknown key in [account a]; did you mean port?",
			FROBNICATE}},
	{"[acount a]\nhost = h\n[account a]\nhost = h\n[account a]\nhots = h\n", NULL,
		{"mailstow.conf:1: [acount a]: unknown section; expected [mailstow], [account "
		 "NAME], [template NAME] or [accounts-from NAME]",
			"mailstow.conf:5: [account a]: already defined at line 3; define it once"}},
	{"[mailstow]\n[mailstow]\nworkers = 0\n", NULL,
		{"mailstow.conf:2: [mailstow]: already defined at line 1; define it once"}},
	{"[account a]\nhost = h\nport = 1\n\nhost = i\n", NULL,
		{"mailstow.conf:5: host: already set in [account a] at line 2; set it once"}},
	{"[account .a]\nhost = h\n[account a b]\nhost = h\nport = 0\n[account ]\nhost = h\n", NULL,
		{"mailstow.conf:1: [account .a]: " BAD_NAME,
			"mailstow.conf:3: [account a b]: " BAD_NAME,
			"mailstow.conf:5: port: \"0\" is not valid; expected a number from 1 to "
			"65535",
			"mailstow.conf:6: [account ]: " BAD_NAME}},
	{"host = h\n[account a]\nhost = h\nrubbish\n= 1\n[unfinished\nhost = i\n[account b] c\n",
		NULL,
		{"mailstow.conf:1: host: before the first section; expected [mailstow] or "
		 "[account NAME] first",
			"mailstow.conf:4: line: not understood; expected [section], key = value "
			"or ; comment",
			"mailstow.conf:5: line: not understood; expected [section], key = value "
			"or ; comment",
			"mailstow.conf:6: line: not understood; expected [section], key = value "
			"or ; comment",
			"mailstow.conf:8: line: not understood; expected [section], key = value "
			"or ; comment"}},
	{"[account a]\nuser = a\n[account b]\naddress = b@example.org\n", NULL,
		{"mailstow.conf:1: host: missing for account a; expected a host name, the "
		 "address of a known provider, or mirror = no",
			"mailstow.conf:3: host: missing for account b; expected a host name, "
			"the address of a known provider, or mirror = no"}},
	{"[account a]\nhost = imap.example.org\nport = 143\ntls = off\n[account b]\n"
	 "host = 127.0.0.1.example.org\ntls = off\n",
		NULL,
		{"mailstow.conf:4: tls: off is for loopback addresses only; expected implicit "
		 "or starttls",
			"mailstow.conf:7: tls: off is for loopback addresses only; expected "
			"implicit or starttls"}},
	{"[account a]\nhost = h h\naddress = a\nport = 65536\ntls = on\nauth = md5\nmirror = true\n"
	 "tls-pin-sha256 = abc\nuser =\n",
		NULL,
		{"mailstow.conf:2: host: \"h h\" is not valid; expected a host name or address",
			"mailstow.conf:3: address: \"a\" is not valid; expected a mail address "
			"such as a@example.org",
			"mailstow.conf:4: port: \"65536\" is not valid; expected a number from "
			"1 to 65535",
			"mailstow.conf:5: tls: \"on\" is not valid; expected implicit, starttls "
			"or off",
			"mailstow.conf:6: auth: \"md5\" is not valid; expected auto, plain, "
			"login, scram-sha-256, scram-sha-1, xoauth2 or oauthbearer",
			"mailstow.conf:7: mirror: \"true\" is not valid; expected yes or no",
			"mailstow.conf:8: tls-pin-sha256: \"abc\" is not valid; expected "
			"SHA-256 of the server's public key in base64 or hex",
			"mailstow.conf:9: user: \"\" is not valid; expected a login name"}},
	{"[account a]\nhost = h\npoll = 5\nidle-renew = 30m\nflag-scan = 1w\n"
	 "keep-deleted = never\nguard-threshold = 101%\nmax-message-size = 0\nconnections = 21\n",
		NULL,
		{"mailstow.conf:3: poll: \"5\" is not valid; expected a duration from 1s to 7d",
			"mailstow.conf:4: idle-renew: \"30m\" is not valid; expected a duration "
			"from 1s to 29m",
			"mailstow.conf:5: flag-scan: \"1w\" is not valid; expected a duration "
			"from 1s to 365d",
			"mailstow.conf:6: keep-deleted: \"never\" is not valid; expected "
			"forever or a duration such as 90d",
			"mailstow.conf:7: guard-threshold: \"101%\" is not valid; expected 0% "
			"to 100%",
			"mailstow.conf:8: max-message-size: \"0\" is not valid; expected a size "
			"such as 512M (k M G T)",
			"mailstow.conf:9: connections: \"21\" is not valid; expected a number "
			"from 1 to 20"}},
	{"[account a]\nhost = h\nguard-threshold = 30\nfolders = !\npoll = -1s\n"
	 "max-message-size = 99999999999T\nkeep-deleted = 99999999999999d\n",
		NULL,
		{"mailstow.conf:3: guard-threshold: \"30\" is not valid; expected 0% to 100%",
			"mailstow.conf:4: folders: \"!\" is not valid; expected blank-separated "
			"globs, '!' before one excludes",
			"mailstow.conf:5: poll: \"-1s\" is not valid; expected a duration from "
			"1s to 7d",
			"mailstow.conf:6: max-message-size: \"99999999999T\" is not valid; "
			"expected a size such as 512M (k M G T)",
			"mailstow.conf:7: keep-deleted: \"99999999999999d\" is not valid; "
			"expected forever or a duration such as 90d"}},
	{"[mailstow]\nworkers = four\nmetrics-listen = 9477\narchive-dir =\n", NULL,
		{"mailstow.conf:2: workers: \"four\" is not valid; expected a number from 1 to "
		 "64",
			"mailstow.conf:3: metrics-listen: \"9477\" is not valid; expected "
			"ADDRESS:PORT such as 127.0.0.1:9477, or nothing",
			"mailstow.conf:4: archive-dir: \"\" is not valid; expected a folder"}},
	{"[account a]\nhost = h\npassword-command = x\ntoken-command = x\nkey-file = x\n"
	 "passphrase-file = x\n[account b]\nhost = h\nauth = xoauth2\n",
		NULL,
		{"mailstow.conf:4: token-command: password-command is set as well; set only one "
		 "of them",
			"mailstow.conf:5: key-file: passphrase-file is set as well; set only "
			"one of them",
			"mailstow.conf:9: auth: xoauth2 needs token-command or oauth-client-id; "
			"set one of them"}},
	{"[account a]\nhost = h\xff\nuser = a\x01 b\nhost = h\n", NULL,
		{"mailstow.conf:2: line: not UTF-8; expected UTF-8 text",
			"mailstow.conf:3: line: contains a control character; expected UTF-8 "
			"text"}},
	{"[account a\xe2\x80\xae]\nhost = h\n", NULL,
		{"mailstow.conf:1: line: not understood; expected [section], key = value or ; "
		 "comment"}},
	{"[accounts-from t]\n[accounts-from u]\nfile = x\n[template t]\nport = 0\n", NULL,
		{"mailstow.conf:1: file: missing in [accounts-from t]; expected a file of lines "
		 "name<TAB>address<TAB>user",
			"mailstow.conf:2: [accounts-from u]: there is no [template u]; expected "
			"a template of this name",
			"mailstow.conf:5: port: \"0\" is not valid; expected a number from 1 to "
			"65535"}},
	{"[template t]\nhost = localhost\n[accounts-from t]\nfile = nowhere.tsv\n", NULL,
		{"mailstow.conf:4: file: nowhere.tsv: No such file or directory"}},
	{HOSTED,
		"a\nb\tb@example.org\tb\textra\n.c\tc@example.org\nd\td\n"
		"e\te@example.org\ne\te@example.org\n\xff\ta@b\n",
		{"accounts.tsv:1: line: has 1 columns; expected name<TAB>address<TAB>user",
			"accounts.tsv:2: line: has 4 columns; expected name<TAB>address<TAB>user",
			"accounts.tsv:3: name: " BAD_NAME,
			"accounts.tsv:4: address: not a mail address; expected one such as "
			"a@example.org",
			"accounts.tsv:6: name: e is already used at accounts.tsv:5; expected a "
			"name of its own",
			"accounts.tsv:7: line: not UTF-8; expected UTF-8 text"}},
	{HOSTED "[account a]\nhost = h\n", "a\ta@example.org\n",
		{"mailstow.conf:5: name: a is already used at accounts.tsv:1; expected a name "
		 "of its own"}},
	{"[template t]\nport = 993\n[accounts-from t]\nfile = accounts.tsv\n", "a\ta@example.org\n",
		{"accounts.tsv:1: host: missing for account a; expected a host name, the "
		 "address of a known provider, or mirror = no"}},
	{"[template t]\nhost = localhost\npassword-command = get %u\n"
	 "[accounts-from t]\nfile = accounts.tsv\n",
		"a\ta;reboot@example.org\nb\t$(reboot)@example.org\nc\t-rf@example.org\n"
		"d\to'neill@example.org\n",
		{"accounts.tsv:1: address: its local part cannot replace %u in password-command "
		 "of [template t]; expected letters, digits and . _ + = - only, with no "
		 ". or - first",
			"accounts.tsv:2: address: its local part cannot replace %u in "
			"password-command of [template t]; expected letters, digits and "
			". _ + = - only, with no . or - first",
			"accounts.tsv:3: address: its local part cannot replace %u in "
			"password-command of [template t]; expected letters, digits and "
			". _ + = - only, with no . or - first",
			"accounts.tsv:4: address: its local part cannot replace %u in "
			"password-command of [template t]; expected letters, digits and "
			". _ + = - only, with no . or - first"}},
	{"[template t]\nhost = h\npassword-credential = %u\n"
	 "[accounts-from t]\nfile = accounts.tsv\n[account x]\nhost = h\n"
	 "key-credential = ../x\npassword-credential = .x\n",
		"a\ta/../../etc/shadow@example.org\n",
		{"mailstow.conf:8: key-credential: \"../x\" is not valid; expected the name of "
		 "a systemd credential",
			"mailstow.conf:9: password-credential: \".x\" is not valid; expected "
			"the name of a systemd credential",
			"accounts.tsv:1: address: its local part cannot replace %u in "
			"password-credential of [template t]; expected letters, digits "
			"and . _ + = - only, with no . or - first"}},
	{"[template t]\nhost = imap.%d\npassword-file = /secrets/%u\n"
	 "[accounts-from t]\nfile = accounts.tsv\n",
		"a\t..@example.org\nb\ta/../../etc/shadow@example.org\nc\tc@ex\xc3\xa4mple.org\n",
		{"accounts.tsv:1: address: its local part cannot replace %u in password-file of "
		 "[template t]; expected letters, digits and . _ + = - only, with no . "
		 "or - first",
			"accounts.tsv:2: address: its local part cannot replace %u in "
			"password-file of [template t]; expected letters, digits and . "
			"_ + = - only, with no . or - first",
			"accounts.tsv:3: address: its domain cannot replace %d in host of "
			"[template t]; expected letters, digits and . _ + = - only, "
			"with no . or - first"}},
};

static void check_bad(const struct bad *bad)
{
	CLEANUP(freep) char *path = config_path_of("mailstow.conf");
	CLEANUP(str_list_free) struct str_list problems = {0};
	struct config *config = NULL;
	struct err err = ERR_INIT;
	size_t wanted = 0;

	config_write_text("mailstow.conf", bad->text);
	if (bad->list)
		config_write_text("accounts.tsv", bad->list);
	CHECK(!config_load(path, &config, &problems, &err) && !config);
	CHECK_INT(err.kind, ERR_CONFIG);
	CHECK_STR(err.text, problems.items[0]);
	while (wanted < PROBLEMS_MAX && bad->problems[wanted])
		wanted++;
	for (size_t i = 0; i < problems.count || i < wanted; i++) {
		CLEANUP(freep)
		char *shown = i < problems.count ? config_without_folder(problems.items[i]) : NULL;

		CHECK_STR(shown ? shown : "(no more)", i < wanted ? bad->problems[i] : "(none)");
	}
}

static void every_problem_has_its_line_and_what_is_expected(void)
{
	for (size_t i = 0; i < ARRAY_LEN(bad_configs); i++)
		check_bad(&bad_configs[i]);
}

static void check_keep(const char *words, bool good)
{
	CLEANUP(freep) char *text = str_printf("[account a]\nhost = h\nkeep = %s\n", words);
	CLEANUP(freep) char *path = config_path_of("mailstow.conf");
	CLEANUP(config_freep) struct config *config = NULL;
	struct err err = ERR_INIT;

	config_write_text("mailstow.conf", text);
	if (config_load(path, &config, NULL, &err) != good)
		check_fail(__FILE__, __LINE__, "keep = %s", words);
	if (good)
		CHECK_STR(config->accounts[0].keep, words);
}

static void keep_accepts_each_known_rule_once(void)
{
	static const char *const good[] = {"all", "last=1",
		"last=10 hourly=24 daily=30 weekly=8 monthly=24 yearly=10 within=7d"};
	static const char *const bad[] = {"", "none", "last", "last=", "last=0", "last=x",
		"last=-1", "last=1 last=2", "all last=1", "within=7", "within=0d",
		"daily=1,weekly=2", "last=99999999999999999999"};

	for (size_t i = 0; i < ARRAY_LEN(good); i++)
		check_keep(good[i], true);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		check_keep(bad[i], false);
}

/* A secret in a place where it does not belong. */
static const char *const secret_mistakes[] = {
	"[account a]\nhost = h\npassword = " SECRET "\n",
	"[account a]\nhost = h\npassphrase = " SECRET "\ntoken: " SECRET "\n",
	"[account a]\nhost = h\npasword = " SECRET "\n",
	"[account a]\nhost = h\npassword " SECRET "\n",
	"[account a]\nhost = h\npassword " SECRET "==\n",
	"[account a]\nhost = h\n" SECRET "=\x01\n",
	"[account a]\nhost = h\nping-url = " SECRET "\n",
	"[account a]\nhost = h\nping-url = https://h/" SECRET " x\n",
	"[account a]\nhost = h\npassword-command = echo " SECRET "\n"
	"password-command = echo " SECRET "\n",
	"[account a]\nhost = h\npassword-command = echo " SECRET "\npassword-file = x\n",
	"[mailstow]\nnotify-command = x " SECRET "\nnotify-command = x " SECRET "\n",
};
static const char *const secret_lists[] = {
	"a\ta@example.org\ta\t" SECRET "\n",
	"a\t" SECRET "\ta@example.org\n",
	"*" SECRET "\ta@example.org\n",
	SECRET "\n",
};

static void check_hidden(const char *text)
{
	CLEANUP(freep) char *path = config_path_of("mailstow.conf");
	CLEANUP(str_list_free) struct str_list problems = {0};
	struct config *config = NULL;
	struct err err = ERR_INIT;

	config_write_text("mailstow.conf", text);
	CHECK(!config_load(path, &config, &problems, &err));
	CHECK(problems.count > 0 && !strstr(err.text, SECRET));
	for (size_t i = 0; i < problems.count; i++)
		if (strstr(problems.items[i], SECRET))
			check_fail(__FILE__, __LINE__, "%s", problems.items[i]);
}

static void no_problem_repeats_a_secret(void)
{
	for (size_t i = 0; i < ARRAY_LEN(secret_mistakes); i++)
		check_hidden(secret_mistakes[i]);
	for (size_t i = 0; i < ARRAY_LEN(secret_lists); i++) {
		config_write_text("accounts.tsv", secret_lists[i]);
		check_hidden(HOSTED);
	}
}

static void check_one_problem(const void *text, size_t len, const char *wanted)
{
	CLEANUP(freep) char *path = config_path_of("mailstow.conf");
	CLEANUP(str_list_free) struct str_list problems = {0};
	CLEANUP(freep) char *shown = NULL;
	struct config *config = NULL;
	struct err err = ERR_INIT;

	config_write_bytes("mailstow.conf", text, len);
	CHECK(!config_load(path, &config, &problems, &err));
	CHECK_INT(problems.count, 1);
	shown = config_without_folder(problems.items[0]);
	CHECK_STR(shown, wanted);
}

static void text_after_a_nul_byte_is_not_ignored(void)
{
	static const char text[] = "[account a]\nhost = h\n\0tls = off\nport = 1\n";

	check_one_problem(text, sizeof(text) - 1,
		"mailstow.conf:3: line: contains a NUL byte; expected UTF-8 text");
}

static void the_rest_of_a_line_too_long_is_not_a_line(void)
{
	CLEANUP(freep)
	char *text = str_printf("[account a]\nhost = h\nfolders = *%0200dtls = off\n", 0);
	CLEANUP(freep) char *list = str_printf("a\ta@example.org\t%02000d\n", 0);
	CLEANUP(freep) char *comment = str_printf("; %0300d\n[account a]\nhost = h\n", 0);
	CLEANUP(config_freep) struct config *config = config_load_text(comment);

	CHECK_INT(config->accounts_count, 1);
	check_one_problem(text, strlen(text),
		"mailstow.conf:3: line: longer than the limit of 199 bytes; move a long command "
		"into a script");
	config_write_text("accounts.tsv", list);
	check_one_problem(HOSTED, strlen(HOSTED),
		"accounts.tsv:1: line: longer than the limit "
		"of 1024 bytes");
}

static void sections_keys_and_problems_are_limited(void)
{
	CLEANUP(buf_free) struct buf text = BUF_INIT(TEXT_BYTES_MAX);
	CLEANUP(str_list_free) struct str_list problems = {0};
	CLEANUP(freep) char *path = config_path_of("mailstow.conf");
	struct config *config = NULL;
	struct err err = ERR_INIT;

	for (int i = 0; i < 30000; i++)
		CHECK(buf_printf(&text, "[x%d]\n", i));
	config_write_bytes("mailstow.conf", text.data, text.len);
	CHECK(!config_load(path, &config, &problems, &err));
	CHECK_INT(problems.count, CONFIG_PROBLEMS_MAX);
	buf_reset(&text);
	CHECK(buf_add_str(&text, "[account a]\nhost = h\n"));
	for (int i = 0; i < 100; i++)
		CHECK(buf_printf(&text, "x%d = 1\n", i));
	check_one_problem(
		text.data, text.len, "mailstow.conf:66: x63: more than 64 keys in one section");
}

static void an_unreadable_file_is_named(void)
{
	CLEANUP(freep) char *path = config_path_of("nowhere.conf");
	CLEANUP(str_list_free) struct str_list problems = {0};
	struct config *config = NULL;
	struct err err = ERR_INIT;

	CHECK(!config_load(path, &config, &problems, &err));
	CHECK_INT(err.kind, ERR_CONFIG);
	CHECK_INT(problems.count, 0);
	CHECK(strstr(err.text, path) && strstr(err.text, "No such file"));
}

static void a_template_alone_is_not_an_account(void)
{
	CLEANUP(config_freep) struct config *config = config_load_text("[template t]\npoll = 1m\n");

	CHECK_INT(config->accounts_count, 0);
}

static void thousands_of_accounts_load(void)
{
	CLEANUP(buf_free) struct buf list = BUF_INIT(TEXT_BYTES_MAX);
	CLEANUP(config_freep) struct config *config = NULL;

	for (int i = 0; i < CONFIG_ACCOUNTS_MAX; i++)
		CHECK(buf_printf(&list, "user%d\tuser%d@example.org\n", i, i));
	config_write_bytes("accounts.tsv", list.data, list.len);
	config = config_load_text(HOSTED);
	CHECK_INT(config->accounts_count, CONFIG_ACCOUNTS_MAX);
	config_freep(&config);
	CHECK(buf_add_str(&list, "one\tone@example.org\nmore\tmore@example.org\n"));
	config_write_bytes("accounts.tsv", list.data, list.len);
	check_one_problem(
		HOSTED, strlen(HOSTED), "accounts.tsv:20001: line: more than 20000 accounts");
}

int main(int argc, char **argv)
{
	static const struct promise promises[] = {
		PROMISE(every_problem_has_its_line_and_what_is_expected),
		PROMISE(keep_accepts_each_known_rule_once),
		PROMISE(no_problem_repeats_a_secret),
		PROMISE(text_after_a_nul_byte_is_not_ignored),
		PROMISE(the_rest_of_a_line_too_long_is_not_a_line),
		PROMISE(sections_keys_and_problems_are_limited),
		PROMISE(an_unreadable_file_is_named),
		PROMISE(a_template_alone_is_not_an_account),
		PROMISE(thousands_of_accounts_load),
	};

	return check_main(argc, argv, promises, ARRAY_LEN(promises));
}
