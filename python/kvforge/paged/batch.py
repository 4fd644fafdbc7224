"""An engine's batch as paged_attention_decode takes it."""

from __future__ import annotations

import torch
from torch import Tensor

PART = 128  # positions: no part of a sequence is shorter, see kvforge/cache/attention.h
GROUP = 8  # query heads of one KV head that a thread block, or a thread, does together


def query_rows(
    query_start_loc: Tensor, seq_lens: Tensor, block_table: Tensor, num_rows: int
) -> tuple[Tensor, Tensor]:
    """A row of the reader's batch for each query token, causal: pages and number of tokens it sees.

    Args:
        query_start_loc: [num_seqs + 1], int32: the first row of each sequence, and the end.
        seq_lens: [num_seqs], int32: tokens in the cache, those of this step included.
        block_table: [num_seqs, width]: the pages of each sequence.
        num_rows: rows of the step; those behind the last sequence are padding, and see nothing.

    Returns: [num_rows, width] and [num_rows], as Pages.attend() takes them. Rows of a prefix that is
    in the cache already, of a part of a prompt, and of sequences that decode may be mixed. Does not
    wait for the device.
    """
    ends = query_start_loc[1:]
    row = torch.arange(num_rows, dtype=ends.dtype, device=ends.device)
    sequence = torch.searchsorted(ends, row, right=True).clamp_(max=len(ends) - 1)
    later = ends[sequence] - 1 - row  # rows of its sequence that come after it; negative of padding
    return block_table[sequence], torch.where(later < 0, 0, seq_lens[sequence] - later)


def choose_splits(
    num_rows: int, num_q_heads: int, num_kv_heads: int, max_seq_len: int, device: torch.device
) -> int:
    """Into how many parts long sequences are to be cut, so that the device is busy; 1: not at all.

    Args:
        num_rows: rows of the reader's batch.
        num_q_heads: heads of queries.
        num_kv_heads: heads of keys.
        max_seq_len: tokens of the longest sequence, or more.
        device: that of the cache. On CUDA two thread blocks for each multiprocessor are wanted, on
            the CPU a piece of work for each of torch's threads.

    Depends on the arguments and the device alone, so that a captured graph of one shape has one
    answer. Sums are added in another order with another number, so results differ in rounding.
    """
    if device.type == "cuda":
        wanted = 2 * int(torch.cuda.get_device_properties(device).multi_processor_count)
    else:
        wanted = int(torch.get_num_threads())
    group = num_q_heads // num_kv_heads
    pieces = max(1, num_rows * num_kv_heads * -(-group // GROUP))
    return max(1, min(-(-wanted // pieces), -(-max_seq_len // PART)))


def make_workspace(
    num_rows: int, num_q_heads: int, head_size: int, splits: int, device: torch.device
) -> Tensor | None:
    """Room for the parts of long sequences: [num_rows, num_q_heads, splits, head_size + 2], f32, with
    no initial value; None for splits of 1. Layers that run one after another share it."""
    if splits <= 1:
        return None
    return torch.empty(num_rows, num_q_heads, splits, head_size + 2, device=device)
