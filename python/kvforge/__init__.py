"""Paged KV-cache kernels for LLM inference engines.

    import kvforge
    kvforge.ops._C_cache_ops.reshape_and_cache_flash(
        key, value, key_cache, value_cache, slot_mapping, "fp8", k_scale, v_scale)

Arrays of torch, NumPy (bf16 and fp8 through ml_dtypes, or as uint8), CuPy and JAX are used where
they lie and may be mixed. JAX arrays are immutable, so an op reads them but refuses to write to them,
as it refuses a read-only NumPy array. The GIL is released while an op runs.

CUDA work goes to the caller's current stream: torch's if the call has CUDA tensors of torch, else
CuPy's if the op writes to arrays of CuPy, else the one that `tvm_ffi.use_raw_stream` has set.
`set_programmatic` has small calls that follow each other begin before the one in front has ended.

A call that is made again and again on the same shapes is checked once by `prepare`, and then launched,
on these arrays or on others.

Large calls on the CPU are divided among the calling thread and a small team that all callers share:
as many threads as this process has CPUs, or KVFORGE_NUM_THREADS, or `set_num_threads`; `torch.ops`
follow `torch.set_num_threads`. A forked process has a team of its own, and where no thread can be had
the caller computes alone.

Errors: TypeError for a dtype, device or kind of argument, ValueError for a shape, stride or string,
IndexError for a slot or page out of range, NotImplementedError for a combination that the op does not
have or that was not built, RuntimeError for the CUDA driver and for what autograd forbids. Nothing is
written then. kvforge.torch has the same, as far as torch lets it.

What torch knows of a tensor beside its memory is heeded: lazily negated inputs are made real, the
version of what is written is raised, so that backward() finds what was overwritten, and a tensor that
requires grad is written under torch.no_grad() alone. Refused are masked arrays of NumPy, tensors that
are meta, fake, sparse, nested, quantised or reach beyond their storage, types derived from torch.Tensor
that dispatch by themselves, and lazily negated outputs. A kv_cache_dtype may be a dtype of torch, NumPy
or ml_dtypes in place of a string.

`python -m kvforge` prints the dispatch table; `kvforge.torch` registers the ops with torch.

TVM-FFI imports torch where that is installed. With KVFORGE_NO_TORCH=1 in the environment this package
does not let it, unless torch or TVM-FFI has been imported before. Tensors of torch can be used all the
same, once the caller imports it; other packages that use TVM-FFI may want torch there from the start.
"""

from __future__ import annotations

from kvforge import _tvm_ffi, ops  # noqa: F401 (TVM-FFI first, see there)
from kvforge._library import (
    Machine,
    Variant,
    clear_faults,
    faults,
    free_workspaces,
    get_num_threads,
    get_programmatic,
    library,
    machine,
    set_builder,
    set_num_threads,
    set_programmatic,
    variants,
)
from kvforge._load import load
from kvforge._ninja import BuildError
from kvforge._prepared import Prepared, prepare
from kvforge._variant import build_missing, build_variant, jit

__all__ = [
    "BuildError",
    "Machine",
    "Prepared",
    "Variant",
    "build_variant",
    "clear_faults",
    "faults",
    "free_workspaces",
    "get_num_threads",
    "get_programmatic",
    "load",
    "machine",
    "ops",
    "prepare",
    "set_num_threads",
    "set_programmatic",
    "variants",
]
__version__ = library()[0]

if jit():
    set_builder(build_missing)
