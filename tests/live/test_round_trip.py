"""Mail in, mail out, with a real server at both ends."""

import hashlib
import socket
import subprocess

import live


def filled(lab, kind="tiny", extra=""):
    user = lab.account("alice", extra=extra)
    return user, lab.server.fill(user, kind)


def a_mirror_holds_what_the_server_has(lab):
    user, count = filled(lab, "sample")
    lab.mirror("alice")
    live.equal(lab.status("alice")["messages"], count)
    lab.same("alice", user)


def a_second_pass_writes_nothing(lab):
    filled(lab)
    lab.mirror("alice")
    before = contents(lab.archives)
    lab.mirror("alice")
    live.equal(contents(lab.archives), before)


def contents(folder):
    return {str(path): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in sorted(folder.rglob("*")) if path.is_file() and path.name != "lock"}


def changes_are_followed(lab):
    user, _ = filled(lab)
    lab.mirror("alice")
    with lab.server.client(user) as client:
        client.deliver("INBOX", b"Subject: one more\r\n\r\nhello\r\n")
        client.command("SELECT INBOX")
        client.command("UID STORE 2 +FLAGS (\\Flagged kw)")
        client.command("UID STORE 3 +FLAGS.SILENT (\\Deleted)")
        client.command("EXPUNGE")
        client.command("CREATE New/Folder")
        client.command("DELETE Sent")
    lab.mirror("alice")
    live.equal([path for path in lab.archives.rglob("*-wal") if path.stat().st_size > 0], [])
    lab.same("alice", user)


def a_recreated_folder_is_mirrored_again(lab):
    user, _ = filled(lab)
    lab.mirror("alice")
    with lab.server.client(user) as client:
        client.command("DELETE Sent")
        client.command("CREATE Sent")
        client.deliver("Sent", b"Subject: again\r\n\r\nfrom the start\r\n")
    lab.mirror("alice")
    lab.same("alice", user)


def what_the_server_lost_is_still_there(lab):
    user, count = filled(lab)
    lab.mirror("alice")
    with lab.server.client(user) as client:
        client.wipe()
    lab.run("mailstowd", "--once", "alice")
    live.equal(len(lab.ask("ls", f"alice@{first_snapshot(lab)}")), count)


def first_snapshot(lab):
    return min(line["id"] for line in lab.ask("snapshots", "alice"))


def a_restore_is_exact(lab):
    user, count = filled(lab, "sample")
    target = lab.account("bob", extra="mirror = no")
    lab.mirror("alice")
    summary = lab.ask("restore", "alice", "--to", "bob")[-1]
    live.equal((summary["planned"], summary["exact"]), (count, count), summary)
    live.equal(lab.differences(user, target), [])


def a_second_restore_adds_nothing(lab):
    user, count = filled(lab)
    target = lab.account("bob", extra="mirror = no")
    lab.mirror("alice")
    lab.ask("restore", "alice", "--to", "bob")
    summary = lab.ask("restore", "alice", "--to", "bob")[-1]
    live.equal(summary["already_there"], count, summary)
    live.equal(lab.differences(user, target), [])


def a_mailbox_goes_back_into_its_own_emptied_account(lab):
    user, count = filled(lab)
    before = lab.server.mailbox(user)
    lab.mirror("alice")
    with lab.server.client(user) as client:
        client.wipe()
    summary = lab.ask("restore", f"alice@{first_snapshot(lab)}", "--to", "alice")[-1]
    live.equal(summary["exact"], count, summary)
    live.equal(live.compare_mailboxes.compare(before, lab.server.mailbox(user), set()), [])


def cat_prints_exact_bytes(lab):
    user = lab.account("alice")
    content = b"Subject: exact\r\n\r\n\xff\xfe bytes \r and more\r\n"
    with lab.server.client(user) as client:
        client.deliver("INBOX", content)
    lab.mirror("alice")
    line = lab.ask("ls", "alice")[0]
    live.equal(line["sha256"], hashlib.sha256(content).hexdigest())
    run = lab.run("mailstow", "cat", "alice", "INBOX", str(line["uid"]))
    live.equal((run.status, run.content), (0, content), run)


def a_wrong_password_is_told_and_not_tried_again(lab):
    lab.account("alice", password=lab.file("wrong", "not it\n"))
    before = lab.logins_failed()
    lab.mirror("alice", status=77)
    live.equal(lab.logins_failed() - before, 1, "it tried again")
    live.equal(lab.status("alice")["state"], "auth-required")


def an_unknown_authority_is_not_trusted(lab):
    stranger = lab.place / "stranger.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                    "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=Somebody else", "-keyout",
                    lab.place / "stranger.key", "-out", stranger], check=True, capture_output=True)
    lab.account("alice", ca=stranger)
    run = lab.run("mailstowd", "--once", "alice")
    live.true(run.status != 0 and "certificate" in run.errors.lower(), run)


def a_server_that_is_away_is_a_temporary_matter(lab):
    with socket.socket() as bound:  # and not listening: nobody else gets the port
        bound.bind(("127.0.0.1", 0))
        lab.account("alice", host="127.0.0.1", port=bound.getsockname()[1])
        lab.mirror("alice", status=69)


live.main(
    a_mirror_holds_what_the_server_has, a_second_pass_writes_nothing, changes_are_followed,
    a_recreated_folder_is_mirrored_again, what_the_server_lost_is_still_there, a_restore_is_exact,
    a_second_restore_adds_nothing, a_mailbox_goes_back_into_its_own_emptied_account,
    cat_prints_exact_bytes, a_wrong_password_is_told_and_not_tried_again,
    an_unknown_authority_is_not_trusted, a_server_that_is_away_is_a_temporary_matter,
    programs=("mailstowd", "mailstow"),
)
