"""Shapes without data: a layer run on shapes alone, with names for the sizes that are not known.

JAX itself computes every output shape, by `jax.eval_shape` over symbolic sizes, so no layer states
its own, and whether a layer needs a fixed number of steps is found out, never declared.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import jax
import jax.export
import jax.numpy as jnp

from everystep.core.randomness import Noise
from everystep.core.scope import Call, Scope
from everystep.errors import ShapeError
from everystep.kinds import WHOLE, Kind, reject
from everystep.sequences import Steps

if TYPE_CHECKING:
    from everystep.layers.layer import Layer

_AXIS_NAMES = ("batch", "steps")
# One scope for all, so that the batch of one input is the batch of another.
_SCOPE = jax.export.SymbolicScope()
# JAX leaves its own without types.
_abstract: Any = jax.ShapeDtypeStruct

SIZE = Kind(
    "a size of 0 or more",
    lambda value: value if jax.export.is_symbolic_dim(value) else WHOLE.parse(value),
    refused=(-1, 2.5, "3", None),
)


class Trace(NamedTuple):
    """What a layer gives for shapes: the outputs' shapes, and each call of a layer inside it."""

    outputs: Any
    calls: list[Call]


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


def _shapes(value: Any) -> Any:
    leaves = jax.tree.leaves(value, is_leaf=is_shape)
    whole = all(isinstance(leaf, tuple | list) for leaf in leaves)
    # A shape with a size that has a name comes apart, as JAX takes it for a tree.
    known = whole or any(jax.export.is_symbolic_dim(leaf) for leaf in leaves)
    sizes = [size for leaf in leaves if whole for size in leaf]
    least = min(filter(_is_size, sizes), default=0)
    return value if leaves and known and least >= 0 else reject(value)


def _is_size(size: Any) -> bool:
    return isinstance(size, int) and not isinstance(size, bool)


SHAPES = Kind(
    "a shape with its batch axis, such as (None, 50, 10), or a tree of shapes",
    _shapes,
    refused=(None, "text", 3, {}, (None, -1)),
    error=ShapeError,
)


def as_shape(value: Any) -> Any:
    """Return a shape that came from JSON, or a tree of shapes, with tuples for its lists of sizes.

    >>> as_shape([[None, 3], [None, 4]])
    [(None, 3), (None, 4)]
    """
    return jax.tree.map(tuple, value, is_leaf=is_shape)


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

    def spec(shape: Any, own: Any) -> Any:
        values = struct(shape, dtype or own)
        if segments is None:
            return values
        ids = _abstract(values.shape[:2], jnp.dtype("int32"))
        return Steps(values, ids, packed=segments == "packed")

    shapes, tree = jax.tree.flatten(input_shape, is_leaf=is_shape)
    dtypes = input_dtypes(layer, len(shapes))
    specs = [spec(*pair) for pair in zip(shapes, dtypes, strict=True)]
    inputs = jax.tree.unflatten(tree, specs)
    named = jax.tree.map(lambda shape: spec(shape, dtypes[0]), further or {}, is_leaf=is_shape)
    return trace_specs(layer, inputs, **named)


def input_dtypes(layer: Layer, count: int) -> list[Any]:
    """Return the dtypes that a layer expects of so many inputs."""
    expected: Any = layer.input_dtype
    if isinstance(expected, str) or len(expected) != count:
        return [expected if isinstance(expected, str) else expected[0]] * count
    return list(expected)


def trace_specs(layer: Layer, *args: Any, **kwargs: Any) -> Trace:
    """Run a layer on trees of `jax.ShapeDtypeStruct`; arguments of other kinds are as they are.

    One object stands for one array: what the layer gives on as it is, such as segments, comes out
    as the object that went in.
    """
    scope = Scope(noise=Noise(jax.random.key(0), 0), recording=True)
    leaves, tree = jax.tree.flatten((args, kwargs))
    specs = list({id(leaf): leaf for leaf in leaves if is_spec(leaf)}.values())
    given_on: list[Any] = []

    def run(arrays: list[Any]) -> Any:
        of_spec = {id(spec): array for spec, array in zip(specs, arrays, strict=True)}
        of_array = {id(array): spec for spec, array in zip(specs, arrays, strict=True)}
        args, kwargs = jax.tree.unflatten(tree, [of_spec.get(id(leaf), leaf) for leaf in leaves])
        with scope.active():
            outputs = layer(*args, **kwargs)
        given_on.extend(of_array.get(id(leaf)) for leaf in jax.tree.leaves(outputs))
        return outputs

    found, structure = jax.tree.flatten(jax.eval_shape(run, specs))
    kept = [new if old is None else old for old, new in zip(given_on, found, strict=True)]
    return Trace(jax.tree.unflatten(structure, kept), scope.calls)


def is_spec(value: Any) -> bool:
    """Whether a value is the shape and dtype of an array."""
    return isinstance(value, jax.ShapeDtypeStruct)


def without_relations(spec: Any) -> Any:
    """Return a shape and dtype in which each unknown size is that of its axis, whatever it was.

    >>> half = jax.export.symbolic_shape("floordiv(steps, 2)")
    >>> without_relations(jax.ShapeDtypeStruct((3, *half), "float32")).shape
    (3, steps)
    """
    return struct(known(tuple(spec.shape)), spec.dtype) if is_spec(spec) else spec


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
