"""Runs the stages of tools/check, counts their tests, and prints what came of it.

A stage is a build with its tests, or a tool over the sources. Each TAP line of each run counts as
one test. A skipped test is not a passed one. Timeouts only stop what hangs: a slow machine takes
longer and passes.

The strides thin out the rings, which try a crash or a cut at every place: see check_stride(). They
have no factor in common with the numbers of kinds that take turns (2, 3, 5, 7), so that each kind
is tried. --long has no strides.
"""

import argparse
import collections
import concurrent.futures
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
BUILDS = ROOT / "build"
STAGE_SECONDS_MAX = {"quick": 7200, "default": 7200, "long": 28_800}
TOOL_SECONDS_MAX = 3600
TIMEOUT_TIMES = 10  # of what tests/meson.build says
WAITING_PER_CPU = 2  # live tests wait more than they work
FUZZ_SECONDS = {"default": 10, "long": 300}
FUZZ_INPUT_SECONDS_MAX = 300  # only what never ends
SHOWN_LINES = 25
SCRATCH_BYTES = 2_000_000_000
TAP_LINE = re.compile(r"^(not )?ok\b(?: \d+)?(?: -)? ?([^#]*)(?:# *(skip|todo)?.*)?$", re.I)
FORMAT_LINE = re.compile(r"^(\S+?):\d+:\d+: error: ", re.M)
SANITIZE = ["-Db_lundef=false"]
STRIDES = {
    "quick": {"gcc": 97},
    "default": {"gcc": 13, "clang": 97, "asan": 89, "threads": 31},
    "long": {},
}
LEFT_OUT = {  # suites; in the default level the gcc stage runs all
    "quick": {"gcc": ("slow", "longest", "again")},
    "default": {
        "clang": ("tidy", "slow", "longest", "again"),
        "asan": ("tidy", "slow", "longest", "again"),
        "threads": ("tidy", "slow", "longest", "again", "fuzz", "crash", "alone", "cli"),
    },
    "long": {
        "clang": ("tidy",),
        "asan": ("tidy",),
        "threads": ("tidy", "slow", "again", "fuzz", "crash", "alone"),
    },
}
# clang's analyzer gives up on a function after so many states. Its own limit takes ten times as
# long.
ANALYZER_STATES = 20_000

Counts = collections.Counter


class Stage:
    """One line of the table: counts, seconds and what failed."""

    def __init__(self, name):
        self.name = name
        self.counts = Counts()
        self.failures = []
        self.seconds = 0.0

    def add(self, result, words="", said=()):
        self.counts[result] += 1
        if result == "failed":
            self.failures.append((words, said))


def run(command, log, seconds, **more):
    """Runs a command in its own process group, output into the log; True when it succeeded."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with open(log, "ab") as output:
        output.write(f"$ {' '.join(map(str, command))}\n".encode())
        output.flush()
        try:
            process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=output,
                                       stderr=output, start_new_session=True, **more)
        except OSError as error:
            output.write(f"{error}\n".encode())
            return False
        try:
            return process.wait(seconds) == 0
        except BaseException as error:
            os.killpg(process.pid, signal.SIGTERM)
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
            if not isinstance(error, subprocess.TimeoutExpired):
                raise
            output.write(f"stopped after {seconds} s\n".encode())
            return False


def said_about(lines, number):
    """The comments around a failed test's line: what was seen, and where."""
    start, end = number, number + 1
    while start and lines[start - 1].startswith("#"):
        start -= 1
    while end < len(lines) and lines[end].startswith("#"):
        end += 1
    return (lines[start:number] + lines[number + 1:end])[-SHOWN_LINES:]


def count_tap(stage, name, text):
    """Adds every test a TAP stream reports; returns how many failed, None when it reports none."""
    failed = seen = 0
    lines = text.splitlines()
    for number, line in enumerate(lines):
        if re.match(r"^1\.\.0\b.*skip", line, re.I):
            stage.add("skipped")
            return 0
        match = TAP_LINE.match(line)
        if not match:
            continue
        seen += 1
        directive = (match.group(3) or "").lower()
        if directive == "skip":
            stage.add("skipped")
        elif match.group(1) and directive != "todo":
            failed += 1
            stage.add("failed", f"{name}: {match.group(2).strip()}", said_about(lines, number))
        else:
            stage.add("passed")
    return failed if seen else None


