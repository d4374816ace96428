"""What a person or a script sees of mailstow key encrypt and key rotate. Prints TAP."""

import contextlib
import fcntl
import json
import os
import pathlib
import random
import secrets
import shutil
import signal
import sqlite3
import subprocess
import tempfile
import time

from cli import MAILSTOW, MAILSTOWD, MAKE_ARCHIVE, equal, has, lacks, main, terminal

RUN_SECONDS = 600
KEYRING_VERSION_AT = 4
CHANGING = 2  # the keyring's version while all volumes are rewritten
KILLS_MAX = 200
MAILS = 4
CONFIG = """[mailstow]
archive-dir = {place}/archives
[account alice]
address = alice@example.org
host = localhost
password-command = echo x
"""
KEY = "key-file = {place}/key\n"
DATE = "20-Nov-2026 09:00:00 +0100"
WORDS = (b"Canary", b"ann@", b"Readable words")


class Lab:
    """A plain archive of four mails in two folders, and a configuration with a key."""

    def __init__(self):
        self.place = pathlib.Path(tempfile.mkdtemp(prefix="msk-"))
        self.archive = self.place / "archives" / "alice"
        self.archive.parent.mkdir()
        self.state = self.place / "state" / "mailstow"
        self.conf = self.place / "mailstow.conf"
        self.configure(KEY)
        self.key(secrets.token_hex(32))
        for uid in range(1, MAILS + 1):
            self.mail(uid, "Readable words of a body\r\n" * 300)
        self.before = self.seen()

    def configure(self, more=""):
        self.conf.write_text((CONFIG + more).format(place=self.place))

    def key(self, text):
        path = self.place / "key"
        path.write_text(text + "\n")
        path.chmod(0o600)

    def mail(self, uid, body):
        (self.place / str(uid)).write_text(
            f"From: ann@example.org\r\nSubject: Canary {uid}\r\n\r\n{body}", newline="")
        script = (f"folder\tINBOX\t7\nfolder\tCanaries\t8\nmessage\tINBOX\t{uid}\t\\Seen\t{DATE}"
                  f"\t{uid}\nmessage\tCanaries\t{uid}\t\t{DATE}\t{uid}\ncommit\tcomplete\n")
        subprocess.run([MAKE_ARCHIVE, self.archive], input=script, text=True, check=True,
                       timeout=RUN_SECONDS, cwd=self.place)

    @property
    def environment(self):
        return {**os.environ, "TZ": "UTC", "LC_ALL": "C",
                "XDG_STATE_HOME": str(self.place / "state")}

    def run(self, *arguments, status=0, program=MAILSTOW):
        done = subprocess.run([program, "-c", self.conf, *arguments], stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, timeout=RUN_SECONDS, check=False,
                              start_new_session=True, env=self.environment)
        equal(done.returncode, status, done)
        return done

    def ask(self, *arguments, status=0):
        return [json.loads(line) for line in
                self.run(*arguments, "--json", status=status).stdout.splitlines()]

    def seen(self):
        return (self.ask("ls", "alice"), self.ask("folders", "alice"),
                self.ask("snapshots", "alice"), self.run("cat", "alice", "INBOX", "1").stdout)

    def sound(self):
        equal(self.ask("check", "alice", "--read-data")[-1]["errors"], 0)
        equal(self.seen(), self.before)

    def telling(self):
        """Files of archive and state that contain text of the mail."""
        return [str(path) for folder in (self.archive, self.state) for path in folder.rglob("*")
                if path.is_file() and any(word in path.read_bytes() for word in WORDS)]

    def keys(self):
        return [(line["id"], line["kind"]) for line in self.ask("key", "list", "alice")]

    def interrupted(self):
        keyring = self.archive / "keyring"
        return keyring.exists() and keyring.read_bytes()[KEYRING_VERSION_AT] == CHANGING

    def interrupt(self, *arguments):
        """Killed after it began and before it ended."""
        for kill in range(KILLS_MAX):
            with subprocess.Popen([MAILSTOW, "-c", self.conf, *arguments], env=self.environment,
                                  stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                  stderr=subprocess.DEVNULL, start_new_session=True) as process:
                while process.poll() is None and not self.interrupted():
                    time.sleep(0.001)
                time.sleep(0.002 * kill % 0.05)
                process.send_signal(signal.SIGKILL)
            if self.interrupted():
                return
            raise AssertionError("it was done before it could be stopped")

    def talk(self, *arguments, answers):
        """At a terminal: its words and its exit code."""
        status, words = terminal.typed(MAILSTOW, ["-c", self.conf, *arguments], self.environment,
                                       *answers)
        return words, status

    def end(self):
        shutil.rmtree(self.place, ignore_errors=True)


