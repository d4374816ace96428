"""The tools that judge the programs work themselves."""

import copy
import random

import live
from live import compare_mailboxes, mail_samples


def differences(old, new, *ignore):
    return compare_mailboxes.compare(old, new, set(ignore))


def changed(mailbox, path="INBOX"):
    """A copy of the mailbox, and one message of it to be changed."""
    other = copy.deepcopy(mailbox)
    return other, other[path]["messages"][3]


def the_same_seed_makes_the_same_mail(_):
    live.equal(mail_samples.make("tiny", 7), mail_samples.make("tiny", 7))
    live.true(mail_samples.make("tiny", 7) != mail_samples.make("tiny", 8), "seeds do nothing")


def a_loaded_sample_is_on_the_server_byte_for_byte(lab):
    user = lab.server.new_user()
    lab.server.fill(user, "sample")
    mailbox = lab.server.mailbox(user)
    for folder in mail_samples.make("sample"):
        wanted = sorted((len(one.content), list(one.flags), one.when) for one in folder.messages)
        there = mailbox[folder.path]["messages"]
        live.equal(sorted((one["size"], one["flags"], one["date"]) for one in there), wanted)


def two_accounts_with_the_same_mail_are_equal(lab):
    users = [lab.server.new_user() for _ in range(2)]
    for user in users:
        lab.server.fill(user)
    live.equal(lab.differences(*users), [])


def a_missing_message_is_a_difference(lab):
    user = lab.server.new_user()
    lab.server.fill(user)
    mailbox = lab.server.mailbox(user)
    other = copy.deepcopy(mailbox)
    del other["INBOX"]["messages"][5]
    live.equal(len(differences(mailbox, other)), 1)
    live.equal(len(differences(other, mailbox)), 1)


def a_missing_copy_is_a_difference(lab):
    user = lab.server.new_user()
    lab.server.fill(user)
    mailbox = lab.server.mailbox(user)
    twice = copy.deepcopy(mailbox)
    twice["INBOX"]["messages"].append(dict(twice["INBOX"]["messages"][0]))
    live.equal(len(differences(twice, mailbox)), 1)


def bytes_flags_and_dates_are_compared(lab):
    user = lab.server.new_user()
    lab.server.fill(user)
    mailbox = lab.server.mailbox(user)
    for key, value, ignored in (("sha256", "0" * 64, None), ("flags", ["odd"], "flags"),
                                ("date", 1, "dates")):
        other, message = changed(mailbox)
        message[key] = value
        live.true(differences(mailbox, other), f"{key} is not compared")
        if ignored:
            live.equal(differences(mailbox, other, ignored), [])


def folders_subscriptions_and_special_use_are_compared(lab):
    user = lab.server.new_user()
    lab.server.fill(user)
    mailbox = lab.server.mailbox(user)
    live.equal(mailbox["Sent"]["special_use"], ["\\sent"])
    for key, value in (("subscribed", False), ("special_use", [])):
        other = copy.deepcopy(mailbox)
        other["Sent"][key] = value
        live.equal(len(differences(mailbox, other)), 1)
    other = copy.deepcopy(mailbox)
    del other["Ärger/Kiste"]
    live.equal(len(differences(mailbox, other)), 1)


def a_wiped_account_is_empty(lab):
    user = lab.server.new_user()
    lab.server.fill(user)
    with lab.server.client(user) as client:
        client.wipe()
    live.equal(sum(len(folder["messages"]) for folder in lab.server.mailbox(user).values()), 0)


def folder_names_survive_modified_utf7(_):
    rng = random.Random(3)
    for _ in range(500):
        name = "".join(rng.choice("a&-/ä日🙂~+ ,") for _ in range(rng.randint(1, 12)))
        wire = live.imap_load.modified_utf7(name)
        live.true(wire.isascii(), wire)
        live.equal(compare_mailboxes.decode_utf7(wire), name)


live.main(
    the_same_seed_makes_the_same_mail,
    a_loaded_sample_is_on_the_server_byte_for_byte,
    two_accounts_with_the_same_mail_are_equal,
    a_missing_message_is_a_difference,
    a_missing_copy_is_a_difference,
    bytes_flags_and_dates_are_compared,
    folders_subscriptions_and_special_use_are_compared,
    a_wiped_account_is_empty,
    folder_names_survive_modified_utf7,
)
