"""Commands about an archive as a whole: status, check, rebuild, copy. Prints TAP."""

import contextlib
import random
import shutil
import sqlite3
import time

from cli import EXACT, MESSAGES, equal, has, main


def status_is_shown(lab):
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


def what_is_sealed_is_copied_once(lab):
    def volumes():
        return {path.name: path.stat().st_ino for path in (copy / "volumes").iterdir()}
    copy = lab.place / "disk" / "copy"
    lab.run("copy", "alice", copy)
    unsealed = volumes()
    (lab.place / "large").write_bytes(b"Subject: large\n\n" + random.Random(5).randbytes(2000000))
    lab.make("folder\tINBOX\t1000\n"
             "message\tINBOX\t9\t\t23-Nov-2026 10:00:00 +0000\t{place}/large\n"
             "commit\tcomplete\n")
    equal(lab.ask("seal", "alice")[-1]["volumes"], 1)
    has(lab.run("copy", "alice", copy).output, "3 files copied")
    sealed = volumes()
    equal((len(sealed), set(sealed) & set(unsealed)), (2, set()))
    lab.run("pin", "alice@1")
    has(lab.run("copy", "alice", copy).output, "2 files copied")
    newest = max(sealed)
    equal([name for name in sealed if volumes()[name] != sealed[name]], [newest])
    equal(lab.ask("ls", f"{copy}"), lab.ask("ls", "alice"))
    equal(lab.ask("check", f"{copy}", "--read-data")[-1]["errors"], 0)


def commits_that_a_crash_kept_from_the_catalogue_are_read(lab):
    """The volumes have it: the catalogue's -wal is not synced."""
    listed, head = lab.ask("ls", "alice"), lab.ask("status", "alice")[0]["head"]
    before = lab.place / "before"
    shutil.copytree(lab.archive, before)
    (before / "catalogue.db-wal").unlink()

    def start_over():
        shutil.rmtree(lab.archive)
        shutil.copytree(before, lab.archive)
    start_over()
    equal(lab.ask("ls", "alice"), listed)
    start_over()
    equal(lab.run("cat", "alice", "INBOX", "4").content, MESSAGES["four"])
    start_over()
    equal(len(lab.ask("snapshots", "alice")), 2)
    start_over()
    equal(lab.ask("status", "alice")[0]["head"], head)
    start_over()
    equal(lab.ask("check", "alice", "--read-data")[-1]["messages"], 4)
    start_over()
    (lab.archive / "lock").unlink()  # it may be another user's: a reader creates none
    has(lab.run("folders", "alice").errors, "the newest mail may be missing")
    equal((lab.archive / "lock").exists(), False)


def a_copy_does_not_go_into_its_archive(lab):
    files = sorted(lab.archive.rglob("*"))
    (lab.place / "link").symlink_to(lab.archive)
    for place in (lab.archive, lab.archive / "new" / "copy", lab.archive / "volumes",
                  lab.place / "link"):
        lab.fails(73, "copy", "alice", place, words="is inside the archive")
    equal(sorted(lab.archive.rglob("*")), files)
    equal(lab.run("copy", "alice", lab.place / "alice-copy").status, 0)


SUMMARY_OF_CHECK = {"summary", "volumes", "frames", "messages", "errors", "head"}


def a_sound_archive_is_checked(lab):
    head = lab.ask("status", "alice")[0]["head"]
    for options, messages in ((), 0), (("--read-data",), 4), (("--read-data=100",), 4):
        summary = lab.ask("check", "alice", *options)[-1]
        equal(set(summary), SUMMARY_OF_CHECK)
        equal((summary["errors"], summary["messages"], summary["head"]), (0, messages, head))
    lab.ask("check", f"{lab.archive}", "--expect-head", head)
    lab.ask("check", "alice", "--expect-head", "0" * 64, status=65)
    has(lab.run("check", "alice", "--expect-head", "0" * 64).errors, "intact, but its head is not")
    has(lab.run("check", "alice").output, "1 volume, ")
    lab.fails(64, "check", "alice", "--read-data=0")
    lab.fails(64, "check", "alice", "--expect-head", "12")
    lab.fails(64, "check", "alice@1")
    lab.fails(66, "check", "nobody")


def damage_is_reported_and_the_catalogue_rebuilt(lab):
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


def a_finding_says_where_in_words_that_stay(lab):
    volume = next((lab.archive / "volumes").glob("*.vol"))
    for wal in (lab.archive / "volumes").glob("*.vol-*"):
        wal.unlink()
    volume.chmod(0o600)
    volume.write_bytes(b"")
    found = lab.ask("check", "alice", status=65)[:-1]
    equal([finding["where"] for finding in found],
          ["checkpoint", "volume 1", "volumes", "volume 1"])


def an_archive_of_a_newer_mailstow_is_not_called_damaged(lab):
    with contextlib.closing(sqlite3.connect(lab.archive / "catalogue.db")) as catalogue:
        catalogue.execute("pragma user_version = 99")
    finding, summary = lab.ask("check", "alice", status=65)
    equal((finding["where"], summary["errors"]), ("catalogue.db", 1))
    has(finding["what"], "newer mailstow (catalogue version 99")
    lab.fails(65, "check", "alice", words="alice: written by a newer mailstow")
    for file in (lab.archive / "volumes").iterdir():
        file.write_bytes(b"no database" if file.suffix == ".vol" else b"")
    lab.fails(65, "check", "alice", words="alice: the archive is damaged")


def a_copy_is_an_archive(lab):
    copy = lab.place / "disk" / "copy"
    wanted = lab.run("ls", "alice", "--json").output
    has(lab.run("status").output, "alice: on one disk only")
    has(lab.run("copy", "alice", copy).output, "2 files copied")
    has(lab.run("status").output, "is on the same disk")
    equal(lab.run("ls", f"{copy}/", "--json", conf=False).output, wanted)
    equal(lab.ask("check", f"{copy}", "--read-data")[-1]["errors"], 0)
    equal(lab.run("cat", f"{copy}@1", "INBOX", "1", conf=False).content, EXACT)
    has(lab.run("copy", "alice", copy).output, "up to date")
    lab.run("pin", "alice@1")
    has(lab.run("copy", "alice", copy).output, "2 files copied")
    equal(lab.ask("snapshots", f"{copy}"), lab.ask("snapshots", "alice"))
    equal(lab.ask("check", f"{copy}", "--read-data")[-1]["errors"], 0)
    lab.run("unpin", f"{copy}/@1")  # it diverges
    lab.fails(73, "copy", "alice", copy, words="was written to")
    other = lab.place / "other"
    lab.run("copy", "alice", other)
    volume = next((other / "volumes").glob("*.vol"))
    volume.rename(volume.with_name(volume.name.replace(volume.name[9:17], "01234567")))
    lab.fails(73, "copy", "alice", f"{other}", words="another archive")
    lab.fails(66, "copy", "never", f"{other}")


main(
    status_is_shown, an_old_success_is_exit_3, a_damaged_archive_does_not_hide_the_others,
    a_sound_archive_is_checked, damage_is_reported_and_the_catalogue_rebuilt,
    a_finding_says_where_in_words_that_stay,
    an_archive_of_a_newer_mailstow_is_not_called_damaged,
    a_copy_is_an_archive, commits_that_a_crash_kept_from_the_catalogue_are_read,
    a_copy_does_not_go_into_its_archive,
    what_is_sealed_is_copied_once)
