#!/usr/bin/env python3
"""Makes the archives and recordings that tests compare with, using a given build.

    make_archives.py BUILD [NAME...]     of the archives and sessions whose names are given, or all

It writes tests/cli/archives/NAME.tar.xz and NAME.json, and tests/cli/recorded/NAME.txt. Run it
with a program whose archives are as they should be: whatever it does is right from then on.
"""

import contextlib
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tarfile
import time

BUILD = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else "build").resolve()
os.environ |= {"MAILSTOW": str(BUILD / "restore" / "mailstow"),
               "MAILSTOWD": str(BUILD / "daemon" / "mailstowd"),
               "MAKE_ARCHIVE": str(BUILD / "tests" / "cli" / "make_archive")}

from cli import MAILSTOW, PASSPHRASE, equal  # noqa: E402
from fixed_lab import Lab, listings  # noqa: E402

import fixed_mail  # noqa: E402
import test_recorded_session as sessions  # noqa: E402

HERE = pathlib.Path(__file__).resolve().parent
KEYRING_VERSION_AT, CHANGING = 4, 2
TRIES = 200
SCRATCH = "-shm"


# --- how each archive came about ---

def played(lab, encrypted=False, large_bytes=fixed_mail.SMALL_BYTES):
    lab.encrypted = encrypted
    lab.configure()
    lab.play(fixed_mail.mailbox(large_bytes=large_bytes), fixed_mail.STORY)


def plain(lab):
    played(lab)


def outdated(lab):
    """Power cut: the volume has the last pass, the catalogue does not."""
    mailbox = fixed_mail.mailbox(large_bytes=fixed_mail.SMALL_BYTES)
    lab.play(mailbox, fixed_mail.STORY[:2])
    shutil.copyfile(lab.archive / "catalogue.db", lab.place / "before")
    lab.play(mailbox, fixed_mail.STORY[2:])
    shutil.copyfile(lab.place / "before", lab.archive / "catalogue.db")
    for name in ("catalogue.db-wal", "catalogue.db-shm"):
        (lab.archive / name).unlink(missing_ok=True)


def encrypted(lab):
    """Opened by a key file, a passphrase and a recovery key."""
    played(lab, encrypted=True)
    status, shown = lab.typed(["key", "add", "alice"], PASSPHRASE, PASSPHRASE)
    equal(status, 0, shown)
    lab.recovery = lab.ask("key", "recovery", "alice")[0]["recovery_key"]


def sealed(lab):
    played(lab, large_bytes=fixed_mail.LARGE_BYTES)
    equal(lab.ask("seal", "alice")[-1]["volumes"], 1)


def pruned(lab):
    """Reading starts at a checkpoint."""
    played(lab)
    equal(lab.run("pin", "alice@1").status, 0)
    equal(lab.ask("prune", "alice", "--keep-last=1", "--keep-deleted=0")[-1]["kept"], 2)


def forgotten(lab):
    """A sealed volume replaced the first one."""
    played(lab)
    equal(lab.ask("forget", "alice", "--subject=letter 2")[-1]["messages"] > 0, True)


def rotated(lab):
    played(lab, encrypted=True)
    equal(lab.ask("key", "rotate", "alice")[-1]["epoch"], 2)


def half_rotated(lab):
    """Killed in the middle of key rotate."""
    played(lab, encrypted=True)
    shutil.copytree(lab.archive, lab.place / "before")
    for number in range(TRIES):
        with subprocess.Popen([MAILSTOW, "-c", lab.conf, "key", "rotate", "alice"],
                              stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL, env=lab.environment) as process:
            while process.poll() is None and not rekey_is_interrupted(lab):
                time.sleep(0.001)
            time.sleep(0.001 * (number % 20))
            process.send_signal(signal.SIGKILL)
        if rekey_is_interrupted(lab):
            return
        shutil.rmtree(lab.archive)
        shutil.copytree(lab.place / "before", lab.archive)
    raise AssertionError("the rekeying was never interrupted")


def rekey_is_interrupted(lab):
    return (lab.archive / "keyring").read_bytes()[KEYRING_VERSION_AT] == CHANGING


ARCHIVES = (plain, outdated, encrypted, sealed, pruned, forgotten, rotated, half_rotated)


# --- writing it down ---

def pack(archive, file):
    """The same bytes for the same files; leaves out scratch files."""
    def plainly(entry):
        entry.uid = entry.gid = entry.mtime = 0
        entry.uname = entry.gname = ""
        return entry
    with tarfile.open(file, "w:xz", preset=9) as tar:
        for path in [archive, *sorted(archive.rglob("*"))]:
            if not path.name.endswith(SCRATCH):
                tar.add(path, path.relative_to(archive.parent), recursive=False, filter=plainly)


def write_archive(make):
    with contextlib.closing(Made()) as lab:
        make(lab)
        pack(lab.archive, HERE / "archives" / f"{make.__name__}.tar.xz")
        told = {"encrypted": lab.encrypted, "recovery": lab.recovery, **listings(lab)}
    lines = [f'"{key}": ' + ("[\n" + ",\n".join(map(json.dumps, value)) + "\n]"
                             if isinstance(value, list) else json.dumps(value))
             for key, value in told.items()]
    (HERE / "archives" / f"{make.__name__}.json").write_text("{\n" + ",\n".join(lines) + "\n}\n")


class Made(Lab):
    recovery = None

    def close(self):
        self.end()


def write_session(session):
    with contextlib.closing(Made()) as lab:
        lines = session(lab)
    (HERE / "recorded" / f"{session.__name__}.txt").write_text("\n".join(lines) + "\n")


def main(names):
    for make in ARCHIVES:
        if not names or make.__name__ in names:
            write_archive(make)
    for session in sessions.SESSIONS:
        if not names or session.__name__ in names:
            write_session(session)


if __name__ == "__main__":
    main(sys.argv[2:])