def an_encrypted_archive_is_the_same_and_tells_nothing(lab):
    equal(bool(lab.telling()), True)
    told = lab.ask("key", "encrypt", "alice")[-1]
    equal((told["summary"], told["epoch"], told["volumes"] > 0), (True, 1, True))
    equal(lab.telling(), [])
    lab.sound()
    lab.run("rebuild", "alice")
    lab.sound()
    equal(lab.ask("status", "alice")[0]["encrypted"], True)
    equal(lab.keys(), [(1, "key")])


def files_beside_the_archive_are_encrypted_too(lab):
    journals = lab.state / "restore"
    journals.mkdir(parents=True)
    uuid = sqlite3.connect(lab.archive / "catalogue.db").execute(
        "select hex(archive) from state").fetchone()[0].lower()
    mine, others = journals / f"{uuid}-0123.db", journals / f"{'0' * 32}-0123.db"
    mine.write_bytes(WORDS[0])
    others.write_bytes(b"of another archive")
    lab.run("--once", "alice", status=69, program=MAILSTOWD)
    with sqlite3.connect(lab.state / "state.db") as state:
        state.execute("insert into skipped values (?, 'Canaries', 1, 1, 1, 'Canary', 1, 1)",
                      (str(lab.archive),))
        state.execute("update account set detail = 'Canary'")
    state.close()
    equal(len([path for path in lab.telling() if "/state/" in path]) >= 2, True)
    lab.run("key", "encrypt", "alice")
    equal(lab.telling(), [])
    equal((mine.exists(), others.read_bytes()), (False, b"of another archive"))
    equal(lab.ask("status", "alice")[0]["skipped"], 1)
    lab.run("key", "rotate", "alice")
    equal(lab.ask("status", "alice")[0]["skipped"], 1)


def wrong_calls_have_their_codes(lab):
    has(lab.run("key", "rotate", "alice", status=66).stderr, "mailstow key encrypt alice")
    lab.run("key", "encrypt", "nobody", status=66)
    lab.run("key", "encrypt", f"{lab.place}/nowhere/", status=66)
    lab.run("key", "encrypt", "alice@1", status=64)
    lab.run("key", "encrypt", "alice", "--recovery", status=64)
    lab.run("key", "encrypt", status=64)
    lab.run("key", "turn", "alice", status=66)
    lab.run("key", "encrypt", str(lab.archive), status=77)  # nobody to ask for a passphrase
    lab.configure()
    has(lab.run("key", "encrypt", "alice", status=78).stderr, "key-file")
    lab.configure(KEY)
    lab.key("no key")
    lab.run("key", "encrypt", "alice", status=77)
    equal((lab.archive / "keyring").exists(), False)
    lab.key("ab" * 32)
    lab.run("key", "encrypt", "alice")
    has(lab.run("key", "encrypt", "alice", status=64).stderr, "mailstow key rotate alice")
    lab.run("key", "turn", "alice", status=64)
    lab.key("cd" * 32)
    lab.run("key", "rotate", "alice", status=77)
    lab.configure()
    lab.run("key", "rotate", "alice", status=77)
    equal(lab.interrupted(), False)


def a_secret_that_is_taken_out_starts_no_plain_volume(lab):
    lab.run("key", "encrypt", "alice")
    lab.configure()
    names = sorted(path.name for path in lab.archive.rglob("*.vol"))
    has(lab.run("--once", "alice", status=77, program=MAILSTOWD).stderr, "encrypted")
    lab.run("ls", "alice", status=77)
    equal(lab.run("status", "alice").stdout.splitlines()[1].split()[-4:], ["-", "-", "-", "0"])
    equal(sorted(path.name for path in lab.archive.rglob("*.vol")), names)


def rotate_lists_the_keys_it_will_remove(lab):
    lab.run("key", "encrypt", "alice")
    old = lab.ask("key", "recovery", "alice")[0]["recovery_key"]
    done = lab.run("key", "rotate", "alice", "--json", "--recovery")
    told = [json.loads(line) for line in done.stdout.splitlines()]
    equal(told[:2], [{"id": 1, "kind": "key", "kept": True},
                     {"id": 2, "kind": "recovery", "kept": False}])
    has(done.stderr, "key 2 (recovery, added ")
    equal(set(told[-1]), {"summary", "epoch", "volumes", "bytes"})
    equal(told[-1]["epoch"], 2)
    equal(lab.keys(), [(1, "key"), (3, "recovery")])
    lab.sound()
    new = told[2]["recovery_key"]
    lab.configure()
    words, status = lab.talk("ls", "alice", answers=[old])
    equal(status, 77, words)
    words, status = lab.talk("ls", "alice", answers=[new])
    equal(status, 0, words)
    has(words, "Canary 1")


