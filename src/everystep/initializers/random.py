"""Initializers that draw from one distribution, whatever the weight's shape."""

from __future__ import annotations

import math

import numpy as np

from everystep.core import setting
from everystep.errors import ShapeError
from everystep.initializers.base import Array, Sampled, Shape
from everystep.kinds import NUMBER, SEED


def truncated_normal(draw: np.random.Generator, shape: Shape) -> Array:
    """Return standard normal values, those farther than 2 from 0 drawn again."""
    values = draw.standard_normal(tuple(shape))
    far = np.abs(values) > 2
    while far.any():
        values[far] = draw.standard_normal(int(far.sum()))
        far = np.abs(values) > 2
    return values


class RandomNormal(Sampled):
    """Values from a normal distribution.

    Args:
        mean: its mean.
        stddev: its standard deviation.
        seed: makes every call give the same values.
    """

    mean: float = setting(NUMBER, default=0.0)
    stddev: float = setting(NUMBER, default=0.05)
    seed: int | None = setting(SEED, default=None)

    def sample(self, draw: np.random.Generator, shape: Shape) -> Array:
        """Return `mean + stddev * z`."""
        return self.mean + self.stddev * draw.standard_normal(tuple(shape))


class TruncatedNormal(Sampled):
    """Values from a normal distribution; those over two standard deviations off drawn again.

    Args:
        mean: the mean.
        stddev: the standard deviation before the cut.
        seed: makes every call give the same values.
    """

    mean: float = setting(NUMBER, default=0.0)
    stddev: float = setting(NUMBER, default=0.05)
    seed: int | None = setting(SEED, default=None)

    def sample(self, draw: np.random.Generator, shape: Shape) -> Array:
        """Return `mean + stddev * z`, `|z| <= 2`."""
        return self.mean + self.stddev * truncated_normal(draw, shape)


class RandomUniform(Sampled):
    """Values spread evenly over an interval.

    Args:
        minval: the lower end, included.
        maxval: the upper end, excluded.
        seed: makes every call give the same values.
    """

    minval: float = setting(NUMBER, default=-0.05)
    maxval: float = setting(NUMBER, default=0.05)
    seed: int | None = setting(SEED, default=None)

    def sample(self, draw: np.random.Generator, shape: Shape) -> Array:
        """Return `minval + (maxval - minval) * u`."""
        return self.minval + (self.maxval - self.minval) * draw.random(tuple(shape))


class Orthogonal(Sampled):
    """A matrix with orthonormal columns (rows, if it has fewer of those), times `gain`.

    A weight of higher rank is filled as the matrix `(product of the other axes, last axis)`.

    Args:
        gain: the factor.
        seed: makes every call give the same values.

    Raises:
        ShapeError: when asked for rank 0 or 1.

    Example:
        >>> kernel = Orthogonal(seed=1)((2, 8))
        >>> [[round(float(value), 5) + 0.0 for value in row] for row in kernel @ kernel.T]
        [[1.0, 0.0], [0.0, 1.0]]

    Source: Saxe, McClelland, Ganguli 2014, arXiv:1312.6120.
    """

    gain: float = setting(NUMBER, default=1.0)
    seed: int | None = setting(SEED, default=None)

    def sample(self, draw: np.random.Generator, shape: Shape) -> Array:
        """Return the matrix, spread evenly over all such matrices."""
        if len(shape) < 2:
            raise ShapeError(
                f"Orthogonal fills weights of rank 2 or more, not of shape {tuple(shape)}"
            )
        rows, columns = math.prod(shape[:-1]), shape[-1]
        square = draw.standard_normal((max(rows, columns), min(rows, columns)))
        orthonormal, upper = np.linalg.qr(square)
        # The signs that QR chooses depend on the matrix; without them the spread is even.
        orthonormal *= np.where(np.diagonal(upper) < 0, -1.0, 1.0)
        if rows < columns:
            orthonormal = orthonormal.T
        return self.gain * orthonormal.reshape(tuple(shape))
