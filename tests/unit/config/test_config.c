/* Valid configurations, their values, and secrets. */
#include "config/config.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fs.h"
#include "base/str.h"
#include "config/load/texts.h"
#include "support/check.h"
#include "support/config_fixture.h"

enum { MINUTE_MS = 60000, DAY_MS = 86400000 };

#define SECRET "hunter2"

/* --- valid configurations --- */

static void the_example_of_the_manual_is_understood(void)
{
	CLEANUP(config_freep)
	struct config *config = config_load_text(
		"\xef\xbb\xbf[mailstow]\r\n"
		"archive-dir = /mail  ; default $XDG_DATA_HOME/mailstow\r\n"
		"workers = 4\nmetrics-listen =  ; empty = off\nmetrics-textfile =\n"
		"notify-command =\n\n[account alice]\naddress = alice@example.org\n"
		"  host = imap.example.org\n  port = 993\ntls = implicit\ntls-ca-file =\n"
		"tls-pin-sha256 =\nuser = alice\nauth = auto\n"
		"password-command = pass show mail/alice     ; or password-file\n"
		"oauth-client-id =\nmaster-user =\nmirror = yes\n# comment\nfolders = *\n"
		"connections = 2\nidle-renew = 9m\npoll = 5m\nflag-scan = 1h\n"
		"passphrase-command =\nkeep = all\nkeep-deleted = forever\n"
		"seal-after = 20m\nguard-threshold = 30%\nmax-message-size = 512M\nping-url =\n");
	const struct config_account *account = config_account(config, "alice");

	CHECK_INT(config->accounts_count, 1);
	CHECK_INT(config->workers, 4);
	CHECK(!config->metrics_listen && !config->notify_command);
	CHECK(account && account == config_account(config, "ALICE@example.org"));
	CHECK_STR(account->host, "imap.example.org");
	CHECK_STR(account->password.command, "pass show mail/alice");
	CHECK_STR(account->archive_path, "/mail/alice");
	CHECK(!account->tls_ca_file && !account->tls_pin_sha256 && !account->master_user);
	CHECK(!account->passphrase.command && !account->ping_url && account->mirror);
	CHECK_INT(account->keep_deleted_ms, -1);
	CHECK_INT(account->seal_after_ms, 20 * MINUTE_MS);
	CHECK_INT(account->max_message_bytes, 512LL << 20);
}

static void missing_keys_have_defaults(void)
{
	CLEANUP(config_freep)
	struct config *config =
		config_load_text("[account a]\nhost = h\n[account b]\nhost = ::1\ntls = starttls\n"
				 "address = b@example.org\nmirror = no\n");
	const struct config_account *a = config_account(config, "a");
	const struct config_account *b = config_account(config, "b");

	CHECK_INT(config->workers, 4);
	CHECK_STR(a->user, "a");
	CHECK_STR(a->address, "");
	CHECK_INT(a->port, 993);
	CHECK_INT(a->tls, CONFIG_TLS_IMPLICIT);
	CHECK_INT(a->auth, CONFIG_AUTH_AUTO);
	CHECK_INT(a->connections, 2);
	CHECK_INT(a->idle_renew_ms, 9 * MINUTE_MS);
	CHECK_INT(a->poll_ms, 5 * MINUTE_MS);
	CHECK_INT(a->flag_scan_ms, 60 * MINUTE_MS);
	CHECK_INT(a->seal_after_ms, 10 * MINUTE_MS);
	CHECK_INT(a->guard_percent, 30);
	CHECK_STR(a->keep, "all");
	CHECK_INT(a->folders.count, 1);
	CHECK_STR(b->user, "b@example.org");
	CHECK_INT(b->port, 143);
	CHECK(!b->mirror);
}

static void tls_can_be_off_on_loopback(void)
{
	static const char *const hosts[] = {"localhost", "127.0.0.1", "127.3.2.1", "::1"};

	for (size_t i = 0; i < ARRAY_LEN(hosts); i++) {
		CLEANUP(freep)
		char *text = str_printf("[account a]\nhost = %s\ntls = off\n", hosts[i]);
		CLEANUP(config_freep) struct config *config = config_load_text(text);

		CHECK_INT(config->accounts[0].tls, CONFIG_TLS_OFF);
	}
}

