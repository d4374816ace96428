#!/usr/bin/env python3
"""A wait of the daemon delays neither its end nor other accounts, and ends after a suspend."""

import contextlib
import fcntl
import os
import re
import signal
import socket
import struct
import time

import live

SILENT_ACCOUNTS = 8  # more than the default number of workers
PAUSE_SECONDS = 1
TIMED_OUT = re.compile("timed out|locked by")
F_OFD_SETLK = 37
HEARD_BYTES = 4096


def ends_at_once(lab, state):
    """SIGTERM ends a daemon whose account stays in this state: no wait runs until its timeout."""
    daemon = lab.start_daemon()
    lab.wait(state, lambda: lab.status("alice").get("state") == state)
    time.sleep(PAUSE_SECONDS)
    log = lab.place / "daemon.log"
    said = len(log.read_text())
    daemon.send_signal(signal.SIGTERM)
    live.equal(daemon.wait(live.WAIT_SECONDS), 0)
    lab.daemons.remove(daemon)
    live.true(not TIMED_OUT.search(log.read_text()[said:]), log.read_text())


def a_password_command_that_hangs_is_not_waited_for_at_the_end(lab):
    mark = lab.place / "mark"
    lab.account("alice")
    lab.conf.write_text(lab.conf.read_text().replace(
        f"password-file = {lab.password}", f"password-command = sleep 1000; touch {mark}"))
    ends_at_once(lab, "starting")
    live.true(not mark.exists(), "the command goes on")


@contextlib.contextmanager
def locked(path):
    with open(path, "r+b") as lock:
        fcntl.fcntl(lock, F_OFD_SETLK,
                    struct.pack("hhqqi4x", fcntl.F_WRLCK, os.SEEK_SET, 0, 1, 0))
        yield


def a_lock_is_not_waited_for_at_the_end(lab):
    lab.account("alice")
    lab.mirror("alice")
    with locked(lab.archives / "alice" / "lock"):
        ends_at_once(lab, "starting")


def a_silent_server_is_not_waited_for_at_the_end(lab):
    with live.Peer(says_nothing) as server:
        lab.account("alice", host="127.0.0.1", port=server.port)
        ends_at_once(lab, "starting")
    with live.Peer(says_nothing) as server:
        lab.conf.write_text(lab.conf.read_text() + "tls = starttls\n")
        ends_at_once(lab, "starting")


def says_nothing(connection):
    while connection.recv(HEARD_BYTES):
        pass


def servers_that_stall_stop_no_other_account(lab):
    with live.Peer(says_nothing) as server:
        for number in range(SILENT_ACCOUNTS):
            lab.account(f"silent{number}", host="127.0.0.1", port=server.port)
        user = lab.account("alice")
        lab.server.fill(user)
        lab.start_daemon()
        lab.wait("watching", lambda: lab.status("alice").get("state") == "watching")
        live.equal(lab.status("silent0")["state"], "starting")
        lab.same("alice", user)


def one_worker_is_enough_for_many_accounts(lab):
    lab.conf.write_text(lab.conf.read_text() + "workers = 1\n")
    users = {f"many{number}": lab.account(f"many{number}") for number in range(4)}
    for user in users.values():
        lab.server.fill(user)
    lab.start_daemon()
    for name, user in users.items():
        lab.wait(name, lambda name=name: lab.status(name).get("state") == "watching")
        lab.same(name, user)


def mail_comes_while_another_account_is_mirrored_for_hours(lab):
    lab.conf.write_text(lab.conf.read_text() + "workers = 1\n")
    user = lab.account("alice")
    count = lab.server.fill(user)
    lab.mirror("alice")
    lab.account("slow")
    lock = lab.archives / "slow" / "lock"
    lock.parent.mkdir(mode=0o700)
    lock.touch(mode=0o600)
    with locked(lock):
        lab.start_daemon()
        lab.wait("watching", lambda: lab.status("alice").get("state") == "watching")
        with lab.server.client(user) as client:
            client.deliver("INBOX", b"Subject: meanwhile\r\n\r\nx\r\n")
        lab.wait("push", lambda: lab.status("alice").get("messages") == count + 1)
        live.equal(lab.status("slow")["state"], "starting")
    lab.wait("made", lambda: lab.status("slow")["state"] == "watching")
    lab.same("alice", user)


def systemd_is_told_though_the_network_is_away(lab):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(lab.place / "notify"))
        systemd.settimeout(live.WAIT_SECONDS)
        lab.environment["NOTIFY_SOCKET"] = str(lab.place / "notify")
        lab.account("alice", host="nowhere.invalid")
        daemon = lab.start_daemon()
        live.equal(systemd.recv(100), b"READY=1")
        lab.wait("offline", lambda: lab.status("alice").get("state") == "offline")
        daemon.send_signal(signal.SIGTERM)
        live.equal(systemd.recv(100), b"STOPPING=1")
        live.equal(daemon.wait(live.WAIT_SECONDS), 0)
        lab.daemons.remove(daemon)


def whoever_wakes_up_compares_at_once(lab):
    """On a new connection: those from before the suspend are dead."""
    slept = lab.place / "slept"
    lab.preload("slept", SLEPT=str(slept))
    user = lab.account("alice", extra="poll = 1h\nconnections = 1")
    count = lab.server.fill(user)
    lab.start_daemon()
    lab.wait("watching", lambda: lab.status("alice").get("state") == "watching")
    with lab.server.client(user) as client:
        client.deliver("Sent", b"Subject: while asleep\r\n\r\nx\r\n")
    time.sleep(PAUSE_SECONDS)
    live.equal(lab.status("alice")["messages"], count)
    slept.touch()
    lab.wait("waking", lambda: lab.status("alice").get("messages") == count + 1)
    lab.same("alice", user)


live.main(
    a_password_command_that_hangs_is_not_waited_for_at_the_end,
    a_lock_is_not_waited_for_at_the_end, a_silent_server_is_not_waited_for_at_the_end,
    servers_that_stall_stop_no_other_account, one_worker_is_enough_for_many_accounts,
    mail_comes_while_another_account_is_mirrored_for_hours,
    systemd_is_told_though_the_network_is_away, whoever_wakes_up_compares_at_once,
    programs=("mailstowd", "mailstow"))
