#!/usr/bin/env python3
"""Faults as a person sees them: messages, exit codes, states, and mail that stays safe."""

import base64
import hashlib
import os
import shlex
import shutil
import signal
import socket
import sqlite3
import subprocess
import threading

import live

QUIET_SECONDS = 6
FULL_SECONDS = 120


def failing(lab, status, *words, **account):
    """A pass that fails; the daemon's output contains all of these words."""
    lab.account("alice", **account)
    run = lab.run("mailstowd", "--once", "alice")
    live.equal(run.status, status, run)
    for word in words:
        live.true(word in run.errors, f"{word!r} is not in: {run}")
    return run


def closed_port():
    """A port nobody listens on, kept from others."""
    bound = socket.socket()
    bound.bind(("127.0.0.1", 0))
    return bound, bound.getsockname()[1]


# --- servers that cannot be reached ---

def an_unknown_host_is_named(lab):
    failing(lab, 69, "nowhere.invalid", "no such host", host="nowhere.invalid")
    status = lab.status("alice")
    live.equal(status["state"], "stopped")
    live.true("nowhere.invalid" in status["detail"], status)


def a_refused_connection_says_host_and_port(lab):
    bound, port = closed_port()
    with bound:
        failing(lab, 69, "127.0.0.1", str(port), "refused", host="127.0.0.1", port=port)


def a_stranger_s_certificate_is_not_accepted(lab):
    stranger = lab.place / "stranger.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                    "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=Somebody else", "-keyout",
                    lab.place / "stranger.key", "-out", stranger], check=True, capture_output=True)
    failing(lab, 76, "certificate", "not trusted", ca=stranger)


def another_key_than_the_pinned_one_is_not_accepted(lab):
    failing(lab, 76, "pin", extra="tls-pin-sha256 = " + "0" * 64)


def a_port_without_tls_is_told(lab):
    """As not TLS, or, when the greeting is there first, as unencrypted bytes."""
    plain = (lab.server.place / "port").read_text().strip()
    failing(lab, 76, "localhost", " TLS", port=plain)


def starttls_that_is_not_offered_is_not_gone_without(lab):
    server = Script([b"* OK ready\r\n", b"$ BAD no such command\r\n"])
    with server:
        failing(lab, 76, "STARTTLS", host="127.0.0.1", port=server.port, extra="tls = starttls")
        live.true(b"secret" not in server.heard and b"LOGIN" not in server.heard, server.heard)


def the_target_of_a_restore_is_told_in_the_same_words(lab):
    bound, port = closed_port()
    lab.account("alice")
    lab.mirror("alice")
    with bound:
        lab.account("bob", host="127.0.0.1", port=port)
        run = lab.run("mailstow", "restore", "alice", "--to", "bob")
        live.equal(run.status, 69, run)
        live.true(str(port) in run.errors and "refused" in run.errors, run)


def a_restore_that_is_not_begun_tells_no_figures(lab):
    bound, port = closed_port()
    lab.account("alice")
    lab.mirror("alice")
    with bound:
        lab.account("bob", host="127.0.0.1", port=port)
        run = lab.run("mailstow", "restore", "alice", "--to", "bob")
        live.equal((run.status, run.output), (69, ""), run)


def what_a_restore_cannot_do_is_told(lab):
    target = lab.account("bob", extra="mirror = no")
    user = lab.account("alice")
    lab.server.fill(user)
    lab.mirror("alice")
    for option, words in (("--labels=first", "not supported yet; use all"),
                          ("--labels=some", "expected all"),
                          ("--repair=lines", "as they are")):
        run = lab.run("mailstow", "restore", "alice", "--to", "bob", option)
        live.equal(run.status, 64, run)
        live.true(words in run.errors, run)
    run = lab.run("mailstow", "restore", "alice", "--to", "bob", "--labels=all", "--verify=full")
    live.equal(run.status, 0)
    live.true("Verified: 30 compared, 0 missing, 0 extra;" in run.output, run)
    live.equal([line for line in run.output.splitlines() if len(line) > 79], [])
    live.equal(lab.differences(user, target), [])
    run = lab.run("mailstow", "restore", "--help")
    for option in ("--folder", "--since", "--deleted-only", "--map", "--verify"):
        live.true(f"  {option}" in run.output, run)


