"""paged_attention on a GPU beside FlashInfer, torch's SDPA and a copy of the cache, in turns in one run.

    python3 bench/bench_attention_cuda.py [--flashinfer FOLDER] [--rounds N] [--json FILE]

32 query heads of 128 on 8, 4 or 1 KV heads, pages of 16 in shuffled order, bf16 queries, caches of bf16 and
fp8_e4m3. Each implementation is captured in a CUDA graph of several calls on rotating pages, the L2 is
flushed before each replay; the median, microseconds of a call. `bound` is a device copy that moves as many
bytes as the cache holds. FOLDER holds FlashInfer's batch prefill modules (its tensor-core path), which its
own JIT has compiled: prefill_bf16.so and prefill_e4m3.so. Wants torch with CUDA and kvforge's binding for it.
"""

import argparse
import itertools
import json
import statistics
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as functional

import kvforge.torch

HEADS, SIZE, BLOCK = 32, 128, 16
DECODES = list(
    itertools.product(("bf16", "fp8_e4m3"), (8, 4, 1), (1024, 8192, 65536), (1, 16, 128))
)
PROMPTS = (2048, 8192, 32768)
MOST_BYTES = 40 << 30
Call = Callable[[int], Any]


def capture(call: Call, count: int) -> torch.cuda.CUDAGraph:
    """A graph of call(0) ... call(count - 1)."""
    for i in range(count):
        call(i)
    torch.cuda.synchronize()
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        for i in range(count):
            call(i)
    return graph


def measure(calls: dict[str, Call], count: int, rounds: int) -> dict[str, float]:
    """Microseconds of a call, the median of rounds in which all take turns."""
    graphs = {name: capture(call, count) for name, call in calls.items()}
    flushed = torch.empty(256 << 20, dtype=torch.uint8, device="cuda")
    times: dict[str, list[float]] = {name: [] for name in graphs}
    for _ in range(rounds):
        for name, graph in graphs.items():
            flushed.zero_()
            begin, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
            begin.record()
            graph.replay()
            end.record()
            end.synchronize()
            times[name].append(begin.elapsed_time(end) * 1000 / count)
    return {name: statistics.median(of) for name, of in times.items()}


