"""How long new mail takes from the server's own notice to the archive, and what it costs."""

import os
import pathlib
import re
import shutil
import signal
import subprocess
import threading
import time

from lab import Broken, imap_load, median, peak_resident

WAIT_SECONDS = 60
POLL_SECONDS = 0.004
DELIVERIES = 15
TRACED_DELIVERIES = 5
TRACE_PAUSE_SECONDS = 1.5


class Watch(threading.Thread):
    """A minimal IDLE client; notes when the server says that the folder grew."""

    def __init__(self, lab, user):
        super().__init__(daemon=True)
        self.client = lab.client(user)
        self.client.command("EXAMINE INBOX")
        self.tag = self.client.send(b"IDLE")
        while not self.client.reply().startswith(b"+"):
            pass
        self.seen = {}  # EXISTS: when
        self.stopped = False
        self.start()

    def run(self):
        try:
            while not self.stopped:
                line = self.client.reply()
                match = re.match(rb"\* (\d+) EXISTS", line)
                if match:
                    self.seen.setdefault(int(match.group(1)), time.monotonic())
        except OSError:
            pass

    def stop(self):
        self.stopped = True
        self.client.socket.sendall(b"DONE\r\n")
        self.join(5)
        self.client.socket.close()


def wait_until(what, condition):
    deadline = time.monotonic() + WAIT_SECONDS
    while not condition():
        if time.monotonic() > deadline:
            raise Broken(f"{what}: not within {WAIT_SECONDS} s")
        time.sleep(POLL_SECONDS)
    return time.monotonic()


def letter(number):
    return (f"From: a@example.org\r\nTo: b@example.org\r\nSubject: push {number}\r\n"
            f"Message-ID: <push-{number}-{time.monotonic_ns()}@example.org>\r\n\r\n"
            + "word " * 400 + "\r\n").encode()


class Push:
    """A daemon that watches, a client that delivers, and a bare client that listens."""

    def __init__(self, lab, user):
        self.lab, self.user = lab, user
        folder = lab.fresh_dir("push")
        self.configuration = lab.configuration(folder, [user])
        self.archive = folder / "archive" / user
        self.count = len(imap_count(lab, user))
        lab.mirror_once(self.configuration, user)
        self.total = self.status()["messages"]
        self.process = lab.daemon(self.configuration)
        wait_until("watching", lambda: self.status()["state"] == "watching")

    def status(self):
        return self.lab.mailstow(self.configuration, "status", self.user, exits=(0, 3))[1][0]

    def deliver(self, client, number):
        client.deliver("INBOX", letter(number))
        self.total += 1
        self.count += 1
        return time.monotonic()

    def committed(self):
        return wait_until("new mail in the archive",
                          lambda: self.status()["messages"] >= self.total)

    def latencies(self):
        """[(APPEND answered to notice, to committed)] in seconds of each delivery."""
        watch = Watch(self.lab, self.user)
        found = []
        with self.lab.client(self.user) as client:
            for number in range(DELIVERIES):
                taken = self.deliver(client, number)
                committed = self.committed()
                notice = watch.seen.get(self.count)
                if notice is None:
                    notice = wait_until("notice", lambda: self.count in watch.seen)
                    notice = watch.seen[self.count]
                found.append((notice - taken, committed - taken))
                time.sleep(0.1)
        watch.stop()
        return found

    def fsyncs(self):
        """Median number of fsync and fdatasync calls for a message; None without strace."""
        if not shutil.which("strace"):
            return None
        trace = self.lab.place / "strace"
        tracer = subprocess.Popen(
            ["strace", "-f", "-o", str(trace), "-e", "trace=fsync,fdatasync,sync_file_range",
             "-p", str(self.process.pid)], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL)
        time.sleep(TRACE_PAUSE_SECONDS)
        if tracer.poll() is not None:
            return None
        counts = []
        with self.lab.client(self.user) as client:
            for number in range(TRACED_DELIVERIES):
                before = trace_calls(trace)
                self.deliver(client, 1000 + number)
                self.committed()
                time.sleep(TRACE_PAUSE_SECONDS)
                counts.append(trace_calls(trace) - before)
        tracer.send_signal(signal.SIGINT)
        tracer.wait(10)
        return median(counts)

    def stop(self):
        peak = peak_resident(self.process.pid)
        self.lab.end(self.process)
        return peak


def trace_calls(path):
    if not os.path.exists(path):
        return 0
    calls = pathlib.Path(path).read_text(errors="replace")
    return len(re.findall(r"\b(?:fsync|fdatasync|sync_file_range)\(", calls))


def imap_count(lab, user):
    """UIDs in the user's INBOX."""
    with lab.client(user) as client:
        client.command("EXAMINE INBOX")
        try:
            found = client.command("UID SEARCH ALL")
        except imap_load.Refused:
            return []
    return b" ".join(line for line in found if line.startswith(b"* SEARCH")).split()[2:]
