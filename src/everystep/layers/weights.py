"""The weights that a layer makes in its `build`, and the dtypes that it keeps and computes in."""

from __future__ import annotations

import functools
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from everystep import constraints, initializers, regularizers
from everystep.core.dtypes import ARRAY_DTYPE, DTYPE, DTypePolicy
from everystep.core.loading import placeholder
from everystep.core.randomness import initial_draw
from everystep.core.variables import Variable
from everystep.errors import ShapeError, StateError
from everystep.kinds import Kind, checked, optional, reject
from everystep.layers import symbolic
from everystep.layers.tree import LayerTree

# Sizes that are not known come with an error of their own.
_SHAPE = Kind(
    "a tuple of sizes, or one size, or None",
    lambda value: value if value is None or type(value) is int else _sizes(value),
    refused=("text", 2.5, {}),
)


def _sizes(value: Any) -> tuple[Any, ...]:
    sizes = reject(value) if isinstance(value, str | bytes | dict) else tuple(value)
    return reject(value) if any(hasattr(size, "dtype") for size in sizes) else sizes


class LayerWeights(LayerTree):
    """A layer as the maker of its weights."""

    _built_for: Any
    _variables: list[Variable]

    @property
    def dtype_policy(self) -> DTypePolicy:
        """The dtypes of weights and arithmetic; takes a name as well as a policy."""
        return self._dtype_policy

    @dtype_policy.setter
    def dtype_policy(self, value: Any) -> None:
        self._dtype_policy = DTYPE.parse(value)

    @property
    def dtype(self) -> str:
        """The dtype of the weights."""
        return self.dtype_policy.variable_dtype

    @property
    def variable_dtype(self) -> str:
        """The dtype of the weights."""
        return self.dtype_policy.variable_dtype

    @property
    def compute_dtype(self) -> str:
        """The dtype of the arithmetic."""
        return self.dtype_policy.compute_dtype

    @checked(shape=_SHAPE, dtype=optional(ARRAY_DTYPE))
    def add_weight(
        self,
        shape: Any = None,
        initializer: Any = None,
        dtype: Any = None,
        trainable: bool = True,
        autocast: bool = True,
        regularizer: Any = None,
        constraint: Any = None,
        aggregation: str = "none",
        overwrite_with_gradient: bool = False,
        name: str | None = None,
    ) -> Any:
        """Create a weight of this layer; call it in `build`.

        Args:
            shape: the weight's shape, or one size; no size may be unknown.
            initializer: how its first values are drawn; Glorot uniform, or zeros for integers.
            dtype: its dtype; the policy's by default.
            trainable: whether training changes it.
            autocast: whether a mixed policy casts it before the layer computes.
            regularizer: a function of its value that is added to the loss, or its name.
            constraint: a function that is applied after each update, or its name.
            aggregation: how the values of several devices are put together; one process sees all.
            overwrite_with_gradient: kept with the variable, for optimizers that look at it.
            name: its name within the layer.

        Returns:
            The variable, which goes wherever an array goes (so no type is promised to a checker).

        Raises:
            ShapeError: a size of the shape is not known.
            StateError: the layer's `__init__` has not called that of its base yet.
        """
        if "name" not in vars(self):
            raise StateError(
                f"In layer '{type(self).__name__}', you forgot to call `super().__init__()` as the "
                "first statement in the `__init__()` method"
            )
        if isinstance(shape, int):
            shape = (shape,)
        shape = () if shape is None else tuple(shape)
        name = name or f"variable_{len(self._variables)}"
        self._refuse_unknown(name, shape)
        dtype = jnp.dtype(dtype or self.variable_dtype)
        usual = "glorot_uniform" if jnp.issubdtype(dtype, jnp.floating) else "zeros"
        chosen = initializers.INITIALIZER.parse(usual if initializer is None else initializer)
        variable = Variable(
            first_value(chosen, f"{self.path}/{name}", shape, dtype),
            trainable=trainable,
            autocast=autocast,
            aggregation=aggregation,
            name=name,
            path=f"{self.path}/{name}",
            regularizer=regularizers.get(regularizer),
            constraint=constraints.get(constraint),
            redraw=functools.partial(first_value, chosen, shape=shape, dtype=dtype),
        )
        variable.overwrite_with_gradient = overwrite_with_gradient
        self._variables.append(variable)
        return variable

    add_variable = add_weight

    def _refuse_unknown(self, name: str, shape: tuple[Any, ...]) -> None:
        if all(isinstance(size, int | np.integer) for size in shape):
            return
        built_for = symbolic.written(self._built_for) if self._built_for is not None else "unknown"
        raise ShapeError(
            f"layer '{self.path}' ({type(self).__name__}) cannot create its weight '{name}' of "
            f"shape {shape}: a size is not known. Its input has shape {built_for}, so the weight "
            "would depend on the length of the input. Give the model a fixed number of steps, such "
            "as Input(shape=(steps, features)), or use a layer that works on each step alone"
        )


def first_value(initializer: Any, path: str, shape: tuple[int, ...], dtype: Any) -> Any:
    """Return the first values of the weight at `path`."""
    rebuilt = placeholder(path, shape, dtype)
    if rebuilt is not None:
        return rebuilt
    sample = getattr(initializer, "sample", None)
    # The layer may be built while JAX traces it; its weights are real all the same.
    with jax.ensure_compile_time_eval():
        if sample is None:
            return initializer(shape, dtype)
        return np.asarray(sample(initial_draw(path, initializer.seed), shape)).astype(dtype)
