"""Predictions for lists where a model gives other steps than it reads."""

from collections.abc import Callable

import numpy as np
import pytest

from everystep.layers import (
    LSTM,
    Conv1D,
    Conv1DTranspose,
    Cropping1D,
    Embedding,
    Layer,
    MaxPooling1D,
    UpSampling1D,
)
from everystep.models import Sequential
from tests.trees import assert_trees_close

SEQUENCES = [np.random.default_rng(n).integers(1, 9, n) for n in (5, 8, 3, 6, 2, 4)]


@pytest.mark.parametrize(
    "make",
    [
        lambda: Conv1D(3, 2),
        lambda: UpSampling1D(2),
        lambda: MaxPooling1D(2),
        lambda: Conv1DTranspose(3, 2, strides=2),
        lambda: Cropping1D((1, 0)),
        lambda: LSTM(3, return_sequences=True, go_backwards=True),
    ],
)
def test_a_list_comes_back_with_the_steps_that_each_sequence_gives(
    make: Callable[[], Layer],
) -> None:
    model = Sequential([Embedding(9, 4), make()])
    found = model.predict(SEQUENCES, verbose=0)
    assert_trees_close(found, [np.asarray(model(one[None]))[0] for one in SEQUENCES])


def test_steps_that_the_model_takes_for_padding_come_back_too() -> None:
    model = Sequential([Embedding(9, 4, mask_zero=True)])
    found = model.predict([np.array([0, 3, 0]), np.array([1, 2, 3, 4])], verbose=0)
    assert [len(one) for one in found] == [3, 4]
