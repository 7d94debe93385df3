"""Shapes without data: a layer run on shapes alone, with names for the sizes that are not known.

JAX itself computes every output shape, by `jax.eval_shape` over symbolic sizes, so no layer states
its own, and whether a layer needs a fixed number of steps is found out, never declared.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import jax
import jax.export
import jax.numpy as jnp

from everystep.core.randomness import Noise
from everystep.core.scope import Scope
from everystep.sequences import Steps

if TYPE_CHECKING:
    from everystep.layers.layer import Layer

_AXIS_NAMES = ("batch", "steps")
# One scope for all, so that the batch of one input is the batch of another.
_SCOPE = jax.export.SymbolicScope()
# JAX leaves its own without types.
_abstract: Any = jax.ShapeDtypeStruct


class Trace(NamedTuple):
    """What a layer gives for shapes: the outputs' shapes, and each call of a layer inside it."""

    outputs: Any
    calls: list[tuple[Any, Any, Any]]


def struct(shape: Any, dtype: Any) -> Any:
    """Return an array's shape and dtype, with a name for each size that is None.

    >>> struct((None, 50, 10), "float32").shape
    (batch, 50, 10)
    """
    names = [*_AXIS_NAMES, *(f"size_{axis}" for axis in range(len(_AXIS_NAMES), len(shape)))]
    written = [
        name if size is None else str(size)
        for name, size in zip(names[: len(shape)], shape, strict=True)
    ]
    sizes = jax.export.symbolic_shape(", ".join(written), scope=_SCOPE)
    return _abstract(sizes, jnp.dtype(dtype))


def is_shape(value: Any) -> bool:
    """Whether a value is one shape: a tuple or list of sizes, None where unknown."""
    return isinstance(value, tuple | list) and all(
        size is None or isinstance(size, int) for size in value
    )


def trace(
    layer: Layer,
    input_shape: Any,
    further: dict[str, Any] | None = None,
    *,
    dtype: Any = None,
    segments: Any = None,
) -> Trace:
    """Run a layer on shapes alone; it is built on the way, if it is new.

    Args:
        layer: the layer.
        input_shape: the input's shape, or a tree of shapes; None where a size is not known.
        further: the shapes of further arguments of its `call`, by name.
        dtype: the input's dtype; the one that the layer expects by default.
        segments: None, "rows" or "packed": whether the input carries segments, and which.
    """
    dtype = dtype or layer.input_dtype

    def spec(shape: Any) -> Any:
        values = struct(shape, dtype)
        if segments is None:
            return values
        ids = _abstract(values.shape[:2], jnp.dtype("int32"))
        return Steps(values, ids, packed=segments == "packed")

    inputs, further = jax.tree.map(spec, (input_shape, further or {}), is_leaf=is_shape)
    return trace_specs(layer, inputs, **further)


def trace_specs(layer: Layer, inputs: Any, *args: Any, **kwargs: Any) -> Trace:
    """Run a layer on trees of `jax.ShapeDtypeStruct`; arguments of other kinds are as they are."""
    scope = Scope(noise=Noise(jax.random.key(0), 0), recording=True)
    leaves, tree = jax.tree.flatten((inputs, args, kwargs))
    places = [place for place, leaf in enumerate(leaves) if is_spec(leaf)]

    def run(arrays: list[Any]) -> Any:
        filled = list(leaves)
        for place, array in zip(places, arrays, strict=True):
            filled[place] = array
        values, args, kwargs = jax.tree.unflatten(tree, filled)
        with scope.active():
            return layer(values, *args, **kwargs)

    outputs = jax.eval_shape(run, [leaves[place] for place in places])
    return Trace(outputs, scope.calls)


def is_spec(value: Any) -> bool:
    """Whether a value is the shape and dtype of an array."""
    return isinstance(value, jax.ShapeDtypeStruct)


def raw_shape_of(tree: Any) -> Any:
    """Return the shape of each array of a tree, unknown sizes as JAX writes them."""
    return jax.tree.map(lambda array: tuple(array.shape), tree)


def shape_of(tree: Any) -> Any:
    """Return the shape of each array of a tree, None where a size is not known."""
    return jax.tree.map(
        lambda array: known(tuple(array.shape)),
        tree,
        is_leaf=lambda leaf: isinstance(leaf, Steps),
    )


def known(shape: Any) -> Any:
    """Return a shape, or a tree of shapes, with None for each size that is not a number."""
    if isinstance(shape, tuple | list):
        return type(shape)(known(item) for item in shape)
    if isinstance(shape, dict):
        return {name: known(item) for name, item in shape.items()}
    return shape if isinstance(shape, int) else None


def written(shape: Any) -> str:
    """Return a shape as text, without quotes around symbolic sizes."""
    if isinstance(shape, tuple) and not any(isinstance(size, tuple | list) for size in shape):
        return f"({', '.join(str(size) for size in shape)}{',' if len(shape) == 1 else ''})"
    return str(shape)


def is_traced(tree: Any) -> bool:
    """Whether an array of a tree stands for values that are not known yet."""
    return any(isinstance(leaf, jax.core.Tracer) for leaf in jax.tree.leaves(tree))


@dataclass(eq=False)
class KerasTensor:
    """A symbol: an array of which shape and dtype are known, and which layer gives it.

    Layers called on symbols give symbols. `Input` makes the first one.
    """

    spec: Any
    producer: Any = None
    arguments: tuple[Any, tuple[Any, ...], dict[str, Any]] | None = None
    position: int = 0
    name: str = ""

    @property
    def shape(self) -> tuple[int | None, ...]:
        """The shape, None where a size is not known."""
        return shape_of(self.spec)  # type: ignore[no-any-return]

    @property
    def ndim(self) -> int:
        """The rank."""
        return len(self.shape)

    @property
    def dtype(self) -> str:
        """The dtype."""
        return str(jnp.dtype(self.spec.dtype))

    def __repr__(self) -> str:
        return f"<KerasTensor shape={self.shape}, dtype={self.dtype}, name={self.name}>"


def has_symbols(tree: Any) -> bool:
    """Whether a tree holds a symbol."""
    return any(isinstance(leaf, KerasTensor) for leaf in jax.tree.leaves(tree))


def _spec_for(layer: Layer, leaf: Any) -> Any:
    """Return a symbol's shape and dtype; an input of no given dtype takes the layer's."""
    if not isinstance(leaf, KerasTensor):
        return leaf
    if leaf.arguments is None and leaf.producer.given_dtype is None:
        return _abstract(leaf.spec.shape, jnp.dtype(layer.input_dtype))
    return leaf.spec


def connect(layer: Layer, inputs: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Call a layer on symbols and return the symbols of its outputs."""
    kwargs = {name: value for name, value in kwargs.items() if value is not None}
    given = (inputs, args, kwargs)
    specs = jax.tree.map(lambda leaf: _spec_for(layer, leaf), given)
    outputs = trace_specs(layer, specs[0], *specs[1], **specs[2]).outputs
    leaves, tree = jax.tree.flatten(outputs, is_leaf=lambda leaf: isinstance(leaf, Steps))
    symbols = [
        KerasTensor(leaf, layer, given, position, layer.name)
        for position, leaf in enumerate(leaves)
    ]
    return jax.tree.unflatten(tree, symbols)
