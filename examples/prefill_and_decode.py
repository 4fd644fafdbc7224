#!/usr/bin/env python3
"""Prefill in one process, decode in another, whose cache is laid out differently.

The first process reads the prompts into pages of 16 tokens, [tokens, heads] within a page, f16. The other
one brings them with kvforge.transfer into pages of 48 tokens, [heads, tokens], fp8 (--kv-cache-dtype=auto:
f16), and writes the answers. Printed are the answers of both ways, how far logits differ from those of one
process that decodes from the pages it wrote itself, and what the transfer took. SmolLM2, as in
flash_attention_forward.py; the bytes go by NIXL or, where that is not installed, by torch's gloo:

    ninja torch && pip install torch==2.13.0 && pip install --no-deps -r requirements/example.txt
    pip install --no-deps -r requirements/transfer.txt
    PYTHONPATH=python python3 examples/prefill_and_decode.py [--engine gloo]
"""

import argparse
import importlib.util
import math
import multiprocessing
import os
import sys
from dataclasses import dataclass
from multiprocessing.connection import Connection
from types import SimpleNamespace
from typing import Any

os.environ.setdefault("UCX_TLS", "sm,tcp,self")
os.environ.setdefault("NIXL_LOG_LEVEL", "ERROR")

try:
    import rich.console
    import rich.progress
    import rich.table
    import smollm2
    import torch
    from flash_attention_forward import (
        MAX_CODE,
        NAN8,
        PROMPTS,
        AttentionMetadata,
        PagedAttentionImpl,
        PagedBatch,
    )
    from torch import Tensor

    import kvforge.torch
    from kvforge import transfer
except ImportError as error:
    sys.exit(f"{error}; the first lines of this file say how to install what it needs")


class HalfAttention(PagedAttentionImpl):
    """The example's layer with f16 in and out; the rest of the model is f32."""

    def forward(
        self,
        layer: SimpleNamespace,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        kv_cache: Tensor,
        attn_metadata: AttentionMetadata,
        output: Tensor,
    ) -> Tensor:
        half = torch.zeros_like(output, dtype=torch.float16)
        inputs = query.half(), key.half(), value.half()
        return output.copy_(super().forward(layer, *inputs, kv_cache, attn_metadata, half))


@dataclass
class Cache:
    """How one process keeps keys and values."""

    kv_cache_dtype: str  # "auto" is f16
    block_size: int
    heads_first: bool

    def batch(self, model: smollm2.Model, scales: Tensor, num_seqs: int, length: int) -> PagedBatch:
        """Sequences of at most `length` tokens over pages of this kind, none of them written."""
        batch = PagedBatch(model, self.kv_cache_dtype, scales, num_seqs, length, self.block_size)
        batch.impl = HalfAttention(1 / math.sqrt(model.head_size), self.kv_cache_dtype)
        shape = batch.kv_caches[0].shape
        order = (0, 1, 3, 2, 4) if self.heads_first else (0, 1, 2, 3, 4)
        plain = self.kv_cache_dtype == "auto"
        fill, dtype = (math.nan, torch.float16) if plain else (NAN8, torch.uint8)
        memory = [torch.full([shape[i] for i in order], fill, dtype=dtype) for _ in scales]
        batch.kv_caches = [layer.permute(order) for layer in memory]
        return batch

    def group(self, batch: PagedBatch, scales: Tensor) -> transfer.Group:
        """The batch's pages as kvforge.transfer takes them."""
        plain = self.kv_cache_dtype == "auto"
        return transfer.Group(
            "kv",
            [cache[plane] for plane in range(2) for cache in batch.kv_caches],
            layers=[f"blk.{layer}" for layer in range(len(batch.kv_caches))],
            model="SmolLM2-135M-Instruct",
            dtype="float16" if plain else self.kv_cache_dtype,
            page_scales=() if plain else list(scales.T.contiguous()),
        )

    def slots(self, batch: PagedBatch, sequence: int, count: int) -> Any:
        return transfer.slots(batch.block_table[sequence].tolist(), self.block_size, 0, count)


def decode(pipe: Connection) -> None:
    """The second process: fetches what each prompt left in the other's pages, and goes on from there."""
    cache, engine, scales, prompts, steps, address, first = pipe.recv()
    model, _ = smollm2.load("cpu")
    kvforge.torch.register()
    torch.manual_seed(2)  # its pages are in another order
    length = max(map(len, prompts)) + steps
    batch = cache.batch(model, scales, len(prompts), length)
    group = cache.group(batch, scales)

    def event(name: str) -> None:
        if name == "unpacked":
            pipe.send(name)

    options: dict[str, Any] = {"engine": engine, "slot_bytes": 1 << 20, "on_event": event}
    with transfer.Endpoint("decode", [group], **options) as endpoint:
        peer = endpoint.connect(*address)
        fetches = []
        for number, ids in enumerate(prompts):
            slots = cache.slots(batch, number, len(ids))
            fetches.append(endpoint.fetch(peer, f"prompt {number}", slots))
        stats = [fetch.result() for fetch in fetches]
    batch.seq_lens = torch.tensor([len(ids) for ids in prompts], dtype=torch.int32)
    # As NumPy's: torch's tensors are fetched from their process, and this one ends.
    pipe.send((stats, proceed(batch, first, steps).numpy()))


