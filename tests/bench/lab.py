"""Shared by the benchmarks: a private server on tmpfs, accounts, programs, clocks."""

import hashlib
import json
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path[:0] = [str(ROOT / "tools"), str(ROOT / "tools" / "lib")]

import imap_load  # noqa: E402
import mail_samples  # noqa: E402

TMPFS = pathlib.Path("/dev/shm")
TMPFS_BYTES_NEEDED = 3_000_000_000
RUN_SECONDS_MAX = 900
USERS = 100
SAMPLE_SECONDS = 0.005

# All clients log in by PLAIN, Debian's default: what SCRAM costs is the server's time.
SERVER_SETTINGS = "log_debug = event=imap_command_finished\nauth_mechanisms = plain"

MAILSTOW_CONFIGURATION = "[mailstow]\narchive-dir = {archives}\n"
ACCOUNT_CONFIGURATION = """
[account {name}]
address = {user}@example.org
host = localhost
port = {port}
tls-ca-file = {ca}
user = {user}
password-file = {password}
mirror = {mirror}
"""
MBSYNC_CONFIGURATION = """\
{fast_global}
IMAPAccount far
Host localhost
Port {port}
User {user}
Pass secret
SSLType IMAPS
SystemCertificates no
CertificateFile {ca}
{fast_account}

IMAPStore far
Account far

MaildirStore near
Path {mail}/
Inbox {mail}/INBOX
SubFolders Verbatim

Channel all
Far :far:
Near :near:
Patterns *
Create Near
Sync Pull
SyncState *
CopyArrivalDate yes
"""


class Broken(Exception):
    """A benchmark could not run."""


class Measured:
    """One run of a program: seconds, CPU seconds, peak resident bytes, output."""

    def __init__(self, seconds, cpu_seconds, peak_bytes, output, status):
        self.seconds = seconds
        self.cpu_seconds = cpu_seconds
        self.peak_bytes = peak_bytes
        self.output = output
        self.status = status


def peak_resident(pid):
    """VmHWM of a process in bytes; 0 when it is gone."""
    try:
        for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    except OSError:
        pass
    return 0


def measure(command, exits=(0,), timeout=RUN_SECONDS_MAX, environment=None):
    """Runs a program to its end and samples its memory from outside every few milliseconds."""
    peak = 0
    start = time.monotonic()
    with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors:
        process = subprocess.Popen([str(word) for word in command], stdin=subprocess.DEVNULL,
                                   stdout=output, stderr=errors, env=environment)
        stopper = threading.Timer(timeout, process.kill)
        stopper.start()
        done, usage = None, None
        while not done:
            peak = max(peak, peak_resident(process.pid))
            done, status, usage = os.wait4(process.pid, os.WNOHANG)
            if not done:
                time.sleep(SAMPLE_SECONDS)
        seconds = time.monotonic() - start
        stopper.cancel()
        process.returncode = os.waitstatus_to_exitcode(status)
        output.seek(0)
        errors.seek(0)
        text = output.read().decode(errors="replace")
        if process.returncode not in exits:
            raise Broken(f"{' '.join(map(str, command))}: status {process.returncode}\n"
                         f"{text[-1000:]}{errors.read().decode(errors='replace')[-2000:]}")
    return Measured(seconds, usage.ru_utime + usage.ru_stime, peak, text, process.returncode)


def median(values):
    return statistics.median(values)


def fingerprints(folder):
    """{path: (size, mtime, digest)} of all files below a folder but the writer's lock."""
    found = {}
    for path in sorted(pathlib.Path(folder).rglob("*")):
        if path.is_file() and path.name != "lock":
            state = path.stat()
            found[str(path.relative_to(folder))] = (
                state.st_size, state.st_mtime_ns, hashlib.sha256(path.read_bytes()).hexdigest())
    return found


def folder_bytes(folder):
    return sum(path.stat().st_size for path in pathlib.Path(folder).rglob("*") if path.is_file())


