"""Variables: the weights and states of layers, usable wherever JAX takes an array."""

from __future__ import annotations

import operator
from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from everystep.core.dtypes import is_float
from everystep.core.scope import current_scope
from everystep.errors import ShapeError


@jax.tree_util.register_pytree_node_class
class Variable:
    """A named array that a layer owns: a weight, or a state such as a running mean.

    It goes wherever `jax.numpy` takes an array; `jax.lax` wants `variable.value`. Inside a run of
    `everystep.apply` its value is the one that was handed to `apply`.

    Args:
        value: the first value, anything that `jax.numpy.asarray` takes.
        name: the variable's own name, such as `kernel`.
        path: where it stands, such as `sequential/dense/kernel`.
        trainable: whether training changes it.
        regularizer: a function of the value that is added to the loss.
        constraint: a function of the value that is applied after each update.
        dtype: the dtype to keep the value in.
        redraw: gives first values for a variable like this one at another path.

    Attributes:
        temporary: whether it is a state that lasts from call to call but is no weight to save.

    Example:
        >>> import jax.numpy as jnp
        >>> scale = Variable([1.0, 2.0, 3.0], name="scale")
        >>> float(jnp.sum(scale)), scale.shape
        (6.0, (3,))
    """

    def __init__(
        self,
        value: Any,
        *,
        name: str = "variable",
        path: str | None = None,
        trainable: bool = True,
        regularizer: Callable[[Any], Any] | None = None,
        constraint: Callable[[Any], Any] | None = None,
        dtype: Any = None,
        redraw: Callable[[str], Any] | None = None,
    ) -> None:
        # A layer may be built while JAX traces it; its weights are real all the same.
        with jax.ensure_compile_time_eval():
            self._value = jnp.asarray(value, dtype)
        self.name = name
        self.path = path or name
        self.trainable = trainable
        self.regularizer = regularizer
        self.constraint = constraint
        self.redraw = redraw
        self.temporary = False
        self._lent = False

    @property
    def value(self) -> Any:
        """The array: in a run the one that the run gives, cast to what the layer computes in."""
        scope = current_scope()
        if scope is None:
            self._lent = True
            return self._value
        value = scope.value_of(self)
        value = self._value if value is None else value
        if scope.compute_dtype is not None and is_float(value):
            return value.astype(scope.compute_dtype)
        return value

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the value."""
        return tuple(self._value.shape)

    @property
    def ndim(self) -> int:
        """The rank of the value."""
        return len(self.shape)

    @property
    def size(self) -> int:
        """The number of elements."""
        return int(np.prod(self.shape))

    @property
    def dtype(self) -> Any:
        """The dtype that the value is kept in."""
        return self._value.dtype

    @property
    def nbytes(self) -> int:
        """The number of bytes of the value."""
        return self.size * int(np.dtype(self.dtype).itemsize)

    def numpy(self) -> np.ndarray[Any, Any]:
        """Return a copy of the value as a NumPy array."""
        return np.array(self._value)

    def assign(self, value: Any) -> None:
        """Give the variable a new value of the same shape.

        Inside a run the new value belongs to the run, which returns it as part of its new state.

        Raises:
            ShapeError: the new value has another shape.
        """
        value = jnp.asarray(value, self.dtype)
        if tuple(value.shape) != self.shape:
            raise ShapeError(
                f"weight '{self.path}' has shape {self.shape} and cannot take a value of shape "
                f"{tuple(value.shape)}"
            )
        scope = current_scope()
        if scope is None:
            self.set_own(value)
        else:
            scope.updates[id(self)] = (self, value)

    def set_own(self, value: Any) -> None:
        """Replace the variable's own value, of whatever shape, outside of any run."""
        self._value = value
        self._lent = False

    def stack(self, count: int) -> None:
        """Give the variable a leading axis: first values of `count` variables like this one.

        The regularizer and constraint go on treating each of them alone.
        """
        with jax.ensure_compile_time_eval():
            values = [
                self._value if self.redraw is None else jnp.asarray(self.redraw(f"{self.path}/{i}"))
                for i in range(count)
            ]
            self.set_own(jnp.stack(values))
        if self.regularizer is not None:
            self.regularizer = partial(_sum_of_each, self.regularizer)
        if self.constraint is not None:
            self.constraint = partial(_each, self.constraint)
        if self.redraw is not None:
            self.redraw = partial(_redraw_each, self.redraw, count)

    def own(self) -> Any:
        """Return the variable's own value for a step that will overwrite its memory.

        A value that somebody read through `value` may still be held, so then a copy is returned.
        """
        return jnp.array(self._value) if self._lent else self._value

    def peek(self) -> Any:
        """Return the variable's own value for reading at once, not for keeping."""
        return self._value

    def __jax_array__(self) -> Any:
        return self.value

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray[Any, Any]:
        return np.array(self.value, dtype)

    def __getitem__(self, index: Any) -> Any:
        return self.value[index]

    def __len__(self) -> int:
        return len(self.value)

    def __neg__(self) -> Any:
        return -self.value

    def __repr__(self) -> str:
        kind = "" if self.trainable else ", trainable=False"
        return f"<Variable '{self.path}' shape={self.shape} dtype={self.dtype}{kind}>"

    def tree_flatten(self) -> tuple[tuple[Any], tuple[str, str, bool]]:
        """Give JAX the value as the one leaf."""
        return (self.value,), (self.name, self.path, self.trainable)

    @classmethod
    def tree_unflatten(cls, fixed: tuple[str, str, bool], leaves: tuple[Any]) -> Variable:
        """Return a variable that holds the leaf, whatever JAX put there."""
        variable = object.__new__(cls)
        variable.name, variable.path, variable.trainable = fixed
        variable.regularizer = variable.constraint = variable.redraw = None
        variable._value = leaves[0]
        variable.temporary = variable._lent = False
        return variable


# Functions of the module, not lambdas, so that a layer with stacked variables can be pickled.


def _each(function: Callable[[Any], Any], stacked: Any) -> Any:
    return jax.vmap(function)(stacked)


def _sum_of_each(function: Callable[[Any], Any], stacked: Any) -> Any:
    return jnp.sum(jax.vmap(function)(stacked))


def _redraw_each(redraw: Callable[[str], Any], count: int, path: str) -> Any:
    return np.stack([redraw(f"{path}/{i}") for i in range(count)])


def _forward(name: str) -> Callable[..., Any]:
    function = getattr(operator, name)

    def method(self: Variable, other: Any) -> Any:
        return function(self.value, other)

    return method


def _reflected(name: str) -> Callable[..., Any]:
    function = getattr(operator, name)

    def method(self: Variable, other: Any) -> Any:
        return function(jnp.asarray(other), self.value)

    return method


for _name in ("add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "matmul"):
    setattr(Variable, f"__{_name}__", _forward(f"__{_name}__"))
    setattr(Variable, f"__r{_name}__", _reflected(f"__{_name}__"))
for _name in ("lt", "le", "gt", "ge"):
    setattr(Variable, f"__{_name}__", _forward(f"__{_name}__"))
# NumPy must leave `array @ variable` to us instead of taking the variable for a scalar.
Variable.__array_ufunc__ = None  # type: ignore[attr-defined]
