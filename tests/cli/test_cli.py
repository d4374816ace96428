"""What a person or a script sees of `mailstow`: tables, JSON Lines, exit codes. Prints TAP."""

import base64
import datetime
import hashlib
import json
import os
import pathlib
import pty
import shutil
import subprocess
import sys
import tempfile
import time
import traceback

MAILSTOW = os.environ["MAILSTOW"]
MAILSTOWD = os.environ["MAILSTOWD"]
MAKE_ARCHIVE = os.environ["MAKE_ARCHIVE"]
READ_ARCHIVE = pathlib.Path(__file__).resolve().parents[2] / "tools" / "read_archive.py"
RUN_SECONDS = 60
def attachment(line_chars):
    """The same bytes, in lines of this length."""
    text = base64.b64encode(bytes(range(256)) * 300)
    return b"".join(text[at:at + line_chars] + b"\r\n" for at in range(0, len(text), line_chars))


EXACT = b"From: Ann <ann@example.org>\r\nSubject: exact\r\n\r\n\xff\xfe \r bytes\r\n.\r\n"
MESSAGES = {
    "one": EXACT,
    "two": (b"From: =?utf-8?q?J=C3=BCrgen?= <j@example.org>\n"
            b"Date: Fri, 20 Nov 2026 10:00:00 +0100\n"
            b"Subject: =?utf-8?b?5pel5pys6Kqe44Gu44Oh44O844Or?=\n"
            b"Message-ID: <two@example.org>\n\nx\n"),
    "three": b"Subject: \x1b]52;c;aGFjaw==\x07 \xe2\x80\xae evil\r\nFrom: \x9b21t\r\n\r\n"
             + attachment(76),
    "four": b"Subject: " + b"a very long subject " * 20 + b"\r\nFrom: " + b"x" * 90 + b"\r\n\r\n"
            + b"a long body\r\n" * 2000 + b"--x\r\n\r\n" + attachment(60) + b"\r\nend",
}
HISTORY = """folder\tINBOX\t1000
folder\tGesendet\t7\t\\Sent
folder\tWork/2026 %25\t8
message\tINBOX\t1\t\\Seen\t20-Nov-2026 09:00:00 +0100\t{place}/one
message\tINBOX\t2\t\t20-Nov-2026 10:00:00 +0000\t{place}/two
message\tINBOX\t3\t$Junk \\Flagged\t21-Nov-2026 10:00:00 -0500\t{place}/three
message\tWork/2026 %25\t9\t\\Answered \\Seen\tno date\t{place}/four
commit\tcomplete
"""
LATER = """folder\tINBOX\t1000
message\tINBOX\t4\t\t22-Nov-2026 10:00:00 +0000\t{place}/four
flags\tINBOX\t1\t\\Flagged \\Seen
gone\tINBOX\t2
commit\tcomplete
"""
CONFIG = """[mailstow]
archive-dir = {place}/archives
[account alice]
address = alice@example.org
host = localhost
password-command = echo hunter2
ping-url = https://hc.example.org/secret-uuid
[account never]
address = never@example.org
host = imap.example.org
[account target]
host = imap.example.org
user = t
mirror = no
"""
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
    'mailstow.conf:2: workers: "many" is not accepted; a number from 1 to 64 is',
    "mailstow.conf:5: prot: unknown key in [account alice]; is port meant?",
    "mailstow.conf:6: password: a secret does not belong here; a command, file or credential that "
    "has it is accepted, such as password-command",
    "accounts.tsv:2: name: bob was there before, at {place}/accounts.tsv:1; once is accepted",
    "accounts.tsv:3: address: its local part cannot stand for %u in password-command of "
    "[template hosted]; letters, digits and . _ + = - can, with no . or - first",
    "accounts.tsv:4: line: holds a control character; UTF-8 text is accepted",
]


class Broken(AssertionError):
    """A promise was not kept."""


def equal(got, wanted, words=""):
    if got != wanted:
        raise Broken(f"{got!r}, not {wanted!r}; {words}")


