"""Initializers that draw nothing: constants and the identity matrix."""

from __future__ import annotations

from typing import Any

import numpy as np

from everystep.core import setting
from everystep.errors import ShapeError
from everystep.initializers.base import Array, Sampled, Shape
from everystep.kinds import NUMBER, Kind, reject


class Zeros(Sampled):
    """All values 0.

    Example:
        >>> Zeros()((2,)).tolist()
        [0.0, 0.0]
    """

    def sample(self, draw: np.random.Generator, shape: Shape) -> Array:
        """Return zeros."""
        return np.zeros(shape)


class Ones(Sampled):
    """All values 1."""

    def sample(self, draw: np.random.Generator, shape: Shape) -> Array:
        """Return ones."""
        return np.ones(shape)


def _parse_value(value: Any) -> Any:
    # Keras writes an array value as a serialized tensor, which says its dtype as well.
    if isinstance(value, dict):
        value = value["config"]["value"]
    array = np.asarray(value, np.float64)
    if np.isnan(array).any():
        reject(value)
    return float(array) if array.ndim == 0 else array


VALUE = Kind(
    "a number, or an array of the shape of the weight or of its last axes",
    _parse_value,
    lambda value: value.tolist() if isinstance(value, np.ndarray) else value,
    refused=("many", None, object()),
)


class Constant(Sampled):
    """All values the same number, or those of an array that broadcasts to the weight's shape.

    Args:
        value: the number or array.

    Raises:
        ShapeError: when asked for a shape that the array does not broadcast to.

    Example:
        >>> Constant(3.0)((2,)).tolist()
        [3.0, 3.0]
    """

    value: Any = setting(VALUE, default=0.0)

    def sample(self, draw: np.random.Generator, shape: Shape) -> Array:
        """Return the value in the given shape."""
        try:
            return np.broadcast_to(np.asarray(self.value, np.float64), tuple(shape))
        except ValueError:
            raise ShapeError(
                f"Constant: a value of shape {np.shape(self.value)} does not broadcast to a weight "
                f"of shape {tuple(shape)}"
            ) from None


class Identity(Sampled):
    """The identity matrix times `gain`, for weights of rank 2.

    Args:
        gain: the value on the diagonal.

    Raises:
        ShapeError: when asked for another rank.

    Example:
        >>> Identity(2.0)((2, 3)).tolist()
        [[2.0, 0.0, 0.0], [0.0, 2.0, 0.0]]
    """

    gain: float = setting(NUMBER, default=1.0)

    def sample(self, draw: np.random.Generator, shape: Shape) -> Array:
        """Return the matrix."""
        if len(shape) != 2:
            raise ShapeError(f"Identity fills weights of rank 2, not of shape {tuple(shape)}")
        return self.gain * np.eye(shape[0], shape[1])
