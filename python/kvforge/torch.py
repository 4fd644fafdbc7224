"""kvforge's ops in torch's dispatcher: `torch.ops._C_cache_ops.<op>` and `torch.ops.kvforge.<op>`.

    import kvforge.torch
    kvforge.torch.register()
    torch.ops._C_cache_ops.reshape_and_cache_flash(key, value, ...)

Registered for the CPU and CUDA keys, with fake kernels. The binding goes through libtorch's stable
ABI, so that one build serves every torch from 2.10 on; for an older one it is built against that
torch. It is the build folder's (`ninja torch`), or else compiled at the first register() and kept in
kvforge's cache. Works in torch.compile(fullgraph=True), in inference mode and under CUDA graph capture, on
torch's current stream and with torch's number of CPU threads. An op whose tensors are all the host's
(swap_blocks_batch) runs on torch's current CUDA device if there is one, as upstream's does, else on the
CPU.

A refused call raises what kvforge.ops raises, with the same sentence: IndexError, ValueError, MemoryError
and RuntimeError always; TypeError and NotImplementedError, which the stable ABI cannot pass on, arrive as
RuntimeError, unless they are about a kind of tensor (meta, sparse, quantised, nested, negated) or the
binding is built for an older torch. What torch itself finds wrong before kvforge is asked, such as an
argument of another type than the schema's or a fake tensor among real ones, is in torch's words. A type
derived from torch.Tensor that dispatches by itself decides what the op does with it.
"""

from __future__ import annotations

import ctypes
import threading
import warnings
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any, Literal, NamedTuple

import torch
from torch._subclasses.fake_tensor import FakeTensor

from kvforge import _arrays, _checkout, _library
from kvforge._build import Build
from kvforge._store import Store
from kvforge.ops._upstream import FLAGS, SCHEMAS

OnConflict = Literal["refuse", "add", "override"]
Generation = Literal["vllm-0.16", "vllm-0.21", "vllm-0.26", "vllm-0.31", "vllm-0.33"]
KEYS = ("CPU", "CUDA")
# Tensors of another kind, which torch would answer with a list of all keys that an op has.
REFUSED = [
    f"{kind}{device}"
    for kind in ("Sparse", "SparseCsr", "Quantized", "NestedTensor")
    for device in ("CPU", "CUDA")
] + ["MkldnnCPU", "AutogradNestedTensor"]
_lock = threading.Lock()
_registered: dict[tuple[str, str], str | None] = {}  # (namespace, op) -> generation
_kernels: list[_Kernels] = []  # for as long as the process lives


def register(
    on_conflict: OnConflict = "refuse",
    *,
    own_namespace: bool | Literal["only"] = True,
    ops: Collection[str] | None = None,
    generation: Generation | None = None,
) -> list[str]:
    """Registers ops under their namespace and, unless told otherwise, under `kvforge` too.

    Args:
        on_conflict: what to do about an op that another library has registered under its name:
            "refuse" raises RuntimeError before anything is registered, "add" leaves it and
            registers the rest, "override" keeps its schema and takes over its CPU and CUDA kernels.
            A schema that kvforge's op cannot serve is left with the other library's kernels, and a
            RuntimeWarning names it and says why.
        own_namespace: also register under `kvforge::`, where no other library is; "only": there
            and nowhere else, so that what others load later finds its names free.
        ops: qualified names, such as "_C_cache_ops::copy_blocks"; None for every op of the
            registry, those that kvforge.load() has added included.
        generation: register the schemas that vLLM's ops have from that release on, up to the next
            one here, argument for argument, under the ops' namespace: "vllm-0.16", "vllm-0.21",
            "vllm-0.26", "vllm-0.31" or "vllm-0.33". None for kvforge's own, which take what the
            latest generation takes and have more defaults. An op that did something else in a
            generation does so there (rotate_skipped of concat_and_cache_mla_rope_fused). Ops that
            upstream does not have, and `kvforge::`, have kvforge's own schema in any case.

    Returns:
        The qualified names whose kernels are kvforge's now. Calling again is harmless; RuntimeError
        if it asks for another generation of an op than before.
    """
    if on_conflict not in ("refuse", "add", "override"):
        raise ValueError(f"on_conflict: got {on_conflict!r}, want 'refuse', 'add' or 'override'")
    if own_namespace not in (True, False, "only"):
        raise ValueError(f"own_namespace: got {own_namespace!r}, want True, False or 'only'")
    if generation is not None and generation not in SCHEMAS:
        raise ValueError(f"generation: got {generation!r}, want None or one of {list(SCHEMAS)}")
    if isinstance(ops, str):
        raise TypeError(f"ops: got the str {ops!r}, want a list of names, such as [{ops!r}]")
    known = {f"{variant.namespace}::{variant.op}" for variant in _library.variants()}
    names = known if ops is None else set(ops)
    if names - known:
        unknown = ", ".join(sorted(names - known))
        raise ValueError(f"ops: no op {unknown}; want some of {', '.join(sorted(known))}")
    with _lock:
        return _register(_wanted(names, own_namespace), on_conflict, generation)