static void hosts_are_names_or_addresses(void)
{
	static const char *const good[] = {"imap.example.org", "a_b", "192.0.2.1", "2001:db8::1",
		"fe80::1%eth0", "xn--mller-kva.example", "localhost."};
	static const char *const bad[] = {"", ".a", "-a", "a b", "a/b", "[::1]", "::1%", "::1%a b",
		"::1%a/b", "1:2", "h:993", "imap://h", "m\xc3\xbcller.example"};

	for (size_t i = 0; i < ARRAY_LEN(good); i++)
		if (!text_is_host(good[i]))
			check_fail(__FILE__, __LINE__, "%s is refused", good[i]);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		if (text_is_host(bad[i]))
			check_fail(__FILE__, __LINE__, "%s is accepted", bad[i]);
}

static void hosts_of_providers_follow_from_the_address(void)
{
	static const char *const hosts[][2] = {{"gmail.com", "imap.gmail.com"},
		{"GoogleMail.com", "imap.gmail.com"}, {"outlook.com", "outlook.office365.com"},
		{"fastmail.com", "imap.fastmail.com"}, {"gmx.de", "imap.gmx.net"},
		{"web.de", "imap.web.de"}, {"icloud.com", "imap.mail.me.com"},
		{"yahoo.com", "imap.mail.yahoo.com"}, {"mailbox.org", "imap.mailbox.org"}};

	for (size_t i = 0; i < ARRAY_LEN(hosts); i++) {
		CLEANUP(freep)
		char *text = str_printf("[account a]\naddress = somebody@%s\n", hosts[i][0]);
		CLEANUP(config_freep) struct config *config = config_load_text(text);

		CHECK_STR(config->accounts[0].host, hosts[i][1]);
		CHECK_INT(config->accounts[0].port, 993);
	}
}

static void relative_paths_start_at_the_configuration_file(void)
{
	CLEANUP(config_freep)
	struct config *config =
		config_load_text("[mailstow]\narchive-dir = archives\n[account a]\nhost = h\n"
				 "password-file = ~/secret\ntls-ca-file = /etc/ca.pem\n");
	CLEANUP(freep) char *home = fs_expand_home("~/secret");
	CLEANUP(freep) char *archives = config_path_of("archives/a");

	CHECK_STR(config->accounts[0].password.file, home);
	CHECK_STR(config->accounts[0].tls_ca_file, "/etc/ca.pem");
	CHECK_STR(config->accounts[0].archive_path, archives);
}

/* --- templates --- */

static void each_line_of_a_list_is_an_account(void)
{
	CLEANUP(freep) char *file = config_path_of("secrets/carol");
	CLEANUP(config_freep) struct config *config = NULL;
	const struct config_account *carol, *dave;

	config_write_text("accounts.tsv",
		"\xef\xbb\xbf# customers\r\n\r\n"
		"carol\tcarol@example.org\r\ndave\td.o'h@example.net\tdh@legacy\n");
	config = config_load_text(
		"[account first]\nhost = h\n[accounts-from t]\nfile = accounts.tsv\n"
		"[template t]\nhost = imap.%d\npassword-file = secrets/carol\n"
		"guard-threshold = 20%\nmaster-user = admin%%%u\npoll = 1m\n"
		"[account last]\nhost = h\n");
	CHECK_INT(config->accounts_count, 4);
	carol = &config->accounts[1];
	dave = &config->accounts[2];
	CHECK_STR(carol->name, "carol");
	CHECK_STR(carol->host, "imap.example.org");
	CHECK_STR(carol->user, "carol@example.org");
	CHECK_STR(carol->password.file, file);
	CHECK_STR(carol->master_user, "admin%carol");
	CHECK_INT(carol->guard_percent, 20);
	CHECK_INT(carol->poll_ms, MINUTE_MS);
	CHECK_STR(dave->address, "d.o'h@example.net");
	CHECK_STR(dave->user, "dh@legacy");
	CHECK_STR(dave->host, "imap.example.net");
	CHECK_STR(dave->master_user, "admin%d.o'h");
	CHECK_STR(config->accounts[3].name, "last");
}

static void a_template_sets_user_names(void)
{
	CLEANUP(config_freep) struct config *config = NULL;

	config_write_text("accounts.tsv", "a\ta@example.org\nb\tb@example.org\tbee\n");
	config = config_load_text(
		"[template t]\nhost = h\nuser = %u.%d\npassword-command = get '%u' %d\n"
		"[accounts-from t]\nfile = accounts.tsv\n");
	CHECK_STR(config->accounts[0].user, "a.example.org");
	CHECK_STR(config->accounts[0].password.command, "get 'a' example.org");
	CHECK_STR(config->accounts[1].user, "bee");
}

