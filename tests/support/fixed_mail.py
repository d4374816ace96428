"""Fixed mail for fixed_server.py: what happens to a mailbox from pass to pass, always the same.

    mailbox = fixed_mail.mailbox(extensions)
    for happen in fixed_mail.STORY:
        happen(mailbox)
        ... mirror it ...
"""

import base64
import hashlib

import fixed_server

QRESYNC = "CONDSTORE ENABLE ESEARCH LIST-EXTENDED LIST-STATUS QRESYNC SPECIAL-USE UNSELECT"
BARE = ""  # IMAP4rev1 alone
LINE_CHARS = 76
LARGE_BYTES = 66_000  # of attachments that get a frame of their own; together a volume to seal
SMALL_BYTES = 2_000  # so that they do not
HUGE_TIMES = 75  # so much larger than large: more than a frame holds


def noise(seed, size):
    """Incompressible bytes, independent of any library's random generator."""
    made = b"".join(hashlib.sha256(f"{seed} {number}".encode()).digest()
                    for number in range(size // 32 + 1))
    return made[:size]


def base64_lines(data, line_chars=LINE_CHARS):
    text = base64.b64encode(data)
    return b"".join(text[at:at + line_chars] + b"\r\n" for at in range(0, len(text), line_chars))


def letter(number, text=b"A few words.\r\n"):
    return (f"From: Ann <ann{number}@example.org>\r\nTo: bob@example.org\r\n"
            f"Date: Fri, {number % 28 + 1} Nov 2026 09:55:06 -0600\r\n"
            f"Subject: letter {number}\r\nMessage-ID: <{number}@example.org>\r\n\r\n"
            ).encode() + text


def with_attachment(number, data, line_chars=LINE_CHARS, more=b""):
    return letter(number).replace(b"\r\n\r\n", (
        b"\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=xyz\r\n\r\n"
        b"--xyz\r\nContent-Type: text/plain\r\n\r\n"), 1) + (
        b"--xyz\r\nContent-Type: application/octet-stream\r\n"
        b"Content-Transfer-Encoding: base64\r\n\r\n") + base64_lines(data, line_chars) + (
        b"--xyz--\r\n") + more


ODD = (
    b"Subject: bytes\r\nFrom: \x9b\xff\r\n\r\n\xfe \r lone\n.\r\n",
    b"no header at all",
    b"Subject: =?utf-8?b?5pel5pys6Kqe?=\r\n =?utf-8?q?_J=C3=BCrgen?=\r\n"
    b"From: =?utf-8?q?J=C3=BCrgen?= <j@example.org>\r\nDate: yesterday\r\n\r\n8 bit: \xc3\xbc\r\n",
    b"From: ann@example.org\nDate: Fri, 06 Nov 2026 10:00:00 +0100\nSubject: line feeds\n\nx\n",
    b"\r\n",
)


def large(box, number):
    """Attachments that differ slightly, so that compressing several together saves much."""
    return with_attachment(number, str(number).encode() + noise("large", box.large_bytes))


def mailbox(extensions=QRESYNC, large_bytes=LARGE_BYTES):
    box = fixed_server.Mailbox(extensions)
    box.large_bytes = large_bytes
    for name, uidvalidity, attributes in (
            ("INBOX", 1001, "\\HasNoChildren"), ("Sent", 1002, "\\HasNoChildren \\Sent"),
            ("Work", 1003, "\\Noselect \\HasChildren"), ("Work/2026", 1004, "\\HasNoChildren"),
            ("Entw&APw-rfe %", 1005, "\\HasNoChildren \\Drafts"), ("Large", 1006, ""),
            ("Going", 1007, "\\HasNoChildren")):
        box.create(name, uidvalidity, attributes)
    return box


def first(box):
    for number in range(1, 9):
        box.deliver("INBOX", letter(number, b"Words of a body. " * 40 * number + b"\r\n"),
                    "\\Seen" if number % 2 else "", f"{number:02}-Nov-2026 10:00:00 -0500")
    for body in ODD:
        box.deliver("INBOX", body, "$Junk \\Flagged")
    box.deliver("INBOX", with_attachment(20, noise("a", 3000)))
    box.deliver("Sent", with_attachment(21, noise("a", 3000), 60), "\\Answered \\Seen")
    box.deliver("Sent", with_attachment(22, noise("a", 3000), more=b"--xyz--\r\n"), "\\Seen")
    box.deliver("Sent", letter(1, b"Words of a body. " * 40 + b"\r\n"), "\\Seen")  # as in INBOX
    box.deliver("Work/2026", letter(23, b"a line of a long text\r\n" * 2000), "")
    box.deliver("Work/2026", letter(24, b"another line\r\n" * 9000), "",
                " 1-Jan-1999 00:00:00 +0000")
    for number in range(30, 40):
        box.deliver("Large", large(box, number))
    box.deliver("Going", letter(40), "\\Deleted")


def second(box):
    box.flag("INBOX", 1, "\\Answered \\Seen own-word")
    box.flag("INBOX", 2, "\\Seen")
    box.expunge("INBOX", 3, 4, 6)
    box.deliver("INBOX", with_attachment(50, noise("a", 3000), 72), "")
    box.deliver("Entw&APw-rfe %", letter(51), "\\Draft")
    box.deliver("Large", with_attachment(
        52, noise("b", 100) * (HUGE_TIMES * box.large_bytes // 100)))
    for number in range(53, 59):
        box.deliver("Large", large(box, number))


def third(box):
    box.rename("Work/2026", "Work/Done")
    box.delete("Going")
    box.create("New", 1008)
    box.deliver("New", with_attachment(60, noise("large", box.large_bytes)))
    box.expunge("Large", 2, 3)
    box.renumber("Sent", 2002)
    box.deliver("Sent", letter(61), "\\Seen")


def nothing(_box):
    pass


def fourth(box):
    """Later changes, for writing to an old archive."""
    box.deliver("INBOX", with_attachment(70, noise("a", 3000), 64), "\\Flagged")
    box.deliver("New", letter(71))
    box.flag("INBOX", 1, "")
    box.expunge("INBOX", 5)


STORY = (first, second, third, nothing)
