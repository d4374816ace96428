"""Shared by the live tests: a private server, the programs, and promises printed as TAP.

    import live

    def a_second_pass_adds_nothing(lab):
        ...
        live.equal(run.status, 0)

    live.main(a_second_pass_adds_nothing, programs=("mailstowd", "mailstow"))

Each promise gets a Lab of its own: folders, accounts, configuration. The server is shared and ends
with the test; users user1, user2, ... have never been seen by it. It is a Dovecot unless the third
argument names another of KINDS.
"""

import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import traceback

sys.dont_write_bytecode = True
ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
TOOLS = ROOT / "tools"
sys.path[:0] = [str(TOOLS), str(TOOLS / "lib"), str(ROOT / "tests" / "support")]

import compare_mailboxes  # noqa: E402
import imap_load  # noqa: E402
import mail_samples  # noqa: E402

KINDS = {  # tool, its options, accounts
    "dovecot": ("dovecot", (), 60),
    "cyrus": ("cyrus", ("/",), 30),
    "cyrus-dots": ("cyrus", (".",), 30),
    "courier": ("courier", (), 30),
}
EXIT_IMPOSSIBLE = 77
# Only to stop a test that hangs. A wait ends before the daemon polls again (300 s), which would
# hide that a push was lost.
RUN_SECONDS = 600
WAIT_SECONDS = 240
POLL_SECONDS = 0.03
ACCOUNT = """
[account {name}]
address = {user}@example.org
host = {host}
port = {port}
tls-ca-file = {ca}
user = {user}
password-file = {password}
{extra}
"""


class Broken(AssertionError):
    """A promise was not kept."""


def equal(got, wanted, words=""):
    if got != wanted:
        raise Broken(f"{got!r}, not {wanted!r}; {words}")


def true(condition, words):
    if not condition:
        raise Broken(words)


class Skipped(Exception):
    """A promise cannot be tested here; holds the reason."""


class Run:
    """What a program left behind."""

    def __init__(self, status, content, errors):
        self.status, self.content = status, content
        self.output = content.decode(errors="replace")
        self.errors = errors.decode(errors="replace")

    def lines(self):
        """JSON Lines of its standard output."""
        return [json.loads(line) for line in self.output.splitlines()]

    def __repr__(self):
        return f"exit {self.status}\n{self.output[-1500:]}\n{self.errors[-1500:]}"


