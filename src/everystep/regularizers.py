"""Regularizers by Keras's names: penalties on a weight's values that are added to the loss."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp

from everystep.core import Catalogue, Configurable, serialize, setting
from everystep.core.registry import deserializer
from everystep.errors import ShapeError
from everystep.kernels import product
from everystep.kinds import ARRAY, NUMBER, Kind, checked, one_of


class Regularizer(Configurable):
    """Base of all regularizers; a subclass of your own defines `__call__(x)`, a scalar."""

    def __call__(self, x: Any) -> Any:
        """Return the penalty on the values."""
        raise NotImplementedError(f"{type(self).__name__} must define __call__(x)")


class L1(Regularizer):
    """Penalty on absolute values: `l1 * sum(|x|)`.

    Args:
        l1: the factor.

    Example:
        >>> float(L1(0.5)(jnp.array([1.0, -2.0])))
        1.5
    """

    l1: float = setting(NUMBER, default=0.01)

    @checked(x=ARRAY)
    def __call__(self, x: Any) -> Any:
        """Return `l1 * sum(|x|)`."""
        return self.l1 * jnp.sum(jnp.abs(x))


class L2(Regularizer):
    """Penalty on squares: `l2 * sum(x ** 2)`.

    Args:
        l2: the factor.

    Example:
        >>> float(L2(0.5)(jnp.array([1.0, -2.0])))
        2.5
    """

    l2: float = setting(NUMBER, default=0.01)

    @checked(x=ARRAY)
    def __call__(self, x: Any) -> Any:
        """Return `l2 * sum(x ** 2)`."""
        return self.l2 * jnp.sum(jnp.square(x))


class L1L2(Regularizer):
    """Both penalties: `l1 * sum(|x|) + l2 * sum(x ** 2)`.

    Args:
        l1: the factor of the absolute values.
        l2: the factor of the squares.

    Example:
        >>> float(L1L2(l1=0.5, l2=0.5)(jnp.array([1.0, -2.0])))
        4.0
    """

    l1: float = setting(NUMBER, default=0.0)
    l2: float = setting(NUMBER, default=0.0)

    @checked(x=ARRAY)
    def __call__(self, x: Any) -> Any:
        """Return `l1 * sum(|x|) + l2 * sum(x ** 2)`."""
        return self.l1 * jnp.sum(jnp.abs(x)) + self.l2 * jnp.sum(jnp.square(x))


class OrthogonalRegularizer(Regularizer):
    """Penalty on rows (or columns) of a matrix that are not orthogonal to each other.

    `factor` times the mean absolute cosine over all pairs of different rows.

    Args:
        factor: the factor.
        mode: `"rows"` or `"columns"`.

    Raises:
        ShapeError: when called with something that is no matrix.

    Example:
        >>> float(OrthogonalRegularizer(2.0)(jnp.array([[1.0, 0.0], [3.0, 0.0]])))
        2.0
    """

    factor: float = setting(NUMBER, default=0.01)
    mode: str = setting(one_of("rows", "columns"), default="rows")

    @checked(x=ARRAY)
    def __call__(self, x: Any) -> Any:
        """Return `factor * mean(|cosine|)`."""
        if jnp.ndim(x) != 2:
            raise ShapeError(
                f"OrthogonalRegularizer takes weights of rank 2, not of shape {jnp.shape(x)}"
            )
        rows = jnp.asarray(x) if self.mode == "rows" else jnp.asarray(x).T
        # Never 0 under the root, so that a row of zeros has a gradient.
        squares = jnp.sum(jnp.square(rows), axis=1, keepdims=True)
        rows = rows / jnp.sqrt(jnp.maximum(squares, 1e-12))
        cosines = jnp.abs(product(rows, rows.T)) * (1 - jnp.eye(len(rows), dtype=rows.dtype))
        pairs = len(rows) * (len(rows) - 1) / 2
        return self.factor * 0.5 * jnp.sum(cosines) / max(pairs, 1)


l1, l2, l1_l2, orthogonal_regularizer = L1, L2, L1L2, OrthogonalRegularizer
CATALOGUE = Catalogue(
    "regularizer",
    "keras.regularizers",
    (L1, L2, L1L2, OrthogonalRegularizer),
    {"l1_l2": L1L2},
)


def get(identifier: Any) -> Any:
    """Return the regularizer for a name, a class, a configuration, a callable or None.

    Raises:
        SettingError: no regularizer has that name.
        IdentifierError: it is none of these.

    Example:
        >>> get("l2"), get(None)
        (L2(), None)
    """
    return None if identifier is None else CATALOGUE.get(identifier)


deserialize = deserializer(get)
REGULARIZER = Kind(
    "the name of a regularizer, such as 'l2', or a regularizer, or None",
    get,
    serialize,
    refused=("no_such_regularizer", 3, {"class_name": "NoSuchRegularizer", "config": {}}),
)

__all__ = [
    "L1",
    "L1L2",
    "L2",
    "OrthogonalRegularizer",
    "Regularizer",
    "get",
]
