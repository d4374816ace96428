"""Archives made by an earlier version can be read, checked and written to. Prints TAP.

tests/cli/archives/README.md says how they were made.
"""

import hashlib
import json
import pathlib
import shutil
import subprocess
import sys
import tarfile

from cli import KEY, PASSPHRASE, READ_ARCHIVE, RUN_SECONDS, equal, has, main
from fixed_lab import Lab, listings

import fixed_mail

ARCHIVES = pathlib.Path(__file__).resolve().parent / "archives"
LARGE = ("sealed",)  # archives with large attachments
LATER = {("INBOX", 16), ("New", 2)}  # new mail in fixed_mail.fourth()
GONE_LATER = ("INBOX", 5)
TAKEN_WHOLE = 3  # messages read by cat; read_archive.py reads all


def unpack(lab, name):
    """Unpacks the archive; returns what the earlier version printed about it."""
    with tarfile.open(ARCHIVES / f"{name}.tar.xz") as tar:
        tar.extractall(lab.archive.parent, filter="data")
    lab.archive.parent.joinpath("alice").chmod(0o700)
    told = json.loads((ARCHIVES / f"{name}.json").read_text())
    lab.encrypted = told.pop("encrypted")
    lab.recovery = told.pop("recovery")
    lab.configure()
    return told


def same(lab, told):
    """Compares line by line, so that a failure names the difference."""
    now = listings(lab, told)
    for part, lines in told.items():
        for number, (line, wanted) in enumerate(zip(now[part], lines, strict=False)):
            equal(line, wanted, f"line {number} of {part}")
        equal(len(now[part]), len(lines), part)


def messages_are_whole(lab, lines):
    """Reads the smallest messages and the largest one."""
    present = sorted((line for line in lines if not line.get("gone")), key=lambda line: (
        line["size"], line["uid"]))
    for line in present[:TAKEN_WHOLE - 1] + present[-1:]:
        content = lab.run("cat", "alice", line["folder"], str(line["uid"]), "--uidvalidity",
                          str(line["uidvalidity"])).content
        equal(hashlib.sha256(content).hexdigest(), line["sha256"], line)


def all_is_taken_out(lab, lines):
    secret = lab.place / "secret"
    secret.write_text(KEY + "\n")
    done = subprocess.run([sys.executable, READ_ARCHIVE, lab.archive, lab.place / "out", "--gone",
                           f"--secret-file={secret}"], check=False, capture_output=True, text=True,
                          stdin=subprocess.DEVNULL, timeout=RUN_SECONDS)
    equal(done.returncode, 0, done.stderr)
    rows = [row.split("\t") for row in (lab.place / "out" / "index.tsv").read_text().splitlines()]
    equal(sorted(row[:4] for row in rows),
          sorted([line["folder"], str(line["uidvalidity"]), str(line["uid"]), line["sha256"]]
                 for line in lines))


def reads(lab, name):
    told = unpack(lab, name)
    same(lab, told)
    messages_are_whole(lab, told["ls"])
    all_is_taken_out(lab, told["ls"])
    equal(lab.run("rebuild", "alice").status, 0)
    same(lab, {part: told[part] for part in ("snapshots", "ls")})


def places(lab, name="alice"):
    return sorted((line["folder"], line["uidvalidity"], line["uid"], line["sha256"],
                   tuple(line["flags"])) for line in lab.ask("ls", name))


def mailbox_of(name):
    """The server as it was when the archive was made."""
    box = fixed_mail.mailbox(
        large_bytes=fixed_mail.LARGE_BYTES if name in LARGE else fixed_mail.SMALL_BYTES)
    for happen in fixed_mail.STORY:
        happen(box)
    return box


def is_written_on(lab, name):
    unpack(lab, name)
    before = {place[:3:2] for place in places(lab)}
    box = mailbox_of(name)
    lab.mirror(box)
    equal({place[:3:2] for place in places(lab)}, before, "an unchanged server brings nothing")
    fixed_mail.fourth(box)
    lab.mirror(box)
    wanted = places(lab)
    equal({place[:3:2] for place in wanted}, before - {GONE_LATER} | LATER)
    newest = [line["id"] for line in lab.ask("snapshots", "alice")][-1:]
    copy = lab.archive.with_name("copy")
    keys = "rotate" if lab.encrypted else "encrypt"
    lab.encrypted = True
    for work in (("copy", "alice", copy), ("seal", "alice"), ("key", keys, "alice"),
                 ("prune", "alice", "--keep-last=1", "--keep-deleted=0"), ("rebuild", "alice"),
                 ("copy", "alice", copy)):
        if work[0] == "key":
            shutil.rmtree(copy)
            lab.configure()
        run = lab.run(*work)
        equal(run.status, 0, run)
        equal(places(lab, "copy" if work[0] == "copy" else "alice"), wanted, work)
    equal([line["id"] for line in lab.ask("snapshots", "alice") if not line["pinned"]], newest)
    lab.sound()
    lab.sound("copy")


def any_secret_opens_the_encrypted_one(lab):
    told = unpack(lab, "encrypted")
    for secret in (PASSPHRASE, lab.recovery, KEY):
        status, shown = lab.typed(["cat", f"{lab.archive}/", "INBOX", "1"], secret)
        equal(status, 0, shown)
        has(shown, "Subject: letter 1")
    kinds = [line["kind"] for line in lab.ask("key", "list", "alice")]
    equal(kinds, ["key", "passphrase", "recovery"], told["check"])


def promises():
    """Two for each archive in the folder."""
    for file in sorted(ARCHIVES.glob("*.tar.xz")):
        name = file.name.split(".")[0]
        for what in (reads, is_written_on):
            def promise(lab, what=what, name=name):
                what(lab, name)
            promise.__name__ = f"{name}_{what.__name__}"
            yield promise


if __name__ == "__main__":
    main(*promises(), any_secret_opens_the_encrypted_one, make_lab=Lab)
