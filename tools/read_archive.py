#!/usr/bin/env python3
"""Takes every message out of an archive, without mailstow: the format alone is enough.

    read_archive.py ARCHIVE OUTPUT [--gone] [--secret-file FILE]

Needs what schema/README.md says, Python's standard library, the zstd command and, for encrypted
archives, OpenSSL's libcrypto, by ctypes: the openssl command takes keys as arguments, which all
users see. Passphrase, key or recovery key: FILE's first line, or it is asked for. OUTPUT gets a
folder for each mail folder, UIDVALIDITY.UID.eml in it, and index.tsv: path, UIDVALIDITY, uid,
SHA-256, INTERNALDATE, flags, file. --gone: also mail that is gone from the server. Exit 1: damage.
"""

import argparse
import base64
import ctypes.util
import functools
import getpass
import hashlib
import hmac
import io
import pathlib
import re
import sqlite3
import subprocess
import sys
from datetime import datetime, timedelta, timezone
from itertools import accumulate
from urllib.parse import quote

STORED, ZSTD, SEALED, DIRECTORY, JOURNAL = 0, 1, 16, (4, 4), (3, 5)
SKELETON, PAYLOAD_VERSION, FINAL, CHECKPOINT, PASSPHRASE, KEY, RECOVERY_KEY = 2, 1, 1, 2, 1, 2, 3
CLEAR, ITEM, MESSAGE, FOLDER, FOLDER_GONE, UIDVALIDITY, PLACEMENT, FLAGS, GONE = range(9)
ITEM_ROW, FOLDER_ROW, PLACEMENT_ROW, NOT_NEEDED = 17, 18, 19, (9, 10, 11, 12, 14, 15, 16, 20)
NONCE, TAG, DIGEST, SET_TAG, RING_HEAD, SLOT, EPOCH = 12, 16, 32, 17, 30, 108, slice(21, 25)
FAILURES = ValueError, LookupError, sqlite3.DatabaseError, subprocess.SubprocessError
CROCKFORD = str.maketrans("JKMNPQRSTVWXYZOIL", "IJKLMNOPQRSTUV011", "- ")  # as int() reads base 32


def need(condition, words):
    if not condition:
        raise ValueError(words)


def unseal(key, sealed, additional):
    """What AES-256-GCM sealed as nonce, ciphertext, tag; None: damaged, or not with this key."""
    lib = ctypes.CDLL(ctypes.util.find_library("crypto") or "libcrypto.so.3")
    lib.EVP_CIPHER_CTX_new.restype = lib.EVP_aes_256_gcm.restype = ctypes.c_void_p
    context, gcm = map(ctypes.c_void_p, (lib.EVP_CIPHER_CTX_new(), lib.EVP_aes_256_gcm()))
    text, count = sealed[NONCE:-TAG], ctypes.byref(ctypes.c_int())
    plain = ctypes.create_string_buffer(len(sealed))
    good = (lib.EVP_DecryptInit_ex(context, gcm, None, key, sealed[:NONCE]) == 1
            and lib.EVP_DecryptUpdate(context, None, count, additional, len(additional)) == 1
            and lib.EVP_DecryptUpdate(context, plain, count, text, len(text)) == 1
            and lib.EVP_CIPHER_CTX_ctrl(context, SET_TAG, TAG, sealed[-TAG:]) == 1
            and lib.EVP_DecryptFinal_ex(context, plain, count) == 1)
    lib.EVP_CIPHER_CTX_free(context)
    return plain.raw[:len(text)] if good else None


def hkdf(key, info, salt=bytes(DIGEST)):
    return hmac.digest(hmac.digest(salt, key, "sha256"), info + b"\1", "sha256")


def master_key(ring, text):
    """The master key that a keyring has wrapped for a passphrase, key or recovery key."""
    digits, hexadecimal = text.upper().translate(CROCKFORD), re.fullmatch("[0-9a-fA-F]{64}", text)
    secrets = {PASSPHRASE: text.encode("utf-8", "surrogateescape"),
               KEY: bytes.fromhex(text) if hexadecimal else b"",
               RECOVERY_KEY: (int(digits, 32) >> 20).to_bytes(20, "big")
               if re.fullmatch("[0-9A-V]{36}", digits) else b""}
    for slot in (ring[at:at + SLOT] for at in range(RING_HEAD, len(ring) - DIGEST, SLOT)):
        (log_n, r, p), salt, secret = slot[13:16], slot[16:48], secrets[slot[0]]
        key = (hashlib.scrypt(secret, salt=salt, n=1 << log_n, r=r, p=p, maxmem=1 << 29, dklen=32)
               if slot[0] == PASSPHRASE else hkdf(secret, b"slot", salt))
        master = unseal(key, slot[48:], b"MSK1" + ring[5:25] + slot[:48])
        if master:
            mac = hmac.digest(hkdf(master, b"keyring"), ring[:-DIGEST], "sha256")
            need(mac == ring[-DIGEST:], "the keyring is damaged")
            return master
    raise ValueError("this passphrase or key does not open the archive")


