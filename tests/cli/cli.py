"""Shared by the tests of `mailstow` without a server: archives, runs, promises."""

import base64
import datetime
import fcntl
import json
import os
import pathlib
import pty
import shutil
import struct
import subprocess
import sys
import tempfile
import termios
import time
import traceback

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

import terminal  # noqa: E402

MAILSTOW = os.environ["MAILSTOW"]
MAILSTOWD = os.environ["MAILSTOWD"]
MAKE_ARCHIVE = os.environ["MAKE_ARCHIVE"]
READ_ARCHIVE = pathlib.Path(__file__).resolve().parents[2] / "tools" / "read_archive.py"
RUN_SECONDS = 600


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
KEY = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"  # make_archive's
PASSPHRASE = "correct horse battery"
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

    def make(self, script, archive=None, **environment):
        subprocess.run([MAKE_ARCHIVE, archive or self.archive], check=True, timeout=RUN_SECONDS,
                       input=script.format(place=self.place).encode(),
                       env={**os.environ, **environment})

    def encrypt(self):
        """Creates the archive again, encrypted; returns the secrets that open it, by their kind."""
        shutil.rmtree(self.archive)
        for part in (HISTORY, LATER):
            self.make(part, MAILSTOW_TEST_ENCRYPTED="1")
        file = self.place / "key"
        file.touch(mode=0o600)
        file.write_text(KEY + "\n")
        self.conf.write_text(self.conf.read_text().replace(
            "[account never]", f"key-file = {file}\n[account never]"))
        status, shown = self.typed(["key", "add", "alice"], PASSPHRASE, PASSPHRASE)
        equal(status, 0, shown)
        recovery = self.ask("key", "recovery", "alice")[0]["recovery_key"]
        return {"passphrase": PASSPHRASE, "key": KEY, "recovery": recovery}

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

    def typed(self, arguments, *answers, conf=True):
        """Exit code and output for a person who types these answers."""
        config = ["-c", self.conf] if conf else []
        return terminal.typed(MAILSTOW, [*config, *arguments], self.environment, *answers)

    def on_terminal(self, *arguments, columns=80):
        """What a terminal shows."""
        master, slave = pty.openpty()
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


def keep(promise, lab):
    try:
        promise(lab)
    except Exception:  # a promise can fail in any way
        return traceback.format_exc()
    finally:
        lab.end()
    return None


def main(*promises, make_lab=Lab):
    """Each promise gets a lab of its own; argument: part of a promise's name."""
    wanted = sys.argv[1] if len(sys.argv) > 1 else ""
    chosen = [promise for promise in promises if wanted in promise.__name__]
    failed = 0
    print(f"1..{len(chosen)}", flush=True)
    for number, promise in enumerate(chosen, 1):
        broken = keep(promise, make_lab())
        failed += bool(broken)
        print(f"{'not ok' if broken else 'ok'} {number} - {promise.__name__}", flush=True)
        if broken:
            print("\n".join("# " + line for line in broken.splitlines()), flush=True)
    sys.exit(1 if failed else 0)
