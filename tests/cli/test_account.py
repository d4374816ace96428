"""Accounts, and adopting archives from elsewhere on a new machine."""

import hashlib
import os
import shutil

from cli import EXACT, HISTORY, KEY, equal, has, lacks, main


def files_of(folder):
    """What is there, byte for byte."""
    return {str(path.relative_to(folder)): path.is_file()
            and (hashlib.sha256(path.read_bytes()).hexdigest(), path.stat().st_mtime_ns)
            for path in folder.rglob("*")}


def leave_home(lab):
    """Only the copy is left, and it does not name its account."""
    lab.copy = lab.place / "disk" / "alice"
    equal(lab.run("copy", "alice", lab.copy).status, 0)
    lab.wanted = lab.run("ls", "alice", "--json").output
    for path in (lab.place / "archives", lab.place / "state"):
        shutil.rmtree(path)
    lab.conf.unlink()
    lab.home = lab.place / "home"
    for name in ("HOME", "XDG_STATE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME"):
        lab.environment.pop(name, None)
    lab.environment |= {"HOME": str(lab.home), "XDG_DATA_HOME": str(lab.home / "data"),
                        "XDG_STATE_HOME": str(lab.home / "state")}
    lab.home.mkdir()


def check_adopted(lab, name="alice"):
    equal(lab.run("ls", name, "--json", conf=False).output, lab.wanted)
    equal(lab.ask("check", name, "--read-data", conf=False)[-1]["errors"], 0)


def the_copy_alone_is_enough(lab):
    leave_home(lab)
    before = files_of(lab.copy)
    equal(lab.run("ls", f"{lab.copy}", "--json", conf=False).output, lab.wanted)
    equal(lab.run("cat", f"{lab.copy}@1", "INBOX", "1", conf=False).content, EXACT)
    equal(files_of(lab.copy), before)
    line = lab.ask("account", "adopt", lab.copy, conf=False)[0]
    equal(list(line), ["account", "path", "files", "bytes", "head", "mirror"])
    equal((line["account"], line["path"], line["mirror"]),
          ("alice", str(lab.home / "data/mailstow/alice"), False))
    equal(files_of(lab.copy), before)
    conf = lab.home / ".config/mailstow/mailstow.conf"
    equal(conf.stat().st_mode & 0o777, 0o600)
    has(conf.read_text(), "[account alice]\n")
    check_adopted(lab)
    equal(lab.ask("status", "alice", conf=False)[0]["head"], line["head"])
    has(lab.run("status", conf=False).output, "is on the same disk")


def once_more_is_nothing_new(lab):
    leave_home(lab)
    first = lab.ask("account", "adopt", f"{lab.copy}//", conf=False)[0]
    conf = lab.home / ".config/mailstow/mailstow.conf"
    text = conf.read_text()
    again = lab.ask("account", "adopt", lab.copy, conf=False)[0]
    equal((again["files"], again["head"]), (0, first["head"]))
    equal(conf.read_text(), text)
    conf.unlink()  # stopped before it was written
    lab.ask("account", "adopt", lab.copy, conf=False)
    equal(conf.read_text(), text)
    equal(lab.run("pin", "alice@1", conf=False).status, 0)
    lab.fails(73, "account", "adopt", lab.copy, conf=False, words="another state")
    equal(lab.ask("snapshots", "alice", conf=False)[0]["pinned"], True)


def the_folder_or_the_person_gives_the_name(lab):
    leave_home(lab)
    wrong = lab.copy.with_name("mail of alice")
    lab.copy.rename(wrong)
    lab.fails(64, "account", "adopt", wrong, conf=False, words="--name")
    lab.fails(64, "account", "adopt", wrong, "--name", "../x", conf=False)
    equal(list(lab.home.iterdir()), [])
    lab.ask("account", "adopt", wrong, "--name=a@example.org", conf=False)
    check_adopted(lab, "a@example.org")
    os.chdir(wrong)
    lab.fails(64, "account", "adopt", ".", conf=False, words="mail of alice")
    os.chdir("/")


def an_account_that_is_configured_gets_it(lab):
    copy = lab.place / "disk" / "old"
    lab.run("copy", "alice", copy)
    wanted = lab.run("ls", "alice", "--json").output
    text = lab.conf.read_text()
    line = lab.ask("account", "adopt", copy, "--name", "never")[0]
    equal((line["mirror"], lab.conf.read_text()), (True, text))
    equal(lab.run("ls", "never@example.org", "--json").output, wanted)


def what_is_there_is_not_written_over(lab):
    other = lab.place / "other"
    lab.make(HISTORY, other)
    before = files_of(lab.archive)
    lab.fails(73, "account", "adopt", other, "--name", "alice", words="another archive")
    equal(files_of(lab.archive), before)
    (lab.place / "archives" / "never").mkdir()
    (lab.place / "archives" / "never" / "letter").write_text("x")
    lab.fails(73, "account", "adopt", other, "--name", "never", words="not empty")
    lab.fails(66, "account", "adopt", lab.place / "nowhere")
    lab.fails(66, "account", "adopt", lab.place)


def a_configuration_gets_one_section_more(lab):
    copy = lab.place / "disk" / "bob"
    lab.run("copy", "alice", copy)
    before = lab.conf.read_text().rstrip("\n")
    lab.conf.write_text(before + "  ; mine")
    lab.ask("account", "adopt", copy)
    after = lab.conf.read_text()
    has(after, before + "  ; mine\n\n[account bob]\n")
    equal([line["account"] for line in lab.ask("account", "list")],
          ["alice", "never", "target", "bob"])
    equal(lab.ask("snapshots", "bob"), lab.ask("snapshots", "alice"))
    lab.fails(78, "restore", "alice", "--to", "bob", words="host")
    lab.conf.write_text("rubbish\n")
    lab.fails(78, "account", "adopt", copy, "--name", "carol")
    equal(lab.conf.read_text(), "rubbish\n")


