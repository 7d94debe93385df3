"""Operations: the nodes of a graph that Python's operators make, such as `x + y` and `x[:, -1]`.

They have no weights and no settings but a name, so they are not layers. As in Keras's files, each
is known by the name of its function.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import jax.numpy as jnp

from everystep import kinds
from everystep.core.naming import auto_name
from everystep.core.registry import Catalogue
from everystep.core.settings import Configurable, setting
from everystep.errors import PackedRowsError, SegmentsError
from everystep.kernels import product
from everystep.layers import symbols
from everystep.layers.combining import united
from everystep.layers.operators import OPERATIONS
from everystep.layers.symbols import Connected
from everystep.sequences import Steps


class Operation(Configurable, Connected, fills_settings=True):
    """A function of arrays as a node of a graph; a class for each function.

    Args:
        name: the operation's name; by default its class's, numbered.

    Raises:
        SegmentsError: the arguments carry segments that the result would lose.

    Example:
        >>> import everystep as es
        >>> x = es.Input((5, 3))
        >>> (1 - 2 * x)[:, -1].shape
        (None, 3)
    """

    name: str = setting(kinds.optional(kinds.NAME), default=None)

    function: ClassVar[Callable[..., Any]]

    def __init__(self, name: str | None = None) -> None:
        super().__init__(name)
        self.name = self.name or auto_name(type(self).__name__)

    @property
    def path(self) -> str:
        """Where the operation stands: it is in no layer."""
        return self.name

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Apply the function to arrays, `Steps` or symbols."""
        if symbols.has_symbols((args, kwargs)):
            return symbols.connect_operation(self, args, kwargs)
        steps = [leaf for leaf in args if isinstance(leaf, Steps)]
        values = [leaf.values if isinstance(leaf, Steps) else leaf for leaf in args]
        try:
            result = self.compute(*values, **kwargs)
        except Exception as error:
            error.add_note(f"in operation '{self.name}' ({type(self).__name__})")
            raise
        segments = self.compute_segments(*args) if steps else None
        if segments is None:
            return result
        if result.shape[:2] != segments.shape:
            raise SegmentsError(self._refused("would move the steps away from their mask"))
        return Steps(result, segments, packed=any(one.packed for one in steps))

    def compute(self, *args: Any) -> Any:
        """Apply the function to arrays."""
        return type(self).function(*args)

    def compute_segments(self, *args: Any) -> Any:
        """Return the segments of the result, given arguments of which some are `Steps`."""
        carriers = [one for one in args if isinstance(one, Steps)]
        packed = {one.packed for one in carriers}
        if len(packed) > 1:
            raise PackedRowsError(
                self._refused(
                    "was given packed rows, which hold several sequences, beside rows of one"
                )
            )
        who = f"operation '{self.name}' ({type(self).__name__})"
        return united(who, [one.segments for one in carriers], packed == {True})

    def _refused(self, why: str) -> str:
        return (
            f"operation '{self.name}' ({type(self).__name__}) {why}. Put it where there is no "
            "mask, or take the mask off first, in a Lambda or a layer of your own"
        )


class Matmul(Operation):
    """The product of matrices: `x @ w` on the last axis of `x`."""

    function = staticmethod(product)
    stepwise = True

    def compute_segments(self, *args: Any) -> Any:
        """Keep the segments of the left side; those of the right one, or a sum over steps, not."""
        left, right = args
        if isinstance(right, Steps) or left.ndim < 3:
            raise SegmentsError(self._refused("sums over steps and would lose their mask"))
        return left.segments


class GetItem(Operation):
    """A part of an array: `x[:, -1]`, `x[..., 2:5]`.

    One step of each row has no mask; a range of steps has the mask of those. In packed rows all
    steps must stay, because a range of a row is not that of each sequence in it.
    """

    def compute(self, x: Any, key: Any) -> Any:
        """Return `x[key]`."""
        return x[tuple(key) if isinstance(key, list) else key]

    def compute_segments(self, x: Any, key: Any) -> Any:
        """Take the same part of the segments."""
        rows, steps = _first_two(key, x.ndim)
        whole = slice(None)
        if not (isinstance(rows, slice) and isinstance(steps, slice | int)):
            raise SegmentsError(self._refused(f"with the key {key} would lose the mask"))
        if x.packed and not (rows == whole and steps == whole):
            raise PackedRowsError(
                self._refused(
                    "would take the same steps of every row, but packed rows hold several"
                    " sequences, each with steps of its own"
                )
            )
        return None if isinstance(steps, int) else x.segments[rows, steps]

    def why_not_stream(self, *args: Any, **kwargs: Any) -> str:
        """Why the operation does not stream: it does where it takes all steps, or the last."""
        key = kwargs.get("key", args[-1])
        rows, steps = _first_two(key, args[0].ndim)
        if rows == slice(None) and (steps == slice(None) or steps == -1):
            return ""
        return (
            f"takes the part {key} of the steps, which in a stream are not all there: take all "
            "steps, as x[:, :, 2:5] does, or the last one, x[:, -1]"
        )


def _first_two(key: Any, rank: int) -> list[Any]:
    """Return what a key says of the first two axes of an array."""
    parts = list(key) if isinstance(key, tuple | list) else [key]
    if ... in parts:
        place = parts.index(...)
        taken = sum(part is not None for part in parts) - 1
        parts[place : place + 1] = [slice(None)] * (rank - taken)
    return (parts + [slice(None)] * 2)[:2]


def _elementwise(name: str, function: Callable[..., Any]) -> type[Operation]:
    """Return the operation that applies a function to each element."""
    words = f"`jax.numpy.{function.__name__}` of each element."
    body = {
        "function": staticmethod(function),
        "stepwise": True,
        "__doc__": words,
        "__module__": __name__,
    }
    return type(name, (Operation,), body)


Absolute = _elementwise("Absolute", jnp.absolute)
Add = _elementwise("Add", jnp.add)
Divide = _elementwise("Divide", jnp.divide)
Equal = _elementwise("Equal", jnp.equal)
FloorDivide = _elementwise("FloorDivide", jnp.floor_divide)
Greater = _elementwise("Greater", jnp.greater)
GreaterEqual = _elementwise("GreaterEqual", jnp.greater_equal)
Less = _elementwise("Less", jnp.less)
LessEqual = _elementwise("LessEqual", jnp.less_equal)
LogicalAnd = _elementwise("LogicalAnd", jnp.logical_and)
LogicalNot = _elementwise("LogicalNot", jnp.logical_not)
LogicalOr = _elementwise("LogicalOr", jnp.logical_or)
LogicalXor = _elementwise("LogicalXor", jnp.logical_xor)
Mod = _elementwise("Mod", jnp.mod)
Multiply = _elementwise("Multiply", jnp.multiply)
Negative = _elementwise("Negative", jnp.negative)
NotEqual = _elementwise("NotEqual", jnp.not_equal)
Power = _elementwise("Power", jnp.power)
Subtract = _elementwise("Subtract", jnp.subtract)
TrueDivide = _elementwise("TrueDivide", jnp.true_divide)

CATALOGUE = Catalogue(
    "operation",
    OPERATIONS,
    [
        Absolute,
        Add,
        Divide,
        Equal,
        FloorDivide,
        GetItem,
        Greater,
        GreaterEqual,
        Less,
        LessEqual,
        LogicalAnd,
        LogicalNot,
        LogicalOr,
        LogicalXor,
        Matmul,
        Mod,
        Multiply,
        Negative,
        NotEqual,
        Power,
        Subtract,
        TrueDivide,
    ],
)