class Server:
    """A private server in a short folder below /tmp; what differs between kinds is in KINDS."""

    def __init__(self, kind="dovecot"):
        self.kind = kind
        self.tool, self.options, names = KINDS[kind]
        self.place = pathlib.Path(tempfile.mkdtemp(prefix="msl-", dir="/tmp"))
        self.place.chmod(0o755)
        names = ["alice", "bob"] + [f"user{number}" for number in range(1, names + 1)]
        (self.place / "users").write_text(
            "".join(f"{name}:{{PLAIN}}secret\n" for name in names))
        self.users = 0
        self.neighbour = None
        try:
            self.start()
        except BaseException:
            self.remove()
            raise

    def start(self):
        port = (self.place / "port", self.place / "tls-port")
        ports = [path.read_text().strip() if path.exists() else "0" for path in port]
        done = subprocess.run([TOOLS / self.tool, "start", self.place, *ports, *self.options],
                              stdin=subprocess.DEVNULL, check=False, stderr=subprocess.PIPE,
                              env={**os.environ, "DOVECOT_FSYNC": "never"})
        words = done.stderr.decode(errors="replace").strip()
        if done.returncode == EXIT_IMPOSSIBLE:
            raise Skipped(f"{self.kind}: {words}")
        true(done.returncode == 0, f"{self.kind} did not start: {words}")
        self.port = (self.place / "tls-port").read_text().strip()
        self.ca = self.place / "ca.pem"

    def stop(self):
        subprocess.run([TOOLS / self.tool, "stop", self.place], check=False)

    def dovecot(self):
        """A Dovecot beside this server, started when first asked for; it ends with this one."""
        if not self.neighbour:
            self.neighbour = Server("dovecot")
        return self.neighbour

    def remove(self):
        if self.neighbour:
            self.neighbour.remove()
        self.stop()
        shutil.rmtree(self.place, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.remove()

    def new_user(self):
        self.users += 1
        return f"user{self.users}"

    def client(self, user):
        return imap_load.Client("localhost", int(self.port), user, "secret", self.ca)

    def fill(self, user, kind="tiny", seed=1):
        folders = mail_samples.make(kind, seed)
        with self.client(user) as client:
            equal(client.fill(folders), [])
        return sum(len(folder.messages) for folder in folders)

    def mailbox(self, user):
        """All of an account, as compare_mailboxes.py reads it."""
        return compare_mailboxes.read_account(f"imaps://{user}@localhost:{self.port}", self.ca)


class Lab:
    """One promise's folder with its configuration, its programs and its daemons."""

    def __init__(self, server, build):
        self.server, self.build = server, build
        self.place = pathlib.Path(tempfile.mkdtemp(prefix="msl-"))
        self.archives = self.place / "archive"
        self.conf = self.place / "mailstow.conf"
        self.conf.write_text(f"[mailstow]\narchive-dir = {self.archives}\n")
        self.password = self.file("password", "secret\n")
        self.environment = {**os.environ, "HOME": str(self.place),
                            "XDG_STATE_HOME": str(self.place / "state")}
        self.daemons = []

    def file(self, name, text):
        path = self.place / name
        path.touch(mode=0o600)
        path.write_text(text)
        return path

    def account(self, name, user=None, extra="", **changes):
        """Adds an account to the configuration; the user is new unless named. Returns the user."""
        user = user or self.server.new_user()
        values = {"host": "localhost", "port": self.server.port, "ca": self.server.ca,
                  "password": self.password, **changes}
        with open(self.conf, "a", encoding="utf-8") as conf:
            conf.write(ACCOUNT.format(name=name, user=user, extra=extra, **values))
        return user

    def run(self, program, *arguments, timeout=RUN_SECONDS):
        done = subprocess.run([program_path(self.build, program), "-c", self.conf, *arguments],
                              stdin=subprocess.DEVNULL, capture_output=True, timeout=timeout,
                              check=False, env=self.environment)
        return Run(done.returncode, done.stdout, done.stderr)

    def ask(self, *arguments, exits=(0,)):
        """JSON lines of a mailstow command that ends as it should."""
        run = self.run("mailstow", *arguments, "--json")
        true(run.status in exits, f"{arguments}: {run}")
        return run.lines()

    def mirror(self, *accounts, status=0):
        run = self.run("mailstowd", "--once", *accounts)
        equal(run.status, status, run)
        return run

    def start_daemon(self):
        log = open(self.place / "daemon.log", "ab")
        with log:
            daemon = subprocess.Popen([program_path(self.build, "mailstowd"), "-c", self.conf],
                                      stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                      env=self.environment)
        self.daemons.append(daemon)
        return daemon

    def is_sanitized(self):
        program = program_path(self.build, "mailstowd").read_bytes()
        return b"__asan_init" in program or b"__tsan_init" in program

    def preload(self, name, **environment):
        """Puts a library of tests/live before those of the programs."""
        if self.is_sanitized():
            raise Skipped("a sanitizer wants to be loaded first")
        library = pathlib.Path(self.build) / "tests" / "live" / f"lib{name}.so"
        self.environment.update({"LD_PRELOAD": str(library), **environment})

    def status(self, account):
        lines = self.ask("status", account, exits=(0, 3, 66, 75))
        return lines[0] if lines else {}

    def wait(self, what, condition, seconds=WAIT_SECONDS):
        deadline = time.monotonic() + seconds
        while not condition():
            for daemon in self.daemons:
                true(daemon.poll() is None, f"{what}: mailstowd ended, {daemon.returncode}")
            true(time.monotonic() < deadline, f"{what}: not within {seconds} s")
            time.sleep(POLL_SECONDS)

    def logins_failed(self):
        log = self.server.place / "log"
        return log.read_text(errors="replace").count("auth failed") if log.exists() else 0

    def same(self, account, user):
        """The archive's newest state is what the server has, byte for byte."""
        wanted = [(path, message["uid"], message["sha256"], message["flags"], message["date"])
                  for path, folder in self.server.mailbox(user).items()
                  for message in folder["messages"]]
        got = [(line["folder"], line["uid"], line["sha256"], line["flags"],
                instant(line["internaldate"])) for line in self.ask("ls", account)]
        equal(sorted(got), sorted(wanted), "archive and server differ")

    def differences(self, source_user, target_user):
        return compare_mailboxes.compare(self.server.mailbox(source_user),
                                         self.server.mailbox(target_user), set())

    def end(self):
        for daemon in self.daemons:
            if daemon.poll() is None:
                daemon.terminate()
                try:
                    daemon.wait(WAIT_SECONDS)
                except subprocess.TimeoutExpired:
                    daemon.kill()
                    daemon.wait()
        shutil.rmtree(self.place, ignore_errors=True)


def free_listener():
    """A socket that will listen, below the ports of outgoing connections."""
    for port in range(20000 + os.getpid() % 6000, 32000, 7):
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(("127.0.0.1", port))
            return listener
        except OSError:
            listener.close()
    raise Skipped("no free port")


class Peer:
    """Serves each connection in a thread of its own, until the promise is kept or broken."""

    def __init__(self, serve):
        self.serve, self.count = serve, 0
        self.listener = free_listener()
        self.port = self.listener.getsockname()[1]
        self.listener.listen()
        self.thread = threading.Thread(target=self.run, daemon=True)

    def run(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            self.count += 1
            threading.Thread(target=self.one, args=(connection,), daemon=True).start()

    def one(self, connection):
        try:
            with connection:
                connection.settimeout(WAIT_SECONDS)
                try:
                    self.serve(connection)
                finally:  # a close alone waits for whoever reads in another thread
                    connection.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.thread.join()


def instant(rfc3339):
    """Seconds since 1970 of an RFC 3339 time."""
    from datetime import datetime
    return int(datetime.fromisoformat(rfc3339.replace("Z", "+00:00")).timestamp())


def program_path(build, name):
    """Where meson put it: at most one folder down, as other builds may lie below this one."""
    for pattern in (name, f"*/{name}"):
        for path in sorted(pathlib.Path(build).glob(pattern)):
            if path.is_file() and os.access(path, os.X_OK):
                return path
    return None


def keep(promise, lab):
    """Runs one promise; what broke it, or None. Skipped goes on to the caller."""
    try:
        promise(lab)
    except Skipped:
        raise
    except Exception:  # a promise can fail in any way
        log = lab.place / "daemon.log"
        return traceback.format_exc() + (log.read_text(errors="replace")[-3000:]
                                         if log.exists() else "")
    finally:
        lab.end()
    return None


def run_all(promises, server, build):
    """Prints a line for each promise; how many were broken."""
    failed = 0
    print(f"1..{len(promises)}", flush=True)
    for number, promise in enumerate(promises, 1):
        try:
            broken = keep(promise, Lab(server, build))
        except Skipped as reason:
            print(f"ok {number} - {promise.__name__} # SKIP {reason}", flush=True)
            continue
        failed += bool(broken)
        print(f"{'not ok' if broken else 'ok'} {number} - {promise.__name__}", flush=True)
        if broken:
            print("\n".join("# " + line for line in broken.splitlines()), flush=True)
    return failed


def main(*promises, programs=()):
    """Prints TAP; arguments: the build folder, part of a promise's name, the kind of server."""
    build, wanted, kind = (sys.argv[1:] + ["", "", ""])[:3]
    build, kind = build or str(ROOT / "build"), kind or "dovecot"
    lacking = [name for name in programs if not program_path(build, name)]
    if kind == "dovecot" and not (shutil.which("dovecot") or os.path.exists("/usr/sbin/dovecot")):
        lacking.append("dovecot")
    if lacking:
        print(f"1..0 # SKIP not there: {', '.join(lacking)}")
        return
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped"))
    try:
        with Server(kind) as server:
            chosen = [promise for promise in promises if wanted in promise.__name__]
            failed = run_all(chosen, server, build)
    except Skipped as reason:
        print(f"1..0 # SKIP {reason}")
        return
    sys.exit(1 if failed else 0)
