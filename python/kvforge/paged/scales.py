"""Static scales, from the keys and values that an engine's first step brings."""

from __future__ import annotations

import torch
from torch import Tensor

from kvforge.paged.formats import NVFP4

# What the largest magnitude is divided by. Of nvfp4, which could hold 2688, a sixth is taken, so that
# later tokens six times as large keep their block scales.
LARGEST = {
    "fp8": 448.0,
    "fp8_e4m3": 448.0,
    "fp8_e5m2": 57344.0,
    "int8": 127.0,
    **dict.fromkeys(NVFP4, 448.0),
}
SMALLEST = 2.0**-20  # of a head without any magnitude: a scale must be a normal number


def calibrate(
    key: Tensor, value: Tensor, kv_cache_dtype: str, slot_mapping: Tensor | None = None
) -> tuple[Tensor, Tensor]:
    """Scales with which the largest key and value of each head get the format's largest code.

    Args:
        key: [num_rows, num_kv_heads, head_size], f32, f16 or bf16.
        value: as key.
        kv_cache_dtype: fp8, fp8_e4m3, fp8_e5m2, int8, nvfp4 or nvfp4_4over6.
        slot_mapping: [num_tokens], num_tokens at most num_rows; rows with a negative slot and rows
            behind do not count. None: all do.

    Returns: k_scale and v_scale, [num_kv_heads], f32, on the device of key: amax / 448 of fp8_e4m3
    and nvfp4, amax / 57344 of fp8_e5m2, amax / 127 of int8, and 2^-20 or more. NaNs and infinities
    do not count. Does not wait for the device.

    Errors: ValueError for another kv_cache_dtype.
    """
    if kv_cache_dtype not in LARGEST:
        raise ValueError(f"calibrate: kv_cache_dtype: got {kv_cache_dtype!r}, want {list(LARGEST)}")

    def scale(rows: Tensor) -> Tensor:
        size = rows.float().abs().nan_to_num(0.0, 0.0)
        if slot_mapping is not None:
            size = size[: len(slot_mapping)] * (slot_mapping >= 0)[:, None, None]
        zero = size.new_zeros(1, *size.shape[1:])  # of no rows at all there is no largest
        largest = torch.cat((size, zero)).amax((0, 2))
        # By a tensor: divided by a number, torch's CUDA kernels multiply by its reciprocal.
        top = torch.full_like(largest, LARGEST[kv_cache_dtype])
        return (largest / top).clamp_min(SMALLEST)

    return scale(key), scale(value)


class FirstStepScales:
    """A layer's static scales: ones, until the first step with tokens sets them, once.

    key and value, [num_kv_heads] and f32, are written in place and stay where they are, so that
    captured graphs see what they become. What is in the cache was written with them: an engine asks
    for them before it writes, in every step.
    """

    def __init__(self, kv_cache_dtype: str, num_kv_heads: int, device: torch.device) -> None:
        self.kv_cache_dtype = kv_cache_dtype
        self.key = torch.ones(num_kv_heads, device=device)
        self.value = torch.ones(num_kv_heads, device=device)
        self.done = False

    def see(self, key: Tensor, value: Tensor, slot_mapping: Tensor) -> None:
        """Sets the scales from a step's tokens, as calibrate() does, unless they are set.

        Until then it waits for the device, to see whether a slot is a token's. Nothing is done
        while a CUDA graph is captured, whose tokens are none.
        """
        if self.done or (key.is_cuda and torch.cuda.is_current_stream_capturing()):
            return
        if not bool((slot_mapping >= 0).any()):
            return
        for scale, found in zip(
            (self.key, self.value),
            calibrate(key, value, self.kv_cache_dtype, slot_mapping),
            strict=True,
        ):
            scale.copy_(found)
        self.done = True
