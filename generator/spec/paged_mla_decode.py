"""paged_mla_decode: attention of the latest tokens of each sequence over MLA pages."""

from generator.axes import arch, dtypes, integer
from generator.dtypes import DType
from generator.model import Field, Op
from generator.spec.shared.formats import FP8_DS_MLA, NVFP4_DS_MLA
from generator.spec.shared.writer import same_or_fp8


def excluded(scalar: DType, cache: DType, rows: int | None, arch: int | str | None) -> str | None:
    """The cache holds the scalar dtype itself, fp8 codes, or rows of a format of any scalar."""
    reason = None if cache.kind == "format" else same_or_fp8(scalar, cache)
    if reason:
        return f"{reason}, fp8_ds_mla or nvfp4_ds_mla"
    if (rows is None) != (arch is None):
        return "the tensor cores' variants are those of rows"
    if rows == 16 and arch == "90a":
        return "four warps multiply 64 rows"
    if rows is not None and scalar.token == "f32":
        return "the tensor cores' variants have queries of 16 bits"
    return None


OP = Op(
    namespace="_C_cache_ops",
    headers="kvforge/cache",
    schema_text=(
        "paged_mla_decode(Tensor! out, Tensor query, Tensor kv_cache, Tensor query_start_loc, "
        "Tensor seq_lens, Tensor block_table, float scale, str kv_cache_dtype, Tensor kv_scale, "
        "int max_query_len=0, Tensor!? lse=None, Tensor!? workspace=None) -> ()"
    ),
    summary="attends over the MLA pages that concat_and_cache_mla fills: all heads share a row.",
    doc="""\
Sequence s has the tokens t from query_start_loc[s] to query_start_loc[s + 1] - 1, q of them, which
are the last of its n = seq_lens[s] positions, all in the cache already: token t is at position
  i = n - q + (t - query_start_loc[s])
and sees the positions p <= i. For query head h:
  R[p]      = DQ(kv_cache) at position p,
              which is in page block_table[s, p div block_size], at p mod block_size
  a[p]      = scale * (query[t, h] . R[p]), over all 576 elements
  total     = sum over p of e^a[p]
  out[t, h] = sum over p of e^a[p] / total * R[p], the first 512 elements of it
  lse[h, t] = log(total)
A row is 512 latent elements and behind them 64 rope elements; queries are those that were brought to the
latent space ("absorbed"), with their rope part behind, as concat_mla_q puts them. DQ widens to f32; fp8
codes are multiplied by kv_scale, elements of fp8_ds_mla and nvfp4_ds_mla by the scales of their row. The
rope part of fp8_ds_mla is of the dtype of query, next to queries in f32 bf16. A token that sees nothing,
as every one of a sequence with n = 0 does, gets zeros, and an lse of -infinity. Sequences of any q, of
0 too, may be mixed; it is made for 1 to 8, and 16 to 128 heads. Tokens of query and out that no sequence
has (graph padding) are left as they are. No tokens are a successful no-op. Only the pages of the
positions that a sequence's tokens see are read, and of the last page only the tokens that are there.
Positions that a token does not see but one close to it does are read along with it: an infinite or NaN
element there may make NaN of its output. out, lse and workspace must not overlap each other or the
other tensors. Two results over different positions are put together by merge_attn_states.

Arithmetic is f32 and the softmax is rescaled as it goes (online), as that of paged_attention, with the
same bounds: on the CPU sums of every 32 positions are added up with compensation. A sequence has the same
bits in every batch, on any number of threads, if it is split the same: with KVFORGE_BATCH_INVARIANT=1 in
the environment and without a workspace, or with one of always as many splits that has room for all
tokens; on CUDA max_query_len has to be the same too.

On CUDA from compute capability 8.0 on, f16 and bf16 queries go by tiles on the tensor cores where rows of
the cache are whole vectors of 16 bytes: elements are rounded to the dtype of query, which changes none but
those of fp8_ds_mla_f32 (and of fp8_ds_mla beyond the range of f16); products are exact, sums are f32, and
so are the weights that are added up, but each is rounded to the dtype of query before it is multiplied by
its values. With one position out is exactly DQ, rounded to the dtype of out (zeros are +0).

A row of a tile is one head of one token. A tile is up to 8 rows, 16 or 64 on the tensor cores, and on the
CPU as many as 32 KiB of stack have room for. A row of the cache is read once for a tile, and its values
are the keys' first elements. With a workspace the positions of the tiles of sequences whose tokens are all
below split_tokens are cut into at most `splits` parts, of ceil(positions / splits) positions rounded up to
a multiple of 128; what they come to is put into workspace, and added up in a second launch (CUDA) or a
second pass of the threads (CPU). workspace needs no initial value, and what it holds afterwards is not
defined. Without one,
and unless KVFORGE_BATCH_INVARIANT is 1, a call splits by itself, as paged_attention does: on CUDA in
memory of the library's own (kvf_cuda_free_workspaces() says which, and what that asks of graphs). A call
that is prepared has none: give it a workspace.

max_query_len is a promise that lets the host launch fewer thread blocks. What is launched depends on
shapes and on it alone: a captured graph stays right when query_start_loc, seq_lens and block_table change
under it.

Errors: KVF_OUT_OF_RANGE for a query_start_loc that descends, leaves query, or has a sequence of more than
max_query_len tokens, a length below 0 or beyond width * block_size, or a page that is not in the cache
(CPU: before anything is written; CUDA: tokens of that sequence are left as they are, that length is cut
off, the tokens of that page are left out, and each is counted once, see kvf_cuda_fault_count).
KVF_CUDA_ERROR at the second of two launches leaves workspace written and out of the tokens that were split
untouched.
Source of the rule: what FlashMLA and vLLM's MLA backends compute, for rows of DeepSeek's sizes.""",
    arguments={
        "out": "[num_tokens, num_heads, 512], f32 or the dtype of query, any strides",
        "query": "[num_tokens, num_heads, 576], f32, f16 or bf16, any strides",
        "kv_cache": (
            "[num_blocks, block_size, 576], the cache dtype (uint8 or float8 for fp8), any strides; "
            "for a row format [num_blocks, block_size, 656 or 352], uint8, rows without gaps"
        ),
        "query_start_loc": (
            "[num_seqs + 1], int32, any stride, ascending: the first token of each sequence, and the end"
        ),
        "seq_lens": "[num_seqs], int32, any stride: positions of each sequence, those of its tokens included",
        "block_table": "[num_seqs, width], int32 or int64, any strides: the pages of each sequence",
        "scale": (
            "what query . row is multiplied by, usually 1 / sqrt(192); any number that f32 holds: 0, "
            "or a finite one of 2^-126 or more, of any sign"
        ),
        "kv_cache_dtype": (
            "'auto' (the dtype of query), 'fp8', 'fp8_e4m3', 'fp8_e5m2', 'fp8_ds_mla', "
            "'fp8_ds_mla_f32' or 'nvfp4_ds_mla'"
        ),
        "kv_scale": "f32, one element; elements are code * kv_scale; not read unless the cache is fp8",
        "max_query_len": "tokens that a sequence has at most; 0 or less: not known",
        "lse": (
            "[num_heads, num_tokens], f32, any strides: natural logarithms of what weights were "
            "divided by; None: not wanted"
        ),
        "workspace": (
            "[split_tokens, num_heads, splits, 514], f32, any strides, splits 1 or more: room for "
            "the parts of long sequences whose tokens are all below split_tokens, any number; None: "
            "room of the library's own"
        ),
    },
    elsewhere={"FlashMLA": "flash_mla_with_kvcache", "SGLang": "cutlass_mla_decode"},
    params=(
        Field("kvf_view", "out", "stride[0..2]: token, head, element"),
        Field("kvf_view", "query", "as out"),
        Field("kvf_view", "kv_cache", "stride[0..2]: page, token, element; row formats: bytes"),
        Field("kvf_view", "kv_scale", "f32, one element; data may be NULL unless fp8"),
        Field("kvf_view", "lse", "f32; stride[0..1]: head, token; data NULL for none"),
        Field(
            "kvf_view",
            "workspace",
            "f32; stride[0..3]: token, head, part, element; data NULL for none",
        ),
        Field("kvf_view", "query_start_loc", "int32; stride[0]: sequence"),
        Field("kvf_view", "seq_lens", "int32; stride[0]: sequence"),
        Field("kvf_view", "block_table", "int32 or int64; stride[0..1]: sequence, page of it"),
        Field("int64_t", "num_tokens", "rows of query and out"),
        Field("int64_t", "num_seqs", "sequences"),
        Field("int64_t", "width", "pages that a sequence has at most"),
        Field("int64_t", "num_blocks", "pages in the cache"),
        Field("int64_t", "block_size", "tokens in a page"),
        Field("int64_t", "max_query_len", "tokens of a sequence at most; 0 or less: not known"),
        Field("int64_t", "splits", "parts that a tile has at most, if there is a workspace"),
        Field("int64_t", "split_tokens", "tokens that workspace has room for"),
        Field("int32_t", "num_q_heads", "heads of query"),
        Field("int32_t", "index_bytes", "of one element of block_table: 8 or 4"),
        Field(
            "int32_t", "out_bytes", "of one element of out: 4 for f32, 2 for f16 and bf16 as query"
        ),
        Field("float", "scale", "what query . row is multiplied by"),
        Field("kvf_divider", "by_block_size", "splits a position into page and offset", True),
        Field("kvf_divider", "by_group", "splits a row of a tile into token and head", True),
        Field("unsigned long long *", "faults", "CUDA: counts what is out of range", True),
        Field("int64_t", "tiles_each", "of a sequence; 0: as query_start_loc has them", True),
        Field("int64_t", "num_tiles", "of all sequences", True),
        Field("int64_t", "num_units", "of work: tiles and their splits", True),
        Field("int64_t", "window_left", "-1: a token sees all positions before its own", True),
        Field("int64_t", "window_right", "0: and none behind it", True),
        Field("int32_t", "group", "heads that share a row of the cache: all", True),
        Field("int32_t", "num_kv_heads", "1", True),
        Field("int32_t", "combines", "0; 1 when parts are to be added up", True),
        Field("int32_t", "whole_values", "0: values are read by element", True),
    ),
    axes=(
        dtypes("scalar", "f32", "f16", "bf16"),
        dtypes("cache", "f32", "f16", "bf16", "fp8_e4m3", "fp8_e5m2", FP8_DS_MLA, NVFP4_DS_MLA),
        integer(
            "rows",
            16,
            64,
            token="r",
            meaning="rows of a tile, where rows of the cache can be read in whole vectors; else 0",
            generic=True,
        ),
        arch(80, "90a", generic=True),
    ),
    excluded=excluded,
)
