"""An archive as text: every frame, every record, every row. It shares nothing with mailstow.

    lines = archive_dump.dump(archive, key)     key: 64 hexadecimal digits, or None

Two archives of the same mail have the same dump: what chance or the clock decides (uuids,
keys, salts, nonces, times) has a placeholder. Whatever follows from other bytes (digests, tags,
the chain of the journal) is recalculated and dumped as "good", or as it is.

Numbers have one spelling, and records end with their last field, so decoded records say every
byte of a payload.
"""

import ctypes.util
import functools
import hashlib
import hmac
import pathlib
import shutil
import sqlite3
import struct
import subprocess
import tempfile
import uuid

SEALED, ZSTD, NONCE, TAG, DIGEST, PAGE, PAGE_PLAIN = 16, 1, 12, 16, 32, 4096, 100
RING_HEAD, SLOT, SLOT_KEY, SLOT_SALT = 30, 108, 2, slice(16, 48)
RING_CHANGING = 2
WAL_HEAD, WAL_FRAME = 32, 24
SHOWN_DIGITS = 16
KINDS = {1: "pack", 2: "part", 3: "journal", 4: "directory", 5: "checkpoint"}
DIRECTORY = 4
CHAINED = (3, 5)
UUID_KEYS, TIME_KEYS = ("archive", "volume", "replaces"), ("created_ms", "sealed_ms")
TIME_COLUMNS = ("pruned_ms", "flags_compared_ms", "unix_ms")
# Of each record: n number, s string, t time, i signed, d digest, u uuid; the rest has a function.
PLACEMENT, FOLDER_FIELDS, ITEM = "PLACEMENT", "FOLDER", "ITEM"
RECORDS = {
    1: ("item", "", ITEM), 2: ("message", "ndnnnssss", None), 3: ("folder", "", FOLDER_FIELDS),
    4: ("folder gone", "n", None), 5: ("uidvalidity", "nn", None),
    6: ("placement", "", PLACEMENT), 7: ("flags", "nnns", None), 8: ("gone", "nn", "RANGES"),
    9: ("mark", "nnnnnt", None), 10: ("snapshot", "ntn", None), 11: ("pin", "n", None),
    12: ("unpin", "n", None), 14: ("pruned", "T", None), 15: ("tombstone", "nnn", None),
    16: ("volume", "nun", None), 17: ("item row", "n", ITEM),
    18: ("folder row", "nnn", FOLDER_FIELDS), 19: ("placement row", "nnnn", PLACEMENT),
    20: ("snapshot row", "ntnnnnnn", None),
}


# --- ciphers ---

def unseal(key, sealed, additional):
    """Decrypts nonce, ciphertext and tag of AES-256-GCM; None: damaged, or another key."""
    lib = libcrypto()
    context, gcm = map(ctypes.c_void_p, (lib.EVP_CIPHER_CTX_new(), lib.EVP_aes_256_gcm()))
    text, count = sealed[NONCE:-TAG], ctypes.byref(ctypes.c_int())
    plain = ctypes.create_string_buffer(len(sealed))
    good = (lib.EVP_DecryptInit_ex(context, gcm, None, key, sealed[:NONCE]) == 1
            and lib.EVP_DecryptUpdate(context, None, count, additional, len(additional)) == 1
            and lib.EVP_DecryptUpdate(context, plain, count, text, len(text)) == 1
            and lib.EVP_CIPHER_CTX_ctrl(context, 17, TAG, sealed[-TAG:]) == 1
            and lib.EVP_DecryptFinal_ex(context, plain, count) == 1)
    lib.EVP_CIPHER_CTX_free(context)
    return plain.raw[:len(text)] if good else None


@functools.lru_cache(1)
def libcrypto():
    lib = ctypes.CDLL(ctypes.util.find_library("crypto") or "libcrypto.so.3")
    lib.EVP_CIPHER_CTX_new.restype = lib.EVP_aes_256_gcm.restype = ctypes.c_void_p
    return lib


def hkdf(key, info, salt=bytes(DIGEST)):
    return hmac.digest(hmac.digest(salt, key, "sha256"), info + b"\1", "sha256")


def sha256(data):
    return hashlib.sha256(data).digest()


