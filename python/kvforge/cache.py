"""python -m kvforge cache: lists, measures and prunes what kvforge has compiled.

list     one line for each build, the one used last first
size     bytes in all, and where
prune    removes builds: those not used for some days, the oldest beyond a size, or all; and what
         is broken in any way

Errors are those of the cache in kvforge.load: a folder that others can write to, or without locks.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from pathlib import Path

from kvforge._store import Entry, Store, size_of

DAY = 86400.0


def main(arguments: Sequence[str] | None = None) -> int:
    """Entry point; returns the exit status."""
    summary, _, rest = (__doc__ or "").partition("\n\n")
    parser = argparse.ArgumentParser(
        prog="python -m kvforge cache",
        description=summary,
        epilog=rest,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(dest="command")
    commands.add_parser("list")
    commands.add_parser("size")
    prune = commands.add_parser("prune")
    what = prune.add_mutually_exclusive_group()
    what.add_argument("--older-than", type=float, metavar="DAYS", help="not used since; [30]")
    what.add_argument("--max-size", type=float, metavar="MB", help="keep the latest that fit")
    what.add_argument("--all", action="store_true", help="everything")
    options = parser.parse_args(arguments)
    store = Store()
    if options.command == "size":
        print(f"{megabytes(size_of(store.folder))} in {store.folder}")
    elif options.command == "prune":
        kept = set() if options.all else kept_folders(store.entries(), options)
        freed = store.prune(lambda entry: entry.folder in kept)
        print(f"{megabytes(freed)} freed in {store.folder}")
    else:
        show(store.entries())
    return 0


def kept_folders(entries: Sequence[Entry], options: argparse.Namespace) -> set[Path]:
    """The builds that stay: those used lately, or the latest that fit."""
    if options.max_size is None:
        days = 30.0 if options.older_than is None else options.older_than
        return {entry.folder for entry in entries if entry.used >= time.time() - days * DAY}
    room = options.max_size * 1e6
    kept = set()
    for entry in entries:
        room -= entry.size
        if room < 0:
            break
        kept.add(entry.folder)
    return kept


def show(entries: Sequence[Entry]) -> None:
    """A table of builds."""
    rows = [("name", "sources", "size", "used", "folder")]
    for entry in entries:
        used = time.strftime("%Y-%m-%d %H:%M", time.localtime(entry.used))
        rows.append((entry.name, entry.title, megabytes(entry.size), used, str(entry.folder)))
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        print(
            "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        )


def megabytes(size: int) -> str:
    """A number of bytes for people."""
    return f"{size / 1e6:.2f} MB"