def has(text, part):
    if part not in text:
        raise Broken(f"{part!r} is not in {text!r}")


def lacks(text, part):
    if part in text:
        raise Broken(f"{part!r} is in {text!r}")


class Run:
    def __init__(self, done):
        self.status = done.returncode
        self.content = done.stdout
        self.errors = done.stderr.decode()

    @property
    def output(self):
        return self.content.decode()

    def __repr__(self):
        return f"exit {self.status}\n{self.content!r}\n{self.errors}"


class Lab:
    """A folder with a configuration and an archive of two snapshots."""

    def __init__(self):
        self.place = pathlib.Path(tempfile.mkdtemp(prefix="msc-"))
        self.archive = self.place / "archives" / "alice"
        self.archive.parent.mkdir()
        self.conf = self.place / "mailstow.conf"
        self.conf.write_text(CONFIG.format(place=self.place))
        for name, content in MESSAGES.items():
            (self.place / name).write_bytes(content)
        self.environment = {
            **os.environ, "HOME": str(self.place), "XDG_STATE_HOME": str(self.place / "state"),
            "XDG_CONFIG_HOME": str(self.place / "none"), "TZ": "UTC", "LC_ALL": "C"}
        self.make(HISTORY)
        time.sleep(0.05)
        self.between = datetime.datetime.now(datetime.timezone.utc).isoformat()
        time.sleep(0.05)
        self.make(LATER)

    def make(self, script, archive=None):
        subprocess.run([MAKE_ARCHIVE, archive or self.archive], check=True, timeout=RUN_SECONDS,
                       input=script.format(place=self.place).encode())

    def run(self, *arguments, conf=True, **environment):
        """Runs mailstow with the configuration, if wanted."""
        config = ["-c", self.conf] if conf else []
        return Run(subprocess.run([MAILSTOW, *config, *arguments], stdin=subprocess.DEVNULL,
                                  capture_output=True, timeout=RUN_SECONDS, check=False,
                                  env={**self.environment, **environment}))

    def check_config(self, *arguments):
        return Run(subprocess.run([MAILSTOWD, "-c", self.conf, "--check-config", *arguments],
                                  stdin=subprocess.DEVNULL, capture_output=True,
                                  timeout=RUN_SECONDS, check=False, env=self.environment))

    def ask(self, *arguments, status=0, **options):
        run = self.run(*arguments, "--json", **options)
        equal(run.status, status, run)
        return [json.loads(line) for line in run.output.splitlines()]

    def fails(self, status, *arguments, words="", **options):
        """Ends with this status, nothing on stdout and one helpful line on stderr."""
        run = self.run(*arguments, **options)
        equal(run.status, status, run)
        has(run.errors, "mailstow: ")
        has(run.errors, words)
        return run

    def on_terminal(self, *arguments, columns=80):
        """What a terminal shows."""
        master, slave = pty.openpty()
        import fcntl
        import struct
        import termios
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
        with subprocess.Popen([MAILSTOW, "-c", self.conf, *arguments], stdin=subprocess.DEVNULL,
                              stdout=slave, stderr=subprocess.DEVNULL,
                              env=self.environment) as process:
            os.close(slave)
            text = b""
            while True:
                try:
                    step = os.read(master, 65536)
                except OSError:
                    break
                if not step:
                    break
                text += step
            process.wait(RUN_SECONDS)
        os.close(master)
        return text.decode().replace("\r\n", "\n")

    def end(self):
        for path in [self.place, *self.place.rglob("*")]:
            if path.is_dir():
                path.chmod(0o700)
        shutil.rmtree(self.place, ignore_errors=True)


def columns_of(line):
    """How wide a terminal shows it; enough for the characters used here."""
    import unicodedata
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in line)


