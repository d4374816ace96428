"""Mail is not locked in: tools/read_archive.py shares no code with mailstow and reads all of it."""

import hashlib
import random
import shutil
import subprocess
import sys

from cli import READ_ARCHIVE, RUN_SECONDS, equal, has, lacks, main, terminal


def read(lab, *options, status=0, archive=None):
    """What it prints; lab.output then holds its files."""
    lab.output = lab.place / "taken out"
    shutil.rmtree(lab.output, ignore_errors=True)
    done = subprocess.run([sys.executable, READ_ARCHIVE, archive or lab.archive, lab.output,
                           *options], check=False, capture_output=True, text=True,
                          stdin=subprocess.DEVNULL, timeout=RUN_SECONDS)
    equal(done.returncode, status, done.stdout + done.stderr)
    lacks(done.stderr, "Traceback")
    return done.stdout + done.stderr


def check_taken_out(lab, words, *options):
    """Byte for byte what mailstow lists, flags and heads as well."""
    text = (lab.output / "index.tsv").read_text()
    rows = [line.split("\t") for line in text.splitlines()]
    wanted = lab.ask("ls", "alice", *options)
    equal(sorted((row[0], int(row[1]), int(row[2]), row[3], row[5].split()) for row in rows),
          sorted((line["folder"], line["uidvalidity"], line["uid"], line["sha256"], line["flags"])
                 for line in wanted))
    for row in rows:
        equal(hashlib.sha256((lab.output / row[6]).read_bytes()).hexdigest(), row[3])
    has(words, lab.ask("status", "alice")[0]["head"])


def secret_file(lab, text):
    file = lab.place / "secret"
    file.write_text(text + "\n")
    return f"--secret-file={file}"


def prune_and_seal(lab):
    """A newest volume that begins with a checkpoint, and sealed ones before it."""
    (lab.place / "large").write_bytes(b"Subject: large\n\n" + random.Random(5).randbytes(2000000))
    lab.make("folder\tINBOX\t1000\n"
             "message\tINBOX\t9\t\t23-Nov-2026 10:00:00 +0000\t{place}/large\n"
             "commit\tcomplete\n", MAILSTOW_TEST_ENCRYPTED="1")
    equal(lab.ask("seal", "alice")[-1]["volumes"], 1)
    lab.ask("prune", "alice", "--keep-last=1", "--keep-deleted=0")
    equal(len(lab.ask("snapshots", "alice")), 1)
    lab.make("folder\tINBOX\t1000\nflags\tINBOX\t9\t\\Seen\ngone\tINBOX\t4\ncommit\tcomplete\n",
             MAILSTOW_TEST_ENCRYPTED="1")


def a_plain_archive_is_read(lab):
    check_taken_out(lab, read(lab, "--gone"), "--deleted")
    check_taken_out(lab, read(lab))


def whatever_opens_it_lets_it_be_read(lab):
    for secret in lab.encrypt().values():
        words = read(lab, "--gone", secret_file(lab, secret))
        lacks(words, secret)
        check_taken_out(lab, words, "--deleted")


def an_encrypted_one_is_read_sealed_and_pruned(lab):
    secrets = lab.encrypt()
    prune_and_seal(lab)
    for kind in ("key", "recovery"):
        words = read(lab, secret_file(lab, secrets[kind]))
        check_taken_out(lab, words)
        check_taken_out(lab, read(lab, "--gone", secret_file(lab, secrets[kind])), "--deleted")


def a_recovery_key_is_read_as_people_write_it(lab):
    text = lab.encrypt()["recovery"].lower().replace("-", " ")
    check_taken_out(lab, read(lab, secret_file(lab, text.replace("0", "o").replace("1", "l"))))


def a_lost_keyring_is_found_in_the_volumes(lab):
    secrets = lab.encrypt()
    copy = lab.place / "copy"
    lab.run("copy", "alice", copy)
    (copy / "keyring").unlink()
    check_taken_out(lab, read(lab, secret_file(lab, secrets["key"]), archive=copy))


def nothing_comes_out_with_a_wrong_secret(lab):
    lab.encrypt()
    for text in ("wrong horse battery", "1" * 64, ""):
        has(read(lab, secret_file(lab, text), status=1), "does not open the archive")
        equal(list(lab.output.rglob("*.eml")), [])


def it_asks_at_the_terminal(lab):
    secrets = lab.encrypt()
    lab.output = lab.place / "taken out"
    status, shown = terminal.typed(sys.executable, [READ_ARCHIVE, lab.archive, lab.output],
                                   lab.environment, secrets["key"])
    equal(status, 0, shown)
    lacks(shown, secrets["key"])
    check_taken_out(lab, shown)


def damage_is_named(lab):
    """One byte of each frame in turn, in the file or its -wal."""
    secrets = lab.encrypt()
    copy = lab.place / "copy"
    lab.run("copy", "alice", copy)
    volume = next((copy / "volumes").glob("*.vol"))
    volume.chmod(0o600)
    whole = volume.read_bytes()
    chance, changed = random.Random(7), 0
    for at in (chance.randrange(8192, len(whole)) for _ in range(12)):
        volume.write_bytes(whole[:at] + bytes([whole[at] ^ 0x10]) + whole[at + 1:])
        lab.output = lab.place / "taken out"
        shutil.rmtree(lab.output, ignore_errors=True)
        done = subprocess.run([sys.executable, READ_ARCHIVE, copy, lab.output, secret_file(
            lab, secrets["key"])], check=False, capture_output=True, text=True,
            timeout=RUN_SECONDS)
        lacks(done.stderr, "Traceback")
        changed += done.returncode
        if done.returncode == 0:
            check_taken_out(lab, done.stdout)
        else:
            has(done.stderr, "volumes/")
    equal(changed > 0, True, "no byte that mattered was changed")


main(
    a_plain_archive_is_read, whatever_opens_it_lets_it_be_read,
    an_encrypted_one_is_read_sealed_and_pruned, a_recovery_key_is_read_as_people_write_it,
    a_lost_keyring_is_found_in_the_volumes, nothing_comes_out_with_a_wrong_secret,
    it_asks_at_the_terminal, damage_is_named)
