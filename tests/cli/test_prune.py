"""What a person or a script sees of mailstow's prune, seal and forget. Prints TAP."""

import base64
import hashlib
import json
import os
import pathlib
import random
import shutil
import subprocess
import sys
import tempfile

from cli import MAILSTOW, MAKE_ARCHIVE, READ_ARCHIVE, RUN_SECONDS, equal, main

CONFIG = """[mailstow]
archive-dir = {place}/archives
[account alice]
address = alice@example.org
host = localhost
password-command = echo x
keep = last=1
keep-deleted = 0
"""
DATE = "20-Nov-2026 09:00:00 +0100"


class Lab:
    """An archive of four snapshots: mail 1 to 4 arrives, 1 and 2 are removed, 4 has a duplicate."""

    def __init__(self):
        self.place = pathlib.Path(tempfile.mkdtemp(prefix="msp-"))
        self.archive = self.place / "archives" / "alice"
        self.archive.parent.mkdir()
        self.conf = self.place / "mailstow.conf"
        self.conf.write_text(CONFIG.format(place=self.place))
        for uid in range(1, 5):
            body = f"From: a@example.org\r\nSubject: mail {uid}\r\n\r\n" + f"text {uid}\r\n" * 500
            (self.place / str(uid)).write_text(body, newline="")
            script = f"folder\tINBOX\t7\nfolder\tOther\t8\nmessage\tINBOX\t{uid}\t\t{DATE}\t{uid}\n"
            if uid > 2:
                script += f"gone\tINBOX\t{uid - 2}\n"
            if uid == 4:
                script += f"message\tOther\t1\t\\Seen\t{DATE}\t4\n"
            subprocess.run([MAKE_ARCHIVE, self.archive], input=f"{script}commit\tcomplete\n",
                           text=True, check=True, timeout=RUN_SECONDS, cwd=self.place)

    def run(self, *arguments, status=0):
        done = subprocess.run([MAILSTOW, "-c", self.conf, *arguments], stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, timeout=RUN_SECONDS, check=False,
                              env={**os.environ, "TZ": "UTC", "LC_ALL": "C",
                                   "XDG_STATE_HOME": str(self.place / "state")})
        equal(done.returncode, status, done)
        return done

    def ask(self, *arguments, status=0):
        return [json.loads(line) for line in
                self.run(*arguments, "--json", status=status).stdout.splitlines()]

    def listed(self, *arguments):
        return [(line["folder"], line["uid"]) for line in self.ask("ls", "alice", *arguments)]

    def sound(self):
        equal(self.ask("check", "alice", "--read-data")[-1]["errors"], 0)

    def end(self):
        shutil.rmtree(self.place, ignore_errors=True)


PRESENT = [("INBOX", 3), ("INBOX", 4), ("Other", 1)]


def a_dry_run_lists_and_removes_nothing(lab):
    told = lab.ask("prune", "alice", "--dry-run")[-1]
    equal(set(told), {"summary", "dry_run", "kept", "removed", "messages_lost", "bytes_lost",
                      "volumes", "bytes_freed"})
    equal((told["summary"], told["dry_run"], told["kept"], told["removed"]), (True, True, 1, 3))
    equal(told["messages_lost"], 2)
    equal(told["bytes_lost"], sum((lab.place / str(uid)).stat().st_size for uid in (1, 2)))
    equal(len(lab.ask("snapshots", "alice")), 4)
    equal(len(lab.listed("--deleted")), 5)


def the_configuration_decides_and_the_command_line_more(lab):
    told = lab.ask("prune", "alice", "--keep-last=2", "--keep-deleted", "forever")[-1]
    equal((told["kept"], told["messages_lost"], told["dry_run"]), (2, 0, False))
    equal([line["id"] for line in lab.ask("snapshots", "alice")], [3, 4])
    equal(len(lab.listed("--deleted")), 5)
    told = lab.ask("prune", "alice")[-1]
    equal((told["kept"], told["removed"], told["messages_lost"]), (1, 1, 2))
    equal(lab.listed("--deleted"), PRESENT)
    lab.run("ls", "alice@3", status=66)
    lab.sound()


def a_pin_stays(lab):
    lab.run("pin", "alice@1")
    lab.run("prune", "alice")
    equal([line["pinned"] for line in lab.ask("snapshots", "alice")], [True, False])
    equal([(line["folder"], line["uid"]) for line in lab.ask("ls", "alice@1")], [("INBOX", 1)])
    equal(lab.run("cat", "alice@1", "INBOX", "1").stdout,
          (lab.place / "1").read_bytes().decode().replace("\r\n", "\n"))
    lab.sound()


