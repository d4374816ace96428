#!/usr/bin/env python3
"""Takes every message out of an archive, without mailstow: the format alone is enough.

    read_archive.py ARCHIVE OUTPUT [--gone]

Reads only what schema/README.md says, with Python's standard library and the zstd command. OUTPUT
gets a folder for each mail folder with UIDVALIDITY.UID.eml in it, and index.tsv: path, UIDVALIDITY,
uid, SHA-256, INTERNALDATE, flags, file. With --gone also what the server no longer has. Exit: 0 all
of it, 1 something is missing or damaged (it is named).
"""

import argparse
import base64
import functools
import hashlib
import pathlib
import sqlite3
import subprocess
import sys
from datetime import datetime, timedelta, timezone
from urllib.parse import quote

VOLUME_ID = 0x4D535756
STORED, ZSTD, DIRECTORY, JOURNAL = 0, 1, 4, (3, 5)
SKELETON, BASE64 = 2, 1
PAYLOAD_VERSION, FINAL, CHECKPOINT = 1, 1, 2
(ITEM, MESSAGE, FOLDER, FOLDER_GONE, UIDVALIDITY, PLACEMENT, FLAGS, GONE, MARK,
 SNAPSHOT, PIN, UNPIN, _, PRUNED, TOMBSTONE, VOLUME, ITEM_ROW, FOLDER_ROW, PLACEMENT_ROW,
 SNAPSHOT_ROW) = range(1, 21)


class Damaged(Exception):
    """What is wrong, and where."""


class Reader:
    """Numbers and strings of a payload."""

    def __init__(self, data):
        self.data, self.at = data, 0

    def bytes(self, count):
        taken = self.data[self.at:self.at + count]
        if len(taken) != count:
            raise Damaged("a record ends early")
        self.at += count
        return taken

    def number(self):
        value = shift = 0
        while True:
            byte = self.bytes(1)[0]
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value

    def signed(self):
        number = self.number()
        return (number >> 1) ^ -(number & 1)

    def string(self):
        return self.bytes(self.number()).decode("utf-8", "surrogateescape")


class Volume:
    """The frames of one file."""

    def __init__(self, path):
        self.path = path
        self.db = sqlite3.connect(f"file:{quote(str(path))}?mode=ro", uri=True)
        if self.db.execute("pragma application_id").fetchone()[0] != VOLUME_ID:
            raise Damaged(f"{path} is no volume")
        self.header = dict(self.db.execute("select key, value from header"))
        self.places = {}  # where a sealed volume's items lie
        for number in self.frames(DIRECTORY, DIRECTORY):
            reader, item = Reader(self.frame(number)), 0
            while reader.at < len(reader.data):
                item += reader.number()
                self.places[item] = reader.number(), reader.number()

    @functools.lru_cache(4)
    def frame(self, number):
        row = self.db.execute("select codec, rawlen, sha256, data from frame where id = ?",
                              (number,)).fetchone()
        if not row:
            raise Damaged(f"{self.path}: frame {number} is missing")
        codec, length, digest, data = row
        if hashlib.sha256(data).digest() != digest:
            raise Damaged(f"{self.path}: frame {number} is damaged")
        if codec == ZSTD:
            data = subprocess.run(["zstd", "-dcq"], input=data, capture_output=True,
                                  check=True).stdout
        elif codec != STORED:
            raise Damaged(f"{self.path}: frame {number} has codec {codec}")
        if len(data) != length:
            raise Damaged(f"{self.path}: frame {number} has another length")
        return data

    def frames(self, *kinds):
        return [row[0] for row in
                self.db.execute(f"select id from frame where kind in {kinds} order by id")]

    def item(self, frame, offset, size):
        """Bytes that begin in a frame and may go on in the next ones."""
        parts = []
        while size:
            part = self.frame(frame)[offset:offset + size]
            if not part:
                raise Damaged(f"{self.path}: frame {frame} ends early")
            parts.append(part)
            size -= len(part)
            frame, offset = frame + 1, 0
        return b"".join(parts)


