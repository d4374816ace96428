"""A small IMAP client that fills and empties mailboxes of test servers, as fast as they allow.

It is written for servers the tests start themselves: any surprise is an exception.
"""

import base64
import datetime
import re
import socket
import ssl

from mail_samples import Message

TIMEOUT_SECONDS = 60
BATCH_MESSAGES = 50
BATCH_BYTES = 8_000_000
MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()
NAMESPACE_REPLY = re.compile(rb'^\* NAMESPACE \(\("([^"]*)" "(\\?.)"\)')
LIST_REPLY = re.compile(rb'^\* LIST \(([^)]*)\) (?:"\\?."|NIL) (.+)$', re.S)


class Refused(Exception):
    """The server said NO or BAD."""


def modified_utf7(text):
    """A folder name as it goes over the wire (RFC 3501, 5.1.3)."""
    def shift(match):
        packed = base64.b64encode(match.group().encode("utf-16-be")).rstrip(b"=")
        return "&" + packed.decode().replace("/", ",") + "-"
    return re.sub("[^\x20-\x7e]+", shift, text.replace("&", "&-"))


def quoted(text):
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def internaldate(message):
    zone = datetime.timezone(datetime.timedelta(minutes=message.offset_minutes))
    when = datetime.datetime.fromtimestamp(message.when, zone)
    return f"{when.day:2d}-{MONTHS[when.month - 1]}-{when:%Y %H:%M:%S %z}"


class Client:
    """One logged-in connection; TLS with verification when a CA file is given."""

    def __init__(self, host, port, user, password, ca_file=None):
        raw = socket.create_connection((host, port), timeout=TIMEOUT_SECONDS)
        raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if ca_file:
            context = ssl.create_default_context(cafile=ca_file)
            raw = context.wrap_socket(raw, server_hostname=host)
        self.socket = raw
        self.stream = raw.makefile("rb")
        self.tag = 0
        greeting = self.stream.readline()
        if not greeting.startswith(b"* OK"):
            raise ConnectionError(f"greeting: {greeting!r}")
        self.command(f"LOGIN {quoted(user)} {quoted(password)}")
        self.capabilities = self.command("CAPABILITY")[0].decode().split()[2:]
        self.prefix, self.separator = self.namespace()

    def reply(self):
        """One reply; the text of its literals stays in it."""
        line = b""
        while True:
            piece = self.stream.readline()
            if not piece:
                raise ConnectionError("the server closed the connection")
            line += piece
            literal = re.search(rb"\{(\d+)\}\r\n$", piece)
            if not literal:
                return line[:-2]
            line = line[:literal.start() - len(piece)] + quoted(
                self.stream.read(int(literal.group(1))).decode()).encode()

    def send(self, *pieces):
        self.tag += 1
        self.socket.sendall(b"".join((b"a%d " % self.tag, *pieces, b"\r\n")))
        return b"a%d" % self.tag

    def send_in_turn(self, *pieces):
        """As send(), for one literal that the server wants to be asked for first."""
        self.tag += 1
        tag = b"a%d" % self.tag
        self.socket.sendall(b"".join((tag, b" ", *pieces[:-1])))
        while not (line := self.stream.readline()).startswith(b"+"):
            if not line or line.startswith(tag):
                raise Refused(line.decode(errors="replace"))
        self.socket.sendall(pieces[-1] + b"\r\n")
        return tag

    def finish(self, tag):
        untagged = []
        while True:
            line = self.reply()
            if line.startswith(tag + b" "):
                break
            untagged.append(line)
        if line.split()[1].upper() != b"OK":
            raise Refused(line.decode(errors="replace"))
        return untagged

    def command(self, text):
        return self.finish(self.send(text.encode()))

    def close(self):
        try:
            self.command("LOGOUT")
        except (OSError, Refused):
            pass
        self.stream.close()
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def namespace(self):
        """Prefix and separator of one's own folders."""
        for line in self.command("NAMESPACE") if "NAMESPACE" in self.capabilities else ():
            match = NAMESPACE_REPLY.match(line)
            if match:
                return match.group(1).decode(), match.group(2).decode()[-1:]
        return "", "/"

    def wire(self, path):
        """The name of a folder here; components of the path are joined by "/"."""
        name = modified_utf7(path.replace("/", self.separator))
        return name if path.split("/")[0] == "INBOX" else self.prefix + name

    def folders(self):
        """[(attributes, wire name)] of all folders that can be selected."""
        found = []
        for line in self.command('LIST "" "*"'):
            match = LIST_REPLY.match(line)
            if match and b"\\noselect" not in match.group(1).lower():
                name = match.group(2).decode()
                if name.startswith('"'):
                    name = re.sub(r"\\(.)", r"\1", name[1:-1])
                found.append((match.group(1).decode().split(), name))
        return found

    def append(self, path, messages):
        """Appends all of them, many in one command; a refused batch goes message by message.

        Returns [(path, message, the server's words)] of what it would not take.
        """
        refused = []
        whole = "MULTIAPPEND" in self.capabilities and "LITERAL+" in self.capabilities
        batch, size = [], 0
        for message in messages:
            if batch and (len(batch) == BATCH_MESSAGES or size > BATCH_BYTES or not whole):
                refused += self._append_batch(path, batch)
                batch, size = [], 0
            batch.append(message)
            size += len(message.content)
        if batch:
            refused += self._append_batch(path, batch)
        return refused

    def _append_batch(self, path, batch):
        plus = "+" if "LITERAL+" in self.capabilities else ""
        pieces = [b"APPEND ", quoted(self.wire(path)).encode()]
        for message in batch:
            pieces.append(b' (%s) "%s" {%d%s}\r\n' % (
                " ".join(message.flags).encode(), internaldate(message).encode(),
                len(message.content), plus.encode()))
            pieces.append(message.content)
        try:
            self.finish(self.send(*pieces) if plus else self.send_in_turn(*pieces))
        except Refused as refusal:
            if len(batch) == 1:
                return [(path, batch[0], str(refusal))]
            return [one for message in batch for one in self._append_batch(path, [message])]
        return []

    def fill(self, folders):
        """Makes folders and mail; returns what append() returns, for all of them."""
        refused = []
        there = {name for _, name in self.folders()}
        for folder in folders:
            wire = self.wire(folder.path)
            if wire not in there:
                self.command(f"CREATE {quoted(wire)}")
            if folder.subscribed:
                self.command(f"SUBSCRIBE {quoted(wire)}")
            refused += self.append(folder.path, folder.messages)
        return refused

    def wipe(self):
        """Removes every message, and every folder that the server lets go."""
        for _, name in sorted(self.folders(), key=lambda entry: entry[1], reverse=True):
            exists = self.command(f"SELECT {quoted(name)}")
            if b"* 0 EXISTS" not in exists:
                self.command("UID STORE 1:* +FLAGS.SILENT (\\Deleted)")
            self.command("CLOSE")
            if name.upper() != "INBOX":
                try:
                    self.command(f"DELETE {quoted(name)}")
                except Refused:
                    pass

    def deliver(self, path, content):
        now = int(datetime.datetime.now().timestamp())
        refused = self.append(path, [Message(content, (), now, 0)])
        if refused:
            raise Refused(refused[0][2])
