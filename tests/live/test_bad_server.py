#!/usr/bin/env python3
"""Servers with faults: certificates, ports, cut connections, false and real sizes."""

import base64
import contextlib
import hashlib
import os
import pathlib
import re
import signal
import socket
import sqlite3
import ssl
import subprocess
import sys
import threading
import time

import live

SILENT_SECONDS = 1
RESIDENT_MAX_MB = 64
BIG_BYTES = 146_000_000  # 200 MB as base64
MEASURE = """import resource, subprocess, sys
status = subprocess.call(sys.argv[2:])
with open(sys.argv[1], "w") as out:
    out.write(str(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024))
sys.exit(status)"""


def fails(run, status, *words):
    live.equal(run.status, status, run)
    for word in words:
        live.true(word in run.errors, f"{word!r} is not in: {run}")


# --- certificates ---

def certificate(lab, host, days):
    """Of the authority the lab's accounts trust; for TLS servers in Python."""
    place = lab.place
    (place / "names").write_text(f"subjectAltName=DNS:{host}\n")
    ca = lab.server.place
    for command in (
            ["req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj",
             "/CN=server", "-keyout", place / "key.pem", "-out", place / "request.pem"],
            ["x509", "-req", "-in", place / "request.pem", "-CA", ca / "ca.pem", "-CAkey",
             ca / "ca.key", "-set_serial", str(time.time_ns()), "-days", str(days), "-extfile",
             place / "names", "-out", place / "cert.pem"]):
        subprocess.run(["openssl", *command], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(place / "cert.pem", place / "key.pem")

    def serve(connection):
        with context.wrap_socket(connection, server_side=True) as secure:
            secure.sendall(b"* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN] ready\r\n")
            secure.recv(65536)
    return serve


def told_alike(lab, port, status, *words, **account):
    """The daemon and a restore report the same fault of a server; neither retries."""
    lab.account("good")
    lab.mirror("good")
    lab.account("bad", host="localhost", port=port, **account)
    fails(lab.run("mailstowd", "--once", "bad"), status, f"localhost port {port}", *words)
    fails(lab.run("mailstow", "restore", "good", "--to", "bad"), status,
          f"localhost port {port}", *words)


def a_certificate_for_another_host_is_not_accepted(lab):
    with live.Peer(certificate(lab, "other.example.org", 1)) as peer:
        told_alike(lab, peer.port, 76, "certificate is for other.example.org, not localhost")


def a_certificate_that_expired_is_not_accepted(lab):
    with live.Peer(certificate(lab, "localhost", -1)) as peer:
        told_alike(lab, peer.port, 76, "certificate expired on 20")


# --- ports ---

def a_port_for_tls_is_told_to_one_who_waits_for_a_greeting(lab):
    def waits_for_a_handshake(connection):
        connection.settimeout(SILENT_SECONDS)
        connection.recv(1)
    with live.Peer(waits_for_a_handshake) as peer:
        told_alike(lab, peer.port, 69, "expect implicit TLS?", extra="tls = starttls")


def a_wrong_password_at_the_target_is_exit_77(lab):
    told_alike(lab, lab.server.port, 77, "refused, server says",
               password=lab.file("wrong", "not it\n"))


def a_daemon_tells_what_it_waits_for_and_goes_on(lab):
    lab.account("alice", host="nowhere.invalid")
    with live.Peer(certificate(lab, "other.example.org", 1)) as peer:
        lab.account("eve", port=peer.port)
        daemon = lab.start_daemon()
        lab.wait("offline", lambda: lab.status("alice").get("state") == "offline")
        lab.wait("failed", lambda: lab.status("eve").get("state") == "failed")
        live.true("nowhere.invalid" in lab.status("alice")["detail"], lab.status("alice"))
        live.true("certificate is for" in lab.status("eve")["detail"], lab.status("eve"))
        live.true(peer.count <= 2, f"{peer.count} connections at once")
    daemon.send_signal(signal.SIGTERM)
    live.equal(daemon.wait(live.WAIT_SECONDS), 0)


# --- connections that break, and literals that lie ---

def proxied(lab, spoil):
    """Between a client and the server's port without TLS; spoil(bytes so far, bytes) is what
    the client gets of the server's next bytes; None: the connection ends."""
    plain = int((lab.server.place / "port").read_text())

    def serve(connection):
        with socket.create_connection(("127.0.0.1", plain), timeout=live.WAIT_SECONDS) as server:
            threading.Thread(target=forward, args=(connection, server), daemon=True).start()
            server.settimeout(SILENT_SECONDS)
            passed = 0
            while data := server.recv(65536):
                spoilt = spoil(passed, data)
                if spoilt is None:
                    return
                connection.sendall(spoilt)
                passed += len(data)
    return live.Peer(serve)


def forward(source, sink):
    try:
        while data := source.recv(65536):
            sink.sendall(data)
    except OSError:
        pass


def through(lab, peer):
    """The account's configuration, by way of the proxy; and as it was."""
    good = lab.conf.read_text()
    lab.conf.write_text(good.replace("host = localhost", "host = 127.0.0.1").replace(
        f"port = {lab.server.port}", f"port = {peer.port}\ntls = off"))
    return good


def sound(lab, account):
    """Every message the archive lists can be read, with the digest it lists."""
    for line in lab.ask("ls", account, exits=(0, 66)):
        run = lab.run("mailstow", "cat", account, line["folder"], str(line["uid"]))
        live.equal((run.status, hashlib.sha256(run.content).hexdigest()), (0, line["sha256"]))


def a_connection_cut_anywhere_loses_nothing(lab):
    user = lab.account("alice")
    lab.server.fill(user)
    with lab.server.client(user) as client:
        client.deliver("INBOX", b"Subject: longer\r\n\r\n" + b"some text\r\n" * 20_000)
    statuses = set()
    for limit in (10, 400, 900, 1500, 2500, 5000, 20_000, 60_000, 120_000, 200_000):
        with proxied(lab, lambda passed, data, limit=limit:
                     data[:limit - passed] if passed < limit else None) as peer:
            good = through(lab, peer)
            run = lab.run("mailstowd", "--once", "alice")
            lab.conf.write_text(good)
        live.true(run.status in (0, 69, 76), f"{limit}: {run}")
        statuses.add(run.status)
        if (lab.archives / "alice").exists():
            sound(lab, "alice")
    live.true(69 in statuses, "nothing was cut")
    time_passes(lab)
    lab.mirror("alice")
    lab.same("alice", user)
    sound(lab, "alice")


def a_bye_in_the_middle_is_a_matter_for_the_next_time(lab):
    user = lab.account("alice")
    lab.server.fill(user)
    said = []

    def leave(passed, data):
        if said:
            return None
        if b" FETCH (" in data:
            said.append(True)
            return b"* BYE shutting down for the night\r\n"
        return data
    with proxied(lab, leave) as peer:
        good = through(lab, peer)
        run = lab.run("mailstowd", "--once", "alice")
        lab.conf.write_text(good)
    fails(run, 69, "shutting down for the night")
    lab.mirror("alice")
    lab.same("alice", user)


def time_passes(lab):
    """A message whose retry was postponed is due."""
    with contextlib.closing(sqlite3.connect(next(lab.place.rglob("state.db")))) as state, state:
        state.execute("update skipped set next_try_ms = 0")


def a_literal_that_lies_about_its_size_harms_nothing(lab):
    user = lab.account("alice")
    lab.server.fill(user)
    literal = re.compile(rb"BODY\[\] \{\d+\}")
    for size in (b"17", b"100000000", b"4000000000", b"99999999999999999999", b"-1"):
        lied = []

        def lie(_, data, size=size, lied=lied):
            if not lied and literal.search(data):
                lied.append(True)
                return literal.sub(b"BODY[] {" + size + b"}", data, count=1)
            return data
        with proxied(lab, lie) as peer:
            good = through(lab, peer)
            run = lab.run("mailstowd", "--once", "alice")
            lab.conf.write_text(good)
        live.true(lied and run.status in (3, 69, 76), f"{size}: {run}")
        sound(lab, "alice")
    time_passes(lab)
    lab.mirror("alice")
    lab.same("alice", user)
    live.equal(lab.status("alice")["skipped"], 0)


def a_message_the_server_cannot_read_is_left_out_until_it_can(lab):
    user = lab.account("alice")
    with lab.server.client(user) as client:
        for number in range(3):
            client.deliver("INBOX", b"Subject: %d\r\n\r\ntext\r\n" % number)
    mails = lab.server.place / "mail" / user / "sdbox" / "mailboxes" / "INBOX" / "dbox-Mails"
    (mails / "u.2").chmod(0)
    for attempt in range(2):  # Dovecot ends the session over it
        fails(lab.run("mailstowd", "--once", "alice"), 69, "FETCH failed")
        live.equal(lab.status("alice")["skipped"], attempt)
    run = lab.mirror("alice", status=3)
    live.true("INBOX uid 2: left out: the session ended" in run.errors, run)
    status = lab.status("alice")
    live.equal((status["messages"], status["skipped"]), (2, 1), status)
    sound(lab, "alice")
    (mails / "u.2").chmod(0o600)
    lab.mirror("alice", status=3)  # it waits, as the server may be down for long
    time_passes(lab)
    lab.mirror("alice")
    live.equal(lab.status("alice")["skipped"], 0)
    lab.same("alice", user)


# --- size ---

def resident_mb(lab, program, *arguments, output=None):
    """The most memory the program held, run to its good end."""
    figure = lab.place / "resident"
    with open(output or os.devnull, "wb") as out:
        subprocess.run([sys.executable, "-c", MEASURE, figure,
                        live.program_path(lab.build, program), "-c", lab.conf, *arguments],
                       stdin=subprocess.DEVNULL, stdout=out, check=True, env=lab.environment,
                       timeout=live.RUN_SECONDS)
    return int(figure.read_text())


def digest_of(path):
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while step := file.read(1 << 20):
            digest.update(step)
    return digest.hexdigest()


def a_message_of_200_mb_does_not_have_to_fit_into_memory(lab):
    if lab.is_sanitized():
        raise live.Skipped("a sanitizer takes memory of its own")
    user = lab.account("alice")
    target = lab.account("bob", extra="mirror = no")
    content = (b"Subject: big\r\n\r\n" +
               base64.encodebytes(os.urandom(BIG_BYTES)).replace(b"\n", b"\r\n"))
    wanted = hashlib.sha256(content).hexdigest()
    with lab.server.client(user) as client:
        client.deliver("INBOX", content)
    del content
    out = pathlib.Path(lab.place / "big")
    figures = {
        "mirror": resident_mb(lab, "mailstowd", "--once", "alice"),
        "cat": resident_mb(lab, "mailstow", "cat", "alice", "INBOX", "1", output=out),
        "restore": resident_mb(lab, "mailstow", "restore", "alice", "--to", "bob"),
    }
    print(f"# resident MB: {figures}", flush=True)
    live.equal(digest_of(out), wanted)
    live.equal(lab.differences(user, target), [])
    live.true(max(figures.values()) < RESIDENT_MAX_MB, figures)


live.main(
    a_certificate_for_another_host_is_not_accepted, a_certificate_that_expired_is_not_accepted,
    a_port_for_tls_is_told_to_one_who_waits_for_a_greeting,
    a_wrong_password_at_the_target_is_exit_77, a_daemon_tells_what_it_waits_for_and_goes_on,
    a_connection_cut_anywhere_loses_nothing, a_bye_in_the_middle_is_a_matter_for_the_next_time,
    a_literal_that_lies_about_its_size_harms_nothing,
    a_message_the_server_cannot_read_is_left_out_until_it_can,
    a_message_of_200_mb_does_not_have_to_fit_into_memory, programs=("mailstowd", "mailstow"))
