"""Tokens of a paged cache to another process: kv_pack, a write and kv_unpack, against what engines do.

    PYTHONPATH=python python bench/bench_transfer.py [16 1024]     MiB; needs torch, NIXL, `ninja torch`

A block of 16 tokens is 96 pieces of 16 KiB (48 layers, keys and values, 8 heads of 64, f16), and blocks
are in no order on either side. One run, methods in turn, medians; times are from the first call to the
receiver's pages being right, over what UCX_TLS names (tcp,self unless set). Each process computes in one
thread: the two share a machine. CPU ms are of both processes, their libraries' threads too. Compare
ratios, not seconds.
"""

from __future__ import annotations

import multiprocessing
import os
import statistics
import sys
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any

os.environ.setdefault("UCX_TLS", "tcp,self")
os.environ.setdefault("NIXL_LOG_LEVEL", "ERROR")

import numpy as np
import torch

import kvforge
from kvforge import transfer
from kvforge.transfer.nixl_engine import _import

LAYERS, TOKENS, HEADS, SIZE = 48, 16, 8, 64
PIECE = TOKENS * HEADS * SIZE * 2  # bytes
PIECES = 2 * LAYERS
METHODS = {
    "kvforge": "kv_pack, chunks, kv_checksum, kv_unpack",
    "kvforge pull": "the same, read by the receiver",
    "kvforge to HND": "into pages with heads before tokens",
    "pieces": "a descriptor of 16 KiB per piece, from page to page",
    "torch": "index_select, one write, index_copy_",
    "torch to HND": "index_select, permute, one write, index_copy_",
    "write": "one write of as many bytes, and no more: a bound",
    "copies": "index_select and index_copy_ in the sender alone: a bound",
}


class Side:
    """One process: pages [layer, plane][block, token, head, element], and a buffer for all of it."""

    def __init__(self, blocks: int, seed: int) -> None:
        torch.set_num_threads(1)
        kvforge.set_num_threads(1)
        self.blocks = blocks
        capacity = blocks + blocks // 4 + 1
        shape = (LAYERS, 2, capacity, TOKENS, HEADS, SIZE)
        random = torch.Generator().manual_seed(seed)
        self.ids = torch.randperm(capacity, generator=random)[:blocks]
        self.pages = torch.zeros(shape, dtype=torch.float16)
        hnd = (LAYERS, 2, capacity, HEADS, TOKENS, SIZE)
        self.hnd = torch.zeros(hnd if seed else (1,), dtype=torch.float16)
        self.buffer = torch.zeros((LAYERS, 2, blocks, TOKENS, HEADS, SIZE), dtype=torch.float16)
        self.slots = transfer.slots(self.ids.tolist(), TOKENS)
        names = [f"layer.{layer}" for layer in range(LAYERS)]
        groups = [("nhd", self.pages), ("hnd", self.hnd.transpose(3, 4) if seed else self.pages)]
        self.endpoint = transfer.Endpoint(
            "bench",
            [
                transfer.Group(
                    name,
                    [pages[layer, plane] for plane in range(2) for layer in range(LAYERS)],
                    layers=names,
                    dtype="float16",
                    wire_layout="LKNHC" if name == "nhd" else "LKHNC",
                    wire_block=TOKENS,
                )
                for name, pages in groups
            ],
            deadline=300.0,
            silence=60.0,
        )
        api, _ = _import()
        # As the endpoint's own, without a thread that would take a core from all methods.
        config = api.nixl_agent_config(enable_prog_thread=False)
        self.agent = api.nixl_agent(f"bench {os.getpid()}", config)
        for memory in (self.pages, self.buffer):
            region = [(memory.data_ptr(), memory.nbytes, 0, "")]
            self.agent.register_memory(region, mem_type="DRAM")

    def pieces(self) -> Any:
        """Address and bytes of each piece, block by block."""
        parts = np.arange(PIECES)[None, :] * (self.pages.shape[2] * PIECE)
        starts = self.ids.numpy()[:, None] * PIECE + parts + self.pages.data_ptr()
        found = np.zeros((starts.size, 3), np.uint64)
        found[:, 0], found[:, 1] = starts.reshape(-1), PIECE
        return found

    def whole(self) -> list[tuple[int, int, int]]:
        return [(self.buffer.data_ptr(), self.buffer.nbytes, 0)]

    def put(self, pages: Any, buffer: Any) -> None:
        """index_copy_ of all blocks, layer by layer, as an engine's tensors are."""
        for layer in range(LAYERS):
            for plane in range(2):
                pages[layer, plane].index_copy_(0, self.ids, buffer[layer, plane])

    def take(self, hnd: bool) -> None:
        for layer in range(LAYERS):
            for plane in range(2):
                rows = self.pages[layer, plane].index_select(0, self.ids)
                if hnd:
                    rows = rows.permute(0, 2, 1, 3)
                into = self.buffer[layer, plane]
                into.view(rows.shape).copy_(rows)