def base64_lines(data, line_chars, ends_in_crlf):
    text = base64.b64encode(data)
    lines = [text[at:at + line_chars] for at in range(0, len(text), line_chars)]
    return b"\r\n".join(lines) + (b"\r\n" if ends_in_crlf else b"")


def join(skeleton, leaves):
    """A skeleton with its gaps filled."""
    reader, gaps, parts = Reader(skeleton), [], []
    for _ in range(reader.number()):
        length, form = reader.number(), reader.number()
        gaps.append((length, form, *((reader.number(), reader.number()) if form else ())))
    if len(gaps) != len(leaves):
        raise Damaged("a skeleton has more gaps than leaves, or fewer")
    for leaf, (length, form, *lines) in zip(leaves, gaps):
        parts += [reader.bytes(length), base64_lines(leaf, *lines) if form == BASE64 else leaf]
    return b"".join(parts) + reader.data[reader.at:]


class Archive:
    """The state that the journals of all volumes make."""

    def __init__(self, path):
        files = sorted((pathlib.Path(path) / "volumes").glob("*.vol"),
                       key=lambda file: int(file.name.split("-")[0]))
        if not files:
            raise Damaged(f"{path}: no volumes")
        volumes = [Volume(file) for file in files]
        replaced = [volume.header.get("replaces") for volume in volumes]  # by a sealed one
        self.volumes = [volume for volume in volumes if volume.header["volume"] not in replaced]
        self.clear()
        self.head = hashlib.sha256(self.volumes[0].header["archive"]).digest()
        self.sequence, self.broken, within, pending = 0, None, False, []
        for volume, frame in ((v, frame) for v in self.volumes for frame in v.frames(*JOURNAL)):
            flags = self.payload(volume, volume.frame(frame), pending, within)
            within = flags == CHECKPOINT
            if flags & FINAL:
                for apply in pending:
                    apply()
                pending.clear()
        if self.broken:
            raise Damaged(self.broken)

    def clear(self):
        self.items, self.messages, self.folders, self.placements, self.gone = {}, {}, {}, {}, []

    def payload(self, volume, data, pending, within):
        """Adds what a payload's records do to pending; its flags. A checkpoint begins anew."""
        reader = Reader(data)
        version, flags = reader.bytes(2)
        if version != PAYLOAD_VERSION:
            raise Damaged(f"{volume.path}: payload of version {version}")
        before, number, _ = reader.bytes(32), reader.number(), reader.number()
        if flags & CHECKPOINT and not within:
            self.head, self.sequence, self.broken = before, number - 1, None
            pending[:] = [self.clear]
        if (before, number) != (self.head, self.sequence + 1):
            self.broken = f"{volume.path}: payload {number} follows {self.sequence}"
        self.head, self.sequence = hashlib.sha256(data).digest(), number
        while reader.at < len(data):
            kind, body = reader.number(), reader.bytes(reader.number())
            pending.append(lambda kind=kind, body=body: self.record(volume, kind, Reader(body)))
        return flags

    def record(self, volume, kind, body):
        if kind in (ITEM, ITEM_ROW):
            if kind == ITEM_ROW:
                place = body.number()
                volume = next(other for other in self.volumes if other.header["sequence"] == place)
            number, item_kind, frame, offset, size = (body.number() for _ in range(5))
            body.bytes(32 if body.number() else 0)
            leaves = [body.number() for _ in range(body.number())] if item_kind == SKELETON else []
            self.items[number] = (volume, *volume.places.get(number, (frame, offset)), size, leaves)
        elif kind == MESSAGE:
            number, digest, size = body.number(), body.bytes(32), body.number()
            _, self.messages[number] = body.number(), (digest, size, body.number())
        elif kind in (FOLDER, FOLDER_ROW):  # the last row of a folder has its name
            _ = kind == FOLDER_ROW and [body.number() for _ in range(3)]
            number, _, _ = body.number(), body.number(), body.number()
            self.folders[number] = body.string()
        elif kind in (PLACEMENT, PLACEMENT_ROW):
            _, end, gone, _ = [0] * 4 if kind == PLACEMENT else [body.number() for _ in range(4)]
            key = self.place(body)
            entry = self.placements.pop(key) if end else None
            if gone:
                self.gone.append((key, entry))
        elif kind == FOLDER_GONE:
            number = body.number()
            self.close(lambda key: key[0] == number)
        elif kind == UIDVALIDITY:
            number, validity = body.number(), body.number()
            self.close(lambda key: key[0] == number and key[1] != validity)
        elif kind == FLAGS:
            key = body.number(), body.number(), body.number()
            if key in self.placements:
                self.placements[key] = (*self.placements[key][:2], body.string())
        elif kind == GONE:
            folder, validity, count, last = body.number(), body.number(), body.number(), 0
            for _ in range(count):
                first = last + body.number()
                last = first + body.number()
                self.close(lambda key, first=first, last=last:
                           key[:2] == (folder, validity) and first <= key[2] <= last)
        elif kind not in (MARK, SNAPSHOT, PIN, UNPIN, PRUNED, TOMBSTONE, VOLUME, SNAPSHOT_ROW):
            raise Damaged(f"{volume.path}: a record of kind {kind}")

    def place(self, body):
        key = body.number(), body.number(), body.number()
        message, _, bits = body.number(), body.number(), body.number()
        date = ""
        if bits & 1:
            seconds, minutes = body.signed(), body.signed()
            date = datetime.fromtimestamp(seconds, timezone(timedelta(minutes=minutes))).isoformat()
        if bits & 2:
            date = body.string()
        self.placements.setdefault(key, (message, date, body.string()))
        return key

    def close(self, chosen):
        for key in [key for key in self.placements if chosen(key)]:
            self.gone.append((key, self.placements.pop(key)))

    def item(self, number):
        volume, frame, offset, size, leaves = self.items[number]
        data = volume.item(frame, offset, size)
        return join(data, [self.item(leaf) for leaf in leaves]) if leaves else data

    def read(self, message):
        digest, size, item = self.messages[message]
        volume, data = self.items[item][0], self.item(item)
        if len(data) != size or hashlib.sha256(data).digest() != digest:
            raise Damaged(f"{volume.path}: message {message} is damaged")
        return data


