"""kvforge.prepare: what a prepared call writes, on which arrays, for how long they live, and what it
refuses. tests/test_prepared.c has the same of the C API, for every variant."""

from __future__ import annotations

from conftest import require

require("python", __name__)

import gc
import importlib.util
import multiprocessing
import os
import re
import subprocess
import sys
import weakref
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import test_cupy_stream
from arrays import Numpy, Torch
from cases import CASES, Case, function, reshape_and_cache_flash
from oracle import E4M3
from test_cupy_stream import DEVICE, STREAM, Array, stream

import kvforge
from kvforge import _arrays, _library, _prepared

asked = test_cupy_stream.asked  # a module in CuPy's place, for tests that name it
HERE = Path(__file__).resolve().parent
ops = kvforge.ops._C_cache_ops
with_torch = pytest.mark.skipif(importlib.util.find_spec("torch") is None, reason="no torch")
PUTS = [Numpy, pytest.param(Torch, marks=with_torch)]
# No launch has them by their address: it is their shapes that matter.
STAY = {"hisparse_resolve_residency": {"host_cache", "hot_cache"}}


def arrays(case: Case) -> dict[str, Any]:
    """The arguments that are arrays, or lists of them."""

    def is_array(value: Any) -> bool:
        items = value if isinstance(value, list) else [value]
        return bool(items) and hasattr(items[0], "__dlpack__")

    return {name: value for name, value in case.arguments.items() if is_array(value)}


def prepared(op: str, case: Case) -> kvforge.Prepared:
    made: kvforge.Prepared = kvforge.prepare(function(kvforge.ops, op), **case.arguments)
    return made


def contents(put: Any, case: Case) -> list[bytes]:
    return [put.bytes(array).tobytes() for array, _ in case.outputs]


# ---- every op -----------------------------------------------------------------------------------


@pytest.mark.parametrize("make", PUTS)
@pytest.mark.parametrize("op", CASES)
def test_a_prepared_call_is_the_call(op: str, make: Any) -> None:
    """To the bit, and what prepares it writes nothing."""
    put = make()
    case, plain = CASES[op](put), CASES[op](put)
    before = contents(put, case)
    call = prepared(op, case)
    assert contents(put, case) == before
    call()
    case.check(put)
    function(kvforge.ops, op)(**plain.arguments)
    assert contents(put, case) == contents(put, plain)


@pytest.mark.parametrize("make", PUTS)
@pytest.mark.parametrize("op", CASES)
def test_all_arrays_may_be_others(op: str, make: Any) -> None:
    """And the call keeps its own for the next time."""
    put = make()
    case, other = CASES[op](put), CASES[op](put)
    before = contents(put, case)
    call = prepared(op, case)
    given = {name: value for name, value in arrays(other).items() if name not in STAY.get(op, ())}
    call(**given)
    other.check(put)
    if op != "swap_blocks_batch":  # has its memory by addresses that are in its arrays
        assert contents(put, case) == before
    call()
    case.check(put)


def test_each_launch_reads_what_is_there_then() -> None:
    caches = [np.ones((4, 8), np.float32)]
    pages = np.array([1])
    call = kvforge.prepare(ops.zero_blocks, caches, pages)
    for page in (3, 0):
        pages[0] = page
        call()
        assert not caches[0][page].any()
    assert caches[0][1].all() and caches[0][2].all()
    pages[0] = 99  # skipped
    call()
    assert caches[0][1].all() and caches[0][2].all()


@pytest.mark.parametrize("make", PUTS)
def test_nothing_to_do(make: Any) -> None:
    case = CASES["zero_blocks"](make())
    empty = np.zeros(0, np.int64)
    call = kvforge.prepare(ops.zero_blocks, case.arguments["caches"], make().host(empty))
    before = contents(make(), case)
    call()
    call(block_ids=make().host(empty))
    assert contents(make(), case) == before