class Pages:
    """A cache for some sequences of a length, several times, and what tells of it."""

    def __init__(self, cache: str, heads: int, positions: int, sequences: int) -> None:
        self.positions, self.sequences, self.heads = positions, sequences, heads
        width = positions // BLOCK
        element = torch.bfloat16 if cache == "bf16" else torch.uint8
        self.bytes = 2 * sequences * positions * heads * SIZE * element.itemsize
        self.count = max(1, min(16, -(-(300 << 20) // self.bytes)))
        blocks = sequences * width * self.count
        shape = (2, blocks, BLOCK, heads, SIZE)
        if element == torch.uint8:
            self.memory = torch.randint(0, 110, shape, dtype=element, device="cuda")
        else:
            self.memory = torch.empty(shape, dtype=element, device="cuda").normal_()
        self.key, self.value = self.memory[0], self.memory[1]
        order = torch.randperm(blocks, device="cuda").to(torch.int32)
        self.tables = list(order.view(self.count, sequences, width))
        self.lengths = torch.full((sequences,), positions, dtype=torch.int32, device="cuda")


class FlashInfer:
    """Its batch prefill with paged keys and values, as its own wrapper calls it."""

    def __init__(self, folder: Path) -> None:
        import tvm_ffi

        names = {"bf16": "prefill_bf16.so", "fp8_e4m3": "prefill_e4m3.so"}
        self.modules = {
            cache: tvm_ffi.load_module(str(folder / name)) for cache, name in names.items()
        }
        self.floats = torch.zeros(256 << 20, dtype=torch.uint8, device="cuda")
        self.ints = torch.zeros(32 << 20, dtype=torch.uint8, device="cuda")
        self.pinned = torch.zeros(32 << 20, dtype=torch.uint8).pin_memory()

    def call(
        self,
        cache: str,
        pages: Pages,
        query: torch.Tensor,
        starts: torch.Tensor,
        out: torch.Tensor,
        causal: bool,
    ) -> Call:
        """A call that attends with the i-th table."""
        module = self.modules[cache]
        width = pages.positions // BLOCK
        index = torch.arange(0, pages.sequences + 1, dtype=torch.int32) * width
        lengths = torch.full((pages.sequences,), pages.positions, dtype=torch.int32)
        shape = (pages.sequences, HEADS, pages.heads, BLOCK, False, SIZE, SIZE, causal)
        memory = (self.floats, self.ints)
        plan = module.plan(
            *(*memory, self.pinned, starts.cpu(), index, lengths, query.shape[0], *shape),
            *((-1, -1, False, 0, 0, False) if causal else (-1, -1, False, 0, 1, True)),
        )
        indptr = index.cuda()
        last = torch.full((pages.sequences,), BLOCK, dtype=torch.int32, device="cuda")
        tables = [table.reshape(-1).contiguous() for table in pages.tables]
        mask = 1 if causal else 0
        keys, values = pages.key, pages.value
        others = (mask, 0, -1, False, *[None] * 8, 0.0, SIZE**-0.5, 1.0, 1e-4, 0)
        return lambda i: module.paged_run(
            *(*memory, plan, query, keys, values, starts, indptr, tables[i], last, out, None),
            *others,
        )


def attend(
    cache: str, pages: Pages, query: torch.Tensor, starts: torch.Tensor, out: torch.Tensor
) -> Call:
    """kvforge's call with the i-th table; the library chooses splits and has the memory for them."""
    one = torch.ones(1, device="cuda")
    most = int((starts[1:] - starts[:-1]).max())
    return lambda i: torch.ops._C_cache_ops.paged_attention(
        *(out, query, pages.key, pages.value, starts, pages.lengths, pages.tables[i], SIZE**-0.5),
        *("auto" if cache == "bf16" else cache, one, one),
        max_query_len=most,
    )


def run(
    cache: str,
    heads: int,
    positions: int,
    sequences: int,
    each: int,
    peer: FlashInfer | None,
    rounds: int,
) -> dict[str, Any]:
    """One case: `each` query tokens of every sequence, the last ones."""
    pages = Pages(cache, heads, positions, sequences)
    query = torch.randn(sequences * each, HEADS, SIZE, dtype=torch.bfloat16, device="cuda")
    starts = torch.arange(0, sequences + 1, dtype=torch.int32, device="cuda") * each
    outs = {name: torch.empty_like(query) for name in ("kvforge", "FlashInfer")}
    calls: dict[str, Call] = {"kvforge": attend(cache, pages, query, starts, outs["kvforge"])}
    difference = None
    if peer:
        calls["FlashInfer"] = peer.call(
            cache, pages, query, starts, outs["FlashInfer"], causal=each > 1
        )
        for call in calls.values():
            call(0)
        ours, theirs = (out.float() for out in outs.values())
        difference = float((ours - theirs).norm() / theirs.norm())
    if each > 1:
        shape = (1, HEADS, positions, SIZE)
        queries, keys, values = torch.randn(3, *shape, dtype=torch.bfloat16, device="cuda")
        calls["SDPA, contiguous"] = lambda i: functional.scaled_dot_product_attention(
            queries, keys, values, is_causal=True
        )
    else:
        half = pages.memory.view(torch.uint8).view(-1)[: pages.bytes // 2]
        target = torch.empty_like(half)
        calls["bound"] = lambda i: target.copy_(half)
    times = measure(calls, pages.count, rounds if pages.bytes < 4 << 30 else 5)
    return {"cache": cache, "kv_heads": heads, "positions": positions, "sequences": sequences, "tokens": each,
            "bytes": pages.bytes, "us": times, "difference": difference}  # fmt: skip


def geometric_mean(values: list[float]) -> float:
    """Of ratios."""
    return float(torch.tensor(values).log().mean().exp())


def report(rows: list[dict[str, Any]]) -> None:
    """Peer's time / kvforge's time: above 1 kvforge is faster."""
    for cache, decode in itertools.product(("bf16", "fp8_e4m3"), (True, False)):
        for peer in ("FlashInfer", "SDPA, contiguous", "bound"):
            ratios = [
                row["us"][peer] / row["us"]["kvforge"]
                for row in rows
                if row["cache"] == cache and (row["tokens"] == 1) == decode and peer in row["us"]
            ]
            if ratios:
                what = "decode" if decode else "prefill"
                print(f"{what}, {cache}, {peer} / kvforge: geometric mean {geometric_mean(ratios):.2f}, "
                      f"{min(ratios):.2f} to {max(ratios):.2f}")  # fmt: skip


def main() -> int:
    """Entry point; returns the exit status."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--flashinfer", type=Path, metavar="FOLDER", help="its compiled modules")
    parser.add_argument("--rounds", type=int, default=9, metavar="N")
    parser.add_argument("--json", type=Path, metavar="FILE")
    options = parser.parse_args()
    if not torch.cuda.is_available():
        print("skipped: torch has no CUDA here")
        return 0
    kvforge.torch.register()
    peer = FlashInfer(options.flashinfer) if options.flashinfer else None
    print(
        f"kvforge {kvforge.__version__}, torch {torch.__version__}, {torch.cuda.get_device_name()}"
    )
    rows: list[dict[str, Any]] = []
    cases = [(*decode, 1) for decode in DECODES]
    cases += [(cache, 8, length, 1, length) for cache in ("bf16", "fp8_e4m3") for length in PROMPTS]
    for cache, heads, positions, sequences, each in cases:
        if 4 * sequences * positions * heads * SIZE > MOST_BYTES:
            continue
        rows.append(run(cache, heads, positions, sequences, each, peer, options.rounds))
        times = "  ".join(f"{name} {us:.1f}" for name, us in rows[-1]["us"].items())
        times += f"  difference {rows[-1]['difference']:.1e}" if peer else ""
        print(
            f"{cache:9} {sequences:3} x {positions:6}, {heads} heads, {each:5} tokens each: {times}",
            flush=True,
        )
        if options.json:
            options.json.write_text(json.dumps(rows, indent=1))
    report(rows)
    return 0


if __name__ == "__main__":
    sys.exit(main())
