"""Lines and branches of runtime/ and generator/ that the tests run, as one table.

    python3 tests/coverage_report.py [--build-dir=build] [--missing]

The C suites, on the CPU and in the emulated driver, and the programs that lack memory or threads run
with a library whose runtime gcc has made count; the generator's tests run under coverage.py, their
processes too. Left out is what reaches this code through Python's bindings, the fuzzer and hostile
calls: what only they run has no test that says what is right. Exit status 0: all tests passed.
--missing lists what was never run: lines, and in brackets how many of a line's branches.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from configuration import machine  # noqa: E402

AIM = (95.0, 90.0)  # percent of lines and of branches
# One row of so many of the matrices of cases: rows differ in kernels more than in what is counted here.
SAMPLE = ("--sample", "8")
PYTEST = ("-m", "pytest", "-q", "-p", "no:cacheprovider")
# One becomes another user, who cannot write down what was counted.
STANDALONE_TESTS = (
    *("tests/test_standalone.py", "tests/test_allocations.py"),
    "--deselect=tests/test_standalone.py::test_a_program[no-processes]",
)
GENERATOR_TESTS = tuple(
    f"tests/test_{name}.py"
    for name in (
        *("generator", "axis_values", "outside", "profile", "costs", "tuned", "templates"),
        *("new_op", "where"),
    )
)
# The generator is a program, too: its processes count as well.
SETTINGS = f"""\
[run]
branch = true
source = {ROOT / "generator"}
parallel = true
patch = subprocess
data_file = {{folder}}/data
"""


@dataclass
class Counted:
    """Lines and branches of a file: whether each was run."""

    lines: dict[int, bool] = field(default_factory=dict)
    branches: dict[tuple[int, str], bool] = field(default_factory=dict)  # line, which of it

    def missing(self) -> list[str]:
        """Lines that never ran, and those of whose branches some never did."""
        found = [line for line, ran in self.lines.items() if not ran]
        texts = {line: str(line) for line in found}
        for line in sorted({line for line, _ in self.branches} - set(found)):
            ran = [ran for (at, _), ran in self.branches.items() if at == line]
            if not all(ran):
                texts[line] = f"{line}({len(ran) - sum(ran)}/{len(ran)})"
        return [texts[line] for line in sorted(texts)]


@dataclass(frozen=True)
class Command:
    """What runs the code that is counted."""

    name: str
    words: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict)


def run(command: Command) -> bool:
    """Whether it went well; what it printed otherwise."""
    environment = {**os.environ, **command.environment}
    done = subprocess.run(
        command.words,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )
    if done.returncode:
        text = done.stdout.decode(errors="replace")[-3000:]
        print(f"---- {command.name}: exit status {done.returncode}\n{text}", flush=True)
    return done.returncode == 0


def commands(build: Path, settings: Path) -> list[Command]:
    """All of them, the longest first."""
    counting, python = (build / "coverage").resolve(), [sys.executable, "-B"]
    tests = str(counting / "kvf_tests")
    coverage = [*python, "-m", "coverage", "run", f"--rcfile={settings}"]
    emulator = counting / "emulator/libkvf_cuda_emulator.so"
    found = [
        Command("suites, cpu", [tests, "--backend", "cpu", *SAMPLE]),
        Command("generator", [*coverage, *PYTEST, *GENERATOR_TESTS]),
        Command("standalone", [*python, *PYTEST, *STANDALONE_TESTS]),
    ]
    attention = ["--suite", "paged_attention", "--sample", "24"]
    if machine.runs("avx512"):
        in_c = {"KVFORGE_ISA": "amx_in_c"}
        found.append(Command("attention, amx", [tests, "--backend", "cpu", *attention], in_c))
    if emulator.exists():
        emulated = {"KVFORGE_LIBCUDA": str(emulator)}
        command = [tests, "--backend", "cuda", "--skip", "paged_attention", *SAMPLE]
        found.insert(1, Command("suites, cuda", command, emulated))
        found.append(Command("attention, cuda", [tests, "--backend", "cuda", *attention], emulated))
    found[2:] = [
        Command(c.name, c.words, {**c.environment, "KVFORGE_BUILD": str(counting)})
        for c in found[2:]
    ]
    return found


def runtime(build: Path) -> dict[str, Counted]:
    """What the library wrote down; a header is in the reports of several objects."""
    files: dict[str, Counted] = {}
    with tempfile.TemporaryDirectory() as folder:
        data = [str(path.resolve()) for path in (build / "coverage/runtime").rglob("*.gcda")]
        gcov = shutil.which("gcov") or "gcov"
        command = [gcov, "--json-format", "--branch-probabilities", "--hash-filenames", *data]
        subprocess.run(command, cwd=folder, capture_output=True, check=True)
        reports = Path(folder).glob("*.gcov.json.gz")
        found = [json.loads(gzip.decompress(path.read_bytes())) for path in reports]
    for file in (file for report in found for file in report["files"]):
        name = os.path.normpath(file["file"])
        if not name.startswith("runtime/"):
            continue
        counted = files.setdefault(name, Counted())
        for line in file["lines"]:
            number = line["line_number"]
            counted.lines[number] = counted.lines.get(number, False) or line["count"] > 0
            for i, branch in enumerate(line["branches"]):
                key = (number, f"{line.get('function_name')} {i}")
                counted.branches[key] = counted.branches.get(key, False) or branch["count"] > 0
    return files


def generator(settings: Path) -> dict[str, Counted]:
    """What coverage.py wrote down."""
    report = settings.with_name("report.json")
    coverage = [sys.executable, "-B", "-m", "coverage"]
    again = f"--rcfile={settings}"
    subprocess.run([*coverage, "combine", "-q", again], check=True)
    subprocess.run([*coverage, "json", "-q", again, "-o", str(report)], check=True)
    files = {}
    for name, file in json.loads(report.read_text())["files"].items():
        counted = files[name] = Counted()
        counted.lines = dict.fromkeys(file["executed_lines"], True)
        counted.lines |= dict.fromkeys(file["missing_lines"], False)
        for key, ran in (("executed_branches", True), ("missing_branches", False)):
            counted.branches |= {(start, f"to {to}"): ran for start, to in file[key]}
    return files


def percent(parts: list[bool]) -> float:
    """How many of them, in percent."""
    return 100.0 * sum(parts) / len(parts) if parts else 100.0


def rows(title: str, files: Mapping[str, Counted]) -> Iterator[tuple[str, float, float]]:
    """(name, lines, branches) of each file, and of all of them."""
    for name, counted in sorted(files.items()):
        yield name, percent([*counted.lines.values()]), percent([*counted.branches.values()])
    lines = [ran for counted in files.values() for ran in counted.lines.values()]
    branches = [ran for counted in files.values() for ran in counted.branches.values()]
    yield (
        f"{title}: {len(lines)} lines, {len(branches)} branches",
        percent(lines),
        percent(branches),
    )


def main() -> int:
    """Entry point; returns the exit status."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--build-dir", type=Path, default=Path("build"))
    parser.add_argument("--missing", action="store_true", help="lists what never ran")
    options = parser.parse_args()
    os.chdir(ROOT)
    for stale in (options.build_dir / "coverage").rglob("*.gcda"):
        stale.unlink()
    with tempfile.TemporaryDirectory() as folder:
        settings = Path(folder, "settings")
        settings.write_text(SETTINGS.format(folder=folder))
        with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
            good = all([*pool.map(run, commands(options.build_dir, settings))])
        groups = {"runtime/": runtime(options.build_dir), "generator/": generator(settings)}
    print(f"{'in percent':<56}{'lines':>8}{'branches':>10}")
    for title, files in groups.items():
        for name, lines, branches in rows(title, files):
            print(f"{name:<56}{lines:>8.1f}{branches:>10.1f}")
            for text in files[name].missing() if options.missing and name in files else ():
                print(f"    {text}")
        if lines < AIM[0] or branches < AIM[1]:
            print(f"{title} is below the aim of {AIM[0]:.0f} and {AIM[1]:.0f} %")
        print()
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
