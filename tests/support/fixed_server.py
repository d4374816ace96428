"""An IMAP server that always says the same: a mailbox a test changes between connections.

    mailbox = fixed_server.Mailbox("CONDSTORE ENABLE QRESYNC")
    mailbox.create("INBOX", 1001)
    mailbox.deliver("INBOX", b"Subject: x\\r\\n\\r\\n")
    with fixed_server.Server(mailbox.serve) as server: ... server.port

It says what RFC 3501, 5161, 5819, 6154 and 7162 ask for, as far as a mirror needs it. Whoever asks
for more is told BAD.
"""

import contextlib
import os
import re
import socket
import threading

PORT_MIN, PORT_MAX, PORT_STEP = 20000, 31999, 7  # below those of outgoing connections
WAIT_SECONDS = 60
DATE = "20-Nov-2026 09:00:00 +0100"
COUNTS = ("MESSAGES", "UIDNEXT", "UIDVALIDITY", "HIGHESTMODSEQ")


class Message:
    def __init__(self, uid, body, flags, date):
        self.uid, self.body, self.flags, self.date, self.modseq = uid, body, flags, date, 0


class Folder:
    def __init__(self, uidvalidity, attributes):
        self.uidvalidity, self.attributes = uidvalidity, attributes
        self.uidnext, self.modseq = 1, 1
        self.messages, self.expunged = {}, {}  # both by UID; of the expunged the mod-sequence

    def changed(self):
        self.modseq += 1
        return self.modseq

    def counts(self, wanted):
        values = (len(self.messages), self.uidnext, self.uidvalidity, self.modseq)
        return " ".join(f"{name} {value}" for name, value in zip(COUNTS, values, strict=True)
                        if name in wanted)


