"""gather_and_maybe_dequant_cache: rows of sequences from pages, decoded if they are fp8."""

from generator.axes import dtypes
from generator.model import Field, Op
from generator.spec.shared import gather
from generator.spec.shared.generations import GENERATIONS
from generator.spec.shared.writer import same_or_fp8

OP = Op(
    namespace="_C_cache_ops",
    headers="kvforge/cache",
    schema_text=(
        "gather_and_maybe_dequant_cache(Tensor src_cache, Tensor! dst, Tensor block_table, "
        "Tensor cu_seq_lens, Tensor token_to_seq, int num_tokens, str kv_cache_dtype, "
        "Tensor scale, Tensor? seq_starts=None) -> ()"
    ),
    summary="gathers the rows of sequences from pages and turns fp8 codes back into floats.",
    doc="""\
For row j < num_tokens of sequence b, cu_seq_lens[b] <= j < cu_seq_lens[b + 1], with
p = j - cu_seq_lens[b] + seq_starts[b]:
  dst[j, :] = DQ(src_cache[block_table[b, p div block_size], p mod block_size, :], scale)
DQ copies the bits when the cache holds the dtype of dst; fp8 is multiplied by the scale in f32 and
rounded to nearest even once, overflows to infinity, and has one NaN per dtype: 0x7FFFFFFF, 0x7FFF.
Rows that no sequence has, in front of cu_seq_lens[0] or from the last element of cu_seq_lens on, are
left as they are. Zero tokens are a successful no-op. Any entry_size and any alignment.

token_to_seq saves the search for a row's sequence and is no more than a hint: where it does not name
the sequence that cu_seq_lens gives, the search is done.

"""
    + gather.ERRORS
    + """
Source of the rule: vLLM's op of the same name, with its limits on the entry size, its alignment, its
bounds and its empty-input defects corrected.""",
    arguments={
        "src_cache": (
            "[num_blocks, block_size, entry_size], the cache dtype (uint8 or float8 for fp8); "
            "stride of dimension 2 is 1"
        ),
        "dst": "[>= num_tokens, entry_size], f32, f16 or bf16; stride of dimension 1 is 1",
        "block_table": gather.BLOCK_TABLE.format("num_sequences"),
        "cu_seq_lens": "[num_sequences + 1], int32, contiguous, ascending: first row of each sequence",
        "token_to_seq": "[>= num_tokens], int32, contiguous: sequence of each row",
        "num_tokens": "rows to write, less than 2^31",
        "kv_cache_dtype": "'auto' (the dtype of dst), 'fp8', 'fp8_e4m3' or 'fp8_e5m2'",
        "scale": "f32, one element; not read when the cache holds the dtype of dst",
        "seq_starts": gather.SEQ_STARTS.format("num_sequences"),
    },
    elsewhere={"vLLM": "gather_and_maybe_dequant_cache", "mistral.rs": "gather_mla_cache"},
    params=gather.params(
        "elements",
        "which page holds each row; starts: cu_seq_lens, offsets: seq_starts",
        Field("int32_t", "entry_size", "elements of a row"),
        Field("kvf_view", "scale", "f32, one element; data may be NULL unless fp8"),
        Field("const int32_t *", "token_to_seq", "[num_rows] or NULL; CUDA only"),
    ),
    tuned=gather.TUNED,
    axes=(
        dtypes("scalar", "f32", "f16", "bf16"),
        dtypes("cache", "f32", "f16", "bf16", "fp8_e4m3", "fp8_e5m2"),
    ),
    excluded=same_or_fp8,
    upstream_schemas=dict.fromkeys(
        GENERATIONS,
        "gather_and_maybe_dequant_cache(Tensor src_cache, Tensor! dst, Tensor block_table, "
        "Tensor cu_seq_lens, Tensor token_to_seq, int num_tokens, str kv_cache_dtype, "
        "Tensor scale, Tensor? seq_starts) -> ()",
    ),
)
