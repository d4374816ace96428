"""What the rules of tools/tidy.py share: C without comments, and where an include leads."""

import functools
import re

INCLUDE = re.compile(r'^\s*#\s*include\s*(["<])([^">]+)[">]', re.M)


def is_c(path):
    return path.endswith((".c", ".h"))


def line_at(text, offset):
    return text.count("\n", 0, offset) + 1


def blank(match):
    return re.sub(r"[^\n]", " ", match.group())


@functools.lru_cache(maxsize=None)
def without_comments(text):
    """C with comments blanked; strings and line numbers stay."""
    parts = re.compile(r'"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'|/\*.*?\*/|//[^\n]*', re.S)
    return parts.sub(lambda m: m.group() if m.group()[0] in "\"'" else blank(m), text)


@functools.lru_cache(maxsize=None)
def without_strings(text):
    """C with comments and strings blanked."""
    return re.sub(r'"(?:\\.|[^"\\\n])*"', blank, without_comments(text))


def folder_of(path):
    return path.rpartition("/")[0]


def stem_of(path):
    return path.rpartition("/")[2].rpartition(".")[0]


def included(tree, path):
    """(line, path of the header) for each include of a header of the tree."""
    text = without_comments(tree[path])
    for match in INCLUDE.finditer(text):
        name = match.group(2)
        places = (f"lib/{name}", name, f"{folder_of(path)}/{name}", f"tests/{name}")
        found = [place for place in places if place in tree]
        if match.group(1) == '"' and found:
            yield line_at(text, match.start(1)), found[0]
