"""Rules of tools/tidy.py on words: those that the glossary of ARCHITECTURE.md has replaced."""

import re

from tidy_source import line_at

# What to write instead. A word counts alone and as a part of an identifier.
REPLACED = {
    r"anew": "again, or what it does: rewrite, rebuild",
    r"of before": "the old ...",
    r"likeness(?:es)?": "fingerprint",
    r"shel(?:f|ves)": "leaf cache",
    r"sentr(?:y|ies)": "idle watcher",
    r"arrival(?=_)|(?<=struct )arrival": "incoming message",
    r"settle[sd]?|settling": "what it does",
    r"reseal(?:s|ed|ing)?": "encrypt again, rewrite",
    r"pressed|pressing|presses": "compress",
    r"pumps?|pumped|pumping": "packer thread",
    r"(?:take|takes|took|taken|taking) (?:it )?apart": "split, detach",
}
WORD = re.compile("|".join(f"(?<![A-Za-z])(?:{word})(?![A-Za-z])" for word in REPLACED), re.I)


def replaced_words_are_gone(tree):
    for path, text in tree.items():
        if path.endswith("tidy_words.py"):
            continue
        for match in WORD.finditer(text):
            word = match.group()
            instead = next(instead for pattern, instead in REPLACED.items()
                           if re.compile(pattern, re.I).match(text, match.start()))
            yield path, line_at(text, match.start()), f"{word!r}: write {instead}"


RULES = (replaced_words_are_gone,)

INDECENT = {
    replaced_words_are_gone: tuple(("lib/base/a.c", text) for text in (
        "/* writes it anew */\n", "int settle_ms;\n", "struct likeness {\n",
        "/* the keys of before */\n", "/* Taken apart by lines. */\n")),
}
