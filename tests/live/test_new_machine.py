"""The machine is lost; a copy on another disk and the secret suffice for everything."""

import shutil
import threading

import live
import terminal

PASSPHRASE = "correct horse battery"
KEY = "0123456789abcdef" * 4
DELIVERIES = 40


def deliver_all(lab, user):
    """Mail that arrives during other operations."""
    with lab.server.client(user) as client:
        for number in range(DELIVERIES):
            client.deliver("INBOX", f"Subject: arriving {number}\r\n\r\n{number}\r\n".encode() * 9)


def copied_while_mail_arrives(lab, extra=""):
    """An account and the copy of its archive, made while mail arrived and the daemon ran."""
    lab.user = lab.account("alice", extra=extra)
    lab.server.fill(lab.user)
    lab.start_daemon()
    lab.wait("a first pass", lambda: lab.status("alice").get("messages"))
    lab.copy = lab.place / "disk" / "alice"
    arrival = threading.Thread(target=deliver_all, args=(lab, lab.user))
    arrival.start()
    copies = 0
    while arrival.is_alive() or copies < 2:
        live.equal(lab.run("mailstow", "copy", "alice", lab.copy).status, 0)
        copies += 1
    arrival.join()
    count = sum(len(folder["messages"]) for folder in lab.server.mailbox(lab.user).values())
    lab.wait("all of it", lambda: lab.status("alice")["messages"] == count)
    live.equal(lab.run("mailstow", "copy", "alice", lab.copy).status, 0)
    lab.recovery = (lab.ask("key", "recovery", "alice")[0]["recovery_key"] if extra else None)
    if extra:
        live.equal(lab.run("mailstow", "copy", "alice", lab.copy).status, 0)


def lose_the_machine(lab):
    """No archive, no configuration, no state; only a target to restore to."""
    for daemon in lab.daemons:
        daemon.terminate()
        daemon.wait(live.WAIT_SECONDS)
    lab.daemons.clear()
    for folder in (lab.archives, lab.place / "state"):
        shutil.rmtree(folder)
    lab.conf.unlink()
    lab.home = lab.place / "new home"
    lab.home.mkdir()
    lab.environment = {**lab.environment, "HOME": str(lab.home)}
    for name in ("XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME"):
        lab.environment[name] = str(lab.home / name)
    lab.conf = lab.home / "XDG_CONFIG_HOME" / "mailstow" / "mailstow.conf"


def command(lab, secret, *arguments):
    """Output of a command; the secret is typed if there is one."""
    arguments = [str(argument) for argument in arguments]
    if not secret:
        run = lab.run("mailstow", *arguments)
        live.equal(run.status, 0, run)
        return run.output
    status, shown = terminal.typed(live.program_path(lab.build, "mailstow"),
                                   ["-c", lab.conf, *arguments], lab.environment, secret)
    live.equal(status, 0, shown)
    live.true(secret not in shown, "the secret is shown")
    return shown


def everything_works_from_the_copy(lab, secret):
    wanted = lab.server.mailbox(lab.user)
    lose_the_machine(lab)
    before = contents(lab.copy)
    listed = command(lab, secret, "ls", lab.copy, "--json")
    live.equal(listed.count('"sha256"'), sum(len(f["messages"]) for f in wanted.values()))
    live.true("arriving 7" in command(lab, secret, "cat", lab.copy, "INBOX",
                                      uid_of(lab, "arriving 7")), "cat")
    command(lab, secret, "account", "adopt", lab.copy)
    live.equal(contents(lab.copy), before)
    live.true("mirror = no" in lab.conf.read_text(), "the account is configured")
    live.equal(command(lab, secret, "ls", "alice", "--json").replace("\r", "").count("\n"),
               listed.replace("\r", "").count("\n"))
    target = lab.account("new", extra="mirror = no")
    command(lab, secret, "restore", lab.copy, "--yes", "--to", "new")
    live.equal(lab.differences(lab.user, target), [])
    live.equal(contents(lab.copy), before)


def uid_of(lab, subject):
    with lab.server.client(lab.user) as client:
        client.command("EXAMINE INBOX")
        for line in client.command(f'UID SEARCH SUBJECT "{subject}"'):
            words = line.split()
            if words[1:2] == [b"SEARCH"] and len(words) > 2:
                return words[2].decode()
    raise live.Broken(f"no mail {subject}")


def contents(folder):
    return {str(path.relative_to(folder)): path.is_file() and path.read_bytes()
            for path in sorted(folder.rglob("*"))}


def a_plain_copy_is_enough(lab):
    copied_while_mail_arrives(lab)
    everything_works_from_the_copy(lab, None)


def a_copy_and_the_passphrase_are_enough(lab):
    copied_while_mail_arrives(lab, f"passphrase-file = {lab.file('phrase', PASSPHRASE)}")
    everything_works_from_the_copy(lab, PASSPHRASE)


def a_copy_and_the_key_are_enough(lab):
    copied_while_mail_arrives(lab, f"key-file = {lab.file('key', KEY)}")
    everything_works_from_the_copy(lab, KEY)


def a_copy_and_the_recovery_key_are_enough(lab):
    copied_while_mail_arrives(lab, f"key-file = {lab.file('key', KEY)}")
    everything_works_from_the_copy(lab, lab.recovery)


def the_mirror_goes_on_in_an_adopted_archive(lab):
    copied_while_mail_arrives(lab)
    lose_the_machine(lab)
    command(lab, None, "account", "adopt", lab.copy)
    lab.conf.write_text("")
    lab.account("alice", lab.user)
    before = lab.status("alice")
    lab.mirror("alice")
    live.equal(lab.status("alice")["head"], before["head"])
    with lab.server.client(lab.user) as client:
        client.deliver("INBOX", b"Subject: after the move\r\n\r\nhello\r\n")
    lab.mirror("alice")
    lab.same("alice", lab.user)
    live.equal(lab.ask("check", "alice", "--read-data")[-1]["errors"], 0)
    live.equal(lab.run("mailstow", "copy", "alice", lab.copy).status, 0)
    live.equal(lab.ask("ls", f"{lab.copy}"), lab.ask("ls", "alice"))
    target = lab.account("new", extra="mirror = no")
    lab.ask("restore", "alice", "--to", "new")
    live.equal(lab.differences(lab.user, target), [])


live.main(a_plain_copy_is_enough, a_copy_and_the_passphrase_are_enough,
          a_copy_and_the_key_are_enough, a_copy_and_the_recovery_key_are_enough,
          the_mirror_goes_on_in_an_adopted_archive, programs=("mailstowd", "mailstow"))
