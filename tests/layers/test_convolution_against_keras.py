"""Layers over steps and pixels against Keras, where `tests/differential` does not look: channels
first, configurations, and what is refused."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from everystep import layers
from everystep.errors import EverystepError
from tests.tolerances import assert_close

keras: Any = pytest.importorskip("keras", reason="Keras is what is compared with")

Make = Callable[[Any], Any]
STEPS = (2, 6, 7)
PIXELS = (2, 4, 6, 5)


def first(name: str, *args: Any, **options: Any) -> Make:
    """Makes a layer that has its channels before its steps or pixels."""
    return lambda room: getattr(room, name)(*args, data_format="channels_first", **options)


CHANNELS_FIRST: list[tuple[Make, tuple[int, ...]]] = [
    (first("Conv1D", 4, 2, groups=2, activation="relu"), STEPS),
    (first("Conv1D", 4, 3, padding="causal", dilation_rate=2), STEPS),
    (first("DepthwiseConv1D", 3, strides=2, padding="same", depth_multiplier=2), STEPS),
    (first("SeparableConv1D", 4, 3, dilation_rate=2), STEPS),
    (first("Conv1DTranspose", 3, 2, strides=3, output_padding=1), STEPS),
    (first("Conv2D", 4, (2, 3), strides=(1, 2), padding="same"), PIXELS),
    (first("MaxPooling1D", 3, 2, padding="same"), STEPS),
    (first("AveragePooling1D", 3, 2, padding="same"), STEPS),
    (first("AveragePooling2D", (2, 3), 1, padding="same"), PIXELS),
    (first("GlobalAveragePooling1D", keepdims=True), STEPS),
    (first("GlobalMaxPooling2D"), PIXELS),
    (first("ZeroPadding1D", (2, 1)), STEPS),
    (first("ZeroPadding2D", ((2, 1), 0)), PIXELS),
    (first("Cropping2D", (1, (0, 2))), PIXELS),
    (first("UpSampling2D", (1, 2), interpolation="nearest"), PIXELS),
]


@pytest.mark.parametrize(("make", "shape"), CHANNELS_FIRST)
def test_channels_first(make: Make, shape: tuple[int, ...]) -> None:
    inputs = np.random.default_rng(0).normal(size=shape).astype("float32")
    ours, theirs = make(layers), make(keras.layers)
    theirs(inputs)
    ours(inputs)
    theirs.set_weights(ours.get_weights())
    assert_close(ours(inputs), theirs(inputs))
    unknown = (None, *shape[1:])
    assert ours.compute_output_shape(unknown) == tuple(theirs.compute_output_shape(unknown))


@pytest.mark.parametrize("size", [1, 2, 5])
@pytest.mark.parametrize("padding", ["same", "valid"])
@pytest.mark.parametrize("more", [0, 1])
def test_output_padding_of_a_transposed_convolution(size: int, padding: str, more: int) -> None:
    inputs = np.random.default_rng(0).normal(size=(1, 3, 2)).astype("float32")

    def make(room: Any) -> Any:
        return room.Conv1DTranspose(3, size, strides=2, padding=padding, output_padding=more)

    ours, theirs = make(layers), make(keras.layers)
    ours(inputs)
    theirs(inputs)
    theirs.set_weights(ours.get_weights())
    assert_close(ours(inputs), theirs(inputs))


SETTINGS: dict[str, tuple[tuple[Any, ...], dict[str, Any]]] = {
    "Conv1D": ((4, 3, 1, "causal", None, 2, 2, "relu", False), {"kernel_regularizer": "l2"}),
    "Conv2D": ((4, 3), {"padding": "SAME"}),
    "DepthwiseConv1D": ((3, 2, "same", 2), {"depthwise_constraint": "non_neg"}),
    "SeparableConv1D": ((4, 3, 1, "same", "channels_last", 2, 3), {}),
    "Conv1DTranspose": ((4, 3, 2, "same", 1), {"bias_initializer": "ones"}),
    "MaxPooling1D": ((3, None, "same"), {}),
    "AveragePooling2D": ((2, (1, 2)), {}),
    "GlobalAveragePooling1D": (("channels_first", True), {}),
    "Cropping1D": ((2,), {}),
    "ZeroPadding1D": (((1, 2),), {}),
    "UpSampling1D": ((3,), {}),
    "UpSampling2D": ((), {"interpolation": "bilinear"}),
    "Permute": (((2, 1),), {}),
    "Flatten": ((), {}),
    "Reshape": (((-1, 2),), {}),
    "RepeatVector": ((3,), {}),
}


@pytest.mark.parametrize("name", SETTINGS)
def test_configurations_are_those_of_keras(name: str) -> None:
    args, kwargs = SETTINGS[name]
    ours, theirs = (
        getattr(room, name)(*args, **kwargs, name="x") for room in (layers, keras.layers)
    )

    def plain(config: Any) -> Any:
        # Initializers and the like are compared where they are; a tuple becomes a list in a file.
        return {
            key: list(value) if isinstance(value, tuple) else value
            for key, value in config.items()
            if not isinstance(value, dict)
        }

    found, wanted = ours.get_config(), theirs.get_config()
    assert set(found) == set(wanted)
    assert plain(found) == plain(wanted)
    again = getattr(layers, name).from_config(wanted)
    assert again.get_config() == found


X = np.zeros((2, 3, 4), "float32")
FRAMES = np.zeros((2, 3, 3, 4), "float32")
REFUSED: dict[str, Callable[[Any], Any]] = {
    "must be": lambda room: room.Conv1D(4, 0),
    "padding must be": lambda room: room.Conv1D(4, 2, padding="full"),
    "'causal' is for": lambda room: room.Conv2D(4, 2, padding="causal"),
    "for Conv1D alone": lambda room: room.SeparableConv1D(4, 2, padding="causal"),
    "filters must be evenly divisible": lambda room: room.Conv1D(5, 2, groups=2),
    "input channels must be evenly divisible": lambda room: room.Conv1D(6, 2, groups=3)(X),
    "not supported in conjunction": lambda room: room.Conv1D(4, 2, strides=2, dilation_rate=2),
    "strictly less than": lambda room: room.Conv1DTranspose(4, 2, strides=2, output_padding=2),
    "zero or negative": lambda room: room.Conv1D(4, 2, dilation_rate=3)(X),
    "4 or more along axis 2": lambda room: room.Conv2D(4, (1, 4))(FRAMES),
    "expected ndim=3, found ndim=2": lambda room: room.MaxPooling1D()(X[0]),
    "incompatible with the layer": lambda room: room.Conv1D(4, 2)(X[0]),
    "a tuple of 2": lambda room: room.MaxPooling2D((1, 2, 3)),
    "needs 4 or more along axis 1": lambda room: room.Cropping1D((1, 2))(X),
    "needs 5 or more along axis 2": lambda room: room.Cropping2D((0, 2))(FRAMES),
    "each of the axes once": lambda room: room.Permute((1, 3)),
    "expected ndim=4, found ndim=3": lambda room: room.Permute((3, 1, 2))(X),
    "positive integer": lambda room: room.RepeatVector(0),
    "one for each end": lambda room: room.ZeroPadding1D((1, 2, 3)),
    "two for each": lambda room: room.Cropping2D(((1, 2, 3), 0)),
    "one of 'nearest'": lambda room: room.UpSampling2D(interpolation="area")(FRAMES),
}


@pytest.mark.parametrize("words", REFUSED)
def test_what_keras_refuses_is_refused(words: str) -> None:
    with pytest.raises((ValueError, TypeError)):
        REFUSED[words](keras.layers)
    with pytest.raises(EverystepError, match=words):
        REFUSED[words](layers)