class Lab:
    """A server with its mail on tmpfs, a folder on disk for the clients' files, and programs."""

    def __init__(self, build, client_dir=None):
        self.build = pathlib.Path(build).resolve()
        room = TMPFS.is_dir() and os.access(TMPFS, os.W_OK) and (
            shutil.disk_usage(TMPFS).free > TMPFS_BYTES_NEEDED)
        self.on_tmpfs = bool(room)
        self.server = pathlib.Path(tempfile.mkdtemp(
            prefix="msb-", dir=TMPFS if room else tempfile.gettempdir()))
        self.place = pathlib.Path(tempfile.mkdtemp(prefix="msb-", dir=client_dir))
        self.server.chmod(0o755)
        self.runs = self.users = 0
        self.processes = []
        self.environment = {**os.environ, "HOME": str(self.place),
                            "XDG_STATE_HOME": str(self.place / "state")}
        self.password = self.place / "password"
        self.password.touch(mode=0o600)
        self.password.write_text("secret\n")
        self.messages = self.bytes = 0

    def start(self):
        names = ["alice"] + [f"user{number}" for number in range(1, USERS + 1)]
        (self.server / "users").write_text(
            "".join(f"{name}:{{PLAIN}}secret\n" for name in names))
        subprocess.run([ROOT / "tools" / "dovecot", "start", self.server, "0", "0", "sdbox"],
                       check=True, stdin=subprocess.DEVNULL, env={
                           **os.environ, "DOVECOT_FSYNC": "never",
                           "DOVECOT_EXTRA": SERVER_SETTINGS})
        self.port = (self.server / "tls-port").read_text().strip()
        self.ca = self.server / "ca.pem"

    def stop(self):
        for process in self.processes:
            if process.poll() is None:
                process.terminate()
                try:
                    process.wait(20)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()
        subprocess.run([ROOT / "tools" / "dovecot", "stop", self.server], check=False)
        shutil.rmtree(self.server, ignore_errors=True)
        shutil.rmtree(self.place, ignore_errors=True)

    def new_user(self):
        """A user the server has not seen yet."""
        self.users += 1
        return f"user{self.users}"

    def client(self, user):
        return imap_load.Client("localhost", int(self.port), user, "secret", self.ca)

    def load(self, user, kind):
        folders = mail_samples.make(kind)
        with self.client(user) as client:
            client.fill(folders)
        self.messages = sum(len(folder.messages) for folder in folders)
        self.bytes = sum(len(message.content) for folder in folders for message in folder.messages)
        return folders

    def program(self, name):
        for pattern in (name, f"*/{name}", f"tests/bench/{name}"):
            for path in sorted(self.build.glob(pattern)):
                if path.is_file() and os.access(path, os.X_OK):
                    return path
        raise Broken(f"{name} is not in {self.build}")

    def fresh_dir(self, name):
        self.runs += 1
        folder = self.place / f"{name}{self.runs}"
        folder.mkdir()
        return folder

    def configuration(self, folder, users, targets=()):
        """Writes mailstow.conf with an account for each user, named like the user."""
        text = MAILSTOW_CONFIGURATION.format(archives=folder / "archive")
        for user in (*users, *targets):
            text += ACCOUNT_CONFIGURATION.format(
                name=user, user=user, port=self.port, ca=self.ca, password=self.password,
                mirror="no" if user in targets else "yes")
        path = folder / "mailstow.conf"
        path.write_text(text)
        return path

    def floor(self, user):
        return measure([self.program("bench_floor"), "localhost", self.port, self.ca, user])

    def uploader(self, user, spool):
        return measure([self.program("bench_uploader"), "localhost", self.port, self.ca, user,
                        spool])

    def mirror_once(self, configuration, *accounts):
        return measure([self.program("mailstowd"), "-c", configuration, "--once", *accounts],
                       environment=self.environment)

    def mailstow(self, configuration, *arguments, exits=(0,)):
        """JSON lines of a command."""
        run = measure([self.program("mailstow"), "-c", configuration, *arguments, "--json"], exits,
                      environment=self.environment)
        return run, [json.loads(line) for line in run.output.splitlines()]

    def mbsync_configuration(self, folder, user, fast):
        mail = folder / "mail"
        mail.mkdir()
        path = folder / "mbsyncrc"
        path.write_text(MBSYNC_CONFIGURATION.format(
            port=self.port, user=user, ca=self.ca, mail=mail, fast_global="FSync no" if fast
            else "", fast_account="DisableExtension COMPRESS=DEFLATE" if fast else ""))
        path.chmod(0o600)
        return path

    def mbsync(self, configuration):
        return measure(["mbsync", "-q", "-c", configuration, "-a"], exits=(0, 1))

    def server_log(self):
        return (self.server / "log").read_text(errors="replace")

    def daemon(self, configuration):
        """A running mailstowd; ended by stop() at the latest."""
        log = open(self.place / "daemon.log", "ab")
        with log:
            process = subprocess.Popen(
                [str(self.program("mailstowd")), "-c", str(configuration)],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=self.environment)
        self.processes.append(process)
        return process

    def end(self, process):
        process.terminate()
        process.wait(30)
        self.processes.remove(process)
