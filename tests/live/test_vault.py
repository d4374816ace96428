"""Encrypted archives: nothing on the disk is readable, and nothing opens without the secret."""

import signal

import live
import terminal

CANARIES = [b"canarysubject", b"canarysender", b"canaryfolder", b"canarybody", b"canarylarge"]
MAIL = (b"From: canarysender@example.org\r\nSubject: canarysubject\r\n"
        b"Message-ID: <canarysubject@example.org>\r\n\r\ncanarybody\r\n")


def encrypted(lab, extra=""):
    lab.phrase = lab.file("phrase", "correct horse battery\n")
    user = lab.account("alice", extra=f"passphrase-file = {lab.phrase}\n{extra}")
    with lab.server.client(user) as client:
        client.command("CREATE canaryfolder")
        client.deliver("INBOX", MAIL)
        client.deliver("canaryfolder", MAIL + b"once more\r\n")
        client.deliver("canaryfolder", MAIL.replace(b"\r\n\r\n", b"\r\n\r\ncanarylarge")
                       + b"large\r\n" * 5000)
    return user


def readable(lab):
    """Every file of archives and state that contains a canary."""
    found = []
    for folder in (lab.archives, lab.place / "state"):
        for path in folder.rglob("*"):
            if path.is_file():
                data = path.read_bytes().lower()
                found += [(str(path), canary) for canary in CANARIES if canary in data]
    return found


def nothing_readable_stands_in_any_file(lab):
    user = encrypted(lab, "max-message-size = 20k")
    target = lab.account("bob", extra="mirror = no")
    lab.mirror("alice", status=3)
    live.equal(readable(lab), [])
    with lab.server.client(user) as client:
        client.deliver("canaryfolder", MAIL + b"later\r\n")
    lab.mirror("alice", status=3)
    lab.ask("restore", "alice", "--to", "bob", exits=(0, 3))
    live.true(any((lab.place / "state").rglob("restore/*.db")), "a journal was looked at")
    live.equal(readable(lab), [])
    live.equal(len(lab.server.mailbox(target)["canaryfolder"]["messages"]), 2)


def the_search_would_find_it_in_a_plain_archive(lab):
    encrypted(lab, "max-message-size = 20k")
    lab.conf.write_text(lab.conf.read_text().replace("passphrase-file", ";"))
    lab.mirror("alice", status=3)
    found = {canary for _, canary in readable(lab)}
    live.true({b"canarysubject", b"canarysender", b"canaryfolder"} <= found, found)


def a_daemon_leaves_nothing_readable_while_it_runs(lab):
    encrypted(lab, "max-message-size = 20k")
    lab.start_daemon()
    lab.wait("a first pass", lambda: lab.status("alice").get("messages") == 2)
    live.equal(readable(lab), [])


def mirror_and_restore_are_exact(lab):
    lab.phrase = lab.file("phrase", "correct horse battery\n")
    user = lab.account("alice", extra=f"passphrase-file = {lab.phrase}")
    target = lab.account("bob", extra="mirror = no")
    count = lab.server.fill(user, "sample")
    lab.mirror("alice")
    lab.same("alice", user)
    status = lab.status("alice")
    live.equal((status["messages"], status["encrypted"]), (count, True))
    live.equal(lab.ask("restore", "alice", "--to", "bob")[-1]["exact"], count)
    live.equal(lab.differences(user, target), [])


def a_key_file_opens_it(lab):
    key = lab.file("key", "0123456789abcdef" * 4 + "\n")
    user = lab.account("alice", extra=f"key-file = {key}")
    lab.server.fill(user)
    lab.mirror("alice")
    lab.same("alice", user)
    live.equal([line["kind"] for line in lab.ask("key", "list", "alice")], ["key"])
    key.write_text("1" * 64 + "\n")
    live.equal(lab.run("mailstow", "ls", "alice").status, 77)


def a_wrong_passphrase_opens_nothing(lab):
    encrypted(lab)
    lab.mirror("alice")
    lab.phrase.write_text("wrong horse battery\n")
    for program, *arguments in (("mailstowd", "--once", "alice"), ("mailstow", "ls", "alice"),
                                ("mailstow", "snapshots", "alice")):
        run = lab.run(program, *arguments)
        live.equal(run.status, 77, run)
        live.true("horse" not in run.errors, run)
    live.equal(lab.status("alice")["state"], "locked")


