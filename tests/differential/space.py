"""What is drawn at random for one layer: its settings, its input, its mask, its precision."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

BATCH, STEPS, FEATURES, UNITS, VOCABULARY = 3, 5, 4, 6, 9

SEQUENCES = (BATCH, STEPS, FEATURES)
VECTORS = (BATCH, FEATURES)
FRAMES = (2, STEPS, 6, FEATURES)

YES_NO = [True, False]
ACTIVATIONS = [None, "relu", "tanh", "gelu", "softmax", "hard_sigmoid", "elu"]

MASKS: dict[str, Any] = {
    "none": None,
    "right": [[1, 1, 1, 1, 0], [1, 1, 0, 0, 0], [1, 1, 1, 1, 1]],
    "left": [[0, 0, 1, 1, 1], [0, 0, 0, 0, 1], [1, 1, 1, 1, 1]],
    "gaps": [[1, 0, 0, 1, 1], [0, 1, 0, 1, 0], [1, 1, 1, 0, 1]],
}
TIME_MASKS = ("none", "right", "left", "gaps")

Inputs = Literal["numbers", "ids", "gaps"]
"""Numbers, ids of a vocabulary, or numbers of which some steps hold 0 or 1.5 throughout."""


class Of:
    """A layer that is a setting of another layer: made anew in each of the two libraries."""

    def __init__(self, name: str, *args: Any, **kwargs: Any) -> None:
        self.name, self.args, self.kwargs = name, args, kwargs

    def make(self, room: Any, dtype: str) -> Any:
        """The layer, as `keras.layers` or ours has it."""
        args = [made(value, room, dtype) for value in self.args]
        kwargs = {name: made(value, room, dtype) for name, value in self.kwargs.items()}
        return getattr(room, self.name)(*args, dtype=dtype, **kwargs)

    def __repr__(self) -> str:
        given = [*map(repr, self.args), *(f"{key}={value!r}" for key, value in self.kwargs.items())]
        return f"{self.name}({', '.join(given)})"


def made(value: Any, room: Any, dtype: str) -> Any:
    """A setting's value, with layers in it made."""
    if isinstance(value, Of):
        return value.make(room, dtype)
    if isinstance(value, list):
        return [made(item, room, dtype) for item in value]
    return value


def unchanged(options: dict[str, Any]) -> dict[str, Any]:
    """The settings as they were drawn."""
    return options


@dataclass(frozen=True)
class Space:
    """The random cases of one layer.

    Args:
        layer: the name of the layer, which both libraries have.
        options: for each setting that is drawn, what it may be.
        shapes: the shapes that the input may have; a list of shapes is a list of inputs.
        masks: the kinds of masks that the input may carry; only those that Keras treats as we do.
        inputs: what the input holds.
        called_with: for each argument of the call that is drawn, what it may be; a tuple is the
            shape of an array, a list a list of such.
        mended: turns settings that do not go together into some that do.
        gradients: in every how many cases the derivatives are compared; 0 for never.
        compiled: whether derivatives exist in compiled programs only, as those of our loops do.
        turns_mask: whether, with these settings, the mask of our output is Keras's turned round.
        positive: parts of the names of weights that must not be negative.
    """

    layer: str
    options: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    shapes: Sequence[Any] = (SEQUENCES,)
    masks: Sequence[str] = ("none",)
    inputs: Inputs = "numbers"
    called_with: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    mended: Callable[[dict[str, Any]], dict[str, Any]] = unchanged
    gradients: int = 3
    compiled: bool = False
    turns_mask: Callable[[dict[str, Any]], bool] = lambda options: False
    positive: tuple[str, ...] = ("variance",)

    def compares_gradients(self, number: int) -> bool:
        """Whether the derivatives are compared in the case of this number."""
        return self.gradients > 0 and number % self.gradients == 0

    def case(self, seed: int, number: int) -> Case:
        """One case, the same for the same seed and number."""
        random = np.random.default_rng([seed, zlib.crc32(self.layer.encode()), number])

        def one(values: Sequence[Any]) -> Any:
            return values[int(random.integers(len(values)))]

        options = {name: one(values) for name, values in self.options.items()}
        called_with = {name: one(values) for name, values in self.called_with.items()}
        return Case(
            space=self,
            seed=seed,
            number=number,
            options=self.mended(options),
            shape=one(self.shapes),
            mask=one(self.masks),
            dtype=one(["float32", "float32", "float64"]),
            called_with={name: value for name, value in called_with.items() if value is not None},
        )


@dataclass(frozen=True)
class Case:
    """One drawn case; its text is what one needs to see it again."""

    space: Space
    seed: int
    number: int
    options: dict[str, Any]
    shape: Any
    mask: str
    dtype: str
    called_with: dict[str, Any]

    def __str__(self) -> str:
        options = ", ".join(f"{name}={value!r}" for name, value in self.options.items())
        called = ", ".join(f"{name}={value!r}" for name, value in self.called_with.items())
        return (
            f"{self.space.layer}({options}) on {self.space.inputs} of shape {self.shape}, mask "
            f"{self.mask}, {self.dtype}, call({called}), seed {self.seed}, case {self.number}"
        )

    def make(self, room: Any) -> Any:
        """The layer, as `keras.layers` or ours has it."""
        return Of(self.space.layer, **self.options).make(room, self.dtype)

    def arrays(self) -> tuple[Any, Any, dict[str, Any]]:
        """The inputs, their masks, and the further arguments of the call."""
        random = np.random.default_rng([self.seed, self.number, 1])

        def array(shape: tuple[int, ...]) -> Any:
            if self.space.inputs == "ids":
                return random.integers(0, VOCABULARY, shape).astype("int32")
            values = random.normal(size=shape)
            if self.space.inputs == "gaps":
                values[random.random(shape[:2]) < 0.3] = random.integers(2) * 1.5
            return values.astype(self.dtype)

        def filled(value: Any) -> Any:
            if isinstance(value, list):
                return [filled(item) for item in value]
            return random.normal(size=value).astype(self.dtype) if is_shape(value) else value

        inputs: Any = (
            [array(one) for one in self.shape]
            if isinstance(self.shape, list)
            else array(self.shape)
        )
        further = {name: filled(value) for name, value in self.called_with.items()}
        mask = None if MASKS[self.mask] is None else np.array(MASKS[self.mask], bool)
        return inputs, mask, further


def is_shape(value: Any) -> bool:
    """Whether a drawn value stands for an array of that shape."""
    return isinstance(value, tuple) and all(isinstance(size, int) for size in value)
