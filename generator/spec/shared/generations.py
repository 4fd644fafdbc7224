"""The generations of the upstream op family.

A generation is named after the vLLM release that brought its schemas, and serves the releases up to
the next one. (0.30 is as 0.31, but for max_union_rows of hisparse_resolve_residency.)
"""

from __future__ import annotations

GENERATIONS = ("vllm-0.16", "vllm-0.21", "vllm-0.26", "vllm-0.31", "vllm-0.33")


def generations(since: str | None = None, before: str | None = None) -> tuple[str, ...]:
    """Those from `since` on, up to `before`, which is not among them."""
    first = GENERATIONS.index(since) if since else 0
    end = GENERATIONS.index(before) if before else None
    return GENERATIONS[first:end]