def test_ops_of_a_list_longer_than_the_stack_has_room_for() -> None:
    caches = [np.ones((2, 8), np.float32) for _ in range(150)]
    others = [np.ones((2, 8), np.float32) for _ in range(150)]
    call = kvforge.prepare(ops.zero_blocks, caches, np.array([1]))
    caches.clear()  # the call has a list of its own
    gc.collect()
    call(caches=others)
    assert all(other[0].all() and not other[1].any() for other in others)


# ---- what is refused ----------------------------------------------------------------------------


def test_what_is_not_as_it_was_prepared() -> None:
    """Each by its name, and nothing is written."""
    case = reshape_and_cache_flash(Numpy())
    call = prepared("reshape_and_cache_flash", case)
    before = contents(Numpy(), case)
    key, cache = case.arguments["key"], case.arguments["key_cache"]
    frozen = cache.copy()
    frozen.flags.writeable = False
    wrong: list[tuple[str, Any, type[Exception], str]] = [
        ("key", key.astype(np.float16), TypeError, "got float16, want bfloat16 as it was prepared"),
        ("key", key[:5], ValueError, "got shape [5, 3, 20], want [6, 3, 20] as it was prepared"),
        ("key", key[0], ValueError, "got shape [3, 20], want [6, 3, 20]"),
        ("key", key[::-1], ValueError, "got strides [-60, 20, 1], want [60,"),
        ("key", key.reshape(6, 3, 20, *[1] * 9), ValueError, "got 12 dimensions, want 3"),
        ("key", None, TypeError, "got NoneType, want an array"),
        ("key", 5, TypeError, "got int, want an array"),
        ("key", [key], TypeError, "got list, want an array"),
        ("key_cache", frozen, ValueError, "got a read-only NumPy array"),
        ("kv_cache_dtype", "fp8", TypeError, "no array of this call, want one of key, value,"),
        ("slot_remap", case.arguments["slot_mapping"], TypeError, "no array of this call"),
        ("nothing", key, TypeError, "no array of this call"),
    ]
    for name, value, kind, message in wrong:
        expected = "^" + re.escape(f"reshape_and_cache_flash: {name}: {message}")
        with pytest.raises(kind, match=expected) as caught:
            call(**{name: value})
        assert type(caught.value) is kind
    assert contents(Numpy(), case) == before
    call()
    case.check(Numpy())


def test_lists_of_another_length_or_with_something_else() -> None:
    case = CASES["zero_blocks"](Numpy())
    call = prepared("zero_blocks", case)
    caches = case.arguments["caches"]
    for value, kind, message in (
        (caches[:1], ValueError, f"caches: got 1 arrays, want {len(caches)} as it was prepared"),
        ([*caches[:-1], None], TypeError, "caches: got NoneType, want an array"),
        (caches[0], TypeError, "caches: got ndarray, want a list of arrays"),
    ):
        with pytest.raises(kind, match="^zero_blocks: " + re.escape(message)):
            call(caches=value)


def test_an_address_that_is_less_round() -> None:
    case = reshape_and_cache_flash(Numpy())
    memory = np.zeros(case.arguments["key"].nbytes + 64, np.uint8)
    size, dtype = case.arguments["key"].nbytes, case.arguments["key"].dtype
    start = -memory.ctypes.data % 32
    even, odd = (memory[start + k :][:size].view(dtype).reshape(6, 3, 20) for k in (0, 2))
    case.arguments["key"] = even
    call = prepared("reshape_and_cache_flash", case)
    with pytest.raises(ValueError, match=r"flash: .*key .*want a multiple of 16 as it was prep"):
        call(key=odd)