def a_moment_that_is_none_is_told(lab):
    lab.account("alice")
    lab.mirror("alice")
    for when in ("yesterday", "2026-11-20T25:00", "20.11.2026"):
        run = lab.run("mailstow", "ls", f"alice@{when}")
        live.equal(run.status, 66, run)
        live.true("@WHEN is a snapshot number, a date such as" in run.errors, run)


# --- passwords ---

def a_wrong_password_is_not_hammered_and_a_right_one_is_taken_up(lab):
    user = lab.account("alice", password=lab.file("wrong", "not it\n"))
    before = lab.logins_failed()
    daemon = lab.start_daemon()
    lab.wait("auth-required", lambda: lab.status("alice").get("state") == "auth-required")
    lab.wait("some time", after(QUIET_SECONDS))
    live.equal(lab.logins_failed() - before, 1, "it tried again")
    lab.file("wrong", "secret\n")
    daemon.send_signal(signal.SIGHUP)
    lab.wait("watching", lambda: lab.status("alice").get("state") == "watching")
    lab.same("alice", user)


def after(seconds):
    import time
    deadline = time.monotonic() + seconds
    return lambda: time.monotonic() >= deadline


def no_secret_is_shown(lab):
    secret = "Pa55-that-nobody-may-see"
    lab.account("alice", password=lab.file("mine", secret + "\n"))
    run = lab.run("mailstowd", "-v", "--once", "alice")
    live.equal(run.status, 77, run)
    shown = lab.run("mailstow", "config", "show")
    status = lab.run("mailstow", "status", "alice", "--json")
    for text in (run.errors, run.output, shown.output, shown.errors, status.output):
        live.true(secret not in text, text)


def what_passes_is_logged_without_secrets(lab):
    user = lab.account("alice")
    lab.server.fill(user, "tiny")
    log = lab.place / "wire"
    live.equal(lab.run("mailstowd", "--once", "--wire-log", log, "alice").status, 0)
    text = log.read_text().replace("<secret>", "")
    secret = lab.password.read_text().strip()
    live.true(" C: " in text and " S: " in text and "LIST" in text and "FETCH" in text, text[:2000])
    for form in (secret, base64.b64encode(secret.encode()).decode().rstrip("="),
                 base64.b64encode(f"\0{user}\0{secret}".encode()).decode()):
        live.true(form not in text, f"{form} is in the log")
    live.equal(log.stat().st_mode & 0o777, 0o600)
    live.equal(lab.run("mailstowd", "--wire-log", log).status, 64)
    log.unlink()
    log.symlink_to(lab.place / "elsewhere")
    run = lab.run("mailstowd", "--once", "--wire-log", log, "alice")
    live.equal(run.status, 73, run)


# --- messages ---

def a_message_over_the_limit_is_a_recorded_skip_until_the_limit_is_raised(lab):
    user = lab.account("alice", extra="max-message-size = 10k")
    with lab.server.client(user) as client:
        client.deliver("INBOX", b"Subject: small\r\n\r\nsmall\r\n")
        client.deliver("INBOX", b"Subject: large\r\n\r\n" + b"large\r\n" * 4000)
    run = lab.mirror("alice", status=3)
    live.true("max-message-size" in run.errors, run)
    status = lab.status("alice")
    live.equal((status["messages"], status["skipped"]), (1, 1), status)
    run = lab.mirror("alice", status=3)
    live.true("INBOX uid 2: left out: larger than max-message-size" in run.errors, run)
    lab.conf.write_text(lab.conf.read_text().replace("= 10k", "= 10M"))
    lab.mirror("alice")
    status = lab.status("alice")
    live.equal((status["messages"], status["skipped"]), (2, 0), status)
    lab.same("alice", user)


def a_skipped_message_that_goes_is_no_longer_counted(lab):
    user = lab.account("alice", extra="max-message-size = 10k")
    with lab.server.client(user) as client:
        client.deliver("INBOX", b"Subject: large\r\n\r\n" + b"large\r\n" * 4000)
        lab.mirror("alice", status=3)
        client.wipe()
    lab.mirror("alice")
    live.equal(lab.status("alice")["skipped"], 0)


# --- disks and archives ---

