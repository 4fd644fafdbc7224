"""w4a16 beside torch: dequantise and multiply, a 16-bit matrix that is there already, torch's own
packed int4 kernel, and a copy of as many bytes.

    python examples/w4a16/bench_w4a16.py [--device cuda] [--tune]

Times are medians of one call, on the CPU on one thread; on a GPU of captured graphs over weights that
are several times the L2 in all. --tune measures how many warps a block should have, and writes
w4a16.tuned.json for this GPU.
"""

from __future__ import annotations

import argparse
import ctypes
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import torch

FOLDER = Path(__file__).resolve().parent
sys.path.insert(0, str(FOLDER.parent.parent))

import kvforge  # noqa: E402
from generator import outside, tuned  # noqa: E402
from kvforge import _library  # noqa: E402

Call = Callable[[], object]
GROUP = 128
SHAPES = {"cpu": [(4096, 4096)], "cuda": [(4096, 4096), (14336, 4096), (28672, 8192)]}
ROWS = (1, 4, 16)


def on_cpu(calls: Sequence[Call], rounds: int = 15) -> float:
    """Microseconds of one of the calls."""
    times = []
    for number in range(rounds + 2):
        begin = time.perf_counter()
        calls[number % len(calls)]()
        times.append((time.perf_counter() - begin) * 1e6)
    return statistics.median(times[2:])


def on_gpu(calls: Sequence[Call], rounds: int = 15) -> float:
    """Microseconds of one of the calls, which follow each other in a graph."""
    for call in calls:
        call()
    torch.cuda.synchronize()
    graph, stream = torch.cuda.CUDAGraph(), torch.cuda.Stream()
    with torch.cuda.graph(graph, stream=stream):
        for call in calls:
            call()
    times: list[float] = []
    for _ in range(rounds + 2):
        begin, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
        begin.record()
        graph.replay()
        end.record()
        torch.cuda.synchronize()
        times.append(begin.elapsed_time(end) * 1e3 / len(calls))
    return statistics.median(times[2:])


