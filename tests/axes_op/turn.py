"""turn: copies numbers in an order, and says which of its bodies did; for the tests of axes."""

from generator.axes import arch, flag, integer, word
from generator.model import Field, Op


def excluded(
    tile: int | None, step: int, order: str, negate: bool | None, arch: int | None
) -> str | None:
    """Few bodies, and of each kind one that is missing."""
    if tile == 8 and order == "reversed":
        return "a tile of 8 is not turned round"
    if negate and tile != 4:
        return "only tiles of 4 are negated on the way"
    if step == 2 and tile:
        return "steps have no tiles"
    if arch and (tile != 4 or negate):
        return "sm_90 copies tiles of 4, and does not negate"
    return None


OP = Op(
    namespace="axes_test",
    schema_text=(
        "turn(Tensor x, Tensor! y, Tensor! ran, int tile, int step, str order, bool negate=False) "
        "-> ()"
    ),
    summary="copies numbers in an order.",
    doc="y[i] = x[i * step], or with the order 'reversed' x[(n - 1 - i) * step]; negated if wanted.",
    arguments={
        "x": "[n * step], f32",
        "y": "[n], f32",
        "ran": "[5], i32: tile, step, order, negate and arch of the body that ran, 0 where it is generic",
        "tile": "numbers that are copied together",
        "step": "distance of the numbers in x",
        "order": "'forward' or 'reversed'",
        "negate": "whether y is negated",
    },
    params=(
        Field("const float *", "x", "the numbers"),
        Field("float *", "y", "their copy"),
        Field("int32_t *", "ran", "[5], what the body is for"),
        Field("int64_t", "count", "numbers of y"),
        Field("int64_t", "step", "distance of the numbers in x"),
        Field("int32_t", "negate", "whether y is negated"),
    ),
    axes=(
        integer("tile", 4, 8, token="t", meaning="numbers that are copied together", generic=True),
        integer("step", 1, 2, token="s", meaning="distance of the numbers in x"),
        word("order", "forward", "reversed", meaning="the order of y"),
        flag("negate", meaning="whether y is negated", generic=True),
        arch(90, generic=True),
    ),
    excluded=excluded,
)
