"""Lines and branches of runtime/ and generator/ that the suites run, as one table.

    python3 tests/coverage_report.py [--build-dir=build] [--suites=NAME,NAME]

The C suites run with a runtime that gcc has made count, on the CPU and in the emulated driver; the
generator's tests under coverage.py. What is not run at all is listed with --missing.
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
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
AIM = (95.0, 90.0)  # percent of lines and of branches
GENERATOR_TESTS = [
    f"tests/test_{name}.py"
    for name in ("generator", "outside", "profile", "costs", "tuned", "templates")
]
# The generator is a program, too: its processes count as well.
SETTINGS = """\
[run]
branch = true
source = generator
parallel = true
patch = subprocess
data_file = {folder}/data
"""


@dataclass
class Counted:
    """Lines and branches of a file: whether each was run."""

    lines: dict[int, bool] = field(default_factory=dict)
    branches: dict[tuple[int, int], bool] = field(default_factory=dict)


def add_gcov(files: dict[str, Counted], report: Mapping[str, Any]) -> None:
    """Adds one object's report; a header is in those of several."""
    for file in report["files"]:
        counted = files.setdefault(os.path.normpath(file["file"]), Counted())
        for line in file["lines"]:
            number = line["line_number"]
            counted.lines[number] = counted.lines.get(number, False) or line["count"] > 0
            for i, branch in enumerate(line["branches"]):
                was = counted.branches.get((number, i), False)
                counted.branches[number, i] = was or branch["count"] > 0


def runtime(build: Path, suites: list[str]) -> dict[str, Counted]:
    """Runs the C suites and reads what they counted."""
    program = build / "coverage/kvf_tests"
    for stale in (build / "coverage").rglob("*.gcda"):
        stale.unlink()
    emulator = build / "emulator/libkvf_cuda_emulator.so"
    backends: dict[str, dict[str, str]] = {
        "cpu": {},
        "cuda": {"KVFORGE_LIBCUDA": str(emulator.resolve())},
    }
    if not emulator.exists():
        del backends["cuda"]
    for backend, extra in backends.items():
        for suite in suites or [""]:
            command = [str(program), "--backend", backend, *(["--suite", suite] if suite else [])]
            environment = {**os.environ, **extra}
            done = subprocess.run(command, env=environment, capture_output=True, check=False)
            if done.returncode:
                print(f"{backend} {suite}: exit status {done.returncode}; counted all the same")
    files: dict[str, Counted] = {}
    with tempfile.TemporaryDirectory() as folder:
        data = [str(path.resolve()) for path in (build / "coverage").rglob("*.gcda")]
        gcov = shutil.which("gcov") or "gcov"
        command = [gcov, "--json-format", "--branch-probabilities", "--hash-filenames", *data]
        subprocess.run(command, cwd=folder, capture_output=True, check=True)
        for path in Path(folder).glob("*.gcov.json.gz"):
            add_gcov(files, json.loads(gzip.decompress(path.read_bytes())))
    return {name: counted for name, counted in files.items() if name.startswith("runtime/")}


def generator() -> dict[str, Counted]:
    """Runs the generator's tests under coverage.py, and reads what it says."""
    with tempfile.TemporaryDirectory() as folder:
        report, settings = f"{folder}/report.json", Path(folder, "settings")
        settings.write_text(SETTINGS.format(folder=folder))
        coverage = [sys.executable, "-B", "-m", "coverage"]
        again = f"--rcfile={settings}"
        tests = [name for name in GENERATOR_TESTS if (ROOT / name).exists()]
        pytest = ["-m", "pytest", "-q", "-p", "no:cacheprovider", *tests]
        done = subprocess.run(
            [*coverage, "run", again, *pytest], capture_output=True, text=True, check=False
        )
        if done.returncode:
            print(f"generator's tests fail; counted all the same\n{done.stdout[-1000:]}")
        subprocess.run([*coverage, "combine", "-q", again], check=True)
        subprocess.run([*coverage, "json", "-q", again, "-o", report], check=True)
        files = {}
        for name, file in json.loads(Path(report).read_text())["files"].items():
            counted = files[name] = Counted()
            counted.lines = dict.fromkeys(file["executed_lines"], True)
            counted.lines |= dict.fromkeys(file["missing_lines"], False)
            for key, run_ in (("executed_branches", True), ("missing_branches", False)):
                counted.branches |= {(start, to): run_ for start, to in file[key]}
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
    yield title, percent(lines), percent(branches)


def main() -> int:
    """Entry point; returns the exit status."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--build-dir", default="build")
    parser.add_argument("--suites", default="", help="these suites of kvf_tests only")
    parser.add_argument("--missing", action="store_true", help="lists the lines that never ran")
    options = parser.parse_args()
    os.chdir(ROOT)
    suites = [name for name in options.suites.split(",") if name]
    groups = {"runtime": runtime(Path(options.build_dir), suites), "generator": generator()}
    print(f"{'file':<56}{'lines':>8}{'branches':>10}   in percent")
    for title, files in groups.items():
        for name, lines, branches in rows(f"all of {title}/", files):
            print(f"{name:<56}{lines:>8.1f}{branches:>10.1f}")
        if options.missing:
            for name, counted in sorted(files.items()):
                never = sorted(line for line, ran in counted.lines.items() if not ran)
                print(*([f"{name}: {', '.join(map(str, never))}"] if never else []), sep="\n")
        lines, branches = [*rows(title, files)][-1][1:]
        if lines < AIM[0] or branches < AIM[1]:
            print(f"{title}/ is below the aim of {AIM[0]:.0f} and {AIM[1]:.0f} %")
    return 0


if __name__ == "__main__":
    sys.exit(main())
