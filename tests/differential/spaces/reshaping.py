"""The layers that change what a step is."""

from tests.differential.space import FEATURES, FRAMES, SEQUENCES, STEPS, VECTORS, Space

SPACES = [
    Space("Flatten", {"data_format": [None, "channels_first"]}, shapes=[SEQUENCES, FRAMES]),
    Space("Reshape", {"target_shape": [(FEATURES, STEPS), (-1,), (2, -1, 5)]}),
    Space("Permute", {"dims": [(2, 1), (1, 2)]}),
    Space("Permute", {"dims": [(3, 1, 2), (2, 3, 1)]}, shapes=[FRAMES]),
    Space("RepeatVector", {"n": [1, 4]}, shapes=[VECTORS]),
    Space("Cropping1D", {"cropping": [1, (0, 2), (2, 1)]}),
    Space("UpSampling1D", {"size": [1, 3]}),
    Space("ZeroPadding1D", {"padding": [1, (0, 2), (3, 1)]}),
    Space("Cropping2D", {"cropping": [1, (0, 2), ((2, 1), (0, 3))]}, shapes=[FRAMES]),
    Space(
        "UpSampling2D",
        {"size": [2, (1, 3)], "interpolation": ["nearest", "bilinear"]},
        shapes=[FRAMES],
        gradients=4,
    ),
    Space("ZeroPadding2D", {"padding": [1, (0, 2), ((3, 1), (0, 1))]}, shapes=[FRAMES]),
]