def in_a_small_room(lab, script):
    """Runs a shell script where $ROOM is a file system of its own, as root of a namespace."""
    room = lab.place / "room"
    room.mkdir()
    lab.archives = room
    lab.conf.write_text(lab.conf.read_text().replace(str(lab.place / "archive"), str(room)))
    probe = ["unshare", "--mount"] if os.geteuid() == 0 else ["unshare", "--user",
                                                              "--map-root-user", "--mount"]
    mount = f"mount -t tmpfs -o size=1m,mode=755 room {shlex.quote(str(room))}"
    if subprocess.run([*probe, "sh", "-c", mount], check=False, capture_output=True).returncode:
        raise live.Skipped("no mount namespaces here")
    words = {"ROOM": room, "CONF": lab.conf, "OUT": lab.place,
             "MAILSTOWD": live.program_path(lab.build, "mailstowd"),
             "MAILSTOW": live.program_path(lab.build, "mailstow")}
    done = subprocess.run([*probe, "sh", "-ec", mount + "\n" + script], check=False,
                          capture_output=True, timeout=FULL_SECONDS, text=True,
                          env={**lab.environment, **{k: str(v) for k, v in words.items()}})
    live.equal(done.returncode, 0, done.stdout + done.stderr)
    return done.stdout + done.stderr


def a_full_disk_stops_cleanly_and_goes_on_when_there_is_room(lab):
    user = lab.account("alice")
    with lab.server.client(user) as client:
        for number in range(6):
            client.deliver("INBOX", b"Subject: noise\r\n\r\n" +
                           os.urandom(150_000).hex().encode() + b"%d\r\n" % number)
    said = in_a_small_room(lab, """
        status=0; "$MAILSTOWD" -c "$CONF" --once alice || status=$?
        test "$status" = 74
        "$MAILSTOW" -c "$CONF" status alice --json >"$OUT/full.json" || :
        mount -o remount,size=100m "$ROOM"
        "$MAILSTOWD" -c "$CONF" --once alice
        "$MAILSTOW" -c "$CONF" ls alice --json >"$OUT/ls.json"
        "$MAILSTOW" -c "$CONF" cat alice INBOX 6 >"$OUT/six"
    """)
    live.true("no space" in said.lower() or "full" in said.lower(), said)
    wanted = sorted(message["sha256"] for message in
                    lab.server.mailbox(user)["INBOX"]["messages"])
    import json
    got = [json.loads(line) for line in (lab.place / "ls.json").read_text().splitlines()]
    live.equal(sorted(line["sha256"] for line in got), wanted)
    live.true(hashlib.sha256((lab.place / "six").read_bytes()).hexdigest() in wanted, "message 6")


def a_disk_that_may_not_be_written_is_told(lab):
    lab.account("alice")
    said = in_a_small_room(lab, """
        mount -o remount,ro "$ROOM"
        status=0; "$MAILSTOWD" -c "$CONF" --once alice || status=$?
        echo "status $status"
    """)
    live.true("status 73" in said or "status 74" in said or "status 77" in said, said)
    live.true("ead-only" in said, said)


def a_place_that_cannot_hold_archives_is_exit_73(lab):
    lab.archives.write_text("no folder\n")
    failing(lab, 73, str(lab.archives), "Not a directory")


def a_vanished_archive_is_reported_and_created_again(lab):
    user = lab.account("alice")
    lab.server.fill(user)
    lab.mirror("alice")
    shutil.rmtree(lab.archives)
    run = lab.run("mailstow", "ls", "alice")
    live.equal(run.status, 66, run)
    live.true(str(lab.archives) in run.errors, run)
    lab.mirror("alice")
    lab.same("alice", user)


def an_archive_of_a_newer_mailstow_is_left_alone(lab):
    lab.account("alice")
    lab.mirror("alice")
    catalogue = sqlite3.connect(lab.archives / "alice" / "catalogue.db")
    catalogue.execute("pragma user_version = 99")
    catalogue.close()
    for program, arguments in (("mailstowd", ("--once", "alice")), ("mailstow", ("ls", "alice"))):
        run = lab.run(program, *arguments)
        live.equal(run.status, 65, run)
        live.true("newer" in run.errors, run)


