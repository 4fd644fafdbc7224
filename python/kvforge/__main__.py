"""python -m kvforge [--explain SYMBOL | --cflags --libs | --cmake-dir]: the dispatch table, the build and
the machine, or where compilers and CMake find them."""

from __future__ import annotations

import argparse
import shlex
import signal
import sys
from collections.abc import Sequence

from kvforge import _checkout, cache, machine, variants
from kvforge._library import explain, find


def main(arguments: Sequence[str] | None = None) -> int:
    """Entry point; returns the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m kvforge",
        description="Prints the dispatch table, a line per variant, and what the library runs on.",
        epilog="python -m kvforge cache --help: what kvforge.load() has compiled.",
    )
    parser.add_argument("--explain", metavar="SYMBOL", help="one variant, and why it cannot run")
    parser.add_argument("--cflags", action="store_true", help="for a C compiler: the headers")
    parser.add_argument("--cmake-dir", action="store_true", help="kvforge_DIR of find_package")
    parser.add_argument("--libs", action="store_true", help="for its linker: the shared library")
    words = sys.argv[1:] if arguments is None else list(arguments)
    if words[:1] == ["cache"]:
        return run_cache(words[1:])
    options = parser.parse_args(arguments)
    try:
        if options.cmake_dir:
            print(find().parent / "cmake")
        elif options.cflags or options.libs:
            print(shlex.join(compiler_words(options.cflags, options.libs)))
        elif options.explain is None:
            print_table()
        else:
            print_variant(options.explain)
    except (RuntimeError, ValueError) as error:
        print(f"kvforge: {error}", file=sys.stderr)
        return 1
    return 0


def compiler_words(cflags: bool, libs: bool) -> list[str]:
    """What compiles and links a program in C or C++ with the library of this package."""
    words = [f"-I{path}" for path in _checkout.include_paths()] if cflags else []
    if libs:
        folder = find().parent  # by its whole name: a wheel cannot hold the link libkvforge.so
        words += [f"-L{folder}", "-l:libkvforge.so.0", f"-Wl,-rpath,{folder}"]
    return words


def run_cache(words: Sequence[str]) -> int:
    """The cache command; a cache that cannot be used is told in a sentence."""
    try:
        return cache.main(words)
    except (OSError, RuntimeError, ValueError) as error:
        print(error if "kvforge" in str(error) else f"kvforge: {error}", file=sys.stderr)
        return 1


def print_table() -> None:
    """One line per variant, then the build and the machine."""
    rows = variants()
    lines = [("namespace", "op", "backend", "axes", "symbol", "built")]
    for row in rows:
        built = "yes" if row.built else "no"
        lines.append((row.namespace, row.op, row.backend, row.words, row.symbol, built))
    widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
    for line in lines:
        cells = (cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        print("  ".join(cells).rstrip())
    print()
    for name, text in about().items():
        print(f"{name:<14}{text}")


def about() -> dict[str, str]:
    """The build and the machine, in words."""
    rows, here = variants(), machine()
    counts = [
        f"{sum(row.built for row in rows if row.backend == backend)} of "
        f"{sum(row.backend == backend for row in rows)} {backend}"
        for backend in ("cpu", "cuda")
    ]
    return {
        "kvforge": here.version,
        "library": str(find()),
        "built": ", ".join(counts),
        "CPU level": here.isa,
        "CUDA devices": f"{here.cuda_devices} {here.no_cuda}".rstrip(),
    }


def print_variant(symbol: str) -> None:
    """What one variant is, and how it is called."""
    variant, schema, reason = explain(symbol)
    runs = "yes" if not reason else f"no: {reason}"
    rows = {
        "op": f"{variant.namespace}::{variant.op}",
        "schema": schema,
        "variant": f"{variant.backend}, {variant.words}",
        "from Python": f"kvforge.ops.{variant.namespace}.{variant.op}; help() describes it",
        "in torch": f"torch.ops.{variant.namespace}.{variant.op}, after kvforge.torch.register()",
        "built": runs,
    }
    for name, text in rows.items():
        print(f"{name:<14}{text}")


if __name__ == "__main__":
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # `| head` ends this without a traceback
    sys.exit(main())
