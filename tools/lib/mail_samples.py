"""Varied mail made from a seed: the same seed gives the same bytes, whatever the machine.

A `Mailbox` is a list of folders with `Message`s. Three sizes: tiny (30 messages in 3 folders),
sample (some 400 in 13) and bench (5,000 in 18, about 110 MB, two thirds of it attachments, a
quarter of those repeated). Every line ends with CRLF and no message holds a NUL, because
servers change those; apart from that, the odd ones are as odd as real mail gets.
"""

import base64
import binascii
import itertools
import quopri
import random
from dataclasses import dataclass, field

CRLF = b"\r\n"
FIRST_DATE = 820_000_000  # Christmas 1995
LAST_DATE = 1_748_000_000  # May 2025: no server may take it for the future
OFFSETS_MINUTES = (0, 60, 120, -300, -480, 330, 345, 765, -210, 840, -720)
BASE64_LINE_LENGTHS = (76, 76, 76, 72, 64, 60)
SYSTEM_FLAGS = ("\\Answered", "\\Deleted", "\\Draft", "\\Flagged", "\\Seen")
KEYWORDS = ("$Forwarded", "$Label1", "$MDNSent", "NonJunk", "todo", "Work-2024", "a.b_c!d")

PEOPLE = (
    ("Ada Holm", "ada.holm@example.org"),
    ("Benoît Lefèvre", "benoit@example.net"),
    ("Chiara Conti", "c.conti@example.com"),
    ("Dmitri Orlov", "dmitri@mail.example"),
    ("Eiko Tanaka (田中)", "eiko@example.jp"),
    ("Fatima El-Sayed", "fatima@example.org"),
    ("Göran Åström", "goran@example.se"),
    ("The Build Robot", "robot@lists.example.org"),
)

SAMPLE_FOLDERS = (
    ("INBOX", 150), ("Sent", 60), ("Drafts", 4), ("Trash", 20), ("Archive", 10),
    ("Archive/2023", 40), ("Archive/2024", 45), ("Projects/Alpha/Béta", 20),
    ("Работа/Проекты", 18), ("日本語", 8), ("Café & crème", 12), ('Lists/Say "hello" \\o', 13),
    ("Empty", 0),
)
WEEKDAYS = (b"Mon", b"Tue", b"Wed", b"Thu", b"Fri", b"Sat", b"Sun")
TINY_FOLDERS = (("INBOX", 18), ("Sent", 8), ("Ärger/Kiste", 4))
BENCH_FOLDERS = (
    ("INBOX", 1400), ("Sent", 700), ("Drafts", 12), ("Trash", 188), ("Archive", 100),
    ("Archive/2019", 250), ("Archive/2020", 300), ("Archive/2021", 350), ("Archive/2022", 350),
    ("Archive/2023", 300), ("Lists/kernel", 400), ("Lists/imap", 200), ("Projects", 50),
    ("Projects/Alpha", 120), ("Projects/Alpha/Béta", 80), ("Работа/Проекты", 80),
    ("日本語", 60), ("Café & crème", 60),
)
UNSUBSCRIBED = ("Trash", "Projects/Alpha/Béta")
KINDS = ("sample", "bench", "tiny")


@dataclass
class Message:
    content: bytes
    flags: tuple = ()
    when: int = FIRST_DATE  # INTERNALDATE in seconds since 1970
    offset_minutes: int = 0


@dataclass
class Folder:
    path: str  # UTF-8, components joined by "/"
    subscribed: bool = True
    messages: list = field(default_factory=list)


def crlf(text):
    """Text with any line ends as UTF-8 with CRLF."""
    return "\r\n".join(text.splitlines()).encode() + CRLF


def encoded_word(text):
    if text.isascii():
        return text.encode()
    return b"=?utf-8?B?" + base64.b64encode(text.encode()) + b"?="


