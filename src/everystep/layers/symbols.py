"""Symbols: arrays without values, which remember the calls of layers that they come from.

A layer that is called on symbols gives symbols. Each such call is a `Node`; nodes and symbols
together are the graph from which a functional model is made.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NoReturn, Self

import jax
import jax.numpy as jnp
from jax.errors import InconclusiveDimensionOperation

from everystep.core.dtypes import ARRAY_DTYPE
from everystep.core.naming import auto_name
from everystep.errors import DataError, StateError
from everystep.kinds import SHAPE, checked
from everystep.layers import symbolic
from everystep.layers.operators import SymbolOperators
from everystep.layers.streamed import Streamed
from everystep.sequences import Steps

if TYPE_CHECKING:
    from everystep.layers.layer import Layer


class KerasTensor(SymbolOperators):
    """A symbol: an array of which shape and dtype are known, and which call of a layer gives it.

    Layers called on symbols give symbols, and so do Python's operators. `Input` makes the first.

    Args:
        shape: the shape with its batch axis, None where a size is not known.
        dtype: the dtype.
        sparse: taken for compatibility.
        ragged: taken for compatibility.
        record_history: taken for compatibility.
        name: the symbol's name.

    Example:
        >>> import everystep as es
        >>> es.layers.Dense(5)(es.Input((50, 10))).shape
        (None, 50, 5)
    """

    @checked(shape=SHAPE, dtype=ARRAY_DTYPE)
    def __init__(
        self,
        shape: Any,
        dtype: Any = "float32",
        sparse: bool = False,
        ragged: bool = False,
        record_history: bool = True,
        name: str | None = None,
    ) -> None:
        self.spec = symbolic.struct(tuple(shape), dtype)
        self.node: Node | None = None
        self.position = 0
        self.name = name or auto_name("KerasTensor")
        self.sparse = self.ragged = False

    @classmethod
    def of(cls, spec: Any, name: str | None = None) -> Self:
        """Return the symbol of an array, or of `Steps`, of which shape and dtype are known."""
        symbol = cls((), name=name)
        symbol.spec = spec
        return symbol

    @property
    def shape(self) -> tuple[int | None, ...]:
        """The shape, None where a size is not known."""
        return symbolic.shape_of(self.spec)  # type: ignore[no-any-return]

    @property
    def ndim(self) -> int:
        """The rank."""
        return len(self.shape)

    rank = ndim

    @property
    def dtype(self) -> str:
        """The dtype."""
        return str(jnp.dtype(self.spec.dtype))

    def __repr__(self) -> str:
        return (
            f"<KerasTensor shape={self.shape}, dtype={self.dtype}, sparse=False, ragged=False, "
            f"name={self.name}>"
        )

    def _has_no_values(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise DataError(
            f"{self} is a symbol: it has a shape and a dtype, but no values, so functions of "
            "jax.numpy and NumPy cannot take it, and it cannot become a number. Put the function "
            "into a layer and call that: Lambda(function)(x), or a Layer of your own with the "
            "function in its call. Python's operators, such as x + y and x[:, -1], work as they are"
        )

    __array__ = __iter__ = __len__ = __bool__ = __int__ = __float__ = __index__ = _has_no_values

    @property
    def __jax_array__(self) -> Any:
        """What JAX asks for where it is given a symbol: the error that names the cure."""
        return self._has_no_values()


class Node:
    """One call of a layer on symbols: what went in and what came out.

    Args:
        layer: the layer, or operation.
        args: what it was given by place.
        kwargs: what it was given by name.
        outputs: the shapes and dtypes of what it gives, in the tree that it gives them in.

    Attributes:
        inputs: the symbols among the arguments.
        outputs: the symbols that came out, in the order of the tree.
    """

    def __init__(
        self, layer: Connected, args: tuple[Any, ...], kwargs: dict[str, Any], outputs: Any
    ) -> None:
        self.layer = layer
        self.args = args
        self.kwargs = kwargs
        self.inputs = symbols_in((args, kwargs))
        self.structure: Any
        leaves, self.structure = jax.tree.flatten(outputs, is_leaf=_is_steps)
        self.outputs = [KerasTensor.of(leaf) for leaf in leaves]
        for position, symbol in enumerate(self.outputs):
            symbol.node, symbol.position = self, position
        layer.nodes.append(self)

    @property
    def result(self) -> Any:
        """The symbols that came out, in the tree in which the layer gives its outputs."""
        return jax.tree.unflatten(self.structure, self.outputs)

    def listed(self, outputs: Any) -> list[Any]:
        """Return outputs that the layer gave for values in the order of the symbols' tree."""
        return list(self.structure.flatten_up_to(outputs))

    def filled(self, values: Mapping[KerasTensor, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """Return the arguments with values, or other symbols, in place of the symbols."""
        return replaced((self.args, self.kwargs), values)  # type: ignore[no-any-return]


class Connected(Streamed):
    """What can stand in a graph: a layer or an operation, and the calls of it on symbols."""

    name: str
    nodes: list[Node]

    first_call: int = 0
    """The number that files give to the first call."""

    def __new__(cls, *args: Any, **kwargs: Any) -> Self:
        """Start without any call."""
        self = super().__new__(cls)
        self.nodes = []
        return self

    @property
    def input(self) -> Any:
        """The symbol, or list of symbols, that the layer was called on first.

        Raises:
            StateError: it was never called on symbols.
        """
        return _one_or_all(self._first_node("input").inputs)

    @property
    def output(self) -> Any:
        """The symbol, or list of symbols, that the first call on symbols gave.

        Raises:
            StateError: the layer was never called on symbols.
        """
        return _one_or_all(self._first_node("output").outputs)

    def output_specs(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Return the shapes and dtypes of the outputs for those of the arguments."""
        return traced(self, args, kwargs)

    def _first_node(self, what: str) -> Node:
        if not self.nodes:
            raise StateError(
                f"The layer {self.name} has never been called and thus has no defined {what}: "
                f"call it on a symbol, {self.name}(Input(shape)), or put it into a model that "
                "starts with an Input"
            )
        return self.nodes[0]

    def __getstate__(self) -> dict[str, Any]:
        """Leave the calls out of copies: they belong to the graph that the layer stands in."""
        return {**vars(self), "nodes": []}


def _is_steps(value: Any) -> bool:
    return isinstance(value, Steps)


def _one_or_all(symbols: list[KerasTensor]) -> Any:
    return symbols[0] if len(symbols) == 1 else list(symbols)


def symbols_in(tree: Any) -> list[KerasTensor]:
    """Return the symbols of a tree, in its order."""
    return [leaf for leaf in jax.tree.leaves(tree) if isinstance(leaf, KerasTensor)]


def has_symbols(tree: Any) -> bool:
    """Whether a tree holds a symbol."""
    return any(isinstance(leaf, KerasTensor) for leaf in jax.tree.leaves(tree))


def replaced(tree: Any, values: Mapping[KerasTensor, Any]) -> Any:
    """Return a tree with a value for each of its symbols; those without a value stay."""
    return jax.tree.map(
        lambda leaf: values.get(leaf, leaf) if isinstance(leaf, KerasTensor) else leaf, tree
    )


def connect(layer: Layer, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Call a layer on symbols and return the symbols of its outputs."""
    kwargs = {name: value for name, value in kwargs.items() if value is not None}
    first = args[0] if args else kwargs.get(layer.call_signature.first)
    specs = {symbol: symbol.spec for symbol in symbols_in((args, kwargs))}
    inputs = symbols_in(first)
    for symbol, dtype in zip(inputs, symbolic.input_dtypes(layer, len(inputs)), strict=True):
        specs[symbol] = _spec_of_input(symbol, dtype)
    outputs = layer.output_specs(*replaced((args, kwargs), specs))
    return Node(layer, args, kwargs, outputs).result


def connect_operation(operation: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Call an operation on symbols and return the symbol of its result."""
    specs = {symbol: symbol.spec for symbol in symbols_in((args, kwargs))}
    outputs = operation.output_specs(*replaced((args, kwargs), specs))
    return Node(operation, args, kwargs, outputs).result


def _spec_of_input(symbol: KerasTensor, dtype: str) -> Any:
    """Return what a layer that expects this dtype gets for a symbol.

    An `Input` of no given dtype takes the layer's; one that feeds ids holds integers, whatever
    dtype it was given, as files of Keras say float32 of it.
    """
    if symbol.node is None or symbol.node.inputs:
        return symbol.spec
    given = symbol.node.layer.given_dtype  # type: ignore[attr-defined]
    whole = jnp.issubdtype(jnp.dtype(dtype), jnp.integer)
    if given is not None and not whole:
        return symbol.spec
    spec = jax.ShapeDtypeStruct(symbol.spec.shape, jnp.dtype(dtype))  # type: ignore[no-untyped-call]
    if whole:
        symbol.spec = spec
    return spec


def traced(layer: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Return the shapes and dtypes of what a layer gives for those of its arguments.

    Sizes that follow from others, such as half the steps, keep that relation. Where it is in the
    way, because two sizes might or might not be equal, only the axis counts, as in Keras; and where
    one array has a size and another does not know its own, that is the size.
    """
    readings = [(args, kwargs)]
    for loosened in (_without_relations, _with_known_sizes):
        loose = loosened(readings[-1])
        if loose != readings[-1]:
            readings.append(loose)
    for by_place, by_name in readings[:-1]:
        try:
            return symbolic.trace_specs(layer, *by_place, **by_name).outputs
        except (TypeError, DataError, InconclusiveDimensionOperation):
            continue
    return symbolic.trace_specs(layer, *readings[-1][0], **readings[-1][1]).outputs


def _without_relations(tree: Any) -> Any:
    return jax.tree.map(symbolic.without_relations, tree)


def _with_known_sizes(tree: Any) -> Any:
    """Return arguments in which a size that is not known is the one of the others on its axis."""
    specs = [leaf for leaf in jax.tree.leaves(tree) if symbolic.is_spec(leaf)]
    sizes: dict[int, Any] = {}
    for spec in specs:
        sizes |= {
            axis: size
            for axis, size in enumerate(spec.shape)
            if isinstance(size, int) and size != 1
        }

    def sized(leaf: Any) -> Any:
        if not symbolic.is_spec(leaf):
            return leaf
        shape = enumerate(symbolic.known(tuple(leaf.shape)))
        return symbolic.struct(
            [sizes.get(axis) if size is None else size for axis, size in shape], leaf.dtype
        )

    return jax.tree.map(sized, tree)
