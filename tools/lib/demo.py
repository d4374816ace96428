"""The story that tools/demo tells: a mailbox is mirrored, lost, restored and compared."""

import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import textwrap
import time

import imap_load
import mail_samples

TOOLS = pathlib.Path(__file__).resolve().parent.parent
COLUMNS = 78
WAIT_SECONDS = 300
STOP_SECONDS = 60
POLL_SECONDS = 0.02
NEW_MESSAGES = 3
INBOX = "INBOX"

CONFIGURATION = """\
[mailstow]
archive-dir = {home}/archive

[account alice]
address = alice@example.org
host = localhost
port = {first_port}
tls-ca-file = {first}/ca.pem
user = alice
password-file = {home}/password
poll = 2s

[account bob]
address = bob@example.org
host = localhost
port = {second_port}
tls-ca-file = {second}/ca.pem
user = bob
password-file = {home}/password
mirror = no
"""


class Failed(Exception):
    """The story cannot go on; the words say why."""


def tell(text):
    print(textwrap.fill(text, COLUMNS, initial_indent="  ", subsequent_indent="  "), flush=True)


def chapter(number, title):
    print(f"\n{number}. {title}", flush=True)


def megabytes(size):
    return f"{size / 1e6:.1f} MB"


def percent(part, whole):
    return f"{100 * part / max(whole, 1):.0f} %"