def ls_tells_every_key(lab):
    lines = {(line["folder"], line["uid"]): line for line in lab.ask("ls", "alice")}
    line = lines["INBOX", 1]
    equal(list(line), ["folder", "uidvalidity", "uid", "size", "sha256", "internaldate", "flags",
                       "added", "gone", "from", "subject", "date", "message_id"])
    equal(line["sha256"], hashlib.sha256(EXACT).hexdigest())
    equal((line["size"], line["uidvalidity"]), (len(EXACT), 1000))
    equal(line["internaldate"], "2026-11-20T09:00:00+01:00")
    equal(line["flags"], ["\\Flagged", "\\Seen"])
    equal((line["gone"], line["date"], line["subject"]), (None, None, "exact"))
    equal(lines["Work/2026 %25", 9]["internaldate"], None)
    equal(sorted(lines), [("INBOX", 1), ("INBOX", 3), ("INBOX", 4), ("Work/2026 %25", 9)])


def the_past_is_as_it_was(lab):
    for when in ("1", lab.between, lab.between.replace("+00:00", "Z")):
        lines = lab.ask("ls", f"alice@{when}", "--folder", "INBOX")
        equal([(line["uid"], line["flags"]) for line in lines],
              [(1, ["\\Seen"]), (2, []), (3, ["$Junk", "\\Flagged"])])
    equal(len(lab.ask("ls", "alice@latest")), 4)
    equal(len(lab.ask("ls", f"alice@{datetime.datetime.utcnow():%Y-%m-%d}")), 4)


def times_that_are_printed_are_understood(lab):
    for line in lab.ask("snapshots", "alice"):
        ls = lab.ask("ls", f"alice@{line['time']}")
        equal(len(ls), line["messages"])


def deleted_mail_is_listed(lab):
    gone = [line for line in lab.ask("ls", "alice", "--deleted") if line["gone"]]
    equal([(line["uid"], line["date"]) for line in gone], [(2, "2026-11-20T10:00:00+01:00")])
    equal(lab.ask("ls", "alice", "--deleted-only"), gone)
    equal(len(lab.ask("ls", "alice", "--deleted")), 5)
    equal(gone[0]["message_id"], "<two@example.org>")


def messages_are_selected(lab):
    def uids(*options):
        return [line["uid"] for line in lab.ask("ls", "alice@1", *options)]
    equal(uids("--folder", "Work*"), [9])
    equal(uids("--folder", "*", "--folder", "!INBOX"), [9])
    equal(uids("--folder", "inbox", "--since", "2026-11-21"), [3])
    equal(uids("--folder", "INBOX", "--before", "2026-11-20T09:30Z"), [1])
    equal(uids("--from", "jÜRGEN"), [2])
    equal(uids("--subject", "語"), [2])
    equal(uids("--message-id", "two@example.org"), [2])
    equal(uids("--message-id", "<two@example.org>"), [2])
    equal(uids("--subject", "nobody wrote this"), [])


def snapshots_are_told(lab):
    lines = lab.ask("snapshots", "alice")
    equal([list(line) for line in lines],
          [["id", "time", "complete", "pinned", "messages", "added", "removed", "changed"]] * 2)
    equal([(line["id"], line["complete"], line["messages"], line["added"], line["removed"],
            line["changed"]) for line in lines], [(1, True, 4, 4, 0, 0), (2, True, 4, 1, 1, 1)])


def folders_are_told(lab):
    lines = {line["folder"]: line for line in lab.ask("folders", "alice")}
    equal(list(lines["Gesendet"].values()),
          ["Gesendet", "Gesendet", "/", ["\\Sent"], "\\Sent", True, 7, 0, 0])
    equal(list(lines["INBOX"]), ["folder", "wire_name", "delimiter", "attributes", "special_use",
                                 "subscribed", "uidvalidity", "messages", "bytes"])
    equal(lines["INBOX"]["messages"], 3)
    equal(lines["INBOX"]["special_use"], None)


