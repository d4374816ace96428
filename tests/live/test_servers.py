"""The same promises with other server software: its separators, prefixes, names and push."""

import hashlib

import live
from imap_load import Refused
from mail_samples import Folder, Message

MESSAGE = b"Subject: pushed\r\n\r\nhello\r\n"
ODD_NAMES = (
    "Größe & Co", "日本語/Ärger", "a b  c", "v1.2.3", "50% off", "x%2Fy", 'say "hello"', "back\\slash",
    "~tilde", "star*", "INBOX/below", "inboxes", "a+b=c", "[brackets]", "semi;colon", "#hash",
)
MIN_ODD_NAMES = 8


def filled(lab, extra=""):
    user = lab.account("alice", extra=extra)
    return user, lab.server.fill(user)


def contents(folder):
    return {str(path): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in sorted(folder.rglob("*")) if path.is_file() and path.name != "lock"}


def move(client, uid, path):
    where = f'"{client.wire(path)}"'
    if "MOVE" in client.capabilities:
        client.command(f"UID MOVE {uid} {where}")
    else:
        client.command(f"UID COPY {uid} {where}")
        client.command(f"UID STORE {uid} +FLAGS.SILENT (\\Deleted)")
        client.command("EXPUNGE")


def a_mirror_holds_what_the_server_has(lab):
    user, count = filled(lab)
    lab.mirror("alice")
    live.equal(lab.status("alice")["messages"], count)
    lab.same("alice", user)


def a_second_pass_writes_nothing(lab):
    filled(lab)
    lab.mirror("alice")
    before = contents(lab.archives)
    lab.mirror("alice")
    live.equal(contents(lab.archives), before)


def flags_new_expunged_and_moved_mail_are_followed(lab):
    user, _ = filled(lab)
    lab.mirror("alice")
    with lab.server.client(user) as client:
        client.deliver("INBOX", b"Subject: one more\r\n\r\nhello\r\n")
        client.command("SELECT INBOX")
        client.command("UID STORE 2 +FLAGS (\\Flagged kw $Forwarded)")
        client.command("UID STORE 4 FLAGS (\\Answered)")
        client.command("UID STORE 3 +FLAGS.SILENT (\\Deleted)")
        client.command("EXPUNGE")
        move(client, 5, "Sent")
        client.command("UID STORE 2 -FLAGS (kw)")
    lab.mirror("alice")
    lab.same("alice", user)


def folders_made_renamed_and_removed_are_followed(lab):
    user, _ = filled(lab)
    with lab.server.client(user) as client:
        client.deliver("Sent", MESSAGE)
        client.fill([Folder("Short-lived", True, [Message(MESSAGE)])])
        lab.mirror("alice")
        client.command(f'CREATE "{client.wire("New/Deep/Folder")}"')
        client.command(f'DELETE "{client.wire("Short-lived")}"')
        client.command(f'RENAME "{client.wire("Ärger/Kiste")}" "{client.wire("Ärger/Schachtel")}"')
    lab.mirror("alice")
    lab.same("alice", user)
    folders = {line["folder"] for line in lab.ask("folders", "alice")}
    live.true("New/Deep/Folder" in folders, f"the new folder is missing: {folders}")


def bodies(wire_log):
    """How many messages a pass asked for."""
    lines = wire_log.read_text(errors="replace").splitlines()
    return sum("UID FETCH" in line and "BODY.PEEK[])" in line for line in lines)


def mail_at(lab, when):
    return {(line["folder"], line["uid"]): (line["subject"], line["added"])
            for line in lab.ask("ls", when)}


def rename(client, old, new):
    client.command(f'RENAME "{client.wire(old)}" "{client.wire(new)}"')


def mirrored(lab):
    """Of a pass: how many ranges of bodies it asked for, and the snapshot it made."""
    log = lab.place / "wire"
    log.unlink(missing_ok=True)
    lab.mirror("--wire-log", str(log), "alice")
    return bodies(log), max(line["id"] for line in lab.ask("snapshots", "alice"))


TREE = ("A", "B", "Work", "Work/2025", "Work/2025/deep", "Work/Größe")


