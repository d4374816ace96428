#!/usr/bin/env python3
"""Compares two IMAP accounts message by message, or one with what was saved of another.

    compare_mailboxes.py SOURCE TARGET [--show-odd] [--ca FILE] [--ignore WHAT]
    compare_mailboxes.py SOURCE --save FILE

SOURCE and TARGET are imaps://USER@HOST:PORT or imap://USER@HOST:PORT, or a FILE saved before;
the password is "secret" or what TEST_PASSWORD says. Compared are the folders with subscription
and special use, and in each folder the multiset of (SHA-256 of the bytes, flags without \\Recent,
INTERNALDATE as an instant). --ignore takes flags, dates, subscriptions or special-use, separated
by commas. Exit: 0 the same, 1 different, 2 could not compare. It shares no code with the restore.
"""

import argparse
import base64
import collections
import datetime
import hashlib
import imaplib
import json
import os
import re
import ssl
import sys
import urllib.parse

FETCH_BATCH = 200
MAX_SHOWN = 20
IGNORABLE = ("flags", "dates", "subscriptions", "special-use")
SPECIAL_USES = {"\\all", "\\archive", "\\drafts", "\\flagged", "\\junk", "\\sent", "\\trash"}
LIST_LINE = re.compile(rb'^\(([^)]*)\) (?:"(\\?.)"|NIL) (.*)$', re.S)
NAMESPACE = re.compile(rb'^\(\("([^"]*)" ')
FETCH_HEAD = re.compile(rb"FLAGS \(([^)]*)\)")
FETCH_DATE = re.compile(rb'INTERNALDATE "([^"]*)"')
FETCH_UID = re.compile(rb"UID (\d+)")

imaplib._MAXLINE = 10_000_000


def decode_utf7(wire):
    """The UTF-8 text of a folder name from the wire."""
    def unshift(match):
        if match.group() == "&-":
            return "&"
        packed = match.group()[1:-1].replace(",", "/")
        return base64.b64decode(packed + "=" * (-len(packed) % 4)).decode("utf-16-be")
    return re.sub("&[^-]*-", unshift, wire)


def astring(wire):
    return '"' + wire.replace("\\", "\\\\").replace('"', '\\"') + '"'


def login(url, ca_file):
    parts = urllib.parse.urlsplit(url)
    if parts.scheme == "imaps":
        context = ssl.create_default_context(cafile=ca_file)
        server = imaplib.IMAP4_SSL(parts.hostname, parts.port, ssl_context=context, timeout=60)
    else:
        server = imaplib.IMAP4(parts.hostname, parts.port, timeout=60)
    server.login(urllib.parse.unquote(parts.username), os.environ.get("TEST_PASSWORD", "secret"))
    words = checked(server.capability(), "CAPABILITY")[-1].decode().upper()
    server.capabilities = tuple(words.split())
    return server


def checked(answer, what):
    status, data = answer
    if status != "OK":
        raise ValueError(f"{what}: {status} {data!r}")
    return data


def listing(server, command):
    """{wire name: (lower-case attributes, separator)} of LIST or LSUB."""
    found = {}
    for entry in checked(getattr(server, command)('""', "*"), command):
        if entry is None:
            continue
        literal = isinstance(entry, tuple)
        match = LIST_LINE.match(entry[0] if literal else entry)
        if not match:
            continue  # what follows a literal
        name = entry[1] if literal else match.group(3)
        if not literal and name.startswith(b'"'):
            name = re.sub(rb"\\(.)", rb"\1", name[1:-1])
        attributes = {word.lower() for word in match.group(1).decode().split()}
        separator = (match.group(2) or b"").decode()[-1:]
        found[name.decode()] = (attributes, separator)
    return found


def own_prefix(server):
    """What stands before the names of one's own folders."""
    if "NAMESPACE" not in server.capabilities:
        return ""
    match = NAMESPACE.match(checked(server.namespace(), "NAMESPACE")[0])
    return match.group(1).decode() if match else ""


def readable(wire, separator, prefix=""):
    if prefix and wire.startswith(prefix) and wire != prefix:
        wire = wire[len(prefix):]
    components = wire.split(separator) if separator else [wire]
    path = "/".join(decode_utf7(component).replace("%", "%25").replace("/", "%2F")
                    for component in components)
    return "INBOX" if path.upper() == "INBOX" else path


def instant(text):
    """Seconds since 1970 of an INTERNALDATE."""
    moment = datetime.datetime.strptime(text.strip(), "%d-%b-%Y %H:%M:%S %z")
    return int(moment.timestamp())


def parse_fetch(data):
    """Messages out of imaplib's mixture of tuples (head, literal) and bytes (rest of the line)."""
    messages, head, body = [], b"", None
    for entry in list(data) + [b"* end"]:
        starts = isinstance(entry, tuple) or re.match(rb"\d+ \(|\* end", entry)
        if starts and body is not None:
            flags = FETCH_HEAD.search(head).group(1).decode().split()
            messages.append({
                "uid": int(FETCH_UID.search(head).group(1)),
                "sha256": hashlib.sha256(body).hexdigest(), "size": len(body),
                "flags": sorted(flag for flag in flags if flag.lower() != "\\recent"),
                "date": instant(FETCH_DATE.search(head).group(1).decode())})
            head, body = b"", None
        if isinstance(entry, tuple):
            head += entry[0]
            body = entry[1]
        else:
            head += b" " + entry
    return messages