def status_is_told(lab):
    line = lab.ask("status", "alice")[0]
    equal(list(line), ["account", "state", "since", "last_success", "last_check", "messages",
                       "bytes", "archive_bytes", "encrypted", "skipped", "push", "paused_until",
                       "head", "detail"])
    equal((line["account"], line["state"], line["messages"]), ("alice", "stopped", 4))
    equal(len(line["head"]), 64)
    equal([line["account"] for line in lab.ask("status")], ["alice", "never"])
    equal(lab.ask("status", "alice@example.org")[0], line)


def an_old_success_is_exit_3(lab):
    lab.ask("status", "alice", "--max-age", "1d", status=0)
    lab.ask("status", "never", "--max-age", "1d", status=3)
    lab.ask("status", "--max-age", "1d", status=3)
    time.sleep(1.1)
    lab.ask("status", "alice", "--max-age", "1s", status=3)


def a_damaged_archive_does_not_hide_the_others(lab):
    (lab.place / "archives" / "never" / "volumes").mkdir(parents=True)
    (lab.place / "archives" / "never" / "catalogue.db").write_bytes(b"rubbish" * 1000)
    lines = lab.ask("status", status=3)
    equal([(line["account"], line["state"]) for line in lines],
          [("alice", "stopped"), ("never", "failed")])
    has(lines[1]["detail"], "catalogue")
    lab.fails(65, "ls", "never")


def cat_prints_exact_bytes(lab):
    equal(lab.run("cat", "alice", "INBOX", "1").content, EXACT)
    equal(lab.run("cat", "alice", "inbox", "1").content, EXACT)
    equal(lab.run("cat", "alice@1", "INBOX", "2").content, MESSAGES["two"])


def cat_finds_what_is_gone_by_its_uidvalidity(lab):
    lab.fails(66, "cat", "alice", "INBOX", "2", words="--uidvalidity 1000")
    equal(lab.run("cat", "alice", "INBOX", "2", "--uidvalidity", "1000").content, MESSAGES["two"])
    lab.fails(66, "cat", "alice", "INBOX", "2", "--uidvalidity", "1001")
    lab.fails(66, "cat", "alice@1", "INBOX", "4", "--uidvalidity", "1000")


def what_is_not_there_is_exit_66(lab):
    lab.fails(66, "ls", "bob", words="alice")
    lab.fails(66, "ls", "alice@3", words="up to 2")
    lab.fails(66, "ls", "alice@0")
    lab.fails(66, "ls", "alice@2001-01-01", words="the first is of")
    lab.fails(66, "ls", "alice", "--folder", "Nowhere", words="Nowhere")
    lab.fails(66, "ls", "never")
    lab.fails(66, "ls", "/nowhere/at/all")
    lab.fails(66, "cat", "alice", "Nowhere", "1", words="Nowhere")
    lab.fails(66, "cat", "alice", "INBOX", "77", words="77")
    lab.fails(66, "status", "bob")
    lab.fails(66, "snapshots", "./bob", conf=False)


def a_wrong_command_line_is_exit_64(lab):
    lab.fails(64, "lss", words="ls")
    lab.fails(64, "frobnicate", words="--help")
    lab.fails(64, "ls", words="argument")
    lab.fails(64, "ls", "alice", "bob", words="bob")
    lab.fails(64, "ls", "alice", "--sinse", "2026-01-01", words="--sinse")
    lab.fails(64, "ls", "alice", "--since", words="--since")
    lab.fails(64, "ls", "alice", "--since", "yesterday", words="2026-11-20")
    lab.fails(64, "ls", "alice", "-x", words="-x")
    lab.fails(64, "ls", "alice", "--deleted=yes", words="--deleted")
    lab.fails(64, "--progress=often", "ls", "alice", words="always")
    lab.fails(64, "cat", "alice", "INBOX", "one", words="one")
    lab.fails(64, "cat", "alice", "INBOX", "0")
    lab.fails(64, "status", "--max-age", "old", words="30m")
    lab.fails(64, "config", "hide", words="show")
    lab.fails(64, "-c")


