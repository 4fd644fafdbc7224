"""Into how many parts an engine's long sequences are cut."""

from __future__ import annotations

import torch
from torch import Tensor

PART = 128  # positions: no part of a sequence is shorter, see kvforge/cache/attention.h
ROWS = 8  # query heads of tokens that a thread block, or a thread, does together


def choose_splits(
    num_tokens: int, num_q_heads: int, num_kv_heads: int, max_seq_len: int, device: torch.device
) -> int:
    """Into how many parts long sequences are to be cut, so that the device is busy; 1: not at all.

    Args:
        num_tokens: of the step, each of a sequence of its own, as in decoding.
        num_q_heads: heads of queries.
        num_kv_heads: heads of keys.
        max_seq_len: tokens of the longest sequence, or more.
        device: that of the cache. On CUDA three thread blocks for each multiprocessor are wanted, or
            less, which run at once; on the CPU a piece of work for each of torch's threads, or more.

    Depends on the arguments and the device alone, so that a captured graph of one shape has one
    answer. Sums are added in another order with another number, so results differ in rounding.
    """
    group = num_q_heads // num_kv_heads
    pieces = max(1, num_tokens * num_kv_heads * -(-group // ROWS))
    if device.type == "cuda":
        multiprocessors = int(torch.cuda.get_device_properties(device).multi_processor_count)
        splits = 3 * multiprocessors // pieces
    else:
        splits = -(-int(torch.get_num_threads()) // pieces)
    return max(1, min(splits, -(-max_seq_len // PART)))


def make_workspace(
    num_tokens: int, num_q_heads: int, value_head_size: int, splits: int, device: torch.device
) -> Tensor | None:
    """Room for the parts of long sequences: [num_tokens, num_q_heads, splits, value_head_size + 2], f32,
    with no initial value; None for splits of 1. Layers that run one after another share it.

    Only sequences whose tokens are all below num_tokens are cut: where prompts are among a step's
    sequences, those that decode are to be first, and num_tokens is how many they are."""
    if splits <= 1:
        return None
    return torch.empty(num_tokens, num_q_heads, splits, value_head_size + 2, device=device)
