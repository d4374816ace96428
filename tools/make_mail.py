#!/usr/bin/env python3
"""Makes mail for tests and puts it where it is wanted; empties test mailboxes again.

    make_mail.py sample|bench|tiny [--seed N] --imap HOST:PORT [--ca FILE] [--user alice]
    make_mail.py sample|bench|tiny [--seed N] --maildir DIR       Maildir++ tree, before any login
    make_mail.py sample|bench|tiny [--seed N] --spool DIR         numbered files and index.tsv
    make_mail.py files --from DIR [--imap ...]                    the *.eml below DIR, as CRLF
    make_mail.py deliver --imap HOST:PORT [--folder INBOX] [--subject TEXT]
    make_mail.py wipe --imap HOST:PORT                            every message, every folder

index.tsv holds a line for each message: file, folder on the wire, flags, INTERNALDATE. With --ca
the connection is TLS, verified. The password is "secret" unless the environment's
TEST_PASSWORD says otherwise: this is for private test servers.
"""

import argparse
import os
import pathlib
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent / "lib"))

import imap_load  # noqa: E402
import mail_samples  # noqa: E402

MAILDIR_LETTERS = {"\\Answered": "R", "\\Deleted": "T", "\\Draft": "D", "\\Flagged": "F",
                   "\\Seen": "S"}
MAX_MAILDIR_KEYWORDS = 26


def maildir_folder(root, path):
    if path == "INBOX":
        return root
    return root / ("." + imap_load.modified_utf7(path.replace("/", ".")))


def write_maildir_folder(base, folder):
    for part in ("cur", "new", "tmp"):
        (base / part).mkdir(parents=True, exist_ok=True)
    keywords = sorted({flag for message in folder.messages for flag in message.flags
                       if not flag.startswith("\\")})
    assert len(keywords) <= MAX_MAILDIR_KEYWORDS
    letters = dict(MAILDIR_LETTERS)
    letters.update({keyword: chr(ord("a") + row) for row, keyword in enumerate(keywords)})
    if keywords:
        (base / "dovecot-keywords").write_text(
            "".join(f"{row} {keyword}\n" for row, keyword in enumerate(keywords)))
    for row, message in enumerate(folder.messages):
        info = "".join(sorted(letters[flag] for flag in message.flags))
        # Without S=: a wrong size there makes Dovecot break off the FETCH.
        name = base / "cur" / f"{1_700_000_000 + row}.M{row}P1.test:2,{info}"
        name.write_bytes(message.content)
        os.utime(name, (message.when, message.when))


def give_to_owner_of_parent(path):
    """Root writes for the server's user: whoever owns the nearest folder that was there."""
    if os.geteuid() != 0:
        return
    parent = path.parent
    if parent.stat().st_uid == 0:
        parent = parent.parent
    owner = parent.stat()
    for folder, _, files in os.walk(path):
        os.chown(folder, owner.st_uid, owner.st_gid)
        for name in files:
            os.chown(os.path.join(folder, name), owner.st_uid, owner.st_gid)
    os.chown(path.parent, owner.st_uid, owner.st_gid)


def write_maildir(folders, root):
    root.mkdir(parents=True)
    for folder in folders:
        write_maildir_folder(maildir_folder(root, folder.path), folder)
    names = ["\t".join(imap_load.modified_utf7(part) for part in folder.path.split("/"))
             for folder in folders if folder.subscribed]
    (root / "subscriptions").write_text("V\t2\n\n" + "".join(name + "\n" for name in names))
    give_to_owner_of_parent(root)


def write_spool(folders, root):
    root.mkdir(parents=True, exist_ok=True)
    with open(root / "index.tsv", "w", encoding="ascii") as index:
        number = 0
        for folder in folders:
            for message in folder.messages:
                number += 1
                name = f"{number:06d}.eml"
                (root / name).write_bytes(message.content)
                print(name, imap_load.modified_utf7(folder.path), " ".join(message.flags),
                      imap_load.internaldate(message), sep="\t", file=index)


def connect(options):
    host, _, port = options.imap.rpartition(":")
    return imap_load.Client(host, int(port), options.user,
                            os.environ.get("TEST_PASSWORD", "secret"), options.ca)


def deliver(client, options):
    content = (f"From: Ada Holm <ada.holm@example.org>\r\nTo: {options.user}@example.org\r\n"
               f"Subject: {options.subject}\r\nMessage-ID: <{os.urandom(8).hex()}@example.org>\r\n"
               f"\r\n{options.subject}\r\n")
    client.deliver(options.folder, content.encode())


def parse(arguments):
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("job", choices=mail_samples.KINDS + ("files", "deliver", "wipe"))
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--imap", metavar="HOST:PORT")
    parser.add_argument("--ca", metavar="FILE")
    parser.add_argument("--from", dest="source", type=pathlib.Path, metavar="DIR")
    parser.add_argument("--user", default="alice")
    parser.add_argument("--folder", default="INBOX")
    parser.add_argument("--subject", default="A new message")
    parser.add_argument("--maildir", type=pathlib.Path, metavar="DIR")
    parser.add_argument("--spool", type=pathlib.Path, metavar="DIR")
    options = parser.parse_args(arguments)
    if not (options.imap or options.job not in ("deliver", "wipe")
            and (options.maildir or options.spool)):
        parser.error("where to? --imap, --maildir or --spool")
    if (options.job == "files") != bool(options.source):
        parser.error("files needs --from DIR, and nothing else does")
    return options


def main(arguments):
    options = parse(arguments)
    if options.job in ("deliver", "wipe"):
        with connect(options) as client:
            if options.job == "wipe":
                client.wipe()
            else:
                deliver(client, options)
        return
    if options.source:
        folders = mail_samples.from_files(options.source, options.seed)
    else:
        folders = mail_samples.make(options.job, options.seed)
    if options.maildir:
        write_maildir(folders, options.maildir)
    if options.spool:
        write_spool(folders, options.spool)
    refused = []
    if options.imap:
        with connect(options) as client:
            refused = client.fill(folders)
    for path, message, words in refused:
        print(f"refused: {path}: {len(message.content)} bytes: {words}")
    sizes = [len(message.content) for folder in folders for message in folder.messages]
    print(f"{len(sizes)} messages, {sum(sizes)} bytes, {len(folders)} folders")


if __name__ == "__main__":
    main(sys.argv[1:])