def test_a_plain_calls_errors_are_those_of_the_preparation() -> None:
    case = reshape_and_cache_flash(Numpy())
    wrong: list[tuple[dict[str, Any], type[Exception], str]] = [
        ({"slot_mapping": np.array([99])}, IndexError, "slot"),
        ({"k_scale": np.array([-1], np.float32)}, ValueError, "k_scale"),
        ({"kv_cache_dtype": "fp9"}, ValueError, "kv_cache_dtype"),
        ({"kv_cache_dtype": None}, TypeError, "kv_cache_dtype: got None, want str"),
        ({"key": None}, TypeError, "key: got None, want an array"),
        ({"key": 3}, TypeError, "key: got int, want an array"),
        ({"nothing": 3}, TypeError, "nothing"),
    ]
    for change, kind, message in wrong:
        with pytest.raises(kind, match=message):
            kvforge.prepare(ops.reshape_and_cache_flash, **{**case.arguments, **change})
    with pytest.raises(TypeError, match="value"):
        kvforge.prepare(ops.reshape_and_cache_flash, case.arguments["key"])  # type: ignore[call-arg]


@pytest.mark.parametrize("op", [print, "zero_blocks", lambda: None, kvforge.prepare])
def test_what_is_no_op(op: Any) -> None:
    with pytest.raises(TypeError, match=r"prepare: op: got .*, want a function of kvforge\.ops"):
        kvforge.prepare(op)


def test_a_dtype_for_a_word() -> None:
    case = reshape_and_cache_flash(Numpy())
    case.arguments["kv_cache_dtype"] = np.dtype(E4M3)
    prepared("reshape_and_cache_flash", case)()
    case.check(Numpy())


# ---- whose memory it is -------------------------------------------------------------------------


@pytest.mark.parametrize("make", PUTS)
def test_arrays_live_as_long_as_the_call(make: Any) -> None:
    case = CASES["zero_blocks"](make())
    kept = [weakref.ref(array) for array in case.arguments["caches"]]
    call = prepared("zero_blocks", case)
    others = CASES["zero_blocks"](make())
    used = [weakref.ref(array) for array in others.arguments["caches"]]
    call(caches=others.arguments["caches"])
    del case, others
    gc.collect()
    assert all(array() is not None for array in kept)
    assert all(array() is None for array in used)
    call()
    del call
    gc.collect()
    assert all(array() is None for array in kept)


def test_calls_leave_nothing_behind() -> None:
    case = reshape_and_cache_flash(Numpy())
    names = ("key", "value", "key_cache", "slot_mapping")
    before = [sys.getrefcount(case.arguments[name]) for name in names]
    for _ in range(50):
        call = prepared("reshape_and_cache_flash", case)
        call(key=case.arguments["key"])
        with pytest.raises(TypeError):
            call(key=case.arguments["slot_mapping"])
    del call
    gc.collect()
    assert [sys.getrefcount(case.arguments[name]) for name in names] == before


# ---- torch --------------------------------------------------------------------------------------


@with_torch
def test_torch_is_told_what_is_written() -> None:
    import torch

    for op in sorted(CASES.keys() - {"swap_blocks_batch", "concat_and_cache_mla_grouped"}):
        case = CASES[op](Torch())
        call = prepared(op, case)
        flat = [t for v in arrays(case).values() for t in (v if isinstance(v, list) else [v])]
        outputs = [id(array) for array, _ in case.outputs] + [id(array) for array in case.scratch]
        before = [tensor._version for tensor in flat]
        call()
        for tensor, old in zip(flat, before, strict=True):
            assert isinstance(tensor, torch.Tensor)
            assert (tensor._version > old) == (id(tensor) in outputs), op


@with_torch
def test_what_autograd_forbids_is_asked_at_each_launch() -> None:
    import torch

    caches = [torch.ones(4, 8)]
    call = kvforge.prepare(ops.zero_blocks, caches, torch.tensor([1]))
    caches[0].requires_grad_()
    with pytest.raises(
        RuntimeError, match=r"^zero_blocks: caches: got a torch tensor that requires"
    ):
        call()
    assert bool(caches[0].detach().all())
    with torch.no_grad():
        call()
    assert not caches[0][1].any()
    with pytest.raises(RuntimeError, match="requires grad"):
        call(caches=[torch.ones(4, 8, requires_grad=True)])
    with torch.inference_mode():
        made = torch.ones(4, 8)
    with pytest.raises(RuntimeError, match="inference mode"):
        call(caches=[made])