def a_restore_is_asked_for_rightly(lab):
    lab.fails(64, "restore", "alice", words="--to")
    lab.fails(64, "restore", "alice", "--to", "target", "--verify=some", words="full")
    lab.fails(64, "restore", "alice", "--to", "target", "--map", "nothing", words="nothing")
    lab.fails(66, "restore", "bob", "--to", "target", words="alice")
    lab.fails(66, "restore", "alice", "--to", "bob", words="bob")
    lab.fails(66, "restore", "alice@3", "--to", "target", words="up to 2")
    lab.fails(66, "restore", "never", "--to", "target")
    lab.fails(66, "restore", "target", "--to", "alice")
    lab.fails(66, "restore", lab.place / "nowhere", "--to", "target", words="nowhere")
    lab.fails(66, "restore", "alice", "--to", "target", "--folder", "Nowhere", words="Nowhere")
    lab.fails(78, "restore", lab.archive, "--to", "target", words="password")


def a_path_is_as_good_as_a_name(lab):
    for command, *rest in (("ls",), ("folders",), ("snapshots",), ("cat", "INBOX", "1")):
        by_name = lab.run(command, "alice", *rest)
        equal(by_name.status, 0, by_name)
        equal(lab.run(command, lab.archive, *rest, conf=False).content, by_name.content)
    equal(lab.ask("ls", f"{lab.archive}@1", conf=False), lab.ask("ls", "alice@1"))
    equal(lab.ask("status", lab.archive)[0]["messages"], 4)


def options_stand_anywhere(lab):
    wanted = lab.run("ls", "alice", "--json").output
    for arguments in (("--json", "ls", "alice"), ("ls", "--json", "alice"),
                      ("--progress=never", "--yes", "ls", "--json", "--", "alice")):
        equal(lab.run(*arguments).output, wanted)
    equal(lab.run("ls", "alice", "--json", "--config", lab.conf, conf=False).output, wanted)


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


def a_read_only_copy_is_read(lab):
    wanted = lab.run("ls", "alice", "--json").output
    copy = lab.place / "copy"
    shutil.copytree(lab.archive, copy)
    for path in sorted(copy.rglob("*"), reverse=True):
        path.chmod(0o500 if path.is_dir() else 0o400)
    copy.chmod(0o500)
    before = sorted(copy.rglob("*"))
    equal(lab.run("ls", f"{copy}", "--json", conf=False).output, wanted)
    if os.geteuid() != 0:
        equal(sorted(copy.rglob("*")), before)


def an_incomplete_state_is_warned_of(lab):
    lab.make("folder\tINBOX\t1\ncommit\tpartial\n", lab.place / "archives" / "never")
    run = lab.run("ls", "never")
    equal(run.status, 0)
    has(run.errors, "complete")
    equal(lab.ask("snapshots", "never")[0]["complete"], False)
    lab.fails(66, "ls", f"never@{datetime.datetime.utcnow():%Y-%m-%d}", words="complete")


def an_at_sign_belongs_to_the_address(lab):
    equal(len(lab.ask("ls", "alice@example.org")), 4)
    equal(len(lab.ask("ls", "alice@example.org@1")), 4)
    equal(len(lab.ask("ls", "alice@example.org@latest")), 4)
    lab.fails(66, "ls", "alice@2026-13-01", words="alice@2026-13-01")


def secrets_are_hidden(lab):
    for run in (lab.run("config", "show"), lab.run("config", "show", "--json")):
        equal(run.status, 0)
        lacks(run.output + run.errors, "hunter2")
        lacks(run.output + run.errors, "secret-uuid")
        has(run.output, "password-command")
        has(run.output, "echo (arguments hidden)")
    sections = [line["section"] for line in lab.ask("config", "show")]
    equal(sections, ["mailstow", "account alice", "account never", "account target"])


def every_problem_of_a_configuration_is_told(lab):
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
    has(run.errors, f"password-file: {password}: others may use it (mode 0644); mode 0600")
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


