"""Both bindings answer a bad call with the same exception and the same sentence."""

from __future__ import annotations

from conftest import require

require("torch", __name__)

import pytest
import torch
from arrays import Torch
from bad_calls import answer, differences
from cases import reshape_and_cache_flash

import kvforge
import kvforge.torch

kvforge.torch.register()


def test_the_sentences_are_the_same_and_the_types_as_far_as_the_abi_has_them() -> None:
    """The exact types of the other adapter: test_torch_conflicts.py."""
    refused, different = differences(exact=False)
    assert refused > 400 and not different, "\n".join(different)


@pytest.mark.parametrize(
    ("name", "value", "mine", "theirs"),
    [
        ("slot_mapping", torch.full((3,), 12), IndexError, IndexError),
        ("kv_cache_dtype", "fp7", ValueError, ValueError),
        ("slot_mapping", torch.zeros(1, 1, dtype=torch.int64), ValueError, ValueError),
        ("slot_mapping", torch.zeros(1), TypeError, RuntimeError),
        ("slot_mapping", torch.zeros(1, device="meta"), TypeError, TypeError),
        ("kv_cache_dtype", "fp8_ds_mla", NotImplementedError, RuntimeError),
    ],
)
def test_types(name: str, value: object, mine: type, theirs: type) -> None:
    case = reshape_and_cache_flash(Torch())
    case.arguments[name] = value
    answers = [
        answer(binding.reshape_and_cache_flash, case)
        for binding in (kvforge.ops._C_cache_ops, torch.ops._C_cache_ops)
    ]
    assert [kind for kind, _ in answers] == [mine, theirs]
    assert answers[0][1] == answers[1][1]