def a_hand_made_copy_is_adopted_in_place(lab):
    shutil.copytree(lab.archive, lab.place / "archives" / "bob")
    line = lab.ask("account", "adopt", lab.place / "archives" / "bob")[0]
    equal((line["account"], line["files"]), ("bob", 0))
    equal(lab.ask("ls", "bob"), lab.ask("ls", "alice"))


def a_damaged_archive_is_reported_and_not_adopted(lab):
    copy = lab.place / "disk" / "bob"
    lab.run("copy", "alice", copy)
    volume = next((copy / "volumes").glob("*.vol"))
    volume.chmod(0o600)
    whole = volume.read_bytes()
    at = whole.rindex(b"\x28\xb5\x2f\xfd") + 20  # within a frame of zstd
    volume.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1:])
    text = lab.conf.read_text()
    lab.fails(65, "account", "adopt", copy, words="nothing was adopted")
    equal(lab.conf.read_text(), text)
    lab.fails(66, "ls", "bob")
    volume.write_bytes(whole)
    lab.ask("account", "adopt", copy)
    equal(lab.ask("ls", "bob"), lab.ask("ls", "alice"))


def any_key_opens_a_copy_and_lets_it_be_adopted(lab):
    secrets = lab.encrypt().values()
    leave_home(lab)
    before = files_of(lab.copy)
    for secret in secrets:
        status, shown = lab.typed(["cat", lab.copy, "INBOX", "3"], secret, conf=False)
        equal(status, 0, shown)
        lacks(shown, secret)
        status, shown = lab.typed(["account", "adopt", lab.copy], secret, conf=False)
        equal(status, 0, shown)
        lacks(shown, secret)
        status, shown = lab.typed(["check", "alice", "--read-data"], secret, conf=False)
        equal(status, 0, shown)
        equal(files_of(lab.copy), before)
        conf = (lab.home / ".config/mailstow/mailstow.conf").read_text()
        has(conf, "# passphrase-command =")
        lacks(conf, secret)
        shutil.rmtree(lab.home)
        lab.home.mkdir()


def a_copy_without_its_keyring_is_adopted_as_an_encrypted_one(lab):
    lab.encrypt()
    leave_home(lab)
    (lab.copy / "keyring").unlink()
    conf, key = lab.home / "conf", lab.home / "key"
    key.touch(mode=0o600)
    key.write_text(KEY + "\n")
    conf.write_text(f"[account alice]\nmirror = no\nkey-file = {key}\n")
    equal(lab.run("-c", conf, "account", "adopt", lab.copy, conf=False).status, 0)
    equal(lab.run("-c", conf, "ls", "alice", "--json", conf=False).output, lab.wanted)
    equal((lab.copy / "keyring").exists(), False)


def a_wrong_secret_adopts_nothing(lab):
    lab.encrypt()
    leave_home(lab)
    equal(lab.typed(["account", "adopt", lab.copy], "wrong", conf=False)[0], 77)
    lab.fails(77, "account", "adopt", lab.copy, conf=False)
    equal(list(lab.home.iterdir()), [])
    conf = lab.home / "conf"
    key = lab.home / "key"
    key.touch(mode=0o600)
    for digits, status in (("1" * 64, 77), (KEY, 0)):
        key.write_text(digits + "\n")
        conf.write_text(f"[account alice]\nmirror = no\nkey-file = {key}\n")
        equal(lab.run("-c", conf, "account", "adopt", lab.copy, conf=False).status, status)
    equal(lab.run("-c", conf, "ls", "alice", "--json", conf=False).output, lab.wanted)


def plain_mail_does_not_become_that_of_an_encrypted_account(lab):
    leave_home(lab)
    conf = lab.home / "conf"
    conf.write_text("[account alice]\nmirror = no\npassphrase-command = echo secret\n")
    lab.fails(78, "-c", conf, "account", "adopt", lab.copy, conf=False, words="not encrypted")


def accounts_are_listed(lab):
    lines = lab.ask("account", "list")
    equal([list(line) for line in lines],
          [["account", "address", "host", "mirror", "archive", "path"]] * 3)
    equal([(line["account"], line["address"], line["mirror"], line["archive"]) for line in lines],
          [("alice", "alice@example.org", True, True), ("never", "never@example.org", True, False),
           ("target", None, False, False)])
    has(lab.run("account", "list").output, "alice@example.org")
    lab.fails(64, "account", "list", "alice")
    lab.fails(64, "account", "adopt", words="adopt")
    lab.fails(64, "account", "lend", "alice")


main(
    the_copy_alone_is_enough, once_more_is_nothing_new, the_folder_or_the_person_gives_the_name,
    an_account_that_is_configured_gets_it, what_is_there_is_not_written_over,
    a_configuration_gets_one_section_more, a_hand_made_copy_is_adopted_in_place,
    a_damaged_archive_is_reported_and_not_adopted, any_key_opens_a_copy_and_lets_it_be_adopted,
    a_copy_without_its_keyring_is_adopted_as_an_encrypted_one, a_wrong_secret_adopts_nothing,
    plain_mail_does_not_become_that_of_an_encrypted_account, accounts_are_listed)
