"""What a spec file says: the dataclasses of an op and of its variants."""

from __future__ import annotations

import dataclasses
import itertools
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from generator import names
from generator.axes import MAX_AXES, Axis, Value, chain
from generator.dtypes import DType
from generator.schema import Schema, parse
from generator.tuned import Tables, Tuned

BACKENDS = ("cpu", "cuda")
INT16_MAX = 32767


@dataclass(frozen=True)
class Field:
    """One member of an op's params struct."""

    c_type: str
    name: str
    doc: str  # shape, units, meaning
    derived: bool = False  # filled by the launch function from the others; callers leave it alone
    first: bool = False  # derived, and what CUDA kernels ask for at once: in front of the others


@dataclass(frozen=True)
class Op:
    """One op. `generator/spec/<name>.py` holds exactly one, called OP."""

    namespace: str
    schema_text: str
    summary: str  # one line
    doc: str  # behaviour, layouts, errors, source of the rule; plain text
    arguments: dict[str, str]  # argument name -> shape, dtype, units
    params: tuple[Field, ...]
    axes: tuple[Axis, ...]  # what its variants differ in, in the order of their symbols
    # The reason why a combination of values makes no sense, or None when it is valid. Called with a
    # value of each axis; None stands for the generic one.
    excluded: Callable[..., str | None] = lambda *values: None
    # The folder with kernel_types.h, cpu_kernel.h and cuda_kernel.cuh of the op's family, which
    # include the engine's of these names.
    headers: str = "kvforge"
    # One is enough.
    backends: tuple[str, ...] = BACKENDS
    # On CUDA the driver's copies do the work: there is a table row, but no kernel.
    copies_by_driver: bool = False
    # The type that its CUDA kernels take; the params struct, if none is said.
    kernel_params: str | None = None
    # Of ops whose kernels move bytes alone: the dtypes that their tensors may have.
    moved: str = "any"
    # Every tensor is in host memory on both backends: a binding has to be told where a call runs.
    host_arguments: bool = False
    # Launch constants that were found by measuring, one declaration for a backend, and their tables,
    # which are read from <op>.tuned.json beside the spec.
    tuned: tuple[Tuned, ...] = ()
    tables: Tables = dataclasses.field(default_factory=dict)
    # Upstream's signature in the generations whose text differs from the schema. The arguments have
    # the same names, so that a binding can register it under the op's name and put them in order.
    upstream_schemas: dict[str, str] = dataclasses.field(default_factory=dict)
    # The flags that make the op do what upstream's did in a generation, whose schema lacks them.
    upstream_flags: dict[str, tuple[str, ...]] = dataclasses.field(default_factory=dict)
    # What other systems call it: system -> name.
    elsewhere: dict[str, str] = dataclasses.field(default_factory=dict)

    @property
    def addresses(self) -> list[str]:
        """The arguments whose elements are addresses, by their name: nobody can check those."""
        return [name for name in self.arguments if name.endswith("_ptrs")]

    def __post_init__(self) -> None:
        axis_names = [axis.name for axis in self.axes]
        if len(set(axis_names)) != len(axis_names) or len(axis_names) > MAX_AXES:
            raise ValueError(f"spec {self.name}: axes {axis_names}: want at most {MAX_AXES} names")
        if not self.backends or not set(self.backends) <= set(BACKENDS):
            raise ValueError(f"spec {self.name}: backends {self.backends}: want some of {BACKENDS}")
        argument_names = [argument.name for argument in self.schema.arguments]
        if list(self.arguments) != argument_names:
            raise ValueError(
                f"spec {self.name}: documented arguments {list(self.arguments)}, "
                f"want those of the schema in its order, {argument_names}"
            )
        texts = [("summary", self.summary), ("doc", self.doc), *self.arguments.items()]
        for what, text in [*texts, *self.elsewhere.items()]:
            if not text.strip() or not text.isascii():
                raise ValueError(f"spec {self.name}: {what}: want a non-empty ASCII text")
        for field in self.params:
            if not field.doc:
                raise ValueError(f"spec {self.name}: params member {field.name} has no doc")
        for text in self.upstream_schemas.values():
            self._check_upstream(text)
        for generation, flags in self.upstream_flags.items():
            self._check_flags(generation, flags)

    def _check_upstream(self, text: str) -> None:
        """ValueError unless a call by this schema can be made by the op's own."""
        theirs = parse(text)
        kinds = {argument.name: argument.kind for argument in theirs.arguments}
        ours = {argument.name: argument.kind for argument in self.schema.arguments}
        needed = {argument.name for argument in self.schema.arguments if argument.default is None}
        if theirs.name != self.name or not kinds.items() <= ours.items() or needed - kinds.keys():
            raise ValueError(f"spec {self.name}: {text!r}: want the op's name and arguments")

    def _check_flags(self, generation: str, flags: Sequence[str]) -> None:
        """ValueError unless they are flags that the generation's schema lacks."""
        given = parse(self.upstream_schemas.get(generation, self.schema_text)).arguments
        free = {a.name for a in self.schema.arguments if a.kind == "bool"} - {a.name for a in given}
        if not set(flags) <= free:
            raise ValueError(
                f"spec {self.name}: {generation}: {flags}: want some of {sorted(free)}"
            )

    @property
    def description(self) -> str:
        """The doc, with what other systems call the op."""
        if not self.elsewhere:
            return self.doc
        return f"{self.doc}\nElsewhere: {'; '.join(map(' '.join, self.elsewhere.items()))}."

    @cached_property
    def schema(self) -> Schema:
        return parse(self.schema_text)

    @property
    def name(self) -> str:
        return self.schema.name

    @cached_property
    def variants(self) -> tuple[Variant, ...]:
        """Every valid variant, sorted as the dispatch table is: by backend, then axis by axis."""
        return tuple(
            Variant(self, backend, values)
            for backend in self.backends
            for values in self.combinations(backend)
            if self.excluded(*values) is None
        )

    def combinations(self, backend: str) -> Iterator[tuple[Value, ...]]:
        """Every value of each axis with every one of the others."""
        return itertools.product(*(axis.of_backend(backend) for axis in self.axes))

    @cached_property
    def exclusions(self) -> dict[tuple[Value, ...], str]:
        """The combinations that are left out, with the reason."""
        combinations = [v for backend in self.backends for v in self.combinations(backend)]
        return {
            values: reason
            for values in combinations
            if (reason := self.excluded(*values)) is not None
        }

    def chain(self, backend: str, wanted: Sequence[Value]) -> tuple[Variant, ...]:
        """The variants that serve a call, the most special first."""
        rows = [variant for variant in self.variants if variant.backend == backend]
        return tuple(rows[i] for i in chain(self.axes, [row.values for row in rows], wanted))

    @cached_property
    def cells(self) -> dict[tuple[str, tuple[Value, ...]], tuple[int, ...]]:
        """(backend, position on each axis) -> the rows of its chain; the dispatch table in full."""
        row = {variant.symbol: position for position, variant in enumerate(self.variants)}
        return {
            (backend, wanted): tuple(row[v.symbol] for v in self.chain(backend, wanted))
            for backend in BACKENDS
            for wanted in itertools.product(*(axis.positions for axis in self.axes))
        }

    def stride(self, axis: Axis) -> int:
        """How far apart neighbours on an axis are among the cells of a backend."""
        later = self.axes[self.axes.index(axis) + 1 :]
        return math.prod(len(other.positions) for other in later)

    @cached_property
    def chains(self) -> dict[tuple[int, ...], int]:
        """What is behind the first row of a cell -> where it begins in the list of all of these."""
        starts: dict[tuple[int, ...], int] = {}
        length = 0
        for rows in self.cells.values():
            if len(rows) > 1 and rows[1:] not in starts:
                starts[rows[1:]] = length
                length += len(rows)
        if max(length, len(self.cells)) > INT16_MAX:
            raise ValueError(
                f"spec {self.name}: {len(self.cells)} combinations, {length} entries in chains: "
                f"want at most {INT16_MAX} of each"
            )
        return starts

    def first_row(self, rows: tuple[int, ...]) -> int:
        """The row of a cell."""
        return rows[0] if rows else -1

    def rest_of(self, rows: tuple[int, ...]) -> int:
        """Where the rows behind the first one begin among the chains."""
        return self.chains[rows[1:]] if len(rows) > 1 else -1


