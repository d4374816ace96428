"""Fixed mail makes the same archive as in earlier versions, byte for byte. Prints TAP.

tests/cli/recorded/*.txt are dumps of an earlier version. tests/cli/archives/README.md says how to
remake them after an intended change of the format.
"""

import ctypes
import difflib
import pathlib
import re

from cli import KEY, Broken, equal, main
from fixed_lab import Lab

import archive_dump
import fixed_mail

RECORDED = pathlib.Path(__file__).resolve().parent / "recorded"
SHOWN_LINES = 80
COMPRESSED = re.compile(r" stored \d+ [0-9a-f]+ ")
# Given for files: journals hold uuids and times, so their compressed size varies.
OF_FILES = ("bytes_before", "bytes_after", "bytes_freed", "bytes")


class Session:
    """Commands and dumps, in order."""

    def __init__(self, lab, extensions, encrypted):
        self.lab, self.mailbox = lab, fixed_mail.mailbox(extensions)
        self.lines = [f"zstd {ctypes.CDLL('libzstd.so.1').ZSTD_versionNumber()}"]
        lab.encrypted = encrypted
        lab.configure()

    def mirror(self, *story):
        for happen in story:
            happen(self.mailbox)
            self.lines.append(f"--- the server: {happen.__name__}")
            self.lines += self.lab.mirror(self.mailbox)

    def work(self, *arguments):
        words = [word.replace(str(self.lab.place), "") for word in map(str, arguments)]
        self.lines.append(f"--- mailstow {' '.join(words)}")
        for told in self.lab.ask(*arguments)[-1:]:
            self.lines.append(" ".join(f"{key} {value}" for key, value in told.items()
                                       if key not in OF_FILES))

    def dump(self):
        self.lab.sound()
        self.lines.append("--- the archive")
        self.lines += archive_dump.dump(self.lab.archive, KEY if self.lab.encrypted else None)


# What each session does; tests/cli/make_archives.py records them.

def bare(lab):
    """A server without extensions."""
    session = Session(lab, fixed_mail.BARE, False)
    session.mirror(*fixed_mail.STORY)
    session.dump()
    return session.lines


def plain(lab):
    session = Session(lab, fixed_mail.QRESYNC, False)
    session.mirror(*fixed_mail.STORY)
    session.dump()
    session.work("seal", "alice")
    session.dump()
    session.work("prune", "alice", "--keep-last=1", "--keep-deleted=0")
    session.mirror(fixed_mail.fourth)
    session.dump()
    session.work("forget", "alice", "--subject=letter 2")
    session.dump()
    return session.lines


def encrypted(lab):
    session = Session(lab, fixed_mail.QRESYNC, True)
    session.mirror(*fixed_mail.STORY)
    session.dump()
    session.work("seal", "alice")
    session.work("pin", "alice@1")
    session.work("prune", "alice", "--keep-last=1", "--keep-deleted=0")
    session.dump()
    session.mirror(fixed_mail.fourth)
    session.work("key", "rotate", "alice")
    session.dump()
    return session.lines


SESSIONS = (plain, encrypted, bare)


def compare(name, got):
    """Another version of zstd gives other bytes: then only the raw bytes must be equal."""
    wanted = (RECORDED / f"{name}.txt").read_text(encoding="utf-8").splitlines()
    equal(wanted[0].split()[0], "zstd")
    if got[0] != wanted[0]:
        got, wanted = ([COMPRESSED.sub(" ", line) for line in lines[1:]] for lines in (got, wanted))
    if got != wanted:
        lines = list(difflib.unified_diff(wanted, got, "recorded", "now", n=2, lineterm=""))
        more = f"\n... {len(lines) - SHOWN_LINES} lines more" * (len(lines) > SHOWN_LINES)
        raise Broken("the archive is another:\n" + "\n".join(lines[:SHOWN_LINES]) + more)


def a_plain_archive_is_the_same(lab):
    compare("plain", plain(lab))


def an_encrypted_archive_is_the_same(lab):
    compare("encrypted", encrypted(lab))


def a_bare_server_makes_the_same_archive(lab):
    compare("bare", bare(lab))


if __name__ == "__main__":
    main(a_plain_archive_is_the_same, an_encrypted_archive_is_the_same,
         a_bare_server_makes_the_same_archive, make_lab=Lab)
