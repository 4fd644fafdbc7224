#!/usr/bin/env python3
"""An engine's attention layer on kvforge: prefill, then decode, over a paged KV cache.

`PagedAttentionImpl.forward` has the shape of vLLM v1's FlashAttentionImpl.forward. It writes keys
and values with torch.ops._C_cache_ops.reshape_and_cache_flash and reads them back through the block
table with torch.ops._C_cache_ops.paged_attention. `PagedBatch` is what the rest of an engine
does for it: sequences of different length in one batch, pages in no order, padding with slot -1.

Run on a real language model (smollm2.py), it prints the text that the model writes through the
cache, says whether the model without a cache writes the same, and by how much each fp8 cache
changes the logits. (Not on the demo's MiniLM: that is bidirectional, so it cannot decode.) Nothing is
downloaded when it runs:

    ninja torch && pip install torch==2.13.0 && pip install --no-deps -r requirements/example.txt
    PYTHONPATH=python python3 examples/flash_attention_forward.py [--device cuda]
"""

import argparse
import math
import sys
from dataclasses import dataclass
from types import SimpleNamespace

try:
    import rich.console
    import rich.table
    import smollm2
    import torch
    import torch.nn.functional as F
    from torch import Tensor

    import kvforge.torch
except ImportError as error:
    sys.exit(f"{error}; the first lines of this file say how to install what it needs")

# ---- the attention layer -------------------------------------------------------------------------


@dataclass
class AttentionMetadata:
    """One step of a batch. The tokens of a sequence are consecutive rows of query, key and value."""

    num_actual_tokens: int  # rows without the padding
    max_query_len: int  # 1: every sequence decodes
    query_start_loc: Tensor  # [num_seqs + 1], int32: the first row of each sequence, and the end
    seq_lens: Tensor  # [num_seqs], int32: tokens in the cache once those of this step are
    block_table: Tensor  # [num_seqs, width], int32: the pages of each sequence
    slot_mapping: Tensor  # [num_rows], int64: page * block_size + offset; -1 for padding


class PagedAttentionImpl:
    """Causal attention of a batch over its pages, for any mixture of prefill and decode."""

    def __init__(self, scale: float, kv_cache_dtype: str) -> None:
        self.scale = scale
        self.kv_cache_dtype = kv_cache_dtype

    def forward(
        self,
        layer: SimpleNamespace,  # _k_scale, _v_scale: [1], float32
        query: Tensor,  # [num_rows, num_heads, head_size]
        key: Tensor,  # [num_rows, num_kv_heads, head_size]
        value: Tensor,  # as key
        kv_cache: Tensor,  # [2, num_blocks, block_size, num_kv_heads, head_size]; uint8 for fp8
        attn_metadata: AttentionMetadata,
        output: Tensor,  # as query; rows of padding are left as they are
    ) -> Tensor:
        key_cache, value_cache = kv_cache.unbind(0)
        slots = attn_metadata.slot_mapping
        quantisation = (self.kv_cache_dtype, layer._k_scale, layer._v_scale)
        torch.ops._C_cache_ops.reshape_and_cache_flash(
            key, value, key_cache, value_cache, slots, *quantisation
        )
        torch.ops._C_cache_ops.paged_attention(
            output,
            query,
            key_cache,
            value_cache,
            attn_metadata.query_start_loc,
            attn_metadata.seq_lens,
            attn_metadata.block_table,
            self.scale,
            *quantisation,
            max_query_len=attn_metadata.max_query_len,
        )
        return output


# ---- a batch over pages, and the model without them ----------------------------------------------

PAD_TO = 8  # rows of a step are a multiple of this, as for captured CUDA graphs
MAX_CODE = {"fp8_e4m3": 448.0, "fp8_e5m2": 57344.0}  # the largest finite number
NAN8 = 0x7F  # a NaN in either format


