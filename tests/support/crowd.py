"""A scripted IMAP server: one folder of very many small messages, made up when they are asked for.

    crowd = crowd.Crowd(300_000, extensions="CONDSTORE")
    with live.Peer(crowd.serve) as peer: ...

Messages have the UIDs 1, 1 + step, ...; what is said is what RFC 3501 and 7162 ask for, fast.
"""

import bisect
import re

LINES_AT_ONCE = 5000
BASE_FLAGS = ("", "\\Seen", "\\Answered \\Seen")


class Crowd:
    """The server: `extensions` as in CAPABILITY, beside IMAP4rev1. Changed between connections."""

    def __init__(self, count, extensions="", step=1):
        self.extensions = extensions
        self.uids = list(range(1, 1 + count * step, step))
        self.uidnext = self.uids[-1] + 1
        self.modseq = 1
        self.changed = {}  # uid: (modseq, flags)
        self.expunged = {}  # uid: modseq
        self.commands = []  # of all connections, without tags

    # --- changes ---

    def flag(self, uids, flags):
        self.modseq += 1
        self.changed.update((uid, (self.modseq, flags)) for uid in uids)

    def expunge(self, uids):
        self.modseq += 1
        gone = set(uids)
        self.expunged.update((uid, self.modseq) for uid in gone)
        self.uids = [uid for uid in self.uids if uid not in gone]

    def deliver(self, count):
        self.modseq += 1
        for _ in range(count):
            self.uids.append(self.uidnext)
            self.changed[self.uidnext] = (self.modseq, "")
            self.uidnext += 1

    # --- what is said of a message ---

    def flags(self, uid):
        return self.changed[uid][1] if uid in self.changed else BASE_FLAGS[uid % len(BASE_FLAGS)]

    def modseq_of(self, uid):
        return self.changed[uid][0] if uid in self.changed else 1

    @staticmethod
    def letter(uid):
        return f"From: {uid}@example.org\r\nSubject: letter {uid}\r\n\r\n{uid}\r\n"

    def fetch_line(self, at, items):
        uid = self.uids[at]
        said = [f"UID {uid}", f"FLAGS ({self.flags(uid)})"]
        if "MODSEQ" in items or self.has("CONDSTORE"):
            said.append(f"MODSEQ ({self.modseq_of(uid)})")
        if "INTERNALDATE" in items:
            said.append('INTERNALDATE "17-Jul-2026 02:44:25 +0000"')
        if "BODY.PEEK[]" in items:
            text = self.letter(uid)
            said.append(f"RFC822.SIZE {len(text)} BODY[] {{{len(text)}}}\r\n{text}")
        return f"* {at + 1} FETCH ({' '.join(said)})\r\n"

    # --- commands ---

    def has(self, extension):
        return extension in self.extensions.split()

    def serve(self, connection):
        self.say(connection, f"* OK [{self.capability()}] crowd\r\n")
        with connection.makefile("rb") as lines:
            for line in lines:
                tag, command = line.decode().rstrip("\r\n").split(" ", 1)
                self.commands.append(command)
                answer = getattr(self, "do_" + command.split(" ")[0].lower(), None)
                for said in answer(command) if answer else ():
                    self.say(connection, said)
                if command == "LOGOUT":
                    return
                self.say(connection, f"{tag} OK done\r\n")

    @staticmethod
    def say(connection, text):
        connection.sendall(text.encode())

    def capability(self):
        return f"CAPABILITY IMAP4rev1 {self.extensions}".rstrip()

    def do_capability(self, _command):
        yield f"* {self.capability()}\r\n"

    def do_enable(self, command):
        yield f"* ENABLED {command.split(' ', 1)[1]}\r\n"

    def do_list(self, command):
        yield '* LIST () "/" ' + ("INBOX" if "*" in command or "%" in command else '""') + "\r\n"

    def do_logout(self, _command):
        yield "* BYE\r\n"

    def do_status(self, _command):
        modseq = f" HIGHESTMODSEQ {self.modseq}" if self.has("CONDSTORE") else ""
        yield (f"* STATUS INBOX (MESSAGES {len(self.uids)} UIDNEXT {self.uidnext}"
               f" UIDVALIDITY 7 UNSEEN 0{modseq})\r\n")

    def do_examine(self, command):
        yield (f"* {len(self.uids)} EXISTS\r\n* OK [UIDVALIDITY 7]\r\n"
               f"* OK [UIDNEXT {self.uidnext}]\r\n")
        if self.has("CONDSTORE"):
            yield f"* OK [HIGHESTMODSEQ {self.modseq}]\r\n"
        if known := re.search(r"QRESYNC \(7 (\d+)", command):
            since = int(known.group(1))
            gone = [uid for uid, modseq in self.expunged.items() if modseq > since]
            if gone:
                yield f"* VANISHED (EARLIER) {','.join(map(str, sorted(gone)))}\r\n"
            yield self.changes(since, 0, len(self.uids))

    def changes(self, since, first, last):
        return "".join(self.fetch_line(at, ()) for at in range(first, last)
                       if self.modseq_of(self.uids[at]) > since)

    def do_uid(self, command):
        words = command.split(" ")
        if words[1] == "SEARCH":
            yield from self.search(words[-1])
        else:
            yield from self.fetch(words[2], command)

    def search(self, which):
        first, last = 1, len(self.uids)
        if which != "ALL":
            first, last = (int(end) if end != "*" else last for end in which.split(":"))
        yield f"* SEARCH{''.join(f' {uid}' for uid in self.uids[first - 1:last])}\r\n"

    def places(self, uids):
        for part in uids.split(","):
            first, last = (part.split(":") * 2)[:2]
            yield (bisect.bisect_left(self.uids, int(first)),
                   len(self.uids) if last == "*" else bisect.bisect_right(self.uids, int(last)))

    def fetch(self, uids, command):
        items = command.split("(")[1].rstrip(")").split(" ")
        since = re.search(r"CHANGEDSINCE (\d+)", command)
        for first, last in self.places(uids):
            if since:
                yield self.changes(int(since.group(1)), first, last)
                continue
            for at in range(first, last, LINES_AT_ONCE):
                yield "".join(self.fetch_line(place, items)
                              for place in range(at, min(at + LINES_AT_ONCE, last)))