class Reader(io.BytesIO):
    """Numbers and strings of a payload."""

    def take(self, count):
        data = self.read(count)
        need(len(data) == count, "a record ends early")
        return data

    def number(self):
        byte = self.take(1)[0]
        return byte if byte < 128 else (byte & 127) + (self.number() << 7)

    def numbers(self, count):
        return tuple(self.number() for _ in range(count))

    def string(self):
        return self.take(self.number()).decode("utf-8", "surrogateescape")


class Volume:
    """The frames of one file."""

    def __init__(self, path):
        self.path, self.key, self.places = path, None, {}
        self.db = sqlite3.connect(f"file:{quote(str(path))}?mode=ro", uri=True)
        self.header = dict(self.db.execute("select key, value from header"))

    def unlock(self, master):
        self.key = master and hkdf(master, b"frame", self.header["volume"])
        for number in self.frames(DIRECTORY):  # where a sealed volume's items lie
            reader, item, end = Reader(self.frame(number)), 0, len(self.frame(number))
            while reader.tell() < end:
                item += reader.number()
                self.places[item] = reader.numbers(2)

    @functools.lru_cache(4)
    def frame(self, number):
        where = f"{self.path}: frame {number}"
        row = self.db.execute("select kind, codec, rawlen, sha256, data from frame where id = ?",
                              (number,)).fetchone()
        need(row and hashlib.sha256(row[4]).digest() == row[3], f"{where} is missing or damaged")
        kind, codec, length, _, data = row
        need(codec & ~ZSTD == (SEALED if self.key else STORED), f"{where} has codec {codec}")
        if self.key:
            about = number.to_bytes(8, "big") + bytes((kind, codec)) + length.to_bytes(8, "big")
            data = unseal(self.key, data, b"MSF1" + self.header["archive"] + self.header["volume"]
                          + about)
            need(data is not None, f"{where} is not what it was sealed as")
        if codec & ZSTD:
            data = subprocess.check_output(["zstd", "-dcq"], input=data)
        need(len(data) == length, f"{where} has another length")
        return data

    def frames(self, kinds):
        return [row[0] for row in
                self.db.execute(f"select id from frame where kind in {kinds} order by id")]

    def item(self, frame, offset, size):
        """Bytes that begin in a frame and may go on in the next ones."""
        data = bytearray()
        while len(data) < size:
            part = self.frame(frame)[offset:offset + size - len(data)]
            need(part, f"{self.path}: frame {frame} ends early")
            data += part
            frame, offset = frame + 1, 0
        return bytes(data)


def join(skeleton, leaves):
    """A skeleton with its gaps filled."""
    reader, parts = Reader(skeleton), []
    gaps = [(reader.number(), reader.numbers(2) if reader.number() else None)
            for _ in range(reader.number())]
    for leaf, (length, lines) in zip(leaves, gaps, strict=True):
        if lines:  # base64
            found = re.findall(b".{1,%d}" % lines[0], base64.b64encode(leaf))
            leaf = b"\r\n".join(found) + b"\r\n" * lines[1]
        parts += [reader.take(length), leaf]
    return b"".join(parts) + reader.read()


