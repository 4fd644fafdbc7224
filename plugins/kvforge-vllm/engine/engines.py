"""Runs vLLM in this process, and prints a line of JSON: what compare.py asks for.

python engines.py MODEL quality '{"kv_cache_dtype": "fp8"}'     one engine: tokens and logits
python engines.py MODEL speed '{}' '{"attention_backend": "CUSTOM"}'    two, in turns
"""

from __future__ import annotations

import json
import os
import random
import sys
import time
from typing import Any

os.environ.setdefault("VLLM_LOGGING_LEVEL", "ERROR")
os.environ["VLLM_ENABLE_V1_MULTIPROCESSING"] = "0"  # the engine's classes are looked at from here
os.environ["VLLM_CPU_KVCACHE_SPACE"] = "1"
os.environ["HF_HUB_OFFLINE"] = "1"

from prompts import TEXT, prompts
from vllm import LLM, SamplingParams

TOKENS = 16
CHUNK = 64  # tokens of a step at most: longer prompts come in parts
SEQS = 4  # at a time: the others wait, and come in as one ends


def engine(model: str, options: dict[str, Any], **more: Any) -> LLM:
    """vLLM in float32, with blocks of 32 tokens, which its own attention can do too."""
    return LLM(
        model,
        dtype="float32",
        max_model_len=1024,
        block_size=32,
        **{"enforce_eager": True, **more, **options},
    )


def layers(llm: LLM) -> list[str]:
    """The classes that do the attention."""
    config = llm.llm_engine.engine_core.engine_core.vllm_config.compilation_config
    return sorted({type(layer.impl).__name__ for layer in config.static_forward_context.values()})


def compiled(llm: LLM) -> bool:
    """Whether torch.compile made the model's step."""
    return int(llm.llm_engine.engine_core.engine_core.vllm_config.compilation_config.mode) > 0


def bytes_per_token(llm: LLM) -> float:
    """Of all layers' caches."""
    scheduler = llm.llm_engine.engine_core.engine_core.scheduler
    [group] = scheduler.kv_cache_config.kv_cache_groups
    spec = group.kv_cache_spec
    return float(spec.page_size_bytes * len(group.layer_names) / spec.block_size)


def quality(model: str, options: dict[str, Any]) -> dict[str, Any]:
    """Greedy tokens of prompts that come together, and logits of texts, read through the cache."""
    llm = engine(model, options, max_num_seqs=SEQS, max_num_batched_tokens=CHUNK,
                 logprobs_mode="raw_logits")  # fmt: skip
    greedy = SamplingParams(temperature=0, max_tokens=TOKENS, ignore_eos=True)
    done = llm.generate(prompts(), greedy, use_tqdm=False)
    ids = llm.get_tokenizer().encode(TEXT, add_special_tokens=False)
    texts = [{"prompt_token_ids": ids[first : first + 200]} for first in (400, 1200)]
    read = llm.generate(
        texts, SamplingParams(temperature=0, max_tokens=1, prompt_logprobs=1), use_tqdm=False
    )
    logits = [
        seen[token].logprob
        for row in read
        for seen, token in zip(row.prompt_logprobs[1:], row.prompt_token_ids[1:], strict=True)
    ]
    best = [
        min(seen, key=lambda token, seen=seen: seen[token].rank)
        for row in read
        for seen in row.prompt_logprobs[1:]
    ]
    return {
        "layers": layers(llm),
        "compiled": compiled(llm),
        "bytes": bytes_per_token(llm),
        "prompts": [len(row.prompt_token_ids) for row in done],
        "cached": [row.num_cached_tokens for row in done],
        "tokens": [list(row.outputs[0].token_ids) for row in done],
        "logits": logits,
        "best": best,
    }


def speed(model: str, *options: dict[str, Any]) -> dict[str, Any]:
    """Tokens per second of CPU time, in prefill and decode, of each engine; in turns, best of five."""
    length, steps = 256, 16
    engines = [
        engine(
            model, each, max_num_seqs=8, max_num_batched_tokens=4096, enable_prefix_caching=False
        )
        for each in options
    ]
    draw = random.Random(0)

    def seconds(llm: LLM, batch: int, tokens: int) -> float:
        prompts = [
            {"prompt_token_ids": [draw.randrange(1000, 40000) for _ in range(length)]}
            for _ in range(batch)
        ]
        begin = time.process_time()
        sampling = SamplingParams(temperature=0, max_tokens=tokens, ignore_eos=True)
        llm.generate(prompts, sampling, use_tqdm=False)
        return time.process_time() - begin

    found: dict[str, list[float]] = {}
    for batch in (1, 4):
        least: list[dict[int, float]] = [{} for _ in engines]
        for _ in range(5):
            for tokens in (1, 1 + steps):
                for llm, best in zip(engines, least, strict=True):
                    best[tokens] = min(best.get(tokens, 1e9), seconds(llm, batch, tokens))
        found[f"prefill of {batch} x {length}"] = [batch * length / b[1] for b in least]
        found[f"decode of {batch} at {length}"] = [
            batch * steps / (b[1 + steps] - b[1]) for b in least
        ]
    return {"layers": [layers(llm) for llm in engines], "tokens_per_second": found}


if __name__ == "__main__":
    given = [json.loads(text) for text in sys.argv[3:]]
    result = {"quality": quality, "speed": speed}[sys.argv[2]](sys.argv[1], *given)
    print(json.dumps(result), flush=True)