def renamed_folders_that_move_keep_their_mail(lab):
    user = lab.account("alice")
    with lab.server.client(user) as client:
        client.fill([Folder(name, True, [Message(b"Subject: %s\r\n\r\nx\r\n" % name.encode())])
                     for name in TREE])
        fetched, first = mirrored(lab)
        live.true(fetched >= len(TREE), f"{fetched} fetches of the first pass")
        before = mail_at(lab, f"alice@{first}")
        rename(client, "Work", "Office")
        for old, new in (("A", "between"), ("B", "A"), ("between", "B")):
            rename(client, old, new)
    fetched, second = mirrored(lab)
    names = {name: name.replace("Work", "Office") for name in TREE} | {"A": "B", "B": "A"}
    after = mail_at(lab, f"alice@{second}")
    live.equal({place: subject for place, (subject, _) in after.items()},
               {(names[folder], uid): subject for (folder, uid), (subject, _) in before.items()})
    live.equal(mail_at(lab, f"alice@{first}"), before)
    lab.same("alice", user)
    if lab.server.kind == "courier":  # each has another UIDVALIDITY
        return
    live.equal(fetched, 0)
    live.equal(after, {(names[folder], uid): facts for (folder, uid), facts in before.items()})
    live.equal(lab.ask("ls", "alice", "--deleted"), lab.ask("ls", "alice"))
    moved = {(line["from_folder"], line["from_uid"]): (line["folder"], line["change"])
             for line in lab.ask("diff", f"alice@{first}", f"alice@{second}")}
    live.equal(moved, {(folder, uid): (names[folder], "moved") for folder, uid in before})
    restored_from(lab, first, before)


def restored_from(lab, snapshot, before):
    """Restoring an earlier snapshot brings the old names back."""
    target = lab.account("bob", extra="mirror = no")
    summary = lab.ask("restore", f"alice@{snapshot}", "--to", "bob")[-1]
    live.equal((summary["exact"], summary["refused"]), (len(before), 0), summary)
    there = {(path, message["uid"]) for path, folder in lab.server.mailbox(target).items()
             for message in folder["messages"]}
    live.equal(there, set(before))


def mail_that_moves_while_its_folder_is_renamed_is_followed(lab):
    user, _ = filled(lab)
    with lab.server.client(user) as client:
        client.deliver("Sent", MESSAGE)
        lab.mirror("alice")
        rename(client, "Ärger/Kiste", "Ärger/Schachtel")
        client.command("SELECT INBOX")
        move(client, 2, "Ärger/Schachtel")
        rename(client, "Sent", "Sent before")
        client.command(f'CREATE "{client.wire("Sent")}"')
        client.deliver("Sent", MESSAGE.replace(b"pushed", b"later"))
        client.deliver("Sent before", MESSAGE.replace(b"pushed", b"meanwhile"))
    lab.mirror("alice")
    lab.same("alice", user)
    before = contents(lab.archives)
    lab.mirror("alice")
    live.equal(contents(lab.archives), before)


def a_recreated_folder_is_mirrored_again(lab):
    user, _ = filled(lab)
    lab.mirror("alice")
    with lab.server.client(user) as client:
        name = client.wire("Ärger/Kiste")
        client.command(f'DELETE "{name}"')
        client.command(f'CREATE "{name}"')
        client.deliver("Ärger/Kiste", b"Subject: again\r\n\r\nfrom the start\r\n")
    lab.mirror("alice")
    lab.same("alice", user)


def new_mail_comes_by_push(lab):
    user, count = filled(lab, extra="poll = 1h")
    with lab.server.client(user) as client:  # possibly with equal UIDs
        client.fill([Folder(name, True, [Message(MESSAGE)]) for name in ("Twin", "Other twin")])
    count += 2
    lab.start_daemon()
    lab.wait("watching", lambda: (lab.status("alice").get("state"),
                                  lab.status("alice").get("push")) == ("watching", "idle"))
    with lab.server.client(user) as client:
        for number in (1, 2):
            client.deliver("INBOX", MESSAGE)
            lab.wait("push", lambda: lab.status("alice").get("messages") == count + number)
    lab.same("alice", user)


