"""Noise by its moments and places, and penalties on activity: Keras's, without padding."""

from typing import Any

import numpy as np
import pytest

from everystep.core import set_random_seed
from everystep.core.scope import Scope
from everystep.layers import (
    ActivityRegularization,
    AlphaDropout,
    Dense,
    GaussianDropout,
    GaussianNoise,
    SpatialDropout1D,
    symbolic,
)
from everystep.sequences import pack
from tests.tolerances import assert_close

keras: Any = pytest.importorskip("keras", reason="Keras is what is compared with")

X = np.random.default_rng(0).normal(size=(2, 5, 3)).astype("float32")
MASK = np.array([[True, False, True, True, False], [False, False, True, False, False]])
MANY = np.random.default_rng(1).normal(size=(40, 50, 60)).astype("float32")


def noisy(layer: Any, inputs: Any = MANY) -> Any:
    set_random_seed(1)
    return layer(inputs, training=True)


def test_noise_has_the_mean_and_deviation_that_it_should() -> None:
    added = np.asarray(noisy(GaussianNoise(0.3)) - MANY)
    assert abs(added.mean()) < 0.01
    assert added.std() == pytest.approx(0.3, abs=0.01)
    factor = np.asarray(noisy(GaussianDropout(0.2), np.ones_like(MANY)))
    assert factor.mean() == pytest.approx(1, abs=0.01)
    assert factor.std() == pytest.approx(np.sqrt(0.2 / 0.8), abs=0.01)


def test_alpha_dropout_keeps_mean_and_variance_and_has_keras_s_two_kinds_of_values() -> None:
    found = np.asarray(noisy(AlphaDropout(0.3)))
    assert abs(found.mean()) < 0.02
    assert found.std() == pytest.approx(1, abs=0.02)
    keras.utils.set_random_seed(1)
    theirs = np.asarray(keras.layers.AlphaDropout(0.3)(np.zeros((9, 9)), training=True))
    ours = np.asarray(noisy(AlphaDropout(0.3), np.zeros((9, 9), "float32")))
    assert_close(np.unique(ours), np.unique(theirs))


def test_alpha_dropout_draws_once_along_an_axis_of_size_one() -> None:
    found = np.asarray(noisy(AlphaDropout(0.3, noise_shape=(None, 1, None)), np.ones((3, 4, 5))))
    assert (found == found[:, :1]).all()


def test_spatial_dropout_drops_the_same_features_throughout_a_sequence() -> None:
    found = np.asarray(noisy(SpatialDropout1D(0.3), np.ones_like(MANY)))
    assert (found == found[:, :1]).all()
    assert set(np.unique(found)) == {0, np.float32(1) / np.float32(0.7)}
    assert (found == 0).mean() == pytest.approx(0.3, abs=0.04)
    rows = pack([np.ones((length, 40), "float32") for length in (3, 5, 4)], length=8)
    sequences = noisy(SpatialDropout1D(0.5), rows).unpack()
    for sequence in sequences:
        assert (sequence == sequence[:1]).all()
    firsts = np.stack([sequence[0] for sequence in sequences])
    assert len(np.unique(firsts, axis=0)) == 3


def losses_of(layer: Any, inputs: Any, real_rows: Any = None, **kwargs: Any) -> Any:
    with Scope(real_rows=real_rows).active() as scope:
        layer(inputs, **kwargs)
    return sum(scope.losses)


@pytest.mark.parametrize("inputs", [X, X[:, 0], X[:0]], ids=["steps", "vectors", "no rows"])
def test_a_penalty_on_activity_is_keras_s(inputs: Any) -> None:
    theirs = keras.layers.ActivityRegularization(0.1, 0.2)
    theirs(inputs)
    assert_close(losses_of(ActivityRegularization(0.1, 0.2), inputs), sum(theirs.losses))
    theirs = keras.layers.Dense(2, activity_regularizer="l2", kernel_initializer="ones")
    theirs(inputs)
    ours = Dense(2, activity_regularizer="l2", kernel_initializer="ones")
    assert_close(losses_of(ours, inputs), sum(theirs.losses))


def test_padding_and_rows_that_fill_up_a_batch_cost_nothing() -> None:
    layer = ActivityRegularization(0.1, 0.2)
    real = np.where(MASK[:, :, None], X, 0)
    assert_close(losses_of(layer, X, mask=MASK), losses_of(layer, real))
    filled = np.concatenate([X, 9 * np.ones_like(X)])
    rows = np.array([True, True, False, False])
    assert_close(losses_of(layer, filled, real_rows=rows), losses_of(layer, X))


def test_a_list_costs_the_same_however_it_is_packed() -> None:
    layer = ActivityRegularization(0.1, 0.2)
    sequences = [X[0, :2], X[0, 1:], X[1, :3]]
    alone = [losses_of(layer, sequence[None]) for sequence in sequences]
    for length in (5, 9):
        assert_close(losses_of(layer, pack(sequences, length=length)), np.mean(alone))


def test_a_penalty_on_activity_works_on_shapes_alone() -> None:
    assert ActivityRegularization(0.1).compute_output_shape((None, None, 3)) == (None, None, 3)
    packed = symbolic.trace(ActivityRegularization(0.1), (None, None, 3), segments="packed")
    assert packed.outputs.shape[-1] == 3
