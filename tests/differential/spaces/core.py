"""The layers that read each step alone, and what makes or carries masks."""

from typing import Any

from tests.differential.space import (
    ACTIVATIONS,
    BATCH,
    FEATURES,
    FRAMES,
    SEQUENCES,
    STEPS,
    TIME_MASKS,
    UNITS,
    VECTORS,
    VOCABULARY,
    YES_NO,
    Space,
)

DENSE: dict[str, Any] = {
    "units": [UNITS, 2],
    "activation": ACTIVATIONS,
    "use_bias": YES_NO,
    "kernel_regularizer": [None, "l2"],
    "activity_regularizer": [None, "l1"],
}

EINSUM_SHAPES: dict[str, Any] = {
    "abc,cd->abd": (None, UNITS),
    "...c,cd->...d": (UNITS,),
    "abc,cde->abde": (None, 2, UNITS),
    "abc,bcde->ade": (2, UNITS),
    "abc,bd->acd": (FEATURES, UNITS),
}

SPACES = [
    Space("Dense", DENSE, shapes=[SEQUENCES, VECTORS, FRAMES]),
    Space("Dense", DENSE | {"activity_regularizer": [None]}, masks=TIME_MASKS),
    Space(
        "EinsumDense",
        {
            "equation": ["abc,cd->abd", "...c,cd->...d"],
            "output_shape": [None],
            "bias_axes": [None, "d"],
            "activation": ACTIVATIONS,
        },
        shapes=[SEQUENCES],
        mended=lambda options: options | {"output_shape": EINSUM_SHAPES[options["equation"]]},
    ),
    Space(
        "EinsumDense",
        {
            "equation": ["abc,cde->abde", "abc,bcde->ade", "abc,bd->acd"],
            "output_shape": [(None, 2, UNITS)],
        },
        shapes=[SEQUENCES],
        mended=lambda options: options | {"output_shape": EINSUM_SHAPES[options["equation"]]},
    ),
    Space(
        "Embedding",
        {"input_dim": [VOCABULARY], "output_dim": [FEATURES, 1], "mask_zero": YES_NO},
        shapes=[(BATCH, STEPS)],
        inputs="ids",
    ),
    Space("Masking", {"mask_value": [0.0, 1.5]}, inputs="gaps"),
    Space("Identity", shapes=[SEQUENCES, VECTORS, FRAMES]),
    Space("Activation", {"activation": ACTIVATIONS[1:]}, masks=TIME_MASKS),
]
