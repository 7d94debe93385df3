"""Pooling over windows, and over everything."""

from collections.abc import Callable
from typing import Any

from everystep.layers import (
    AveragePooling1D,
    AveragePooling2D,
    GlobalAveragePooling1D,
    GlobalAveragePooling2D,
    GlobalMaxPooling1D,
    GlobalMaxPooling2D,
    Layer,
    MaxPooling1D,
    MaxPooling2D,
)
from tests.catalogue.convolution import CHANNELS_FIRST
from tests.catalogue.entry import DEEP, Entry


def over_steps(name: str, make: Callable[[], Layer], **rest: Any) -> Entry:
    """An entry that gives other steps than it reads."""
    return Entry(name, make, **{"segments": "rows", "reads": None, **rest})


def over_pixels(name: str, make: Callable[[], Layer]) -> Entry:
    """An entry that takes frames."""
    return Entry(name, make, DEEP, segments="refused", reads=None)


ENTRIES = [
    over_steps("MaxPooling1D", lambda: MaxPooling1D(2, padding="same")),
    over_steps("MaxPooling1D valid", lambda: MaxPooling1D(3, 1), least=3, variant=True),
    over_steps(
        "MaxPooling1D channels_first",
        lambda: MaxPooling1D(data_format="channels_first"),
        shape=CHANNELS_FIRST,
        segments="refused",
        any_length=False,
        variant=True,
    ),
    over_steps("AveragePooling1D", lambda: AveragePooling1D(3, 2, padding="same")),
    over_steps("AveragePooling1D valid", lambda: AveragePooling1D(2), least=2, variant=True),
    over_steps("GlobalAveragePooling1D", GlobalAveragePooling1D),
    over_steps("GlobalMaxPooling1D", lambda: GlobalMaxPooling1D(keepdims=True)),
    over_pixels("MaxPooling2D", lambda: MaxPooling2D(padding="same")),
    over_pixels("AveragePooling2D", lambda: AveragePooling2D((1, 2), padding="same")),
    over_pixels("GlobalAveragePooling2D", GlobalAveragePooling2D),
    over_pixels("GlobalMaxPooling2D", GlobalMaxPooling2D),
]
