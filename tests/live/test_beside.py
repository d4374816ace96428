#!/usr/bin/env python3
"""Runs every command that writes to an archive while the daemon mirrors new mail into it."""

import threading

import live

KEY = bytes(range(32)).hex()
DELIVERIES_MAX = 2000
PAUSE_SECONDS = 0.05


class Postman(threading.Thread):
    """Delivers mail, one message after the other, until stopped."""

    def __init__(self, lab, user):
        super().__init__(daemon=True)
        self.lab, self.user = lab, user
        self.delivered = 0
        self.stopped = threading.Event()

    def run(self):
        with self.lab.server.client(self.user) as client:
            while self.delivered < DELIVERIES_MAX and not self.stopped.wait(PAUSE_SECONDS):
                client.deliver("INBOX", b"Subject: number %d\r\n\r\nhello\r\n" % self.delivered)
                self.delivered += 1

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.stopped.set()
        self.join(live.WAIT_SECONDS)


def watched(lab, extra=""):
    user = lab.account("alice", extra=f"poll = 1s\n{extra}")
    count = lab.server.fill(user)
    lab.mirror("alice")
    lab.start_daemon()
    lab.wait("watching", lambda: lab.status("alice").get("state") == "watching")
    return user, count


def all_work(lab, user, count, commands):
    """Each command succeeds while mail arrives, and nothing is missing afterwards."""
    with Postman(lab, user) as postman:
        for command in commands:
            before = postman.delivered
            run = lab.run("mailstow", *command, "--yes", "--json")
            live.equal(run.status, 0, f"{command}: {run}")
            lab.wait("the next mail", lambda: postman.delivered > before)
    count += postman.delivered
    lab.wait("all mail", lambda: lab.status("alice").get("messages") == count)
    lab.same("alice", user)
    live.equal(lab.ask("check", "alice", "--read-data")[-1]["errors"], 0)
    return count


def care_is_taken_while_mail_comes(lab):
    user, count = watched(lab)
    copy = str(lab.place / "copy")
    all_work(lab, user, count, [
        ("pin", "alice@1"), ("seal", "alice"), ("copy", "alice", copy), ("rebuild", "alice"),
        ("prune", "alice", "--keep-last", "2"), ("unpin", "alice@1"), ("seal", "alice"),
        ("prune", "alice", "--keep-last", "1", "--keep-deleted", "1s"), ("copy", "alice", copy),
        ("rebuild", "alice")])
    live.equal(lab.run("mailstow", "check", copy, "--read-data").status, 0)


def keys_are_changed_while_mail_comes(lab):
    user, count = watched(lab, f"key-file = {lab.file('key', KEY)}")
    all_work(lab, user, count, [
        ("key", "recovery", "alice"), ("key", "remove", "alice", "2"), ("seal", "alice"),
        ("key", "rotate", "alice"), ("rebuild", "alice"), ("key", "rotate", "alice")])


def mail_is_forgotten_while_mail_comes(lab):
    user, count = watched(lab)
    with lab.server.client(user) as client:
        client.deliver("INBOX", b"Subject: a secret\r\n\r\nforget me\r\n")
    lab.wait("the secret", lambda: lab.status("alice").get("messages") == count + 1)
    with Postman(lab, user) as postman:
        run = lab.run("mailstow", "forget", "alice", "--subject", "a secret", "--yes", "--json")
        live.equal(run.status, 0, run)
        before = postman.delivered
        lab.wait("the next mail", lambda: postman.delivered > before)
    count += postman.delivered
    lab.wait("all other mail", lambda: lab.status("alice").get("messages") == count)
    live.equal([line for line in lab.ask("ls", "alice", "--deleted")
                if line["subject"] == "a secret"], [])
    live.equal(lab.ask("check", "alice", "--read-data")[-1]["errors"], 0)


if __name__ == "__main__":
    live.main(care_is_taken_while_mail_comes, keys_are_changed_while_mail_comes,
              mail_is_forgotten_while_mail_comes, programs=("mailstowd", "mailstow"))