def _wanted(
    names: Collection[str], own_namespace: bool | Literal["only"]
) -> dict[tuple[str, str], str]:
    """(namespace, op) in torch -> the op's qualified name in the registry."""
    wanted = {}
    if own_namespace:
        wanted = {("kvforge", name.partition("::")[2]): name for name in sorted(names)}
    for name in () if own_namespace == "only" else names:
        space, _, op = name.partition("::")
        wanted[space, op] = name
    return wanted


def _register(
    wanted: dict[tuple[str, str], str], on_conflict: OnConflict, generation: str | None
) -> list[str]:
    """Registers what is not registered yet; `wanted` as _wanted() makes it."""
    for place, name in wanted.items():
        before, now = _registered.get(place), _generation(place[0], name, generation)
        if place in _registered and before != now:
            raise RuntimeError(
                f"kvforge.torch.register: {'::'.join(place)} is registered with the schema of "
                f"{before or 'kvforge'} already, and torch keeps it; got generation {generation!r}"
            )
    missing = [place for place in sorted(wanted) if place not in _registered]
    taken = {place for place in missing if hasattr(getattr(torch.ops, place[0]), place[1])}
    if taken and on_conflict == "refuse":
        listed = ", ".join("::".join(place) for place in sorted(taken))
        raise RuntimeError(
            f"kvforge.torch.register: another library has registered {listed}; pass "
            "on_conflict='add' to keep its ops or 'override' to replace their kernels"
        )
    if on_conflict == "add":
        missing = [place for place in missing if place not in taken]
    binding = _Binding()
    plans = {}
    for place in missing:
        try:
            plans[place] = binding.plan(wanted[place], place, generation, there=place in taken)
        except _Unserved as reason:
            left = f"kvforge.torch.register: {'::'.join(place)} keeps the other library's kernels"
            warnings.warn(f"{left}: {reason}", RuntimeWarning, stacklevel=3)
    for place, (schema, arguments) in plans.items():
        binding.carry_out(wanted[place], place, schema, arguments)
        _registered[place] = _generation(place[0], wanted[place], generation)
    return ["::".join(place) for place in sorted(wanted) if place in _registered]


def _generation(space: str, name: str, generation: str | None) -> str | None:
    """The generation whose schema an op gets in a namespace; None for kvforge's own."""
    if generation is None or space == "kvforge" or name not in SCHEMAS[generation]:
        return None
    return generation


class _Kernels:
    """An operator's kernels in Python, all off the hot path."""

    def __init__(self, space: str, op: str) -> None:
        self.op = op
        self.overload = getattr(getattr(torch.ops, space), op).default
        self._library = torch.library.Library(space, "IMPL")  # kept: the kernels live as long

    def register(self) -> None:
        """For fake and meta tensors, for negated ones and for those that no op can use."""
        torch.library.register_fake(self.overload, self._fake)
        self._library.impl(self.op, self._negated, "Negative")
        for key in REFUSED:
            self._library.impl(self.op, self._refuse, key)

    def _arguments(self, given: tuple[Any, ...], named: dict[str, Any]) -> Iterator[_Argument]:
        """What is given for each argument of the schema; torch leaves defaults out."""
        arguments = self.overload._schema.arguments
        values = dict(zip((argument.name for argument in arguments), given, strict=False)) | named
        for argument in arguments:
            if argument.name in values:
                written = argument.alias_info is not None and argument.alias_info.is_write
                yield _Argument(self.op, argument.name, values[argument.name], written)

    def _fake(self, *given: Any, **named: Any) -> None:
        """Of fake tensors, or of meta tensors alone: nothing is done."""
        meta = {
            tensor.is_meta
            for argument in self._arguments(given, named)
            for tensor in argument.tensors
            if not isinstance(tensor, FakeTensor)
        }
        if len(meta) == 2:
            self._refuse(*given, **named)

    def _refuse(self, *given: Any, **named: Any) -> None:
        """Raises TypeError for the first tensor that no op can use."""
        for argument in self._arguments(given, named):
            for tensor in argument.tensors:
                if reason := _arrays.refusal(tensor):
                    raise TypeError(f"{argument.what}: got {reason}")

    def _negated(self, *given: Any, **named: Any) -> None:
        """With a tensor that is negated when it is read: inputs are made real, outputs refused."""
        values = {}
        for argument in self._arguments(given, named):
            if argument.written and any(tensor.is_neg() for tensor in argument.tensors):
                raise TypeError(f"{argument.what}: got {_arrays.NEGATED}")
            values[argument.name] = argument.resolved()
        self.overload(**values)


class _Argument(NamedTuple):
    """What is given for an argument of a schema."""

    op: str
    name: str
    value: Any
    written: bool

    @property
    def what(self) -> str:
        return f"{self.op}: {self.name}"

    @property
    def tensors(self) -> list[torch.Tensor]:
        values = self.value if isinstance(self.value, list | tuple) else [self.value]
        return [value for value in values if isinstance(value, torch.Tensor)]

    def resolved(self) -> Any:
        """The same without lazy negation."""
        if isinstance(self.value, torch.Tensor):
            return self.value.resolve_neg()
        if isinstance(self.value, list | tuple):
            return [tensor.resolve_neg() for tensor in self.value]
        return self.value