def safe_place(output, path):
    """A folder below output, whatever a server called it."""
    components = [quote(part, safe="% ") for part in path.split("/")]
    return output.joinpath(*(part if part.strip(".") else part.replace(".", "%2E") or "%"
                             for part in components))


def extract(archive, output, with_gone):
    """Writes all messages, as they lie, so that a frame is unpacked once; how many are lost."""
    wanted = list(archive.placements.items()) + (archive.gone if with_gone else [])
    at = {message: archive.items[row[2]] for message, row in archive.messages.items()}
    wanted.sort(key=lambda entry: (at[entry[1][0]][0].header["sequence"], *at[entry[1][0]][1:3]))
    lost = 0
    with open(output / "index.tsv", "w", encoding="utf-8", errors="surrogateescape") as index:
        for (folder, validity, uid), (message, date, flags) in wanted:
            path = archive.folders[folder]
            place = safe_place(output, path)
            place.mkdir(parents=True, exist_ok=True)
            file = place / f"{validity}.{uid}.eml"
            try:
                file.write_bytes(archive.read(message))
            except Damaged as damage:
                lost += 1
                print(f"{path} {uid}: {damage}", file=sys.stderr)
                continue
            index.write("\t".join((path, str(validity), str(uid),
                                   archive.messages[message][0].hex(), date, flags,
                                   str(file.relative_to(output)))) + "\n")
    print(f"{len(wanted) - lost} messages, {lost} lost; head {archive.head.hex()}")
    return lost


def main():
    parser = argparse.ArgumentParser(description="Takes every message out of an archive.")
    parser.add_argument("archive", type=pathlib.Path)
    parser.add_argument("output", type=pathlib.Path)
    parser.add_argument("--gone", action="store_true", help="also what the server no longer has")
    options = parser.parse_args()
    options.output.mkdir(parents=True, exist_ok=True)
    try:
        return 1 if extract(Archive(options.archive), options.output, options.gone) else 0
    except (Damaged, sqlite3.DatabaseError) as damage:
        print(f"read_archive.py: {damage}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