/* --- files and secrets --- */

static void an_account_that_is_not_mirrored_needs_no_host(void)
{
	CLEANUP(config_freep)
	struct config *config = config_load_text("[account a]\nmirror = no\n");

	CHECK_STR(config->accounts[0].host, "");
	CHECK(!config->accounts[0].mirror);
}

/* --- writing --- */

static void check_added(const char *before, const char *after)
{
	CLEANUP(freep) char *path = config_path_of("sub/mailstow.conf");
	CLEANUP(buf_free) struct buf text = BUF_INIT(CONFIG_FILE_BYTES_MAX);
	CLEANUP(config_freep) struct config *config = NULL;
	static const char section[] = "[account new]\nmirror = no\n";
	struct err err = ERR_INIT;

	CHECK_OK(fs_remove(path, &err));
	if (before)
		CHECK_OK(fs_write_atomic(path, before, strlen(before), 0640, &err));
	CHECK_OK(config_load_with(path, section, &config, NULL, &err));
	CHECK(config_account(config, "new") != NULL);
	CHECK(!before || fs_exists(path));
	CHECK_OK(config_add(path, section, &err));
	CHECK_OK(fs_read(path, &text, &err));
	CHECK_STR(buf_str(&text), after);
}

static void a_section_is_appended(void)
{
	CLEANUP(freep) char *folder = config_path_of("sub");
	CLEANUP(freep) char *path = config_path_of("sub/mailstow.conf");
	CLEANUP(freep) char *link = config_path_of("link.conf");
	struct err err = ERR_INIT;
	struct stat st;

	CHECK_OK(fs_make_dirs(folder, 0700, &err));
	check_added("# mine\n[account a]\nhost = h", "# mine\n[account a]\nhost = h\n\n"
						     "[account new]\nmirror = no\n");
	check_added("", "[account new]\nmirror = no\n");
	CHECK(stat(path, &st) == 0 && (st.st_mode & 0777) == 0640);
	CHECK_INT(symlink(path, link), 0);
	CHECK_OK(config_add(link, "[account b]\nmirror = no\n", &err));
	CHECK(lstat(link, &st) == 0 && S_ISLNK(st.st_mode));
	CHECK_OK(fs_remove(path, &err));
	CHECK_INT(rmdir(folder), 0);
	CHECK_OK(config_add(path, "[account b]\nmirror = no\n", &err));
	CHECK(stat(path, &st) == 0 && (st.st_mode & 0777) == 0600);
	CHECK(stat(folder, &st) == 0 && (st.st_mode & 0777) == 0700);
}

static void a_section_is_checked_before_it_is_appended(void)
{
	CLEANUP(freep) char *path = config_path_of("mailstow.conf");
	CLEANUP(str_list_free) struct str_list problems = {0};
	struct config *config = NULL;
	struct err err = ERR_INIT;

	config_write_text("mailstow.conf", "[account a]\nhost = h\n");
	CHECK(!config_load_with(path, "[account a]\nprot = 1\n", &config, &problems, &err));
	CHECK_INT(err.kind, ERR_CONFIG);
	CHECK(problems.count > 0);
}

static void only_checking_looks_at_files(void)
{
	CLEANUP(freep) char *path = config_path_of("mailstow.conf");
	CLEANUP(freep) char *open_file = config_path_of("open");
	CLEANUP(config_freep)
	struct config *config = config_load_text("[account a]\nhost = h\npassword-file = open\n"
						 "tls-ca-file = nowhere.pem\nkey-file = .\n");
	CLEANUP(str_list_free) struct str_list problems = {0};
	CLEANUP(freep) char *first = NULL, *second = NULL, *third = NULL;
	struct err err = ERR_INIT;

	CHECK_INT(config->accounts_count, 1);
	config_write_text("open", SECRET);
	CHECK_INT(chmod(open_file, 0640), 0);
	CHECK(!config_check(path, &problems, &err));
	CHECK_INT(problems.count, 3);
	first = config_without_folder(problems.items[0]);
	second = config_without_folder(problems.items[1]);
	third = config_without_folder(problems.items[2]);
	CHECK_STR(first, "mailstow.conf:3: password-file: open: accessible to others (mode "
			 "0640); expected mode 0600");
	CHECK_STR(second, "mailstow.conf:4: tls-ca-file: nowhere.pem: No such file or "
			  "directory; expected a readable file");
	CHECK_STR(third, "mailstow.conf:5: key-file: .: not a regular file; expected one");
}