class Weights:
    """A matrix of codes, several times in memory, so that no call finds it in a cache."""

    def __init__(self, device: str, outputs: int, size: int, dtype: torch.dtype) -> None:
        count = max(2, int(400e6 / (outputs * size / 2)) + 1) if device == "cuda" else 2
        self.device, self.dtype, self.outputs, self.size = device, dtype, outputs, size
        self.codes = [
            torch.randint(0, 256, (outputs, size // 2), dtype=torch.uint8, device=device)
            for _ in range(count)
        ]
        self.scales = [
            (torch.rand(outputs, size // GROUP, device=device) * 0.01 + 0.001).to(dtype)
            for _ in range(count)
        ]
        self.bytes = outputs * size // 2 + outputs * size // GROUP * 2

    def dequantised(self, i: int) -> torch.Tensor:
        """The 16-bit matrix."""
        halves = torch.stack([self.codes[i] & 15, self.codes[i] >> 4], -1)
        signed = (halves ^ 8).to(torch.int8) - 8
        groups = signed.view(self.outputs, -1, GROUP).to(self.dtype)
        return (groups * self.scales[i].unsqueeze(-1)).view(self.outputs, self.size)


def packed(weights: Weights, x: torch.Tensor) -> list[Call] | None:
    """Calls of torch's own kernel for int4 weights; None where it has none. It is bf16's alone."""
    if weights.dtype != torch.bfloat16:
        return None
    count = len(weights.codes)
    zeros = torch.rand(weights.size // GROUP, weights.outputs, 2, device=weights.device)
    zeros = zeros.to(torch.bfloat16)
    aten = torch.ops.aten
    if weights.device == "cpu":
        plain = torch.randint(0, 16, (weights.outputs, weights.size), dtype=torch.int32)
        own = aten._convert_weight_to_int4pack_for_cpu(plain, 1)
        return [partial(aten._weight_int4pack_mm_for_cpu, x, own, GROUP, zeros)]
    owns = [aten._convert_weight_to_int4pack(weights.codes[i], 8) for i in range(count)]
    return [partial(aten._weight_int4pack_mm, x, own, GROUP, zeros) for own in owns]


def ours(op: Any, weights: Weights, x: torch.Tensor, y: torch.Tensor) -> list[Call]:
    """Calls of w4a16."""
    pairs = zip(weights.codes, weights.scales, strict=True)
    return [partial(op, x, codes, scales, None, y) for codes, scales in pairs]


def naive(x: torch.Tensor, weights: Weights, i: int) -> torch.Tensor:
    """Dequantises, then multiplies."""
    return torch.nn.functional.linear(x, weights.dequantised(i))


def time_copy(clock: Callable[..., float], device: str, size: int) -> float:
    """Microseconds of a copy that moves as many bytes, half of them read."""
    half = size // 2
    places = [torch.empty(2 * half, dtype=torch.uint8, device=device) for _ in range(6)]
    return clock([partial(place[:half].copy_, place[half:]) for place in places])


def measure(op: Any, device: str) -> None:
    """Prints a row for each shape, dtype and number of rows."""
    clock = on_gpu if device == "cuda" else on_cpu
    print("| outputs x K | dtype | rows | w4a16 us | of a copy | packed | 16-bit | dequantise |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- |")
    for outputs, size in SHAPES[device]:
        for dtype in (torch.bfloat16, torch.float16):
            weights = Weights(device, outputs, size, dtype)
            copy = time_copy(clock, device, weights.bytes)
            few = range(min(2, len(weights.codes)))
            matrices = [weights.dequantised(i) for i in few]
            for rows in ROWS:
                x = torch.randn(rows, size, device=device).to(dtype)
                y = torch.empty(rows, outputs, device=device, dtype=dtype)
                mine = clock(ours(op, weights, x, y))
                theirs = packed(weights, x)
                product = torch.nn.functional.linear
                whole = clock([partial(product, x, matrix) for matrix in matrices])
                both = clock([partial(naive, x, weights, i) for i in few], 5)
                found = [f"{clock(theirs) / mine:.2f}" if theirs else "-"]
                found += [f"{other / mine:.2f}" for other in (whole, both)]
                name = str(dtype).removeprefix("torch.")
                print(
                    f"| {outputs} x {size} | {name} | {rows} | {mine:.1f} | {copy / mine:.0%} | "
                    + " | ".join(found)
                    + " |",
                    flush=True,
                )
    print("packed, 16-bit, dequantise: how many times as long torch takes")


def tune(op: Any) -> None:
    """Measures the candidates on this GPU and writes the table."""
    own = outside.load_op(FOLDER, "w4a16")
    declared = own.tuned[0]
    library = ctypes.CDLL(str(_library.find()))
    library.kvf_find_op.restype = ctypes.c_void_p
    handle = ctypes.c_void_p(library.kvf_find_op(b"linear::w4a16"))
    arch = 10 * torch.cuda.get_device_capability()[0] + torch.cuda.get_device_capability()[1]
    records = []
    for outputs in (1024, 4096, 8192, 14336, 28672, 57344):
        for size in (4096, 8192):
            weights = Weights("cuda", outputs, size, torch.float16)
            for rows in (1, 8):
                x = torch.randn(rows, size, device="cuda", dtype=torch.float16)
                y = torch.empty(rows, outputs, device="cuda", dtype=torch.float16)
                for values in declared.candidates:
                    library.kvf_try_tuned(handle, 1, (ctypes.c_int32 * 4)(*values))
                    us = on_gpu(ours(op, weights, x, y))
                    case = f"{size} {rows}"
                    records.append(
                        {"arch": arch, "size": outputs, "case": case, "values": values, "us": us}
                    )
    library.kvf_try_tuned(None, 1, None)
    path = tuned.table_path(FOLDER / "w4a16.py")
    tuned.write(path, own.tuned, {"cuda": tuple(tuned.choose(declared, records))})
    print(f"wrote {path.name}:\n{path.read_text()}")


def main() -> None:
    """Entry point."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--tune", action="store_true")
    options = parser.parse_args()
    torch.manual_seed(1)
    torch.set_num_threads(1)
    op = kvforge.load("w4a16", FOLDER).w4a16
    if options.tune:
        tune(op)
    else:
        where = torch.cuda.get_device_name() if options.device == "cuda" else "one thread"
        print(f"torch {torch.__version__}, {where}\n")
        measure(op, options.device)


if __name__ == "__main__":
    main()
