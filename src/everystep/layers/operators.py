"""Python's operators on symbols: each makes the operation of its name and calls it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from everystep.core.registry import named

OPERATIONS = "keras.src.ops.numpy"
"""What Keras's files call the family of operations."""


def _alone(name: str) -> Callable[[Any], Any]:
    def method(self: Any) -> Any:
        return named(OPERATIONS, name)(self)

    return method


def _left(name: str) -> Callable[[Any, Any], Any]:
    def method(self: Any, other: Any) -> Any:
        return named(OPERATIONS, name)(self, other)

    return method


def _right(name: str) -> Callable[[Any, Any], Any]:
    def method(self: Any, other: Any) -> Any:
        return named(OPERATIONS, name)(other, self)

    return method


class SymbolOperators:
    """The operators of a symbol. `==` is none of them, as in Keras: it asks for identity."""

    # NumPy must leave `array + symbol` to us instead of taking the symbol for a scalar.
    __array_ufunc__ = None

    __add__, __radd__ = _left("Add"), _right("Add")
    __sub__, __rsub__ = _left("Subtract"), _right("Subtract")
    __mul__, __rmul__ = _left("Multiply"), _right("Multiply")
    __truediv__, __rtruediv__ = _left("TrueDivide"), _right("TrueDivide")
    __floordiv__, __rfloordiv__ = _left("FloorDivide"), _right("FloorDivide")
    __mod__, __rmod__ = _left("Mod"), _right("Mod")
    __pow__, __rpow__ = _left("Power"), _right("Power")
    __matmul__, __rmatmul__ = _left("Matmul"), _right("Matmul")
    # Keras's reading: of truth values, not of bits.
    __and__, __rand__ = _left("LogicalAnd"), _right("LogicalAnd")
    __or__, __ror__ = _left("LogicalOr"), _right("LogicalOr")
    __xor__, __rxor__ = _left("LogicalXor"), _right("LogicalXor")

    __ne__: Any = _left("NotEqual")
    __lt__, __le__ = _left("Less"), _left("LessEqual")
    __gt__, __ge__ = _left("Greater"), _left("GreaterEqual")
    __hash__ = object.__hash__

    __neg__, __abs__, __invert__ = _alone("Negative"), _alone("Absolute"), _alone("LogicalNot")
    __getitem__ = _left("GetItem")
