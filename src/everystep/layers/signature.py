"""What a layer's `call` and `build` name as parameters, and so what they are handed."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from everystep.errors import DataError

# The layer's own business, which nobody passes by place.
_HANDED = ("segments", "packed")


@dataclass(frozen=True)
class CallSignature:
    """The parameters of a layer's `call`, and the shapes that its `build` takes.

    Args:
        parameters: all parameters of `call`.
        places: those that can be given by place, in order; the first one is the layer's input.
        shapes: the arguments of `call` whose shapes `build` takes besides the input's.
        decisive: the arguments of `call` on which the output's segments depend besides the input.

    Example:
        >>> def call(self, query, value, query_mask=None, value_segments=None): ...
        >>> def build(self, query_shape, value_shape): ...
        >>> def compute_segments(self, inputs, segments, packed=False): ...
        >>> signature = CallSignature.of(call, build, compute_segments)
        >>> signature.first, signature.places, signature.shapes, signature.decisive
        ('query', ('query', 'value', 'query_mask'), ('value',), ('packed',))
    """

    parameters: frozenset[str]
    places: tuple[str, ...]
    shapes: tuple[str, ...]
    decisive: tuple[str, ...]

    @classmethod
    def of(
        cls,
        call: Callable[..., Any],
        build: Callable[..., Any],
        compute_segments: Callable[..., Any],
    ) -> CallSignature:
        """Read the parameters of a class's `call`, `build` and `compute_segments`."""
        by_place = [name for name in _named(call, by_place=True) if not _is_handed(name)]
        shapes = [name.removesuffix("_shape") for name in _named(build)[1:]]
        return cls(
            frozenset(_named(call)),
            tuple(by_place),
            tuple(name for name in shapes if name in by_place),
            tuple(_named(compute_segments)[2:]),
        )

    @property
    def first(self) -> str:
        """The name of the layer's input."""
        return self.places[0] if self.places else "inputs"

    def named(self, what: str) -> str | None:
        """Return the parameter that takes the input's mask or segments, or None."""
        for name in (what, f"{self.first}_{what}"):
            if name in self.parameters:
                return name
        return None

    def arranged(
        self, layer: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> tuple[Any, tuple[Any, ...], dict[str, Any]]:
        """Return the input, what has no name, and the rest by name.

        Raises:
            DataError: there is no input.
        """
        kwargs = dict(kwargs)
        if args:
            inputs, *args_left = args
        elif self.first in kwargs:
            inputs, args_left = kwargs.pop(self.first), []
        else:
            raise DataError(
                f"layer '{layer.path}' ({type(layer).__name__}) was called without its input "
                f"'{self.first}'"
            )
        names = self.places[1:]
        kwargs |= dict(zip(names, args_left, strict=False))
        return inputs, tuple(args_left[len(names) :]), kwargs


def _named(function: Callable[..., Any], by_place: bool = False) -> list[str]:
    """Return the names of a method's parameters without `self`, `*args` and `**kwargs`."""
    parameters = list(inspect.signature(function).parameters.values())[1:]
    places = {inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD}
    kinds = places if by_place else places | {inspect.Parameter.KEYWORD_ONLY}
    return [parameter.name for parameter in parameters if parameter.kind in kinds]


def _is_handed(name: str) -> bool:
    return name in _HANDED or name.endswith(("_segments", "_packed"))
