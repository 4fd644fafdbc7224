"""What the spec files of the ops on whole pages share."""

from generator.model import Field
from generator.tuned import Tuned

CACHES = (
    "one per layer, [num_blocks, ...] each, any dtype of whole bytes; num_blocks is the same in "
    "all; a page has no gaps, but its dimensions may be in any order and pages any distance apart; "
    "no page of a tensor overlaps one of another"
)

PARAMS = (
    Field(
        "kvf_page_list",
        "pages",
        "the tensors of one launch, whose pages have one size, and the blocks that are meant",
    ),
)

# Copies: the threads of a block, the vectors that each of them has, and up to how many blocks work is
# rather split up.
COPY_TUNED = (
    Tuned(
        "cuda",
        {"threads": (256, 128), "vectors": (4, 2, 8), "blocks": (256, 64, 1024)},
        "num_pairs",
        (),
    ),
)
