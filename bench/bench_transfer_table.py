"""Tokens to another process in five forms, by kvforge and as engines do it: one run, one table, ratios.

    PYTHONPATH=python python bench/bench_transfer_table.py [--json FILE]     64 and 512 MiB
    ... bench_transfer_table.py --mib 16 --repeats 3 --forms 'NHD to HND,bf16 to fp8'

Needs torch, NIXL and `ninja torch`. 32 layers, keys and values, 8 heads of 128, bf16, blocks of 16 tokens
that follow each other or are in no order, on both sides. Methods take turns, so that what else a machine does
meets all of them; medians. Times are from the first call to the receiver's pages being right, which is looked
at each time.

    kvforge   kv_pack, kv_checksum, writes of chunks, kv_checksum, kv_unpack: an endpoint on each side
    pieces    NIXL with a descriptor for each piece, from page to page: lists of both caches are prepared
              once (strided, N x 5), a transfer picks from them and posts; then what the receiver has left
              to do, as vLLM's connector does it: index_select, permute, index_copy_ of whole blocks
    torch     index_select, permute (or a cast), one write, index_copy_
    write     one descriptor of as many bytes as kvforge writes, and no more: a bound
    memcpy    a copy of the source's bytes in the sender alone: a bound

What an engine has to do for a form with pieces, which NIXL's connector partly refuses:

    NHD to NHD   nothing behind the writes: 64 pieces of 32 KiB a block
    NHD to HND   blocks land as they were sent, and are permuted in place
    B 16 to 64   rows of a smaller block are a run of a larger one: nothing behind the writes
    TP 2 to 1    two ranks of 4 heads, in one process here; HND on both sides, as NHD would be a piece of
                 1 KiB for each token and is refused: 128 pieces of 16 KiB a block, its heads together
    bf16 to fp8  refused by vLLM; blocks land as bf16 in memory of their own, are cast and put in place

Per cell: descriptors as the engine has been given them, neighbours merged; of the time kvforge takes, how
much passes in all, in the calls that post, from there to the last byte, and in copies and conversions on
both sides (kvforge's parts overlap, and its wire is the sum of all writes' times); CPU seconds of both
processes by kvforge's; and how much of its CPU seconds checksums of both sides are, by those of
kv_checksum alone. Each process computes in one thread.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import platform
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

os.environ.setdefault("UCX_TLS", "tcp,self")
os.environ.setdefault("NIXL_LOG_LEVEL", "ERROR")

import numpy as np
import torch

import kvforge
from kvforge import transfer
from kvforge.transfer.nixl_engine import _import

LAYERS, TOKENS, HEADS, SIZE = 32, 16, 8, 128
ROW = SIZE * 2  # bytes
UNIT = 16384  # bytes of a checksum, as endpoints have it
METHODS = ("kvforge", "pieces", "torch", "write", "memcpy")
NAMES = [f"layer.{layer}" for layer in range(LAYERS)]
CELLS = [(layer, plane) for plane in range(2) for layer in range(LAYERS)]


@dataclass(frozen=True)
class Form:
    """What the two sides differ in. Sizes are in blocks of 16 tokens."""

    source_hnd: bool = False
    target_hnd: bool = False
    target_block: int = TOKENS
    ranks: int = 1
    fp8: bool = False
    blocks: int = 0

    @property
    def heads(self) -> int:
        """Of a rank that sends."""
        return HEADS // self.ranks

    @property
    def piece(self) -> int:
        return TOKENS * self.heads * ROW

    def pages(self, target: bool) -> Any:
        """Zeros [layer, plane, block, ...], or of all ranks that send [rank, layer, plane, block, ...]: a
        quarter more blocks than are moved."""
        block = self.target_block if target else TOKENS
        share = block // TOKENS
        count = (self.blocks + self.blocks // 4) // share + 1
        heads = HEADS if target else self.heads
        hnd = self.target_hnd if target else self.source_hnd
        inside = (heads, block, SIZE) if hnd else (block, heads, SIZE)
        dtype = torch.uint8 if target and self.fp8 else torch.bfloat16
        outside = () if target else (self.ranks,)
        return torch.zeros((*outside, LAYERS, 2, count, *inside), dtype=dtype)

    def group(self, pages: Any, hnd: bool, target: bool, rank: int) -> transfer.Group:
        views = [pages[cell].transpose(1, 2) if hnd else pages[cell] for cell in CELLS]
        return transfer.Group(
            "kv",
            views,
            layers=NAMES,
            dtype="fp8_e4m3" if target and self.fp8 else "bfloat16",
            page_scales=[np.ones(1, np.float32)] * 2 if target and self.fp8 else [],
            total_heads=HEADS,
            first_head=rank * self.heads,
            rank=rank,
            wire_layout="LKHNC" if self.target_hnd else "LKNHC",
            wire_block=TOKENS,
        )


FORMS = {
    "NHD to NHD": Form(),
    "NHD to HND": Form(target_hnd=True),
    "B 16 to 64": Form(target_block=64),
    "TP 2 to 1": Form(source_hnd=True, target_hnd=True, ranks=2),
    "bf16 to fp8": Form(fp8=True),
}


def order(blocks: int, capacity: int, scattered: bool, seed: int) -> Any:
    """Blocks of one side, not the first ones."""
    if scattered:
        return torch.randperm(capacity, generator=torch.Generator().manual_seed(seed))[:blocks]
    return torch.arange(capacity - blocks, capacity)


def rows_of(pages: Any, hnd: bool, ids: Any) -> Any:
    """[token, head, element] of a cell's blocks."""
    held = pages.index_select(0, ids)
    held = held.transpose(1, 2) if hnd else held
    return held.reshape(-1, *held.shape[2:])