def master_key(ring, key):
    """The master key that a keyring wraps for a key."""
    for at in range(RING_HEAD, RING_HEAD + SLOT * ring[RING_HEAD - 1], SLOT):
        slot = ring[at:at + SLOT]
        if slot[0] == SLOT_KEY:
            wrapping = hkdf(bytes.fromhex(key), b"slot", slot[SLOT_SALT])
            master = unseal(wrapping, slot[48:], b"MSK1" + ring[5:25] + slot[:48])
            if master:
                return master
    raise ValueError("the key does not open the archive")


# --- reading ---

class Reader:
    """Numbers and strings of a payload."""

    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, count):
        self.at += count
        if self.at > len(self.data):
            raise ValueError("a record ends early")
        return self.data[self.at - count:self.at]

    def number(self):
        value = shift = 0
        while True:
            byte = self.take(1)[0]
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                if byte == 0 and shift > 7:
                    raise ValueError("a number with needless bytes")
                return value

    def signed(self):
        number = self.number()
        return number >> 1 ^ -(number & 1)

    def string(self):
        return self.take(self.number()).decode("utf-8", "backslashreplace")

    def left(self):
        return len(self.data) - self.at


def database(path, copy):
    """Opens a copy, so that nothing changes beside the archive's files."""
    for name in (path, pathlib.Path(f"{path}-wal")):
        if name.exists():
            shutil.copyfile(name, copy / name.name)
    return sqlite3.connect(copy / path.name)


