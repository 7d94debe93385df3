"""Convolution and pooling over sequences that fill a part of their rows, and exact answers."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from everystep.errors import SegmentsError
from everystep.layers import (
    AveragePooling1D,
    Conv1D,
    Conv1DTranspose,
    Cropping1D,
    Dense,
    DepthwiseConv1D,
    GlobalAveragePooling1D,
    GlobalMaxPooling1D,
    Layer,
    MaxPooling1D,
    Permute,
    Reshape,
    SeparableConv1D,
    UpSampling1D,
    ZeroPadding1D,
)
from everystep.sequences import Steps, pack
from tests.tolerances import assert_close
from tests.trees import assert_trees_close

ROOM, CHANNELS = 8, 3
SEQUENCES = [
    np.random.default_rng(length).normal(size=(length, CHANNELS)).astype("float32") - 2
    for length in (5, 3, 6, 8)
]
# Right and left padding, gaps, and a row without any.
PLACES = [[0, 1, 2, 3, 4], [5, 6, 7], [0, 2, 3, 4, 6, 7], list(range(8))]


def padded() -> Steps:
    """Each sequence in a row of its own, with large numbers around it, and a row of these alone."""
    values = np.full((len(SEQUENCES) + 1, ROOM, CHANNELS), 99.0, "float32")
    segments = np.zeros(values.shape[:2], "int32")
    for row, (sequence, places) in enumerate(zip(SEQUENCES, PLACES, strict=True)):
        values[row, places] = sequence
        segments[row, places] = row + 3
    return Steps.of(values, segments, packed=False)


MOVED: list[Callable[[], Layer]] = [
    lambda: Conv1D(4, 3, strides=2),
    lambda: Conv1D(4, 3, strides=2, padding="same"),
    lambda: Conv1D(4, 2, strides=3, padding="causal"),
    lambda: DepthwiseConv1D(2, strides=3, padding="same"),
    lambda: SeparableConv1D(4, 3, strides=2),
    lambda: Conv1DTranspose(4, 3, strides=2),
    lambda: Conv1DTranspose(4, 2, padding="same", dilation_rate=2),
    lambda: Conv1DTranspose(4, 1, strides=3, output_padding=1),
    lambda: MaxPooling1D(3, 1, padding="same"),
    lambda: MaxPooling1D(2),
    lambda: AveragePooling1D(3, 2, padding="same"),
    lambda: AveragePooling1D(2, 3),
    lambda: Cropping1D((0, 2)),
    lambda: ZeroPadding1D((2, 1)),
]


@pytest.mark.parametrize("make", MOVED)
def test_a_padded_row_gives_what_its_sequence_gives_alone(make: Callable[[], Layer]) -> None:
    layer, steps = make(), padded()
    found = layer(steps)
    alone = [np.asarray(layer(sequence[None]))[0] for sequence in SEQUENCES]
    assert found.shape == layer(steps.values).shape
    assert_trees_close(found.unpack(), [*alone, np.zeros((0, alone[0].shape[1]))])
    np.testing.assert_array_equal(np.asarray(found.segments).max(axis=1), [3, 4, 5, 6, 0])


@pytest.mark.parametrize("make", MOVED)
def test_rows_of_no_steps_have_segments_of_the_same_shape(make: Callable[[], Layer]) -> None:
    layer = make()
    layer(padded())
    rows = Steps(np.zeros((0, ROOM, CHANNELS), "float32"), np.zeros((0, ROOM), "int32"), False)
    assert layer(rows).segments.shape == layer(rows).shape[:2]
    if getattr(layer, "padding", "valid") != "valid":
        none = layer(Steps(np.zeros((2, 0, CHANNELS), "float32"), np.zeros((2, 0), "int32"), False))
        assert none.segments.shape == none.shape[:2]


@pytest.mark.parametrize("keepdims", [False, True])
def test_global_pooling_counts_real_steps_alone(keepdims: bool) -> None:
    nothing = np.zeros((1, CHANNELS))
    for make, pool in ((GlobalAveragePooling1D, np.mean), (GlobalMaxPooling1D, np.max)):
        found = make(keepdims=keepdims)(padded())
        alone = [pool(sequence, axis=0, keepdims=True) for sequence in SEQUENCES]
        wanted = np.stack([*alone, nothing])
        assert_close(found, wanted if keepdims else wanted[:, 0])


def test_a_mean_in_half_precision_neither_loses_steps_nor_exceeds_its_range() -> None:
    ones = np.full((1, 3000, 1), 64, "float16")
    mask = np.ones((1, 3000), bool)
    found = GlobalAveragePooling1D(dtype="float16")(ones, mask=mask)
    assert found.dtype == "float16"
    assert_close(found, [[64.0]])


PACKED = [
    Conv1D(4, 4, padding="same"),
    Conv1D(4, 3, padding="causal", dilation_rate=2),
    Conv1D(6, 2, padding="same", groups=3, dilation_rate=3),
    DepthwiseConv1D(3, padding="same", dilation_rate=2, depth_multiplier=2),
    SeparableConv1D(4, 2, dilation_rate=2),
    UpSampling1D(2),
]


@pytest.mark.parametrize("layer", PACKED, ids=str)
def test_no_window_reaches_into_another_sequence(layer: Layer) -> None:
    alone = [np.asarray(layer(sequence[None]))[0] for sequence in SEQUENCES]
    assert_trees_close(layer(pack(SEQUENCES, length=14)).unpack(), alone)


def test_a_valid_window_over_a_gap_is_padding() -> None:
    found = Conv1D(1, 2)(padded())
    np.testing.assert_array_equal(found.segments[2], [0, 0, 5, 5, 0, 0, 5])


@pytest.mark.parametrize("padding", ["valid", "same", "causal"])
def test_a_convolution_of_width_1_is_a_dense_layer(padding: str) -> None:
    layer, dense = Conv1D(4, 1, padding=padding, activation="tanh"), Dense(4, activation="tanh")
    steps = padded()
    layer(steps)
    dense(steps)
    kernel, bias = layer.get_weights()
    dense.set_weights([kernel[0], bias])
    found, wanted = layer(steps), dense(steps)
    assert_trees_close(found.unpack(), wanted.unpack())


def test_a_convolution_is_a_sum_over_its_window() -> None:
    x = SEQUENCES[3][None]
    layer = Conv1D(2, 3, padding="causal", dilation_rate=2, bias_initializer="ones")
    found = layer(x)
    kernel, bias = layer.get_weights()
    for step in range(ROOM):
        read = [x[0, at] if at >= 0 else np.zeros(CHANNELS) for at in (step - 4, step - 2, step)]
        assert_close(found[0, step], np.einsum("kc,kcf->f", read, kernel) + bias)


def test_mixed_precision_computes_in_half_and_keeps_whole_weights() -> None:
    for make in (Conv1D, SeparableConv1D, Conv1DTranspose):
        layer: Any = make(4, 3, dtype="mixed_bfloat16")
        assert layer(padded()).dtype == "bfloat16"
        assert {str(weight.dtype) for weight in layer.weights} == {"float32"}


def test_integers_are_computed_with_as_numbers() -> None:
    ids = np.arange(12).reshape(1, 6, 2)
    assert Conv1D(4, 3)(ids).dtype == "float32"
    assert MaxPooling1D(2)(ids).ravel().tolist() == [2, 3, 6, 7, 10, 11]
    assert AveragePooling1D(2)(ids).ravel().tolist() == [1, 2, 5, 6, 9, 10]


def test_zeros_before_a_convolution_are_steps_of_the_sequence() -> None:
    padded_first = Conv1D(4, 3, dilation_rate=2)
    causal = Conv1D(4, 3, padding="causal", dilation_rate=2)
    steps = ZeroPadding1D((4, 0))(padded())
    padded_first(steps)
    causal(padded())
    causal.set_weights(padded_first.get_weights())
    without_gaps = [0, 1, 3, 4]
    found, wanted = padded_first(steps).unpack(), causal(padded()).unpack()
    assert_trees_close([found[row] for row in without_gaps], [wanted[row] for row in without_gaps])


def test_a_shape_that_keeps_the_steps_keeps_the_segments() -> None:
    packed = pack(SEQUENCES, length=14)
    deep = Reshape((14, CHANNELS, 1))(packed)
    assert isinstance(deep, Steps)
    assert deep.packed
    turned = Permute((1, 3, 2))(deep)
    np.testing.assert_array_equal(turned.segments, packed.segments)
    for layer in (Reshape((CHANNELS, 14)), Reshape((-1,)), Permute((2, 1))):
        with pytest.raises(SegmentsError, match="would lose the mask"):
            layer(packed)
