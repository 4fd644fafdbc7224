"""Attention over pages on the CPU beside torch's over contiguous keys and vLLM's over pages of its own.

    python bench/bench_attention.py build/libkvforge.so [OLDER.so ...]      needs torch; vLLM if it is there

32 query heads on 8 KV heads of 128 (or as --heads says), pages of 16 tokens in no order, vLLM's of 128, one
layer. Decode is one token of one sequence over N positions; prefill N tokens, causal. One thread; a figure is
the least of that thread's own times, all candidates in turns, so that what else the machine does counts
little. With --threads N all have N threads, and it is the least time by the clock: for an idle machine,
beside what torch's sum of 1 GiB reads there. Every result is compared with torch's in f32. Compare ratios,
not times.
"""

from __future__ import annotations

import argparse
import ctypes
import importlib
import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

os.environ.setdefault("VLLM_LOGGING_LEVEL", "ERROR")

import torch

PAGE, VLLM_PAGE = 16, 128
CALLS = 8  # of each candidate behind each other, with threads
CODES = {torch.float32: (2, 32), torch.bfloat16: (4, 16), torch.uint8: (1, 8), torch.int32: (0, 32)}
DTYPES = {"bf16": torch.bfloat16, "f32": torch.float32, "fp8": torch.bfloat16}  # of query


class DLTensor(ctypes.Structure):
    """DLPack's."""

    _fields_ = (
        ("data", ctypes.c_void_p),
        ("device", ctypes.c_int32 * 2),
        ("ndim", ctypes.c_int32),
        ("code", ctypes.c_uint8),
        ("bits", ctypes.c_uint8),
        ("lanes", ctypes.c_uint16),
        ("shape", ctypes.POINTER(ctypes.c_int64)),
        ("strides", ctypes.POINTER(ctypes.c_int64)),
        ("byte_offset", ctypes.c_uint64),
    )


class Value(ctypes.Structure):
    """kvf_value; numbers are put by their bits."""

    _fields_ = (("kind", ctypes.c_int32), ("word", ctypes.c_uint64), ("size", ctypes.c_int64))


def value_of(given: Any, kept: list[Any]) -> Value:
    """An argument of kvf_call(); `kept` holds what it points to."""
    if given is None:
        return Value()
    if isinstance(given, torch.Tensor):
        sizes = (ctypes.c_int64 * given.dim())(*given.shape)
        strides = (ctypes.c_int64 * given.dim())(*given.stride())
        code, bits = CODES[given.dtype]
        tensor = DLTensor(given.data_ptr(), (1, 0), given.dim(), code, bits, 1, sizes, strides, 0)
        kept += [given, sizes, strides, tensor]
        return Value(1, ctypes.addressof(tensor))
    if isinstance(given, bool):
        return Value(5, int(given))
    if isinstance(given, int):
        return Value(3, given & (1 << 64) - 1)
    if isinstance(given, float):
        return Value(4, ctypes.c_uint64.from_buffer_copy(ctypes.c_double(given)).value)
    text = ctypes.create_string_buffer(given.encode())
    kept.append(text)
    return Value(6, ctypes.addressof(text))


def caller(library: ctypes.CDLL, arguments: Sequence[Any]) -> Callable[[], None]:
    """A call of paged_attention through one library."""
    kept: list[Any] = []
    values = (Value * len(arguments))(*(value_of(given, kept) for given in arguments))
    library.kvf_find_op.restype = library.kvf_last_error.restype = ctypes.c_void_p
    op = ctypes.c_void_p(library.kvf_find_op(b"paged_attention"))

    def call() -> None:
        if library.kvf_call(op, None, values, len(values)):
            raise RuntimeError(ctypes.string_at(library.kvf_last_error()).decode())
        _ = kept

    return call


def pages_of(rows: torch.Tensor, order: torch.Tensor, page: int) -> torch.Tensor:
    """Rows [token, head, element] in pages: block order[i] has tokens from i * page on."""
    pages = torch.zeros(len(order), page, *rows.shape[1:], dtype=rows.dtype)
    pages[order.long()] = rows.view(len(order), page, *rows.shape[1:])
    return pages