class Writer:
    """Writes one message after the other; all chance comes from one generator."""

    def __init__(self, seed, attachment_bytes):
        self.rng = random.Random(seed)
        self.attachment_bytes = attachment_bytes
        self.serial = 0
        self.attachments = []
        letters = "etaoinshrdlucmfwypvbgkjqxz"
        weights = [1 / (rank + 2) for rank in range(len(letters))]
        vocabulary = {"".join(self.rng.choices(letters, weights, k=self.rng.randint(2, 11)))
                      for _ in range(4000)}
        self.words = sorted(vocabulary)
        self.rng.shuffle(self.words)
        self.words[40:46] = ["naïve", "œuvre", "Größe", "мир", "東京", "🙂"]
        self.cumulative = list(itertools.accumulate(1 / (rank + 3)
                                                    for rank in range(len(self.words))))
        self.ascii_words = [word if word.isascii() else "ascii" for word in self.words]

    def sentence_words(self, count, plain=False):
        words = self.ascii_words if plain else self.words
        return self.rng.choices(words, cum_weights=self.cumulative, k=count)

    def paragraphs(self, size, plain=False):
        lines, total = [], 0
        while total < size:
            line = " ".join(self.sentence_words(self.rng.randint(4, 13), plain)).capitalize()
            lines.append(line + "." if self.rng.random() < 0.4 else line)
            if self.rng.random() < 0.1:
                lines.append("")
            total += len(line) + 2
        return "\r\n".join(lines).encode() + CRLF

    def boundary(self):
        return b"=_%016x" % self.rng.getrandbits(64)

    def text_bytes(self):
        return int(min(60_000, self.rng.lognormvariate(7.75, 1.0)))

    def headers(self, extra=(), message_id=None):
        rng = self.rng
        self.serial += 1
        (name, address), (to_name, to_address) = rng.sample(PEOPLE, 2)
        day = rng.randint(1, 28)
        weekday = WEEKDAYS[(day + 3) % len(WEEKDAYS)]  # 1 March 2024 was a Friday
        lines = [b"Return-Path: <%s>" % address.encode()]
        for hop in range(rng.choice((1, 2, 3, 3, 4, 6))):
            lines.append(b"Received: from mx%d.example.net (mx%d.example.net [192.0.2.%d])\r\n"
                         b"\tby in%d.example.org (Postfix) with ESMTPS id %010X\r\n"
                         b"\tfor <%s>; %s, %d Mar 2024 10:%02d:%02d +0100 (CET)"
                         % (hop, hop, rng.randint(1, 254), hop, rng.getrandbits(40),
                            to_address.encode(), weekday, day, rng.randint(0, 59),
                            rng.randint(0, 59)))
        if rng.random() < 0.5:
            lines.append(b"DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d=example.org;\r\n"
                         b"\ts=k1; h=from:to:subject:date; bh=%s;\r\n\tb=%s"
                         % (base64.b64encode(rng.randbytes(32)),
                            base64.b64encode(rng.randbytes(192))))
        subject = " ".join(self.sentence_words(rng.randint(2, 8)))
        lines += [
            b"Message-ID: " + (message_id or b"<%d.%08x@example.org>"
                               % (self.serial, rng.getrandbits(32))),
            b"Date: %s, %d Mar 2024 10:00:00 %s"
            % (weekday, day, rng.choice((b"+0100", b"-0800", b"GMT"))),
            b"From: %s <%s>" % (encoded_word(name), address.encode()),
            b"To: %s <%s>" % (encoded_word(to_name), to_address.encode()),
            b"Subject: " + encoded_word(subject),
            b"MIME-Version: 1.0", *extra]
        return CRLF.join(lines) + CRLF

    def text_part(self, size=None):
        """Headers and body of one text leaf, in one of the encodings seen in the wild."""
        kind = self.rng.choice(("7bit", "qp", "qp", "8bit", "base64", "html"))
        body = self.paragraphs(size or self.text_bytes(), plain=kind == "7bit")
        if kind == "html":
            body = b"<html><body>\r\n<p>" + body.replace(b"\r\n\r\n", b"</p>\r\n<p>") \
                + b"</p></body></html>\r\n"
        if kind in ("qp", "html"):
            body = quopri.encodestring(body.replace(CRLF, b"\n")).replace(b"\n", CRLF)
            encoding = b"quoted-printable"
        elif kind == "base64":
            body, encoding = self.base64_lines(body, 76), b"base64"
        else:
            encoding = kind.encode()
        subtype = b"html" if kind == "html" else b"plain"
        return b"Content-Type: text/%s; charset=utf-8\r\nContent-Transfer-Encoding: %s" % (
            subtype, encoding), body

    @staticmethod
    def base64_lines(data, width):
        text = binascii.b2a_base64(data, newline=False)
        lines = [text[at:at + width] for at in range(0, len(text), width)]
        return CRLF.join(lines) + CRLF

    def attachment_data(self):
        """A document: half of them do not compress; one in four bytes was seen before."""
        rng = self.rng
        if self.attachments and rng.random() < 0.28:
            return rng.choice(self.attachments)
        size = int(min(12 * self.attachment_bytes,
                       rng.lognormvariate(0, 0.9) * self.attachment_bytes * 0.5)) + 200
        if rng.random() < 0.5:
            data = (b"image/jpeg", b"jpg", rng.randbytes(size))
        else:
            rows = [b"%d;%s;%d.%02d" % (row, word.encode(), rng.getrandbits(17), row % 100)
                    for row, word in enumerate(self.sentence_words(size // 18 + 1))]
            data = (b"text/csv", b"csv", b"\n".join(rows))
        self.attachments.append(data)
        return data

    def attachment_part(self):
        mime, suffix, data = self.attachment_data()
        width = self.rng.choice(BASE64_LINE_LENGTHS)
        name = b"document-%d.%s" % (self.rng.randint(1, 9999), suffix)
        return (b"Content-Type: %s; name=\"%s\"\r\nContent-Disposition: attachment;\r\n"
                b"\tfilename=\"%s\"\r\nContent-Transfer-Encoding: base64" % (mime, name, name),
                self.base64_lines(data, width))

    def multipart(self, subtype, parts):
        """(header, body) of a multipart of (header, body) parts."""
        edge = self.boundary()
        body = [b"This is a multi-part message in MIME format.\r\n"]
        for header, content in parts:
            body.append(b"--" + edge + CRLF + header + CRLF + CRLF + content)
        body.append(b"--" + edge + b"--\r\n")
        kind = b"Content-Type: multipart/%s;\r\n\tboundary=\"%s\"" % (subtype, edge)
        return kind, CRLF.join(body)

    def whole(self, part, **more):
        header, body = part
        return self.headers([header], **more) + CRLF + body

    def plain(self):
        return self.whole(self.text_part())

    def alternative(self):
        return self.whole(self.multipart(b"alternative", [self.text_part(), self.text_part()]))

    def with_attachments(self):
        parts = [self.text_part(800)]
        parts += [self.attachment_part() for _ in range(self.rng.choice((1, 1, 1, 2)))]
        return self.whole(self.multipart(b"mixed", parts))

    def forwarded(self):
        inner = self.with_attachments() if self.rng.random() < 0.3 else self.alternative()
        return self.whole(self.multipart(b"mixed", [
            self.text_part(300), (b"Content-Type: message/rfc822", inner)]))

    def big_headers(self):
        extra = [b"X-Trace-%d: %s" % (row, b"\r\n\t".join(
            base64.b64encode(self.rng.randbytes(50)) for _ in range(12))) for row in range(25)]
        return self.headers(extra) + CRLF + self.paragraphs(500)

    def ordinary(self, attachment_share):
        chance = self.rng.random()
        if chance < attachment_share:
            return self.with_attachments()
        rest = (chance - attachment_share) / (1 - attachment_share)
        if rest < 0.5:
            return self.plain()
        if rest < 0.9:
            return self.alternative()
        return self.forwarded() if rest < 0.96 else self.big_headers()


def odd_messages(writer):
    """What real mailboxes hold and programs stumble over; servers store all of it unchanged."""
    head = writer.headers
    text = b"Content-Type: text/plain; charset=utf-8"
    anything_but_nul = bytes(byte for byte in range(1, 256) if byte not in b"\r\n")
    deep = (text, b"the innermost part\r\n")
    for _ in range(40):
        deep = writer.multipart(b"mixed", [deep])
    return [
        b"no header at all, only this line\r\n",
        b"\r\nan empty header and this line\r\n",
        b"Subject: only a header\r\n",
        b"Subject: a body that does not end with a line end\r\n\r\nlast words",
        b"From someone@example.org Tue Mar  5 10:00:00 2024\r\nSubject: mbox line\r\n\r\n"
        b"From here on\r\n>From there on\r\n.\r\n..\r\n",
        head([text]) + CRLF,
        head([text], message_id=b"<>") + CRLF + b"empty Message-ID\r\n",
        head([text, b"X-Long: " + b"x" * 100_000]) + CRLF + b"a header line of 100 kB\r\n",
        head([text]) + CRLF + b"y" * 70_000 + b"\r\nshort\r\n",
        head([text, "X-Raw: naïve Größe без кодировки".encode(), b"X-Latin: caf\xe9 \xff"])
        + CRLF + b"eight bits in the header\r\n",
        head([b"Content-Type: application/octet-stream", b"Content-Transfer-Encoding: binary"])
        + CRLF + anything_but_nul * 40 + CRLF,
        head([b"Content-Type: multipart/mixed; boundary=never"]) + CRLF + b"no part follows\r\n",
        head([b"Content-Type: multipart/mixed"]) + CRLF + b"--x\r\n\r\nno boundary\r\n--x--\r\n",
        writer.with_attachments().rsplit(b"\r\n--", 1)[0] + CRLF,
        head([b"Content-Type: image/png", b"Content-Transfer-Encoding: base64"]) + CRLF
        + b"iVBORw0K*** not base64 ***\r\n====\r\nAAAA\r\n",
        head([b"Content-Type: image/png", b"Content-Transfer-Encoding: base64"]) + CRLF
        + base64.b64encode(writer.rng.randbytes(30_000)) + CRLF,
        head([b"Content-Type: text/plain", b"Content-Transfer-Encoding: quoted-printable"])
        + CRLF + b"bad =ZZ quoted =\t \r\nprintable=3D=3d=\r\n=",
        head([text, b"Subject: the second subject", b"Subject:", b":no name"]) + CRLF + b"x\r\n",
        head([text]) + CRLF + b"bare \r carriage returns \r and tabs\t\r\n",
        head([b"Content-Type: text/plain; charset=\"\\\"; name*0*=x'';;", b"X-Empty:"])
        + CRLF + b"strange parameters\r\n",
        writer.whole(deep),
        head([text]) + CRLF + b"\r\n" * 3000,
        head([text]) + CRLF + "Zeile\u2028mit\u0085Trennern \ufeff\U0001f4a9\r\n".encode(),
        b"X-Folded:\r\n \r\n\t\r\n folded into nothing\r\nSubject: folds\r\n\r\nbody\r\n",
    ]


def random_flags(rng):
    flags = [flag for flag, chance in zip(SYSTEM_FLAGS, (0.15, 0.02, 0.02, 0.08, 0.75))
             if rng.random() < chance]
    if rng.random() < 0.2:
        flags += rng.sample(KEYWORDS, rng.randint(1, 3))
    return tuple(sorted(flags))


def dress(rng, content):
    return Message(content, random_flags(rng), rng.randint(FIRST_DATE, LAST_DATE),
                   rng.choice(OFFSETS_MINUTES))


def scatter(rng, folders, messages):
    """Puts each message in the place of another, nowhere two."""
    places = [(folder, at) for folder in folders for at in range(len(folder.messages))]
    for (folder, at), message in zip(rng.sample(places, len(messages)), messages):
        folder.messages[at] = message


def twins(writer, folders, count):
    """Copies of what is there: byte-identical, and with the same Message-ID but another body."""
    rng = writer.rng
    originals = [rng.choice(folder.messages) for folder in folders if folder.messages
                 for _ in range(count)]
    copies = [dress(rng, message.content) for message in originals]
    same = Message(originals[0].content, originals[0].flags, originals[0].when,
                   originals[0].offset_minutes)
    shared = b"<the-same-for-all@example.org>"
    copies += [dress(rng, writer.whole(writer.text_part(), message_id=shared)) for _ in range(3)]
    return copies + [same]


MAILBOXES = {  # folders, bytes of an attachment, share of mail with one, odd ones, copies of each
    "tiny": (TINY_FOLDERS, 3_000, 0.3, False, 1),
    "sample": (SAMPLE_FOLDERS, 25_000, 0.25, True, 2),
    "bench": (BENCH_FOLDERS, 48_000, 0.20, True, 6),
}


def make(kind, seed=1):
    """The folders of a mailbox of this kind, full of mail."""
    names, attachment_bytes, share, odd, copies = MAILBOXES[kind]
    writer = Writer(f"{kind}-{seed}", attachment_bytes)
    folders = [Folder(path, path not in UNSUBSCRIBED,
                      [dress(writer.rng, writer.ordinary(share)) for _ in range(count)])
               for path, count in names]
    rare = twins(writer, folders, copies)
    if odd:
        rare += [dress(writer.rng, content) for content in odd_messages(writer)]
    scatter(writer.rng, folders, rare)
    return folders


def later(kind, count, text_bytes, chance, seed=1):
    """Text mail that comes to such a mailbox later, of other chance: the same people and words."""
    writer = Writer(f"{kind}-{seed}", MAILBOXES[kind][1])
    writer.rng.seed(chance)
    return [writer.whole(writer.text_part(text_bytes)) for _ in range(count)]


def from_files(root, seed=1):
    """Mail from files: a folder for each folder below root, every line end made CRLF."""
    rng = random.Random(f"files-{seed}")
    folders = {}
    for path in sorted(path for path in root.rglob("*.eml") if path.is_file()):
        name = path.parent.relative_to(root).as_posix()
        lines = path.read_bytes().replace(CRLF, b"\n").replace(b"\n", CRLF)
        if lines:
            folder = folders.setdefault(name, Folder("INBOX" if name == "." else name))
            folder.messages.append(dress(rng, lines))
    return list(folders.values())
