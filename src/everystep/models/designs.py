"""Five ways to give every time step an output, each a model made of public layers.

The first three are one function. The fourth lets every step read every other. The fifth gives each
step a layer of its own. What each one does is measured from these models, never written down.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from everystep import kinds
from everystep.core.settings import setting
from everystep.layers import (
    Dense,
    Flatten,
    Input,
    InputSpec,
    Layer,
    PerStep,
    Reshape,
    TimeDistributed,
)
from everystep.models.sequential import Sequential


class FoldedDense(Layer):
    """A dense layer on steps that are folded into the batch by hand, and unfolded after it.

    Equation: `y[b, t] = x[b, t] W + b`, computed as one dense layer on `(batch * steps, features)`.

    Shapes: `(batch, steps, features)` -> `(batch * steps, features)` -> `(batch * steps, units)`
    -> `(batch, steps, units)`.

    Args:
        units: the size of the output's last axis.

    Raises:
        ShapeError: the input does not have rank 3, or other features than before.

    Example:
        >>> import numpy as np
        >>> layer = FoldedDense(5)
        >>> layer(np.zeros((1000, 50, 10), "float32")).shape, layer.count_params()
        ((1000, 50, 5), 55)
    """

    units: int = setting(kinds.POSITIVE)

    stepwise = True
    input_spec = InputSpec(ndim=3, axis_names="(batch, steps, features)")

    def after_settings(self) -> None:
        """Make the dense layer."""
        self.dense = Dense(self.units)

    def call(self, inputs: Any) -> Any:
        """Fold, apply the dense layer, unfold."""
        batch, steps, features = inputs.shape
        outputs = self.dense(inputs.reshape(batch * steps, features))
        return outputs.reshape(batch, steps, self.units)


@dataclass(frozen=True)
class Design:
    """One way to give every step an output.

    Args:
        name: a short name, for tables and files.
        words: the layers in words.
        rows: gives the layers for so many steps and units.
    """

    name: str
    words: str
    rows: Callable[[int, int], list[Layer]]

    def model(
        self, steps: int | None, features: int, units: int, *, planned: int = 1
    ) -> Sequential:
        """Return a new model of this design.

        Args:
            steps: the number of steps of its input, None for any.
            features: the features of a step of its input.
            units: the features of a step of its output.
            planned: the number of steps that the layers are sized for, where `steps` is None.

        Returns:
            The model, built for `(None, steps, features)`.

        Raises:
            ShapeError: `steps` is None, and the design needs a fixed number of steps.

        Example:
            >>> [design.model(4, 3, 5).count_params() for design in DESIGNS]
            [20, 20, 20, 260, 80]
            >>> [design.model(4, 3, 5).output_shape for design in DESIGNS][-1]
            (None, 4, 5)
        """
        layers = self.rows(planned if steps is None else steps, units)
        return Sequential([Input((steps, features)), *layers])


DESIGNS = (
    Design("dense", "Dense", lambda steps, units: [Dense(units)]),
    Design(
        "time distributed",
        "TimeDistributed(Dense)",
        lambda steps, units: [TimeDistributed(Dense(units))],
    ),
    Design("folded", "reshape, Dense, reshape back", lambda steps, units: [FoldedDense(units)]),
    Design(
        "flattened",
        "Flatten, Dense, Reshape",
        lambda steps, units: [Flatten(), Dense(steps * units), Reshape((steps, units))],
    ),
    Design("per step", "PerStep(Dense)", lambda steps, units: [PerStep(Dense(units))]),
)
"""The five designs, in the order of the question that they answer."""
