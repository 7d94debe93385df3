"""Cells, models, losses, metrics and callbacks that people wrote for Keras run here unchanged."""

from typing import Any

import numpy as np
import pytest

import everystep as es
from tests.tolerances import assert_close
from tests.written_for_keras.models import (
    batches,
    diary,
    fourth_power,
    largest_error,
    mean_gap,
    minimal_cell,
    tagger,
    two_state_cell,
)

keras = pytest.importorskip("keras", reason="Keras is the independent source of the behaviour")

DRAW = np.random.default_rng(9)
VALUES = DRAW.normal(size=(4, 5, 3)).astype("float32")
TARGETS = DRAW.normal(size=(4, 5, 2)).astype("float32")
MASK = np.arange(5) < np.array([5, 2, 1, 3])[:, None]


# Keras itself fails on a mask where the output of a cell is of another size than its states.
@pytest.mark.parametrize(
    ("make", "masked"), [(minimal_cell, False), (minimal_cell, True), (two_state_cell, False)]
)
def test_a_cell_of_ones_own_in_the_recurrent_loop(make: Any, masked: bool) -> None:
    ours, theirs = (
        k.layers.RNN(make(k), return_sequences=True, return_state=True) for k in (es, keras)
    )
    mask = MASK if masked else None
    ours(VALUES)
    wanted = theirs(VALUES, mask=mask)
    ours.set_weights(theirs.get_weights())
    found = ours(VALUES, mask=mask)
    assert len(found) == len(wanted)
    for one, other in zip(found, wanted, strict=True):
        assert_close(one, other)


def trained(k: Any, weights: Any = None) -> tuple[Any, Any, Any]:
    model = tagger(k)
    model(VALUES)
    if weights is not None:
        model.set_weights(weights)
    before = model.get_weights()
    model.compile(
        optimizer=k.optimizers.SGD(0.1, momentum=0.9),
        loss=fourth_power(k),
        metrics=[largest_error(k), mean_gap],
    )
    notes = diary(k)
    history = model.fit(
        VALUES, TARGETS, epochs=5, batch_size=2, shuffle=False, verbose=0, callbacks=[notes]
    )
    return before, history.history, (notes.notes, model)


def test_a_model_is_trained_as_in_keras_by_parts_of_ones_own() -> None:
    weights, wanted, (their_notes, theirs) = trained(keras)
    _, found, (notes, ours) = trained(es, weights)
    assert found.keys() == wanted.keys()
    for name in wanted:
        assert_close(np.float32(found[name]), np.float32(wanted[name]))
    assert notes == their_notes
    for one, other in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        assert_close(one, other)
    assert np.abs(ours.heads[0].get_weights()[0]).max() <= 0.5
    assert_close(ours.predict(VALUES, verbose=0), theirs.predict(VALUES, verbose=0))
    results = [
        k.evaluate(VALUES, TARGETS, verbose=0, return_dict=True, batch_size=2)
        for k in (ours, theirs)
    ]
    for name in results[1]:
        assert_close(np.float32(results[0][name]), np.float32(results[1][name]))


def test_a_data_set_of_ones_own_trains_as_in_keras() -> None:
    losses = []
    for k in (es, keras):
        model = k.Sequential([k.Input((5, 3)), k.layers.Dense(2, kernel_initializer="ones")])
        model.compile("sgd", "mse")
        data = batches(k, VALUES, TARGETS, 2)
        losses.append(model.fit(data, epochs=2, shuffle=False, verbose=0).history["loss"])
        # Keras says it once more, when it starts.
        assert data.epochs == 2 or k is keras
        assert data.num_batches == len(list(data)) == 2
    assert_close(np.float32(losses[0]), np.float32(losses[1]))
