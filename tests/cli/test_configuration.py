"""What people see of a configuration they wrote, right or wrong. Prints TAP."""

from cli import EXACT, equal, has, lacks, main


def a_wrong_configuration_is_exit_78(lab):
    lab.fails(78, "ls", "alice", conf=False, words="-c")
    lab.conf.write_text("[account alice]\nhost = localhost\nprot = 1\ntls = perhaps\n")
    run = lab.fails(78, "ls", "alice", words=f"{lab.conf}:3: prot: ")
    has(run.errors, f"{lab.conf}:4: tls: ")
    equal(run.output, "")


def a_path_needs_no_configuration(lab):
    wanted = lab.run("ls", "alice", "--json").output
    equal(lab.run("ls", f"{lab.archive}", "--json", conf=False).output, wanted)
    lab.conf.write_text("rubbish\n")
    equal(lab.run("ls", f"{lab.archive}/@2", "--json").output, wanted)
    equal(lab.ask("status", f"{lab.archive}")[0]["messages"], 4)
    equal(len(lab.ask("snapshots", f"{lab.archive}", conf=False)), 2)
    equal(lab.run("cat", f"{lab.archive}@1", "INBOX", "1", conf=False).content, EXACT)


def secrets_are_hidden(lab):
    for run in (lab.run("config", "show"), lab.run("config", "show", "--json")):
        equal(run.status, 0)
        lacks(run.output + run.errors, "hunter2")
        lacks(run.output + run.errors, "secret-uuid")
        has(run.output, "password-command")
        has(run.output, "echo (arguments hidden)")
    sections = [line["section"] for line in lab.ask("config", "show")]
    equal(sections, ["mailstow", "account alice", "account never", "account target"])


WRONG_CONFIG = """[mailstow]
workers = many
[account alice]
host = localhost
prot = 1
password = hunter2
[template hosted]
host = imap.%d
password-command = get %u
[accounts-from hosted]
file = accounts.tsv
"""
WRONG_LIST = "bob\tbob@example.org\nbob\tbob@example.net\neve\t;reboot@example.org\n\x1b[2J\n"
WRONG_LINES = [
    'mailstow.conf:2: workers: "many" is not valid; expected a number from 1 to 64',
    "mailstow.conf:5: prot: unknown key in [account alice]; did you mean port?",
    "mailstow.conf:6: password: this file must not contain a secret; expected a command, file or "
    "credential that provides it, such as password-command",
    "accounts.tsv:2: name: bob is already used at {place}/accounts.tsv:1; expected a name of its "
    "own",
    "accounts.tsv:3: address: its local part cannot replace %u in password-command of "
    "[template hosted]; expected letters, digits and . _ + = - only, with no . or - first",
    "accounts.tsv:4: line: contains a control character; expected UTF-8 text",
]


def every_problem_of_a_configuration_is_reported(lab):
    lab.conf.write_text(WRONG_CONFIG)
    (lab.place / "accounts.tsv").write_text(WRONG_LIST)
    lines = [f"{lab.place}/{line.format(place=lab.place)}" for line in WRONG_LINES]
    run = lab.check_config()
    equal((run.status, run.output, run.errors.splitlines()), (78, "", lines))
    run = lab.run("config", "show")
    equal((run.status, run.output), (78, ""))
    equal(run.errors.splitlines(), [f"mailstow: {line}" for line in lines])


def a_good_configuration_is_checked_in_silence(lab):
    run = lab.check_config()
    equal((run.status, run.output, run.errors), (0, "", ""))
    equal(lab.check_config("alice").status, 64)
    lab.conf.unlink()
    run = lab.check_config()
    equal((run.status, run.output), (78, ""))
    has(run.errors, f"{lab.conf}: No such file")


def checking_looks_at_files_too(lab):
    with lab.conf.open("a") as conf:
        conf.write("password-file = password\ntls-ca-file = /nowhere/ca.pem\n")
    password = lab.place / "password"
    password.write_text("hunter2\n")
    password.chmod(0o644)
    run = lab.check_config()
    equal(run.status, 78)
    has(run.errors,
        f"password-file: {password}: accessible to others (mode 0644); expected mode 0600")
    has(run.errors, "tls-ca-file: /nowhere/ca.pem: No such file")
    lacks(run.errors, "hunter2")
    equal(lab.run("ls", "alice").status, 0)
    password.chmod(0o600)
    lacks(lab.check_config().errors, "password-file")


def accounts_of_a_list_are_accounts(lab):
    lab.conf.write_text(f"[mailstow]\narchive-dir = {lab.place}/archives\n[template hosted]\n"
                        "host = imap.%d\nmaster-user = admin\n[accounts-from hosted]\n"
                        "file = accounts.tsv\n")
    (lab.place / "accounts.tsv").write_text("alice\talice@example.org\tal\nbob\tbob@x.org\n")
    shown = {line["section"]: line for line in lab.ask("config", "show")}
    equal(list(shown), ["mailstow", "account alice", "account bob"])
    equal((shown["account alice"]["host"], shown["account alice"]["user"]),
          ("imap.example.org", "al"))
    equal((shown["account bob"]["user"], shown["account bob"]["master-user"]),
          ("bob@x.org", "admin"))
    equal(len(lab.ask("ls", "alice@example.org")), 4)


def what_is_shown_is_a_configuration(lab):
    lab.conf.write_text(
        "[mailstow]\nmetrics-listen = [::1]:9477\n[account alice]\naddress = alice@gmail.com\n"
        "password-command = get-password\nfolders = INBOX !Spam\nkeep = last=3 within=7d\n"
        "keep-deleted = 90d\nmax-message-size = 1536k\nidle-renew = 90s\ntls = starttls\n"
        "auth = scram-sha-256\nping-url = https://hc.example.org\n")
    shown = lab.run("config", "show")
    equal((shown.status, shown.errors), (0, ""))
    terminal = lab.on_terminal("config", "show")
    equal(terminal, shown.output)
    equal([line for line in terminal.splitlines() if len(line) > 79 and str(lab.place) not in line],
          [])
    lab.conf.write_text(shown.output)
    equal(lab.run("config", "show").output, shown.output)


main(
    a_wrong_configuration_is_exit_78, a_path_needs_no_configuration, secrets_are_hidden,
    every_problem_of_a_configuration_is_reported, a_good_configuration_is_checked_in_silence,
    checking_looks_at_files_too, accounts_of_a_list_are_accounts, what_is_shown_is_a_configuration)