def a_locked_archive_is_waited_for_and_the_holder_named(lab):
    import fcntl
    import struct
    lab.account("alice")
    lab.mirror("alice")
    with open(lab.archives / "alice" / "lock", "r+b") as lock:
        fcntl.fcntl(lock, fcntl.F_OFD_SETLK if hasattr(fcntl, "F_OFD_SETLK") else 37,
                    struct.pack("hhqqi4x", fcntl.F_WRLCK, os.SEEK_SET, 0, 1, 0))
        run = lab.run("mailstowd", "--once", "alice")
    live.equal(run.status, 75, run)
    live.true("locked by" in run.errors, run)


def mail_that_is_to_be_encrypted_is_never_kept_in_plain(lab):
    lab.account("alice")
    lab.mirror("alice")
    with open(lab.conf, "a", encoding="utf-8") as conf:
        conf.write(f"passphrase-file = {lab.password}\n")
    run = lab.run("mailstowd", "--once", "alice")
    live.equal(run.status, 78, run)
    live.true("encrypted" in run.errors, run)


# --- servers with odd replies ---

class Script:
    """A server that sends its lines in order; $ is the tag of the last command."""

    def __init__(self, lines, end=True):
        self.lines, self.end, self.heard = lines, end, b""
        self.listener = socket.socket()
        self.listener.bind(("127.0.0.1", 0))
        self.listener.listen()
        self.port = self.listener.getsockname()[1]
        self.thread = threading.Thread(target=self.serve, daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.listener.close()

    def serve(self):
        try:
            connection, _ = self.listener.accept()
            connection.settimeout(20)
            with connection:
                tag = b"*"
                for line in self.lines:
                    connection.sendall(line.replace(b"$", tag))
                    if line is not self.lines[-1]:
                        said = connection.recv(65536)
                        self.heard += said
                        tag = said.split(b" ")[0] or b"*"
        except OSError:
            pass


def rubbish_from_a_server_harms_nothing(lab):
    user = lab.account("alice")
    lab.server.fill(user)
    lab.mirror("alice")
    good = lab.conf.read_text()
    first = b"* OK [CAPABILITY IMAP4rev1] ready\r\n"
    for number, lines in enumerate((
            [b"HTTP/1.1 400 Bad Request\r\n\r\n"], [b"\x00\xff\xfe" * 100],
            [b"* OK " + b"x" * 200_000],
            [b"* BYE go away\r\n"], [first, b"$ OK\r\n", b"* LIST (" + b"(" * 5000],
            [first, b"$ OK\r\n", b"* LIST () \"/\" {99999999999999}\r\n"],
            [first, b"* BYE in the middle"], [first, b"$ BAD what\r\n"])):
        with Script(lines) as server:
            lab.conf.write_text(good.replace("host = localhost", "host = 127.0.0.1").replace(
                f"port = {lab.server.port}", f"port = {server.port}\ntls = off"))
            run = lab.run("mailstowd", "--once", "alice")
            live.true(run.status in (69, 75, 76, 77), f"{number}: {run}")
            live.true(run.errors.count("\n") == 1 and len(run.errors) < 600, f"{number}: {run}")
    lab.conf.write_text(good)
    lab.mirror("alice")
    lab.same("alice", user)


live.main(
    an_unknown_host_is_named, a_refused_connection_says_host_and_port,
    a_stranger_s_certificate_is_not_accepted, another_key_than_the_pinned_one_is_not_accepted,
    a_port_without_tls_is_told,
    starttls_that_is_not_offered_is_not_gone_without,
    the_target_of_a_restore_is_told_in_the_same_words,
    a_restore_that_is_not_begun_tells_no_figures, what_a_restore_cannot_do_is_told,
    a_moment_that_is_none_is_told,
    a_wrong_password_is_not_hammered_and_a_right_one_is_taken_up, no_secret_is_shown,
    what_passes_is_logged_without_secrets,
    a_message_over_the_limit_is_a_recorded_skip_until_the_limit_is_raised,
    a_skipped_message_that_goes_is_no_longer_counted,
    a_full_disk_stops_cleanly_and_goes_on_when_there_is_room,
    a_disk_that_may_not_be_written_is_told, a_place_that_cannot_hold_archives_is_exit_73,
    a_vanished_archive_is_reported_and_created_again, an_archive_of_a_newer_mailstow_is_left_alone,
    a_locked_archive_is_waited_for_and_the_holder_named,
    mail_that_is_to_be_encrypted_is_never_kept_in_plain, rubbish_from_a_server_harms_nothing,
    programs=("mailstowd", "mailstow"))
