"""The weights that a layer makes in its `build`, and the dtypes that it keeps and computes in."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from everystep import initializers
from everystep.core.loading import placeholder
from everystep.core.randomness import initial_draw
from everystep.core.variables import Variable
from everystep.errors import ShapeError
from everystep.layers import symbolic
from everystep.layers.tree import LayerTree


class LayerWeights(LayerTree):
    """A layer as the maker of its weights."""

    _built_for: Any
    _variables: list[Variable]

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

    def add_weight(
        self,
        shape: Any = None,
        initializer: Any = None,
        dtype: Any = None,
        trainable: bool = True,
        regularizer: Any = None,
        constraint: Any = None,
        name: str | None = None,
    ) -> Any:
        """Create a weight of this layer; call it in `build`.

        Args:
            shape: the weight's shape; no size may be unknown.
            initializer: how its first values are drawn; Glorot uniform, or zeros for integers.
            dtype: its dtype; the policy's by default.
            trainable: whether training changes it.
            regularizer: a function of its value that is added to the loss.
            constraint: a function that is applied after each update.
            name: its name within the layer.

        Returns:
            The variable, which goes wherever an array goes (so no type is promised to a checker).

        Raises:
            ShapeError: a size of the shape is not known.
        """
        shape = () if shape is None else tuple(shape)
        name = name or f"variable_{len(self._variables)}"
        self._refuse_unknown(name, shape)
        chosen = initializers.INITIALIZER.parse(initializer or "glorot_uniform")
        variable = Variable(
            first_value(chosen, f"{self.path}/{name}", shape, dtype or self.variable_dtype),
            name=name,
            path=f"{self.path}/{name}",
            trainable=trainable,
            regularizer=regularizer,
            constraint=constraint,
            redraw=functools.partial(
                first_value, chosen, shape=shape, dtype=dtype or self.variable_dtype
            ),
        )
        self._variables.append(variable)
        return variable

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
    if sample is None:
        return initializer(shape, dtype)
    return np.asarray(sample(initial_draw(path, initializer.seed), shape)).astype(dtype)
