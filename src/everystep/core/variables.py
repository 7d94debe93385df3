"""Variables: the weights and states of layers, usable wherever JAX takes an array."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from functools import partial
from typing import Any, ClassVar

import jax
import jax.numpy as jnp
import numpy as np

from everystep.core.defaults import floatx
from everystep.core.dtypes import is_float
from everystep.core.naming import auto_name, path_of
from everystep.core.operators import ArrayOperators
from everystep.core.registry import named
from everystep.core.scope import Scope, current_scope, refuse_traced
from everystep.core.tables import taken
from everystep.errors import SettingError, ShapeError
from everystep.kinds import ARRAY, FUNCTION, SIZES, Kind, checked, optional, shown

_numbers = itertools.count()
# That of keys of random numbers as well, which NumPy does not know.
_DTYPE = Kind("the dtype of an array", jnp.dtype, refused=("float7", 3.5))


@jax.tree_util.register_pytree_node_class
class Variable(ArrayOperators):
    """A named array that a layer owns: a weight, or a state such as a running mean.

    It goes wherever `jax.numpy` and NumPy take an array; `jax.lax` wants `variable.value`. Inside a
    run of `everystep.apply` its value is the one that was handed to `apply`.

    Args:
        initializer: the first value, anything that `jax.numpy.asarray` takes; or how to draw it:
            the name of an initializer, an initializer, or a function `(shape, dtype) -> array`.
        shape: the shape, where the first value is drawn.
        dtype: the dtype to keep the value in; by default the value's own, or that of
            `config.floatx()` where it is drawn.
        trainable: whether training changes it.
        autocast: whether a layer with a mixed policy casts it before computing.
        aggregation: how the values of several devices are put together; one process sees all.
        synchronization: when the values of several devices are put together.
        name: the variable's own name, such as `kernel`; by default `variable`, numbered.
        path: where it stands, such as `sequential/dense/kernel`.
        regularizer: a function of the value that is added to the loss.
        constraint: a function of the value that is applied after each update.
        redraw: gives first values for a variable like this one at another path.

    Attributes:
        temporary: whether it is a state that lasts from call to call but is no weight to save.
        made_trainable: whether it was made to be trained, though its layer may be frozen now.
        number: how many variables were made before.

    Raises:
        SettingError: the name is not one, there is no such initializer, or it lacks a shape.

    Example:
        >>> import jax.numpy as jnp
        >>> scale = Variable([1.0, 2.0, 3.0], name="scale")
        >>> float(jnp.sum(scale)), scale.shape, scale.dtype == "float32"
        (6.0, (3,), True)
    """

    @checked(
        dtype=optional(_DTYPE),
        regularizer=optional(FUNCTION),
        constraint=optional(FUNCTION),
        redraw=optional(FUNCTION),
    )
    def __init__(
        self,
        initializer: Any,
        shape: Any = None,
        dtype: Any = None,
        trainable: bool = True,
        autocast: bool = True,
        aggregation: str = "none",
        synchronization: str = "auto",
        name: str | None = None,
        *,
        path: str | None = None,
        regularizer: Callable[[Any], Any] | None = None,
        constraint: Callable[[Any], Any] | None = None,
        redraw: Callable[[str], Any] | None = None,
    ) -> None:
        self.name = _checked(name or auto_name("variable"))
        self.path = path or path_of(self.name)
        # A layer may be built while JAX traces it; its weights are real all the same.
        with jax.ensure_compile_time_eval():
            self._value = _first_value(initializer, shape, dtype, self.path)
        self.trainable = self.made_trainable = bool(trainable)
        self.number = next(_numbers)
        self.autocast = bool(autocast)
        self.aggregation = aggregation
        self.synchronization = synchronization
        self.regularizer = regularizer
        self.constraint = constraint
        self.redraw = redraw
        self.overwrite_with_gradient = False
        self.temporary = False
        # Whoever made the array that it starts from may hold it still.
        self._lent = isinstance(initializer, jax.Array)

    @property
    def value(self) -> Any:
        """The array: in a run the one that the run gives, cast to what the layer computes in."""
        scope = current_scope()
        if scope is None:
            self._lent = True
            return self._value
        value = scope.value_of(self)
        return self._cast(self._value if value is None else value, scope)

    def _cast(self, value: Any, scope: Scope | None) -> Any:
        """Return a value in the dtype that the layer computes in."""
        if scope is None or scope.compute_dtype is None or not self.autocast or not is_float(value):
            return value
        return value.astype(scope.compute_dtype)

    def rows(self, ids: Any) -> Any:
        """Return rows of the value, NaN where an id is negative or too large.

        What reads a table by its rows alone can be trained without a gradient as large as the
        table; see `everystep.core.tables`.

        Example:
            >>> Variable([[1.0, 2.0], [3.0, 4.0]]).rows(np.array([1, 1, 2])).tolist()
            [[3.0, 4.0], [3.0, 4.0], [nan, nan]]
        """
        scope = current_scope()
        # Negative ids would count from the end.
        ids = jnp.where(jnp.asarray(ids) < 0, self.shape[0], ids)
        rows = None if scope is None else scope.rows_of(self, ids)
        # Cast as rows, not as a table: it is less work, and their gradients are added as they are.
        return taken(self.value, ids) if rows is None else self._cast(rows, scope)

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
        """The dtype that the value is kept in, as arrays have it; it equals its name."""
        return self._value.dtype

    @property
    def nbytes(self) -> int:
        """The number of bytes of the value."""
        return self.size * int(np.dtype(self.dtype).itemsize)

    def numpy(self) -> np.ndarray[Any, Any]:
        """Return a copy of the value as a NumPy array."""
        return np.array(self._value)

    @checked(value=ARRAY)
    def assign(self, value: Any) -> Any:
        """Give the variable a new value of the same shape, and return it.

        Inside a run the new value belongs to the run, which returns it as part of its new state.

        Raises:
            ShapeError: the new value has another shape.
        """
        value = jnp.asarray(value, self.dtype)
        scope = current_scope()
        held = None if scope is None else scope.value_of(self)
        # A run over steps that have weights of their own gives the part of one step.
        shape = self.shape if held is None else tuple(held.shape)
        if tuple(value.shape) != shape:
            raise ShapeError(
                "The shape of the target variable and the shape of the target value in "
                f"`variable.assign(value)` must match: weight '{self.path}' has shape {shape} "
                f"and cannot take a value of shape {tuple(value.shape)}"
            )
        if scope is None:
            refuse_traced(self, value)
            self.set_own(value)
            # The caller may hold the array that it gave, and holds the one that it gets.
            self._lent = True
        else:
            scope.updates[id(self)] = (self, value)
        return value

    @checked(value=ARRAY)
    def assign_add(self, value: Any) -> Any:
        """Add to the value; see `assign`."""
        return self.assign(self.value + value)

    @checked(value=ARRAY)
    def assign_sub(self, value: Any) -> Any:
        """Subtract from the value; see `assign`."""
        return self.assign(self.value - value)

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

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        """Compute `np.exp(variable)` or `array @ variable` by JAX, so that it works in a run."""
        values = [each.value if isinstance(each, Variable) else each for each in inputs]
        function = getattr(jnp, ufunc.__name__, None)
        if function is None or method != "__call__" or kwargs:
            return getattr(ufunc, method)(*map(np.asarray, values), **kwargs)
        return function(*values)

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
        variable.made_trainable = variable.trainable
        variable.number = next(_numbers)
        variable.autocast = True
        variable.aggregation, variable.synchronization = "none", "auto"
        variable.overwrite_with_gradient = variable.temporary = variable._lent = False
        return variable


class VariableHolder:
    """What holds variables but is no layer: a metric, or a generator of random seeds."""

    measures: ClassVar[bool] = False
    """Whether it is a metric."""

    @property
    def variables(self) -> list[Variable]:
        """The variables that it holds."""
        raise NotImplementedError


def _checked(name: Any) -> str:
    if not isinstance(name, str) or "/" in name:
        raise SettingError(
            f"Argument `name` must be a string and cannot contain character `/`: a variable cannot "
            f"be called {shown(name)}"
        )
    return name


def _first_value(initializer: Any, shape: Any, dtype: Any, path: str) -> Any:
    if isinstance(initializer, str):
        initializer = named("keras.initializers", initializer)
    if not callable(initializer):
        return jnp.asarray(ARRAY.taken("Variable: initializer", initializer), dtype)
    if shape is None:
        raise SettingError(
            f"variable '{path}' is made from an initializer, which says nothing of its size: give "
            "it a shape"
        )
    shape = SIZES.taken("Variable: shape", shape)
    dtype = dtype or floatx()
    return jnp.asarray(initializer(shape, dtype=dtype), dtype)


# Functions of the module, not lambdas, so that a layer with stacked variables can be pickled.


def _each(function: Callable[[Any], Any], stacked: Any) -> Any:
    return jax.vmap(function)(stacked)


def _sum_of_each(function: Callable[[Any], Any], stacked: Any) -> Any:
    return jnp.sum(jax.vmap(function)(stacked))


def _redraw_each(redraw: Callable[[str], Any], count: int, path: str) -> Any:
    return np.stack([redraw(f"{path}/{i}") for i in range(count)])