def receive(pipe: Connection, blocks: int) -> None:
    """The receiving process: does what the sender's method wants of it, and says when it is done."""
    side = Side(blocks, 1)
    host, port, metadata, want = pipe.recv()
    peer = side.endpoint.connect(host, port)
    side.agent.add_remote_agent(metadata)
    pipe.send((side.agent.get_agent_metadata(), side.pieces(), side.whole()))
    while method := pipe.recv():
        hnd = method.endswith("HND")
        side.pages.zero_()
        side.hnd.zero_()
        used = time.process_time()
        pipe.send("ready")
        pages = side.hnd if hnd else side.pages
        if method.startswith("kvforge"):
            group, mode = "hnd" if hnd else "nhd", "pull" if method.endswith("pull") else "push"
            side.endpoint.fetch(peer, "key", side.slots, group=group, mode=mode).result()
        elif method != "copies":
            while not side.agent.get_new_notifs():
                time.sleep(50e-6)
            if method.startswith("torch"):
                shape = (LAYERS, 2, blocks, *pages.shape[3:])
                side.put(pages, side.buffer.view(shape))
        pipe.send(time.process_time() - used)
        if method not in ("write", "copies"):
            got = pages.transpose(3, 4) if hnd else pages
            for layer in (0, LAYERS - 1):
                chosen = got[layer, 1].index_select(0, side.ids).float().sum((1, 2, 3))
                assert torch.equal(chosen, want[layer]), f"{method}: wrong rows"
    side.endpoint.close()


def main() -> None:
    """A table for each size."""
    sizes = [int(word) for word in sys.argv[1:]] or [16, 1024]
    print(f"UCX_TLS={os.environ['UCX_TLS']}, {os.cpu_count()} CPUs")
    for mib in sizes:
        blocks = -(-(mib << 20) // (PIECES * PIECE))
        measure(mib, blocks, 9 if mib <= 64 else 3)


def measure(mib: int, blocks: int, repeats: int) -> None:
    """One table."""
    context = multiprocessing.get_context("spawn")
    pipe, theirs = context.Pipe()
    process = context.Process(target=receive, args=(theirs, blocks), daemon=True)
    process.start()
    side = Side(blocks, 0)
    side.pages.copy_(torch.randint(-8, 8, side.pages.shape, dtype=torch.int8))
    want = {
        layer: side.pages[layer, 1].index_select(0, side.ids).float().sum((1, 2, 3))
        for layer in (0, LAYERS - 1)
    }
    metadata = side.agent.get_agent_metadata()
    pipe.send((*side.endpoint.listen(), metadata, want))
    metadata, pieces, whole = pipe.recv()
    peer = side.agent.add_remote_agent(metadata).decode()
    side.agent.make_connection(peer)

    def write(mine: Any, remote: Any) -> None:
        local = side.agent.get_xfer_descs(mine, mem_type="DRAM")
        far = side.agent.get_xfer_descs(remote, mem_type="DRAM")
        handle = side.agent.initialize_xfer("WRITE", local, far, peer, b"all")
        state = side.agent.transfer(handle)
        while state == "PROC":
            time.sleep(50e-6)
            state = side.agent.check_xfer_state(handle)
        side.agent.release_xfer_handle(handle)

    def gathered(hnd: bool) -> None:
        side.take(hnd)
        write(side.whole(), whole)

    def copies() -> None:
        side.take(False)
        side.put(side.pages, side.buffer)

    calls: dict[str, Callable[[], object]] = {
        "kvforge": lambda: side.endpoint.offer("key", side.slots, group="nhd").result(),
        "kvforge pull": lambda: side.endpoint.offer("key", side.slots, group="nhd").result(),
        "kvforge to HND": lambda: side.endpoint.offer("key", side.slots, group="hnd").result(),
        "pieces": lambda: write(side.pieces(), pieces),
        "torch": lambda: gathered(False),
        "torch to HND": lambda: gathered(True),
        "write": lambda: write(side.whole(), whole),
        "copies": copies,
    }
    taken: dict[str, list[tuple[float, float]]] = {method: [] for method in METHODS}
    for _ in range(repeats + 1):
        for method, call in calls.items():
            pipe.send(method)
            pipe.recv()
            started, used = time.perf_counter(), time.process_time()
            call()
            theirs_used = pipe.recv()
            used = time.process_time() - used + theirs_used
            taken[method].append((time.perf_counter() - started, used))
    pipe.send("")
    side.endpoint.close()
    process.join(60)
    print(f"\n{mib} MiB: {blocks} blocks of {PIECES} pieces, medians of {repeats}")
    print(f"  {'method':15} {'ms':>9} {'ratio':>6} {'CPU ms':>9} {'ratio':>6}")
    for method, about in METHODS.items():
        line = f"  {method:15}"
        for which in range(2):
            mine, ours = (
                statistics.median(pair[which] for pair in taken[name][1:])
                for name in (method, "kvforge to HND" if "HND" in method else "kvforge")
            )
            line += f" {mine * 1e3:9.1f} {mine / ours:6.2f}"
        print(f"{line}  {about}")


if __name__ == "__main__":
    main()