def count_meson_log(stage, path):
    """Counts the tests of one `meson test` run from its testlog.json."""
    with open(path, encoding="utf-8", errors="replace") as log:
        for line in log:
            test = json.loads(line)
            name, result = test["name"], test["result"]
            failed = count_tap(stage, name, test.get("stdout") or "")
            if failed is None:
                stage.add({"OK": "passed", "EXPECTEDFAIL": "passed",
                           "SKIP": "skipped"}.get(result, "failed"), f"{name}: {result}")
            elif result not in ("OK", "SKIP", "EXPECTEDFAIL") and not failed:
                said = (test.get("stderr") or test.get("stdout") or "").splitlines()
                stage.add("failed", f"{name}: {result}, status {test.get('returncode')}",
                          said[-SHOWN_LINES:])


def scratch():
    """Tests write much and sync all of it: memory is the better place where there is enough."""
    memory = pathlib.Path("/dev/shm")
    if memory.is_dir() and os.access(memory, os.W_OK) and (
            shutil.disk_usage(memory).free > SCRATCH_BYTES):
        return {"TMPDIR": str(memory)}
    return {}


def without(name, level):
    return [f"--no-suite={suite}" for suite in LEFT_OUT[level].get(name, ())]


def build(folder, log, level, compiler="gcc", options=(), targets=()):
    setup = ["meson", "setup", str(folder), "-Dwerror=true", *options]
    if (folder / "build.ninja").exists():
        setup.append("--reconfigure")
    return run(setup, log, TOOL_SECONDS_MAX, env={**os.environ, "CC": compiler}) and run(
        ["ninja", "-C", str(folder), *targets], log, STAGE_SECONDS_MAX[level])


def meson_stage(name, level, options=(), compiler="gcc", suites=(), wrapper=None, environment=(),
                per_cpu=WAITING_PER_CPU):
    """Build below build/check-NAME and run its tests."""
    def work(stage):
        folder = BUILDS / f"check-{name}"
        log = folder.with_suffix(".log")
        log.unlink(missing_ok=True)
        if not build(folder, log, level, compiler, options):
            stage.add("failed", f"build: see {log.relative_to(ROOT)}")
            print_tail(log)
            return
        test = ["meson", "test", "-C", str(folder), "--no-rebuild", "-t", str(TIMEOUT_TIMES),
                *suites, "--num-processes", str(per_cpu * (os.cpu_count() or 1))]
        if wrapper:
            test += ["--wrapper", wrapper]
        logs = folder / "meson-logs" / "testlog.json"
        logs.unlink(missing_ok=True)
        good = run(test, log, STAGE_SECONDS_MAX[level], env={
            **os.environ, "MAILSTOW_STRIDE": str(STRIDES[level].get(name, 1)), **scratch(),
            **dict(environment), **({"MAILSTOW_EVERY_BYTE": "1"} if level == "long" else {})})
        if logs.exists():
            count_meson_log(stage, logs)
        if not good and not stage.counts["failed"]:
            stage.add("failed", f"meson test: see {log.relative_to(ROOT)}")
    return name, work


def sources(*suffixes):
    listed = subprocess.run(["git", "ls-files", "-z", "--cached", "--others",
                             "--exclude-standard"], cwd=ROOT, capture_output=True, check=False)
    if listed.returncode == 0:
        names = listed.stdout.decode().split("\0")
    else:
        names = [path.relative_to(ROOT).as_posix() for top in ("lib", "daemon", "restore", "tests")
                 for path in (ROOT / top).rglob("*")]
    return sorted(name for name in names if name.endswith(suffixes) and (ROOT / name).exists())


def format_stage():
    def work(stage):
        log = BUILDS / "check-format.log"
        log.unlink(missing_ok=True)
        names = sources(".c", ".h")
        good = run(["clang-format", "--dry-run", "--Werror", *names], log, TOOL_SECONDS_MAX)
        told = set(FORMAT_LINE.findall(log.read_text(errors="replace")))
        for name in names:
            stage.add("failed" if name in told else "passed", f"clang-format -i {name}")
        if not good and not told:
            stage.add("failed", f"clang-format: see {log.relative_to(ROOT)}")
    return "format", work


