"""Ids that are in no vocabulary, and numbers that are none, however data comes to a model."""

from collections.abc import Callable, Iterator
from typing import Any

import jax
import numpy as np
import pytest

import everystep as es
from everystep import config, layers
from everystep.errors import DataError, SettingError
from everystep.sequences import Steps, from_mask

BATCH, STEPS, FEATURES = 2, 5, 3
LABELS = np.zeros((BATCH, STEPS), "int32")
# Everything that takes data. A generator gives batches; sequences go in as a list.
WAYS: dict[str, Callable[[Any, Any], Any]] = {
    "fit": lambda model, x: model.fit(x, LABELS, verbose=0),
    "validation": lambda model, x: model.fit(
        np.zeros_like(x), LABELS, verbose=0, validation_data=(x, LABELS)
    ),
    "evaluate": lambda model, x: model.evaluate(x, LABELS, verbose=0),
    "predict": lambda model, x: model.predict(x, verbose=0),
    "train_on_batch": lambda model, x: model.train_on_batch(x, LABELS),
    "test_on_batch": lambda model, x: model.test_on_batch(x, LABELS),
    "predict_on_batch": lambda model, x: model.predict_on_batch(x),
    "a generator": lambda model, x: model.predict(iter([x]), verbose=0),
    "an array of JAX": lambda model, x: model.predict(jax.numpy.asarray(x), verbose=0),
    "a call": lambda model, x: model(x),
    "a chunk of a stream": lambda model, x: model.stream(BATCH).push(x),
    "a step of a stream": lambda model, x: model.stream(BATCH).step(x[:, 2]),
}


def compiled(*first: Any) -> Any:
    """A model that the native stepper streams where there is one."""
    model = es.Sequential([*first, layers.LSTM(4, return_sequences=True), layers.Dense(2)])
    model.compile("sgd", es.losses.SparseCategoricalCrossentropy(from_logits=True))
    return model


def words() -> Any:
    return compiled(layers.Input((None,), dtype="int32"), layers.Embedding(7, 3, name="words"))


def signals() -> Any:
    return compiled(layers.Input((None, FEATURES)))


@pytest.fixture
def looking() -> Iterator[None]:
    """NaN and infinite input is an error meanwhile."""
    config.set_finite_inputs(True)
    yield
    config.set_finite_inputs(False)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("number", [7, -1])
def test_an_id_that_no_table_has_is_named(way: str, number: int) -> None:
    ids = np.ones((BATCH, STEPS), "int32")
    ids[1, 2] = number
    place = r"\(1, 0\)" if way == "a step of a stream" else r"\(1, 2\)"
    with pytest.raises(DataError, match=rf"words' \(Embedding\).*id {number} at position {place}"):
        WAYS[way](words(), ids)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.usefixtures("looking")
def test_a_number_that_is_none_is_named(way: str) -> None:
    x = np.zeros((BATCH, STEPS, FEATURES), "float32")
    x[1, 2, 0] = np.nan
    step = 0 if way == "a step of a stream" else 2
    with pytest.raises(DataError, match=rf"nan in sample 1, step {step}, feature 0"):
        WAYS[way](signals(), x)


@pytest.mark.usefixtures("looking")
def test_in_sequences_the_sequence_is_named_and_so_is_the_input() -> None:
    sequences = [np.zeros((n, FEATURES), "float32") for n in (2, 4, 3)]
    sequences[1][3, 2] = -np.inf
    for method in ("predict", "fit"):
        with pytest.raises(DataError, match="x holds -inf in sample 1, step 3, feature 2"):
            getattr(signals(), method)(sequences, verbose=0)
    one, other = layers.Input((None, 1)), layers.Input((None, 1))
    model = es.Model([one, other], layers.Add()([one, other]))
    column = [np.zeros((n, 1), "float32") for n in (2, 4)]
    wrong = [column[0], np.full((4, 1), np.inf, "float32")]
    with pytest.raises(DataError, match=r"x\[1\] holds inf in sample 1, step 0, feature 0"):
        model.predict([column, wrong], verbose=0)
    with pytest.raises(DataError, match=r"x\[0\] holds nan in sample 0, step 0, feature 0"):
        model.predict([np.full((2, 3, 1), np.nan), np.zeros((2, 3, 1))], verbose=0)


@pytest.mark.usefixtures("looking")
def test_padding_may_hold_anything_and_so_may_ids() -> None:
    x = np.zeros((BATCH, STEPS, FEATURES), "float32")
    mask = np.arange(STEPS) < np.array([[5], [2]])
    x[~mask] = np.nan
    layer, model = layers.LSTM(4), signals()
    assert np.isfinite(layer(from_mask(x, mask))).all()
    assert np.isfinite(model.stream(BATCH).push(x, mask)).all()
    layers.Embedding(7, 3)(np.ones((2, 3), "int32"))
    x[1, 1, 1] = np.inf
    with pytest.raises(
        DataError, match=r"layer 'lstm\w*' \(LSTM\): the input holds inf in sample 1"
    ):
        layer(Steps.of(x, mask * [[1], [2]], packed=False))


def test_nothing_is_looked_at_unless_it_is_asked_for() -> None:
    assert not config.finite_inputs()
    assert np.isnan(layers.Dense(2)(np.full((1, 2), np.nan))).all()
    with pytest.raises(SettingError, match=r"finite_inputs.*'yes'"):
        config.set_finite_inputs("yes")  # type: ignore[arg-type]


def test_a_weight_that_is_no_number_is_named() -> None:
    x, weights = np.zeros((BATCH, STEPS, FEATURES), "float32"), np.ones((BATCH, STEPS))
    weights[1, 3] = np.nan
    with pytest.raises(DataError, match="sample_weight holds nan in sample 1, feature 3"):
        signals().fit(x, LABELS, sample_weight=weights, verbose=0)
    ragged = [np.ones(2), np.array([1.0, np.inf])]
    both = [np.zeros((2, FEATURES), "float32")] * 2
    with pytest.raises(DataError, match="sample_weight holds inf in sample 1, step 1"):
        signals().fit(both, [[0, 1], [1, 0]], sample_weight=ragged, verbose=0)
