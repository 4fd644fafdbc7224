"""paged_attention: attention of the tokens of each sequence over its pages."""

from generator.axes import arch, dtypes, integer
from generator.dtypes import DType
from generator.model import Field, Op
from generator.spec.shared.formats import (
    FP8_PER_TOKEN_HEAD,
    INT4_PER_TOKEN_HEAD,
    INT8_PER_TOKEN_HEAD,
    NVFP4,
    Q4_0,
    Q8_0,
)
from generator.spec.shared.writer import same_or_fp8

# What the variants for the tensor cores read: elements of 16 bits, codes of 8, or nvfp4.
TILED = (
    "f16",
    "bf16",
    "fp8_e4m3",
    "fp8_e5m2",
    "int8",
    "int8_per_token_head",
    "fp8_per_token_head",
    "nvfp4",
)


def excluded(
    scalar: DType, cache: DType, head_size: int | None, rows: int | None, arch: int | str | None
) -> str | None:
    """The cache holds the scalar dtype itself, fp8 or int8 codes, or a format of any scalar."""
    reason = None if cache.kind == "format" else same_or_fp8(scalar, cache)
    if reason:
        return f"{reason}, int8, nvfp4 or codes with a scale per token and head"
    if not (head_size is None) == (rows is None) == (arch is None):
        return "the tensor cores' variants are those of a head size and of rows"
    if head_size is not None and (scalar.token == "f32" or cache.token not in TILED):
        return "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"
    if (
        cache.token == "nvfp4"
        and head_size is not None
        and (head_size != 128 or rows not in (8, 16))
    ):
        return "nvfp4 has tiles of 8 and 16 rows, of heads of 128"
    if head_size == 256 and (rows == 16 or cache.token not in (scalar.token, "fp8_e4m3")):
        return "heads of 256 have tiles of 8 and 64 rows, of the scalar dtype and fp8_e4m3"
    if rows is not None and rows > 16 and rows != (64 if head_size == 256 else 128):
        return "heads of 64 and 128 have tiles of 128 rows, those of 256 tiles of 64"
    if arch == "90a" and (rows != 128 or cache is not scalar):
        return "four warps multiply tiles of 128 rows, of the scalar dtype"
    return None


