"""What an engine needs around kvforge's ops to keep its cache with them. Needs torch.

    from kvforge import paged

    size = paged.state_bytes(kv_cache_dtype, head_size, dtype)     # for the engine's allocator
    pages = paged.interleaved(kv_cache, kv_cache_dtype, head_size)  # views of what it has allocated
    pages.write(key, value, slot_mapping, k_scale, v_scale)
    batch = (query_start_loc, seq_lens, block_table)
    pages.attend(out, query, *batch, softmax_scale, k_scale, v_scale)

formats   bytes of a token in each format
layouts   views of an engine's memory as pages: `interleaved`, `separate`, `grouped`; of pages of nvfp4 as
          their two parts: `codes_and_block_scales`
pages     `Pages`, which picks the op for what they hold
scales    static scales from the keys and values of an engine's first step
batch     how long sequences are cut

Tensors stay the caller's, and nothing here copies or waits for the device but what says so. Functions may
be called by several threads at a time; errors of ops are those of kvforge.torch, and what is
wrong with a tensor's shape is a ValueError that names function and argument.
"""

from __future__ import annotations

from kvforge.paged.batch import choose_splits, make_workspace
from kvforge.paged.formats import FORMATS, state_bytes
from kvforge.paged.layouts import codes_and_block_scales, grouped, interleaved, separate
from kvforge.paged.pages import Pages
from kvforge.paged.scales import FirstStepScales, calibrate

__all__ = [
    "FORMATS",
    "FirstStepScales",
    "Pages",
    "calibrate",
    "choose_splits",
    "codes_and_block_scales",
    "grouped",
    "interleaved",
    "make_workspace",
    "separate",
    "state_bytes",
]
