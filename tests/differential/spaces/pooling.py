"""Pooling over time and over frames."""

from typing import Any

from tests.differential.space import SEQUENCES, TIME_MASKS, YES_NO, Space

LONG = (2, 9, 4)
IMAGES = (2, 6, 5, 4)
WINDOWS: dict[str, Any] = {
    "pool_size": [2, 3],
    "strides": [None, 1, 2],
    "padding": ["valid", "same"],
}

SPACES = [
    *(
        Space(name, WINDOWS, shapes=[LONG, SEQUENCES])
        for name in ("MaxPooling1D", "AveragePooling1D")
    ),
    *(Space(name, WINDOWS, shapes=[IMAGES]) for name in ("MaxPooling2D", "AveragePooling2D")),
    Space("GlobalAveragePooling1D", {"keepdims": [False]}, masks=TIME_MASKS),
    Space("GlobalAveragePooling1D", {"keepdims": YES_NO}),
    Space("GlobalMaxPooling1D", {"keepdims": YES_NO}),
    Space("GlobalAveragePooling2D", {"keepdims": YES_NO}, shapes=[IMAGES]),
    Space("GlobalMaxPooling2D", {"keepdims": YES_NO}, shapes=[IMAGES]),
]