def every_command_has_help(lab):
    overview = lab.run("--help", conf=False)
    equal((overview.status, overview.errors), (0, ""))
    for name in ("status", "snapshots", "folders", "ls", "cat", "config", "restore"):
        has(overview.output, f"  {name} ")
        run = lab.run(name, "--help", conf=False)
        equal((run.status, run.errors), (0, ""))
        has(run.output, f"Usage: mailstow {name}")
        equal([line for line in run.output.splitlines() if len(line) > 79], [])
    equal([line for line in overview.output.splitlines() if len(line) > 79], [])
    equal(lab.run("--version", conf=False).output.split()[0], "mailstow")


def tables_fit_the_terminal(lab):
    for columns in (80, 60, 120):
        for arguments in (("ls", "alice", "--deleted"), ("ls", "alice"), ("folders", "alice"),
                          ("snapshots", "alice"), ("status",)):
            text = lab.on_terminal(*arguments, columns=columns)
            wide = [line for line in text.splitlines() if columns_of(line) > max(columns, 76)]
            equal(wide, [], arguments)
            equal([line for line in text.splitlines() if line != line.rstrip()], [], arguments)


def nothing_steers_the_terminal(lab):
    for arguments in (("ls", "alice@1"), ("ls", "alice@1", "--json"), ("\x1b[2J",),
                      ("ls", "alice", "--folder", "\x1bx"), ("ls", "al\x9bice"),
                      ("ls", "alice", "--\x1b")):
        run = lab.run(*arguments)
        for text in (run.output, run.errors):
            bad = {c for c in text if (ord(c) < 32 and c != "\n") or 0x7f <= ord(c) <= 0x9f
                   or (c == "\u202e" and "--json" not in arguments)}
            equal(bad, set(), arguments)


def a_reader_that_leaves_ends_it_quietly(lab):
    for arguments in (("cat", "alice", "INBOX", "1"), ("ls", "alice"), ("--help",)):
        reader, writer = os.pipe()
        os.close(reader)
        done = subprocess.run([MAILSTOW, "-c", lab.conf, *arguments], stdout=writer,
                              stderr=subprocess.PIPE, timeout=RUN_SECONDS, check=False,
                              env=lab.environment)
        os.close(writer)
        equal((done.returncode, done.stderr), (-13, b""))


def a_full_disk_is_exit_74(lab):
    with open("/dev/full", "wb") as full:
        for arguments in (("cat", "alice", "INBOX", "1"), ("ls", "alice", "--json")):
            done = subprocess.run([MAILSTOW, "-c", lab.conf, *arguments], stdout=full,
                                  stderr=subprocess.PIPE, timeout=RUN_SECONDS, check=False,
                                  env=lab.environment)
            equal(done.returncode, 74, done.stderr)
            has(done.stderr.decode(), "standard output")


def the_format_alone_is_enough(lab):
    """Mail is not locked in: a short program that shares nothing with ours reads all of it."""
    output = lab.place / "taken out"
    done = subprocess.run([sys.executable, READ_ARCHIVE, lab.archive, output, "--gone"],
                          check=False, capture_output=True, text=True, timeout=RUN_SECONDS)
    equal(done.returncode, 0, done.stdout + done.stderr)
    rows = [line.split("\t") for line in (output / "index.tsv").read_text().splitlines()]
    equal(sorted((row[0], int(row[1]), int(row[2]), row[3]) for row in rows),
          sorted((line["folder"], line["uidvalidity"], line["uid"], line["sha256"])
                 for line in lab.ask("ls", "alice", "--deleted")))
    for row in rows:
        equal(hashlib.sha256((output / row[6]).read_bytes()).hexdigest(), row[3])
    has(done.stdout, lab.ask("status", "alice")[0]["head"])