def analysis_stage(level):
    """clang-tidy over what the clang build compiled; a file with a finding is a failed test."""
    limit = [] if level == "long" else [f"--extra-arg={word}" for word in (
        "-Xclang", "-analyzer-config", "-Xclang", f"max-nodes={ANALYZER_STATES}")]

    def work(stage):
        folder = BUILDS / "check-clang"
        commands = folder / "compile_commands.json"
        if not commands.exists():
            stage.add("skipped")
            return
        log = BUILDS / "check-analysis.log"
        log.unlink(missing_ok=True)
        # tests compile some files once more, with flags that mislead the analyzer
        logs = BUILDS / "check-analysis"
        logs.mkdir(exist_ok=True)
        entries = [entry for entry in json.loads(commands.read_text())
                   if not entry["output"].startswith("tests/")]
        (logs / commands.name).write_text(json.dumps(entries))
        files = {str((folder / entry["file"]).resolve()) for entry in entries}
        ours = sorted(os.path.relpath(name, ROOT) for name in files)
        ours = [name for name in ours if name.startswith(("lib/", "daemon/", "restore/"))]

        def analyse(name):
            own_log = logs / (name.replace("/", "_") + ".log")
            own_log.unlink(missing_ok=True)
            return run(["clang-tidy", "--quiet", "-p", str(logs), *limit, name], own_log,
                       TOOL_SECONDS_MAX), own_log
        with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
            for name, (good, own_log) in zip(ours, pool.map(analyse, ours)):
                stage.add("passed" if good else "failed",
                          f"clang-tidy {name}: see {own_log.relative_to(ROOT)}")
    return "analysis", work


def thread_wrapper():
    """How to run a program with ThreadSanitizer on this kernel: (works, wrapper)."""
    probe = BUILDS / "check-probe"
    BUILDS.mkdir(exist_ok=True)
    built = subprocess.run(["gcc", "-fsanitize=thread", "-x", "c", "-", "-o", str(probe)],
                           input=b"int main(void) { return 0; }\n", check=False)
    for wrapper in ((), ("setarch", os.uname().machine, "-R")):
        if built.returncode == 0 and subprocess.run(
                [*wrapper, str(probe)], capture_output=True, check=False).returncode == 0:
            return True, " ".join(wrapper)
    return False, ""


def thread_stage(level):
    name = "threads"

    def work(stage):
        works, wrapper = thread_wrapper()
        if not works:
            stage.add("skipped")
            return
        meson_stage(name, level, ["-Db_sanitize=thread", *SANITIZE], suites=without(name, level),
                    per_cpu=1, wrapper=wrapper, environment={
                        "TSAN_OPTIONS": "halt_on_error=1:suppressions="
                        f"{ROOT}/tests/support/thread_sanitizer.supp"}.items())[1](stage)
    return name, work


def fuzz_stage(level):
    """libFuzzer for some seconds a target, beginning with the files that found bugs before."""
    def work(stage):
        folder = BUILDS / "check-fuzz"
        log = folder.with_suffix(".log")
        log.unlink(missing_ok=True)
        if not build(folder, log, level, "clang", [
                "-Dfuzz=true", "-Db_sanitize=address,undefined", *SANITIZE], ["fuzz"]):
            stage.add("failed", f"build: see {log.relative_to(ROOT)}")
            print_tail(log)
            return

        def fuzz(program):
            target = program.name.removeprefix("fuzz_")
            own_log = BUILDS / "check-fuzz-logs" / f"{target}.log"
            own_log.unlink(missing_ok=True)
            found = BUILDS / "check-fuzz-corpus" / target
            found.mkdir(parents=True, exist_ok=True)
            seeds = [ROOT / "tests" / "fuzz" / place / target
                     for place in ("corpus", "seeds", ".")]
            return run([str(program), f"-max_total_time={FUZZ_SECONDS[level]}",
                        "-rss_limit_mb=1500", f"-timeout={FUZZ_INPUT_SECONDS_MAX}",
                        f"-artifact_prefix={BUILDS}/crash-{target}-", str(found),
                        *(str(seed) for seed in seeds if seed.is_dir())],
                       own_log, FUZZ_SECONDS[level] + TOOL_SECONDS_MAX), own_log
        programs = sorted(path for path in folder.glob("tests/**/fuzz_*")
                          if path.is_file() and os.access(path, os.X_OK))
        with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
            for program, (good, own_log) in zip(programs, pool.map(fuzz, programs)):
                stage.add("passed" if good else "failed",
                          f"{program.name}: see {own_log.relative_to(ROOT)}")
                if not good:
                    print_tail(own_log)
    return "fuzz", work


