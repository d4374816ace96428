"""A program on a pseudo-terminal, with typed answers."""

import os
import pty
import select
import time

WAIT_SECONDS = 600


def typed(program, arguments, environment, *answers):
    """Exit code and all that was shown; each question, ended by a colon or [y/N], gets the
    next answer."""
    child, terminal = pty.fork()
    if child == 0:
        os.execve(program, [os.path.basename(program), *map(str, arguments)], environment)
    shown, left, begun = b"", list(answers), time.monotonic()
    answered = 0  # bytes shown when the last answer was given
    while time.monotonic() - begun < WAIT_SECONDS:
        if not select.select([terminal], [], [], 1)[0]:
            continue
        try:
            data = os.read(terminal, 4096)
        except OSError:
            break
        if not data:
            break
        shown += data
        if left and shown[answered:].rstrip(b" ").endswith((b":", b"[y/N]")):
            answered = len(shown)
            os.write(terminal, left.pop(0).encode() + b"\n")
    os.close(terminal)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), shown.decode(errors="replace")