def what_changed_is_told(lab):
    equal(lab.ask("diff", "alice@1", "alice@1"), [])
    lines = lab.ask("diff", "alice@1", "alice")
    keys = set(lab.ask("ls", "alice")[0])
    for line in lines:
        equal(set(line) - {"from_folder", "from_uid"}, keys | {"change"})
    told = {(line["change"], line["folder"], line["uid"]) for line in lines}
    now = {(line["folder"], line["uid"]): line["flags"] for line in lab.ask("ls", "alice")}
    then = {(line["folder"], line["uid"]): line["flags"] for line in lab.ask("ls", "alice@1")}
    moved = {(line["from_folder"], line["from_uid"]): (line["folder"], line["uid"])
             for line in lines if line["change"] == "moved"}
    wanted = {("removed", *place) for place in then if place not in now and place not in moved}
    wanted |= {("added", *place) for place in now
               if place not in then and place not in moved.values()}
    wanted |= {("flags", *place) for place in now if place in then and now[place] != then[place]}
    wanted |= {("moved", *place) for place in moved.values()}
    equal(told, wanted)
    has(lab.run("diff", "alice@1", "alice@2").output, "CHANGE")
    lab.fails(64, "diff", "alice", "alice@1")
    lab.fails(66, "diff", "alice@1", "alice@99")


def a_pin_is_remembered_by_the_volumes(lab):
    def pins():
        return {line["id"]: line["pinned"] for line in lab.ask("snapshots", "alice")}
    before = lab.ask("ls", "alice")
    equal(lab.run("pin", "alice@1", "--json").output, "")
    equal(pins(), {1: True, 2: False, 3: False})
    snapshots = lab.ask("snapshots", "alice")
    equal(snapshots[2]["complete"], snapshots[1]["complete"])
    for name in ("catalogue.db", "catalogue.db-wal", "catalogue.db-shm"):
        (lab.archive / name).unlink(missing_ok=True)
    lab.run("rebuild", "alice")
    equal(pins(), {1: True, 2: False, 3: False})
    lab.run("pin", "alice@1")  # nothing new: no new snapshot
    equal(len(pins()), 3)
    lab.run("unpin", "alice@1")
    equal(pins(), {1: False, 2: False, 3: False, 4: False})
    equal(lab.ask("ls", "alice"), before)
    lab.ask("check", "alice", "--read-data")
    lab.fails(66, "pin", "alice@99")
    lab.fails(64, "pin", "alice")


def a_copy_is_an_archive(lab):
    copy = lab.place / "disk" / "copy"
    wanted = lab.run("ls", "alice", "--json").output
    has(lab.run("status").output, "alice: on one disk only")
    has(lab.run("copy", "alice", copy).output, "2 files copied")
    has(lab.run("status").output, "is on the same disk")
    equal(lab.run("ls", f"{copy}/", "--json", conf=False).output, wanted)
    equal(lab.ask("check", f"{copy}", "--read-data")[-1]["errors"], 0)
    equal(lab.run("cat", f"{copy}@1", "INBOX", "1", conf=False).content, EXACT)
    has(lab.run("copy", "alice", copy).output, "Nothing")
    lab.run("pin", "alice@1")
    has(lab.run("copy", "alice", copy).output, "2 files copied")
    equal(lab.ask("snapshots", f"{copy}"), lab.ask("snapshots", "alice"))
    equal(lab.ask("check", f"{copy}", "--read-data")[-1]["errors"], 0)
    lab.run("unpin", f"{copy}/@1")  # it goes its own way
    lab.fails(73, "copy", "alice", copy, words="was written to")
    other = lab.place / "other"
    lab.run("copy", "alice", other)
    volume = next((other / "volumes").glob("*.vol"))
    volume.rename(volume.with_name(volume.name.replace(volume.name[9:17], "01234567")))
    lab.fails(73, "copy", "alice", f"{other}", words="another one")
    lab.fails(66, "copy", "never", f"{other}")


SUMMARY_OF_CHECK = {"summary", "volumes", "frames", "messages", "errors", "head"}


