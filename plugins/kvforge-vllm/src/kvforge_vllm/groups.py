"""What kvforge.transfer is told of a rank's cache: views of its layers, as those who write them have them."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from torch import Tensor, uint8

from kvforge import paged, transfer
from kvforge_vllm.backend import NVFP4, KvforgeImpl

_STATIC = ("fp8_e4m3", "fp8_e5m2", "int8")
_DYNAMIC = ("fp8_per_token_head", "int8_per_token_head")
_DS_MLA = ("fp8_ds_mla", "nvfp4_ds_mla")  # a row of bytes for each token, scales in it
# Backends of vLLM that keep a head's key and its value side by side, as kvforge's does.
_ALIKE = ("FlashAttentionImpl", "FlashInferImpl", "FlexAttentionImpl", "TritonAttentionImpl")


def specs_of(group: Any) -> dict[str, Any]:
    """The spec of each layer of one of vLLM's groups. NotImplementedError for a cache that has no row for
    each token."""
    spec = group.kv_cache_spec
    found = getattr(spec, "kv_cache_specs", None) or dict.fromkeys(group.layer_names, spec)
    for each in found.values():
        version = getattr(each, "model_version", None)
        states = getattr(each, "tokens_per_state", 1)
        if not hasattr(each, "num_kv_heads") or version is not None or states != 1:
            raise NotImplementedError(
                f"kvforge: a cache of {type(each).__name__}, model_version {version}, "
                f"tokens_per_state {states}"
            )
    return dict(found)


def groups_of(
    number: int, group: Any, kv_caches: dict[str, Tensor], vllm_config: Any
) -> list[transfer.Group]:
    """The layers of one of vLLM's groups that are on this rank: those of one kind together, under a name
    that they have in every engine.

    NotImplementedError for caches that are not known here, or whose scales are not known yet.
    """
    kinds: dict[tuple[str, int], dict[str, Any]] = {}
    for name, spec in specs_of(group).items():
        if name in kv_caches:
            kinds.setdefault((_kind(spec), int(spec.head_size)), {})[name] = spec
    return [
        _group(f"group {number}, {kind} of {size}", kind, specs, kv_caches, vllm_config)
        for (kind, size), specs in kinds.items()
    ]


def _kind(spec: Any) -> str:
    if not hasattr(spec, "cache_dtype_str"):
        return "heads"
    role = getattr(spec, "cache_role", None)  # of what finds the tokens to attend to
    return "indexer" if getattr(role, "value", role) == "indexer" else "latent"


@dataclass
class _Rows:
    """Of one layer: planes [blocks, block_size, heads, size], and what transfer.Group calls page_scales:
    of planes with static ones a number each, else views.

    Numbers are the layer's own: tensors of them may be away, as weights are, when an engine that slept
    has only its cache again.
    """

    dtype: str
    planes: list[Tensor]
    scales: list[Any] = field(default_factory=list)


def _group(
    name: str, kind: str, specs: dict[str, Any], kv_caches: dict[str, Tensor], vllm_config: Any
) -> transfer.Group:
    model, parallel = vllm_config.model_config, vllm_config.parallel_config
    context = vllm_config.compilation_config.static_forward_context
    if kind == "indexer":
        _check_indexer(vllm_config)
    read = {"heads": _heads, "latent": _latent, "indexer": _indexer}[kind]
    rows = [read(spec, kv_caches[layer], context[layer]) for layer, spec in specs.items()]
    ranks = parallel.tensor_parallel_size
    rank = parallel.rank % ranks
    total = model.get_total_num_kv_heads() if kind == "heads" else 1  # all ranks have the one
    scales = [list(each) for each in zip(*(layer.scales for layer in rows), strict=True)]
    views = scales and isinstance(scales[0][0], Tensor)
    return transfer.Group(
        name,
        [view for plane in zip(*(layer.planes for layer in rows), strict=True) for view in plane],
        layers=list(specs),
        dtype=rows[0].dtype,
        model=Path(str(model.model)).name,
        total_heads=total,
        first_head=rank * total // ranks,
        rank=rank,
        page_scales=[view for plane in scales for view in plane] if views else scales,
    )


def _heads(spec: Any, kv_cache: Tensor, layer: Any) -> _Rows:
    """Keys and values."""
    format = _format(spec, layer)
    pages = paged.interleaved(kv_cache, format, spec.head_size)
    static: list[Any] = [float(layer._k_scale_float), float(layer._v_scale_float)]
    if format in NVFP4:  # who reads it need not know which of the two it is
        parts = (paged.codes_and_block_scales(side) for side in (pages.key, pages.value))
        return _Rows("nvfp4", [part for side in parts for part in side], static)
    dtype = _dtype(format, kv_cache)
    if pages.k_scale is None or pages.v_scale is None:
        return _Rows(dtype, [pages.key, pages.value], static if dtype in _STATIC else [])
    if dtype in _DYNAMIC:
        return _Rows(dtype, [pages.key, pages.value], [pages.k_scale, pages.v_scale])
    k_scale, v_scale = pages.k_scale[..., None], pages.v_scale[..., None]
    return _Rows(dtype, [pages.key, k_scale, pages.value, v_scale])  # scales as they are


def _format(spec: Any, layer: Any) -> str:
    """As kvforge.paged names it."""
    impl: Any = getattr(layer, "impl", None)
    if isinstance(impl, KvforgeImpl):
        if impl.first_step:
            raise NotImplementedError("kvforge: transfers with scales that the first step tells")
        return impl.format
    found = type(impl).__name__
    if found not in _ALIKE or spec.num_head_slots is not None or spec.head_size_v != spec.head_size:
        raise NotImplementedError(
            f"kvforge: transfers of the cache of {found} in {spec.num_head_slots} slots, want "
            "--attention-backend CUSTOM"
        )
    return str(impl.kv_cache_dtype)


def _latent(spec: Any, kv_cache: Tensor, layer: Any) -> _Rows:
    """One row for each token, of any backend."""
    rows = kv_cache.transpose(1, 2)
    if spec.cache_dtype_str in _DS_MLA:
        return _Rows(spec.cache_dtype_str, [rows.view(uint8)])
    dtype = _dtype(spec.cache_dtype_str or "auto", kv_cache)
    if dtype not in _STATIC:
        return _Rows(dtype, [rows])
    return _Rows(dtype, [rows.view(uint8)], [float(layer._k_scale_float)])


def _check_indexer(vllm_config: Any) -> None:
    attention = getattr(vllm_config, "attention_config", None)
    if attention is not None and attention.resolve_indexer_kv_dtype("fp8") != "fp8":
        raise NotImplementedError("kvforge: transfers of an indexer's cache in mxfp4")


def _indexer(spec: Any, kv_cache: Tensor, layer: Any) -> _Rows:
    """In each block the codes of all tokens, and behind them 4 bytes of scale for 128 codes of each."""
    if getattr(layer, "uses_shuffled_layout", False):
        raise NotImplementedError("kvforge: transfers of an indexer's cache in shuffled order")
    blocks, _, tokens, width = kv_cache.shape
    if kv_cache.stride()[2:] != (width, 1) or width % 33 or kv_cache.element_size() != 1:
        raise NotImplementedError(
            f"kvforge: transfers of an indexer with blocks of shape {list(kv_cache.shape[1:])} and strides "
            f"{list(kv_cache.stride()[1:])}, want rows of 33 bytes for 32 codes, without gaps"
        )
    found, first = [], kv_cache.storage_offset()
    for part in (width * 32 // 33, width // 33):
        shape, strides = (blocks, tokens, 1, part), (kv_cache.stride(0), part, part, 1)
        found.append(kv_cache.view(uint8).as_strided(shape, strides, first))
        first += tokens * part
    return _Rows("fp8_indexer", found)


def _dtype(kv_cache_dtype: str, kv_cache: Tensor) -> str:
    """As transfer.Group has it."""
    if kv_cache_dtype == "auto":
        return str(kv_cache.dtype).removeprefix("torch.")
    return "fp8_e4m3" if kv_cache_dtype == "fp8" else kv_cache_dtype