class Mailbox:
    """`extensions` as in CAPABILITY, beside IMAP4rev1. Names are as on the wire."""

    def __init__(self, extensions=""):
        self.extensions, self.folders = extensions, {}
        self.commands = []  # of all connections, without tags

    # --- changes ---

    def create(self, name, uidvalidity, attributes="\\HasNoChildren"):
        self.folders[name] = Folder(uidvalidity, attributes)

    def delete(self, name):
        del self.folders[name]

    def rename(self, name, to):
        self.folders[to] = self.folders.pop(name)

    def deliver(self, name, body, flags="", date=DATE):
        folder = self.folders[name]
        message = folder.messages[folder.uidnext] = Message(folder.uidnext, body, flags, date)
        message.modseq = folder.changed()
        folder.uidnext += 1

    def flag(self, name, uid, flags):
        folder = self.folders[name]
        folder.messages[uid].flags, folder.messages[uid].modseq = flags, folder.changed()

    def expunge(self, name, *uids):
        folder = self.folders[name]
        modseq = folder.changed()
        for uid in uids:
            del folder.messages[uid]
            folder.expunged[uid] = modseq

    def renumber(self, name, uidvalidity):
        """A server that lost its index: another UIDVALIDITY, UIDs from 1."""
        old = self.folders[name]
        self.create(name, uidvalidity, old.attributes)
        for message in old.messages.values():
            self.deliver(name, message.body, message.flags, message.date)

    # --- one connection ---

    def has(self, extension):
        return extension in self.extensions.split()

    def serve(self, connection):
        connection.sendall(f"* OK [CAPABILITY IMAP4rev1 {self.extensions}] hello\r\n".encode())
        selected = None
        with connection.makefile("rb") as lines:
            for line in lines:
                tag, command = line.decode().rstrip("\r\n").split(" ", 1)
                self.commands.append(command)
                word, _, rest = command.partition(" ")
                if word == "EXAMINE":
                    selected = self.folders[unquote(rest)]
                answer = getattr(self, "do_" + word.lower(), None)
                for said in answer(rest, selected) if answer else ():
                    connection.sendall(said.encode() if isinstance(said, str) else said)
                result = "OK done" if answer else "BAD not here"
                connection.sendall(f"{tag} {result}\r\n".encode())
                if word == "LOGOUT":
                    return

    def do_capability(self, _rest, _selected):
        yield f"* CAPABILITY IMAP4rev1 {self.extensions}\r\n"

    def do_login(self, _rest, _selected):
        return ()

    do_noop = do_unselect = do_login

    def do_enable(self, rest, _selected):
        yield f"* ENABLED {rest}\r\n"

    def do_logout(self, _rest, _selected):
        yield "* BYE\r\n"

    def do_list(self, rest, _selected):
        if rest.startswith('"" ""'):
            yield '* LIST (\\Noselect) "/" ""\r\n'
            return
        status = re.search(r"STATUS \(([^)]*)\)", rest)
        for name, folder in sorted(self.folders.items()):
            subscribed = "\\Subscribed " if "SUBSCRIBED" in rest else ""
            yield f'* LIST ({subscribed}{folder.attributes}) "/" "{name}"\r\n'
            if status and "\\Noselect" not in folder.attributes:
                yield f'* STATUS "{name}" ({folder.counts(status.group(1).split())})\r\n'

    def do_lsub(self, _rest, _selected):
        for name, folder in sorted(self.folders.items()):
            yield f'* LSUB ({folder.attributes}) "/" "{name}"\r\n'

    def do_status(self, rest, _selected):
        counts = self.folders[unquote(rest)].counts(re.search(r"\(([^)]*)\)$", rest)[1].split())
        yield f'* STATUS "{unquote(rest)}" ({counts})\r\n'

    def do_examine(self, rest, folder):
        yield (f"* {len(folder.messages)} EXISTS\r\n* OK [UIDVALIDITY {folder.uidvalidity}] it\r\n"
               f"* OK [UIDNEXT {folder.uidnext}] next\r\n")
        if self.has("CONDSTORE"):
            yield f"* OK [HIGHESTMODSEQ {folder.modseq}] highest\r\n"
        known = re.search(r"QRESYNC \((\d+) (\d+)", rest)
        if known and int(known.group(1)) == folder.uidvalidity:
            since = int(known.group(2))
            gone = [str(uid) for uid, modseq in sorted(folder.expunged.items()) if modseq > since]
            if gone:
                yield f"* VANISHED (EARLIER) {','.join(gone)}\r\n"
            yield from self.fetched(folder, "1:*", "(UID FLAGS)", since)

    def do_uid(self, rest, folder):
        word, _, rest = rest.partition(" ")
        if word == "SEARCH":
            yield "* SEARCH" + "".join(f" {uid}" for uid in folder.messages) + "\r\n"
        else:
            uids, _, items = rest.partition(" ")
            since = re.search(r"CHANGEDSINCE (\d+)", items)
            yield from self.fetched(folder, uids, items, int(since.group(1)) if since else 0)

    def fetched(self, folder, uids, items, since):
        header = re.search(r"BODY\.PEEK\[(HEADER\.FIELDS \(([^)]*)\))\]", items)
        for number, message in enumerate(folder.messages.values(), 1):
            if not within(message.uid, uids) or message.modseq <= since:
                continue
            said = f"UID {message.uid} FLAGS ({message.flags})"
            if self.has("CONDSTORE"):
                said += f" MODSEQ ({message.modseq})"
            if "INTERNALDATE" in items:
                said += f' INTERNALDATE "{message.date}"'
            if "RFC822.SIZE" in items:
                said += f" RFC822.SIZE {len(message.body)}"
            literal = b""
            if header:
                literal = fields(message.body, header.group(2).lower().split())
                said += f" BODY[{header.group(1)}] {{{len(literal)}}}\r\n"
            elif "BODY.PEEK[]" in items:
                literal = message.body
                said += f" BODY[] {{{len(literal)}}}\r\n"
            yield f"* {number} FETCH ({said}".encode() + literal + b")\r\n"


def unquote(text):
    """The first argument."""
    return re.match(r'"?((?<=")[^"]*|[^ "]+)', text).group(1)


def within(uid, uids):
    for part in uids.split(","):
        first, _, last = part.partition(":")
        if int(first) <= uid and (last == "*" or uid <= int(last or first)):
            return True
    return False


def fields(body, wanted):
    """These header lines, with their folded lines, and the empty line."""
    head = body.partition(b"\r\n\r\n")[0].replace(b"\r\n ", b"\0").split(b"\r\n")
    chosen = [line for line in head if line.split(b":")[0].decode("latin-1").lower() in wanted]
    return b"".join(line.replace(b"\0", b"\r\n ") + b"\r\n" for line in chosen) + b"\r\n"


class Server:
    """Serves each connection in a thread of its own, on a free port of 127.0.0.1."""

    def __init__(self, serve):
        self.serve = serve
        self.listener = listening()
        self.port = self.listener.getsockname()[1]
        self.thread = threading.Thread(target=self.run, daemon=True)

    def run(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.one, args=(connection,), daemon=True).start()

    def one(self, connection):
        with connection, contextlib.suppress(OSError):
            connection.settimeout(WAIT_SECONDS)
            self.serve(connection)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.thread.join()


def listening():
    for port in range(PORT_MIN + os.getpid() % 6000, PORT_MAX, PORT_STEP):
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(("127.0.0.1", port))
            listener.listen()
            return listener
        except OSError:
            listener.close()
    raise OSError("no free port")