@dataclass(frozen=True)
class Variant:
    """op x backend x one value of each axis: one generated file, one symbol, one table row.

    A value is an attribute too: `variant.scalar`.
    """

    op: Op
    backend: str
    values: tuple[Value, ...]

    @cached_property
    def by_axis(self) -> dict[str, Any]:
        """Axis name -> value."""
        return {axis.name: value for axis, value in zip(self.op.axes, self.values, strict=True)}

    def __getattr__(self, name: str) -> Any:
        if not name.startswith("_") and name in self.by_axis:
            return self.by_axis[name]
        raise AttributeError(f"variant of {self.op.name}: no axis {name!r}")

    @cached_property
    def tokens(self) -> tuple[str, ...]:
        """The axes in the symbol."""
        return names.tokens(self.op.axes, self.values)

    @cached_property
    def symbol(self) -> str:
        return names.symbol(self.backend, self.op.name, self.tokens)

    @property
    def source(self) -> str:
        return names.source(self.backend, self.symbol)

    @property
    def template(self) -> str:
        return names.template(self.backend, self.op.name)

    @property
    def texts(self) -> dict[str, str]:
        """Axis name -> value in words."""
        return {a.name: a.text(v) for a, v in zip(self.op.axes, self.values, strict=True)}

    @property
    def words(self) -> str:
        """The values in one line, for lists: as C tells them, an arch is its number."""
        pairs = zip(self.op.axes, self.values, strict=True)
        told = {
            a.name: a.number(v) if isinstance(v, str) and a.kind == "arch" else a.text(v)
            for a, v in pairs
        }
        return " ".join(f"{name}={text}" for name, text in told.items())

    @property
    def dtypes(self) -> list[DType]:
        """The values of the dtype axes."""
        return [value for value in self.values if isinstance(value, DType)]

    @property
    def copies(self) -> bool:
        """Whether all of its dtypes are one, so that bits are copied."""
        return len(set(self.dtypes)) == 1

    @property
    def compiled(self) -> bool:
        """Whether a file is generated for it."""
        return not (self.op.copies_by_driver and self.backend == "cuda")

    @property
    def min_arch(self) -> int:
        """The compute capability that its body needs; 0 for any."""
        pairs = zip(self.op.axes, self.values, strict=True)
        return max((axis.number(v) for axis, v in pairs if axis.kind == "arch"), default=0)

    @property
    def of_one_arch(self) -> bool:
        """Whether devices of just that compute capability run its body."""
        pairs = zip(self.op.axes, self.values, strict=True)
        return any(axis.kind == "arch" and isinstance(v, str) for axis, v in pairs)

    @property
    def vectors(self) -> tuple[int, ...]:
        """Elements that a CUDA thread moves at a time: 16 bytes, 4 bytes, one element, of what is
        written, the last of its dtypes."""
        size = self.dtypes[-1].bytes if self.dtypes else 16
        return tuple(sorted({max(1, 16 // size), max(1, 4 // size), 1}, reverse=True))
