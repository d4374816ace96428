#!/usr/bin/env python3
"""systemd accepts the units.

    test_units.py MAILSTOWD UNIT ...
"""

import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

EXPOSURE_MAX = 30  # tenths; what systemd-analyze calls OK ends at 50


def findings(unit, mailstowd, place):
    """What is wrong with one unit, as systemd says it; the program is the one just built."""
    text = re.sub(r"^ExecStart=\S+", f"ExecStart={mailstowd}", unit.read_text(), flags=re.M)
    copy = place / "mailstowd.service"
    copy.write_text(text)
    kind = "--user" if ".user." in unit.name else "--system"
    said = subprocess.run(["systemd-analyze", "verify", kind, "--man=no", copy], check=False,
                          capture_output=True, text=True, timeout=300)
    found = [line for line in (said.stdout + said.stderr).splitlines() if copy.name in line]
    if kind == "--system":
        done = subprocess.run(["systemd-analyze", "security", "--offline=yes",
                               f"--threshold={EXPOSURE_MAX}", copy], check=False,
                              capture_output=True, text=True, timeout=300)
        if done.returncode:
            found.append(f"exposed: {done.stdout.strip().splitlines()[-1:]} {done.stderr[-300:]}")
    return found


def main(mailstowd, *units):
    if not shutil.which("systemd-analyze"):
        print("1..0 # SKIP no systemd-analyze")
        return 0
    failed = 0
    print(f"1..{len(units)}")
    for number, name in enumerate(units, 1):
        with tempfile.TemporaryDirectory() as place:
            found = findings(pathlib.Path(name), pathlib.Path(mailstowd).resolve(),
                             pathlib.Path(place))
        failed += bool(found)
        print(f"{'not ok' if found else 'ok'} {number} - {pathlib.Path(name).name} is accepted")
        for line in found:
            print(f"# {line}")
    return failed


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
