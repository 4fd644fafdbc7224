"""kvforge.prepare: a call that is checked and chosen once, and launched again and again."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from types import FunctionType
from typing import Any, NamedTuple, ParamSpec

from kvforge import _arrays
from kvforge._library import function

P = ParamSpec("P")


def prepare(op: Callable[P, None], *args: P.args, **kwargs: P.kwargs) -> Prepared:
    """Makes all checks of a call, writes nothing, and returns the call, ready to be launched.

        call = kvforge.prepare(
            kvforge.ops._C_cache_ops.reshape_and_cache_flash,
            key, value, key_cache, value_cache, slot_mapping, "fp8", k_scale, v_scale)
        call()                                  # what the op would do
        call(key=other_key, value=other_value)  # on these arrays, this time

    Args:
        op: a function of kvforge.ops, or of a module that kvforge.load has returned.
        args, kwargs: its arguments. Indices and scales have to be there and valid, as in a call.

    Raises:
        NotImplementedError: the op is not launched as a kernel (copies by the CUDA driver), or takes
            from host memory what a launch needs; or this torch tells C nothing of its tensors.
        TypeError: for a lazily negated tensor, also an input, besides what the op itself refuses.
        Else what the op raises.
    """
    if not isinstance(op, FunctionType) or not op.__module__.startswith("kvforge.ops."):
        raise TypeError(f"kvforge.prepare: op: got {op!r}, want a function of kvforge.ops")
    bound = inspect.signature(op).bind(*args, **kwargs)
    bound.apply_defaults()
    return Prepared(op, bound.arguments)


class _Place(NamedTuple):
    """Where the tensors of an argument are among those of the call."""

    what: str
    first: int
    number: int
    many: bool  # a list
    written: bool

    def hold(self, value: Any) -> list[Any]:
        """What goes to the binding for an array or for a list of them."""
        if self.many:
            _arrays.check_list(self.what, value)
        items = value if self.many else [value]
        if len(items) != self.number:
            raise ValueError(
                f"{self.what}: got {len(items)} arrays, want {self.number} as it was prepared with"
            )
        return [_arrays.hold(self.what, item, self.written) for item in items]


class Prepared:
    """A call of an op that `kvforge.prepare` has made, bound to its arrays.

    It keeps its arrays, so their memory stays. Each launch reads and writes what they hold then. Those
    that a launch is given by name take the place of the op's arguments of this name, for this launch
    alone; they have to be of the same dtype, shape, strides and device, and start at as round an
    address, up to 16 bytes. A list stands for all arrays of its argument.

    As in a plain call, CUDA work goes to the stream that is current at the launch, torch's or CuPy's by
    the arrays that the call was prepared with, also while it is captured; torch is told what is written;
    the GIL is released. Any number of threads may launch one prepared call at once, as far as their
    outputs differ, and forked processes may launch it on the CPU.

    What a plain call checks and this does not: that outputs given by name share no memory with inputs,
    and the values of scales. Indices out of range are skipped, not refused, and only CUDA counts them.
    Numbers, words and `set_programmatic` are those of the preparation. Memory of other libraries than
    torch has to stay where it is; a tensor of torch that has moved since is used where it lies.

    Raises TypeError and ValueError for arrays that are not as they were prepared with, RuntimeError for
    what autograd forbids and for the CUDA driver, and NotImplementedError for an array in whose place no
    other can be launched. Nothing is written then.
    """

    __slots__ = ("_arguments", "_op", "_places", "_run", "_single")

    def __init__(self, op: FunctionType, arguments: dict[str, Any]) -> None:
        name = f"{op.__module__.rpartition('.')[2]}__{op.__name__}"
        behind = [device] if (device := arguments.pop("device", None)) is not None else []
        self._op, self._arguments = op.__name__, arguments
        self._places: dict[str, _Place] = {}
        given: list[Any] = []
        first = 0
        for line in function("kvforge__arguments")(name).splitlines():
            kind, _, argument = line.partition(" ")
            what, value = f"{op.__name__}: {argument}", arguments[argument]
            if kind.startswith("Tensor"):
                many = "[]" in kind
                if many and value is not None:
                    _arrays.check_list(what, value)
                    value = arguments[argument] = tuple(value)  # the caller's own may change
                count = 1 if not many else 0 if value is None else len(value)
                place = _Place(what, first, count, many, "!" in kind)
                first += count
                if value is not None:
                    self._places[argument] = place
                    held = place.hold(value)
                    value = held if many else held[0]
            elif kind == "str":
                value = _arrays.text(what, value)
            given.append(value)
        arrays = self._places.items()
        self._single = {argument: place.first for argument, place in arrays if not place.many}
        self._run = function("kvforge__prepare")(name, *given, *behind)
        if self._run is True:
            self._explain({})
        outputs = [argument for argument, place in arrays if place.written]
        for argument in outputs or [argument for argument, _ in arrays][:1]:
            value = arguments[argument]
            for item in value if self._places[argument].many else (value,):
                self._run = _arrays.on_its_stream(self._run, item)

    def __call__(self, **arrays: Any) -> None:
        """Launches the call, with these arrays in place of those that it was prepared with."""
        if (self._run(*self._pairs(arrays)) if arrays else self._run()) is not None:
            self._explain(arrays)

    def __repr__(self) -> str:
        return f"<kvforge.Prepared {self._op}>"

    def _pairs(self, arrays: dict[str, Any]) -> list[Any]:
        """What the binding takes: the place of an array, and the array."""
        pairs: list[Any] = []
        single = self._single
        tensor: Any = _arrays.TENSOR
        for argument, value in arrays.items():
            if type(value) is tensor and argument in single:
                pairs += single[argument], value._cdata
                continue
            place = self._places.get(argument)
            if place is None:
                raise TypeError(
                    f"{self._op}: {argument}: no array of this call, want one of "
                    f"{', '.join(self._places)}"
                )
            for index, held in enumerate(place.hold(value), place.first):
                pairs += index, held
        return pairs

    def _explain(self, arrays: dict[str, Any]) -> None:
        """Raises what torch has against a tensor, or against one in its place."""
        for argument, place in self._places.items():
            place.hold(arrays.get(argument, self._arguments[argument]))
        raise TypeError(f"{self._op}: got a torch tensor that cannot be used as it lies")
