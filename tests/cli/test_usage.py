"""How `mailstow` takes its command line and how it shows things. Prints TAP."""

import os
import subprocess
import unicodedata

from cli import MAILSTOW, RUN_SECONDS, equal, has, main


def a_wrong_command_line_is_exit_64(lab):
    lab.fails(64, "lss", words="ls")
    lab.fails(64, "frobnicate", words="--help")
    lab.fails(64, "ls", words="argument")
    lab.fails(64, "ls", "alice", "bob", words="bob")
    lab.fails(64, "ls", "alice", "--sinse", "2026-01-01", words="--sinse")
    lab.fails(64, "ls", "alice", "--since", words="--since")
    lab.fails(64, "ls", "alice", "--since", "yesterday", words="2026-11-20")
    lab.fails(64, "ls", "alice", "-x", words="-x")
    lab.fails(64, "ls", "alice", "--deleted=yes", words="--deleted")
    lab.fails(64, "--progress=often", "ls", "alice", words="always")
    lab.fails(64, "cat", "alice", "INBOX", "one", words="one")
    lab.fails(64, "cat", "alice", "INBOX", "0")
    lab.fails(64, "status", "--max-age", "old", words="30m")
    lab.fails(64, "config", "hide", words="show")
    lab.fails(64, "-c")


def a_restore_is_asked_for_rightly(lab):
    lab.fails(64, "restore", "alice", words="--to")
    lab.fails(64, "restore", "alice", "--to", "target", "--verify=some", words="full")
    lab.fails(64, "restore", "alice", "--to", "target", "--map", "nothing", words="nothing")
    lab.fails(66, "restore", "bob", "--to", "target", words="alice")
    lab.fails(66, "restore", "alice", "--to", "bob", words="bob")
    lab.fails(66, "restore", "alice@3", "--to", "target", words="the last is 2")
    lab.fails(66, "restore", "never", "--to", "target")
    lab.fails(66, "restore", "target", "--to", "alice")
    lab.fails(66, "restore", lab.place / "nowhere", "--to", "target", words="nowhere")
    lab.fails(66, "restore", "alice", "--to", "target", "--folder", "Nowhere", words="Nowhere")
    lab.fails(78, "restore", lab.archive, "--to", "target", words="password")


def options_stand_anywhere(lab):
    wanted = lab.run("ls", "alice", "--json").output
    for arguments in (("--json", "ls", "alice"), ("ls", "--json", "alice"),
                      ("--progress=never", "--yes", "ls", "--json", "--", "alice")):
        equal(lab.run(*arguments).output, wanted)
    equal(lab.run("ls", "alice", "--json", "--config", lab.conf, conf=False).output, wanted)


def every_command_has_help(lab):
    overview = lab.run("--help", conf=False)
    equal((overview.status, overview.errors), (0, ""))
    for name in ("status", "snapshots", "folders", "ls", "cat", "config", "restore"):
        has(overview.output, f"  {name} ")
        run = lab.run(name, "--help", conf=False)
        equal((run.status, run.errors), (0, ""))
        has(run.output, f"Usage: mailstow {name}")
        equal([line for line in run.output.splitlines() if len(line) > 79], [])
    equal([line for line in overview.output.splitlines() if len(line) > 79], [])
    equal(lab.run("--version", conf=False).output.split()[0], "mailstow")


def columns_of(line):
    """How wide a terminal shows it; enough for the characters used here."""
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in line)


def tables_fit_the_terminal(lab):
    for columns in (80, 60, 120):
        for arguments in (("ls", "alice", "--deleted"), ("ls", "alice"), ("folders", "alice"),
                          ("snapshots", "alice"), ("status",)):
            text = lab.on_terminal(*arguments, columns=columns)
            wide = [line for line in text.splitlines() if columns_of(line) > max(columns, 76)]
            equal(wide, [], arguments)
            equal([line for line in text.splitlines() if line != line.rstrip()], [], arguments)


def nothing_steers_the_terminal(lab):
    for arguments in (("ls", "alice@1"), ("ls", "alice@1", "--json"), ("\x1b[2J",),
                      ("ls", "alice", "--folder", "\x1bx"), ("ls", "al\x9bice"),
                      ("ls", "alice", "--\x1b")):
        run = lab.run(*arguments)
        for text in (run.output, run.errors):
            bad = {c for c in text if (ord(c) < 32 and c != "\n") or 0x7f <= ord(c) <= 0x9f
                   or (c == "\u202e" and "--json" not in arguments)}
            equal(bad, set(), arguments)


def a_reader_that_leaves_ends_it_quietly(lab):
    for arguments in (("cat", "alice", "INBOX", "1"), ("ls", "alice"), ("--help",)):
        reader, writer = os.pipe()
        os.close(reader)
        done = subprocess.run([MAILSTOW, "-c", lab.conf, *arguments], stdout=writer,
                              stderr=subprocess.PIPE, timeout=RUN_SECONDS, check=False,
                              env=lab.environment)
        os.close(writer)
        equal((done.returncode, done.stderr), (-13, b""))


def a_full_disk_is_exit_74(lab):
    with open("/dev/full", "wb") as full:
        for arguments in (("cat", "alice", "INBOX", "1"), ("ls", "alice", "--json")):
            done = subprocess.run([MAILSTOW, "-c", lab.conf, *arguments], stdout=full,
                                  stderr=subprocess.PIPE, timeout=RUN_SECONDS, check=False,
                                  env=lab.environment)
            equal(done.returncode, 74, done.stderr)
            has(done.stderr.decode(), "standard output")


main(
    a_wrong_command_line_is_exit_64, a_restore_is_asked_for_rightly, options_stand_anywhere,
    every_command_has_help, tables_fit_the_terminal, nothing_steers_the_terminal,
    a_reader_that_leaves_ends_it_quietly, a_full_disk_is_exit_74)
