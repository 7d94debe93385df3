"""What the recurrent layers of a case are: sizes, weights, inputs, and what is done with them.

Weights are Keras's, gates in Keras's order; each library's file brings them into its own form, and
gradients back. Where a GRU has a bias of its own for the recurrent share it is zero, because not
every library has one.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from benchmarks._question import Sizes

Array = npt.NDArray[np.float32]
BLOCKS = {"LSTM": 4, "GRU": 3, "SimpleRNN": 1}


def cases(
    cells: Sequence[str] = ("LSTM", "GRU"),
    units: Sequence[int] = (256,),
    tasks: Sequence[str] = ("forward", "gradients"),
    batch: int = 32,
    **more: int | str,
) -> tuple[Sizes, ...]:
    """The sizes at which recurrent layers are compared, and what else a question says of them."""
    shape = {"batch": batch, "steps": 50, "features": 128}
    return tuple(
        {"cell": cell, "task": task, **shape, "units": number, **more}
        for cell, number, task in product(cells, units, tasks)
    )


class Weights(NamedTuple):
    """Of one layer in one direction: (features, blocks * units), (units, blocks * units), ..."""

    kernel: Any
    recurrent: Any
    bias: Any


@dataclass(frozen=True)
class Spec:
    """The recurrent layers of a case.

    Args:
        cell: LSTM, GRU or SimpleRNN.
        gradients: whether the backward pass is part of the work, for inputs and all weights.
        batch: rows.
        steps: steps of each row.
        features: numbers a step.
        units: of each layer and direction.
        layers: one on top of another.
        directions: 1, or 2 for rows read both ways.
        dtype: in which inputs, weights and outputs are.
    """

    cell: str
    gradients: bool
    batch: int
    steps: int
    features: int
    units: int
    layers: int = 1
    directions: int = 1
    dtype: str = "float32"

    @classmethod
    def of(cls, sizes: Sizes) -> "Spec":
        """The layers that a case asks for."""
        numbers = {
            name: int(sizes[name])
            for name in ("batch", "steps", "features", "units", "layers", "directions")
            if name in sizes
        }
        dtype = str(sizes.get("dtype", "float32"))
        return cls(str(sizes["cell"]), sizes["task"] == "gradients", dtype=dtype, **numbers)

    @property
    def blocks(self) -> int:
        """How many units wide the products are, in units."""
        return BLOCKS[self.cell]

    @property
    def widths(self) -> list[int]:
        """Features of each layer's inputs."""
        return [self.features] + [self.directions * self.units] * (self.layers - 1)

    @property
    def flops(self) -> float:
        """Two for each weight, row and step; the way back has two products for each one ahead."""
        weights = sum((width + self.units) * self.blocks * self.units for width in self.widths)
        forward = 2.0 * self.batch * self.steps * weights * self.directions
        return 3 * forward if self.gradients else forward

    def inputs(self) -> Array:
        """The rows, (batch, steps, features)."""
        random = np.random.default_rng(0)
        return random.normal(size=(self.batch, self.steps, self.features)).astype(np.float32)

    def output_gradients(self) -> Array:
        """What the backward pass starts from, (batch, steps, directions * units)."""
        shape = self.batch, self.steps, self.directions * self.units
        return np.random.default_rng(1).normal(size=shape).astype(np.float32)

    def weights(self) -> list[Weights]:
        """Layer by layer, of each the way ahead and then the way back."""
        random = np.random.default_rng(2)

        def draw(*shape: int) -> Array:
            drawn = random.normal(size=shape) * 0.7 / shape[0] ** 0.5
            narrow: Array = drawn.astype(np.float32)
            return narrow

        wide = self.blocks * self.units
        return [
            Weights(draw(width, wide), draw(self.units, wide), 0.1 * draw(1, wide)[0])
            for width in self.widths
            for _ in range(self.directions)
        ]

    def keras_weights(self) -> list[Array]:
        """All weights in the order and shapes in which Keras's layers have them."""
        flat = []
        for kernel, recurrent, bias in self.weights():
            own = np.stack([bias, np.zeros_like(bias)]) if self.cell == "GRU" else bias
            flat += [kernel, recurrent, own]
        return flat

    def from_keras(self, gradients: Any) -> list[Any]:
        """Gradients in the order and shapes that are compared, from those of Keras's layers."""
        if not self.gradients:
            return [gradients]
        by_inputs, by_weights = gradients
        if self.cell == "GRU":
            by_weights = [
                np.asarray(each)[0] if place % 3 == 2 else each
                for place, each in enumerate(by_weights)
            ]
        return [by_inputs, *by_weights]


def reset_first(array: Any) -> Array:
    """Swap the first two of a GRU's three blocks: Keras has update first, the others reset."""
    update, reset, candidate = np.split(np.asarray(array), 3, axis=-1)
    return np.concatenate([reset, update, candidate], axis=-1)