def program_stage(name, command, seconds):
    def work(stage):
        log = BUILDS / f"check-{name}.log"
        log.unlink(missing_ok=True)
        good = run(command, log, seconds)
        if count_tap(stage, name, log.read_text(errors="replace")) is None:
            stage.add("passed" if good else "failed", f"{name}: see {log.relative_to(ROOT)}")
        elif not good and not stage.counts["failed"]:
            stage.add("failed", f"{name} failed: see {log.relative_to(ROOT)}")
        if not good:
            print_tail(log)
    return name, work


def print_tail(log):
    lines = log.read_text(errors="replace").splitlines()[-SHOWN_LINES:]
    print("\n".join("    " + line[:200] for line in lines))


def stages(level):
    gcc = meson_stage("gcc", level, suites=without("gcc", level))
    if level == "quick":
        return [format_stage(), gcc]
    benches = [program_stage("bench", ["tests/bench/run"], TOOL_SECONDS_MAX),
               program_stage("vault", ["tests/bench/vault", "--build", str(BUILDS / "check-gcc")],
                             TOOL_SECONDS_MAX)]
    return [
        format_stage(), gcc,
        meson_stage("clang", level, compiler="clang", suites=without("clang", level)),
        meson_stage("asan", level, ["-Db_sanitize=address,undefined", *SANITIZE],
                    suites=without("asan", level), environment={
                        "ASAN_OPTIONS": "abort_on_error=1:detect_stack_use_after_return=1",
                        "UBSAN_OPTIONS": "halt_on_error=1:print_stacktrace=1"}.items()),
        thread_stage(level), analysis_stage(level), fuzz_stage(level),
        program_stage("demo", ["tools/demo"], TOOL_SECONDS_MAX),
    ] + (benches if level == "long" else [])


def table(done):
    print(f"\n{'stage':<12}{'passed':>8}{'failed':>8}{'skipped':>9}{'seconds':>10}")
    for stage in done:
        print(f"{stage.name:<12}{stage.counts['passed']:>8}{stage.counts['failed']:>8}"
              f"{stage.counts['skipped']:>9}{stage.seconds:>10.1f}")
    for stage in done:
        for words, said in stage.failures:
            print(f"failed: {stage.name}: {words}")
            for line in said:
                print(f"    {line[:200]}")


def main(arguments):
    parser = argparse.ArgumentParser(prog="tools/check", description="Runs every test there is.")
    group = parser.add_mutually_exclusive_group()
    group.add_argument("--quick", dest="level", action="store_const", const="quick")
    group.add_argument("--long", dest="level", action="store_const", const="long")
    parser.add_argument("--only", metavar="STAGE", action="append", help="only stages so named")
    parser.set_defaults(level="default")
    options = parser.parse_args(arguments)
    for program in ("meson", "ninja", "gcc", "clang-format"):
        if not shutil.which(program):
            sys.exit(f"tools/check: {program} is missing: see tools/packages.txt")
    done = []
    for name, work in stages(options.level):
        if options.only and name not in options.only:
            continue
        stage = Stage(name)
        print(f"{name} ...", flush=True)
        start = time.monotonic()
        work(stage)
        if not stage.counts:
            stage.add("failed", "nothing ran")
        stage.seconds = time.monotonic() - start
        done.append(stage)
    table(done)
    total = sum((stage.counts for stage in done), Counts())
    skipped = f", {total['skipped']} skipped" if total["skipped"] else ""
    print(f"\n{total['passed']} passed, {total['failed']} failed{skipped}")
    return 1 if total["failed"] or not total["passed"] else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
