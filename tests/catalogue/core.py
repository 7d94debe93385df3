"""The layers that read each step alone."""

from typing import Any

from everystep.layers import (
    Activation,
    Dense,
    Dropout,
    EinsumDense,
    Embedding,
    Identity,
    InputLayer,
    Lambda,
    Masking,
)
from everystep.saving import register_keras_serializable
from tests.catalogue.entry import BATCH, DEEP, FEATURES, STEPS, UNITS, VOCABULARY, Entry


@register_keras_serializable("tests")
def scaled(inputs: Any, mask: Any = None, by: float = 1.0) -> Any:
    """A function for a Lambda."""
    return inputs * by if mask is None else inputs * by * mask[..., None]


@register_keras_serializable("tests")
def scaled_twice(inputs: Any) -> Any:
    """A function that knows no mask."""
    return inputs * 2


@register_keras_serializable("tests")
def same_mask(inputs: Any, mask: Any) -> Any:
    """The mask of the input for the output."""
    return mask


ENTRIES = [
    Entry("Activation", lambda: Activation("tanh")),
    Entry("Activation softmax", lambda: Activation("softmax"), variant=True),
    Entry("Dense", lambda: Dense(UNITS)),
    Entry("Dense without bias", lambda: Dense(UNITS, use_bias=False), variant=True),
    Entry("Dense on rank 2", lambda: Dense(UNITS), (BATCH, FEATURES), reads=None, variant=True),
    Entry("Dense on rank 4", lambda: Dense(UNITS), DEEP, variant=True),
    Entry(
        "Dense regularized",
        lambda: Dense(
            UNITS, kernel_regularizer="l2", activity_regularizer="l2", kernel_constraint="non_neg"
        ),
    ),
    Entry("Dropout", lambda: Dropout(0.4)),
    Entry(
        "Dropout of whole features",
        lambda: Dropout(0.4, noise_shape=(None, 1, None), seed=3),
        variant=True,
    ),
    Entry("EinsumDense", lambda: EinsumDense("abc,cde->abde", (None, UNITS, 2), bias_axes="de")),
    Entry(
        "EinsumDense of an ellipsis",
        lambda: EinsumDense("...y,yz->...z", UNITS, "tanh", bias_axes="z"),
        DEEP,
        variant=True,
    ),
    Entry(
        "EinsumDense over steps",
        lambda: EinsumDense("abc,bd->adc", (UNITS, None)),
        segments="refused",
        reads=None,
        any_length=False,
        variant=True,
    ),
    Entry("Embedding", lambda: Embedding(VOCABULARY, UNITS), (BATCH, STEPS), ids=True),
    Entry(
        "Embedding mask_zero",
        lambda: Embedding(VOCABULARY, UNITS, mask_zero=True),
        (BATCH, STEPS),
        ids=True,
    ),
    Entry("Identity", Identity),
    Entry(
        "Lambda",
        lambda: Lambda(scaled, mask=same_mask, arguments={"by": 3.0}),
        reads=None,
        segments="rows",
    ),
    Entry(
        "Lambda without a mask",
        lambda: Lambda(scaled_twice),
        reads=None,
        segments="refused",
        variant=True,
    ),
    Entry("Masking", Masking),
    Entry("InputLayer", lambda: InputLayer((None, FEATURES))),
]
