"""What layers over a row of steps or a grid of pixels share: their axes, settings and masking."""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, ClassVar

import jax.numpy as jnp

from everystep import kinds
from everystep.errors import ShapeError
from everystep.kinds import Kind, reject
from everystep.layers import symbolic
from everystep.layers.layer import Layer, Masking
from everystep.layers.spec import InputSpec


def _lower_case(*words: str) -> Callable[[Any], str]:
    def parse(value: Any) -> str:
        word: str = value.lower() if isinstance(value, str) else ""
        if word not in words:
            reject(value)
        return word

    return parse


def _data_format(value: Any) -> str:
    return _lower_case("channels_last", "channels_first")(value or "channels_last")


DATA_FORMAT = Kind(
    "'channels_last' or 'channels_first', or None for 'channels_last'",
    _data_format,
    refused=("channels_middle", 3),
)
PADDING = Kind(
    "'valid' or 'same' ('causal' is for Conv1D alone)",
    _lower_case("valid", "same"),
    refused=("causal", "full", 1),
)
CAUSAL_PADDING = Kind(
    "'valid', 'same' or 'causal'",
    _lower_case("valid", "same", "causal"),
    refused=("full", 1),
)


def sizes(count: int, lowest: int = 1) -> Kind:
    """Return the kind that takes one integer for each of so many axes, or one for all of them."""

    def parse(value: Any) -> tuple[int, ...]:
        if isinstance(value, bool | str):
            reject(value)
        given = tuple(value) if isinstance(value, list | tuple) else (value,) * count
        found = tuple(operator.index(size) for size in given)
        if len(found) != count or min(found) < lowest:
            reject(value)
        return found

    several = f"a tuple of {count} of them" if count > 1 else "a tuple of one"
    return Kind(
        f"an integer of {lowest} or more, or {several}",
        parse,
        list,
        refused=(lowest - 1, (1,) * (count + 1), 2.5, "3", True),
    )


PER_AXIS = sizes(1)
"""Stands for one integer for each axis of the layer, however many it has."""
OPTIONAL_PER_AXIS = kinds.optional(PER_AXIS)
"""The same, or None."""


class Spatial(Layer):
    """The base of layers over the steps of sequences (rank 1) or the pixels of frames (rank 2)."""

    rank: ClassVar[int]
    data_format: str

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "rank" not in vars(cls):
            return
        own = sizes(cls.rank)
        for placeholder, kind in ((PER_AXIS, own), (OPTIONAL_PER_AXIS, kinds.optional(own))):
            cls.settings = {
                name: replace(item, kind=kind) if item.kind is placeholder else item
                for name, item in cls.settings.items()
            }

    def after_settings(self) -> None:
        """Say which inputs the layer takes."""
        self.input_spec = self.spec_for("channels")

    def spec_for(self, channels: Any) -> InputSpec:
        """Return what the layer takes, channels by number or, while that is open, by name."""
        names = [("steps",), ("height", "width")][self.rank - 1]
        order = (*names, channels) if self.channels_last else (channels, *names)
        return InputSpec(
            ndim=self.rank + 2,
            axes={self.channel_axis: channels} if isinstance(channels, int) else {},
            axis_names=f"(batch, {', '.join(map(str, order))})",
        )

    @property
    def channels_last(self) -> bool:
        """Whether the last axis holds the channels, or the one after the batch axis."""
        return self.data_format == "channels_last"

    @property
    def channel_axis(self) -> int:
        """The axis of the channels."""
        return -1 if self.channels_last else 1

    @property
    def window_axes(self) -> tuple[int, ...]:
        """The axes of the steps or pixels."""
        first = 1 if self.channels_last else 2
        return tuple(range(first, first + self.rank))

    @property
    def masking(self) -> Masking:
        """One sequence a row where axis 1 holds its steps; pixels and channels have no mask."""
        return "rows" if self.rank == 1 and self.channels_last else "refused"

    def turned(self, array: Any) -> Any:
        """Return steps with their channels last, if the layer has these first, or the reverse."""
        return array if self.channels_last else jnp.swapaxes(array, 1, 2)

    def on_all_axes(self, each: tuple[Any, ...], rest: Any) -> tuple[Any, ...]:
        """Return one item for each axis of the input: those given for steps or pixels, the rest."""
        return (rest, *each, rest) if self.channels_last else (rest, rest, *each)

    def refuse_small(
        self, inputs: Any, extents: Sequence[int], cure: str = "smaller windows, or padding='same'"
    ) -> None:
        """Raise an error if the input is smaller than that along one of its axes."""
        for axis, extent in zip(self.window_axes, extents, strict=True):
            size = inputs.shape[axis]
            if isinstance(size, int) and size < extent:
                shape = symbolic.written(symbolic.shape_of(inputs))
                raise ShapeError(
                    f"Computed output size would be zero or negative: layer '{self.path}' "
                    f"({type(self).__name__}) needs {extent} or more along axis {axis}, but its "
                    f"input of shape {shape} has {size}. Give it larger input, or {cure}"
                )