def read_folder(server, wire):
    count = int(checked(server.select(astring(wire), readonly=True), wire)[0])
    messages = []
    for first in range(1, count + 1, FETCH_BATCH):
        last = min(count, first + FETCH_BATCH - 1)
        messages += parse_fetch(checked(server.fetch(
            f"{first}:{last}", "(UID FLAGS INTERNALDATE BODY.PEEK[])"), wire))
    if len(messages) != count:
        raise ValueError(f"{wire}: {len(messages)} messages came, {count} are there")
    return messages


def read_account(place, ca_file):
    """{path: {subscribed, special_use, messages}}, from a server or from a saved file."""
    if "://" not in place:
        with open(place, encoding="utf-8") as saved:
            return json.load(saved)
    server = login(place, ca_file)
    subscribed = set(listing(server, "lsub"))
    prefix = own_prefix(server)
    account = {}
    for wire, (attributes, separator) in sorted(listing(server, "list").items()):
        if not attributes & {"\\noselect", "\\nonexistent"}:
            account[readable(wire, separator, prefix)] = {
                "subscribed": wire in subscribed,
                "special_use": sorted(attributes & SPECIAL_USES),
                "messages": read_folder(server, wire)}
    server.logout()
    return account


def identity(message, ignore):
    return (message["sha256"], () if "flags" in ignore else tuple(message["flags"]),
            None if "dates" in ignore else message["date"])


def pairs_by_content(missing, extra):
    """Of what only one side has: the same bytes with other flags or another date."""
    waiting = collections.defaultdict(list)
    for message in extra:
        waiting[message["sha256"]].append(message)
    for message in missing:
        twins = waiting[message["sha256"]]
        yield message, twins.pop() if twins else None
    for twins in waiting.values():
        for message in twins:
            yield None, message


def describe(source, target):
    if target is None:
        return f"missing: uid {source['uid']}, {source['size']} bytes, {source['sha256'][:16]}"
    if source is None:
        return f"extra: uid {target['uid']}, {target['size']} bytes, {target['sha256'][:16]}"
    parts = []
    if source["flags"] != target["flags"]:
        parts.append(f"flags {' '.join(source['flags'])} -> {' '.join(target['flags'])}")
    if source["date"] != target["date"]:
        parts.append(f"date {source['date']} -> {target['date']}")
    return f"uid {source['uid']}: " + ", ".join(parts)


def compare_messages(path, source, target, ignore):
    wanted = collections.Counter(identity(message, ignore) for message in source)
    there = collections.Counter(identity(message, ignore) for message in target)

    def surplus(messages, excess):
        for message in messages:
            key = identity(message, ignore)
            if excess[key] > 0:
                excess[key] -= 1
                yield message
    missing = list(surplus(source, wanted - there))
    extra = list(surplus(target, there - wanted))
    return [f"{path}: {describe(old, new)}" for old, new in pairs_by_content(missing, extra)]


def compare(source, target, ignore):
    differences = []
    for path in sorted(source.keys() | target.keys()):
        if path not in target or path not in source:
            side, count = (("missing", len(source[path]["messages"])) if path in source else
                           ("extra", len(target[path]["messages"])))
            differences.append(f"{path}: folder {side}, {count} messages")
            continue
        old, new = source[path], target[path]
        for key, name in (("subscribed", "subscriptions"), ("special_use", "special-use")):
            if name not in ignore and old[key] != new[key]:
                differences.append(f"{path}: {key} {old[key]} -> {new[key]}")
        differences += compare_messages(path, old["messages"], new["messages"], ignore)
    return differences


def oddities(account):
    """Copies within a folder, very large and very small messages: what is easily lost."""
    for path, folder in sorted(account.items()):
        copies = collections.Counter(message["sha256"] for message in folder["messages"])
        for message in folder["messages"]:
            notes = []
            if copies[message["sha256"]] > 1:
                notes.append(f"one of {copies[message['sha256']]} copies")
            if message["size"] > 60_000:
                notes.append("large")
            if message["size"] < 60:
                notes.append("tiny")
            if notes:
                yield f"{path}: uid {message['uid']}, {message['size']} bytes: {', '.join(notes)}"


def totals(account):
    messages = [message for folder in account.values() for message in folder["messages"]]
    return (f"{len(messages)} messages, {sum(message['size'] for message in messages)} bytes, "
            f"{len(account)} folders")


def parse(arguments):
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("source")
    parser.add_argument("target", nargs="?")
    parser.add_argument("--save", metavar="FILE")
    parser.add_argument("--ca", metavar="FILE", help="CA of both servers")
    parser.add_argument("--ignore", default="", metavar="WHAT")
    parser.add_argument("--show-odd", action="store_true")
    options = parser.parse_args(arguments)
    options.ignore = set(filter(None, options.ignore.split(",")))
    if options.ignore - set(IGNORABLE) or bool(options.target) == bool(options.save):
        parser.error("needs SOURCE TARGET or SOURCE --save FILE; --ignore knows "
                     + ", ".join(IGNORABLE))
    return options


def main(arguments):
    options = parse(arguments)
    source = read_account(options.source, options.ca)
    if options.show_odd:
        print(*oddities(source), sep="\n")
    if options.save:
        with open(options.save, "w", encoding="utf-8") as saved:
            json.dump(source, saved)
        print(f"saved: {totals(source)}")
        return 0
    target = read_account(options.target, options.ca)
    differences = compare(source, target, options.ignore)
    for line in differences[:MAX_SHOWN]:
        print(line)
    if len(differences) > MAX_SHOWN:
        print(f"... and {len(differences) - MAX_SHOWN} more")
    print(f"source: {totals(source)}; target: {totals(target)}; {len(differences)} differences")
    return 1 if differences else 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except (OSError, ValueError, imaplib.IMAP4.error) as error:
        print(f"compare_mailboxes.py: {error}", file=sys.stderr)
        sys.exit(2)
