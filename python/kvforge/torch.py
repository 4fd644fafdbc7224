"""kvforge's ops in torch's dispatcher: `torch.ops._C_cache_ops.<op>` and `torch.ops.kvforge.<op>`.

    import kvforge.torch
    kvforge.torch.register()
    torch.ops._C_cache_ops.reshape_and_cache_flash(key, value, ...)

Registered for the CPU and CUDA keys, with fake kernels. The binding goes through libtorch's stable
ABI, so that one build serves every torch from 2.10 on; for an older one it is built against that
torch. It is the build folder's (`ninja torch`), or else compiled at the first register() and kept in
kvforge's cache. Works in torch.compile(fullgraph=True), in inference mode and under CUDA graph capture, on
torch's current stream and with torch's number of CPU threads. A refused call raises RuntimeError with
kvforge's sentence, as torch's own ops do. An op whose tensors are all the host's (swap_blocks_batch)
runs on torch's current CUDA device if there is one, as upstream's does, else on the CPU.
"""

from __future__ import annotations

import ctypes
import sys
import threading
from collections.abc import Collection
from pathlib import Path
from typing import Any, Literal

import torch

from kvforge import _checkout, _library, _variant
from kvforge._build import Build
from kvforge._store import Store
from kvforge.ops._upstream import SCHEMAS

OnConflict = Literal["refuse", "add", "override"]
Generation = Literal["late-2025", "early-2026", "late-2026"]
KEYS = ("CPU", "CUDA")
_lock = threading.Lock()
_registered: dict[tuple[str, str], str | None] = {}  # (namespace, op) -> generation


def register(
    on_conflict: OnConflict = "refuse",
    *,
    own_namespace: bool = True,
    ops: Collection[str] | None = None,
    generation: Generation | None = None,
) -> list[str]:
    """Registers ops under their namespace and, unless told otherwise, under `kvforge` too.

    Args:
        on_conflict: what to do about an op that another library has registered under its name:
            "refuse" raises RuntimeError before anything is registered, "add" leaves it and
            registers the rest, "override" keeps its schema and takes over its CPU and CUDA kernels.
        own_namespace: also register under `kvforge::`, where no other library is.
        ops: qualified names, such as "_C_cache_ops::copy_blocks"; None for every op of the
            registry, those that kvforge.load() has added included.
        generation: register the schemas that vLLM's ops had at that time, argument for argument,
            under the ops' namespace: "late-2025", "early-2026" or "late-2026". None for kvforge's
            own, which take what the latest generation takes and have more defaults. Ops that
            upstream does not have, and `kvforge::`, have kvforge's own schema in any case.

    Returns:
        The qualified names whose kernels are kvforge's now. Calling again is harmless; RuntimeError
        if it asks for another generation of an op than before.
    """
    if on_conflict not in ("refuse", "add", "override"):
        raise ValueError(f"on_conflict: got {on_conflict!r}, want 'refuse', 'add' or 'override'")
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


def _wanted(names: Collection[str], own_namespace: bool) -> dict[tuple[str, str], str]:
    """(namespace, op) in torch -> the op's qualified name in the registry."""
    wanted = {}
    if own_namespace:
        wanted = {("kvforge", name.partition("::")[2]): name for name in sorted(names)}
    for name in names:
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
    plans = {
        place: binding.plan(wanted[place], place, generation, there=place in taken)
        for place in missing
    }
    for place, (schema, arguments) in plans.items():
        binding.carry_out(wanted[place], place, schema, arguments)
        _registered[place] = _generation(place[0], wanted[place], generation)
    return ["::".join(place) for place in sorted(wanted) if place in _registered]


def _generation(space: str, name: str, generation: str | None) -> str | None:
    """The generation whose schema an op gets in a namespace; None for kvforge's own."""
    if generation is None or space == "kvforge" or name not in SCHEMAS[generation]:
        return None
    return generation


def _nothing(*_arguments: Any, **_named: Any) -> None:
    """The fake kernel of an op that writes to its arguments and returns nothing."""


def _keep_in_graphs(overload: Any) -> None:
    """Stops torch.compile from dropping or reordering an op that writes to memory by address alone,
    so that its schema shows no output."""
    if hasattr(torch.library, "_register_effectful_op"):
        from torch._library.effects import EffectType

        torch.library._register_effectful_op(overload, EffectType.ORDERED)
    else:
        torch.fx.node.has_side_effect(overload)


def _build_missing(symbol: bytes) -> int:
    """What KVFORGE_JIT=1 does about a call that needs a variant which is not built."""
    try:
        _variant.build_missing(symbol.decode())
    except Exception as error:
        print(f"kvforge: {error}", file=sys.stderr)
        return 1
    return 0


_builder = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_char_p)(_build_missing)


def _native() -> ctypes.CDLL:
    """The other shared object, compiled for this torch if the build folder has none."""
    path = _library.find().parent / _library.TORCH_LIBRARY
    if path.is_file():
        return ctypes.CDLL(str(path))
    source = _checkout.root() / "python/src/torch.cpp"
    folder = Path(torch.__file__).parent
    includes = [folder / "include"]
    flags = ["-DTORCH_TARGET_VERSION=0x020a000000000000ull", "-DKVF_TORCH_STABLE"]
    if tuple(map(int, torch.__version__.split(".")[:2])) < (2, 10):
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


class _Binding:
    """The registration functions of the other shared object."""

    def __init__(self) -> None:
        self._native = _native()
        if _variant.jit():
            self._native.kvforge_torch_set_builder(_builder)

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
        """The schema to define, None for one that is there, and its arguments' names in order."""
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
        return schema or None, ",".join(arguments)

    @staticmethod
    def _check(theirs: Any, ours: Any) -> None:
        """RuntimeError unless kvforge's kernel can serve another library's schema."""

        def types(schema: Any) -> dict[str, str]:
            return {
                a.name: str(a.type).removeprefix("Optional[").rstrip("]") for a in schema.arguments
            }

        same = types(theirs).items() <= types(ours).items() and not theirs.returns
        needed = {argument.name for argument in ours.arguments if not argument.has_default_value()}
        if not same or needed - types(theirs).keys():
            raise RuntimeError(
                f"kvforge.torch.register: another library's {theirs} cannot be overridden by {ours}"
            )

    def carry_out(
        self, name: str, place: tuple[str, str], schema: str | None, arguments: str
    ) -> None:
        """Defines the schema, unless it is there, and registers the kernels."""
        space, op = place
        if schema is not None:
            self._call("define", space, schema)
        for key in KEYS:
            self._call("implement", name, space, arguments, key)
        torch.library.register_fake(f"{space}::{op}", _nothing)
        overload = getattr(getattr(torch.ops, space), op).default
        if not overload._schema.is_mutable:
            _keep_in_graphs(overload)
