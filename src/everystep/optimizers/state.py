"""What an optimizer keeps: an ordered list of named arrays, in Keras's order and by its names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np


class Weight(NamedTuple):
    """What an optimizer has to know of a weight; a `Variable` says the same of itself.

    Args:
        path: where it stands, such as `sequential/dense/kernel`.
        name: its own name, such as `kernel`.
        shape: its shape.
        dtype: its dtype.
    """

    path: str
    name: str
    shape: tuple[int, ...]
    dtype: Any


@dataclass(frozen=True)
class Slot:
    """One array of an optimizer's state.

    Args:
        name: what it is, such as `momentum`.
        index: the number of the weight that it belongs to; None if it belongs to all.
        shape: its shape.
        dtype: its dtype.
        first: the number that it is filled with at first; None for a copy of the weight.
        label: its name in Keras; by default made of the weight's path and its own name.
    """

    name: str
    index: int | None
    shape: tuple[int, ...]
    dtype: Any
    first: float | None = 0.0
    label: str | None = None

    def written(self, owner: str, weights: Sequence[Any]) -> tuple[str, str]:
        """Return the name and the path that Keras gives it in the optimizer `owner`."""
        if self.index is not None and self.label is None:
            name = f"{weights[self.index].path.replace('/', '_')}_{self.name}"
        else:
            name = self.label or self.name
        return name, f"{owner}/{name}"

    def start(self, values: Sequence[Any]) -> Any:
        """Return the first value, given those of the weights."""
        if self.first is None:
            return jnp.array(values[self.index or 0])
        return jnp.full(self.shape, self.first, self.dtype)


class Moment(NamedTuple):
    """What the rule of an optimizer reads besides a weight, its gradient and its slots.

    Args:
        rate: the learning rate, in the weight's dtype.
        step: the number of this update, from 1 on, in the weight's dtype.
        shared: the slots that belong to all weights, by name.
    """

    rate: Any
    step: Any
    shared: dict[str, Any]


class State(NamedTuple):
    """The state of an optimizer as optax hands it on: Keras's arrays in Keras's order."""

    values: tuple[Any, ...]


def like_each(weights: Sequence[Any], *names: str, first: float | None = 0.0) -> list[Slot]:
    """Return a slot of each name for each weight; those of one weight stand together."""
    return [
        Slot(name, index, tuple(weight.shape), weight.dtype, first)
        for index, weight in enumerate(weights)
        for name in names
    ]


def described(tree: Any) -> list[Weight]:
    """Return what is to be known of the leaves of a tree, whose keys make up their paths."""
    weights = []
    for keys, leaf in jax.tree_util.tree_flatten_with_path(tree)[0]:
        parts = [str(getattr(key, "key", getattr(key, "idx", key))) for key in keys]
        path = "/".join(parts) or "weight"
        dtype = jnp.asarray(leaf).dtype
        weights.append(Weight(path, path.split("/")[-1], tuple(np.shape(leaf)), dtype))
    return weights