def at_a_terminal_keys_can_be_kept(lab):
    lab.run("key", "encrypt", "alice")
    recovery = lab.ask("key", "recovery", "alice")[0]["recovery_key"]
    words, status = lab.talk("key", "rotate", "alice", answers=[
        "not one of them", "", "n"])
    equal((status, lab.interrupted()), (75, False), words)
    equal(lab.keys(), [(1, "key"), (2, "recovery")], words)
    words, status = lab.talk("key", "rotate", "alice", answers=[recovery, "y"])
    equal(status, 0, words)
    equal(lab.keys(), [(1, "key"), (2, "recovery")])
    lab.sound()
    if recovery in words:
        raise AssertionError("what is typed is shown")


def a_path_asks_for_a_new_passphrase(lab):
    word = "correct horse battery"
    words, status = lab.talk("key", "encrypt", str(lab.archive), answers=[word, word, "y"])
    equal(status, 0, words)
    equal(lab.telling(), [])
    equal(lab.keys(), [(1, "passphrase")])
    lab.configure(f"passphrase-command = echo {word}\n")
    lab.sound()


def a_key_that_is_typed_is_a_key(lab):
    key = (lab.place / "key").read_text().strip()
    phrase = lab.place / "phrase"
    phrase.write_text("correct horse battery\n")
    phrase.chmod(0o600)
    lab.configure(f"passphrase-file = {phrase}\n")
    lab.run("key", "encrypt", "alice")
    words, status = lab.talk("key", "add", "alice", answers=[key, key])
    equal((status, lab.keys()), (0, [(1, "passphrase"), (2, "key")]), words)
    lab.configure(KEY)
    lab.sound()
    words, status = lab.talk("folders", lab.archive, answers=[key])
    equal(status, 0, words)


def a_passphrase_of_the_digits_of_a_key_is_typed(lab):
    key = lab.place / "key"
    lab.configure(f"passphrase-file = {key}\n")
    lab.run("key", "encrypt", "alice")
    for what in (["folders", lab.archive], ["key", "rotate", lab.archive, "--yes"]):
        words, status = lab.talk(*what, answers=[key.read_text().strip()])
        equal(status, 0, words)
    words, status = lab.talk("folders", lab.archive, answers=["12" * 32])
    equal(status, 77, words)
    has(words, "the key does not open the archive")
    lab.sound()


def removing_the_configured_key_warns(lab):
    lab.run("key", "encrypt", "alice")
    lab.run("key", "recovery", "alice")
    lab.run("key", "recovery", "alice")
    lacks(lab.run("key", "remove", "alice", "3").stderr, "does not open it")
    has(lab.run("key", "remove", "alice", "1").stderr,
        "alice: the configured secret does not open the archive")


def secrets_are_in_no_core_dump(lab):
    seen = lab.place / "limits"
    lab.configure(f"passphrase-command = grep core /proc/self/limits >{seen}; echo correct\n")
    lab.run("key", "encrypt", "alice")
    for program, arguments, status in ((MAILSTOW, ["ls", "alice"], 0),
                                       (MAILSTOWD, ["--once", "alice"], 69)):
        seen.write_text("")
        lab.run(*arguments, program=program, status=status)
        equal(seen.read_text().split()[:6], ["Max", "core", "file", "size", "0", "0"])


def an_interrupted_change_still_opens_and_resumes(lab):
    noise = random.Random(3)
    for uid in range(MAILS + 1, MAILS + 4):
        lab.mail(uid, "".join(chr(noise.randrange(32, 127)) for _ in range(1_000_000)))
    lab.before = lab.seen()
    lab.interrupt("key", "encrypt", "alice")
    has(lab.run("ls", "alice").stderr, "'mailstow key encrypt alice' completes it")
    has(lab.ask("status", "alice")[0]["detail"], "'mailstow key encrypt alice' completes it")
    has(lab.run("key", "rotate", "alice", status=64).stderr, "mailstow key encrypt alice")
    lab.sound()
    lab.run("key", "encrypt", "alice")
    equal((lab.interrupted(), lab.telling()), (False, []))
    lab.sound()
    lab.interrupt("key", "rotate", "alice")
    has(lab.run("ls", "alice").stderr, "'mailstow key rotate alice' completes it")
    lab.sound()
    equal(lab.ask("key", "rotate", "alice")[-1]["epoch"], 2)
    equal(lab.interrupted(), False)
    lab.sound()


def a_reader_meanwhile_reads_or_gets_try_again(lab):
    noise = random.Random(4)
    lab.mail(MAILS + 1, "".join(chr(noise.randrange(32, 127)) for _ in range(2_000_000)))
    lab.before = lab.seen()
    for what in ("encrypt", "rotate"):
        codes = []
        with subprocess.Popen([MAILSTOW, "-c", lab.conf, "key", what, "alice"],
                              env=lab.environment, stdin=subprocess.DEVNULL,
                              stdout=subprocess.DEVNULL, start_new_session=True) as process:
            while process.poll() is None:
                codes.append(subprocess.run(
                    [MAILSTOW, "-c", lab.conf, "cat", "alice", "INBOX", "1"],
                    stdin=subprocess.DEVNULL, capture_output=True, check=False,
                    timeout=RUN_SECONDS, env=lab.environment).returncode)
        equal(process.returncode, 0)
        equal(set(codes) - {0, 75, 77 if what == "encrypt" else 0}, set(), codes)
    lab.sound()


