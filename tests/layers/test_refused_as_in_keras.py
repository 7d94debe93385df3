"""Where Keras gives an error for arguments or inputs, so do we, and ours says the cure."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from everystep import layers
from everystep.errors import EverystepError

keras: Any = pytest.importorskip("keras", reason="Keras is what is compared with")

X = np.ones((2, 5, 4), "float32")
IMAGE = np.ones((2, 6, 6, 4), "float32")
VECTOR = np.ones((2, 4), "float32")
Call = Callable[[Any], Any]

ARGUMENTS: dict[str, Call] = {
    "no units": lambda room: room.Dense(0),
    "negative units": lambda room: room.Dense(-3),
    "an unknown activation": lambda room: room.Dense(3, activation="no_such_function"),
    "an unknown initializer": lambda room: room.Dense(3, kernel_initializer="no_such_thing"),
    "an unknown regularizer": lambda room: room.Dense(3, kernel_regularizer="no_such_thing"),
    "an unknown constraint": lambda room: room.Dense(3, kernel_constraint="no_such_thing"),
    "an unknown setting": lambda room: room.Dense(3, no_such_setting=3),
    "an unknown dtype": lambda room: room.Dense(3, dtype="float7"),
    "no units of an LSTM": lambda room: room.LSTM(0),
    "no units of a GRU": lambda room: room.GRU(-1),
    "no units of a SimpleRNN": lambda room: room.SimpleRNN(0),
    "a loop over no cell": lambda room: room.RNN(room.Dense(3)),
    "stacked things that are no cells": lambda room: room.StackedRNNCells([room.Dense(3)]),
    "both ways of no loop": lambda room: room.Bidirectional(room.Dense(3)),
    "an unknown merge mode": lambda room: room.Bidirectional(room.LSTM(3), merge_mode="max"),
    "each step of no layer": lambda room: room.TimeDistributed(3),
    "a rate above one": lambda room: room.Dropout(1.5),
    "a negative rate": lambda room: room.SpatialDropout1D(-0.1),
    "a negative deviation": lambda room: room.GaussianNoise(-1.0),
    "no filters": lambda room: room.Conv1D(0, 3),
    "no window": lambda room: room.Conv1D(3, 0),
    "no stride": lambda room: room.Conv1D(3, 3, strides=0),
    "an unknown padding": lambda room: room.Conv1D(3, 3, padding="somehow"),
    "strides and dilation": lambda room: room.Conv1D(3, 3, strides=2, dilation_rate=2),
    "groups that do not divide the filters": lambda room: room.Conv1D(3, 3, groups=2),
    "causal pictures": lambda room: room.Conv2D(3, 3, padding="causal"),
    "a window of the wrong rank": lambda room: room.Conv2D(3, (3, 3, 3)),
    "no pool": lambda room: room.MaxPooling1D(0),
    "cropping of three numbers": lambda room: room.Cropping1D((1, 2, 3)),
    "padding of three numbers": lambda room: room.ZeroPadding1D((1, 2, 3)),
    "axes that are no order": lambda room: room.Permute((1, 3)),
    "a repetition of words": lambda room: room.RepeatVector("twice"),
    "a dot over no axes": lambda room: room.Dot("all"),
    "an equation that is none": lambda room: room.EinsumDense("abc", (3,))(X),
    "a score that is none": lambda room: room.Attention(score_mode="cosine"),
    "a scale of nothing": lambda room: room.ELU(alpha=None)(X),
    "an unknown data format": lambda room: room.Conv1D(3, 3, data_format="channels_middle"),
}

INPUTS: dict[str, Call] = {
    "a dense layer on one axis": lambda room: room.Dense(3)(np.ones(4, "float32")),
    "a dense layer on other features": lambda room: _twice(room.Dense(3), X, X[..., :2]),
    "a recurrent layer on two axes": lambda room: room.GRU(3)(VECTOR),
    "a recurrent layer on other features": lambda room: _twice(room.LSTM(3), X, X[..., :2]),
    "a convolution on two axes": lambda room: room.Conv1D(3, 2)(VECTOR),
    "a convolution on other channels": lambda room: _twice(room.Conv1D(3, 2), X, X[..., :2]),
    "groups that do not divide the channels": lambda room: room.Conv1D(6, 2, groups=3)(X),
    "pictures on three axes": lambda room: room.Conv2D(3, 2)(X),
    "pooling on two axes": lambda room: room.MaxPooling1D(2)(VECTOR),
    "global pooling on two axes": lambda room: room.GlobalAveragePooling1D()(VECTOR),
    "a repetition of three axes": lambda room: room.RepeatVector(2)(X),
    "a crop of all steps": lambda room: room.Cropping1D((3, 3))(X),
    "a permutation of another rank": lambda room: room.Permute((2, 1))(IMAGE),
    "a shape that does not fit": lambda room: room.Reshape((3, 3))(X),
    "a sum of one": lambda room: room.Add()(X),
    "a sum of nothing": lambda room: room.Add()([]),
    "a difference of three": lambda room: room.Subtract()([X, X, X]),
    "a sum that does not fit": lambda room: room.Add()([X, X[:, :3]]),
    "a row of one": lambda room: room.Concatenate()(X),
    "rows that do not fit": lambda room: room.Concatenate()([X, X[:, :3]]),
    "a dot that does not fit": lambda room: room.Dot(axes=2)([X, X[..., :3]]),
    "a dot of three": lambda room: room.Dot(axes=1)([X, X, X]),
    "attention to nothing": lambda room: room.Attention()(X),
    "attention of many": lambda room: room.Attention()([X] * 4),
    "groups that do not divide the features": lambda room: room.GroupNormalization(3)(X),
    "an axis that is not there": lambda room: room.BatchNormalization(axis=5)(X),
}


def _twice(layer: Any, first: Any, second: Any) -> Any:
    layer(first)
    return layer(second)


@pytest.mark.parametrize("name", [*ARGUMENTS, *INPUTS])
def test_what_keras_refuses_is_refused_with_a_cure(name: str) -> None:
    call = (ARGUMENTS | INPUTS)[name]
    with pytest.raises(Exception) as theirs:  # noqa: PT011 -- Keras raises errors of many kinds
        call(keras.layers)
    with pytest.raises(EverystepError) as ours:
        call(layers)
    # At least one of the errors that people catch for Keras's.
    assert isinstance(ours.value, ValueError | TypeError), theirs.value
    assert len(str(ours.value)) > 20