@with_torch
def test_a_tensor_that_has_moved_is_used_where_it_lies() -> None:
    import torch

    cache = torch.ones(4, 8)
    call = kvforge.prepare(ops.zero_blocks, [cache], torch.tensor([1]))
    old = cache.detach().view(4, 8)
    with torch.no_grad():
        cache.set_(torch.ones(4, 8))
    call()
    assert not cache[1].any() and bool(old.all())
    cache.resize_(2, 8)
    with pytest.raises(ValueError, match=r"caches: got shape \[2, 8\], want \[4, 8\]"):
        call()
    cache.resize_(4, 8)
    cache.untyped_storage().resize_(0)
    with pytest.raises((ValueError, TypeError), match=r"^zero_blocks: caches: got a torch tensor"):
        call()


@with_torch
def test_tensors_that_are_not_what_they_look_like() -> None:
    import torch

    case = reshape_and_cache_flash(Torch())
    call = prepared("reshape_and_cache_flash", case)
    key, cache = case.arguments["key"], case.arguments["key_cache"]
    wrong: list[tuple[str, Any, str]] = [
        ("key", torch._neg_view(key), "got a torch tensor that is negated when it is read"),
        (
            "key_cache",
            torch._neg_view(cache.view(torch.int8)),
            "got a torch tensor that is negated",
        ),
        ("key", key.to("meta"), "got a torch tensor on device meta"),
        ("key", key.to_sparse(), "got a torch tensor of layout torch.sparse_coo"),
    ]
    for name, value, message in wrong:
        for launch in (
            lambda name=name, value=value: call(**{name: value}),
            lambda name=name, value=value: kvforge.prepare(
                ops.reshape_and_cache_flash, **{**case.arguments, name: value}
            ),
        ):
            with pytest.raises(TypeError, match=re.escape(f"flash: {name}: {message}")):
                launch()
    call(key=torch.nn.Parameter(key, requires_grad=False))
    case.check(Torch())


@with_torch
def test_a_torch_that_c_cannot_ask(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_arrays, "TENSOR", None)
    monkeypatch.setattr(_arrays, "_meet", lambda _: None)
    case = reshape_and_cache_flash(Torch())
    with pytest.raises(NotImplementedError, match="flash: key: got a torch tensor of a torch that"):
        prepared("reshape_and_cache_flash", case)


@with_torch
def test_arrays_of_several_libraries() -> None:
    case, others = reshape_and_cache_flash(Numpy()), reshape_and_cache_flash(Torch())
    case.arguments["slot_mapping"] = others.arguments["slot_mapping"]
    call = prepared("reshape_and_cache_flash", case)
    call(key=others.arguments["key"], value=others.arguments["value"])
    case.check(Numpy())
    call(**{name: value for name, value in arrays(others).items() if name != "key_cache"})
    others.outputs = others.outputs[1:]
    others.check(Torch())


# ---- threads, processes, streams ----------------------------------------------------------------


@pytest.mark.parametrize("make", PUTS)
def test_one_call_from_many_threads(make: Any) -> None:
    put = make()
    call = prepared("reshape_and_cache_flash", reshape_and_cache_flash(put))

    def launch(_: int) -> None:
        case = reshape_and_cache_flash(put)
        call(**arrays(case))
        case.check(put)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(launch, range(200)))


class Large:
    """A call that is large enough for a team."""

    target: Any
    call: Any


def launch_large(_: int) -> bool:
    Large.target[...] = 0
    Large.call()
    return bool((Large.target == 0x44).all())