class Demo:
    def __init__(self, build, place):
        self.place = place
        self.first = place / "a"
        self.second = place / "b"
        self.home = place / "home"
        self.environment = {**os.environ, "HOME": str(self.home),
                            "XDG_STATE_HOME": str(self.home / "state")}
        self.daemon = None
        self.mailstowd = self.program(build, "mailstowd")
        self.mailstow = self.program(build, "mailstow")

    @staticmethod
    def program(build, name):
        for pattern in (name, f"*/{name}"):
            for path in sorted(pathlib.Path(build).glob(pattern)):
                if path.is_file() and os.access(path, os.X_OK):
                    return path
        raise Failed(f"{name} was not built")

    def ask(self, *arguments, exits=(0,)):
        """Runs a mailstow command with --json and returns its lines."""
        run = subprocess.run([self.mailstow, "-c", self.home / "mailstow.conf", *arguments,
                              "--json"], stdin=subprocess.DEVNULL, capture_output=True,
                             text=True, timeout=2 * WAIT_SECONDS, check=False,
                             env=self.environment)
        if run.returncode not in exits:
            raise Failed(f"mailstow {' '.join(arguments)}: exit {run.returncode}\n{run.stdout}"
                         f"{run.stderr}")
        return [json.loads(line) for line in run.stdout.splitlines()]

    def compare(self, *arguments, ca):
        run = subprocess.run([sys.executable, "-B", TOOLS / "compare_mailboxes.py", *arguments,
                              "--ca", ca / "ca.pem"], capture_output=True, text=True, check=False)
        if run.returncode != 0:
            raise Failed(f"compare_mailboxes.py says:\n{run.stdout}{run.stderr}")
        return run.stdout.strip().splitlines()[-1]

    def wait(self, what, condition):
        """Seconds until the condition holds."""
        start = time.monotonic()
        while not condition():
            if self.daemon and self.daemon.poll() is not None:
                raise Failed(f"mailstowd ended with status {self.daemon.returncode}")
            if time.monotonic() > start + WAIT_SECONDS:
                raise Failed(f"{what}: not within {WAIT_SECONDS} s; status: "
                             f"{self.ask('status', 'alice')}")
            time.sleep(POLL_SECONDS)
        return time.monotonic() - start

    def client(self):
        port = int((self.first / "tls-port").read_text())
        return imap_load.Client("localhost", port, "alice", "secret", self.first / "ca.pem")

    def address(self, user, server):
        return f"imaps://{user}@localhost:{(server / 'tls-port').read_text().strip()}"

    def archived(self):
        return self.ask("status", "alice")[0]

    def start_servers(self):
        chapter(1, "Two mail servers")
        for server in (self.first, self.second):
            server.mkdir(mode=0o755)
            subprocess.run([TOOLS / "dovecot", "start", server, "0", "0"], check=True,
                           stdin=subprocess.DEVNULL)
        folders = mail_samples.make("sample")
        with self.client() as client:
            client.fill(folders)
        count = sum(len(folder.messages) for folder in folders)
        size = sum(len(message.content) for folder in folders for message in folder.messages)
        tell(f"Two private Dovecots run on 127.0.0.1. Alice has {count} messages "
             f"({megabytes(size)}) in {len(folders)} folders on the first, among them broken, "
             "huge and strange ones. Bob's account on the second is empty.")
        return count

    def configure(self):
        self.home.mkdir(mode=0o700)
        ports = {name: (server / "tls-port").read_text().strip() for name, server in
                 (("first_port", self.first), ("second_port", self.second))}
        (self.home / "mailstow.conf").write_text(CONFIGURATION.format(
            home=self.home, first=self.first, second=self.second, **ports))
        password = self.home / "password"
        password.touch(mode=0o600)
        password.write_text("secret\n")

    def start_daemon(self, count):
        chapter(2, "The mirror")
        self.configure()
        with open(self.home / "log", "wb") as log:
            self.daemon = subprocess.Popen(
                [self.mailstowd, "-c", self.home / "mailstow.conf"], stdin=subprocess.DEVNULL,
                stdout=log, stderr=log, start_new_session=True, env=self.environment)
        seconds = self.wait("the first mirror", lambda: self.is_complete(count))
        status = self.archived()
        tell(f"mailstowd copied all {status['messages']} messages in {seconds:.1f} s. The archive "
             f"takes {megabytes(status['archive_bytes'])} for {megabytes(status['bytes'])} of "
             f"mail ({percent(status['archive_bytes'], status['bytes'])}).")

    def is_complete(self, count):
        lines = self.ask("status", "alice", exits=(0, 3, 66, 75))
        return bool(lines) and lines[0].get("messages") == count and bool(
            lines[0].get("last_success")) and lines[0].get("state") == "watching"

    def deliver(self, count):
        chapter(3, "New mail")
        delays = []
        with self.client() as client:
            for number in range(1, NEW_MESSAGES + 1):
                content = (f"From: Ada Holm <ada.holm@example.org>\r\nTo: alice@example.org\r\n"
                           f"Subject: News {number}\r\nMessage-ID: <news-{number}@example.org>"
                           f"\r\n\r\nThis came while the demo ran.\r\n")
                client.deliver(INBOX, content.encode())
                delays.append(self.wait("new mail", lambda: self.archived()["messages"]
                                        == count + number))
        tell(f"{NEW_MESSAGES} messages arrive; the server announces each, and it is safe in the "
             f"archive {', '.join(f'{delay:.2f} s' for delay in delays[:-1])} and "
             f"{delays[-1]:.2f} s after the server had taken it.")

    def lose(self):
        chapter(4, "The loss")
        saved = self.compare(self.address("alice", self.first), "--save",
                             self.home / "before.json", ca=self.first)
        snapshots = [line for line in self.ask("snapshots", "alice") if line["complete"]]
        if not snapshots:
            raise Failed("there is no complete snapshot")
        with self.client() as client:
            client.wipe()
        self.wait("the loss", lambda: self.archived()["state"] == "guarded"
                  or self.archived()["messages"] == 0)
        tell(f"Everything is deleted on the first server, every message, every folder "
             f"({re.sub('^saved: ', '', saved)}). mailstowd sees it, and forgets nothing: "
             f"snapshot {snapshots[-1]['id']} still holds {snapshots[-1]['messages']} messages.")
        return snapshots[-1]

    def restore(self, snapshot):
        chapter(5, "The restore")
        command = ("restore", f"alice@{snapshot['id']}", "--to", "bob")
        start = time.monotonic()
        summary = self.ask(*command)[-1]
        seconds = time.monotonic() - start
        again = self.ask(*command)[-1]
        tell(f"$ mailstow {' '.join(command)}")
        tell(f"{summary['exact']} messages are back, on the second server, after {seconds:.1f} s; "
             f"{summary['folders_created']} folders were created, the others existed. The same "
             f"command once more adds nothing: {again['already_there']} are there already.")
        if again["already_there"] != again["planned"]:
            raise Failed(f"the second restore was not empty: {again}")

    def judge(self):
        chapter(6, "The judgement")
        words = self.compare(self.home / "before.json", self.address("bob", self.second),
                             ca=self.second)
        tell("A separate program compares both mailboxes, message by message: bytes by SHA-256, "
             "flags, arrival dates, folders, subscriptions.")
        tell(f"{words}.")

    def play(self):
        count = self.start_servers()
        self.start_daemon(count)
        self.deliver(count)
        snapshot = self.lose()
        self.restore(snapshot)
        self.judge()

    def clean_up(self):
        """Ends what was started, whatever happened before."""
        if self.daemon and self.daemon.poll() is None:
            self.daemon.terminate()
            try:
                self.daemon.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self.daemon.kill()
                self.daemon.wait()
        for server in (self.first, self.second):
            if server.exists():
                subprocess.run([TOOLS / "dovecot", "stop", server], check=False)

    def show_log(self):
        log = self.home / "log"
        if log.exists():
            print("\nThe end of mailstowd's log:")
            print("\n".join(log.read_text(errors="replace").splitlines()[-15:]))


def interrupted(number, _):
    raise Failed(f"stopped by {signal.Signals(number).name}")


def main(build):
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, interrupted)
    place = pathlib.Path(tempfile.mkdtemp(prefix="mailstow-demo-", dir="/tmp"))
    place.chmod(0o755)
    demo = None
    start = time.monotonic()
    try:
        demo = Demo(build, place)
        print("\nA mailbox is mirrored, lost and restored.")
        demo.play()
        print(f"\nEqual in every message, after {time.monotonic() - start:.0f} s.")
        return 0
    except (Failed, OSError, subprocess.SubprocessError, imap_load.Refused, KeyError) as error:
        print(f"\nThe demo failed: {error}")
        if demo:
            demo.show_log()
        return 1
    finally:
        if demo:
            demo.clean_up()
        shutil.rmtree(place, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
