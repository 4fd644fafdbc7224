"""Finds the binding's shared object, loads it, and wraps the functions that are not ops."""

from __future__ import annotations

import difflib
import operator
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import tvm_ffi

LIBRARY = "kvforge_tvm_ffi.so"
TORCH_LIBRARY = "kvforge_torch.so"


class Variant(NamedTuple):
    """One row of the dispatch table."""

    namespace: str
    op: str
    backend: str
    axes: dict[str, str]  # axis -> value, e.g. {"scalar": "bf16", "head_size": "128"}; or "other"
    symbol: str
    built: bool

    @property
    def words(self) -> str:
        """The axis values in one line."""
        return " ".join(f"{name}={value}" for name, value in self.axes.items())


class Machine(NamedTuple):
    """What the library runs on."""

    version: str
    isa: str
    cuda_devices: int
    no_cuda: str  # why there is no CUDA device, or ""


def find() -> Path:
    """The binding beside the package, in $KVFORGE_BUILD, or in the build folder of a checkout."""
    here = Path(__file__).resolve().parent
    folders = [here, here.parent.parent / "build"]
    if os.environ.get("KVFORGE_BUILD"):
        folders.insert(0, Path(os.environ["KVFORGE_BUILD"]).absolute())
    for folder in folders:
        if (folder / LIBRARY).is_file():
            return folder / LIBRARY
    places = ", ".join(str(folder) for folder in folders)
    raise ImportError(f"kvforge: no {LIBRARY} in {places}; `ninja python` builds it")


# The one exception kind that TVM-FFI does not know by itself.
tvm_ffi.register_error("NotImplementedError", NotImplementedError)
_module = tvm_ffi.load_module(str(find()))


def function(name: str) -> Callable[..., Any]:
    """A function of the binding, or <namespace>__<op> of an op that a module has registered."""
    try:
        return _module[name]  # type: ignore[no-any-return]
    except AttributeError:
        return _module["kvforge__op"](name)  # type: ignore[no-any-return]


def variants() -> list[Variant]:
    """The dispatch table: every variant that an op's spec allows, built or not."""
    rows = []
    for line in function("kvforge__variants")().splitlines():
        namespace, op, backend, symbol, built, *axes = line.split(" ")
        values = dict(axis.split("=", 1) for axis in axes)
        rows.append(Variant(namespace, op, backend, values, symbol, built == "1"))
    return rows


def explain(symbol: str) -> tuple[Variant, str, str]:
    """A variant by its symbol, its op's schema, and why it cannot run here, or "".

    ValueError, with symbols that look like it, if there is no such variant.
    """
    rows = {row.symbol: row for row in variants()}
    if symbol not in rows:
        near = ", ".join(difflib.get_close_matches(symbol, rows))
        hint = f"near are: {near}" if near else "`python -m kvforge` lists what there is"
        raise ValueError(f"no op has a variant {symbol!r}; {hint}")
    schema, _, reason = function("kvforge__explain")(symbol).partition("\n")
    return rows[symbol], schema, reason


def library() -> tuple[str, str]:
    """Version and instruction-set level. Unlike machine() it leaves CUDA alone, so that a process can
    still fork."""
    version, isa = function("kvforge__library")().split(" ")
    return version, isa


def machine() -> Machine:
    """Version, instruction-set level and devices."""
    devices, reason = function("kvforge__cuda")().split(" ", 1)
    return Machine(*library(), int(devices), reason)


def faults(device: int = 0) -> int:
    """Work items that kernels on a CUDA device skipped because an index was out of range.

    Complete for the work that the caller has synchronised with; reading it does not wait.
    """
    return int(function("kvforge__faults")(device))


def clear_faults(device: int = 0) -> int:
    """Sets the count of `faults` to 0 and returns what it was, without losing any in between."""
    return int(function("kvforge__faults")(device, True))


def free_workspaces(device: int = 0) -> None:
    """Gives back the memory on a CUDA device that calls took for themselves.

    Attention without a workspace takes 32 MiB for each context and stream, 64 of these at most, at its
    first call, also while the stream is captured. A graph uses the memory of the stream that it was
    captured on: two that may run at the same time are to be captured on streams of their own, or with
    a workspace of the caller's, and neither beside calls on its stream.

    What is given back is that of the streams of the calling thread's context, or of the device's
    primary one. Their work must have ended, no call be under way, and graphs captured on them not be
    launched again. The next call that wants such memory takes it anew.
    """
    function("kvforge__free_workspaces")(device)


def get_num_threads() -> int:
    """How many CPU threads a call may use: as many as `set_num_threads` has set, or the environment
    variable KVFORGE_NUM_THREADS, or as many as this process has CPUs."""
    return int(function("kvforge__num_threads")())


def set_num_threads(count: int) -> None:
    """Sets how many CPU threads a call may use, the calling one included; 0: as many as there can be.

    For all threads of the process, from the next call on. More than there are CPUs count as that many.
    `torch.ops` has torch's number in its place, `torch.set_num_threads`.
    """
    wanted = operator.index(count)
    if wanted < 0:
        raise ValueError(f"set_num_threads: count: got {wanted}, want 0 or more")
    function("kvforge__num_threads")(min(wanted, 2**31 - 1))


def get_programmatic() -> bool:
    """What `set_programmatic` has set; False before."""
    return bool(function("kvforge__programmatic")())


def set_programmatic(wanted: bool) -> None:
    """Sets whether kernels may be set up on the device while the one in front of them still runs.

    For all CUDA calls of the process, those of `torch.ops` too, from the next one on. A kernel waits
    for the end of the one in front before it touches memory: results are the same. Small calls that
    follow each other take less time so; between kernels of others they take more. From compute
    capability 9.0 on (programmatic dependent launch); without effect elsewhere.
    """
    function("kvforge__programmatic")(bool(wanted))


def set_builder(builder: Callable[[str], bool]) -> None:
    """Sets what is called, with a symbol, when an op would take a variant that is not built; it returns
    whether it is now."""
    function("kvforge__set_builder")(builder)