OP = Op(
    namespace="_C_cache_ops",
    headers="kvforge/cache",
    schema_text=(
        "paged_attention(Tensor! out, Tensor query, Tensor key_cache, Tensor value_cache, "
        "Tensor query_start_loc, Tensor seq_lens, Tensor block_table, float scale, "
        "str kv_cache_dtype, Tensor k_scale, Tensor v_scale, bool causal=True, int window_left=-1, "
        "int window_right=-1, float softcap=0.0, Tensor? alibi_slopes=None, Tensor? sinks=None, "
        "bool swizzle_v_scales=True, int max_query_len=0, Tensor!? lse=None, "
        "Tensor!? workspace=None) -> ()"
    ),
    summary="attends over the pages that the cache writers fill: prefill, decode and what is between.",
    doc="""\
Sequence s has the tokens t from query_start_loc[s] to query_start_loc[s + 1] - 1, q of them, which
are the last of its n = seq_lens[s] positions, all in the cache already: token t is at position
  i = n - q + (t - query_start_loc[s])
and sees the positions p of 0 to n - 1 with p >= i - window_left and p <= i + window_right, a window
below 0 being none, and with causal p <= i. For query head h, and the KV head
g = h div (num_q_heads / num_kv_heads):
  K, V   = DQ(key_cache, k_scale), DQ(value_cache, v_scale) at head g of position p,
           which is in page block_table[s, p div block_size], at p mod block_size
  a[p]   = scale * (query[t, h] . K[p]); with softcap above 0, softcap * tanh(a[p] / softcap)
  a[p]   = a[p] + alibi_slopes[h] * (p - i)
  total  = sum over p of e^a[p], and e^sinks[h] once more
  out[t, h] = sum over p of e^a[p] / total * V[p]
  lse[h, t] = log(total)
DQ widens to f32 and multiplies codes by their scale: that of head g for fp8 and int8, that of
head g of the very token for the formats per token and head, and for nvfp4 that of head g and the
block scale of every 16 elements. Heads of int4_per_token_head are stored rotated; the query is rotated
in their place, and the sum rotated back. A token that sees nothing, as every one of a sequence with
n = 0 does, gets zeros, and an lse of sinks[h], or -infinity without sinks. Decode is q = 1; sequences
of any q, of 0 too, may be mixed. Tokens of query and out that no sequence has (graph padding) are left
as they are. No tokens are a successful no-op. Only the pages of the positions that a sequence's tokens
see are read, and of the last page only the tokens that are there, so fresh pages may hold anything.
Positions that a token does not see but one close to it does are read along with it: an infinite or
NaN value there may make NaN of its output. out, lse and workspace must not overlap each other or the
other tensors.

The layout is told by the rank of key_cache: 4 is what reshape_and_cache_flash and its kin write
(NHD, or HND by strides), 5 what reshape_and_cache writes. K and V have strides of their own. nvfp4
pages are those of reshape_and_cache_flash_nvfp4, with the same swizzle_v_scales.

Two results over different positions of the same tokens are put together by merge_attn_states, which
takes out and lse as they are here; sinks are to be given to one of the two.

Arithmetic is f32: products are summed in parts, and the softmax is rescaled as it goes (online), so
results are not those of a fixed order. On the CPU the sums of every 32 positions are added up with
compensation (Kahan), and weights in f64, so that the error does not grow with the positions: equal
weights over 10,485,760 are within 10^-6 of the largest value. A sequence has the same bits in every
batch, on any number of threads, if it is split the same: with KVFORGE_BATCH_INVARIANT=1 in the
environment and without a workspace, or with one of always as many splits that has room for all tokens.
On CUDA max_query_len has to be the same
too: how many rows a tile has depends on it. Cut into other splits it differs by less than 2^-18 of its
largest value (CPU). On the CPU, and not split, a token has the same bits whatever other tokens of its
sequence are in the call, by a matrix unit with KVFORGE_BATCH_INVARIANT=1 alone.

On a CPU with AMX heads of 32, 64, 96 or 128 bf16 elements, or codes of 8 bits for queries of bf16, go by its
matrix unit where elements of a head lie side by side and a sequence has more than 8 rows in the call for a KV
head, with KVFORGE_BATCH_INVARIANT=1 however few: products are exact and sums are f32, which are put aside
every 2,048 positions, but that the unit takes numbers below 2^-126 for 0, and for an out of f32 a weight is
two bf16, whose sum is off by 2^-17 of it at most. For an out of bf16 it is one, as in FlashAttention: out is
then off by up to 2^-8 of the sum over p of e^a[p] / total * |V[p]|, besides. The first such call asks Linux
for the unit, for the whole process: from then on a stack for signal handlers needs room for another 8 KiB.
While it is at work a thread has 128 to 576 KiB of memory from aligned_alloc() besides; one that gets none
goes without the unit. KVFORGE_ISA=avx512 leaves the unit out.

On CUDA from compute capability 8.0 on, heads of 64, 128 or 256 f16 or bf16
elements, or codes of 8 bits for queries of those (of 256: fp8_e4m3), or nvfp4 of 128 in tiles of 8 or 16
rows, go by tiles on the tensor cores where elements of a head lie side by side and 16 bytes can be read at
once, of many rows where those of query and out can, too: products are exact, sums are f32, and a weight is
two numbers of 16 bits, of which the second is what rounding the first leaves. With tiles of many rows, and no
scale per token and head, it is the first alone, as in FlashAttention: out is then off by up to 2^-8 (caches
of bf16) or 2^-11 (others, whose weights are f16) of the sum over p of e^a[p] / total * |V[p]|, besides. With
one position out is exactly DQ(V), rounded to the dtype of out (zeros are +0). Scores may use exp2 of scores
times log2(e). Scales of a head are applied to the query and to the sum, those of a token to its score and its
weight, which gives the same but for rounding.

Heads of keys and heads of values have at most 576 elements each, and need not have as many as each other
(MLA before its latent rows has 192 and 128); where they do not, CUDA goes without tiles, and the CPU
without its matrix unit. No elements of either are a successful no-op. A row is one query head of one token.
One thread block (CUDA), or one thread (CPU), does a tile of up to 8 rows of one sequence and KV head, token
by token, on the tensor cores 8, 16 or 128, of heads of 256 8 or 64, by a CPU's matrix unit 16 to 256, and
reads keys and values once for all of them. What a thread of the CPU keeps is on its stack, which a call
takes 32 KiB of at most: rows of more than 128 elements are fewer. With a workspace the positions of the
tiles of sequences whose tokens are all below split_tokens are cut into at most `splits` parts, of
ceil(positions / splits) positions rounded up to a multiple of 128. (Give room for the tokens that decode,
and have them first.) What the parts come to is put into workspace, and added up in a second launch (CUDA)
or a second pass of the threads (CPU). The only part of a short tile goes straight to out: with splits = 1
nothing is split. workspace needs no initial value, and what it holds afterwards is not defined.

Without a workspace, and unless KVFORGE_BATCH_INVARIANT is 1, a call splits by itself. On CUDA it takes a
workspace of the library's own (kvf_cuda_free_workspaces() says which, and what that asks of graphs), and as
many splits as the device runs at once, by what the host knows: the tiles that there can be and the width of
block_table. A call that is prepared has none, as its stream is not known yet: give it a workspace. On the
CPU, where threads are left, a call that finds the library's own memory free splits sequences of 1,024
positions and more.

On CUDA what is summed up is put aside after some thousand positions, so that no weight is added to a sum
that is very much larger; but not, without the tensor cores, where the heads of a tile's rows together have
more than 3,584 elements, and not in tiles of many rows, which are not chosen where block_table has room for
more than 2^20 positions.

Where tiles of many rows are taken and some sequences may have few tokens, as where prompts and decodes are
mixed, these go by tiles of few rows, in a launch of their own before that of the others: they are read and
split as where all decode, wherever in the batch they are.

max_query_len is a promise that lets the host launch fewer thread blocks, as for q = 1 everywhere. What
is launched depends on shapes and on it alone: a captured graph stays right when query_start_loc,
seq_lens and block_table change under it.

Errors: KVF_INVALID_VALUE for a head_size or value_head_size above 576, num_q_heads that is no multiple of
num_kv_heads, an int4 head_size that is odd or one that 1024 divides, a q8_0 or q4_0 head_size that
is no multiple of 32, or an nvfp4 head_size that is no multiple of 16, a value_head_size likewise, and with
swizzle_v_scales for a value_head_size that is no multiple of 64 or a block_size that is no multiple of 4;
KVF_OUT_OF_RANGE for a query_start_loc that descends, leaves query, or has a sequence of more than
max_query_len tokens, a length below 0 or beyond width * block_size, or a page that is not in the cache
(CPU: before anything is written; CUDA: tokens of that sequence are left as they are, that length is cut
off, the tokens of that page are left out, and each is counted once, that page with window_left by every
tile that meets it, see kvf_cuda_fault_count). KVF_CUDA_ERROR at a launch behind the first leaves what those
before it did: workspace written, and out of tokens that were split untouched. A launch of raw params wants
a variant that fits them: KVF_INVALID_VALUE where the heads of a tensor cores' variant have another size or
cannot be read so.
Source of the rule: what vLLM's cpu_attention_with_kv_cache does, and windows as in FlashAttention.""",
    arguments={
        "out": "[num_tokens, num_q_heads, value_head_size], f32 or the dtype of query, any strides",
        "query": "[num_tokens, num_q_heads, head_size], f32, f16 or bf16, any strides",
        "key_cache": (
            "[num_blocks, block_size, num_kv_heads, head_size], or [num_blocks, num_kv_heads, "
            "ceil(head_size / x), block_size, x]; the cache dtype (uint8 or float8 for fp8, int8 or "
            "uint8 for int8), any strides; for nvfp4 [num_blocks, block_size, num_kv_heads, "
            "head_size / 2 + head_size / 16], uint8, pages without gaps; for int4_per_token_head "
            "[num_blocks, block_size, num_kv_heads, head_size / 2], uint8, any strides but 1 in the "
            "last dimension; for q8_0 and q4_0 head_size / 32 * 34 or 18 bytes, likewise"
        ),
        "value_cache": (
            "as key_cache of rank 4, with heads of value_head_size elements; next to one of rank 5 "
            "[num_blocks, num_kv_heads, value_head_size, block_size]; any strides"
        ),
        "query_start_loc": (
            "[num_seqs + 1], int32, any stride, ascending: the first token of each sequence, and the end"
        ),
        "seq_lens": "[num_seqs], int32, any stride: positions of each sequence, those of its tokens included",
        "block_table": "[num_seqs, width], int32 or int64, any strides: the pages of each sequence",
        "scale": (
            "what query . key is multiplied by, usually 1 / sqrt(head_size); any number that f32 "
            "holds: 0, or a finite one of 2^-126 or more, of any sign"
        ),
        "kv_cache_dtype": (
            "'auto' (the dtype of query), 'fp8', 'fp8_e4m3', 'fp8_e5m2', 'int8', 'nvfp4', "
            "'nvfp4_4over6', 'int8_per_token_head', 'int8_per_token_head_even', "
            "'fp8_per_token_head', 'int4_per_token_head', 'q8_0' or 'q4_0'"
        ),
        "k_scale": (
            "f32, one element or [num_kv_heads]; keys are code * k_scale; not read when the cache "
            "holds the scalar dtype, q8_0 or q4_0; for formats per token and head the k_scale_cache, "
            "[num_blocks, block_size, num_kv_heads], any strides"
        ),
        "v_scale": "as k_scale, for values",
        "causal": "whether a token sees no position behind its own",
        "window_left": "positions before its own that a token sees; below 0: all",
        "window_right": "positions behind its own that a token sees; below 0: all",
        "softcap": "what scores are kept within, 2^-126 or more; 0: as they are",
        "alibi_slopes": "[num_q_heads], f32, any stride; None: no bias",
        "sinks": "[num_q_heads], f32 or the dtype of query, any stride: a score of no position; None: none",
        "swizzle_v_scales": "nvfp4: whether block scales of values are stored for sm_100",
        "max_query_len": "tokens that a sequence has at most; 0 or less: not known",
        "lse": (
            "[num_q_heads, num_tokens], f32, any strides: natural logarithms of what weights were "
            "divided by; None: not wanted"
        ),
        "workspace": (
            "[split_tokens, num_q_heads, splits, value_head_size + 2], f32, any strides, splits 1 or more: "
            "room for the parts of long sequences whose tokens are all below split_tokens, any "
            "number; None: room of the library's own"
        ),
    },
    elsewhere={"vLLM to 0.24": "paged_attention_v1 and _v2"},
    params=(
        Field("kvf_view", "out", "stride[0..2]: token, query head, element"),
        Field("kvf_view", "query", "as out"),
        Field(
            "kvf_view",
            "key_cache",
            "stride[0..4]: page, token, KV head, group of x elements, element of a group; nvfp4: "
            "bytes of codes, as reshape_and_cache_flash_nvfp4 has them; int4, q8_0, q4_0: bytes",
        ),
        Field("kvf_view", "value_cache", "stride[0..3]: page, token, KV head, element"),
        Field(
            "kvf_view",
            "k_scale",
            "f32; stride[0]: KV head, 0 for one scale; with a scale per token and head "
            "stride[0..2]: page, token, KV head; data may be NULL when the cache holds the scalar dtype",
        ),
        Field("kvf_view", "v_scale", "as k_scale"),
        Field("kvf_view", "alibi_slopes", "f32; stride[0]: query head; data NULL for none"),
        Field("kvf_view", "sinks", "stride[0]: query head; data NULL for none"),
        Field("kvf_view", "lse", "f32; stride[0..1]: query head, token; data NULL for none"),
        Field(
            "kvf_view",
            "workspace",
            "f32; stride[0..3]: token, query head, part, element; data NULL for none",
        ),
        Field("kvf_view", "query_start_loc", "int32; stride[0]: sequence"),
        Field("kvf_view", "seq_lens", "int32; stride[0]: sequence"),
        Field("kvf_view", "block_table", "int32 or int64; stride[0..1]: sequence, page of it"),
        Field("int64_t", "num_tokens", "rows of query and out"),
        Field("int64_t", "num_seqs", "sequences"),
        Field("int64_t", "width", "pages that a sequence has at most"),
        Field("int64_t", "num_blocks", "pages in the caches"),
        Field("int64_t", "block_size", "tokens in a page"),
        Field("int64_t", "max_query_len", "tokens of a sequence at most; 0 or less: not known"),
        Field(
            "int64_t", "window_left", "positions before its own that a token sees; below 0 for all"
        ),
        Field("int64_t", "window_right", "positions behind its own, 0 if causal; below 0 for all"),
        Field("int64_t", "splits", "parts that a tile has at most, if there is a workspace"),
        Field("int64_t", "split_tokens", "tokens that workspace has room for"),
        Field("int32_t", "swizzle_v_scales", "nvfp4: 1 or 0"),
        Field("int32_t", "num_q_heads", "query heads, a multiple of num_kv_heads"),
        Field("int32_t", "num_kv_heads", "KV heads"),
        Field("int32_t", "head_size", "elements of a head of query and keys, at most 576"),
        Field("int32_t", "value_head_size", "elements of a head of values and out, at most 576"),
        Field("int32_t", "index_bytes", "of one element of block_table: 8 or 4"),
        Field(
            "int32_t", "out_bytes", "of one element of out: 4 for f32, 2 for f16 and bf16 as query"
        ),
        Field("int32_t", "sink_bytes", "of one element of sinks, likewise"),
        Field("int32_t", "x", "elements of a group of key_cache; head_size where there are none"),
        Field("float", "scale", "what query . key is multiplied by"),
        Field("float", "softcap", "what scores are kept within; 0 for none"),
        Field("kvf_divider", "by_block_size", "splits a position into page and offset", True),
        Field("kvf_divider", "by_group", "splits a row into token and head of its group", True),
        Field("unsigned long long *", "faults", "CUDA: counts what is out of range", True),
        Field("int64_t", "tiles_each", "of a sequence; 0: as query_start_loc has them", True),
        Field("int64_t", "num_tiles", "of all sequences", True),
        Field("int64_t", "num_units", "of work: tiles, their splits, KV heads", True),
        Field("int32_t", "group", "query heads of a KV head", True),
        Field("int32_t", "adjusts", "CUDA: 1 if there is a softcap or a bias", True),
        Field("int32_t", "combines", "0; 1 when parts are to be added up", True),
        Field(
            "int32_t",
            "whole_keys",
            "CUDA: 1 if keys can be read in vectors; CPU: what multiplies tiles, else 0",
            True,
        ),
        Field(
            "int32_t",
            "whole_values",
            "CUDA: 1 if values can be read in vectors of elements, 2 of tokens, else 0",
            True,
        ),
        Field(
            "int32_t",
            "few",
            "CUDA: 0; n where a launch is for the sequences of at most n tokens, and -n in the one for the "
            "others",
            True,
        ),
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
            "int8",
            NVFP4,
            INT8_PER_TOKEN_HEAD,
            FP8_PER_TOKEN_HEAD,
            INT4_PER_TOKEN_HEAD,
            Q8_0,
            Q4_0,
        ),
        integer(
            "head_size",
            64,
            128,
            256,
            token="d",
            meaning="head_size, where a head can be read in whole vectors; else 0",
            generic=True,
            usual=(128,),  # 64 and 256 are another minute of two compilers
        ),
        integer(
            "rows",
            8,
            16,
            64,
            128,
            token="r",
            meaning="rows of a tile, where there is a head_size; else 0",
            generic=True,
        ),
        arch(80, "90a", generic=True),
    ),
    excluded=excluded,
)
