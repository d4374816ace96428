"""What a person or a script sees of mail that is in an archive. Prints TAP."""

import datetime
import hashlib
import os
import shutil

from cli import EXACT, MESSAGES, equal, has, main


def ls_tells_every_key(lab):
    lines = {(line["folder"], line["uid"]): line for line in lab.ask("ls", "alice")}
    line = lines["INBOX", 1]
    equal(list(line), ["folder", "uidvalidity", "uid", "size", "sha256", "internaldate", "flags",
                       "added", "gone", "from", "subject", "date", "message_id"])
    equal(line["sha256"], hashlib.sha256(EXACT).hexdigest())
    equal((line["size"], line["uidvalidity"]), (len(EXACT), 1000))
    equal(line["internaldate"], "2026-11-20T09:00:00+01:00")
    equal(line["flags"], ["\\Flagged", "\\Seen"])
    equal((line["gone"], line["date"], line["subject"]), (None, None, "exact"))
    equal(lines["Work/2026 %25", 9]["internaldate"], None)
    equal(sorted(lines), [("INBOX", 1), ("INBOX", 3), ("INBOX", 4), ("Work/2026 %25", 9)])


def the_past_is_as_it_was(lab):
    for when in ("1", lab.between, lab.between.replace("+00:00", "Z")):
        lines = lab.ask("ls", f"alice@{when}", "--folder", "INBOX")
        equal([(line["uid"], line["flags"]) for line in lines],
              [(1, ["\\Seen"]), (2, []), (3, ["$Junk", "\\Flagged"])])
    equal(len(lab.ask("ls", "alice@latest")), 4)
    equal(len(lab.ask("ls", f"alice@{datetime.datetime.utcnow():%Y-%m-%d}")), 4)


def times_that_are_printed_are_understood(lab):
    for line in lab.ask("snapshots", "alice"):
        ls = lab.ask("ls", f"alice@{line['time']}")
        equal(len(ls), line["messages"])


def deleted_mail_is_listed(lab):
    gone = [line for line in lab.ask("ls", "alice", "--deleted") if line["gone"]]
    equal([(line["uid"], line["date"]) for line in gone], [(2, "2026-11-20T10:00:00+01:00")])
    equal(lab.ask("ls", "alice", "--deleted-only"), gone)
    equal(len(lab.ask("ls", "alice", "--deleted")), 5)
    equal(gone[0]["message_id"], "<two@example.org>")


def messages_are_selected(lab):
    def uids(*options):
        return [line["uid"] for line in lab.ask("ls", "alice@1", *options)]
    equal(uids("--folder", "Work*"), [9])
    equal(uids("--folder", "*", "--folder", "!INBOX"), [9])
    equal(uids("--folder", "inbox", "--since", "2026-11-21"), [3])
    equal(uids("--folder", "INBOX", "--before", "2026-11-20T09:30Z"), [1])
    equal(uids("--from", "jÜRGEN"), [2])
    equal(uids("--subject", "語"), [2])
    equal(uids("--message-id", "two@example.org"), [2])
    equal(uids("--message-id", "<two@example.org>"), [2])
    equal(uids("--subject", "nobody wrote this"), [])


def snapshots_are_listed(lab):
    lines = lab.ask("snapshots", "alice")
    equal([list(line) for line in lines],
          [["id", "time", "complete", "pinned", "messages", "added", "removed", "changed"]] * 2)
    equal([(line["id"], line["complete"], line["messages"], line["added"], line["removed"],
            line["changed"]) for line in lines], [(1, True, 4, 4, 0, 0), (2, True, 4, 1, 1, 1)])


def folders_are_listed(lab):
    lines = {line["folder"]: line for line in lab.ask("folders", "alice")}
    equal(list(lines["Gesendet"].values()),
          ["Gesendet", "Gesendet", "/", ["\\Sent"], "\\Sent", True, 7, 0, 0])
    equal(list(lines["INBOX"]), ["folder", "wire_name", "delimiter", "attributes", "special_use",
                                 "subscribed", "uidvalidity", "messages", "bytes"])
    equal(lines["INBOX"]["messages"], 3)
    equal(lines["INBOX"]["special_use"], None)


def cat_prints_exact_bytes(lab):
    equal(lab.run("cat", "alice", "INBOX", "1").content, EXACT)
    equal(lab.run("cat", "alice", "inbox", "1").content, EXACT)
    equal(lab.run("cat", "alice@1", "INBOX", "2").content, MESSAGES["two"])


def cat_finds_what_is_gone_by_its_uidvalidity(lab):
    lab.fails(66, "cat", "alice", "INBOX", "2", words="--uidvalidity 1000")
    equal(lab.run("cat", "alice", "INBOX", "2", "--uidvalidity", "1000").content, MESSAGES["two"])
    lab.fails(66, "cat", "alice", "INBOX", "2", "--uidvalidity", "1001")
    lab.fails(66, "cat", "alice@1", "INBOX", "4", "--uidvalidity", "1000")


