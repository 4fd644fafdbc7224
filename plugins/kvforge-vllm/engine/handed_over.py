"""Prompts read by one engine and answered by another: the pages go from process to process.

run() is for compare.py, which has the environment; each engine is a process of answering.py.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from prompts import prompts

FOLDER = Path(__file__).resolve().parent
TOKENS = 16


@dataclass(frozen=True)
class Case:
    """Two engines' options, and how many of ten answers must be those of the reader alone."""

    name: str
    prefill: dict[str, Any] = field(default_factory=dict)
    decode: dict[str, Any] = field(default_factory=dict)
    same: int = 10
    killed: bool = False  # the first one, before the second has read
    latents: bool = False  # a model with MLA


# vLLM reads latents on the CPU in blocks of 16, and a prompt in one part, and what it answers depends on
# what else is in a step. A model with random weights has ties that the last bit decides.
OWN = {
    **{"attention_backend": None, "block_size": 16},
    **{"max_num_seqs": 1, "max_num_batched_tokens": 2048},
}
CASES = [
    Case("handed over, blocks of 32 to 48", {"block_size": 32}, {"block_size": 48}),
    Case(
        "handed over, int8 per token and head, blocks of 16 to 64",
        {"block_size": 16, "kv_cache_dtype": "int8_per_token_head"},
        {"block_size": 64, "kv_cache_dtype": "int8_per_token_head"},
    ),
    Case(
        "handed over, f32 in blocks of 32 to int8 per token and head in 48",
        {"block_size": 32},
        {"block_size": 48, "kv_cache_dtype": "int8_per_token_head"},
        same=6,
    ),
    Case(
        "handed over, nvfp4, blocks of 16 to 64",
        {"block_size": 16, "kv_cache_dtype": "nvfp4"},
        {"block_size": 64, "kv_cache_dtype": "nvfp4"},
    ),
    Case("handed over, MLA by vLLM's own attention", OWN, OWN, same=3, latents=True),
    Case(
        "handed over, but the first engine dies",
        {"block_size": 32},
        {"block_size": 48},
        killed=True,
    ),
]


class Engine:
    """A process with an engine in it."""

    def __init__(self, python: Path, model: Path, options: dict[str, Any]) -> None:
        command = [str(python), "-B", str(FOLDER / "answering.py"), str(model)]
        environment = {
            **os.environ,
            "VLLM_CPU_OMP_THREADS_BIND": "nobind",
            "OMP_NUM_THREADS": "1",
        }
        self.said = tempfile.TemporaryFile("w+")  # noqa: SIM115
        self.process = subprocess.Popen(
            [*command, json.dumps(options)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.said,
            text=True,
            env=environment,
            cwd="/",
            start_new_session=True,
        )

    def ask(self, texts: list[str], tokens: int, params: list[Any]) -> dict[str, Any]:
        """What comes out. RuntimeError with the end of what it said if nothing does."""
        assert self.process.stdin is not None and self.process.stdout is not None
        line = json.dumps({"prompts": texts, "tokens": tokens, "params": params})
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        if not answer:
            self.said.seek(0)
            raise RuntimeError(self.said.read()[-3000:])
        return dict(json.loads(answer))

    def end(self) -> None:
        """It, and the processes that it has started."""
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.communicate()
        self.said.close()


def run(python: Path, model: Path, cases: list[Case]) -> int:
    """Prints a table; how many cases failed."""
    if not cases:
        return 0
    print("\n| | tokens that were there | same answers |\n| --- | --- | --- |", flush=True)
    return sum(not passes(python, model, case) for case in cases)


def latents_of(python: Path, model: Path) -> Path:
    """A model with MLA, written once beside the other one, whose tokenizer it has."""
    folder = model.parent / "latents"
    if not (folder / "config.json").is_file():
        command = [str(python), "-B", str(FOLDER / "latents.py"), str(model), str(folder)]
        subprocess.run(command, check=True)
    return folder


def passes(python: Path, model: Path, case: Case) -> bool:
    """One row. An engine alone, with the reader's options, says what the answers are."""
    texts: list[Any] = prompts()
    if case.latents:
        model = latents_of(python, model)
    engines = [Engine(python, model, options) for options in (case.prefill, case.decode)]
    try:
        engines[1].ask(texts[:1], 1, [None])  # it is there, and has a part already
        if case.latents:
            # vLLM's way through a prompt gives other answers than that through single tokens, which the
            # reader takes for the last token. So that is one that the engine alone has answered.
            found = engines[1].ask(texts, TOKENS + 1, [None] * len(texts))
            pairs = zip(found["prompts"], found["tokens"], strict=True)
            texts = [{"prompt_token_ids": prompt + tokens[:1]} for prompt, tokens in pairs]
        sent = engines[0].ask(texts, 1, [{"do_remote_decode": True}] * len(texts))
        if case.killed:
            engines[0].end()
        for params in sent["params"]:  # what vLLM would show in the place of the reader's own count
            del params["remote_prefill_cached_tokens"]
        read = engines[1].ask(texts, TOKENS, sent["params"])
        if case.latents:
            alone = [tokens[1:] for tokens in found["tokens"]]
        else:
            alone = engines[1].ask(texts, TOKENS, [None] * len(texts))["tokens"]
    finally:
        for engine in engines:
            engine.end()
    same = sum(a == b for a, b in zip(read["tokens"], alone, strict=True))
    came, of = sum(read["cached"]), sum(map(len, read["prompts"]))
    print(f"| {case.name} | {came} of {of} | {same} of {len(texts)} |", flush=True)
    wrong = []
    if same < case.same:
        wrong.append(f"{same} answers are those of one engine, want {case.same}")
    if not case.killed and came < of - len(texts):
        wrong.append("not all tokens but the last of each prompt came")
    for text in wrong:
        print(f"FAILED {case.name}: {text}", flush=True)
    return not wrong
