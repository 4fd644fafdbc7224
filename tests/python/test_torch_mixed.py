"""Arrays of several libraries in one call, on memory that they share."""

from __future__ import annotations

from conftest import require

require("torch", __name__)

from typing import Any

import numpy as np
import pytest
import torch
from arrays import Numpy, Torch
from cases import CASES, reshape_and_cache_flash

import kvforge

ops = kvforge.ops._C_cache_ops


def test_torch_and_numpy_in_one_call() -> None:
    arrays, tensors = reshape_and_cache_flash(Numpy()), reshape_and_cache_flash(Torch())
    mixed = {
        name: (tensors if position % 2 else arrays).arguments[name]
        for position, name in enumerate(arrays.arguments)
    }
    ops.reshape_and_cache_flash(**mixed)
    outputs = [arrays.outputs[0], tensors.outputs[1]]  # key_cache and value_cache
    assert [mixed["key_cache"] is outputs[0][0], mixed["value_cache"] is outputs[1][0]] == [
        True
    ] * 2
    for have, (_, want) in zip(
        (Numpy().bytes(outputs[0][0]), Torch().bytes(outputs[1][0])), outputs, strict=True
    ):
        np.testing.assert_array_equal(have, want.reshape(-1))


def test_lists_may_be_mixed_and_tuples() -> None:
    arrays, tensors = CASES["zero_blocks"](Numpy()), CASES["zero_blocks"](Torch())
    ids = arrays.arguments["block_ids"]
    ops.zero_blocks((arrays.arguments["caches"][0], tensors.arguments["caches"][1]), ids)
    np.testing.assert_array_equal(
        Numpy().bytes(arrays.outputs[0][0]), Numpy().bytes(arrays.outputs[0][1])
    )
    np.testing.assert_array_equal(
        Torch().bytes(tensors.outputs[1][0]), Numpy().bytes(tensors.outputs[1][1])
    )


def test_parameters_and_tensors_that_want_gradients_are_read() -> None:
    case = reshape_and_cache_flash(Torch())
    case.arguments["key"] = torch.nn.Parameter(case.arguments["key"])
    with torch.no_grad():
        ops.reshape_and_cache_flash(**case.arguments)
    case.check(Torch())


def test_strided_tensors_are_used_where_they_lie() -> None:
    """HND pages, given as the permuted view that engines pass."""
    case = reshape_and_cache_flash(Torch())
    pages = case.arguments["key_cache"].permute(0, 2, 1, 3).contiguous()
    case.arguments["key_cache"] = pages.permute(0, 2, 1, 3)
    case.outputs[0] = (case.arguments["key_cache"], case.outputs[0][1])
    ops.reshape_and_cache_flash(**case.arguments)
    case.check(Torch())


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t: t.to("meta"), "got a torch tensor on device meta, which has no memory, want"),
        (
            lambda t: t.to_sparse(),
            "got a torch tensor of layout torch.sparse_coo, want a dense one",
        ),
    ],
    ids=["meta", "sparse"],
)
def test_tensors_that_no_op_can_use(change: Any, message: str) -> None:
    """One line each, not torch's stack of C++ frames."""
    caches = [torch.ones(2, 4)]
    with pytest.raises(TypeError) as caught:
        ops.zero_blocks(caches, change(torch.tensor([0])))
    assert str(caught.value).startswith(f"zero_blocks: block_ids: {message}")
    with pytest.raises(TypeError) as caught:
        ops.zero_blocks([*caches, change(torch.ones(2, 4))], torch.tensor([0]))
    assert str(caught.value).startswith(f"zero_blocks: caches: {message}")
    assert caches[0].all() and "\n" not in str(caught.value)


def test_other_errors_stay_what_they_are() -> None:
    """An error of the op itself is passed on where nothing is wrong with the arrays."""
    with pytest.raises(TypeError, match="block_ids: dtype is float32, want int32, int64"):
        ops.zero_blocks([torch.ones(2, 4)], torch.tensor([0.0]))
    with pytest.raises(NotImplementedError, match="fp8_ds_mla"):
        case = reshape_and_cache_flash(Torch())
        ops.reshape_and_cache_flash(**{**case.arguments, "kv_cache_dtype": "fp8_ds_mla"})
