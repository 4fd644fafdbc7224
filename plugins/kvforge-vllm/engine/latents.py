"""Writes a small model with MLA, in the form of DeepSeek-V2 and with random weights, as a folder that vLLM
loads. Its words mean nothing, but each depends on all before it.

    python latents.py TOKENIZER FOLDER      the tokenizer of the model in the first folder
"""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import torch
from safetensors.torch import save_file

WORDS, HIDDEN, INNER, HEADS, LAYERS = 49152, 256, 512, 4, 2
LATENT, ROTATED, HEAD = 512, 64, 64  # vLLM's attention to latents on the CPU has one size

CONFIG = {
    "architectures": ["DeepseekV2ForCausalLM"],
    "model_type": "deepseek_v2",
    "dtype": "float32",
    "vocab_size": WORDS,
    "hidden_size": HIDDEN,
    "intermediate_size": INNER,
    "num_hidden_layers": LAYERS,
    "first_k_dense_replace": LAYERS,
    "num_attention_heads": HEADS,
    "num_key_value_heads": HEADS,
    "kv_lora_rank": LATENT,
    "q_lora_rank": None,
    "qk_nope_head_dim": HEAD,
    "qk_rope_head_dim": ROTATED,
    "v_head_dim": HEAD,
    "n_routed_experts": 4,
    "n_shared_experts": 1,
    "num_experts_per_tok": 2,
    "moe_intermediate_size": 128,
    "rms_norm_eps": 1e-6,
    "rope_theta": 10000.0,
    "max_position_embeddings": 2048,
    "tie_word_embeddings": False,
    "bos_token_id": 1,
    "eos_token_id": 2,
    "pad_token_id": 2,
}


def weights() -> dict[str, torch.Tensor]:
    """By the names of transformers' DeepSeek-V2."""
    random = torch.Generator().manual_seed(0)

    def some(rows: int, columns: int) -> torch.Tensor:
        return torch.randn(rows, columns, generator=random) * columns**-0.5

    found = {
        "model.embed_tokens.weight": some(WORDS, HIDDEN),
        "model.norm.weight": torch.ones(HIDDEN),
        "lm_head.weight": some(WORDS, HIDDEN),
    }
    for layer in range(LAYERS):
        matrices = {
            "self_attn.q_proj": some(HEADS * (HEAD + ROTATED), HIDDEN),
            "self_attn.kv_a_proj_with_mqa": some(LATENT + ROTATED, HIDDEN),
            "self_attn.kv_b_proj": some(HEADS * 2 * HEAD, LATENT),
            "self_attn.o_proj": some(HIDDEN, HEADS * HEAD) * 2,  # attention counts
            "mlp.gate_proj": some(INNER, HIDDEN),
            "mlp.up_proj": some(INNER, HIDDEN),
            "mlp.down_proj": some(HIDDEN, INNER),
            "input_layernorm": torch.ones(HIDDEN),
            "post_attention_layernorm": torch.ones(HIDDEN),
            "self_attn.kv_a_layernorm": torch.ones(LATENT),
        }
        for name, matrix in matrices.items():
            found[f"model.layers.{layer}.{name}.weight"] = matrix
    return found


def main(tokenizer: Path, folder: Path) -> None:
    """The configuration last, when all is there."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("tokenizer.json", "tokenizer_config.json"):
        shutil.copy(tokenizer / name, folder)
    save_file(weights(), folder / "model.safetensors", metadata={"format": "pt"})
    (folder / "config.json").write_text(json.dumps(CONFIG, indent=1))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
