"""What kvforge.transfer is told of a rank's cache: views of its layers, as the backend reads them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from torch import Tensor

from kvforge import paged, transfer
from kvforge_vllm.backend import NVFP4, KvforgeImpl

_STATIC = ("fp8_e4m3", "fp8_e5m2", "int8")
_DYNAMIC = ("fp8_per_token_head", "int8_per_token_head")


def name_of(number: int) -> str:
    """Of the group of this number, in every engine."""
    return f"group {number}"


def group_of(
    number: int, spec: Any, names: list[str], kv_caches: dict[str, Tensor], vllm_config: Any
) -> transfer.Group:
    """The layers of one of vLLM's groups that are on this rank.

    NotImplementedError for caches of other backends, and for those whose rows a token does not have for
    itself, or whose scales are not known yet.
    """
    layers = vllm_config.compilation_config.static_forward_context
    impls: list[Any] = [getattr(layers[name], "impl", None) for name in names]
    for impl in impls:
        if not isinstance(impl, KvforgeImpl):
            found = type(impl).__name__
            raise NotImplementedError(
                f"kvforge: transfers of the cache of {found}, want --attention-backend CUSTOM"
            )
        if impl.first_step:
            raise NotImplementedError("kvforge: transfers with scales that the first step tells")
        if impl.format in NVFP4:
            raise NotImplementedError("kvforge: transfers of nvfp4, whose rows are of a whole page")
    pages = [
        paged.interleaved(kv_caches[name], impl.format, spec.head_size)
        for name, impl in zip(names, impls, strict=True)
    ]
    format = impls[0].format
    if format == "auto":
        format = str(kv_caches[names[0]].dtype).removeprefix("torch.")
    dtype = "fp8_e4m3" if format == "fp8" else format
    views: list[Any] = [[each.key for each in pages], [each.value for each in pages]]
    scales: list[Any] = []
    if pages[0].k_scale is not None:
        scales = [[each.k_scale for each in pages], [each.v_scale for each in pages]]
    if dtype not in _DYNAMIC and scales:  # they travel as what they are, behind the codes
        planes = [[scale[..., None] for scale in side] for side in scales]
        views, scales = [views[0], planes[0], views[1], planes[1]], []
    elif dtype in _DYNAMIC:
        scales = scales[0] + scales[1]
    elif dtype in _STATIC:
        scales = [[float(layers[name]._k_scale) for name in names]]
        scales += [[float(layers[name]._v_scale) for name in names]]
    model, parallel = vllm_config.model_config, vllm_config.parallel_config
    total, rank = model.get_total_num_kv_heads(), parallel.rank % parallel.tensor_parallel_size
    return transfer.Group(
        name_of(number),
        [view for plane in views for view in plane],
        layers=names,
        dtype=dtype,
        model=Path(str(model.model)).name,
        total_heads=total,
        first_head=rank * total // parallel.tensor_parallel_size,
        rank=rank,
        page_scales=scales,
    )
