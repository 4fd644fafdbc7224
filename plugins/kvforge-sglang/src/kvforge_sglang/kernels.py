"""kvforge's kernels in SGLang's list of kernels, `sglang.kernels.registry`, as backend "plugin".

    get_kernel("kvcache.reshape_and_cache_flash", KernelBackend.PLUGIN)

Only operators that SGLang calls by a backend's name: a second one that fits would make a call without a
name ambiguous. Each has the signature of SGLang's.
"""

from __future__ import annotations

import torch
from sglang.kernels import CapabilityRequirement, DeviceType, KernelBackend, KernelSpec
from sglang.kernels import register_kernel as add
from torch import Tensor

from kvforge.paged import Pages
from kvforge_sglang.store import FORMATS, scale_of

OPERATORS = {"kvcache.reshape_and_cache_flash": "reshape_and_cache_flash"}
DEVICES = frozenset({CapabilityRequirement.CUDA, CapabilityRequirement(device=DeviceType.CPU)})


def register() -> None:
    """Adds them; once more is no error."""
    for op, function in OPERATORS.items():
        target = f"{__name__}:{function}"
        add(KernelSpec(op=op, backend=KernelBackend.PLUGIN, target=target, capabilities=DEVICES))


def reshape_and_cache_flash(
    key: Tensor,
    value: Tensor,
    key_cache: Tensor,
    value_cache: Tensor,
    slot_mapping: Tensor,
    swa_slot_mapping: Tensor | None = None,
    k_scale: Tensor | None = None,
    v_scale: Tensor | None = None,
) -> None:
    """Writes keys and values into their slots.

    Args:
        key: [num_tokens, num_kv_heads, head_size], f32, f16 or bf16.
        value: as key.
        key_cache: [num_blocks, block_size, num_kv_heads, head_size], any strides, of key's dtype,
            float8_e4m3fn or float8_e5m2.
        value_cache: as key_cache.
        slot_mapping: [num_tokens], int32 or int64; a negative one skips its token.
        swa_slot_mapping: what slot_mapping's slots are looked up in, int32 or int64.
        k_scale: f32, one element: what keys are divided by in a cache of fp8. Default: 1.
        v_scale: as k_scale.

    Errors: those of the op.
    """
    format = FORMATS.get(key_cache.dtype, "auto")
    if format != "auto":
        key_cache, value_cache = key_cache.view(torch.uint8), value_cache.view(torch.uint8)
    Pages(format, key_cache, value_cache).write(
        key,
        value,
        slot_mapping,
        scale_of(k_scale, key.device),
        scale_of(v_scale, key.device),
        slot_remap=swa_slot_mapping,
    )