def unsealed_pages(path, key, copy):
    """Decrypts a database with encrypted pages, and its -wal, into a plain one."""
    pages, wal = {}, pathlib.Path(f"{path}-wal")
    data, log = path.read_bytes(), wal.read_bytes() if wal.exists() else b""
    for at in range(0, len(data), PAGE):
        pages[at // PAGE + 1] = data[at:at + PAGE]
    pending = {}
    for at in range(WAL_HEAD, len(log), WAL_FRAME + PAGE):
        number, size = struct.unpack(">II", log[at:at + 8])
        if log[at + 8:at + 16] != log[16:24]:  # of an earlier round
            break
        pending[number] = log[at + WAL_FRAME:at + WAL_FRAME + PAGE]
        if size:
            pages = {**pages, **pending}
            pages, pending = {n: page for n, page in pages.items() if n <= size}, {}
    with open(copy / "plain.db", "wb") as file:
        for number, page in sorted(pages.items()):
            file.write(unsealed_page(number, page, key))
    return sqlite3.connect(f"file:{copy / 'plain.db'}?immutable=1", uri=True)


def unsealed_page(number, page, key):
    if not any(page):
        return page
    head = page[:PAGE_PLAIN] if number == 1 else b""
    end = PAGE - NONCE - TAG
    sealed = page[end:end + NONCE] + page[len(head):end] + page[end + NONCE:]
    plain = unseal(key, sealed, b"MSP1" + number.to_bytes(4, "big") + head)
    if plain is None:
        raise ValueError(f"page {number} is not what it was sealed as")
    return head + plain + bytes(NONCE + TAG)


# --- the dump ---

class Dump:
    def __init__(self, path, key, stored):
        self.path, self.key, self.stored = path, key, stored
        self.lines, self.names = [], {}
        self.masters, self.head = {}, None

    def say(self, *words):
        self.lines.append(" ".join(map(str, words)))

    def uuid(self, data):
        """One name for each uuid, in the order of appearance."""
        return self.names.setdefault(bytes(data), f"<uuid {len(self.names) + 1}>")

    @staticmethod
    def time(number):
        return "<time>" if number else "0"

    def schema(self, db):
        for name in ("application_id", "user_version", "page_size", "journal_mode",
                     "auto_vacuum", "encoding"):
            self.say(" pragma", name, db.execute(f"pragma {name}").fetchone()[0])
        for kind, name, sql in db.execute("select type, name, sql from sqlite_master"
                                          " where name not like 'sqlite_%' order by name"):
            self.say(" schema", kind, name, short(sha256((sql or "").encode())))

    # --- keyring ---

    def ring(self, ring):
        version, slots = ring[4], RING_HEAD + SLOT * ring[RING_HEAD - 1]
        master = master_key(ring, self.key)
        epoch = int.from_bytes(ring[21:25], "big")
        self.masters[epoch] = master
        tag = hmac.digest(hkdf(master, b"keyring"), ring[:-DIGEST], "sha256")
        self.say(" keyring", ring[:4].decode(), "version", version, self.uuid(ring[5:21]), "epoch",
                 epoch, "last", int.from_bytes(ring[25:29], "big"), "bytes", len(ring),
                 "good" if tag == ring[-DIGEST:] else "BAD TAG")
        for at in range(RING_HEAD, slots, SLOT):
            slot = ring[at:at + SLOT]
            self.say("  slot kind", slot[0], "id", int.from_bytes(slot[1:5], "big"), "made",
                     self.time(int.from_bytes(slot[5:13], "big")), "scrypt", *slot[13:16])
        if version == RING_CHANGING:
            self.say("  before", ring[slots:slots + 12].hex())

    # --- volumes ---

    def volume(self, path, copy):
        db = database(path, copy)
        header = dict(db.execute("select key, value from header"))
        name = f"{header['sequence']:08}-{uuid.UUID(bytes=header['volume'])}.vol"
        self.say("volume", header["sequence"], "named", "as it should" if name == path.name
                 else "ANOTHER NAME", f"mode {path.stat().st_mode & 0o777:o}")
        self.schema(db)
        ring = header.get("key_slots")
        for key, value in sorted(header.items()):
            if key in UUID_KEYS:
                value = self.uuid(value)
            elif key in TIME_KEYS:
                value = self.time(value)
            elif key == "root":
                value = "good" if value == self.root(db) else value.hex()
            elif key == "key_slots":
                value = f"{len(value)} bytes"
            self.say(" header", key, value)
        if ring:
            self.ring(ring)
        if self.head is None:
            self.head = sha256(header["archive"])
        for row in db.execute("select id, kind, codec, rawlen, sha256, data from frame"
                              " order by id"):
            self.frame(header, *row)
        self.say(" sequence", *db.execute("select name, seq from sqlite_sequence").fetchall())
        db.close()

    @staticmethod
    def root(db):
        rows = db.execute("select id, sha256 from frame order by id").fetchall()
        return sha256(b"".join(number.to_bytes(8, "big") + digest for number, digest in rows))

    def frame(self, header, number, kind, codec, rawlen, digest, data):
        words = [" frame", number, KINDS.get(kind, kind), "raw", rawlen]
        if digest != sha256(data):
            words.append("BAD DIGEST")
        inner = data
        if codec & SEALED:
            about = (b"MSF1" + header["archive"] + header["volume"] + number.to_bytes(8, "big")
                     + bytes((kind, codec)) + rawlen.to_bytes(8, "big"))
            inner = unseal(hkdf(self.masters[header["key_epoch"]], b"frame", header["volume"]),
                           data, about)
            if inner is None:
                raise ValueError(f"frame {number} is not what it was sealed as")
        raw = (subprocess.check_output(["zstd", "-dcq"], input=inner) if codec & ZSTD else inner)
        if len(raw) != rawlen:
            words.append("BAD LENGTH")
        if kind in CHAINED:
            # Head, uuids and times are compressed with the rest, so the size differs each time,
            # and so may, where a payload is short, whether it pays.
            self.say(*words, "encrypted" if codec & SEALED else "plain")
            self.payload(raw)
            return
        stored = f"{len(inner)} {short(sha256(inner))}" if self.stored else "-"
        self.say(*words, "codec", codec, "stored", stored, "sha256", short(sha256(raw)))
        if kind == DIRECTORY:
            self.directory(raw)

    def directory(self, raw):
        reader, item = Reader(raw), 0
        while reader.left():
            item += reader.number()
            self.say("  item", item, "frame", reader.number(), "offset", reader.number())

    # --- payloads ---

    def payload(self, raw):
        reader = Reader(raw)
        version, flags = reader.take(2)
        before = reader.take(DIGEST)
        follows = "good" if before == self.head else "of another" if flags & 2 else "BROKEN"
        self.head = sha256(raw)
        self.say("  payload version", version, "flags", flags, "previous", follows, "seq",
                 reader.number(), "generation", reader.number())
        while reader.left():
            kind, length = reader.number(), reader.number()
            self.record(kind, Reader(reader.take(length)))

    def record(self, kind, body):
        name, fields, more = RECORDS[kind]
        values = [self.field(field, body) for field in fields]
        if more == ITEM:
            values += item_fields(body)
        elif more == FOLDER_FIELDS:
            values += folder_fields(body)
        elif more == PLACEMENT:
            values += placement_fields(body)
        elif more:
            values.append([(body.number(), body.number()) for _ in range(body.number())])
        self.say("  ", name, *values, *(["AND MORE", body.left()] if body.left() else []))

    def field(self, field, body):
        if field == "s":
            return repr(body.string())
        if field == "d":
            return short(body.take(DIGEST))
        if field == "u":
            return self.uuid(body.take(16))
        if field in "tT":
            return self.time(body.signed())
        return body.number()

    # --- catalogue ---

    def catalogue(self, copy):
        path = self.path / "catalogue.db"
        newest = self.masters and self.masters[max(self.masters)]
        db = (unsealed_pages(path, hkdf(newest, b"catalogue"), copy) if newest
              else database(path, copy))
        self.say("catalogue", f"mode {path.stat().st_mode & 0o777:o}", "reserved",
                 path.read_bytes()[20])
        self.schema(db)
        for (table,) in db.execute("select name from sqlite_master where type = 'table'"
                                   " order by name").fetchall():
            rows = db.execute(f"select * from {table}")
            columns = [column[0] for column in rows.description]
            self.say(" table", table, *columns)
            for words in sorted((self.row(columns, row) for row in rows), key=by_value):
                self.say("  row", *words)
        db.close()

    def row(self, columns, row):
        words = []
        for column, value in zip(columns, row, strict=True):
            if column in ("archive", "uuid"):
                value = self.uuid(value)
            elif column == "head":
                value = "good" if value == self.head else "ANOTHER"
            elif column in TIME_COLUMNS:
                value = self.time(value)
            elif isinstance(value, bytes):
                value = short(value)
            elif isinstance(value, str):
                value = repr(value)
            words.append(value)
        return words


def short(digest):
    """Enough of a digest to see a difference."""
    return digest.hex()[:SHOWN_DIGITS]


def by_value(row):
    """Numbers by their size."""
    return [(isinstance(value, str), value if isinstance(value, str) else value or 0)
            for value in row]


def item_fields(body):
    number, kind, frame, offset, size = (body.number() for _ in range(5))
    digest = short(body.take(DIGEST)) if body.number() else "-"
    leaves = [body.number() for _ in range(body.number())] if body.left() else ""
    return number, "kind", kind, "frame", frame, "offset", offset, "size", size, digest, leaves


def folder_fields(body):
    number, bits, delimiter = body.number(), body.number(), body.number()
    return number, "bits", bits, delimiter, *(repr(body.string())
                                              for _ in range(4 if bits & 4 else 3))


def placement_fields(body):
    values = [body.number() for _ in range(6)]
    if values[5] & 1:
        values += [body.signed(), body.signed()]
    if values[5] & 2:
        values.append(repr(body.string()))
    return *values, repr(body.string())


def newest_first(path):
    """Of one sequence, the newest file counts; others show interrupted work."""
    return int(path.name.split("-")[0]), path.stat().st_mtime_ns


def dump(path, key=None, stored=True):
    """stored: include the compressed bytes, which depend on the version of zstd."""
    told = Dump(pathlib.Path(path), key, stored)
    with tempfile.TemporaryDirectory() as copy:
        copy = pathlib.Path(copy)
        names = sorted("volumes/" if file.parent.name == "volumes" else file.name
                       for file in told.path.rglob("*")
                       if file.is_file() and not file.name.endswith(("-shm", "-wal")))
        told.say("files", *names)
        if (told.path / "keyring").exists():
            told.ring((told.path / "keyring").read_bytes())
        for file in sorted(told.path.glob("volumes/*.vol"), key=newest_first):
            told.volume(file, copy)
        told.catalogue(copy)
    return told.lines