class PagedBatch:
    """Sequences that grow together: the caches of all layers, and whose pages are where."""

    def __init__(
        self,
        model: smollm2.Model,
        kv_cache_dtype: str,
        scales: Tensor,  # [num_layers, 2], float32: of keys and values
        num_seqs: int,
        max_len: int,  # tokens that a sequence may come to have
        block_size: int,
    ) -> None:
        width = -(-max_len // block_size)
        shape = (2, num_seqs * width, block_size, model.num_kv_heads, model.head_size)
        # NaN everywhere: it would show if a place were read that no token was written to.
        fill, dtype = (math.nan, torch.float32) if kv_cache_dtype == "auto" else (NAN8, torch.uint8)
        self.kv_caches = [torch.full(shape, fill, dtype=dtype, device=model.device) for _ in scales]
        self.layers = [SimpleNamespace(_k_scale=s[:1], _v_scale=s[1:]) for s in scales]
        self.impl = PagedAttentionImpl(1 / math.sqrt(model.head_size), kv_cache_dtype)
        self.model = model
        self.block_size = block_size
        self.block_table = torch.randperm(num_seqs * width, dtype=torch.int32).view(num_seqs, width)
        self.seq_lens = torch.zeros(num_seqs, dtype=torch.int32)

    def step(self, new_ids: list[list[int]]) -> Tensor:
        """Appends tokens to each sequence. Returns [num_seqs, vocabulary], the logits after them."""
        new = torch.tensor([len(ids) for ids in new_ids], dtype=torch.int32)
        start = F.pad(new.cumsum(0, dtype=torch.int32), (1, 0))
        count = int(start[-1])
        sequence = torch.repeat_interleave(torch.arange(len(new)), new)
        position = self.seq_lens[sequence] + torch.arange(count) - start[sequence]
        page = self.block_table[sequence, position // self.block_size]
        slot = page * self.block_size + position % self.block_size
        self.seq_lens = self.seq_lens + new
        padding, device = (0, -count % PAD_TO), self.model.device
        metadata = AttentionMetadata(
            num_actual_tokens=count,
            max_query_len=int(new.max()),
            query_start_loc=start.to(device),
            seq_lens=self.seq_lens.to(device),
            block_table=self.block_table.to(device),
            slot_mapping=F.pad(slot, padding, value=-1).to(device),
        )

        def attend(i: int, query: Tensor, key: Tensor, value: Tensor) -> Tensor:
            layer, kv_cache, output = self.layers[i], self.kv_caches[i], torch.zeros_like(query)
            return self.impl.forward(layer, query, key, value, kv_cache, metadata, output)

        ids = F.pad(torch.tensor([token for ids in new_ids for token in ids]), padding)
        logits = self.model.logits(ids.to(device), F.pad(position, padding).to(device), attend)
        return logits[start[1:] - 1]

    def run(self, prompts: list[list[int]], steps: int, text: Tensor | None = None) -> Tensor:
        """Prefill, then decode `text`, [num_seqs, steps], or else always the likeliest token.

        Returns [num_seqs, steps, vocabulary]: the logits that each token of the text is chosen by.
        """
        logits = [self.step(prompts)]
        for i in range(steps - 1):
            token = logits[-1].argmax(-1) if text is None else text[:, i]
            logits.append(self.step([[t] for t in token.tolist()]))
        return torch.stack(logits, 1)


def unpaged(model: smollm2.Model, ids: list[int]) -> tuple[Tensor, Tensor]:
    """Logits after each token of one sequence; and [num_layers, 2], its largest |key| and |value|."""
    largest = torch.zeros(model.num_layers, 2, device=model.device)

    def attend(i: int, query: Tensor, key: Tensor, value: Tensor) -> Tensor:
        largest[i] = torch.stack([key.abs().max(), value.abs().max()])
        q, k, v = (x.transpose(0, 1) for x in (query, key, value))
        context = F.scaled_dot_product_attention(q, k, v, is_causal=True, enable_gqa=True)
        return context.transpose(0, 1)

    tokens = torch.tensor(ids, device=model.device)
    return model.logits(tokens, torch.arange(len(ids), device=model.device), attend), largest


# ---- the comparison ------------------------------------------------------------------------------


@dataclass
class Result:
    """One cache, next to none."""

    cache: str
    scales: str
    tokens: Tensor  # [num_seqs, steps]: the likeliest ones
    difference: float  # of a logit, the largest absolute one
    cosine: float  # of all logits


def compare(
    model: smollm2.Model, prompts: list[list[int]], steps: int, block_size: int, caches: list[str]
) -> tuple[Tensor, list[Result]]:
    """The unpaged model's likeliest tokens, [num_seqs, steps], and a result for each cache.

    The first cache, "auto", writes the text. The others read that text, so that their logits can be
    compared; so does the unpaged model, whole. It is causal: if its likeliest token is the next one
    of the text everywhere, then the text is what it would write.
    """
    # As an engine calibrates: the largest key and value of a layer get the largest code.
    largest = torch.stack([unpaged(model, ids)[1] for ids in prompts]).amax(0)
    ones = torch.ones_like(largest)
    runs = [("auto", "none", ones)]
    for cache in caches:
        top = MAX_CODE[cache]
        runs += [(cache, f"amax / {top:g}", largest / top), (cache, "1", ones)]

    text, reference, results = None, torch.empty(0), []
    max_len = max(map(len, prompts)) + steps - 1
    for cache, name, scales in runs:
        batch = PagedBatch(model, cache, scales, len(prompts), max_len, block_size)
        logits = batch.run(prompts, steps, text).double()
        if text is None:
            text = logits.argmax(-1)
            whole = [ids + row for ids, row in zip(prompts, text[:, :-1].tolist(), strict=True)]
            reference = torch.stack([unpaged(model, ids)[0][-steps:] for ids in whole]).double()
        difference = (logits - reference).abs().max().item()
        cosine = F.cosine_similarity(logits.flatten(), reference.flatten(), dim=0).item()
        results.append(Result(cache, name, logits.argmax(-1), difference, cosine))
    return reference.argmax(-1), results


TOLERANCE = 1e-3  # of logits, which go up to 38: float32 sums in another order, 30 layers deep
PROMPTS = [
    "Why is the sky blue?",
    "Write one sentence about a ship that comes home after a long storm.",
    "What is the capital of Italy?",
]


def main() -> None:
    parser = argparse.ArgumentParser(description="Attention over kvforge's paged KV cache.")
    parser.add_argument("--device", default="cpu", help="cpu, cuda or cuda:N")
    parser.add_argument("--block-size", type=int, default=16, help="tokens of a page")
    parser.add_argument("--steps", type=int, default=24, help="tokens to write")
    parser.add_argument("--kv-cache-dtype", choices=MAX_CODE, help="default: all, one by one")
    args = parser.parse_args()

    model, tokenizer = smollm2.load(args.device)
    kvforge.torch.register()
    torch.manual_seed(0)  # of the order of pages
    turn = "<|im_start|>user\n{}<|im_end|>\n<|im_start|>assistant\n"
    prompts = [tokenizer.encode(turn.format(prompt)).ids for prompt in PROMPTS]
    caches = [args.kv_cache_dtype] if args.kv_cache_dtype else list(MAX_CODE)
    expected, results = compare(model, prompts, args.steps, args.block_size, caches)

    console = rich.console.Console(highlight=False)
    for prompt, ids in zip(PROMPTS, results[0].tokens.tolist(), strict=True):
        answer = tokenizer.decode(ids, skip_special_tokens=False).split("<|im_end|>")[0]
        console.print(f"[bold]{prompt}[/] {answer}")
    table = rich.table.Table(
        title="logits, next to those of the unpaged model", title_justify="left"
    )
    for column in ("kv_cache_dtype", "scales", "same token", "max abs difference", "cosine"):
        table.add_column(column)
    for result in results:
        same = f"{int((result.tokens == expected).sum())} of {expected.numel()}"
        numbers = f"{result.difference:.2g}", f"{result.cosine:.6f}"
        table.add_row(result.cache, result.scales, same, *numbers)
    console.print(table)
    equal = torch.equal(results[0].tokens, expected) and results[0].difference <= TOLERANCE
    print(
        f"The text written through the cache {'equals' if equal else 'DIFFERS FROM'} the unpaged "
        f"model's; their logits differ by {results[0].difference:.1e}, at most {TOLERANCE} allowed."
    )
    sys.exit(0 if equal else 1)


if __name__ == "__main__":
    main()