def _keep_in_graphs(overload: Any) -> None:
    """Stops torch.compile from dropping or reordering an op that writes to memory by address alone,
    so that its schema shows no output."""
    if hasattr(torch.library, "_register_effectful_op"):
        from torch._library.effects import EffectType

        torch.library._register_effectful_op(overload, EffectType.ORDERED)
    else:
        torch.fx.node.has_side_effect(overload)


def _native() -> ctypes.CDLL:
    """The other shared object, compiled for this torch if the build folder has none."""
    path = _library.find().parent / _library.TORCH_LIBRARY
    if path.is_file():
        return ctypes.CDLL(str(path))
    return _compiled(stable=tuple(map(int, torch.__version__.split(".")[:2])) >= (2, 10))


def _compiled(*, stable: bool) -> ctypes.CDLL:
    """The same, compiled to go through the stable ABI or for this torch alone."""
    source = _checkout.root() / "python/src/torch.cpp"
    folder = Path(torch.__file__).parent
    includes = [folder / "include"]
    flags = ["-DTORCH_TARGET_VERSION=0x020a000000000000ull", "-DKVF_TORCH_STABLE"]
    if not stable:
        includes.append(folder / "include/torch/csrc/api/include")
        flags = [f"-D_GLIBCXX_USE_CXX11_ABI={int(torch._C._GLIBCXX_USE_CXX11_ABI)}"]
        flags.append("-DKVF_TORCH_LIBRARY")
    build = Build(
        store=Store(),
        name="kvforge_torch",
        files=[source],
        cflags=tuple(flags),
        ldflags=(f"-L{folder}/lib", "-ltorch", "-ltorch_cpu", "-lc10"),
        include_paths=tuple(includes),
    )
    return build.use(lambda made: ctypes.CDLL(str(made / "kvforge_torch.so")))


class _Unserved(Exception):
    """Another library's schema, and why kvforge's kernel cannot serve it."""


class _Binding:
    """The registration functions of the other shared object."""

    def __init__(self) -> None:
        self._native = _native()
        self._native.kvforge_torch_complete.restype = ctypes.c_bool
        if not self._native.kvforge_torch_complete():  # this torch lacks what others have
            self._native = _compiled(stable=False)

    def _call(self, function: str, *arguments: Any) -> None:
        """Calls a function that returns NULL or the reason why it failed."""
        native = getattr(self._native, f"kvforge_torch_{function}")
        native.restype = ctypes.c_char_p
        reason = native(*(a.encode() if isinstance(a, str) else a for a in arguments))
        if reason is not None:
            raise RuntimeError(f"kvforge.torch.register: {reason.decode(errors='replace')}")

    def plan(
        self, name: str, place: tuple[str, str], generation: str | None, *, there: bool
    ) -> tuple[str | None, str]:
        """The schema to define, None for one that is there, and its arguments' names in order; then
        those of the flags that are set in every call."""
        text = ctypes.c_char_p()
        self._call("schema", name, ctypes.byref(text))
        own = (text.value or b"").decode()
        chosen = _generation(place[0], name, generation)
        schema = own if chosen is None else SCHEMAS[chosen][name]
        parsed = torch._C.parse_schema(f"{place[0]}::{schema}")
        if there:
            schema, parsed = "", getattr(getattr(torch.ops, place[0]), place[1]).default._schema
            self._check(parsed, torch._C.parse_schema(f"{place[0]}::{own}"))
        arguments = [
            argument.name + ("?" if argument.type.kind() == "OptionalType" else "")
            for argument in parsed.arguments
        ]
        arguments += [f"{flag}!" for flag in FLAGS.get((chosen or "", name), ())]
        return schema or None, ",".join(arguments)

    @staticmethod
    def _check(theirs: Any, ours: Any) -> None:
        """_Unserved unless kvforge's kernel can serve another library's schema."""

        def types(schema: Any) -> dict[str, str]:
            return {
                a.name: str(a.type).removeprefix("Optional[").rstrip("]") for a in schema.arguments
            }

        known = types(ours)
        reasons = [
            f"{name} is {kind} there and {known[name]} here" if name in known else f"no {name} here"
            for name, kind in types(theirs).items()
            if known.get(name) != kind
        ]
        reasons += [
            f"no {argument.name} there"
            for argument in ours.arguments
            if not argument.has_default_value() and argument.name not in types(theirs)
        ]
        reasons += ["it returns something"] * bool(theirs.returns)
        if reasons:
            raise _Unserved(f"{theirs} cannot be served by {ours}: {', '.join(reasons)}")

    def carry_out(
        self, name: str, place: tuple[str, str], schema: str | None, arguments: str
    ) -> None:
        """Defines the schema, unless it is there, and registers the kernels."""
        space, op = place
        if schema is not None:
            self._call("define", space, schema)
        for key in KEYS:
            self._call("implement", name, space, arguments, key)
        kernels = _Kernels(space, op)
        kernels.register()
        _kernels.append(kernels)
        if not kernels.overload._schema.is_mutable:
            _keep_in_graphs(kernels.overload)