def without_its_passphrase_nothing_is_added_in_plain(lab):
    user = encrypted(lab)
    lab.mirror("alice")
    with lab.server.client(user) as client:
        client.deliver("INBOX", MAIL + b"and more\r\n")
    lab.conf.write_text(lab.conf.read_text().replace("passphrase-file", ";"))
    live.equal(lab.run("mailstowd", "--once", "alice").status, 77)
    live.equal(lab.run("mailstow", "ls", "alice").status, 77)
    (lab.archives / "alice" / "catalogue.db").unlink()
    live.equal(lab.run("mailstowd", "--once", "alice").status, 77)
    live.equal(readable(lab), [])


def keys_are_changed_while_the_daemon_runs(lab):
    """Plain first, the ledger and a restore's journal too; then encrypted, then rotated twice."""
    user = encrypted(lab, "max-message-size = 20k")
    lab.account("bob", extra="mirror = no")
    with_secret = lab.conf.read_text()
    lab.conf.write_text(with_secret.replace("passphrase-file", ";"))
    lab.mirror("alice", status=3)
    lab.ask("restore", "alice", "--to", "bob", exits=(0, 3))
    lab.conf.write_text(with_secret)
    live.true(len(readable(lab)) > 3, "archive, state and journal tell")
    daemon = lab.start_daemon()
    lab.wait("nothing is added in plain", lambda: lab.status("alice")["state"] == "failed")
    live.equal(lab.ask("key", "encrypt", "alice")[-1]["epoch"], 1)
    live.equal(readable(lab), [])
    daemon.send_signal(signal.SIGHUP)
    lab.wait("it goes on", lambda: lab.status("alice")["state"] == "watching")
    for epoch in (2, 3):
        live.equal(lab.ask("key", "rotate", "alice")[-1]["epoch"], epoch)
        with lab.server.client(user) as client:
            client.deliver("INBOX", MAIL + b"in epoch %d\r\n" % epoch)
        lab.wait("new mail", lambda: lab.status("alice")["messages"] == epoch + 1)
    live.equal(lab.status("alice")["skipped"], 1)
    live.equal(readable(lab), [])
    live.equal(lab.ask("check", "alice", "--read-data")[-1]["errors"], 0)


def typed(lab, text, *arguments):
    """Exit code and output of a command on a terminal with typed input."""
    return terminal.typed(live.program_path(lab.build, "mailstow"), arguments, lab.environment,
                          text)


def an_archive_alone_is_opened_by_what_a_person_types(lab):
    encrypted(lab)
    lab.mirror("alice")
    path = str(lab.archives / "alice")
    recovery = lab.ask("key", "recovery", "alice")[0]["recovery_key"]
    live.equal([line["kind"] for line in lab.ask("key", "list", path)],
               ["passphrase", "recovery"])
    lab.conf.unlink()
    for text in ("correct horse battery", recovery, recovery.lower().replace("-", " ")):
        status, shown = typed(lab, text, "folders", path)
        live.equal(status, 0, shown)
        live.true("canaryfolder" in shown and text not in shown, shown)
    live.equal(typed(lab, "wrong", "folders", path)[0], 77)
    live.equal(lab.run("mailstow", "folders", path).status, 77)


def a_removed_key_opens_nothing_and_the_last_one_stays(lab):
    encrypted(lab)
    lab.mirror("alice")
    live.equal(lab.run("mailstow", "key", "remove", "alice", "1").status, 64)
    lab.ask("key", "recovery", "alice")
    live.equal(lab.run("mailstow", "key", "remove", "alice", "1").status, 0)
    live.equal(lab.run("mailstow", "ls", "alice").status, 77)


def a_lost_keyring_is_found_in_the_volumes(lab):
    encrypted(lab)
    lab.mirror("alice")
    keyring = lab.archives / "alice" / "keyring"
    live.equal(keyring.stat().st_mode & 0o777, 0o600)
    keyring.unlink()
    lab.mirror("alice")
    live.equal(lab.status("alice")["messages"], 3)
    live.true(keyring.exists(), "it is there again")


live.main(nothing_readable_stands_in_any_file, the_search_would_find_it_in_a_plain_archive,
          a_daemon_leaves_nothing_readable_while_it_runs, mirror_and_restore_are_exact,
          a_key_file_opens_it, a_wrong_passphrase_opens_nothing,
          without_its_passphrase_nothing_is_added_in_plain, keys_are_changed_while_the_daemon_runs,
          an_archive_alone_is_opened_by_what_a_person_types,
          a_removed_key_opens_nothing_and_the_last_one_stays,
          a_lost_keyring_is_found_in_the_volumes,
          programs=("mailstowd", "mailstow"))
