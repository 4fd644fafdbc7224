"""concat_and_cache_mla: the writer of MLA caches, plain rows and the two quantised row formats."""

from dataclasses import replace

from generator.axes import dtypes
from generator.dtypes import DType
from generator.model import Field, Op
from generator.spec.shared.formats import FP8_DS_MLA, FP8_DS_MLA_F32, NVFP4_DS_MLA
from generator.spec.shared.generations import generations
from generator.spec.shared.mla import CPU_TUNED, CUDA_TUNED, SCALE, SIZES, SLOT_MAPPING
from generator.spec.shared.writer import NARROW, SLOT_REMAP, same_or_fp8


def excluded(scalar: DType, cache: DType) -> str | None:
    """Row formats go with every scalar dtype whose bits they can hold."""
    if cache.kind != "format":
        return same_or_fp8(scalar, cache)
    if scalar.bits != 16 and cache.token.startswith("fp8_ds_mla"):
        return f"a row of {cache.token} holds k_pe as it is, in 16 bits an element"
    return None


OP = Op(
    namespace="_C_cache_ops",
    headers="kvforge/cache",
    schema_text=(
        "concat_and_cache_mla(Tensor kv_c, Tensor k_pe, Tensor! kv_cache, Tensor slot_mapping, "
        "str kv_cache_dtype, Tensor scale, bool skip_scale=False, Tensor!? kpe_cache=None, "
        "Tensor? kpe_scale=None, Tensor? slot_remap=None) -> ()"
    ),
    summary="writes the latent and the rope part of new tokens, one behind the other, to MLA pages.",
    doc="""\
With L = kv_lora_rank, R = rope_dim, s = slot_mapping[t], block = s div block_size and
offset = s mod block_size:
  kv_cache[block, offset, i]     = Q(kv_c[t, i], scale)  for i in [0, L)
  kv_cache[block, offset, L + j] = Q(k_pe[t, j], scale)  for j in [0, R)
Q copies the bits when the cache holds the scalar dtype; for fp8 it divides by the scale in f32,
rounds to nearest even and saturates. With skip_scale it divides by 1, and the scale is not read:
elements that were divided by it elsewhere. With a kpe_cache, k_pe goes to a cache of its own:
  kv_cache[block, offset, i]  = Q(kv_c[t, i], scale)      for i in [0, L)
  kpe_cache[block, offset, j] = Q(k_pe[t, j], kpe_scale)  for j in [0, R)
gather_and_maybe_dequant_cache reads each of the two, into slices of one tensor if that is wanted.

Any L and R, 0 included. Tokens with a negative slot are skipped. The number of tokens is the length
of slot_mapping; kv_c and k_pe may have more rows (graph padding), which are not read. CUDA kernels
may read the rows of skipped tokens. Zero tokens are a successful no-op. Two tokens with one slot
race.

Three cache dtypes are row formats of their own, with L = 512, R = 64 and no kpe_cache. They make their scales
from the elements; `scale` is not read, and skip_scale is without effect. amax is the largest
magnitude of a group; NaNs do not count for it. All divisions are IEEE f32, so the CPU and CUDA give
the same bits.

fp8_ds_mla, 656 bytes, from f16 or bf16:
  bytes 0 to 511    E4M3 codes of kv_c, element / scale of its tile of 128
  bytes 512 to 527  the 4 tile scales, f32, little-endian: max(amax / 448, 1e-4), rounded
                    up to a power of two, so that readers may narrow them to bf16, or to an
                    exponent
  bytes 528 to 655  k_pe as it is, 16 bits an element; zeros for a k_pe of [num_rows, 0]
fp8_ds_mla_f32: the same layout with max(amax / 448, 2^-126) for scales, as vLLM had it before.
The power of two is found by the bits of the quotient. (log2 and exp2 in f32, as upstream has it,
give the lower power for quotients a few ulp above one.)
nvfp4_ds_mla, 352 bytes, from f32, f16 or bf16:
  bytes 0 to 255    E2M1 codes of kv_c, the even element in the low half: element *
                    (1 / scale), an IEEE division where upstream has the hardware's estimate;
                    to nearest even, saturated at 6, NaN as 6
  bytes 256 to 319  E4M3 codes of k_pe, without a scale
  bytes 320 to 351  the scales of groups of 16, E4M3: a = max(amax / 6, 2^-9), to nearest even,
                    one code up if that is below a; at most 448. Group g is byte
                    8 (g mod 4) + g div 4.

Errors: KVF_OUT_OF_RANGE for a slot beyond num_blocks * block_size (CPU: before anything is
written; CUDA: that token is skipped and counted, see kvf_cuda_fault_count).
Source of the rule: vLLM's op of the same name, with its 32-bit strides, its amax over the raw bits
of f16, and its alignment, empty-input and bounds defects corrected.""",
    arguments={
        "kv_c": "[num_rows >= num_tokens, kv_lora_rank], f32, f16 or bf16, any strides",
        "k_pe": (
            "[num_rows >= num_tokens, rope_dim], the dtype of kv_c, any strides; rope_dim may be 0, "
            "but for nvfp4_ds_mla"
        ),
        "kv_cache": (
            "[num_blocks, block_size, kv_lora_rank + rope_dim], the cache dtype (uint8 or float8 "
            "for fp8), any strides; beside a kpe_cache [num_blocks, block_size, kv_lora_rank]; for a "
            "row format [num_blocks, block_size, 656 or 352], uint8, rows without gaps"
        ),
        "slot_mapping": SLOT_MAPPING,
        "kv_cache_dtype": (
            "'auto' (the dtype of kv_c), 'fp8', 'fp8_e4m3', 'fp8_e5m2', 'fp8_ds_mla', "
            "'fp8_ds_mla_f32' or 'nvfp4_ds_mla'"
        ),
        "scale": SCALE,
        "skip_scale": "whether elements are stored as they are, not divided; the scale is not read",
        "kpe_cache": (
            "[num_blocks, block_size, rope_dim], the dtype of kv_cache, any strides; both may be "
            "slices of one tensor; None: k_pe goes behind kv_c, into kv_cache"
        ),
        "kpe_scale": "as scale, for kpe_cache; None: scale",
        "slot_remap": SLOT_REMAP,
    },
    elsewhere={
        "vLLM": "concat_and_cache_mla",
        "mistral.rs": "concat_and_cache_mla",
        "FlashInfer": "append_paged_mla_kv_cache",
    },
    params=(
        NARROW,
        Field("kvf_view", "kv_c", "stride[0..1]: token, element"),
        Field("kvf_view", "k_pe", "as kv_c"),
        Field("kvf_view", "kv_cache", "stride[0..2]: page, token, element"),
        Field("kvf_view", "scale", "f32, one element; data may be NULL unless fp8"),
        Field("kvf_view", "kpe_cache", "as kv_cache; data NULL: behind kv_c in kv_cache"),
        Field("kvf_view", "kpe_scale", "as scale; data NULL: scale"),
        *SIZES,
        Field("int32_t", "skip_scale", "not 0: 1 in place of the scale, whose data may be NULL"),
    ),
    axes=(
        dtypes("scalar", "f32", "f16", "bf16"),
        dtypes(
            "cache",
            "f32",
            "f16",
            "bf16",
            "fp8_e4m3",
            "fp8_e5m2",
            FP8_DS_MLA,
            FP8_DS_MLA_F32,
            NVFP4_DS_MLA,
        ),
    ),
    excluded=excluded,
    # Of a row format: the warps of a block, each with a token.
    tuned=(
        CPU_TUNED,
        replace(CUDA_TUNED, constants={**CUDA_TUNED.constants, "warps": (4, 2, 1)}),
    ),
    upstream_schemas={
        **dict.fromkeys(
            generations(before="vllm-0.33"),
            "concat_and_cache_mla(Tensor kv_c, Tensor k_pe, Tensor! kv_cache, Tensor slot_mapping, "
            "str kv_cache_dtype, Tensor scale) -> ()",
        ),
        **dict.fromkeys(
            generations(since="vllm-0.33"),
            "concat_and_cache_mla(Tensor kv_c, Tensor k_pe, Tensor! kv_cache, Tensor slot_mapping, "
            "str kv_cache_dtype, Tensor scale, bool skip_scale=False) -> ()",
        ),
    },
)
