"""The weights of a program as one vector: which of its numbers belong to which weight."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from everystep.errors import DataError
from everystep.explanation.program import Program, Weight

_SCALING = ("gamma", "scale")
"""Names of weights that multiply."""


@dataclass(frozen=True)
class Slot:
    """Where one weight stands in the vector of all.

    Args:
        path: the weight's path.
        shape: its sizes.
        start: the place of its first number.
        positive: whether it must stay positive, as what training does not change may have to.
    """

    path: str
    shape: tuple[int, ...]
    start: int
    positive: bool

    @property
    def neutral(self) -> float:
        """What its numbers are where it is to change nothing: 1 if they scale or are positive."""
        return float(self.positive or self.path.split("/")[-1] in _SCALING)

    @property
    def stop(self) -> int:
        """The place behind its last number."""
        return self.start + math.prod(self.shape)

    def of(self, vector: np.ndarray) -> np.ndarray:
        """Return its part of a vector, in its shape; axes before the last are kept."""
        return vector[..., self.start : self.stop].reshape(*vector.shape[:-1], *self.shape)


@dataclass(frozen=True)
class Layout:
    """The weights that are numbers, one behind the other; others, such as keys, stay as they are.

    Args:
        slots: a slot for each of them, in the program's order.
        others: the paths of the other weights.
    """

    slots: tuple[Slot, ...]
    others: frozenset[str] = frozenset()

    @classmethod
    def of(cls, program: Program) -> Layout:
        """Return the layout of a program's weights."""
        slots: list[Slot] = []
        for weight in filter(is_number, program.weights):
            start = slots[-1].stop if slots else 0
            slots.append(Slot(weight.path, np.shape(weight.value), start, not weight.trainable))
        others = [weight.path for weight in program.weights if not is_number(weight)]
        return cls(tuple(slots), frozenset(others))

    @property
    def shapes(self) -> list[tuple[int, ...]]:
        """The sizes of each weight."""
        return [slot.shape for slot in self.slots]

    @property
    def size(self) -> int:
        """How many numbers there are."""
        return self.slots[-1].stop if self.slots else 0

    def short(self, slot: Slot) -> str:
        """Return the shortest end of a slot's path that no other path ends with."""
        parts = slot.path.split("/")
        ends = ["/".join(parts[start:]) for start in range(len(parts) - 1, 0, -1)]
        paths = [f"/{other.path}" for other in self.slots]
        alone = (end for end in ends if sum(path.endswith(f"/{end}") for path in paths) == 1)
        return next(alone, slot.path)

    @cached_property
    def neutral(self) -> np.ndarray:
        """The numbers that change nothing, (size,)."""
        values = [np.full(slot.stop - slot.start, slot.neutral) for slot in self.slots]
        return np.concatenate([np.zeros(0), *values])

    @cached_property
    def positive(self) -> np.ndarray:
        """Which numbers must stay positive, bool (size,)."""
        flags = [np.full(slot.stop - slot.start, slot.positive) for slot in self.slots]
        return np.concatenate([np.zeros(0, bool), *flags])

    def vector(self, weights: Mapping[str, np.ndarray]) -> np.ndarray:
        """Return the vector of weights that are given by path; others may be given too.

        Raises:
            DataError: a weight is missing, is unknown, or has another shape.
        """
        paths = [slot.path for slot in self.slots]
        if unfit := sorted(set(paths) ^ (set(weights) - self.others)):
            raise DataError(
                f"the weights must be given by the paths {paths}, but these are missing or "
                f"unknown: {unfit}"
            )
        for slot in self.slots:
            if np.shape(weights[slot.path]) != slot.shape:
                raise DataError(
                    f"weight '{slot.path}' has shape {slot.shape}, but was given with shape "
                    f"{np.shape(weights[slot.path])}"
                )
        parts = [np.ravel(np.asarray(weights[path], float)) for path in paths]
        return np.concatenate([np.zeros(0), *parts])

    def arrays(self, vector: np.ndarray) -> dict[str, np.ndarray]:
        """Return the weights of a vector by path."""
        return {slot.path: slot.of(vector) for slot in self.slots}


def is_number(weight: Weight) -> bool:
    """Whether a weight holds real numbers, which may be any."""
    return np.issubdtype(np.asarray(weight.value).dtype, np.floating) or (
        # NumPy knows JAX's narrow floats by name only.
        "float" in np.asarray(weight.value).dtype.name
    )
