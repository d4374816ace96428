#!/usr/bin/env python3
"""The rules of the house, checked as a test. Prints TAP: one line for each rule.

    tools/tidy.py [BUILD]         check the tree this file lies in; BUILD has what is generated
    tools/tidy.py --self-test     prove that each rule can fail, and lets decent code pass

A rule is a function from the tree ({path: text}) to findings (path, line, words). Tables at the top
say what may be included, called and written. The rules on rooms and on the graphs of includes and
calls are in tools/lib/tidy_*.py.
"""

import concurrent.futures
import os
import pathlib
import re
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent / "lib"))

import tidy_graph  # noqa: E402
import tidy_rooms  # noqa: E402
import tidy_words  # noqa: E402
from tidy_source import blank, is_c, line_at, without_comments, without_strings  # noqa: E402

FUNCTION_LINES_MAX = 70
FILE_LINES_MAX = 500
COLUMNS_MAX = 100
TAB_COLUMNS = 8

BANNED_CALLS = re.compile(
    r"(?<![\w.>])(strcpy|strcat|sprintf|vsprintf|strtok|atoi|atol|atoll|atof|system|popen|gets"
    r"|alloca|tmpnam|mktemp|rand|(?:v?[fs]?)scanf)\s*\(")
SQL_TEXT = re.compile(
    r'"\s*(select\b(?!.*\bsqlite_schema\b).*\bfrom\b'
    r'|select \w+\(|insert (or \w+ )?into\b|update \w+ set\b'
    r"|delete from \w+( where\b|;|\")|(create|drop|alter) (temp |unique |virtual )?"
    r"(table|index|view|trigger)\b|with \w+ as \()", re.I)
SQL_LOUD = re.compile(r"\b(SELECT|FROM|WHERE|INSERT|UPDATE|DELETE|CREATE|TABLE|VALUES|JOIN)\b")
UNFINISHED = re.compile(r"\b(TO" r"DO|FIX" r"ME|XX" r"X)\b")
CODE_SUFFIXES = (".c", ".h", ".py", ".sh", ".sql", ".build")
IGNORED_FOLDERS = re.compile(r"(^|/)(\.[^/]+|build[^/]*|__pycache__|subprojects)$")


def functions_are_short(tree):
    for path, text in tree.items():
        start = None
        for number, line in enumerate(text.split("\n") if is_c(path) else (), 1):
            if line == "{":
                start = number
            elif line == "}" and start:
                if number - start - 1 > FUNCTION_LINES_MAX:
                    yield path, start, f"a function of {number - start - 1} lines"
                start = None


def files_are_short(tree):
    for path, text in tree.items():
        if path.endswith(CODE_SUFFIXES) and text.count("\n") > FILE_LINES_MAX:
            yield path, FILE_LINES_MAX, f"{text.count(chr(10))} lines"


def lines_are_short(tree):
    for path, text in tree.items():
        for number, line in enumerate(text.split("\n"), 1):
            columns = len(line.expandtabs(TAB_COLUMNS))
            if columns > COLUMNS_MAX and path.endswith((".c", ".h", ".py", ".sh", ".sql")):
                yield path, number, f"{columns} columns"


def nothing_banned_is_called(tree):
    for path, text in tree.items():
        if is_c(path):
            code = without_strings(text)
            for match in BANNED_CALLS.finditer(code):
                yield path, line_at(code, match.start()), f"calls {match.group(1)}"


def sql_lives_in_schema(tree):
    for path, text in tree.items():
        if is_c(path) and not path.startswith("tests/"):
            code = without_comments(text)
            for match in SQL_TEXT.finditer(code):
                yield path, line_at(code, match.start()), f"SQL in C: {match.group()[:40]}"
        if path.endswith(".sql"):
            code = re.sub(r"--[^\n]*|'[^']*'", blank, text)
            for match in SQL_LOUD.finditer(code):
                yield path, line_at(code, match.start()), f"{match.group()} in capitals"


def white_space_is_regular(tree):
    for path, text in tree.items():
        if not path.endswith(CODE_SUFFIXES + (".md",)):
            continue
        if not text.endswith("\n") or text.endswith("\n\n"):
            yield path, line_at(text, len(text)), "does not end with one line end"
        for number, line in enumerate(text.split("\n"), 1):
            if line != line.rstrip():
                yield path, number, "white space at the end of a line"
            if re.match(r"\s* \t", line):
                yield path, number, "a tab after a space"
            if is_c(path) and re.match(r" {2,}(?![ *])", line):
                yield path, number, "indented with spaces"
            if path.endswith((".py", ".build")) and line.startswith("\t"):
                yield path, number, "indented with a tab"


