"""Host time of one call with 8 tensors, through each binding: what is kvforge's own of it.

    ninja bench-python

The op is concat_and_cache_mla_rope_fused on one token, so that the work itself is next to nothing.
Rows that do nothing with the same arguments show what TVM-FFI and torch cost by themselves. All rows
are measured in turns in one run; a figure is the median of the rounds. A prepared call has its tensors,
or is given others in place of three by name.
"""

from __future__ import annotations

import argparse
import ctypes
import inspect
import statistics
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import torch
import tvm_ffi
from rich.console import Console
from rich.table import Table

import kvforge.torch
from kvforge import _library

BARE = "C call"
TVM_FFI_NOTHING, TORCH_NOTHING = "TVM-FFI, nothing", "torch.ops, nothing"
CUSTOM_OP = "torch custom_op, nothing"
PREPARED, WITH_THREE = "kvforge.prepare", "the same, three others"
SIGNATURE = (
    "(Tensor positions, Tensor! q_pe, Tensor! k_pe, Tensor kv_c, Tensor cos_sin_cache, "
    "bool is_neox, Tensor slot_mapping, Tensor! kv_cache, str kv_cache_dtype, "
    "Tensor kv_cache_scale) -> ()"
)
Timer = Callable[[int], float]  # number of calls -> seconds


def arguments() -> list[Any]:
    """One token, one head, in the order of the schema."""
    row = torch.ones(1, 4)
    return [
        torch.zeros(1, dtype=torch.int64),
        torch.ones(1, 1, 4),
        row.clone(),
        torch.ones(1, 8),
        torch.ones(2, 4),
        True,
        torch.zeros(1, dtype=torch.int64),
        torch.zeros(2, 4, 12),
        "auto",
        torch.ones(1),
    ]


def timer(function: Callable[..., Any], values: Sequence[Any]) -> Timer:
    """Times calls of a Python function."""

    def run(calls: int) -> float:
        begin = time.perf_counter()
        for _ in range(calls):
            function(*values)
        return time.perf_counter() - begin

    return run


def torch_nothing() -> Any:
    """An operator in C++ with the op's schema that does nothing."""
    native = ctypes.CDLL(str(_library.find().parent / "bench_nothing_torch.so"))
    if native.define_nothing(f"nothing{SIGNATURE}".encode()) != 0:
        raise RuntimeError(f"torch refused {SIGNATURE}")
    return torch.ops.kvforge_bench.nothing


def custom_op_nothing() -> Any:
    """The same in Python, by torch.library.custom_op."""

    @torch.library.custom_op(  # type: ignore[untyped-decorator]
        "kvforge_bench::custom", mutates_args=("q_pe", "k_pe", "kv_cache"), device_types="cpu"
    )
    def custom(
        positions: torch.Tensor,
        q_pe: torch.Tensor,
        k_pe: torch.Tensor,
        kv_c: torch.Tensor,
        cos_sin_cache: torch.Tensor,
        is_neox: bool,
        slot_mapping: torch.Tensor,
        kv_cache: torch.Tensor,
        kv_cache_dtype: str,
        kv_cache_scale: torch.Tensor,
    ) -> None:
        return

    return torch.ops.kvforge_bench.custom


def rows() -> dict[str, Timer]:
    """Every way of making the call."""
    kvforge.torch.register()
    values = arguments()
    module = tvm_ffi.load_module(str(_library.find().parent / "bench_nothing_tvm_ffi.so"))
    ways: dict[str, Callable[..., Any]] = {
        TVM_FFI_NOTHING: module["nothing"],
        "kvforge.ops": kvforge.ops._C_cache_ops.concat_and_cache_mla_rope_fused,
        TORCH_NOTHING: torch_nothing(),
        "torch.ops": torch.ops._C_cache_ops.concat_and_cache_mla_rope_fused,
        CUSTOM_OP: custom_op_nothing(),
    }
    op = ways["kvforge.ops"]
    call = kvforge.prepare(op, *values)
    three = dict(list(zip(inspect.signature(op).parameters, values, strict=False))[1:4])
    timers: dict[str, Timer] = {BARE: lambda calls: float(module["bare_call"](calls, *values))}
    timers |= {name: timer(function, values) for name, function in ways.items()}
    return timers | {PREPARED: timer(call, ()), WITH_THREE: timer(partial(call, **three), ())}


def measure(timers: dict[str, Timer], calls: int, rounds: int) -> dict[str, float]:
    """Microseconds per call, the median of rounds in which every row has its turn."""
    seconds: dict[str, list[float]] = {name: [] for name in timers}
    for run in timers.values():
        run(calls)  # warm
    for _ in range(rounds):
        for name, run in timers.items():
            seconds[name].append(run(calls))
    return {name: statistics.median(found) / calls * 1e6 for name, found in seconds.items()}


def table(found: dict[str, float]) -> Table:
    """The figures, and what is left when the framework's own share is taken off."""
    own = {"kvforge.ops": TVM_FFI_NOTHING, "torch.ops": TORCH_NOTHING}
    shown = Table(title="one call with 8 tensors, host time")
    for head in ("way", "us", "kvforge's own, us", "custom_op takes"):
        shown.add_column(head, justify="left" if head == "way" else "right")
    for name, value in found.items():
        rest = f"{value - found[own[name]]:.2f}" if name in own else ""
        times = f"{found[CUSTOM_OP] / value:.1f} times" if name in (*own, PREPARED) else ""
        shown.add_row(name, f"{value:.2f}", rest, times)
    return shown


def main() -> None:
    """Entry point."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument(
        "--calls", type=int, default=300, help="calls per round: few, to fit into a slice of time"
    )
    parser.add_argument("--rounds", type=int, default=151)
    options = parser.parse_args()
    torch.set_num_threads(1)
    Console().print(table(measure(rows(), options.calls, options.rounds)))
    print("kvforge's own: the row less the one above it, which does nothing; the C call included.")


if __name__ == "__main__":
    main()
