#!/usr/bin/env python3
"""The running daemon: push on INBOX and on further connections, polling, reconnecting, its end."""

import base64
import random
import signal

import live

LARGE_MESSAGES, LARGE_BYTES = 20, 1_000_000  # enough to fill a volume
MESSAGE = b"Subject: pushed\r\n\r\nhello\r\n"


def watching(lab, extra="poll = 1h", kind="tiny"):
    """A filled account under watch: user, messages."""
    user = lab.account("alice", extra=extra)
    count = lab.server.fill(user, kind)
    lab.start_daemon()
    lab.wait("watching", lambda: lab.status("alice").get("state") == "watching")
    return user, count


def deliver(lab, user, folder, count):
    with lab.server.client(user) as client:
        client.deliver(folder, MESSAGE)
        lab.wait(f"push from {folder}", lambda: lab.status("alice").get("messages") == count)


def new_mail_comes_by_push(lab):
    user, count = watching(lab)
    lab.wait("IDLE", lambda: lab.status("alice").get("push") == "idle")
    for number in range(1, 4):
        deliver(lab, user, "INBOX", count + number)
    lab.same("alice", user)


def further_connections_push_other_folders(lab):
    user, count = watching(lab, extra="poll = 1h\nconnections = 20")
    lab.wait("quiet", lambda: lab.status("alice").get("state") == "watching")
    folders = sorted(lab.server.mailbox(user))
    live.true(len(folders) > 2, folders)
    for folder in folders:
        count += 1
        deliver(lab, user, folder, count)
    lab.same("alice", user)


def what_no_push_covers_is_polled(lab):
    user, count = watching(lab, extra="poll = 1s\nconnections = 1")
    folder = [path for path in sorted(lab.server.mailbox(user)) if path != "INBOX"][0]
    deliver(lab, user, folder, count + 1)


def a_server_that_comes_back_is_watched_again(lab):
    user, count = watching(lab)
    lab.server.stop()
    lab.wait("offline", lambda: lab.status("alice").get("state") == "offline")
    live.true(lab.status("alice")["detail"], "offline, and not a word why")
    lab.server.start()
    lab.wait("watching", lambda: lab.status("alice").get("state") == "watching")
    deliver(lab, user, "INBOX", count + 1)


def the_daemon_ends_cleanly_when_asked(lab):
    watching(lab)
    for daemon in list(lab.daemons):
        lab.daemons.remove(daemon)
        daemon.send_signal(signal.SIGTERM)
        live.equal(daemon.wait(20), 0)
    live.equal(lab.status("alice")["state"], "stopped")


def a_killed_daemon_is_not_taken_for_running(lab):
    watching(lab)
    for daemon in list(lab.daemons):
        lab.daemons.remove(daemon)
        daemon.kill()
        daemon.wait(20)
    live.equal(lab.status("alice")["state"], "stopped")


def a_second_daemon_is_refused(lab):
    watching(lab)
    run = lab.run("mailstowd")
    live.equal(run.status, 75, run)
    live.true("locked by mailstowd (pid " in run.errors, run)


def a_pass_by_hand_goes_beside_the_daemon(lab):
    user, count = watching(lab)
    lab.mirror("alice")
    deliver(lab, user, "INBOX", count + 1)


def a_copy_is_made_and_kept_up_while_the_daemon_runs(lab):
    user, count = watching(lab)
    target = lab.account("bob", extra="mirror = no")
    copy = lab.place / "disk" / "alice"
    live.equal(lab.run("mailstow", "copy", "alice", copy).status, 0)
    for number in range(1, 4):
        deliver(lab, user, "INBOX", count + number)
        run = lab.run("mailstow", "copy", "alice", copy)
        live.equal(run.status, 0, run)
    live.equal(lab.ask("check", f"{copy}", "--read-data")[-1]["errors"], 0)
    live.equal(lab.ask("ls", f"{copy}"), lab.ask("ls", "alice"))
    summary = lab.ask("restore", f"{copy}", "--to", "bob")[-1]
    live.equal(summary["exact"], count + 3, summary)
    live.equal(lab.differences(user, target), [])


def what_has_been_quiet_is_sealed(lab):
    user, count = watching(lab, extra="poll = 1h\nseal-after = 1s")
    chance = random.Random(3)
    with lab.server.client(user) as client:
        for _ in range(LARGE_MESSAGES):
            body = base64.encodebytes(chance.randbytes(LARGE_BYTES)).replace(b"\n", b"\r\n")
            client.deliver("INBOX", b"Subject: large\r\n\r\n" + body)
    volumes = lab.archives / "alice" / "volumes"
    lab.wait("sealing", lambda: [path.stat().st_mode & 0o777 for path in
                                 sorted(volumes.glob("*.vol"))] == [0o444, 0o600])
    lab.wait("its word", lambda: "sealed: " in (lab.place / "daemon.log").read_text())
    live.equal(lab.ask("check", "alice", "--read-data")[-1]["errors"], 0)
    deliver(lab, user, "INBOX", count + LARGE_MESSAGES + 1)
    lab.same("alice", user)


live.main(
    new_mail_comes_by_push, further_connections_push_other_folders,
    what_no_push_covers_is_polled, a_server_that_comes_back_is_watched_again,
    the_daemon_ends_cleanly_when_asked, a_killed_daemon_is_not_taken_for_running,
    a_second_daemon_is_refused, a_pass_by_hand_goes_beside_the_daemon,
    a_copy_is_made_and_kept_up_while_the_daemon_runs, what_has_been_quiet_is_sealed,
    programs=("mailstowd", "mailstow"))
