"""The ops in torch's dispatcher: every op to the bit, and what torch asks of an operator."""

from __future__ import annotations

from conftest import require

require("torch", __name__)

from typing import Any

import pytest
import torch
from arrays import Torch
from cases import CASES, function, reshape_and_cache_flash

import kvforge
import kvforge.torch

OPS = sorted(CASES)
kvforge.torch.register()


def operator(op: str, space: str | None = None) -> Any:
    return (getattr(getattr(torch.ops, space), op) if space else function(torch.ops, op)).default


@pytest.mark.parametrize("op", OPS)
@pytest.mark.parametrize("space", [None, "kvforge"])
def test_every_op(op: str, space: str | None, device: str) -> None:
    put = Torch(device)
    case = CASES[op](put)
    assert operator(op, space)(*case.arguments.values()) is None
    case.check(put)


@pytest.mark.parametrize("op", OPS)
def test_every_op_through_tvm_ffi(op: str, device: str) -> None:
    put = Torch(device)
    case = CASES[op](put)
    where = {"device": 0} if op == "swap_blocks_batch" and device == "cuda" else {}
    function(kvforge.ops, op)(*case.arguments.values(), **where)
    case.check(put)


@pytest.mark.parametrize("op", OPS)
def test_opcheck(op: str, device: str) -> None:
    """All of opcheck's tests, on real arguments; it copies what is written."""
    case = CASES[op](Torch(device))
    result = torch.library.opcheck(operator(op), tuple(case.arguments.values()))
    assert set(result.values()) == {"SUCCESS"}
    assert len(result) == 4


@pytest.mark.parametrize("op", OPS)
def test_compiled_as_one_graph(op: str, device: str) -> None:
    """Ops that write by address alone are not dropped as dead code."""
    put = Torch(device)
    case = CASES[op](put)
    called = operator(op)
    torch._dynamo.reset()

    @torch.compile(fullgraph=True, backend="aot_eager")  # type: ignore[untyped-decorator]
    def compiled(arguments: list[Any]) -> None:
        called(*arguments)

    compiled(list(case.arguments.values()))
    case.check(put)


def test_an_optional_output_may_be_none(device: str) -> None:
    put = Torch(device)
    case = CASES["paged_attention"](put)
    case.arguments["workspace"] = None
    called = operator("paged_attention")
    result = torch.library.opcheck(called, tuple(case.arguments.values()))
    assert set(result.values()) == {"SUCCESS"}
    torch._dynamo.reset()

    @torch.compile(fullgraph=True, backend="aot_eager")  # type: ignore[untyped-decorator]
    def compiled(arguments: list[Any]) -> None:
        called(*arguments)

    compiled(list(case.arguments.values()))
    case.check(put)


def test_compiled_by_inductor_between_other_ops(device: str) -> None:
    """The cache is read before and after: neither is moved across the op. (Sorting is the read that
    Inductor needs no C++ compiler for.)"""
    put = Torch(device)
    case = reshape_and_cache_flash(put)
    torch._dynamo.reset()

    @torch.compile(fullgraph=True)  # type: ignore[untyped-decorator]
    def step(arguments: dict[str, Any]) -> list[torch.Tensor]:
        before = torch.sort(arguments["key_cache"].view(-1)).values
        torch.ops._C_cache_ops.reshape_and_cache_flash(**arguments)
        return [before, torch.sort(arguments["key_cache"].view(-1)).values]

    old = torch.sort(case.arguments["key_cache"].view(-1)).values
    before, after = step(case.arguments)
    case.check(put)
    assert torch.equal(before, old) and not torch.equal(after, old)
    assert torch.equal(after, torch.sort(case.arguments["key_cache"].view(-1)).values)


@pytest.mark.parametrize("op", OPS)
def test_inference_mode(op: str, device: str) -> None:
    put = Torch(device)
    with torch.inference_mode():
        case = CASES[op](put)
        operator(op)(*case.arguments.values())
        case.check(put)


@pytest.mark.parametrize("op", OPS)
def test_fake_and_meta_tensors(op: str) -> None:
    """Nothing is read or written, on devices that this machine need not have."""
    from torch._subclasses.fake_tensor import FakeTensorMode

    arguments = list(CASES[op](Torch()).arguments.values())
    with FakeTensorMode() as mode:

        def fake(value: Any) -> Any:
            if isinstance(value, list):
                return [fake(item) for item in value]
            return mode.from_tensor(value) if isinstance(value, torch.Tensor) else value

        assert operator(op)(*map(fake, arguments)) is None

    def meta(value: Any) -> Any:
        if isinstance(value, list):
            return [meta(item) for item in value]
        return value.to("meta") if isinstance(value, torch.Tensor) else value

    assert operator(op)(*map(meta, arguments)) is None


def test_keywords_and_defaults(device: str) -> None:
    put = Torch(device)
    case = CASES["convert_fp8"](put)
    target, source = case.arguments["dst_cache"], case.arguments["src_cache"]
    torch.ops.kvforge.convert_fp8(src_cache=source * 4, dst_cache=target)
    case.check(put)