def a_bare_path_is_not_pruned_without_a_word(lab):
    told = lab.ask("prune", str(lab.archive))[-1]
    equal((told["removed"], told["messages_lost"]), (0, 0))
    told = lab.ask("prune", str(lab.archive), "--keep-last=1", "--keep-deleted=0")[-1]
    equal((told["removed"], told["messages_lost"]), (3, 2))


def wrong_words_are_exit_64(lab):
    for words in (["--keep-last=0"], ["--keep-last=x"], ["--keep-within=5"], ["--keep-deleted=no"],
                  ["--keep-daily=1", "--keep-daily=2"]):
        lab.run("prune", "alice", *words, status=64)
    lab.run("prune", "alice@1", status=64)
    lab.run("forget", "alice", status=64)
    lab.run("forget", "alice@1", "--subject=x", status=64)
    lab.run("forget", "alice", "--subject=nothing", status=66)


def extract(lab, count):
    """(folder, uid) of every message, read by tools/read_archive.py."""
    output = lab.place / "out"
    subprocess.run([sys.executable, READ_ARCHIVE, lab.archive, output, "--gone"], check=True,
                   capture_output=True, timeout=RUN_SECONDS)
    lines = (output / "index.tsv").read_text().splitlines()
    for line in lines:
        words = line.split("\t")
        equal(hashlib.sha256((output / words[6]).read_bytes()).hexdigest(), words[3])
    equal(len(lines), count)
    return sorted((path, int(uid)) for path, _, uid, *_ in (line.split("\t") for line in lines))


def the_format_alone_is_enough_after_pruning(lab):
    lab.run("prune", "alice")
    equal(extract(lab, len(PRESENT)), PRESENT)


def a_sealed_archive_is_the_same_archive(lab):
    text = base64.encodebytes(random.Random(5).randbytes(2_000_000)).decode()
    (lab.place / "large").write_text(f"Subject: large\n\n{text}")
    subprocess.run([MAKE_ARCHIVE, lab.archive], check=True, timeout=RUN_SECONDS, cwd=lab.place,
                   input=f"folder\tINBOX\t7\nmessage\tINBOX\t9\t\t{DATE}\tlarge\n"
                         "commit\tcomplete\n", text=True)
    before = lab.ask("ls", "alice", "--deleted"), lab.ask("status", "alice")[0]["head"]
    told = lab.ask("seal", "alice")[-1]
    equal((told["summary"], told["volumes"]), (True, 1))
    equal((lab.ask("ls", "alice", "--deleted"), lab.ask("status", "alice")[0]["head"]), before)
    lab.sound()
    extract(lab, len(before[0]))
    lab.run("rebuild", "alice")
    equal((lab.ask("ls", "alice", "--deleted"), lab.ask("status", "alice")[0]["head"]), before)
    lab.sound()
    equal(lab.run("seal", "alice").stdout, "Nothing to seal.\n")
    lab.run("seal", "alice@1", status=64)


def the_rebuilt_is_the_same_after_pruning(lab):
    lab.run("prune", "alice")
    before = lab.ask("ls", "alice", "--deleted"), lab.ask("snapshots", "alice")
    lab.run("rebuild", "alice")
    equal((lab.ask("ls", "alice", "--deleted"), lab.ask("snapshots", "alice")), before)
    lab.sound()


def what_is_forgotten_is_nowhere(lab):
    chosen = "forget", "alice", "--folder=Other"
    told = lab.ask(*chosen, "--dry-run")
    equal([(line["folder"], line["uid"]) for line in told[:-1]], [("INBOX", 4), ("Other", 1)])
    equal((told[-1]["messages"], told[-1]["placements"], told[-1]["dry_run"]), (1, 2, True))
    equal(len(lab.listed()), 3)
    told = lab.ask(*chosen)[-1]
    equal((told["summary"], told["messages"], told["dry_run"]), (True, 1, False))
    equal(lab.listed(), PRESENT[:1])
    equal(lab.listed("--deleted"), [("INBOX", 1), ("INBOX", 2), ("INBOX", 3)])
    lab.run("cat", "alice", "INBOX", "4", status=66)
    lab.sound()
    equal(lab.ask("status", "alice")[0]["messages"], 1)


main(
    a_dry_run_lists_and_removes_nothing, the_configuration_decides_and_the_command_line_more,
    a_pin_stays, a_bare_path_is_not_pruned_without_a_word, wrong_words_are_exit_64,
    the_format_alone_is_enough_after_pruning, the_rebuilt_is_the_same_after_pruning,
    a_sealed_archive_is_the_same_archive, what_is_forgotten_is_nowhere,
    make_lab=Lab)
