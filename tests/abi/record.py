"""The record of the ABI, and the list of what the library exports: checks them, or writes them anew.

    python3 tests/abi/record.py --write    # after a change that is meant; needs a built library

A struct, constant or function that callers were compiled with may change only together with
KVF_ABI_VERSION; new ones may come at any time.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import layout

HERE = Path(__file__).resolve().parent
RECORD = HERE / "record.txt"
SYMBOLS = HERE / "symbols.txt"


def read(path: Path = RECORD) -> tuple[int, list[str]]:
    """The version of a record and its lines."""
    first, *lines = path.read_text().splitlines()
    return int(first.removeprefix("KVF_ABI_VERSION ")), lines


def changes(recorded: Sequence[str], found: Sequence[str]) -> list[str]:
    """What a caller that was compiled before would notice."""
    now = {line.replace(" =", ":").partition(":")[0]: line for line in found}
    sentences = []
    for line in recorded:
        name = line.replace(" =", ":").partition(":")[0]
        if now.get(name) != line:
            sentences.append(f"was '{line}', is '{now.get(name, 'gone')}'")
    known = {line.partition(":")[0] for line in recorded}
    for line in found:  # a member that is new in a struct that is known
        name = line.partition(":")[0]
        struct = name.removeprefix("member ").partition(".")[0]
        if name.startswith("member ") and name not in known and f"struct {struct}" in known:
            sentences.append(f"was not there, is '{line}'")
    return sentences


def verdict(version: int, recorded: Sequence[str], header: int, found: Sequence[str]) -> str:
    """Empty when the record holds, else what is to be done."""
    changed = changes(recorded, found)
    if changed and header == version:
        return (
            f"the ABI differs from that of version {version} in {len(changed)} places: raise "
            f"KVF_ABI_VERSION, then python3 tests/abi/record.py --write\n" + "\n".join(changed)
        )
    if header != version or sorted(recorded) != sorted(found):
        return (
            f"the record is of ABI version {version} and lacks what has come since: "
            "python3 tests/abi/record.py --write"
        )
    return ""


def exported(library: Path) -> list[str]:
    """The symbols that a shared object or an archive defines for others."""
    dynamic = [] if library.suffix == ".a" else ["--dynamic"]
    command = ["nm", *dynamic, "--defined-only", "--extern-only", "--format=posix", str(library)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    words = [line.split() for line in done.stdout.splitlines()]
    return sorted({line[0] for line in words if len(line) > 1})


def main() -> int:
    """Entry point; returns the exit status."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--write", action="store_true", help="write the two files anew")
    parser.add_argument("--build-dir", default="build", help="where the library is")
    options = parser.parse_args()
    found = layout.compiled(os.environ.get("CC", "cc").split())
    header = layout.abi_version()
    symbols = exported(Path(options.build_dir, "libkvforge.so.0"))
    if not options.write:
        version, recorded = read()
        why = verdict(version, recorded, header, found)
        if symbols != SYMBOLS.read_text().splitlines():
            why += f"\n{SYMBOLS.name} is not what the library exports"
        print(why or "the record holds")
        return 1 if why else 0
    if RECORD.exists():
        version, recorded = read()
        if version == header and (changed := changes(recorded, found)):
            print("raise KVF_ABI_VERSION first:", *changed, sep="\n", file=sys.stderr)
            return 1
    RECORD.write_text("\n".join([f"KVF_ABI_VERSION {header}", *found]) + "\n")
    SYMBOLS.write_text("\n".join(symbols) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