def a_restore_is_exact_and_a_second_adds_nothing(lab):
    user, count = filled(lab)
    target = lab.account("bob", extra="mirror = no")
    lab.mirror("alice")
    summary = lab.ask("restore", "alice", "--to", "bob")[-1]
    live.equal((summary["planned"], summary["exact"]), (count, count), summary)
    live.equal(lab.differences(user, target), [])
    summary = lab.ask("restore", "alice", "--to", "bob")[-1]
    live.equal(summary["already_there"], count, summary)
    live.equal(lab.differences(user, target), [])


def a_mailbox_goes_back_into_its_own_emptied_account(lab):
    user, count = filled(lab)
    before = lab.server.mailbox(user)
    lab.mirror("alice")
    with lab.server.client(user) as client:
        client.wipe()
    first = min(line["id"] for line in lab.ask("snapshots", "alice"))
    summary = lab.ask("restore", f"alice@{first}", "--to", "alice")[-1]
    live.equal(summary["exact"], count, summary)
    live.equal(live.compare_mailboxes.compare(before, lab.server.mailbox(user), set()), [])


def odd_names(client):
    """Makes folders with a message each, of the names that this server takes."""
    taken = []
    for name in ODD_NAMES:
        try:
            client.fill([Folder(name, True, [Message(b"Subject: %d\r\n\r\nx\r\n" % len(taken))])])
        except Refused:
            continue
        taken.append(name)
    live.true(len(taken) >= MIN_ODD_NAMES, taken)


def odd_names_move_to_another_account(lab):
    user = lab.account("alice")
    target = lab.account("bob", extra="mirror = no")
    with lab.server.client(user) as client:
        odd_names(client)
    lab.mirror("alice")
    lab.same("alice", user)
    summary = lab.ask("restore", "alice", "--to", "bob")[-1]
    live.equal(summary["exact"], summary["planned"], summary)
    live.equal(lab.differences(user, target), [])


def messages(mailbox):
    return sorted((one["sha256"], one["flags"], one["date"])
                  for folder in mailbox.values() for one in folder["messages"])


def between(lab, source, target, fill):
    """Moves a mailbox filled by fill(client) to another server; returns the state of both."""
    name = f"from-{source.port}"
    user = lab.account(name, user=source.new_user(), port=source.port, ca=source.ca)
    with source.client(user) as client:
        fill(client)
    other = lab.account("to-" + name, user=target.new_user(), port=target.port, ca=target.ca,
                        extra="mirror = no")
    lab.mirror(name)
    summary = lab.ask("restore", name, "--to", "to-" + name)[-1]
    live.equal((summary["exact"], summary["refused"]), (summary["planned"], 0), summary)
    again = lab.ask("restore", name, "--to", "to-" + name)[-1]
    live.equal(again["already_there"], summary["planned"], again)
    return source.mailbox(user), target.mailbox(other)


def a_mailbox_moves_to_and_from_dovecot(lab):
    folders = live.mail_samples.make("tiny")
    dovecot = lab.server.dovecot()
    for source, target in ((dovecot, lab.server), (lab.server, dovecot)):
        here, there = between(lab, source, target, lambda client: client.fill(folders))
        here = {path: folder for path, folder in here.items() if folder["messages"]}
        there = {path: folder for path, folder in there.items() if folder["messages"]}
        live.equal(live.compare_mailboxes.compare(here, there, {"special-use"}), [])


def odd_names_move_from_dovecot(lab):
    here, there = between(lab, lab.server.dovecot(), lab.server, odd_names)
    live.equal(messages(here), messages(there))


live.main(
    a_mirror_holds_what_the_server_has, a_second_pass_writes_nothing,
    flags_new_expunged_and_moved_mail_are_followed, folders_made_renamed_and_removed_are_followed,
    renamed_folders_that_move_keep_their_mail,
    mail_that_moves_while_its_folder_is_renamed_is_followed,
    a_recreated_folder_is_mirrored_again, new_mail_comes_by_push,
    a_restore_is_exact_and_a_second_adds_nothing,
    a_mailbox_goes_back_into_its_own_emptied_account, odd_names_move_to_another_account,
    a_mailbox_moves_to_and_from_dovecot, odd_names_move_from_dovecot,
    programs=("mailstowd", "mailstow"),
)