class Archive:
    """The state that the journals of all volumes make."""

    def __init__(self, path, secret_file):
        volumes = [Volume(file) for file in sorted(
            path.glob("volumes/*.vol"), key=lambda file: int(file.name.split("-")[0]))]
        need(volumes, f"{path}: no volumes")
        rings = [volume.header.get("key_slots", b"") for volume in volumes]
        rings += [file.read_bytes() for file in path.glob("keyring")]  # the newest comes last
        secret = any(rings) and (secret_file.readline().rstrip("\n") if secret_file else
                                 getpass.getpass("Passphrase, key or recovery key: "))
        rings = {ring[EPOCH]: ring for ring in rings}.items()
        masters = {epoch: ring and master_key(ring, secret) for epoch, ring in rings}
        replaced = [volume.header.get("replaces") for volume in volumes]  # by a sealed one
        self.volumes = {volume.header["sequence"]: volume for volume in volumes
                        if volume.header["volume"] not in replaced}
        self.head = hashlib.sha256(volumes[0].header["archive"]).digest()
        self.sequence, self.broken, self.within, self.pending = 0, None, False, []
        self.record(0, CLEAR, None)
        for volume in self.volumes.values():
            volume.unlock(masters[volume.header.get("key_slots", b"")[EPOCH]])
            for frame in volume.frames(JOURNAL):
                self.payload(volume, volume.frame(frame))
        need(not self.broken, self.broken)

    def payload(self, volume, data):
        """Does what its records say when a final one came. A checkpoint replaces everything."""
        reader = Reader(data)
        (version, flags), before = reader.take(2), reader.take(DIGEST)
        number, _ = reader.numbers(2)
        need(version == PAYLOAD_VERSION, f"{volume.path}: payload of version {version}")
        if flags & CHECKPOINT and not self.within:
            self.head, self.sequence, self.broken = before, number - 1, None
            self.pending = [(0, CLEAR, None)]
        if (before, number) != (self.head, self.sequence + 1):
            self.broken = f"{volume.path}: payload {number} follows {self.sequence}"
        self.head, self.sequence = hashlib.sha256(data).digest(), number
        self.within = flags == CHECKPOINT
        while reader.tell() < len(data):
            self.pending.append((volume.header["sequence"], reader.number(),
                                 Reader(reader.take(reader.number()))))
        if flags & FINAL:
            for entry in self.pending:
                self.record(*entry)
            self.pending = []

    def record(self, sequence, kind, body):
        if kind == CLEAR:
            self.items, self.messages, self.folders, self.placements = {}, {}, {}, {}
        elif kind in (ITEM, ITEM_ROW):
            sequence = body.number() if kind == ITEM_ROW else sequence
            number, item_kind, frame, offset, size, has_digest = body.numbers(6)
            body.take(DIGEST * has_digest)
            leaves = body.numbers(body.number()) if item_kind == SKELETON else ()
            place = self.volumes[sequence].places.get(number, (frame, offset))
            self.items[number] = (sequence, *place, size, leaves)
        elif kind == MESSAGE:
            number, digest = body.number(), body.take(DIGEST)
            self.messages[number] = digest, body.numbers(3)[2]
        elif kind in (FOLDER, FOLDER_ROW):  # the last row of a folder has its name
            number = body.numbers(6)[3] if kind == FOLDER_ROW else body.numbers(3)[0]
            self.folders[number] = body.string()
        elif kind in (PLACEMENT, PLACEMENT_ROW):  # the last row of a place tells how it is
            gone = body.numbers(4)[2] if kind == PLACEMENT_ROW else 0
            place, (message, _, bits), date = body.numbers(3), body.numbers(3), ""
            if bits & 1:
                seconds, minutes = ((n >> 1) ^ -(n & 1) for n in body.numbers(2))
                date = datetime.fromtimestamp(seconds, timezone(timedelta(minutes=minutes)))
            date = body.string() if bits & 2 else date and date.isoformat()
            self.placements[place] = [message, date, body.string(), not gone]
        elif kind == FLAGS:
            place = body.numbers(3)
            self.placements[place][2] = body.string()
        elif kind in (FOLDER_GONE, UIDVALIDITY, GONE):
            folder, now = body.number(), None if kind == FOLDER_GONE else body.number()
            ends = list(accumulate(body.numbers(2 * body.number() if kind == GONE else 0)))
            for (place, validity, uid), row in self.placements.items():
                if place == folder and (validity != now if kind != GONE else validity == now and
                                        any(a <= uid <= b for a, b in zip(ends[::2], ends[1::2]))):
                    row[3] = False
        else:
            need(kind in NOT_NEEDED, f"volume {sequence}: a record of kind {kind}")

    def item(self, number):
        sequence, frame, offset, size, leaves = self.items[number]
        data = self.volumes[sequence].item(frame, offset, size)
        return join(data, [self.item(leaf) for leaf in leaves]) if leaves else data

    def read(self, message):
        data = self.item(self.messages[message][1])
        need(hashlib.sha256(data).digest() == self.messages[message][0], "damaged")
        return data


def extract(archive, output, with_gone):
    """Writes all messages, as they lie, so that a frame is unpacked once; how many are lost."""
    wanted = [entry for entry in archive.placements.items() if entry[1][3] or with_gone]
    wanted.sort(key=lambda entry: archive.items[archive.messages[entry[1][0]][1]][:3])
    lost = 0
    with open(output / "index.tsv", "w", encoding="utf-8", errors="surrogateescape") as index:
        for (folder, validity, uid), (message, date, flags, _) in wanted:
            path = archive.folders[folder]
            place = output.joinpath(*(re.sub(r"^\.*$", lambda dots: f"%{len(dots[0])}", quote(
                part, safe="% ")) for part in path.split("/")))  # below it, whatever the name
            place.mkdir(parents=True, exist_ok=True)
            file = place / f"{validity}.{uid}.eml"
            try:
                file.write_bytes(archive.read(message))
                print(path, validity, uid, archive.messages[message][0].hex(), date, flags,
                      file.relative_to(output), sep="\t", file=index)
            except FAILURES as damage:
                lost += 1
                print(f"{path} {uid}: {damage}", file=sys.stderr)
    print(f"{len(wanted) - lost} messages, {lost} lost; head {archive.head.hex()}")
    return lost


def main():
    parser = argparse.ArgumentParser(description="Takes every message out of an archive.")
    parser.add_argument("archive", type=pathlib.Path)
    parser.add_argument("output", type=pathlib.Path)
    parser.add_argument("--gone", action="store_true", help="also mail gone from the server")
    parser.add_argument("--secret-file", type=argparse.FileType(errors="surrogateescape"),
                        help="a file with the passphrase, key or recovery key")
    options = parser.parse_args()
    options.output.mkdir(parents=True, exist_ok=True)
    try:
        archive = Archive(options.archive, options.secret_file)
        return 1 if extract(archive, options.output, options.gone) else 0
    except FAILURES as damage:
        print(f"read_archive.py: {damage}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
