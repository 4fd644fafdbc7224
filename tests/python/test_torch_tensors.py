"""Tensors of torch that are not what they look like, through both bindings: what torch knows of a
tensor beside its memory is heeded, or the tensor is refused, in the same words."""

from __future__ import annotations

from conftest import require

require("torch", __name__)

import re
from collections.abc import Callable
from typing import Any

import pytest
import torch
from arrays import Torch
from cases import CASES, Case, function, reshape_and_cache_flash

import kvforge
import kvforge.torch
from kvforge import _arrays

kvforge.torch.register()
BINDINGS = {"kvforge.ops": kvforge.ops, "torch.ops": torch.ops}
# swap_blocks_batch knows what it writes by address alone, concat_and_cache_mla_grouped too.
WRITERS = sorted(CASES.keys() - {"swap_blocks_batch", "concat_and_cache_mla_grouped"})
Change = Callable[[torch.Tensor], Any]


@pytest.fixture(params=[*BINDINGS, "kvforge.ops without a torch that C can ask"])
def ops(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Any:
    if request.param not in BINDINGS:
        monkeypatch.setattr(_arrays, "TENSOR", None)
        monkeypatch.setattr(_arrays, "_meet", lambda _: None)
    return BINDINGS[request.param.split(" ")[0]]


def test_this_torch_can_be_asked_by_c() -> None:
    kvforge.ops._C_cache_ops.zero_blocks([torch.ones(2, 4)], torch.tensor([0]))
    assert _arrays.TENSOR is torch.Tensor


@pytest.mark.parametrize("op", sorted(CASES.keys() - {"swap_blocks_batch"}))
def test_torchs_own_tensors_go_by_their_handles(op: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What they are adapted for otherwise costs ten times as much."""
    test_this_torch_can_be_asked_by_c()
    case = CASES[op](Torch())
    monkeypatch.delattr(_arrays, "adapt")
    function(kvforge.ops, op)(*case.arguments.values())
    case.check(Torch())


def tensors(value: Any) -> list[torch.Tensor]:
    values = value if isinstance(value, list) else [value]
    return [item for item in values if isinstance(item, torch.Tensor)]


def written(case: Case) -> list[torch.Tensor]:
    return [array for array, _ in case.outputs] + case.scratch


def refused(ops: Any, case: Case, op: str, kind: type[Exception], message: str) -> None:
    """Refused in these words, and nothing is written."""
    before = [array.clone() for array, _ in case.outputs if not array.is_meta]
    with pytest.raises(kind, match="^" + re.escape(message)) as caught:
        function(ops, op)(*case.arguments.values())
    assert type(caught.value) is kind and "\n" not in str(caught.value)
    for array, old in zip(written(case), before, strict=False):
        if array.is_cpu and not array.is_inference():
            assert torch.equal(array.detach(), old.detach())


# ---- lazy negation ------------------------------------------------------------------------------


def negated(tensor: torch.Tensor) -> torch.Tensor:
    """The same numbers as a view that negates what lies in memory."""
    wide = tensor.float() if tensor.is_floating_point() else tensor
    return torch._neg_view((-wide).to(tensor.dtype))


def test_conjugation_leaves_a_negated_view(ops: Any) -> None:
    """How such a tensor comes about: the scale is 0.5 and not -0.5."""
    scale = torch.complex(torch.zeros(1), torch.full((1,), -0.5)).conj().imag
    assert scale.is_neg() and scale.item() == 0.5
    case = CASES["concat_and_cache_mla"](Torch())
    case.arguments["scale"] = scale
    ops._C_cache_ops.concat_and_cache_mla(*case.arguments.values())
    case.check(Torch())


@pytest.mark.parametrize("op", WRITERS)
def test_negated_inputs_are_what_they_read_as(op: str, ops: Any) -> None:
    """Each input in turn, of every op."""
    for name in CASES[op](Torch()).arguments:
        case = CASES[op](Torch())
        value = case.arguments[name]
        outputs = [id(array) for array in written(case)]
        if not tensors(value) or any(id(item) in outputs for item in tensors(value)):
            continue
        change = negated if isinstance(value, torch.Tensor) else lambda v: list(map(negated, v))
        case.arguments[name] = change(value)
        function(ops, op)(*case.arguments.values())
        case.check(Torch())


@pytest.mark.parametrize("op", ["reshape_and_cache_flash", "copy_blocks"])
def test_negated_outputs_are_refused(op: str, ops: Any) -> None:
    case = CASES[op](Torch())
    name = next(n for n, v in case.arguments.items() if "cache" in n and tensors(v))
    value = case.arguments[name]
    case.arguments[name] = (
        [torch._neg_view(item) for item in value]
        if isinstance(value, list)
        else torch._neg_view(value)
    )
    refused(ops, case, op, TypeError, f"{op}: {name}: got a torch tensor that is negated when")


# ---- autograd -----------------------------------------------------------------------------------


@pytest.mark.parametrize("op", WRITERS)
def test_versions_of_what_is_written_are_raised_and_no_others(op: str, ops: Any) -> None:
    case = CASES[op](Torch())
    given = [tensor for value in case.arguments.values() for tensor in tensors(value)]
    before = [tensor._version for tensor in given]
    outputs = [id(tensor) for tensor in written(case)]
    function(ops, op)(*case.arguments.values())
    for tensor, old in zip(given, before, strict=True):
        assert (tensor._version > old) == (id(tensor) in outputs)


def test_a_saved_tensor_that_is_overwritten_is_an_error(ops: Any) -> None:
    """Not a gradient made of what was written."""
    cache, weight = torch.full((4, 256), 1.0), torch.ones(4, 256, requires_grad=True)
    loss = (weight * cache).sum()
    ops._C_cache_ops.zero_blocks([cache], torch.tensor([0, 1, 2, 3]))
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        loss.backward()


@pytest.mark.parametrize("leaf", [True, False])
def test_what_requires_grad_is_not_written_behind_autograds_back(leaf: bool, ops: Any) -> None:
    case = CASES["zero_blocks"](Torch())
    caches = [item.float().requires_grad_() for item in case.arguments["caches"]]
    caches = caches if leaf else [item * 1 for item in caches]
    case.arguments["caches"] = caches
    case.outputs = []
    message = "zero_blocks: caches: got a torch tensor that requires grad, want one that does not"
    refused(ops, case, "zero_blocks", RuntimeError, message)
    assert all(item.detach().any() for item in caches)
    with torch.no_grad():
        versions = [item._version for item in caches]
        ops._C_cache_ops.zero_blocks(caches, case.arguments["block_ids"])
    assert all(item._version > old for item, old in zip(caches, versions, strict=True))
    assert not caches[0][3].detach().any()


def test_inputs_may_require_grad(ops: Any) -> None:
    case = reshape_and_cache_flash(Torch())
    case.arguments["key"].requires_grad_()
    case.arguments["value"] = torch.nn.Parameter(case.arguments["value"])
    ops._C_cache_ops.reshape_and_cache_flash(*case.arguments.values())
    case.check(Torch())


def test_inference_tensors_are_written_in_inference_mode_alone(ops: Any) -> None:
    with torch.inference_mode():
        case = reshape_and_cache_flash(Torch())
        ops._C_cache_ops.reshape_and_cache_flash(*case.arguments.values())
        case.check(Torch())
        case = reshape_and_cache_flash(Torch())
    message = (
        "reshape_and_cache_flash: key_cache: got a torch tensor that was made in inference mode"
    )
    refused(ops, case, "reshape_and_cache_flash", RuntimeError, message)
    case = reshape_and_cache_flash(Torch())
    with torch.inference_mode():  # tensors from outside
        versions = [array._version for array, _ in case.outputs]
        ops._C_cache_ops.reshape_and_cache_flash(*case.arguments.values())
    case.check(Torch())
    assert all(a._version > v for (a, _), v in zip(case.outputs, versions, strict=True))


# ---- what no op can use -------------------------------------------------------------------------


def shrunk(tensor: torch.Tensor, part: float = 0.5) -> torch.Tensor:
    """Its storage is smaller than its shape, as is left by sharding that frees it."""
    tensor = tensor.clone()
    tensor.untyped_storage().resize_(int(tensor.untyped_storage().nbytes() * part))
    return tensor


def nested(tensor: torch.Tensor) -> torch.Tensor:
    return torch.nested.nested_tensor([tensor], layout=torch.strided)


def quantized(tensor: torch.Tensor) -> torch.Tensor:
    return torch.quantize_per_tensor(tensor.float(), 1.0, 0, torch.quint8)


USELESS: dict[str, tuple[Change, type[Exception], str]] = {
    "meta": (
        lambda t: t.to("meta"),
        TypeError,
        "a torch tensor on device meta, which has no memory",
    ),
    "sparse": (
        lambda t: t.to_sparse(),
        TypeError,
        "a torch tensor of layout torch.sparse_coo, want",
    ),
    "csr": (
        lambda t: t.float().reshape(t.shape[0], -1).to_sparse_csr(),
        TypeError,
        "a torch tensor of layout torch.sparse_csr, want",
    ),
    "mkldnn": (
        lambda t: t.float().to_mkldnn(),
        TypeError,
        "a torch tensor of layout torch._mkldnn, want",
    ),
    "nested": (nested, TypeError, "a nested torch tensor, want a dense one"),
    "quantized": (quantized, TypeError, "a torch tensor of dtype torch.quint8, want"),
    "shrunk": (shrunk, ValueError, "a torch tensor whose storage has "),
    "emptied": (lambda t: shrunk(t, 0), ValueError, "a torch tensor whose storage has 0 bytes"),
}


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("kind", USELESS)
@pytest.mark.parametrize("name", ["key", "key_cache", "slot_mapping", "k_scale"])
def test_among_tensors_of_the_usual_kind(
    kind: str, name: str, ops: Any, capfd: pytest.CaptureFixture[str]
) -> None:
    """torch has nothing to say beside it: its C functions print what they cannot do."""
    change, error, words = USELESS[kind]
    case = reshape_and_cache_flash(Torch())
    case.arguments[name] = change(case.arguments[name])
    message = f"reshape_and_cache_flash: {name}: got {words}"
    refused(ops, case, "reshape_and_cache_flash", error, message)
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("kind", ["meta", "sparse", "shrunk"])
def test_in_a_list(kind: str, ops: Any) -> None:
    change, error, words = USELESS[kind]
    case = CASES["copy_blocks"](Torch())
    case.arguments["value_caches"][1] = change(case.arguments["value_caches"][1])
    refused(ops, case, "copy_blocks", error, f"copy_blocks: value_caches: got {words}")


def test_a_shrunk_storage_is_measured_from_the_view() -> None:
    """What lies within it may be used; an empty tensor needs none."""
    for ops in BINDINGS.values():
        whole = torch.ones(4, 8)
        first, last = whole[:2], whole[2:]
        whole.untyped_storage().resize_(64)
        ops._C_cache_ops.zero_blocks([first], torch.tensor([0, 1]))
        assert not first.any()
        with pytest.raises(ValueError, match="whose storage has 0 bytes for it, want 64"):
            ops._C_cache_ops.zero_blocks([last], torch.tensor([0, 1]))
        ops._C_cache_ops.zero_blocks([shrunk(torch.ones(4, 8), 0)[:, :0]], torch.tensor([0]))


def test_derived_types(ops: Any) -> None:
    """One that only adds names is a tensor; one that gives the memory another meaning is not. In
    torch.ops torch asks such a type itself what the op does."""
    from torch._subclasses.fake_tensor import FakeTensorMode
    from torch.testing._internal.two_tensor import TwoTensor

    class Named(torch.Tensor):  # type: ignore[misc]
        pass

    case = reshape_and_cache_flash(Torch())
    for name in ("key", "key_cache", "k_scale"):
        case.arguments[name] = case.arguments[name].as_subclass(Named)
    ops._C_cache_ops.reshape_and_cache_flash(*case.arguments.values())
    case.check(Torch())
    if ops is BINDINGS["kvforge.ops"]:
        for name in ("key", "value_cache"):
            case = reshape_and_cache_flash(Torch())
            case.arguments[name] = TwoTensor(*[case.arguments[name]] * 2)
            message = f"reshape_and_cache_flash: {name}: got a TwoTensor, whose memory is not"
            refused(ops, case, "reshape_and_cache_flash", TypeError, message)
    case = reshape_and_cache_flash(Torch())
    with FakeTensorMode() as mode:
        case.arguments["key"] = mode.from_tensor(case.arguments["key"])
    with pytest.raises((TypeError, AssertionError), match="FakeTensor"):
        ops._C_cache_ops.reshape_and_cache_flash(*case.arguments.values())


# ---- strings ------------------------------------------------------------------------------------


def test_a_string_ends_where_it_ends(ops: Any) -> None:
    for text in ("fp8\0x", "fp8_e4m3\0 and more than eight"):
        case = reshape_and_cache_flash(Torch())
        case.arguments["kv_cache_dtype"] = text
        message = "reshape_and_cache_flash: kv_cache_dtype: got a string with a NUL in it"
        refused(ops, case, "reshape_and_cache_flash", ValueError, message)


@pytest.mark.parametrize("dtype", [torch.float8_e4m3fn, torch.float8_e5m2])
def test_a_dtype_of_torch_as_cache_dtype(dtype: torch.dtype) -> None:
    outputs = []
    for given in (dtype, {torch.float8_e4m3fn: "fp8", torch.float8_e5m2: "fp8_e5m2"}[dtype]):
        case = reshape_and_cache_flash(Torch())
        case.arguments["kv_cache_dtype"] = given
        kvforge.ops._C_cache_ops.reshape_and_cache_flash(*case.arguments.values())
        outputs.append(case.outputs[0][0])
    assert torch.equal(outputs[0], outputs[1])
    case.arguments["kv_cache_dtype"] = torch.float64
    with pytest.raises(
        ValueError, match=r"kv_cache_dtype: got the dtype float64, want a string or"
    ):
        kvforge.ops._C_cache_ops.reshape_and_cache_flash(*case.arguments.values())