static bool read_secret(struct config_secret secret, struct buf *out, struct err *err)
{
	return config_secret_read(&secret, "password", NULL, out, err);
}

static void a_secret_is_the_first_line(void)
{
	CLEANUP(buf_wipe) struct buf out = BUF_INIT(CONFIG_SECRET_BYTES_MAX);
	CLEANUP(buf_wipe) struct buf from_file = BUF_INIT(CONFIG_SECRET_BYTES_MAX);
	CLEANUP(freep) char *path = config_path_of("secret");
	char command[] = "printf '" SECRET "\\nurl: x\\n'";
	struct err err = ERR_INIT;

	CHECK_OK(read_secret((struct config_secret){.command = command}, &out, &err));
	CHECK_STR(buf_str(&out), SECRET);
	config_write_text("secret", SECRET " 3\r\nmore\n");
	CHECK_OK(read_secret((struct config_secret){.file = path}, &from_file, &err));
	CHECK_STR(buf_str(&from_file), SECRET " 3");
}

static void check_no_secret(struct config_secret secret, enum err_kind kind, const char *words)
{
	CLEANUP(buf_wipe) struct buf out = BUF_INIT(100);
	struct err err = ERR_INIT;

	CHECK(!read_secret(secret, &out, &err));
	CHECK_INT(err.kind, kind);
	if (!strstr(err.text, words) || strstr(err.text, SECRET))
		check_fail(__FILE__, __LINE__, "%s", err.text);
}

static void errors_about_a_secret_do_not_contain_it(void)
{
	CLEANUP(freep) char *path = config_path_of("open");
	char fails[] = "echo " SECRET "; exit 3";
	char empty[] = "true # " SECRET;
	char floods[] = "yes " SECRET;
	char killed[] = "kill -KILL $$ # " SECRET;
	char nul[] = "printf '" SECRET "\\000x\\n'";

	config_write_text("open", SECRET "\n");
	CHECK_INT(chmod(path, 0644), 0);
	check_no_secret((struct config_secret){.command = fails}, ERR_AUTH, "exit status 3");
	check_no_secret((struct config_secret){.command = empty}, ERR_CONFIG, "empty");
	check_no_secret((struct config_secret){.command = floods}, ERR_CONFIG, "longer than 100");
	check_no_secret((struct config_secret){.command = killed}, ERR_AUTH, "signal 9");
	check_no_secret((struct config_secret){.command = nul}, ERR_CONFIG, "NUL");
	check_no_secret((struct config_secret){.file = path}, ERR_CONFIG, "mode 644");
	check_no_secret((struct config_secret){0}, ERR_CONFIG, "password-command");
}

/* A daemon ignores SIGPIPE; `pass show x | head -1` must end as in a shell. */
static void a_command_has_default_signals(void)
{
	CLEANUP(buf_wipe) struct buf out = BUF_INIT(100);
	char command[] = "sh -c 'kill -PIPE $$; echo ignored' ; echo ended";
	struct err err = ERR_INIT;

	(void)signal(SIGPIPE, SIG_IGN);
	CHECK_OK(read_secret((struct config_secret){.command = command}, &out, &err));
	CHECK_STR(buf_str(&out), "ended");
}

/* --- values --- */

static void durations_and_sizes_have_units(void)
{
	int64_t ms = 0;
	uint64_t bytes = 0;

	CHECK(config_parse_duration("10s", &ms) && ms == 10000);
	CHECK(config_parse_duration("7d", &ms) && ms == 7LL * DAY_MS);
	CHECK(config_parse_duration("0", &ms) && ms == 0);
	CHECK(config_parse_size("10", &bytes) && bytes == 10);
	CHECK(config_parse_size("1T", &bytes) && bytes == 1ULL << 40);
	CHECK(!config_parse_duration("", &ms) && !config_parse_duration("5", &ms));
	CHECK(!config_parse_duration("5mm", &ms) && !config_parse_duration("m", &ms));
	CHECK(!config_parse_duration("1.5h", &ms) && !config_parse_duration(" 5m", &ms));
	CHECK(!config_parse_duration("9223372036854775807s", &ms));
	CHECK(!config_parse_size("", &bytes) && !config_parse_size("10MB", &bytes));
	CHECK(!config_parse_size("-1", &bytes) && !config_parse_size("8388608T", &bytes));
}

