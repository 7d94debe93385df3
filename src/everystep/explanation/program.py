"""A program: what is explained, as one pure function of weights and inputs that JAX has traced."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from jax import lax
from jax.extend.core import ClosedJaxpr


@dataclass(frozen=True)
class Weight:
    """One weight of a program.

    Args:
        path: where it stands, such as `"sequential/dense/kernel"`.
        value: its present value, a NumPy array.
        trainable: whether training changes it; what it does not change may have to stay positive.
    """

    path: str
    value: Any
    trainable: bool = True


@dataclass(frozen=True)
class Port:
    """One input or output of a program.

    Args:
        name: its name.
        shape: its shape, a batch axis included.
        dtype: its dtype.
        axis: which axis is time; None where the whole of it counts as one step.
        values: how many different values an input of integers may have, from 0; None for numbers.
    """

    name: str
    shape: tuple[int, ...]
    dtype: Any
    axis: int | None
    values: int | None = None

    @property
    def steps(self) -> int:
        """How many steps it has."""
        return 1 if self.axis is None else self.shape[self.axis]

    def is_at(self, step: Any) -> Any:
        """Return where its numbers belong to a step, in its shape; True where all do."""
        if self.axis is None:
            return True
        return lax.broadcasted_iota("int32", self.shape, self.axis) == step

    @property
    def units(self) -> int:
        """How many numbers a step of it has, in one row."""
        batch = self.shape[0] if self.shape and self.axis != 0 else 1
        return math.prod(self.shape) // max(1, self.steps * batch)


@dataclass(frozen=True)
class Program:
    """A pure function as JAX has traced it, for one number of steps.

    `jaxpr` takes the value of each weight, then each input, and gives each output. What else goes
    into it, such as segments, is constant and stands in its `consts`.

    Args:
        name: what it is called in reports.
        jaxpr: the traced function.
        weights: what it takes first.
        inputs: what it takes then.
        outputs: what it gives.
    """

    name: str
    jaxpr: ClosedJaxpr
    weights: tuple[Weight, ...]
    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...]
