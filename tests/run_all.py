"""Runs every test suite and ends with one line, "N passed, N failed, N skipped", over all of them.
What failed suites say of it stands right before, behind the table of all.

    python3 tests/run_all.py --build-dir=build --isas=baseline,avx2 build/cuda/*.resources.txt

`ninja test` builds what the suites need and calls this. As many suites run at a time as there are
cores; the output of each is shown when it is through, and the counts are read from it. While nothing
is through, a line says what runs and how far it is: on a terminal at once and in place, elsewhere every
30 seconds. Standard library only.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from configuration import machine  # noqa: E402

# What guards run at most; target fuzz is for longer.
FUZZ_LIMITS = (
    *("-max_total_time=40", "-max_len=512", "-len_control=0"),
    *("-print_final_stats=1", "-verbosity=0"),
)
HOSTILE_CALLS = "20000"
# Files of tests that build the tree, or render all of it, again and again.
BUILDS = ("tests/test_configure.py", "tests/test_generator.py", "tests/test_tuned.py")
# One row of so many of the matrices of cases, all of which `ninja test-exhaustive` runs. Of isa levels
# below the best that runs here still fewer: what differs between levels are the kernels, and each of them
# has its rows; finding them is the same.
EVERYDAY = ("--sample", "8")
BELOW = ("--sample", "16", "--skip", "dispatch")

_CLOSING = re.compile(r"^(?:\w+: )?(\d+) passed, (\d+) failed(?:, (\d+) skipped)?\.?$", re.M)
_CUNIT = re.compile(r"^ +tests +\d+ +\d+ +(\d+) +(\d+) +(\d+)$", re.M)
_PYTEST = re.compile(r"^=*\s*(\d+ \w+(?:, \d+ \w+)*) in [\d.]+s", re.M)

# Lines that name a fault: sanitizers', the hostile calls', pytest's, CUnit's.
_TELLING = re.compile(r"runtime error|ERROR|WARNING: \w+San|SUMMARY|FAULT|^FAILED|^ +\d+\. .*:\d+ ")
TELLING, LAST, WIDTH = 12, 8, 200  # of a failed suite: so many of them, so many last lines, so wide


@dataclass(frozen=True)
class Counts:
    """Tests of one suite."""

    passed: int = 0
    failed: int = 0
    skipped: int = 0

    def __add__(self, other: Counts) -> Counts:
        return Counts(
            self.passed + other.passed, self.failed + other.failed, self.skipped + other.skipped
        )

    def __str__(self) -> str:
        return f"{self.passed} passed, {self.failed} failed, {self.skipped} skipped"


@dataclass(frozen=True)
class Suite:
    """One command with tests in it, or the reason why it cannot run here."""

    name: str
    command: Sequence[str]
    environment: dict[str, str] = field(default_factory=dict)
    skip: str = ""


def count(text: str, status: int) -> Counts:
    """The counts that a suite printed last; a suite that printed none is one test.

    Known are a plain closing line, CUnit's summary and pytest's, in this order.
    """
    if closing := _CLOSING.findall(text):
        passed, failed, skipped = (int(number or 0) for number in closing[-1])
    elif cunit := _CUNIT.findall(text):
        passed, failed, skipped = map(int, cunit[-1])
    elif pytest := _PYTEST.findall(text):
        words = {word: int(number) for number, word in re.findall(r"(\d+) (\w+)", pytest[-1])}
        passed = words.get("passed", 0) + words.get("xfailed", 0)
        failed = sum(words.get(word, 0) for word in ("failed", "error", "errors", "xpassed"))
        skipped = words.get("skipped", 0)
    else:
        passed, failed, skipped = int(status == 0), 0, 0
    return Counts(passed, failed or int(status != 0), skipped)


@dataclass(frozen=True)
class Result:
    """What came of a suite."""

    counts: Counts
    note: str = ""  # where the counts do not tell all
    text: str = ""  # what it printed
    seconds: float = 0.0


def run(suite: Suite, said: Callable[[str], None] = lambda text: None) -> Result:
    """Runs one suite to its end; `said` gets what it has printed so far, again and again."""
    if suite.skip:
        return Result(Counts(skipped=1), suite.skip, f"skipped: {suite.skip}\n")
    environment = {**os.environ, **suite.environment}
    settings = [f"{name}={value}" for name, value in suite.environment.items()]
    title = textwrap.shorten(" ".join(["$", *settings, *suite.command]), 200) + "\n"
    start = time.monotonic()
    printed = b""
    try:
        with subprocess.Popen(
            suite.command,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        ) as process:
            assert process.stdout is not None
            while part := os.read(process.stdout.fileno(), 1 << 16):
                printed += part
                said(printed[-1000:].decode(errors="replace"))
    except OSError as error:
        return Result(Counts(failed=1), f"{suite.command[0]}: {error.strerror}", title)
    text = printed.decode(errors="replace")
    status = process.returncode
    note = ""
    if status < 0:
        note = f"died of {signal.Signals(-status).name}"
    elif status > 0:
        note = f"exit status {status}"
    return Result(count(text, status), note, title + text, time.monotonic() - start)


def reason(text: str) -> list[str]:
    """The lines behind a failed suite's command that say why: what names a fault, and the last."""
    lines = [line.rstrip()[:WIDTH] for line in text.splitlines()[1:] if line.strip()]
    return [*filter(_TELLING.search, lines[:-LAST])][:TELLING] + lines[-LAST:]