def headers_have_guards(tree):
    for path, text in tree.items():
        if path.endswith(".h"):
            name = "MAILSTOW_" + re.sub(r"\W", "_", path.removeprefix("lib/")).upper()
            guards = re.findall(r"^#ifndef (\w+)\n#define \1\n", text, re.M)
            if not guards or not guards[0].startswith("MAILSTOW_"):
                yield path, 1, f"no include guard such as {name}"
            elif not text.lstrip().startswith("/*"):
                yield path, 1, "does not begin by saying what it is for"


def everything_is_built(tree):
    recipes = "\n".join(text for path, text in tree.items() if path.endswith("meson.build"))
    for path in tree:
        if path.endswith(".c") and not re.search(
                rf"['/]{re.escape(path.rpartition('/')[2])}'", recipes):
            yield path, 1, "no meson.build names it"


def nothing_is_unfinished(tree):
    for path, text in tree.items():
        if path.endswith(CODE_SUFFIXES):
            for match in UNFINISHED.finditer(text):
                yield path, line_at(text, match.start()), f"{match.group()} left in"


def every_folder_is_named(tree):
    documents = [tree[name] for name in ("README.md", "ARCHITECTURE.md") if name in tree]
    if not documents:
        return
    folders = set()
    for path in tree:
        parts = path.split("/")
        depth = 2 if parts[0] in ("lib", "tests") and len(parts) > 2 else 1
        if len(parts) > 1 and not parts[0].startswith("."):
            folders |= {"/".join(parts[:1]), "/".join(parts[:depth])}
    for folder in sorted(folders):
        if not any(re.search(rf"(?<![\w/]){folder}/|\b{folder.rpartition('/')[2]}/", text)
                   for text in documents):
            yield folder, 1, "README.md and ARCHITECTURE.md do not name it"


RULES = (
    *tidy_rooms.RULES, *tidy_graph.RULES, *tidy_words.RULES, functions_are_short, files_are_short,
    lines_are_short, nothing_banned_is_called, sql_lives_in_schema, white_space_is_regular,
    headers_have_guards, everything_is_built, nothing_is_unfinished, every_folder_is_named,
)


def headers_compile_alone(tree, root, build=None, compiler="cc"):
    """The one rule that needs a compiler: a header brings everything it uses.

    A header that includes one made by tools/embed_sql.py is looked at only where that was made.
    """
    generated = [f"-I{build}/lib"] if build else []

    def compiled(path):
        return subprocess.run(
            [compiler, "-x", "c", "-std=gnu17", "-D_GNU_SOURCE", "-fsyntax-only", "-Wall",
             "-Werror", "-Ilib", "-I.", "-Itests", "-I" + (path.rpartition("/")[0] or "."),
             *generated, "-include", path, "/dev/null"],
            cwd=root, capture_output=True, text=True, check=False)
    headers = sorted(path for path in tree if path.endswith(".h"))
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for path, run in zip(headers, pool.map(compiled, headers)):
            not_made = not build and re.search(r"_sql\.h: No such file", run.stderr)
            if run.returncode and not not_made:
                yield path, 1, run.stderr.strip().split("\n")[0]


def read_tree(root):
    tree = {}
    waiting = [root]
    while waiting:
        for entry in sorted(waiting.pop().iterdir()):
            path = entry.relative_to(root).as_posix()
            if entry.is_symlink():
                continue
            if entry.is_dir():
                if not IGNORED_FOLDERS.search(path):
                    waiting.append(entry)
            elif path.endswith(CODE_SUFFIXES + (".md",)):
                tree[path] = entry.read_text(encoding="utf-8")
    return tree


def report(number, name, findings):
    """One TAP line and what led to it."""
    print(f"{'not ok' if findings else 'ok'} {number} - {name}")
    for path, line, words in findings:
        print(f"# {path}:{line}: {words}")
    return not findings


def check(root, build=None):
    tree = read_tree(root)
    print(f"1..{len(RULES) + 1}")
    good = [report(number, rule.__name__, list(rule(tree)))
            for number, rule in enumerate(RULES, 1)]
    good.append(report(len(RULES) + 1, headers_compile_alone.__name__,
                       list(headers_compile_alone(tree, root, build))))
    return all(good)