def as_fp8(rows: Any) -> Any:
    """Bits of fp8_e4m3 of scale 1."""
    return rows.to(torch.float8_e4m3fn).view(torch.uint8)


def new_agent(regions: list[Any]) -> Any:
    """NIXL's agent of a process, which has registered some memory."""
    api, _ = _import()
    # As the endpoint's own, without a thread that would take a core from all methods.
    config = api.nixl_agent_config(enable_prog_thread=False, capture_telemetry=True)
    agent = api.nixl_agent(f"table {os.getpid()}", config)
    for memory in regions:
        region = [(memory.data_ptr(), memory.nbytes, 0, "")]
        agent.register_memory(region, mem_type="DRAM")
    return agent


def strided(pages: Any, first: int, length: int, step: int, count: int) -> Any:
    """A row of five numbers for each cell: pieces of it, `step` bytes apart."""
    cell = pages[0, 0].nbytes
    found = np.zeros((2 * LAYERS, 5), np.uint64)
    found[:, 0] = pages.data_ptr() + first + np.arange(2 * LAYERS) * cell
    found[:, 1], found[:, 3], found[:, 4] = length, step, count
    return found


class Receiver:
    """The process that wants the tokens."""

    def __init__(self, form: Form, pipe: Connection) -> None:
        self.form, self.pipe = form, pipe
        self.pages = form.pages(True)
        whole = (LAYERS, 2, form.blocks, TOKENS * HEADS * SIZE)
        self.buffer = torch.zeros(whole, dtype=torch.bfloat16)
        self.landed = self.buffer if form.fp8 else self.pages
        self.agent = new_agent([self.pages, self.buffer])
        self.endpoint = transfer.Endpoint(
            *("table", [form.group(self.pages, form.target_hnd, True, 0)]), deadline=300, silence=60
        )
        addresses, metadata = pipe.recv()
        self.peers = [self.endpoint.connect(*address) for address in addresses]
        self.agent.add_remote_agent(metadata)
        pipe.send((self.agent.get_agent_metadata(), self.lists(), self.buffer.data_ptr()))

    def lists(self) -> list[Any]:
        """Where pieces of each rank may land."""
        form = self.form
        step = TOKENS * HEADS * ROW
        count = self.landed[0, 0].nbytes // step
        return [
            strided(self.landed, rank * form.piece, form.piece, step, count)
            for rank in range(form.ranks)
        ]

    def places(self) -> Any:
        """Of each block of 16 tokens that is sent, in the list's numbering."""
        if self.form.fp8:
            return torch.arange(self.form.blocks)
        share = self.form.target_block // TOKENS
        return (self.ids[:, None] * share + torch.arange(share)).reshape(-1)

    def serve(self) -> None:
        while (command := self.pipe.recv()) is not None:
            if isinstance(command, bool):
                share = self.form.target_block // TOKENS
                count = self.form.blocks // share
                self.ids = order(count, self.pages.shape[2], command, 1)
                self.slots = transfer.slots(self.ids.tolist(), self.form.target_block)
                self.pipe.send(self.places().numpy())
                self.want = self.pipe.recv()
            else:
                self.one(command)
        self.endpoint.close()

    def one(self, method: str) -> None:
        self.pages.zero_()
        used = time.process_time()
        self.pipe.send("ready")
        kernel = 0.0
        if method == "kvforge":
            stats = self.endpoint.fetch(self.peers, "key", self.slots).result()
            kernel = stats.unpack
        elif method != "memcpy":
            heard = 0
            while heard < (1 if method == "write" else self.form.ranks):
                heard += sum(map(len, self.agent.get_new_notifs().values()))
                time.sleep(50e-6)
            if method != "write":
                started = time.perf_counter()
                (self.process_pieces if method == "pieces" else self.put)()
                kernel = time.perf_counter() - started
        self.pipe.send((time.process_time() - used, kernel))
        if method not in ("write", "memcpy"):
            for cell, want in self.want.items():
                got = rows_of(self.pages[cell], self.form.target_hnd, self.ids)
                assert torch.equal(got, want), f"{method}: wrong rows"

    def process_pieces(self) -> None:
        form = self.form
        for cell in CELLS:
            pages = self.pages[cell]
            if form.fp8:
                rows = self.buffer[cell].view(-1, TOKENS, HEADS, SIZE)
                pages.index_copy_(0, self.ids, as_fp8(rows))
            elif form.target_hnd and not form.source_hnd:
                blocks = pages.index_select(0, self.ids).view(-1, TOKENS, HEADS, SIZE)
                pages.index_copy_(0, self.ids, blocks.permute(0, 2, 1, 3))

    def put(self) -> None:
        form = self.form
        ranks = self.buffer.view(torch.uint8).reshape(-1)
        ranks = ranks[: ranks.numel() // (2 if form.fp8 else 1)].view(self.pages.dtype)
        rows = ranks.view(form.ranks, LAYERS, 2, -1)
        for cell in CELLS:
            pages = self.pages[cell]
            for rank in range(form.ranks):
                mine = pages[:, rank * form.heads :][:, : form.heads] if form.ranks > 1 else pages
                mine.index_copy_(0, self.ids, rows[rank][cell].view(-1, *mine.shape[1:]))


class Sender:
    """The process that has them: of all ranks."""

    def __init__(self, form: Form, pipe: Connection) -> None:
        self.form, self.pipe = form, pipe
        self.pages = form.pages(False)
        self.pages.copy_(torch.randint(-64, 64, self.pages.shape, dtype=torch.int8))
        count = form.blocks * TOKENS * HEADS * SIZE * LAYERS * 2
        self.buffer = torch.zeros(count, dtype=torch.bfloat16)
        self.size: int = self.buffer.nbytes // (2 if form.fp8 else 1)  # what kvforge writes
        self.agent = new_agent([self.pages, self.buffer])
        self.endpoints = [
            transfer.Endpoint(
                *(f"rank {rank}", [form.group(self.pages[rank], form.source_hnd, False, rank)]),
                deadline=300,
                silence=60,
            )
            for rank in range(form.ranks)
        ]
        addresses = [endpoint.listen() for endpoint in self.endpoints]
        pipe.send((addresses, self.agent.get_agent_metadata()))
        metadata, lists, self.far = pipe.recv()
        self.peer = self.agent.add_remote_agent(metadata).decode()
        self.agent.make_connection(self.peer)
        self.theirs = [self.agent.prep_xfer_dlist(self.peer, rows, "DRAM") for rows in lists]
        count = self.pages.shape[3]
        self.mine = [
            self.agent.prep_xfer_dlist(
                "NIXL_INIT_AGENT",
                strided(self.pages[rank], 0, form.piece, form.piece, count),
                "DRAM",
            )
            for rank in range(form.ranks)
        ]
        self.counts = lists[0][0, 4], count

    def arrange(self, scattered: bool) -> None:
        """Blocks of both sides, and what two of the cells are to be."""
        form = self.form
        self.pipe.send(scattered)
        self.ids = order(form.blocks, self.pages.shape[3], scattered, 0)
        self.slots = transfer.slots(self.ids.tolist(), TOKENS)
        places, cells = self.pipe.recv(), np.arange(2 * LAYERS)[:, None]
        count = [int(number) for number in self.counts]
        self.to = (cells * count[0] + places).reshape(-1).astype(np.int32)
        self.of = (cells * count[1] + self.ids.numpy()).reshape(-1).astype(np.int32)
        want = {}
        for cell in ((0, 0), (LAYERS - 1, 1)):
            held = [rows_of(each[cell], form.source_hnd, self.ids) for each in self.pages]
            rows = torch.cat(held, 1)
            want[cell] = as_fp8(rows) if form.fp8 else rows
        self.pipe.send(want)

    def take(self) -> None:
        """All ranks' rows as they are to lie in the target's pages."""
        form = self.form
        buffer = self.buffer.view(torch.uint8)
        size = self.size // form.ranks
        dtype = torch.uint8 if form.fp8 else torch.bfloat16
        for rank, pages in enumerate(self.pages):
            into = buffer[rank * size : (rank + 1) * size].view(dtype).view(LAYERS, 2, -1)
            for cell in CELLS:
                rows = pages[cell].index_select(0, self.ids)
                rows = as_fp8(rows) if form.fp8 else rows
                if form.target_hnd and not form.source_hnd:
                    rows = rows.permute(0, 2, 1, 3)
                into[cell].view(rows.shape).copy_(rows)

    def write(self, makes: list[Callable[[], Any]], found: dict[str, float]) -> None:
        """Handles are made, posted and waited for."""
        started = time.perf_counter()
        handles = [make() for make in makes]
        waits = [handle for handle in handles if self.agent.transfer(handle) == "PROC"]
        found["post"] = time.perf_counter() - started
        started = time.perf_counter()
        while waits := [h for h in waits if self.agent.check_xfer_state(h) == "PROC"]:
            time.sleep(50e-6)
        found["wire"] = time.perf_counter() - started
        for handle in handles:
            found["descriptors"] += self.agent.get_xfer_telemetry(handle).descCount
            self.agent.release_xfer_handle(handle)

    def one(self, method: str) -> dict[str, float]:
        form = self.form
        found: dict[str, float] = {"descriptors": 0, "post": 0.0, "wire": 0.0, "kernel": 0.0}
        ranks = range(form.ranks)

        def run(first: int, size: int) -> Any:
            near = self.agent.get_xfer_descs([(self.buffer.data_ptr() + first, size, 0)], "DRAM")
            far = self.agent.get_xfer_descs([(self.far + first, size, 0)], "DRAM")
            return self.agent.initialize_xfer("WRITE", near, far, self.peer, b"all")

        def pieces(rank: int) -> Any:
            near, far = (self.mine[rank], self.of), (self.theirs[rank], self.to)
            return self.agent.make_prepped_xfer("WRITE", *near, *far, b"all")

        self.pipe.send(method)
        self.pipe.recv()
        started, used = time.perf_counter(), time.process_time()
        if method == "kvforge":
            offers = [each.offer("key", self.slots) for each in self.endpoints]
            for stats in (offer.result() for offer in offers):
                found["descriptors"] += stats.descriptors
                found["post"] += stats.post
                found["wire"] += stats.wire
                found["kernel"] += stats.pack
        elif method == "pieces":
            self.write([partial(pieces, rank) for rank in ranks], found)
        elif method == "torch":
            self.take()
            found["kernel"] = time.perf_counter() - started
            size = self.size // form.ranks
            self.write([partial(run, rank * size, size) for rank in ranks], found)
        elif method == "write":
            self.write([partial(run, 0, self.size)], found)
        else:
            source = self.pages.view(-1)[: self.buffer.numel()]
            self.buffer.copy_(source)
        theirs_used, kernel = self.pipe.recv()
        found["time"] = time.perf_counter() - started
        found["cpu"] = time.process_time() - used + theirs_used
        found["kernel"] += kernel
        if method == "kvforge":
            found["checksums"] = 2 * self.checksum()
        return found

    def checksum(self) -> float:
        """CPU seconds of the sums of what is written."""
        units = self.buffer.view(torch.uint8)[: self.size]
        sums = torch.zeros(-(-self.size // UNIT), dtype=torch.int64)
        used = time.process_time()
        kvforge.ops._C_cache_ops.kv_checksum(units, UNIT, sums)
        return time.process_time() - used

    def measure(self, repeats: int) -> dict[str, dict[str, float]]:
        """Medians, of methods in turns, after a first round."""
        taken: dict[str, list[dict[str, float]]] = {method: [] for method in METHODS}
        for _ in range(repeats + 1):
            for method in METHODS:
                taken[method].append(self.one(method))
        return {
            method: {key: statistics.median(each[key] for each in runs[1:]) for key in runs[0]}
            for method, runs in taken.items()
        }

    def close(self) -> None:
        self.pipe.send(None)
        for endpoint in self.endpoints:
            endpoint.close()


def one_thread() -> None:
    """All that a process computes with."""
    torch.set_num_threads(1)
    kvforge.set_num_threads(1)


def receive(form: Form, pipe: Connection) -> None:
    """The receiving process."""
    one_thread()
    Receiver(form, pipe).serve()


def send(form: Form, pipe: Connection, results: Connection, repeats: int) -> None:
    """The sending process."""
    one_thread()
    sender = Sender(form, pipe)
    for scattered in (False, True):
        sender.arrange(scattered)
        results.send(sender.measure(repeats))
    sender.close()


def run_form(name: str, mib: int, repeats: int) -> list[dict[str, Any]]:
    """Both orders of blocks, by two processes of their own, so that no memory is left to the next form."""
    context = multiprocessing.get_context("spawn")
    blocks = (mib << 20) // (TOKENS * HEADS * ROW * 2 * LAYERS)
    form = replace(FORMS[name], blocks=max(blocks // 4 * 4, 4))
    ours, theirs = context.Pipe()
    results, result_of_sender = context.Pipe()
    processes = [
        context.Process(target=receive, args=(form, theirs), daemon=True),
        context.Process(target=send, args=(form, ours, result_of_sender, repeats), daemon=True),
    ]
    for process in processes:
        process.start()
    for end in (ours, theirs, result_of_sender):
        end.close()  # a process that ends is seen by the others
    found = []
    for blocks_lie in ("contiguous", "random"):
        try:
            methods = results.recv()
        except EOFError:
            raise SystemExit(f"{name}, {mib} MiB: a process has failed") from None
        found.append({"form": name, "mib": mib, "blocks": blocks_lie, "methods": methods})
    for process in processes:
        process.join(60)
    return found


def machine() -> str:
    """The CPU's name."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return f"{models[0] if models else platform.machine()}, {os.cpu_count()} CPUs"


def show(row: dict[str, Any]) -> None:
    """One cell of the table."""
    ours = row["methods"]["kvforge"]
    checks = ours["checksums"] / ours["cpu"]
    title = f"{row['form']}, {row['mib']} MiB, {row['blocks']}"
    print(
        f"\n{title:34} descriptors   time   post   wire  kernel    CPU   (checksums: {checks:.0%} of CPU)"
    )
    for method, found in row["methods"].items():
        parts = "".join(
            f"{found[key] / ours['time']:7.2f}" for key in ("time", "post", "wire", "kernel")
        )
        print(
            f"  {method:32} {found['descriptors']:11.0f}{parts} {found['cpu'] / ours['cpu']:7.2f}",
            flush=True,
        )


def markdown(rows: list[dict[str, Any]]) -> None:
    """The table as docs/measured.md has it: times by kvforge's in the same cell."""
    print("\n| form, MiB, blocks | descriptors | time | CPU | post | wire | kernel | checksums |")
    print("|" + " --- |" * 8)
    for row in rows:
        ours = row["methods"]["kvforge"]

        def of(key: str, *methods: str, row: Any = row, ours: Any = ours) -> str:
            by = ours["cpu" if key == "cpu" else "time"]
            return ", ".join(f"{row['methods'][method][key] / by:.2f}" for method in methods)

        count = [row["methods"][method]["descriptors"] for method in ("kvforge", "pieces")]
        cells = [
            f"{row['form']}, {row['mib']}, {row['blocks']}",
            f"{count[0]:,.0f}, {count[1]:,.0f}",
            of("time", *METHODS[1:]),
            of("cpu", *METHODS[1:3]),
            of("post", *METHODS[:3]),
            of("wire", *METHODS[1:3]),
            of("kernel", *METHODS[:3]),
            f"{ours['checksums'] / ours['cpu']:.0%}",
        ]
        print(f"| {' | '.join(cells)} |")


def main() -> None:
    """The table, row by row as it is measured."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--mib", default="64,512", help="sizes, of bf16")
    parser.add_argument("--forms", default=",".join(FORMS), help="some of these")
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--json", type=Path, help="medians in seconds, as they were measured")
    parser.add_argument(
        "--markdown", action="store_true", help="the table for docs/measured.md, too"
    )
    options = parser.parse_args()
    version = __import__("importlib.metadata").metadata.version("nixl-cu12")
    about = {"machine": machine(), "UCX_TLS": os.environ["UCX_TLS"], "nixl": version}
    about |= {"torch": torch.__version__, "repeats": options.repeats}
    print(", ".join(f"{key} {value}" for key, value in about.items()))
    rows = []
    for mib in map(int, options.mib.split(",")):
        for name in options.forms.split(","):
            for row in run_form(name, mib, options.repeats):
                show(row)
                rows.append(row)
    if options.markdown:
        markdown(rows)
    if options.json:
        options.json.write_text(json.dumps({**about, "rows": rows}, indent=1))


if __name__ == "__main__":
    main()
