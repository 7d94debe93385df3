"""What the catalogue says of one layer: how to make it, what goes in, what it reads and takes.

Sizes differ from axis to axis, so that swapped axes show.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import jax.numpy as jnp
import numpy as np

from everystep.core import set_random_seed
from everystep.layers import Layer
from tests.catalogue.doubled import Doubled

BATCH, STEPS, FEATURES, UNITS, VOCABULARY = 2, 5, 3, 4, 11
DEEP = (BATCH, STEPS, FEATURES, 6)

Reads = Literal["own", "beside", "before", "after", "all"]
Segments = Literal["refused", "rows", "packed"]


@dataclass(frozen=True)
class Entry:
    """One layer with one choice of options."""

    name: str
    make: Callable[[], Layer]
    shape: tuple[int, ...] = (BATCH, STEPS, FEATURES)
    ids: bool = False
    """Whether the input holds ids of a vocabulary instead of numbers."""
    reads: Reads | None = "own"
    """Which input steps an output step reads; None where outputs have no steps."""
    segments: Segments = "packed"
    """What input the layer takes: without a mask, with one sequence a row, or packed."""
    any_length: bool = True
    least: int = 0
    """The fewest steps that the layer takes."""
    variant: bool = False
    """Whether another entry stands for it in the laws that compile a program for each entry."""
    states: int = 0
    """How many states of shape (batch, UNITS) the call takes besides its input."""

    def subject(self) -> Layer:
        """The layer that the entry is about, new."""
        layer = self.make()
        return layer.layer if isinstance(layer, Doubled) else layer

    def inputs(self, shape: Sequence[int] | None = None, seed: int = 0) -> Any:
        """Numbers of the entry's kind, of its own shape or another."""
        random = np.random.default_rng(seed)
        shape = self.shape if shape is None else tuple(shape)
        if self.ids:
            return random.integers(1, VOCABULARY, shape).astype("int32")
        return random.normal(size=shape).astype("float32")

    def arguments(self, batch: int = BATCH) -> tuple[Any, ...]:
        """What the call takes besides its input."""
        states = [jnp.full((batch, UNITS), 0.1 * (number + 1)) for number in range(self.states)]
        return (states,) if states else ()

    def sized(self, batch: int, steps: int) -> tuple[int, ...]:
        """The entry's shape with another batch size and number of steps."""
        return (batch, steps, *self.shape[2:])

    def built(self) -> Layer:
        """A layer that has been called on the entry's input: the same one each time."""
        set_random_seed(7)
        layer = self.make()
        layer(self.inputs(), *self.arguments())
        return layer


def last_state(name: str, make: Callable[[], Layer], **rest: Any) -> Entry:
    """An entry that keeps one state a row."""
    return Entry(name, make, segments="rows", reads=None, **rest)