DECENT = {
    "README.md": "`lib/` library rooms, `lib/base/`, `lib/net/`, `tests/`, `schema/`\n",
    "lib/meson.build": "base = static_library('base', 'a.c', 'net/tls.c')\n",
    "lib/base/a.h": "/* What it is for. */\n#ifndef MAILSTOW_BASE_A_H\n#define MAILSTOW_BASE_A_H\n"
                    "#include <stdbool.h>\n\nbool a(void);\n#endif\n",
    "lib/base/a.c": '#include "base/a.h"\n\n/* strcpy( is spoken of only here */\nbool a(void)\n{\n'
                    '\tputs("system() and select it from the list");\n\treturn true;\n}\n',
    "lib/net/tls.c": '#include <openssl/ssl.h>\n#include "base/a.h"\n',
    "lib/base/README.md": "`a` is first\n",
    "lib/net/README.md": "`tls.c` follows\n",
    "schema/volume.sql": "-- CREATE it\nselect 'FROM' from mail;\n",
}

INDECENT = {
    **tidy_rooms.INDECENT, **tidy_graph.INDECENT, **tidy_words.INDECENT,
    functions_are_short: (("lib/base/a.c", "void a(void)\n{\n" + "\ta();\n" * 71 + "}\n"),),
    files_are_short: (("lib/base/a.c", "int a;\n" * 501), ("tests/a.py", "a = 1\n" * 501)),
    lines_are_short: (("lib/base/a.c", "\t" * 5 + "x" * 61 + "\n"),),
    nothing_banned_is_called: tuple(
        ("lib/base/a.c", f"\t{name}(a, b);\n") for name in (
            "strcpy", "strcat", "sprintf", "strtok", "atoi", "atol", "system", "popen", "gets",
            "sscanf", "fscanf", "scanf", "alloca")),
    sql_lives_in_schema: (
        ("lib/archive/a.c", '\tdb("select uid from message");\n'),
        ("restore/a.c", '\tdb("INSERT INTO t values (1)");\n'),
        ("lib/state/a.c", '\tdb("delete from job where id = 1");\n'),
        ("schema/queries/a.sql", "SELECT uid from message;\n")),
    white_space_is_regular: (
        ("lib/base/a.c", "int a; \n"), ("lib/base/a.c", "int a;"), ("lib/base/a.c", "    int a;\n"),
        ("lib/base/a.c", " \tint a;\n"), ("tools/a.py", "if a:\n\tb()\n"), ("a.md", "x\n\n")),
    headers_have_guards: (
        ("lib/base/b.h", "/* What for. */\nint a;\n"),
        ("lib/base/b.h", "#ifndef MAILSTOW_B_H\n#define MAILSTOW_B_H\nint a;\n#endif\n")),
    everything_is_built: (("lib/base/forgotten.c", "int a;\n"),),
    nothing_is_unfinished: (("lib/base/a.c", "/* TO" + "DO */\n"),),
    every_folder_is_named: (("attic/a.c", "int a;\n"), ("lib/cellar/a.c", "int a;\n")),
}


def self_test():
    """Each rule finds what breaks it and nothing in decent code."""
    print(f"1..{len(RULES) + 1}")
    good = []
    for number, rule in enumerate(RULES, 1):
        wrong = list(rule(DECENT))
        for path, text, *more in INDECENT[rule]:
            indecent = {**DECENT, **(more[0] if more else {}), path: text}
            if not any(finding[0] == path or path.startswith(finding[0] + "/")
                       for finding in rule(indecent)):
                wrong.append((path, 1, f"not found: {text[:60]!r}"))
        good.append(report(number, rule.__name__, wrong))
    with tempfile.TemporaryDirectory() as folder:
        bad = "#ifndef MAILSTOW_B_H\n#define MAILSTOW_B_H\nbool needs_stdbool(void);\n#endif\n"
        (pathlib.Path(folder) / "b.h").write_text(bad, encoding="utf-8")
        found = list(headers_compile_alone({"b.h": bad}, folder))
        wrong = [] if found else [("b.h", 1, "compiled although it lacks stdbool.h")]
        good.append(report(len(RULES) + 1, headers_compile_alone.__name__, wrong))
    return all(good)


def main(arguments):
    if arguments == ["--self-test"]:
        return self_test()
    if len(arguments) > 1 or arguments and not pathlib.Path(arguments[0]).is_dir():
        sys.exit("usage: tools/tidy.py [BUILD | --self-test]")
    return check(pathlib.Path(__file__).resolve().parent.parent, *arguments)


if __name__ == "__main__":
    sys.exit(0 if main(sys.argv[1:]) else 1)