def a_held_lock_is_waited_out(lab):
    with open(lab.archive / "lock", "r+", encoding="utf-8") as lock:
        fcntl.lockf(lock, fcntl.LOCK_EX)
        has(lab.run("key", "encrypt", "alice", status=75).stderr, str(os.getpid()))
        equal((lab.archive / "keyring").exists(), False)
        with subprocess.Popen([MAILSTOW, "-c", lab.conf, "key", "encrypt", "alice"],
                              env=lab.environment, stdin=subprocess.DEVNULL,
                              stdout=subprocess.DEVNULL) as process:
            while not has_open(process.pid, lab.archive / "lock"):
                equal(process.poll(), None)
                time.sleep(0.01)
            fcntl.lockf(lock, fcntl.LOCK_UN)
            equal(process.wait(RUN_SECONDS), 0)
    lab.sound()


def has_open(pid, path):
    links = []
    for link in pathlib.Path(f"/proc/{pid}/fd").glob("*"):
        with contextlib.suppress(OSError):
            links.append(os.readlink(link))
    return str(path) in links


def a_damaged_archive_is_left_as_it_is(lab):
    lab.run("seal", "alice")
    volume = sorted(lab.archive.rglob("*.vol"))[0]
    wal = pathlib.Path(f"{volume}-wal")
    for path in (volume, wal):
        if path.exists() and path.stat().st_size:
            path.chmod(0o600)
            data = bytearray(path.read_bytes())
            at = data.rfind(b"\x28\xb5\x2f\xfd") + 40
            data[at] ^= 1
            path.write_bytes(data)
    has(lab.run("key", "encrypt", "alice", status=65).stderr, "mailstow check alice")
    equal((lab.archive / "keyring").exists(), False)


def without_its_keyring_an_archive_opens_by_the_copy_in_its_volumes(lab):
    lab.run("key", "encrypt", "alice")
    keyring = lab.archive / "keyring"
    sound = keyring.read_bytes()
    keyring.write_bytes(sound[:-1] + bytes([sound[-1] ^ 1]))
    has(lab.run("ls", "alice", status=65).stderr, "keyring away to use the copy")
    keyring.unlink()
    lab.sound()
    equal(lab.keys(), [(1, "key")])
    status = lab.ask("status", "alice")[0]
    equal((status["encrypted"], status["messages"]), (True, 2 * MAILS))
    key = (lab.place / "key").read_text().strip()
    lab.key(secrets.token_hex(32))
    has(lab.run("ls", "alice", status=77).stderr, "does not open")
    equal(keyring.exists(), False)
    has(lab.run("key", "encrypt", "alice", status=64).stderr, "already encrypted")
    lab.key(key)
    equal(lab.ask("key", "rotate", "alice")[-1]["epoch"], 2)
    lab.sound()


def a_copy_without_its_keyring_is_adopted(lab):
    lab.run("key", "encrypt", "alice")
    copy = lab.place / "disk" / "alice"
    lab.run("copy", "alice", copy)
    (copy / "keyring").unlink()
    shutil.rmtree(lab.archive)
    lab.run("account", "adopt", copy)
    lab.sound()
    equal(lab.keys(), [(1, "key")])


def progress_is_shown(lab):
    done = lab.run("key", "encrypt", "alice", "--progress=always")
    has(done.stderr, "B of ")
    has(done.stdout, "Encrypted: 1 volume (")


main(
    an_encrypted_archive_is_the_same_and_tells_nothing, files_beside_the_archive_are_encrypted_too,
    wrong_calls_have_their_codes, a_secret_that_is_taken_out_starts_no_plain_volume,
    rotate_lists_the_keys_it_will_remove, at_a_terminal_keys_can_be_kept,
    a_path_asks_for_a_new_passphrase, a_key_that_is_typed_is_a_key,
    a_passphrase_of_the_digits_of_a_key_is_typed, secrets_are_in_no_core_dump,
    removing_the_configured_key_warns, an_interrupted_change_still_opens_and_resumes,
    a_reader_meanwhile_reads_or_gets_try_again, a_held_lock_is_waited_out,
    a_damaged_archive_is_left_as_it_is,
    without_its_keyring_an_archive_opens_by_the_copy_in_its_volumes,
    a_copy_without_its_keyring_is_adopted, progress_is_shown,
    make_lab=Lab)
