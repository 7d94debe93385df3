"""What every initializer is: a source of first values, in NumPy, so building compiles nothing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from everystep.core import Configurable
from everystep.core.dtypes import ARRAY_DTYPE
from everystep.core.randomness import initial_draw
from everystep.kinds import SIZES, checked, optional

Array = np.ndarray[Any, Any]
Shape = Sequence[int]


class Initializer(Configurable):
    """Base of all initializers; a subclass of your own defines `__call__(shape, dtype)`."""

    # A type comment, because an annotation would make it the first setting of every subclass.
    seed = None  # type: int | None

    @checked(shape=SIZES, dtype=optional(ARRAY_DTYPE))
    def __call__(self, shape: Shape, dtype: Any = None) -> Any:
        """Return an array of first values."""
        raise NotImplementedError(f"{type(self).__name__} must define __call__(shape, dtype=None)")

    def sample(self, draw: np.random.Generator, shape: Shape) -> Array:
        """Return first values from the given source of random numbers, as far as it uses one."""
        del draw
        return np.asarray(self(tuple(shape)))

    def values(self, path: str, shape: Shape) -> Array:
        """Return the first values of the weight at `path`.

        Args:
            path: where the weight stands; where the initializer has no seed of its own, the values
                follow from the global seed and this path.
            shape: the shape of the weight.
        """
        return self.sample(initial_draw(path, self.seed), tuple(shape))


class Sampled(Initializer):
    """Base of the initializers whose values `sample` defines."""

    @checked(shape=SIZES, dtype=optional(ARRAY_DTYPE))
    def __call__(self, shape: Shape, dtype: Any = None) -> jax.Array:
        """Return an array of first values: from the seed if there is one, else fresh ones.

        Args:
            shape: the shape of the weight.
            dtype: the dtype of the array; float32 by default.
        """
        values = self.values(f"initializers/{type(self).__name__}", shape)
        return jnp.asarray(values, dtype or "float32")

    def sample(self, draw: np.random.Generator, shape: Shape) -> Array:
        """Return first values in float64 from the given source of random numbers."""
        raise NotImplementedError


class FromFunction(Initializer):
    """A function `(shape, dtype=None) -> array` as an initializer.

    Args:
        function: the function.
    """

    def __init__(self, function: Callable[..., Any]) -> None:
        self.function = function

    def __call__(self, shape: Shape, dtype: Any = None) -> Any:
        """Return what the function returns."""
        return self.function(tuple(shape), dtype=dtype or "float32")
