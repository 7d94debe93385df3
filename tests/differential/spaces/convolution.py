"""Convolution over time and over frames."""

from typing import Any

from tests.differential.space import ACTIVATIONS, YES_NO, Space

LONG = (2, 9, 4)
IMAGES = (2, 6, 5, 4)
COMMON: dict[str, Any] = {
    "kernel_size": [1, 2, 3],
    "strides": [1, 2],
    "dilation_rate": [1, 2],
    "activation": ACTIVATIONS[:3],
    "use_bias": YES_NO,
}


def _dilated_or_strided(options: dict[str, Any]) -> dict[str, Any]:
    """Keras refuses both at once."""
    return options | ({"dilation_rate": 1} if options["strides"] != 1 else {})


SPACES = [
    Space(
        "Conv1D",
        COMMON | {"filters": [4], "padding": ["valid", "same", "causal"], "groups": [1, 2]},
        shapes=[LONG],
        mended=_dilated_or_strided,
    ),
    Space(
        "SeparableConv1D",
        COMMON | {"filters": [3], "padding": ["valid", "same"], "depth_multiplier": [1, 2]},
        shapes=[LONG],
        mended=_dilated_or_strided,
    ),
    Space(
        "DepthwiseConv1D",
        COMMON | {"padding": ["valid", "same"], "depth_multiplier": [1, 2]},
        shapes=[LONG],
        mended=_dilated_or_strided,
    ),
    Space(
        "Conv1DTranspose",
        COMMON | {"filters": [3], "padding": ["valid", "same"]},
        shapes=[LONG],
        mended=_dilated_or_strided,
    ),
    Space(
        "Conv2D",
        COMMON
        | {"filters": [4], "kernel_size": [1, (2, 3)], "padding": ["valid", "same"]}
        | {"groups": [1, 2]},
        shapes=[IMAGES],
        mended=_dilated_or_strided,
    ),
]