def a_sound_archive_is_checked(lab):
    head = lab.ask("status", "alice")[0]["head"]
    for options, messages in ((), 0), (("--read-data",), 4), (("--read-data=100",), 4):
        summary = lab.ask("check", "alice", *options)[-1]
        equal(set(summary), SUMMARY_OF_CHECK)
        equal((summary["errors"], summary["messages"], summary["head"]), (0, messages, head))
    lab.ask("check", f"{lab.archive}", "--expect-head", head)
    lab.ask("check", "alice", "--expect-head", "0" * 64, status=65)
    lab.fails(64, "check", "alice", "--read-data=0")
    lab.fails(64, "check", "alice", "--expect-head", "12")
    lab.fails(64, "check", "alice@1")
    lab.fails(66, "check", "nobody")


def a_damaged_archive_is_told_and_its_catalogue_made_anew(lab):
    wanted = lab.run("ls", "alice", "--json").output
    for name in ("catalogue.db", "catalogue.db-wal", "catalogue.db-shm"):
        (lab.archive / name).unlink(missing_ok=True)
    finding, summary = lab.ask("check", "alice", status=65)
    equal(set(finding), {"where", "what", "lost"})
    equal((finding["where"], finding["lost"], summary["errors"]), ("catalogue.db", [], 1))
    equal(lab.run("rebuild", "alice", "--json").output, "")
    equal(lab.run("ls", "alice", "--json").output, wanted)
    lab.ask("check", "alice", "--read-data")
    for wal in (lab.archive / "volumes").glob("*.vol-*"):
        wal.unlink()
    lab.ask("check", "alice", status=65)
    lab.fails(65, "rebuild", "alice", words="put the missing volumes")
    equal(len(lab.ask("snapshots", "alice")), 2)


def keep(promise):
    lab = Lab()
    try:
        promise(lab)
    except Exception:  # a promise can fail in any way
        return traceback.format_exc()
    finally:
        lab.end()
    return None


def main(promises):
    wanted = sys.argv[1] if len(sys.argv) > 1 else ""
    chosen = [promise for promise in promises if wanted in promise.__name__]
    failed = 0
    print(f"1..{len(chosen)}", flush=True)
    for number, promise in enumerate(chosen, 1):
        broken = keep(promise)
        failed += bool(broken)
        print(f"{'not ok' if broken else 'ok'} {number} - {promise.__name__}", flush=True)
        if broken:
            print("\n".join("# " + line for line in broken.splitlines()), flush=True)
    sys.exit(1 if failed else 0)


main([
    ls_tells_every_key, the_past_is_as_it_was, times_that_are_printed_are_understood,
    deleted_mail_is_listed, messages_are_selected, snapshots_are_told, folders_are_told,
    status_is_told, an_old_success_is_exit_3, a_damaged_archive_does_not_hide_the_others,
    cat_prints_exact_bytes, cat_finds_what_is_gone_by_its_uidvalidity,
    what_is_not_there_is_exit_66, a_wrong_command_line_is_exit_64,
    a_restore_is_asked_for_rightly, a_path_is_as_good_as_a_name, options_stand_anywhere,
    a_wrong_configuration_is_exit_78, a_path_needs_no_configuration, a_read_only_copy_is_read,
    an_incomplete_state_is_warned_of, an_at_sign_belongs_to_the_address, secrets_are_hidden,
    every_problem_of_a_configuration_is_told, a_good_configuration_is_checked_in_silence,
    checking_looks_at_files_too, accounts_of_a_list_are_accounts, what_is_shown_is_a_configuration,
    every_command_has_help, tables_fit_the_terminal, nothing_steers_the_terminal,
    a_reader_that_leaves_ends_it_quietly, a_full_disk_is_exit_74, a_sound_archive_is_checked,
    a_damaged_archive_is_told_and_its_catalogue_made_anew, the_format_alone_is_enough,
    what_changed_is_told, a_pin_is_remembered_by_the_volumes,
    a_copy_is_an_archive,
])