def test_a_refused_call_says_why_and_writes_nothing() -> None:
    case = reshape_and_cache_flash(Torch())
    before = [array.clone() for array, _ in case.outputs]
    case.arguments["slot_mapping"][2] = 12
    with pytest.raises(IndexError, match=r"slot_mapping: element 2 is 12, want less than 12"):
        torch.ops._C_cache_ops.reshape_and_cache_flash(**case.arguments)
    case.arguments["slot_mapping"][2] = 0
    case.arguments["kv_cache_dtype"] = "fp7"
    with pytest.raises(ValueError, match="kv_cache_dtype: got 'fp7', want one of auto"):
        torch.ops._C_cache_ops.reshape_and_cache_flash(**case.arguments)
    case.arguments["kv_cache_dtype"] = "fp8"
    case.arguments["key"] = case.arguments["key"].to(torch.complex64)
    with pytest.raises(RuntimeError, match="key: dtype is DLPack dtype code"):
        torch.ops._C_cache_ops.reshape_and_cache_flash(**case.arguments)
    for (array, _), old in zip(case.outputs, before, strict=True):
        assert torch.equal(array, old)


def test_arguments_are_released() -> None:
    """A call keeps nothing: tensors, lists of them and strings are dropped."""
    import gc
    import weakref

    case = CASES["copy_blocks"](Torch())
    tensors = [*case.arguments["key_caches"], case.arguments["block_mapping"]]
    alive = [weakref.ref(tensor) for tensor in tensors]
    shares = [torch._C._storage_Use_Count(t.untyped_storage()._cdata) for t in tensors]
    operator("copy_blocks")(*case.arguments.values())
    after = [torch._C._storage_Use_Count(t.untyped_storage()._cdata) for t in tensors]
    assert after == shares
    del case, tensors
    gc.collect()
    assert [ref() for ref in alive] == [None] * len(alive)


def test_the_number_of_threads_is_torchs() -> None:
    threads = torch.get_num_threads()
    try:
        for count in (1, 2):
            torch.set_num_threads(count)
            case = reshape_and_cache_flash(Torch())
            torch.ops.kvforge.reshape_and_cache_flash(**case.arguments)
            case.check(Torch())
    finally:
        torch.set_num_threads(threads)


def test_a_torch_that_lacks_what_the_abi_leaves_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """The binding that serves many of them is given up for one that is compiled for this torch."""
    native, made, asked = kvforge.torch._native(), object(), list[bool]()

    def compiled(*, stable: bool) -> object:
        asked.append(stable)
        return made

    assert native.kvforge_torch_complete()
    native.kvforge_torch_complete = lambda: False  # type: ignore[attr-defined]
    monkeypatch.setattr(kvforge.torch, "_native", lambda: native)
    monkeypatch.setattr(kvforge.torch, "_compiled", compiled)
    assert kvforge.torch._Binding()._native is made and asked == [False]


needs_gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
GPU_OPS = OPS if torch.cuda.is_available() else ["every op"]  # one skipped test instead of one each


def call(binding: str, op: str, arguments: dict[str, Any]) -> None:
    """Calls an op on the GPU through torch's dispatcher or through TVM-FFI."""
    if binding == "torch":
        operator(op)(*arguments.values())
    else:
        where = {"device": 0} if op == "swap_blocks_batch" else {}
        function(kvforge.ops, op)(*arguments.values(), **where)


@needs_gpu
@pytest.mark.parametrize("op", GPU_OPS)
def test_captured_in_a_cuda_graph(op: str) -> None:
    """Nothing is written by the capture, and everything by the replay."""
    put = Torch("cuda")
    for binding in ("torch", "tvm_ffi"):
        call(binding, op, CASES[op](put).arguments)  # kernels are loaded
        torch.cuda.synchronize()
        case = CASES[op](put)
        before = [array.clone() for array, _ in case.outputs]
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            call(binding, op, case.arguments)
        for (array, _), old in zip(case.outputs, before, strict=True):
            assert torch.equal(array.view(torch.uint8), old.view(torch.uint8))
        graph.replay()
        torch.cuda.synchronize()
        case.check(put)


@needs_gpu
@pytest.mark.parametrize("op", GPU_OPS)
def test_work_goes_to_the_current_stream(op: str) -> None:
    """Behind a long wait on the current stream nothing is written until that is over."""
    put = Torch("cuda")
    for binding in ("torch", "tvm_ffi"):
        call(binding, op, CASES[op](put).arguments)  # kernels are loaded
        case = CASES[op](put)
        before = [array.clone() for array, _ in case.outputs]
        torch.cuda.synchronize()
        other, here = torch.cuda.Stream(), torch.cuda.Stream()
        with torch.cuda.stream(here):
            torch.cuda._sleep(200_000_000)
            call(binding, op, case.arguments)
        with torch.cuda.stream(other):
            early = [array.clone() for array, _ in case.outputs]
            other.synchronize()
        here.synchronize()
        case.check(put)
        for had, old in zip(early, before, strict=True):
            assert torch.equal(had.view(torch.uint8), old.view(torch.uint8))
