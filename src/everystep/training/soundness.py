"""Steps of training whose loss or gradients are no numbers, and which change nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp


class Soundness(NamedTuple):
    """What a step that is watched says of itself.

    Args:
        loss: its loss.
        gradients: for each weight, by path, whether its gradient is finite.
    """

    loss: Any
    gradients: Mapping[str, Any]

    @classmethod
    def of(cls, loss: Any, gradients: Mapping[str, Any]) -> Soundness:
        """Look at a loss and the gradients of weights, those of some rows of a table among them."""
        return cls(loss, {path: _finite(each) for path, each in gradients.items()})

    @property
    def whole(self) -> Any:
        """Whether all of it is finite."""
        return jnp.stack([jnp.isfinite(self.loss), *self.gradients.values()]).all()


def _finite(tree: Any) -> Any:
    """Whether all numbers of a tree are finite."""
    return jnp.stack([jnp.isfinite(leaf).all() for leaf in jax.tree.leaves(tree)]).all()
