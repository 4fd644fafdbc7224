"""kvforge.build_variant, and KVFORGE_JIT=1: variants that were left out of the library."""

from __future__ import annotations

import os
import sys
import threading
from pathlib import Path

from kvforge import _checkout, _library, _toolchain
from kvforge._build import Build
from kvforge._store import Store, store_in


def build_variant(
    symbol: str = "",
    *,
    op: str = "",
    backend: str = "cpu",
    build_directory: str | os.PathLike[str] | None = None,
    verbose: bool = False,
    **axes: str | int | bool,
) -> _library.Variant:
    """Builds a variant that was left out of this library, and puts it into the dispatch table.

    It stays there for the life of the process; another process finds it in the cache. With
    KVFORGE_JIT=1 in the environment this happens by itself, announced by a line on stderr, when an
    op is called that would take such a variant; where it fails, another line says why, and the call
    has the generic variant, or the error that it would have had.

    Args:
        symbol: as `kvforge.variants()` and errors have it, e.g.
            "kvf_cpu_reshape_and_cache_flash__bf16__fp8_e4m3"; or else
        op, backend, **axes: its parts, e.g. op="reshape_and_cache_flash", scalar="bf16",
            cache="fp8_e4m3"; a value of each of the op's axes, "other" for the generic one.
        build_directory, verbose: as for `load`.

    Returns:
        The row of the dispatch table. One that is built already is left as it is.

    Raises:
        ValueError: no such variant. Otherwise as `load`, of whose errors those of the cache and of
            compilers are possible.
    """
    values = {name: str(value).lower() for name, value in axes.items()}
    parts = " ".join([op, *(f"{name}={value}" for name, value in values.items())]).strip()
    if not symbol and not (op and values):
        given = {"op": op, **values}
        got = ", ".join(f"{part}={value!r}" for part, value in given.items() if value)
        raise ValueError(
            f"kvforge.build_variant: got {got or 'no arguments'}, want symbol, or op and a value "
            "of each of its axes"
        )
    rows = _library.variants()
    wanted = symbol or f"{parts} on {backend}"
    found = [
        row
        for row in rows
        if row.symbol == symbol
        or (not symbol and (row.op, row.axes, row.backend) == (op, values, backend))
    ]
    if not found:
        name = op or (symbol.split("__")[0].split("_", 2)[-1] if "__" in symbol else "")
        near = [row.symbol for row in rows if row.op == name] or sorted({row.op for row in rows})
        raise ValueError(
            f"kvforge.build_variant: no variant {wanted}; want one of {', '.join(near)}"
        )
    row = found[0]
    if row.built:
        return row
    source = _checkout.root() / f"generated/{row.backend}/{row.symbol}"
    source = source.with_suffix(".c" if row.backend == "cpu" else ".cu")
    if not source.is_file():
        raise ValueError(
            f"kvforge.build_variant: {row.symbol} is not one of kvforge's own: load its op folder "
            "where there is nvcc, and a GPU or KVFORGE_CUDA_ARCHS"
        )
    if row.backend == "cuda" and not _toolchain.cuda_archs():
        raise RuntimeError(
            f"kvforge.build_variant: {row.symbol}: no GPU is visible and KVFORGE_CUDA_ARCHS is not set"
        )
    store = store_in(build_directory)
    build = Build(store=store, name=row.symbol, variant=row.symbol, files=[source], verbose=verbose)

    def bring_in(folder: Path) -> None:
        _library.function("kvforge__load_module")(str(folder / f"{row.symbol}.so"))

    build.use(bring_in)
    return row._replace(built=True)


def jit() -> bool:
    """Whether calls build what they need and the library lacks."""
    return os.environ.get("KVFORGE_JIT") == "1"


_one_at_a_time = threading.Lock()
_failed: set[str] = set()


def build_missing(symbol: str) -> bool:
    """What KVFORGE_JIT=1 does about a call that would take a variant which is not built: whether it is
    now. What could not be built is said once, and not tried again."""
    with _one_at_a_time:
        if symbol in _failed:
            return False
        try:
            folder = Store().folder
            print(
                f"kvforge: KVFORGE_JIT=1: {symbol} is not in this library; building it, unless "
                f"{folder} has it",
                file=sys.stderr,
                flush=True,
            )
            build_variant(symbol)
        except Exception as error:
            _failed.add(symbol)
            print(f"kvforge: KVFORGE_JIT=1: {error}", file=sys.stderr, flush=True)
            return False
    return True
