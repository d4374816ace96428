#!/usr/bin/env python3
"""Turn a folder of schema/ into C: the migrations and the named queries of one kind of database.

    embed_sql.py NAME APPLICATION_ID OUTPUT_FOLDER FILE.sql...

Files named by digits (001.sql, 002.sql, ...) are migrations in that order; the others hold queries,
each after a line `-- name: what_it_does`. Writes NAME_sql.h with `enum NAME_query` and
`extern const struct db_kind NAME_kind;`, and NAME_sql.c with their text.
"""

import pathlib
import re
import sys

NAME_LINE = re.compile(r"^-- name: ([a-z][a-z0-9_]*)$")


def without_comments(lines):
    kept = (line.rstrip() for line in lines if not line.lstrip().startswith("--"))
    return [line for line in kept if line]


def c_text(lines):
    quoted = (line.replace("\\", "\\\\").replace('"', '\\"').replace("\t", " ") for line in lines)
    return "\n".join(f'\t"{line}\\n"' for line in quoted)


def read_queries(path):
    queries = {}
    name = None
    for number, line in enumerate(path.read_text().splitlines(), 1):
        match = NAME_LINE.match(line)
        if match:
            name = match.group(1)
            if name in queries:
                sys.exit(f"{path}:{number}: {name} is named twice")
            queries[name] = []
        elif name:
            queries[name].append(line)
        elif line and not line.startswith("--"):
            sys.exit(f"{path}:{number}: a statement before the first '-- name:'")
    return queries


def header_text(kind, queries):
    upper = kind.upper()
    names = "\n".join(f"\t{upper}_{name.upper()}," for name in queries)
    return f"""/* Made of schema/{kind}/ by tools/embed_sql.py. */
#ifndef MAILSTOW_{upper}_SQL_H
#define MAILSTOW_{upper}_SQL_H

#include "db/db.h"

enum {kind}_query {{
{names}
    {upper}_QUERIES_COUNT
}};

extern const struct db_kind {kind}_kind;

#endif
"""


def source_text(kind, application_id, migrations, queries):
    texts = (without_comments(path.read_text().splitlines()) for path in migrations)
    steps = ",\n".join(c_text(lines) for lines in texts)
    table = "\n".join(
        f'\t{{"{name}",\n{c_text(without_comments(lines))}}},' for name, lines in queries.items())
    return f"""/* Made of schema/{kind}/ by tools/embed_sql.py. */
#include "{kind}_sql.h"

static const char *const migrations[] = {{
{steps},
}};

static const struct db_query queries[] = {{
{table}
}};

const struct db_kind {kind}_kind = {{
    .name = "{kind}",
    .application_id = {application_id},
    .version = {len(migrations)},
    .migrations = migrations,
    .queries = queries,
    .queries_count = {kind.upper()}_QUERIES_COUNT,
}};
"""


def main():
    kind, application_id, folder = sys.argv[1:4]
    paths = [pathlib.Path(name) for name in sys.argv[4:]]
    migrations = sorted(path for path in paths if path.stem.isdigit())
    for number, path in enumerate(migrations, 1):
        if int(path.stem) != number:
            sys.exit(f"{path}: migration {number:03} is missing")
    queries = {}
    for path in paths:
        if not path.stem.isdigit():
            queries.update(read_queries(path))
    out = pathlib.Path(folder)
    (out / f"{kind}_sql.h").write_text(header_text(kind, queries))
    (out / f"{kind}_sql.c").write_text(source_text(kind, application_id, migrations, queries))


main()
