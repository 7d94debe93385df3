"""Random numbers come from a seed and a path, so that nothing disturbs them."""

from typing import Any

import jax
import numpy as np
import pytest

from everystep.core import set_random_seed
from everystep.layers import LSTM, Dense, Dropout, Layer
from everystep.layers.apply import apply, weights_of
from everystep.models import Sequential
from tests.catalogue import Entry
from tests.laws.selection import about
from tests.trees import assert_trees_same

X = np.ones((2, 5, 30), "float32")


def differ(one: Any, other: Any) -> bool:
    pairs = zip(jax.tree.leaves(one), jax.tree.leaves(other), strict=True)
    return any(not np.array_equal(first, second) for first, second in pairs)


@about(lambda entry: not entry.variant)
def test_a_seed_fixes_the_first_weights(entry: Entry) -> None:
    assert_trees_same(entry.built().get_weights(), entry.built().get_weights())


@about(lambda entry: "ropout" in entry.name or "Noise" in entry.name)
def test_a_key_fixes_the_noise(entry: Entry) -> None:
    layer = entry.built()

    def run(seed: int) -> Any:
        key = jax.random.key(seed)
        return apply(layer, weights_of(layer), entry.inputs(), training=True, key=key)[0]

    assert_trees_same(run(3), run(3))
    fixed = "seed" in repr(layer)
    assert differ(run(3), run(4)) != fixed


def test_each_eager_call_draws_anew_and_a_seed_repeats_them() -> None:
    layer = Dropout(0.5)
    set_random_seed(3)
    first = [layer(X, training=True) for _ in range(3)]
    assert differ(first[0], first[1])
    assert differ(first[1], first[2])
    set_random_seed(3)
    assert_trees_same([layer(X, training=True) for _ in range(3)], first)


def test_two_layers_draw_different_noise_from_one_seed() -> None:
    drawn = []
    for name in ("left", "right"):
        set_random_seed(5)
        drawn.append(Dropout(0.5, name=name)(X, training=True))
    assert differ(*drawn)


def model(*more: Layer) -> Sequential:
    set_random_seed(11)
    rows = [Dense(4, name="a"), *more, LSTM(4, return_sequences=True, name="b", dropout=0.5)]
    built = Sequential([*rows, Dropout(0.5, name="c")], name="model")
    built(X)
    return built


@pytest.mark.parametrize("more", [Dense(4, name="x"), Dropout(0.5, name="y")], ids=["x", "y"])
def test_another_layer_disturbs_no_first_weight_and_no_noise(more: Layer) -> None:
    without, extended = model(), model(more)
    for name in ("a", "b"):
        weights = [one.get_layer(name).get_weights() for one in (without, extended)]
        assert_trees_same(*weights)
    drawn = []
    for one in (without, extended):
        set_random_seed(5)
        drawn.append(one.get_layer("c")(X, training=True))
    assert_trees_same(*drawn)


@pytest.mark.parametrize(
    ("shape", "axes"), [(None, ()), ((None, 1, None), (1,)), ((1, None, None), (0,))]
)
def test_dropout_drops_its_share_and_keeps_the_mean(shape: Any, axes: tuple[int, ...]) -> None:
    x = np.ones((40, 50, 60), "float32")
    set_random_seed(1)
    outputs = np.asarray(Dropout(0.3, noise_shape=shape)(x, training=True))
    assert set(np.unique(outputs)) == {0, np.float32(1) / np.float32(0.7)}
    assert outputs.mean() == pytest.approx(1, abs=0.05)
    assert (outputs == 0).mean() == pytest.approx(0.3, abs=0.04)
    for axis in axes:
        assert (outputs == outputs.take([0], axis)).all()


def test_dropout_of_an_lstm_drops_the_same_values_at_every_step() -> None:
    """With no recurrent weights every step is alone, so equal steps give rising cell states."""
    set_random_seed(1)
    options = {"recurrent_initializer": "zeros", "activation": "linear", "unit_forget_bias": False}
    layer = LSTM(3, dropout=0.5, return_sequences=True, bias_initializer=_forget_nothing, **options)
    outputs = np.asarray(layer(X, training=True))
    np.testing.assert_allclose(outputs, outputs[:, :1] * np.arange(1, 6)[:, None], rtol=1e-5)


def _forget_nothing(shape: Any, dtype: Any) -> Any:
    """A bias that shuts no gate: input, forget and output gates are all but 1."""
    units = shape[0] // 4
    return np.repeat(np.array([100, 100, 0, 100], dtype), units)
