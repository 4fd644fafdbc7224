"""What a spec file says: the dataclasses of an op and of its variants."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

from generator import names
from generator.dtypes import BY_TOKEN, DType
from generator.schema import Schema, parse

BACKENDS = ("cpu", "cuda")
# Of vLLM's op family, by the time in which its schemas stayed the same.
GENERATIONS = ("late-2025", "early-2026", "late-2026")


@dataclass(frozen=True)
class Field:
    """One member of an op's params struct."""

    c_type: str
    name: str
    doc: str  # shape, units, meaning
    derived: bool = False  # filled by the launch function from the others; callers leave it alone


@dataclass(frozen=True)
class Op:
    """One op. `generator/spec/<name>.py` holds exactly one, called OP."""

    namespace: str
    schema_text: str
    summary: str  # one line
    doc: str  # behaviour, layouts, errors, source of the rule; plain text
    arguments: dict[str, str]  # argument name -> shape, dtype, units
    params: tuple[Field, ...]
    scalars: tuple[str, ...]  # axis: scalar dtype tokens
    caches: tuple[str, ...]  # axis: cache dtype tokens
    # The reason why a combination makes no sense, or None when it is valid.
    excluded: Callable[[DType, DType], str | None]
    # The folder with kernel_types.h, cpu_kernel.h and cuda_kernel.cuh of the op's family, which
    # include the engine's of these names.
    headers: str = "kvforge"
    # On CUDA the driver's copies do the work: there is a table row, but no kernel.
    copies_by_driver: bool = False
    # Of ops whose kernels move bytes alone: the dtypes that their tensors may have.
    moved: str = "any"
    # Every tensor is in host memory on both backends: a binding has to be told where a call runs.
    host_arguments: bool = False
    # Upstream's signature in the generations whose text differs from the schema. The arguments have
    # the same names, so that a binding can register it under the op's name and put them in order.
    upstream_schemas: dict[str, str] = dataclasses.field(default_factory=dict)

    def __post_init__(self) -> None:
        argument_names = [argument.name for argument in self.schema.arguments]
        if list(self.arguments) != argument_names:
            raise ValueError(
                f"spec {self.name}: documented arguments {list(self.arguments)}, "
                f"want those of the schema in its order, {argument_names}"
            )
        for what, text in [("summary", self.summary), ("doc", self.doc), *self.arguments.items()]:
            if not text.strip() or not text.isascii():
                raise ValueError(f"spec {self.name}: {what}: want a non-empty ASCII text")
        for field in self.params:
            if not field.doc:
                raise ValueError(f"spec {self.name}: params member {field.name} has no doc")
        for generation, text in self.upstream_schemas.items():
            if generation not in GENERATIONS:
                raise ValueError(f"spec {self.name}: {generation!r}: want one of {GENERATIONS}")
            self._check_upstream(text)

    def _check_upstream(self, text: str) -> None:
        """ValueError unless a call by this schema can be made by the op's own."""
        theirs = parse(text)
        kinds = {argument.name: argument.kind for argument in theirs.arguments}
        ours = {argument.name: argument.kind for argument in self.schema.arguments}
        needed = {argument.name for argument in self.schema.arguments if argument.default is None}
        if theirs.name != self.name or not kinds.items() <= ours.items() or needed - kinds.keys():
            raise ValueError(f"spec {self.name}: {text!r}: want the op's name and arguments")

    @cached_property
    def schema(self) -> Schema:
        return parse(self.schema_text)

    @property
    def name(self) -> str:
        return self.schema.name

    @cached_property
    def variants(self) -> tuple[Variant, ...]:
        """Every valid variant, sorted as the dispatch table is: backend, scalar, cache."""
        return tuple(
            Variant(self, backend, scalar, cache)
            for backend in BACKENDS
            for scalar in map(BY_TOKEN.__getitem__, self.scalars)
            for cache in map(BY_TOKEN.__getitem__, self.caches)
            if self.excluded(scalar, cache) is None
        )

    @cached_property
    def exclusions(self) -> tuple[tuple[DType, DType, str], ...]:
        """The combinations of the two axes that are left out, with the reason."""
        return tuple(
            (scalar, cache, reason)
            for scalar in map(BY_TOKEN.__getitem__, self.scalars)
            for cache in map(BY_TOKEN.__getitem__, self.caches)
            if (reason := self.excluded(scalar, cache)) is not None
        )


@dataclass(frozen=True)
class Variant:
    """op x backend x scalar dtype x cache dtype: one generated file, one symbol, one table row."""

    op: Op
    backend: str
    scalar: DType
    cache: DType

    @property
    def tokens(self) -> tuple[str, ...]:
        """The axes in the symbol: a byte mover has its width, others scalar and cache dtype."""
        return (
            (self.scalar.token,) if self.scalar.is_bytes else (self.scalar.token, self.cache.token)
        )

    @property
    def symbol(self) -> str:
        return names.symbol(self.backend, self.op.name, self.tokens)

    @property
    def source(self) -> str:
        return names.source(self.backend, self.symbol)

    @property
    def template(self) -> str:
        return names.template(self.backend, self.op.name)

    @property
    def copies(self) -> bool:
        """Whether the cache holds the scalar dtype itself, so that bits are copied."""
        return self.cache is self.scalar

    @property
    def compiled(self) -> bool:
        """Whether a file is generated for it."""
        return not (self.op.copies_by_driver and self.backend == "cuda")

    @property
    def vectors(self) -> tuple[int, ...]:
        """Elements that a CUDA thread moves at a time: 16 bytes of cache, 4 bytes, one element."""
        widths = {max(1, 16 // self.cache.bytes), max(1, 4 // self.cache.bytes), 1}
        return tuple(sorted(widths, reverse=True))


def same_or_fp8(scalar: DType, cache: DType) -> str | None:
    """The rule of the plain writers: the cache holds the scalar dtype itself or fp8 codes."""
    if cache.is_fp8 or cache is scalar:
        return None
    return f"a cache next to {scalar.token} tensors holds {scalar.token} itself or fp8"
