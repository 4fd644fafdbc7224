"""Runs SGLang's engine, and prints a line of JSON: what quality.py asks for.

python engines.py MODEL '{"attention_backend": "kvforge"}'
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

os.environ["HF_HUB_OFFLINE"] = "1"

import sglang

ROOT = Path(__file__).resolve().parents[3]
TOKENS = 16
CHUNK = 64  # tokens of a step at most: longer prompts come in parts
SEQS = 4  # at a time: the others wait, and come in as one ends
TURN = "<|im_start|>user\n{}<|im_end|>\n<|im_start|>assistant\n"
QUESTIONS = (
    "Why is the sky blue?",
    "Write one sentence about a ship that comes home after a long storm.",
    "What is the capital of Italy?",
    "Name three animals that live in the sea.",
)
ABOUT = "Here is a text. {}\nAnswer with one sentence. {}"


def quality(model: str, options: dict[str, Any]) -> dict[str, Any]:
    """Greedy tokens of prompts that come together, and logits of texts, read through the cache."""
    engine = sglang.Engine(
        model_path=model,
        device="cpu",
        dtype="float32",
        max_total_tokens=8192,
        chunked_prefill_size=CHUNK,
        max_running_requests=SEQS,
        disable_cuda_graph=True,
        log_level="error",
        **options,
    )
    text = (ROOT / "LICENSE").read_text()
    prompts = [TURN.format(question) for question in QUESTIONS]
    # The same 400 letters first: tokens that another prompt has put into the cache are found again.
    prompts += [TURN.format(ABOUT.format(text[1000:1400], question)) for question in QUESTIONS]
    prompts += [TURN.format(ABOUT.format(text[3000 : 3000 + n], QUESTIONS[2])) for n in (200, 600)]
    greedy = {"temperature": 0, "max_new_tokens": TOKENS, "ignore_eos": True}
    done = engine.generate(prompts, greedy)
    texts = [text[first : first + 900] for first in (2000, 6000)]
    read = engine.generate(
        texts, {"temperature": 0, "max_new_tokens": 1}, return_logprob=True, logprob_start_len=0
    )
    logits = [value for row in read for value, *_ in row["meta_info"]["input_token_logprobs"][1:]]
    engine.shutdown()
    return {
        "prompts": [row["meta_info"]["prompt_tokens"] for row in done],
        "cached": [row["meta_info"]["cached_tokens"] for row in done],
        "tokens": [row["output_ids"] for row in done],
        "logits": logits,
    }


if __name__ == "__main__":
    print(json.dumps(quality(sys.argv[1], json.loads(sys.argv[2]))), flush=True)
