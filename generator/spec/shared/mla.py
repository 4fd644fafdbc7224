"""What the spec files of the MLA cache writers share: arguments and params of the same meaning."""

from generator.model import Field
from generator.tuned import Tuned

SLOT_MAPPING = "[num_tokens], int64 or int32, any stride; a negative slot skips its token"
SCALE = (
    "f32, one element; the cache holds element / scale, for kv_c and k_pe alike; not read unless "
    "the cache is fp8_e4m3 or fp8_e5m2"
)

SIZES = (
    Field("kvf_slots", "slots", "tokens, pages and where each token goes"),
    Field("int32_t", "kv_lora_rank", "elements of a row of kv_c"),
    Field("int32_t", "rope_dim", "elements of a row of k_pe"),
    Field("int32_t", "vector_elements", "elements that one CUDA thread moves at a time", True),
    Field("int32_t", "streaming", "CPU: store past the caches", True),
    Field("int32_t", "rows_ahead", "CPU: how many tokens ahead a row is asked for", True),
)

# So many tokens ahead a writer asks for its row, where rows have a few hundred bytes.
CPU_TUNED = Tuned("cpu", {"rows_ahead": (4, 2, 8)}, "num_tokens", ())
# The threads of a block.
CUDA_TUNED = Tuned("cuda", {"threads": (256, 128, 64, 32)}, "num_tokens", (16, 256, 4096))
TUNED = (CPU_TUNED, CUDA_TUNED)