def vllm_call(
    query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, out: torch.Tensor, fp8: bool
) -> Callable[[], None] | None:
    """vLLM's own operator over its own pages, or None where it is not installed."""
    try:
        ops: Any = importlib.import_module("vllm._custom_ops")
        platforms: Any = importlib.import_module("vllm.platforms")
        backend: Any = importlib.import_module("vllm.v1.attention.backends.cpu_attn")
    except ImportError:
        return None
    platforms.current_platform.import_kernels()
    tokens, (count, heads, size) = len(query), key.shape
    dtype = "fp8_e4m3" if fp8 else "auto"
    isa = backend._get_attn_isa(query.dtype, VLLM_PAGE, size, dtype)
    blocks = (count + VLLM_PAGE - 1) // VLLM_PAGE
    kind = torch.uint8 if fp8 else query.dtype
    caches = torch.zeros(blocks, heads, 2 * VLLM_PAGE, size, dtype=kind).chunk(2, dim=2)
    table = torch.randperm(blocks, dtype=torch.int32).view(1, blocks)
    at = torch.arange(count)
    slots = table[0, at // VLLM_PAGE].long() * VLLM_PAGE + at % VLLM_PAGE
    ops.cpu_attn_reshape_and_cache(key, value, *caches, slots, isa, kv_cache_dtype=dtype)
    lengths = torch.tensor([count], dtype=torch.int32)
    starts = torch.tensor([0, tokens], dtype=torch.int32)
    common = {
        "seq_lens": lengths,
        "query_start_loc": starts,
        "causal": True,
        "dynamic_causal": None,
    }
    plan = ops.cpu_attn_get_scheduler_metadata(
        num_reqs=1,
        num_heads=query.shape[1],
        num_kv_heads=heads,
        head_dim=size,
        dtype=query.dtype,
        sliding_window_size=-1,
        isa=isa,
        enable_kv_split=True,
        kv_cache_dtype=dtype,
        **common,
    )
    return lambda: ops.cpu_attention_with_kv_cache(
        query=query,
        key_cache=caches[0],
        value_cache=caches[1],
        output=out,
        scale=size**-0.5,
        alibi_slopes=None,
        sliding_window=-1,
        block_table=table,
        softcap=0,
        scheduler_metadata=plan,
        s_aux=None,
        k_scale=1.0,
        v_scale=1.0,
        kv_cache_dtype=dtype,
        **common,
    )


def best(calls: Sequence[Callable[[], Any]], rounds: int) -> list[float]:
    """The least time of each, in turns, ms: of this thread, or by the clock where it has others.

    Then a turn is several calls: OpenMP's threads go on spinning behind torch's, on the same CPUs.
    """
    alone = torch.get_num_threads() == 1
    now = time.thread_time if alone else time.perf_counter
    least = [float("inf")] * len(calls)
    order = list(range(len(calls)))
    for _ in range(rounds):
        order.append(order.pop(0))
        for i in order:
            for _ in range(1 if alone else CALLS):
                begin = now()
                calls[i]()
                least[i] = min(least[i], now() - begin)
    return [1e3 * seconds for seconds in least]


def read_bandwidth() -> float:
    """GB/s at which these threads read memory: torch's sum of 1 GiB."""
    numbers = torch.ones(1 << 28)
    return float(numbers.nbytes) / best([numbers.sum], 10)[0] / 1e6


def measure(
    libraries: dict[str, ctypes.CDLL],
    kind: str,
    count: int,
    tokens: int,
    heads: list[int],
    bandwidth: float,
) -> str:
    """One line of the table."""
    q_heads, kv_heads, size = heads
    dtype = DTYPES[kind]
    query = torch.randn(tokens, q_heads, size).to(dtype)
    key, value = (torch.randn(count, kv_heads, size).to(dtype) for _ in range(2))
    order = torch.randperm(count // PAGE, dtype=torch.int32)
    held = [rows.to(torch.float8_e4m3fn) if kind == "fp8" else rows for rows in (key, value)]
    caches = [
        pages_of(rows.view(torch.uint8) if kind == "fp8" else rows, order, PAGE) for rows in held
    ]
    starts, lengths = (torch.tensor(n, dtype=torch.int32) for n in ([0, tokens], [count]))
    one = torch.ones(1)
    calls: dict[str, Callable[[], Any]] = {}
    outs = []
    for name, library in libraries.items():
        outs.append(torch.zeros_like(query))
        own = [pages.clone() for pages in caches]  # else the second finds what the first has read
        arguments = [outs[-1], query, *own, starts, lengths, order.view(1, -1), float(size**-0.5)]
        arguments += ["fp8_e4m3" if kind == "fp8" else "auto", one, one]
        calls[name] = caller(
            library, [*arguments, True, -1, -1, 0.0, None, None, True, tokens, None, None]
        )
    # Keys in the dtype of the query, however the cache holds them: torch knows no fp8 here.
    q, k, v = (
        rows.transpose(0, 1)[None].contiguous() for rows in (query, *(x.to(dtype) for x in held))
    )
    attend = torch.nn.functional.scaled_dot_product_attention
    k_all, v_all = (rows.repeat_interleave(q_heads // kv_heads, 1) for rows in (k, v))
    calls["torch, groups"] = lambda: attend(q, k, v, is_causal=tokens > 1, enable_gqa=True)
    calls["torch, keys repeated"] = lambda: attend(q, k_all, v_all, is_causal=tokens > 1)
    outs.append(torch.zeros_like(query))
    vllm = vllm_call(query, key, value, outs[-1], kind == "fp8")
    if vllm is not None:
        calls["vLLM"] = vllm
    want = attend(q.float(), k.float(), v.float(), is_causal=tokens > 1, enable_gqa=True)[
        0
    ].transpose(0, 1)
    least = best(list(calls.values()), 3)  # warm
    each = sum(least) * (1 if torch.get_num_threads() == 1 else CALLS)
    least = best(list(calls.values()), max(5, min(200, int(1500 / each))))
    errors = [(out.float() - want).abs().max().item() for out in outs]
    times = dict(zip(calls, least, strict=True))
    first = least[0]
    cells = [f"{name} {ms:9.3f} ms ({first / ms:5.2f})" for name, ms in times.items()]
    what = "decode" if tokens == 1 else "prefill"
    rate = 2 * count * kv_heads * size * (1 if kind == "fp8" else dtype.itemsize) / first / 1e6
    return (
        f"{kind:4} {what:7} {count:6}: {', '.join(cells)}; "
        f"{rate:5.1f} GB/s, {rate / bandwidth:4.0%} of reading; off by {errors[0]:.1e}"
    )


def main() -> None:
    """Entry point: a line for each work; in parentheses the first library's time by the candidate's."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument(
        "libraries", nargs="+", metavar="LIBRARY", help="libkvforge.so; others beside it"
    )
    parser.add_argument("--kinds", default="bf16,fp8,f32", help="of caches [bf16,fp8,f32]")
    parser.add_argument("--decode", default="512,2048,8192", help="positions")
    parser.add_argument("--prefill", default="512,2048", help="tokens")
    parser.add_argument("--heads", default="32,8,128", help="query heads, KV heads, size")
    parser.add_argument("--threads", type=int, default=1, help="of each [1]")
    options = parser.parse_args()
    torch.manual_seed(1)
    torch.set_num_threads(options.threads)
    os.environ["KVFORGE_NUM_THREADS"] = str(options.threads)
    bandwidth = read_bandwidth()
    print(f"{options.threads} threads, {os.cpu_count()} CPUs; reading 1 GiB: {bandwidth:.1f} GB/s")
    libraries = {
        "kvforge" if i == 0 else Path(path).name: ctypes.CDLL(str(Path(path).resolve()))
        for i, path in enumerate(options.libraries)
    }
    heads = [int(number) for number in options.heads.split(",")]
    for kind in options.kinds.split(","):
        for count in filter(None, options.decode.split(",")):
            print(measure(libraries, kind, int(count), 1, heads, bandwidth), flush=True)
        for count in filter(None, options.prefill.split(",")):
            print(measure(libraries, kind, int(count), int(count), heads, bandwidth), flush=True)


if __name__ == "__main__":
    main()
