"""Rules of tools/tidy.py on rooms: who includes whom, what leaves a room, what describes it."""

import re

from tidy_source import INCLUDE, folder_of, included, is_c, line_at, stem_of, without_comments

# Who may include whom: a room's own headers and those of the rooms named here. Tests see all.
MAY_INCLUDE = {
    "base": (),
    "net": ("base",),
    "imap": ("base", "net"),
    "db": ("base",),
    "mime": ("base",),
    "config": ("base",),
    "archive": ("base", "db", "mime"),
    "state": ("base", "db"),
    "mirror": ("base", "net", "imap", "mime", "archive", "config", "state"),
    "daemon": ("base", "net", "imap", "mime", "archive", "config", "state", "mirror"),
    "restore": ("base", "net", "imap", "db", "mime", "archive", "config", "state", "mirror"),
}

# A dependency has one door; (): none yet. Tests may go in through the wall.
DOORS = (
    (re.compile(r"sqlite3(ext)?\.h"), ("lib/db/",)),
    (re.compile(r"openssl/"), ("lib/base/crypto.c", "lib/net/tls")),
    (re.compile(r"zstd(_errors)?\.h"), ("lib/archive/format/zstd.c",)),
    (re.compile(r"archive(_entry)?\.h"), ()),
    (re.compile(r"ini\.h"), ("lib/config/load/document.c",)),
    (re.compile(r"jansson\.h"), ("restore/ui/json.c",)),
    (re.compile(r"uv\.h"), ("daemon/",)),
    (re.compile(r"zlib\.h"), ()),
)

# The same within a room: which of its sub-rooms a sub-room may include, "" for the room's own
# folder. The room's own folder may include each of them.
ARCHIVE_LAYERS = ("", "format", "keys", "volume", "catalogue", "read")
MAY_INCLUDE_INSIDE = {
    "lib/archive": {
        "format": ARCHIVE_LAYERS[:1], "keys": ARCHIVE_LAYERS[:2], "volume": ARCHIVE_LAYERS[:3],
        "catalogue": ARCHIVE_LAYERS[:4], "read": ARCHIVE_LAYERS[:5], "check": ARCHIVE_LAYERS,
        "write": ARCHIVE_LAYERS, "compact": (*ARCHIVE_LAYERS, "write"),
    },
    "lib/config": {"load": ("",)},
    "lib/imap": {"parse": ("",), "sasl": ("",)},
    "lib/mirror": {"folder": ("",)},
    "restore": {
        "ui": (), "map": (), "match": (), "upload": ("map", "match"),
        "commands": ("", "ui", "map", "match", "upload"),
    },
}
FOLDER_FILES_MAX = 32
DESCRIBED = ("lib/", "daemon/", "restore/")

# Headers in sub-rooms that callers outside the room use all the same.
PUBLIC = ("restore/upload/restore.h",)


def room_of(path):
    parts = path.split("/")
    return parts[1] if parts[0] == "lib" and len(parts) > 2 else parts[0]


def includes_follow_the_table(tree):
    for path, text in tree.items():
        allowed = MAY_INCLUDE.get(room_of(path))
        if not is_c(path) or allowed is None:
            continue
        for match in INCLUDE.finditer(without_comments(text)):
            kind, name = match.groups()
            room = name.split("/")[0]
            if kind == '"' and path.startswith("lib/") and "/" not in name:
                yield path, line_at(text, match.start(1)), f'"{name}" is not written from lib/'
            elif kind == '"' and "/" in name and room not in allowed + (room_of(path),):
                yield path, line_at(text, match.start(1)), f"{room_of(path)} may not include {name}"


def dependencies_have_one_door(tree):
    for path, text in tree.items():
        if not is_c(path) or path.startswith("tests/"):
            continue
        for match in INCLUDE.finditer(without_comments(text)):
            kind, name = match.groups()
            for header, doors in DOORS:
                if kind == "<" and header.match(name) and not path.startswith(doors):
                    yield (path, line_at(text, match.start(1)),
                           f"<{name}> belongs to {' and '.join(doors) or 'no room yet'}")


