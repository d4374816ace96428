#!/usr/bin/env python3
"""One folder with more messages than are compared at a time, on a server that was made up: what it
costs, and a server that says things in any order, changes meanwhile, or ends."""

import pathlib
import random
import subprocess
import time

import live

from crowd import Crowd

WINDOW_MESSAGES = 50_000
MANY = 3 * WINDOW_MESSAGES
RESIDENT_GROWTH_MAX_MB = 4.5  # of any folder; 30 bytes of each message are more
SCAN_DUE_SECONDS = 1.1
POLL_SECONDS = 0.002


class Same(Crowd):
    """All messages are the same: the quickest way to create many."""

    @staticmethod
    def letter(_uid):
        return "Subject: again\r\n\r\nand again\r\n"


class Unruly(Same):
    """Answers in any order; what `during` says before those of the n-th command for flags."""

    def __init__(self, count, extensions=""):
        super().__init__(count, extensions)
        self.during, self.asked = {}, 0
        self.chance = random.Random(count)

    def fetch(self, uids, command):
        answers = super().fetch(uids, command)
        if "BODY" in command:
            yield from answers
            return
        self.asked += 1
        yield from self.during.pop(self.asked, lambda: ())()
        lines = "".join(answers).splitlines(keepends=True)
        self.chance.shuffle(lines)
        half = len(lines) // 2
        yield "".join(lines[:half])
        yield from self.during.pop(self.asked + 0.5, lambda: ())()
        yield "".join(lines[half:])


def account(lab, peer, flag_scan="1s"):
    lab.account("crowd", user="crowd", host="127.0.0.1", port=peer.port,
                extra=f"tls = off\nflag-scan = {flag_scan}")


def scan(lab, status=0):
    time.sleep(SCAN_DUE_SECONDS)
    return lab.mirror("crowd", status=status)


def listed(lab):
    return {line["uid"]: " ".join(line["flags"]) for line in lab.ask("ls", "crowd")}


def there(crowd):
    return {uid: crowd.flags(uid) for uid in crowd.uids}


def same(got, wanted):
    uids = [uid for uid in sorted(got.keys() | wanted.keys()) if got.get(uid) != wanted.get(uid)]
    live.equal([(uid, got.get(uid), wanted.get(uid)) for uid in uids[:5]], [])


def peak_resident_mb(lab):
    """VmHWM of a pass, looked at from outside until it ends."""
    peak = 0
    # which would write to memory that nobody uses
    lab.environment.pop("MALLOC_PERTURB_", None)
    with subprocess.Popen([live.program_path(lab.build, "mailstowd"), "-c", lab.conf, "--once",
                           "crowd"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                          stderr=subprocess.DEVNULL, env=lab.environment) as process:
        while process.poll() is None:
            status = pathlib.Path(f"/proc/{process.pid}/status").read_text()
            found = [line.split()[1] for line in status.splitlines() if line.startswith("VmHWM:")]
            peak = max([peak, *map(int, found)])
            time.sleep(POLL_SECONDS)
    live.equal(process.returncode, 0)
    return peak / 1024


def memory_does_not_follow_the_size_of_a_folder(lab):
    if lab.is_sanitized():
        raise live.Skipped("a sanitizer needs memory of its own")
    crowd = Same(MANY)
    with live.Peer(crowd.serve) as peer:
        account(lab, peer, "1h")
        lab.mirror("crowd")
        base = peak_resident_mb(lab)
        live.equal(crowd.commands.count("EXAMINE INBOX"), 1)
        lab.conf.write_text(lab.conf.read_text().replace("flag-scan = 1h", "flag-scan = 1s"))
        time.sleep(SCAN_DUE_SECONDS)
        peak = peak_resident_mb(lab)
        live.equal(crowd.commands.count("EXAMINE INBOX"), 2)
        live.true(peak < base + RESIDENT_GROWTH_MAX_MB, f"{peak} MB, and {base} MB before")
        print(f"# {peak:.1f} MB with the flags of {MANY} messages, {base:.1f} MB without")


def hear_news_while_scanning(lab, crowd):
    crowd.flag(crowd.uids[::1000], "\\Flagged")
    crowd.expunge([1, 2, WINDOW_MESSAGES, WINDOW_MESSAGES + 1, crowd.uids[-1]])
    expected = there(crowd)

    def news_of(uid, flags):
        crowd.flag([uid], flags)
        expected[uid] = flags
        yield crowd.fetch_line(crowd.uids.index(uid), ())

    def mail_arrives():
        crowd.deliver(3)
        yield f"* {len(crowd.uids)} EXISTS\r\n* 1 RECENT\r\n"
        yield from news_of(WINDOW_MESSAGES + 500, "\\Draft")

    def mail_goes():
        yield from news_of(10, "$Junk")
        crowd.expunge([11])
        yield "* 9 EXPUNGE\r\n"

    crowd.asked, crowd.during = 0, {1.5: mail_arrives, 2: mail_goes}
    scan(lab)
    live.equal(crowd.during, {})
    same(listed(lab), expected)
    scan(lab)
    same(listed(lab), there(crowd))


def end_while_scanning(lab, crowd):
    def cut():
        raise ConnectionError

    before = listed(lab)
    for number, gone in ((1.5, 3), (2, 5), (2.5, WINDOW_MESSAGES + 7)):
        crowd.expunge([gone])
        crowd.flag([crowd.uids[0], crowd.uids[-1]], f"$kw{int(number * 2)}")
        crowd.asked, crowd.during = 0, {number: cut}
        scan(lab, status=69)
        live.equal(listed(lab).keys(), before.keys())
    scan(lab)
    same(listed(lab), there(crowd))


def nothing_is_lost_or_closed_wrongly_on_an_unruly_server(lab):
    crowd = Unruly(WINDOW_MESSAGES + 1000)
    with live.Peer(crowd.serve) as peer:
        account(lab, peer)
        lab.mirror("crowd")
        hear_news_while_scanning(lab, crowd)
        end_while_scanning(lab, crowd)


if __name__ == "__main__":
    live.main(memory_does_not_follow_the_size_of_a_folder,
              nothing_is_lost_or_closed_wrongly_on_an_unruly_server,
              programs=("mailstowd", "mailstow"))
