"""Shared by tests that mirror fixed mail: a configuration, and passes against its server."""

import os
import pathlib
import subprocess
import tempfile

from cli import KEY, MAILSTOW, MAILSTOWD, RUN_SECONDS, Run, equal
import cli

import fixed_server

CONFIG = """[mailstow]
archive-dir = {place}/archives
[account alice]
address = alice@example.org
host = 127.0.0.1
port = {port}
tls = off
password-command = echo secret
flag-scan = 365d
{key}
[account copy]
mirror = no
{key}
"""
NO_PORT = 1


class Lab:
    """A folder with a configuration. encrypted: its key is make_archive's, in a file."""

    ask = cli.Lab.ask
    typed = cli.Lab.typed
    end = cli.Lab.end

    def __init__(self):
        self.place = pathlib.Path(tempfile.mkdtemp(prefix="msf-"))
        self.archive = self.place / "archives" / "alice"
        self.archive.parent.mkdir()
        self.conf = self.place / "mailstow.conf"
        self.encrypted = False
        key = self.place / "key"
        key.touch(mode=0o600)
        key.write_text(KEY + "\n")
        self.environment = {
            **os.environ, "HOME": str(self.place), "XDG_STATE_HOME": str(self.place / "state"),
            "XDG_CONFIG_HOME": str(self.place / "none"), "TZ": "UTC", "LC_ALL": "C"}

    def configure(self, port=NO_PORT):
        key = f"key-file = {self.place}/key" if self.encrypted else ""
        self.conf.write_text(CONFIG.format(place=self.place, port=port, key=key))

    def run(self, *arguments, program=MAILSTOW):
        return Run(subprocess.run([program, "-c", self.conf, *arguments],
                                  stdin=subprocess.DEVNULL, capture_output=True,
                                  timeout=RUN_SECONDS, check=False, env=self.environment))

    def mirror(self, mailbox):
        """Runs one pass; returns the commands that the server got."""
        mailbox.commands = []
        with fixed_server.Server(mailbox.serve) as server:
            self.configure(server.port)
            done = self.run("--once", "alice", program=MAILSTOWD)
        self.configure()
        equal(done.status, 0, done)
        return mailbox.commands

    def play(self, mailbox, story):
        """Runs a pass after each event."""
        for happen in story:
            happen(mailbox)
            self.mirror(mailbox)

    def sound(self, name="alice"):
        line = self.ask("check", name, "--read-data")[-1]
        equal(line["errors"], 0, line)
        return line


LISTINGS = {"check": ("--read-data",), "snapshots": (), "folders": (), "ls": ("--deleted",)}


def listings(lab, parts=tuple(LISTINGS)):
    """The output of the commands that describe an archive."""
    return {part: lab.ask(part, "alice", *LISTINGS[part]) for part in parts}