def sub_rooms_follow_the_table(tree):
    for path in tree:
        room = next((room for room in MAY_INCLUDE_INSIDE if path.startswith(room + "/")), None)
        if not is_c(path) or not room or folder_of(path) == room:
            continue
        own = folder_of(path).removeprefix(room + "/")
        allowed = MAY_INCLUDE_INSIDE[room].get(own)
        if allowed is None:
            yield path, 1, f"{room}/{own} is not in the table MAY_INCLUDE_INSIDE"
            continue
        for line, header in included(tree, path):
            other = folder_of(header).removeprefix(room).removeprefix("/")
            if header.startswith(room + "/") and other != own and other not in allowed:
                yield path, line, f"{room}/{own} may not include {header}"


def is_private(header):
    rooms = ("restore", "daemon") if header.startswith(("restore/", "daemon/")) else ("lib/",)
    depth = 2 if rooms == ("lib/",) else 1
    return header.startswith(DESCRIBED) and header not in PUBLIC and (
        header.endswith("_internal.h") or header.count("/") > depth)


def may_see_private(path, header):
    """The room itself, and the tests of that room."""
    room = room_of(header)
    return room_of(path) == room or path.startswith(
        ("tests/fuzz/", f"tests/unit/{room}/", f"tests/support/{room}/"))


def only_public_headers_leave_a_room(tree):
    for path in tree:
        for line, header in included(tree, path) if is_c(path) else ():
            if is_private(header) and not may_see_private(path, header):
                yield path, line, f"{header} is private to {room_of(header)}"


def every_file_is_described(tree):
    for path in tree:
        if is_c(path) and path.startswith(DESCRIBED):
            folder = folder_of(path)
            readmes = [f"{folder}/README.md", f"{folder_of(folder)}/README.md"]
            words = "".join(tree.get(readme, "") for readme in readmes)
            if not re.search(rf"`{re.escape(stem_of(path))}(\.[ch])?`", words):
                yield path, 1, f"neither {' nor '.join(readmes)} names it"


def folders_are_small(tree):
    counts = {}
    for path in tree:
        counts.setdefault(folder_of(path), []).append(path)
    for folder, paths in counts.items():
        if (folder + "/").startswith(DESCRIBED) and len(paths) > FOLDER_FILES_MAX:
            yield sorted(paths)[-1], 1, f"{len(paths)} files in {folder}"


RULES = (
    includes_follow_the_table, dependencies_have_one_door, sub_rooms_follow_the_table,
    folders_are_small, only_public_headers_leave_a_room, every_file_is_described,
)

INDECENT = {
    includes_follow_the_table: (
        ("lib/base/a.c", '#include "net/tls.h"\n'), ("lib/imap/a.c", '#include "archive/b.h"\n'),
        ("lib/archive/a.c", '#include "imap/b.h"\n'), ("daemon/a.c", '#include "restore/b.h"\n'),
        ("restore/a.c", '#include "daemon/b.h"\n'), ("lib/net/a.c", '#include "tls.h"\n'),
        ("lib/mirror/a.c", '#include "db/db.h"\n')),
    dependencies_have_one_door: (
        ("lib/archive/a.c", "#include <sqlite3.h>\n"),
        ("lib/net/a.c", "#include <openssl/err.h>\n"),
        ("restore/a.c", "#include <jansson.h>\n"), ("daemon/a.c", "#include <ini.h>\n"),
        ("lib/net/a.c", "#include <uv.h>\n"), ("lib/net/a.c", "#include <zstd.h>\n"),
        ("restore/a.c", "#include <archive.h>\n")),
    sub_rooms_follow_the_table: (
        ("lib/archive/format/a.c", '#include "archive/volume/b.h"\n',
         {"lib/archive/volume/b.h": ""}),
        ("lib/archive/volume/a.h", '#include "archive/catalogue/b.h"\n',
         {"lib/archive/catalogue/b.h": ""}),
        ("restore/ui/a.c", '#include "restore/app.h"\n', {"restore/app.h": ""}),
        ("restore/attic/a.c", "int a;\n")),
    only_public_headers_leave_a_room: (
        ("restore/a.c", '#include "archive/keys/b.h"\n', {"lib/archive/keys/b.h": ""}),
        ("lib/mirror/a.c", '#include "imap/b_internal.h"\n', {"lib/imap/b_internal.h": ""}),
        ("tests/cli/a.c", '#include "restore/map/b.h"\n', {"restore/map/b.h": ""})),
    every_file_is_described: (
        ("lib/base/b.c", "int b;\n"), ("restore/ui/a.h", ""), ("daemon/a.c", "")),
    folders_are_small: (
        ("lib/base/z.h", "", {f"lib/base/b{number}.c": "" for number in range(30)}),),
}