def what_is_not_there_is_exit_66(lab):
    lab.fails(66, "ls", "bob", words="alice")
    lab.fails(66, "ls", "alice@3", words="the last is 2")
    lab.fails(66, "ls", "alice@0")
    lab.fails(66, "ls", "alice@2001-01-01", words="the first one was taken at")
    lab.fails(66, "ls", "alice", "--folder", "Nowhere", words="Nowhere")
    lab.fails(66, "ls", "never")
    lab.fails(66, "ls", "/nowhere/at/all")
    lab.fails(66, "cat", "alice", "Nowhere", "1", words="Nowhere")
    lab.fails(66, "cat", "alice", "INBOX", "77", words="77")
    lab.fails(66, "status", "bob")
    lab.fails(66, "snapshots", "./bob", conf=False)


def a_path_is_as_good_as_a_name(lab):
    for command, *rest in (("ls",), ("folders",), ("snapshots",), ("cat", "INBOX", "1")):
        by_name = lab.run(command, "alice", *rest)
        equal(by_name.status, 0, by_name)
        equal(lab.run(command, lab.archive, *rest, conf=False).content, by_name.content)
    equal(lab.ask("ls", f"{lab.archive}@1", conf=False), lab.ask("ls", "alice@1"))
    equal(lab.ask("status", lab.archive)[0]["messages"], 4)


def a_read_only_copy_is_read(lab):
    wanted = lab.run("ls", "alice", "--json").output
    copy = lab.place / "copy"
    shutil.copytree(lab.archive, copy)
    for path in sorted(copy.rglob("*"), reverse=True):
        path.chmod(0o500 if path.is_dir() else 0o400)
    copy.chmod(0o500)
    before = sorted(copy.rglob("*"))
    equal(lab.run("ls", f"{copy}", "--json", conf=False).output, wanted)
    if os.geteuid() != 0:
        equal(sorted(copy.rglob("*")), before)


def an_incomplete_state_warns(lab):
    lab.make("folder\tINBOX\t1\ncommit\tpartial\n", lab.place / "archives" / "never")
    run = lab.run("ls", "never")
    equal(run.status, 0)
    has(run.errors, "complete")
    equal(lab.ask("snapshots", "never")[0]["complete"], False)
    lab.fails(66, "ls", f"never@{datetime.datetime.utcnow():%Y-%m-%d}", words="complete")


def an_at_sign_belongs_to_the_address(lab):
    equal(len(lab.ask("ls", "alice@example.org")), 4)
    equal(len(lab.ask("ls", "alice@example.org@1")), 4)
    equal(len(lab.ask("ls", "alice@example.org@latest")), 4)
    lab.fails(66, "ls", "alice@2026-13-01", words="alice@2026-13-01")


def changes_are_listed(lab):
    equal(lab.ask("diff", "alice@1", "alice@1"), [])
    lines = lab.ask("diff", "alice@1", "alice")
    keys = set(lab.ask("ls", "alice")[0])
    for line in lines:
        equal(set(line) - {"from_folder", "from_uid"}, keys | {"change"})
    told = {(line["change"], line["folder"], line["uid"]) for line in lines}
    now = {(line["folder"], line["uid"]): line["flags"] for line in lab.ask("ls", "alice")}
    then = {(line["folder"], line["uid"]): line["flags"] for line in lab.ask("ls", "alice@1")}
    moved = {(line["from_folder"], line["from_uid"]): (line["folder"], line["uid"])
             for line in lines if line["change"] == "moved"}
    wanted = {("removed", *place) for place in then if place not in now and place not in moved}
    wanted |= {("added", *place) for place in now
               if place not in then and place not in moved.values()}
    wanted |= {("flags", *place) for place in now if place in then and now[place] != then[place]}
    wanted |= {("moved", *place) for place in moved.values()}
    equal(told, wanted)
    has(lab.run("diff", "alice@1", "alice@2").output, "CHANGE")
    lab.fails(64, "diff", "alice", "alice@1")
    lab.fails(66, "diff", "alice@1", "alice@99")


def a_pin_is_remembered_by_the_volumes(lab):
    def pins():
        return {line["id"]: line["pinned"] for line in lab.ask("snapshots", "alice")}
    before = lab.ask("ls", "alice")
    equal(lab.run("pin", "alice@1", "--json").output, "")
    equal(pins(), {1: True, 2: False, 3: False})
    snapshots = lab.ask("snapshots", "alice")
    equal(snapshots[2]["complete"], snapshots[1]["complete"])
    for name in ("catalogue.db", "catalogue.db-wal", "catalogue.db-shm"):
        (lab.archive / name).unlink(missing_ok=True)
    lab.run("rebuild", "alice")
    equal(pins(), {1: True, 2: False, 3: False})
    lab.run("pin", "alice@1")  # nothing new: no new snapshot
    equal(len(pins()), 3)
    lab.run("unpin", "alice@1")
    equal(pins(), {1: False, 2: False, 3: False, 4: False})
    equal(lab.ask("ls", "alice"), before)
    lab.ask("check", "alice", "--read-data")
    lab.fails(66, "pin", "alice@99")
    lab.fails(64, "pin", "alice")


main(
    ls_tells_every_key, the_past_is_as_it_was, times_that_are_printed_are_understood,
    deleted_mail_is_listed, messages_are_selected, snapshots_are_listed, folders_are_listed,
    cat_prints_exact_bytes, cat_finds_what_is_gone_by_its_uidvalidity,
    what_is_not_there_is_exit_66, a_path_is_as_good_as_a_name, a_read_only_copy_is_read,
    an_incomplete_state_warns, an_at_sign_belongs_to_the_address, changes_are_listed,
    a_pin_is_remembered_by_the_volumes)
