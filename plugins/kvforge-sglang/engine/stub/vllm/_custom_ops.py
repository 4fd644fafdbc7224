"""The one operator of vLLM that SGLang calls on a processor without kernels of SGLang's own."""

from torch import Tensor


def rotary_embedding(
    positions: Tensor,
    query: Tensor,
    key: Tensor,
    head_size: int,
    cos_sin_cache: Tensor,
    is_neox: bool,
) -> None:
    """Rotates queries and keys in place, as vLLM's operator of this name."""
    cos, sin = (part[:, None] for part in cos_sin_cache[positions.flatten()].chunk(2, -1))
    for rows in (query, key):
        turned = rows.view(positions.numel(), -1, head_size)[..., : cos_sin_cache.shape[-1]]
        if is_neox:
            first, second = turned.chunk(2, -1)
        else:
            first, second = turned[..., ::2], turned[..., 1::2]
        new = first * cos - second * sin, second * cos + first * sin
        first.copy_(new[0]), second.copy_(new[1])