class Progress:
    """Runs suites, and says what runs and how far it is while nothing is through."""

    def __init__(self, total: int) -> None:
        self.total, self.done = total, 0
        self.start = time.monotonic()
        self.running: dict[str, str] = {}  # suite -> the end of what it has printed
        self.terminal = sys.stdout.isatty()

    def run(self, suite: Suite) -> Result:
        """Runs a suite to its end, in the calling thread."""
        self.running[suite.name] = ""
        try:
            return run(suite, lambda text: self.running.update({suite.name: text}))
        finally:
            del self.running[suite.name]

    def line(self) -> str:
        """How many suites are through, and the last whole line of each that runs: pytest's ends with
        a percentage."""
        parts = []
        for name, text in list(self.running.items()):
            lines = [line.strip(" .") for line in text.split("\n")[:-1]]
            last = next(filter(None, reversed(lines)), "")[-40:]
            parts.append(f"{name}: {last}" if last else name)
        seconds = time.monotonic() - self.start
        return f"[{self.done}/{self.total}, {seconds:.0f} s] {'; '.join(parts)}"

    def completed(self, futures: Iterable[Future[Result]]) -> Iterator[Future[Result]]:
        """The futures as they are done, with the line shown until then."""
        waiting = set(futures)
        while waiting:
            done, waiting = wait(waiting, 0.5 if self.terminal else 30, FIRST_COMPLETED)
            if done:
                print("\r\033[K" if self.terminal else "", end="")
            elif self.terminal:
                width = shutil.get_terminal_size().columns - 1
                print(f"\r\033[K{self.line()[:width]}", end="", flush=True)
            else:
                print(self.line(), flush=True)
            for future in done:
                self.done += 1
                yield future