def proceed(batch: PagedBatch, text: Tensor, steps: int) -> Tensor:
    """Decodes `text`, [num_seqs, steps]; returns the logits after each token but the last."""
    logits = [batch.step([[token] for token in text[:, i].tolist()]) for i in range(steps - 1)]
    return torch.stack(logits, 1)


def calibrate(batch: PagedBatch, top: float) -> Tensor:
    """[num_layers, 2]: the largest key and value of the prompts get the largest code."""
    largest = [
        torch.stack([plane[plane.isfinite()].abs().max() for plane in cache.float()])
        for cache in batch.kv_caches
    ]
    return torch.stack(largest) / top


def main() -> None:
    parser = argparse.ArgumentParser(description="Prefill here, decode in another process.")
    nixl = any(importlib.util.find_spec(name) for name in ("nixl", "nixl_cu12", "nixl_cu13"))
    parser.add_argument("--engine", default="nixl" if nixl else "gloo", choices=("nixl", "gloo"))
    parser.add_argument("--kv-cache-dtype", default="fp8_e4m3", choices=("auto", *MAX_CODE))
    parser.add_argument("--steps", type=int, default=24, help="tokens to write")
    args = parser.parse_args()

    console = rich.console.Console(highlight=False)
    model, tokenizer = smollm2.load("cpu")
    kvforge.torch.register()
    torch.manual_seed(1)
    turn = "<|im_start|>user\n{}<|im_end|>\n<|im_start|>assistant\n"
    prompts = [tokenizer.encode(turn.format(prompt)).ids for prompt in PROMPTS]
    length = max(map(len, prompts)) + args.steps
    here, there = Cache("auto", 16, False), Cache(args.kv_cache_dtype, 48, True)
    ones = torch.ones(model.num_layers, 2)
    batch = here.batch(model, ones, len(prompts), length)
    logits = [batch.step(prompts)]
    scales = (
        calibrate(batch, MAX_CODE[args.kv_cache_dtype]) if args.kv_cache_dtype != "auto" else ones
    )

    context = multiprocessing.get_context("spawn")
    pipe, theirs = context.Pipe()
    process = context.Process(target=decode, args=(theirs,), daemon=True)
    process.start()
    theirs.close()  # so that the end of the process ends the wait for what it says
    group = here.group(batch, ones)
    options: dict[str, Any] = {"engine": args.engine, "slot_bytes": 1 << 20, "deadline": 120.0}
    with transfer.Endpoint("prefill", [group], **options) as endpoint:
        # Offered before anything is written behind the prompts: an engine would hold these pages.
        offers = [
            endpoint.offer(f"prompt {number}", here.slots(batch, number, len(ids)))
            for number, ids in enumerate(prompts)
        ]
        for _ in range(args.steps - 1):  # one process by itself, for comparison
            logits.append(batch.step([[token] for token in logits[-1].argmax(-1).tolist()]))
        own = torch.stack(logits, 1)
        text = own.argmax(-1)
        address = endpoint.listen()
        pipe.send((there, args.engine, scales, prompts, args.steps, address, text))
        with rich.progress.Progress(console=console, transient=True) as progress:
            task = progress.add_task("chunks unpacked", total=None)
            while (answer := pipe.recv()) == "unpacked":
                progress.advance(task)
        sent = [offer.result() for offer in offers]
    process.join()
    got, other = answer
    both = torch.cat([own[:, :1], torch.from_numpy(other)], 1)

    for prompt, mine, yours in zip(PROMPTS, text.tolist(), both.argmax(-1).tolist(), strict=True):
        console.print(f"[bold]{prompt}[/]")
        for name, ids in (("one process ", mine), ("two processes", yours)):
            answer = tokenizer.decode(ids, skip_special_tokens=False).split("<|im_end|>")[0]
            console.print(f"  {name:13} {answer}")
    difference = (both - own).abs().max().item()
    same = f"{int((both.argmax(-1) == text).sum())} of {text.numel()}"
    console.print(f"logits differ by {difference:.3g} at most; the same token {same} times")
    table = rich.table.Table(title=f"{args.engine}, f16 to {there.kv_cache_dtype}, sums")
    for column in ("bytes", "chunks", "writes", "pack", "post", "wire", "check", "unpack"):
        table.add_column(column, justify="right")
    counts = (
        sum(getattr(one, name) for one in sent) for name in ("bytes", "chunks", "descriptors")
    )
    seconds = [sum(getattr(one, name) for one in sent) for name in ("pack", "post", "wire")]
    seconds += [sum(getattr(one, name) for one in got) for name in ("check", "unpack")]
    table.add_row(*map(str, counts), *(f"{1e3 * one:.2f} ms" for one in seconds))
    console.print(table)
    sys.exit(0 if args.kv_cache_dtype != "auto" or difference <= 1e-2 else 1)


if __name__ == "__main__":
    main()
