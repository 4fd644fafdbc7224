"""hisparse_invalidate_written_slots: forgets hot copies of rows that have been written anew."""

from generator.model import Field, Op
from generator.spec.shared.hot_rows import AXES

OP = Op(
    namespace="_C_cache_ops",
    headers="kvforge/cache",
    schema_text=(
        "hisparse_invalidate_written_slots(Tensor! device_global_indices, "
        "Tensor request_state_indices, Tensor req_id_per_token, Tensor written_slots) -> ()"
    ),
    summary="marks hot slots empty whose host row has been written.",
    doc="""\
For every token t, with q = req_id_per_token[t], s = request_state_indices[q] and w =
written_slots[t]: every element of device_global_indices[s, :] that is w becomes -1. A token with a q
outside [0, num_requests), an s outside [0, num_states) or a negative w is skipped. Tokens may repeat.
No tokens, states or slots are a successful no-op.

Errors: those of wrong shapes and dtypes.
Source of the rule: vLLM's op of the same name (0.31 and newer).""",
    arguments={
        "device_global_indices": (
            "[num_states, hot_size], int32, any strides: the host row that each hot slot holds, -1 none"
        ),
        "request_state_indices": "[num_requests], int32, any stride: the state of each request",
        "req_id_per_token": "[num_tokens], int32, any stride: the request of each token",
        "written_slots": "[num_tokens], int64, any stride: the host row that each token was written to",
    },
    elsewhere={
        "vLLM": "hisparse_invalidate_written_slots",
    },
    params=(
        Field("kvf_view", "device_global_indices", "int32; stride[0..1]: state, slot"),
        Field("kvf_view", "request_state_indices", "int32; stride[0]: request"),
        Field("kvf_view", "req_id_per_token", "int32; stride[0]: token"),
        Field("kvf_view", "written_slots", "int64; stride[0]: token"),
        Field("int64_t", "num_states", "states"),
        Field("int64_t", "hot_size", "hot slots of a state"),
        Field("int64_t", "num_requests", "requests"),
        Field("int64_t", "num_tokens", "tokens"),
    ),
    axes=AXES,
)
