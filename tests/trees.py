"""Trees of arrays and `Steps`, compared leaf by leaf."""

from typing import Any

import jax
import numpy as np

from everystep.sequences import Steps
from tests.tolerances import VALUES, assert_close


def is_steps(leaf: Any) -> bool:
    return isinstance(leaf, Steps)


def outputs_of(tree: Any) -> list[Any]:
    """The outputs in a tree, `Steps` whole."""
    return jax.tree.leaves(tree, is_leaf=is_steps)


def shapes_of(tree: Any) -> list[Any]:
    """The shape of each output in a tree."""
    return [tuple(leaf.shape) for leaf in outputs_of(tree)]


def real(tree: Any) -> list[Any]:
    """The outputs in a tree, with zeros where one is padding."""

    def blank(leaf: Any) -> Any:
        if not is_steps(leaf):
            return leaf
        mask = leaf.mask.reshape(*leaf.mask.shape, *[1] * (leaf.ndim - 2))
        return jax.numpy.where(mask, leaf.values, 0)

    return [blank(leaf) for leaf in outputs_of(tree)]


def assert_trees_close(found: Any, wanted: Any, table: dict[str, float] = VALUES) -> None:
    """Two trees hold as many arrays, each close to its counterpart."""
    for one, other in zip(jax.tree.leaves(found), jax.tree.leaves(wanted), strict=True):
        assert_close(one, other, table)


def assert_trees_same(found: Any, wanted: Any) -> None:
    """Two trees hold the same arrays, bit for bit."""
    for one, other in zip(jax.tree.leaves(found), jax.tree.leaves(wanted), strict=True):
        np.testing.assert_array_equal(np.asarray(one), np.asarray(other), strict=True)


def assert_finite(tree: Any) -> None:
    """No array of a tree holds NaN or an infinite value."""
    for leaf in jax.tree.leaves(tree):
        assert np.isfinite(np.asarray(leaf)).all()