static void keep_rules_are_parsed(void)
{
	static const char *const wrong[] = {"", " ", "all last=1", "last=0",
		"last=", "last=1 last=2", "within=5", "within=0", "within=1h within=2h", "Last=1",
		"last=1000001", "daily"};
	struct config_keep keep;

	CHECK(config_parse_keep("all", &keep) && keep.all);
	CHECK(config_parse_keep(" last=3\thourly=24  within=7d yearly=1 ", &keep) && !keep.all);
	CHECK(keep.last == 3 && keep.hourly == 24 && keep.daily == 0 && keep.yearly == 1);
	CHECK_INT(keep.within_ms, 7LL * DAY_MS);
	for (size_t i = 0; i < ARRAY_LEN(wrong); i++)
		if (config_parse_keep(wrong[i], &keep))
			check_fail(__FILE__, __LINE__, "'%s' is accepted", wrong[i]);
}

static void the_environment_sets_the_state_directory(void)
{
	CLEANUP(freep) char *service = NULL, *user = NULL;

	CHECK(setenv("XDG_STATE_HOME", "/home/a/state", 1) == 0);
	CHECK(unsetenv("STATE_DIRECTORY") == 0);
	user = config_state_dir();
	CHECK_STR(user, "/home/a/state/mailstow");
	CHECK(setenv("STATE_DIRECTORY", "/var/lib/a:/var/lib/b", 1) == 0);
	service = config_state_dir();
	CHECK_STR(service, "/var/lib/a/state");
	CHECK(unsetenv("STATE_DIRECTORY") == 0);
}

static void globs_choose_folders(void)
{
	CLEANUP(config_freep)
	struct config *config =
		config_load_text("[account a]\nhost = h\nfolders = INBOX Work* !Work/Old*\n"
				 "[account b]\nhost = h\nfolders = !Spam\n"
				 "[account c]\nhost = h\nfolders = inbox\n");
	const struct config_account *a = &config->accounts[0], *b = &config->accounts[1];

	CHECK(config_wants_folder(a, "INBOX") && config_wants_folder(a, "Work/2026"));
	CHECK(!config_wants_folder(a, "Work/Old/x") && !config_wants_folder(a, "Sent"));
	CHECK(config_wants_folder(b, "INBOX") && !config_wants_folder(b, "Spam"));
	CHECK(config_wants_folder(&config->accounts[2], "INBOX"));
}

static void an_ambiguous_address_finds_no_account(void)
{
	CLEANUP(config_freep)
	struct config *config = config_load_text("[account a]\nhost = h\naddress = x@example.org\n"
						 "[account b]\nhost = h\naddress = x@example.org\n"
						 "[account without]\nhost = h\n");

	CHECK(!config_account(config, "x@example.org") && !config_account(config, "c"));
	CHECK(!config_account(config, ""));
	CHECK(config_account(config, "b") == &config->accounts[1]);
}

int main(int argc, char **argv)
{
	static const struct promise promises[] = {
		PROMISE(the_example_of_the_manual_is_understood),
		PROMISE(missing_keys_have_defaults),
		PROMISE(tls_can_be_off_on_loopback),
		PROMISE(hosts_are_names_or_addresses),
		PROMISE(hosts_of_providers_follow_from_the_address),
		PROMISE(relative_paths_start_at_the_configuration_file),
		PROMISE(each_line_of_a_list_is_an_account),
		PROMISE(a_template_sets_user_names),
		PROMISE(an_account_that_is_not_mirrored_needs_no_host),
		PROMISE(a_section_is_appended),
		PROMISE(a_section_is_checked_before_it_is_appended),
		PROMISE(only_checking_looks_at_files),
		PROMISE(a_secret_is_the_first_line),
		PROMISE(errors_about_a_secret_do_not_contain_it),
		PROMISE(a_command_has_default_signals),
		PROMISE(durations_and_sizes_have_units),
		PROMISE(keep_rules_are_parsed),
		PROMISE(the_environment_sets_the_state_directory),
		PROMISE(globs_choose_folders),
		PROMISE(an_ambiguous_address_finds_no_account),
	};

	return check_main(argc, argv, promises, ARRAY_LEN(promises));
}