def test_a_forked_process_launches_it() -> None:
    source = np.full((4096, 1024), 3.0, np.float32)
    Large.target = np.zeros_like(source, np.uint8)
    Large.call = kvforge.prepare(ops.convert_fp8, Large.target, source)
    assert launch_large(0)
    with multiprocessing.get_context("fork").Pool(2) as pool:
        assert pool.map_async(launch_large, range(4)).get(60) == [True] * 4
    assert launch_large(0)


def test_on_cupys_stream(asked: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    """The one that is current at the launch."""
    seen: list[int] = []
    function_of = _library.function
    make = function_of("kvforge__prepare")

    def watched(*given: Any) -> Any:
        run = make(*given)

        def watch(*pairs: Any) -> Any:
            seen.append(stream())
            return run(*pairs)

        return watch

    monkeypatch.setattr(
        _prepared, "function", lambda name: watched if "prepare" in name else function_of(name)
    )
    caches = [np.ones((2, 4), np.float32) for _ in range(3)]
    plain = kvforge.prepare(ops.zero_blocks, caches[:1], np.array([0]))
    call = kvforge.prepare(ops.zero_blocks, [Array(caches[1])], np.array([0]))
    assert not asked
    plain()
    call()
    call(caches=[caches[2]])
    assert seen == [0, STREAM, STREAM] and asked == [DEVICE] * 2
    assert all(cache[1].all() and not cache[0].any() for cache in caches)


EMULATED = """
import ctypes

import numpy as np
import tvm_ffi
from transfer_emulated import View, _check, _driver, begin, on_device

import kvforge

ops = kvforge.ops._C_cache_ops
begin()
streams = [ctypes.c_void_p() for _ in range(2)]
for made in streams:
    _check("cuStreamCreate", ctypes.byref(made), 0)
caches = [on_device(np.ones((3, 8), np.float32)) for _ in range(3)]
page, other = (View(on_device(np.array([n]))) for n in (1, 2))
with tvm_ffi.use_raw_stream(tvm_ffi.device("cuda", 0), streams[0].value):
    call = kvforge.prepare(ops.zero_blocks, [View(caches[0])], page)
with tvm_ffi.use_raw_stream(tvm_ffi.device("cuda", 0), streams[1].value):
    call()
    call(caches=[View(caches[1])], block_ids=other)
_check("cuStreamSynchronize", streams[0])
print(all(cache.all() for cache in caches))  # nothing has gone there
_check("cuStreamSynchronize", streams[1])
print([np.flatnonzero(cache[:, 0] == 0).tolist() for cache in caches])
for wrong in (np.ones((3, 8), np.float32), View(on_device(np.ones((3, 4), np.float32)))):
    try:
        call(caches=[wrong])
    except (TypeError, ValueError) as error:
        print(type(error).__name__, error)
try:
    kvforge.prepare(ops.swap_blocks, View(caches[0]), View(caches[1]), 32, np.array([[0, 1]]))
except NotImplementedError as error:
    print(error)
"""


def test_in_the_emulated_driver() -> None:
    """On the stream that is current at the launch, and a device is not another."""
    driver = _library.find().parent / "emulator/libkvf_cuda_emulator.so"
    if not driver.is_file():
        pytest.skip("no emulated CUDA driver in this build; `ninja test` makes it where nvcc is")
    path = os.pathsep.join([str(HERE), os.environ.get("PYTHONPATH", "")])
    settings = {"KVFORGE_LIBCUDA": str(driver), "KVF_EMULATOR_HOST_ACCESS": "1", "PYTHONPATH": path}
    command, environment = [sys.executable, "-c", EMULATED], {**os.environ, **settings}
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    *lines, last = done.stdout.splitlines() or [""]
    assert last.startswith("swap_blocks: kvf_prepare_call: a copy by the driver"), done.stderr
    assert lines == [
        "True",
        "[[1], [2], []]",
        "TypeError zero_blocks: caches: got cpu, want cuda:0 as it was prepared with",
        "ValueError zero_blocks: caches: got shape [3, 4], want [3, 8] as it was prepared with",
    ]