def suites(options: argparse.Namespace) -> list[Suite]:
    """Every suite, in the order in which they start: the three that take longest behind the shortest,
    so that the others fill the other cores up to their end, then what tells most about a mistake."""
    build = options.build_dir
    python = [sys.executable, "-B"]
    pytest = [*python, "-m", "pytest", "-q", "-rfEs", "-p", "no:cacheprovider"]
    tests = f"{build}/kvf_tests"
    emulator = f"{build}/emulator"
    emulated = {"KVFORGE_LIBCUDA": f"{emulator}/libkvf_cuda_emulator.so"}
    built = {"KVFORGE_BUILD": str(Path(build).resolve())}
    without = [f"--ignore={path}" for path in ("tests/packaging", *BUILDS)]
    rows: Sequence[str] = () if options.exhaustive else EVERYDAY
    best_rows = ("--exhaustive",) if options.exhaustive else EVERYDAY
    below = () if options.exhaustive else BELOW
    no_cuda, no_emulator = options.no_cuda, options.no_cuda or options.no_emulator
    found = [
        Suite("generated files", [*python, "-m", "generator", "--check"]),
        Suite("cuda, emulated", [tests, "--backend", "cuda", *rows], emulated, no_emulator),
        Suite("python", [*pytest, "tests", *without], built, options.no_python),
        Suite("builds", [*pytest, *BUILDS], built, options.no_python),
    ]
    isas = options.isas.split(",")
    best = [isa for isa in isas if machine.runs(isa)][-1:]
    for isa in isas:
        skip = "" if machine.runs(isa) else f"this machine does not run {isa}"
        command = [tests, "--backend", "cpu", *(best_rows if isa in best else below)]
        found.append(Suite(f"cpu, {isa}", command, {"KVFORGE_ISA": isa}, skip))
    if "avx512" in isas:  # the matrix unit's work, in C
        skip = "" if machine.runs("avx512") else "this machine does not run avx512"
        command = [tests, "--backend", "cpu", "--suite", "paged_attention", *below]
        found.append(Suite("cpu, amx in C", command, {"KVFORGE_ISA": "amx_in_c"}, skip))
    found += [
        Suite(
            "emulated driver",
            [f"{emulator}/selftest", f"{emulator}/libselftest.so"],
            skip=no_emulator,
        ),
        Suite(  # each op's kernels, and each of them has to wait for those in front
            "hostile calls",
            [f"{build}/hostile_cuda", HOSTILE_CALLS],
            {**emulated, "KVF_EMULATOR_PROGRAMMATIC": "1"},
            no_emulator,
        ),
        Suite(
            "fuzzer",
            [
                *(f"{build}/fuzz/fuzz_call", f"{build}/fuzz/corpus", "tests/fuzz/corpus"),
                *(f"-artifact_prefix={build}/fuzz/", *FUZZ_LIMITS),
            ],
            skip=options.no_fuzz,
        ),
        Suite(
            "threads",
            [f"{build}/threads/first_use"],
            {} if no_emulator else emulated,
            options.no_threads,
        ),
        Suite("two builds", [*python, "tests/reproducible.py", f"--build-dir={build}"]),
        Suite(
            "cuda resources",
            [*python, "tests/check_resources.py", *options.reports],
            skip=no_cuda,
        ),
        *(
            Suite(name, [*pytest, folder], built, options.no_python)
            for name, folder in (
                ("packaging", "tests/packaging"),
                ("own op", "examples/own_op"),
                ("w4a16", "examples/w4a16"),
                ("vllm plugin", "plugins/kvforge-vllm/tests"),
                ("lmcache plugin", "plugins/kvforge-lmcache/tests"),
            )
        ),
    ]
    if options.exhaustive:
        return [suite for suite in found if suite.command[0] == tests]
    return found


def main(arguments: Sequence[str] | None = None) -> int:
    """Entry point; returns the exit status."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("reports", nargs="*", help="ptxas's reports on the CUDA variants")
    parser.add_argument("--build-dir", default="build")
    parser.add_argument("--exhaustive", action="store_true", help="the C suites alone, all rows")
    parser.add_argument("--isas", default="baseline", help="the levels that were built")
    parser.add_argument("--no-cuda", default="", metavar="WHY", help="skip what needs CUDA")
    parser.add_argument("--no-emulator", default="", metavar="WHY", help="skip what needs it")
    parser.add_argument("--no-fuzz", default="", metavar="WHY", help="skip the fuzzer")
    parser.add_argument("--no-threads", default="", metavar="WHY", help="skip ThreadSanitizer")
    parser.add_argument("--no-python", default="", metavar="WHY", help="skip the Python tests")
    options = parser.parse_args(arguments)
    os.chdir(ROOT)

    wanted = suites(options)
    cores = len(os.sched_getaffinity(0))
    print(f"{len(wanted)} suites, {min(cores, len(wanted))} at a time", flush=True)
    progress = Progress(len(wanted))
    with ThreadPoolExecutor(cores) as pool:
        futures = {pool.submit(progress.run, suite): suite for suite in wanted}
        for future in progress.completed(futures):
            print(f"\n---- {futures[future].name} ----\n{future.result().text}", end="", flush=True)
    results = [future.result() for future in futures]

    print(f"\n{'suite':<18}{'passed':>8}{'failed':>8}{'skipped':>9}{'seconds':>9}")
    for suite, result in zip(wanted, results, strict=True):
        numbers = result.counts
        line = f"{suite.name:<18}{numbers.passed:>8}{numbers.failed:>8}{numbers.skipped:>9}"
        print(f"{line}{result.seconds:>9.1f}  {result.note}".rstrip())
    for suite, result in zip(wanted, results, strict=True):
        if result.counts.failed:
            print(f"\n---- {suite.name} failed ----", *reason(result.text), sep="\n")
    total = sum((result.counts for result in results), Counts())
    print(f"\n{total}", flush=True)
    return 1 if total.failed else 0


if __name__ == "__main__":
    sys.exit(main())
