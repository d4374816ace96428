#!/usr/bin/env python3
"""The man pages and the programs name the same commands, options and keys.

    test_man.py MAILSTOW MAILSTOWD SOURCE
"""

import pathlib
import re
import subprocess
import sys

KEY = re.compile(r'^\t\{"([a-z0-9-]+)", (?:ACCOUNT|GENERAL)\(', re.M)
OPTION = re.compile(r"--[a-z][a-z-]+")


def shown(program, *arguments):
    return subprocess.run([program, *arguments, "--help"], check=True, capture_output=True,
                          text=True, timeout=300).stdout


def main(mailstow, mailstowd, source):
    pages = pathlib.Path(source) / "docs" / "man"
    page = {name: (pages / f"{name}.scd").read_text()
            for name in ("mailstow.1", "mailstowd.8", "mailstow.conf.5")}
    keys = {key for file in pathlib.Path(source).glob("lib/config/**/*.c")
            for key in KEY.findall(file.read_text())}
    names = re.findall(r"^  ([a-z]+) {2,}\S", shown(mailstow).split("ACCOUNT is")[0], re.M)
    helped = set(OPTION.findall(shown(mailstow)))
    for name in names:
        helped |= set(OPTION.findall(shown(mailstow, name)))
    commands = page["mailstow.1"].split("# COMMANDS")[1].split("# SELECTION")[0]
    starts = set(re.findall(r"^\*([a-z]+)[* ]", commands, re.M))
    documented = set(re.findall(r"\*([a-z][a-z0-9-]+)\*", page["mailstow.conf.5"]))
    checks = {
        "every key is in mailstow.conf.5": keys - documented,
        "every command is in mailstow.1": set(names) - starts,
        "every command of mailstow.1 is there": starts - set(names),
        "every option of mailstow is in its page": helped - set(OPTION.findall(page["mailstow.1"])),
        "every option in the page is one of mailstow":
            set(OPTION.findall(page["mailstow.1"])) - helped,
        "every option of mailstowd is in its page":
            set(OPTION.findall(shown(mailstowd))) - set(OPTION.findall(page["mailstowd.8"])),
        "every option in the page is one of mailstowd":
            set(OPTION.findall(page["mailstowd.8"])) - set(OPTION.findall(shown(mailstowd))),
    }
    if not keys or not names:
        checks["keys and commands are found"] = {"nothing"}
    print(f"1..{len(checks)}")
    for number, (promise, lacking) in enumerate(checks.items(), 1):
        print(f"{'not ok' if lacking else 'ok'} {number} - {promise}")
        for word in sorted(lacking):
            print(f"# {word}")
    return any(checks.values())


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
