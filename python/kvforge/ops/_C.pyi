# Generated from templates/python/namespace.pyi.j2 and generator/spec/. Do not edit.
# Regenerate: python3 -m generator
from typing import Any

__all__: list[str]

# Any array with __dlpack__: torch.Tensor, numpy.ndarray, cupy.ndarray, jax.Array, tvm_ffi.Tensor.
Tensor = Any

def merge_attn_states(
    output: Tensor,
    output_lse: Tensor | None,
    prefix_output: Tensor,
    prefix_lse: Tensor,
    suffix_output: Tensor,
    suffix_lse: Tensor,
    prefill_tokens_with_context: int = -1,
    output_scale: Tensor | None = None,
    lse_base2: bool = False,
) -> None: ...
