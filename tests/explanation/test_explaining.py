"""`explain`: what is said of the five designs, of models and of functions."""

from typing import Any

import numpy as np
import pytest

import everystep as es
from everystep.models.designs import DESIGNS, Design

STEPS, FEATURES, UNITS = 4, 3, 5
OWN = np.eye(STEPS, dtype=bool)
ALL = np.ones((STEPS, STEPS), bool)
FACTS = {
    "dense": (OWN, 20, True),
    "time distributed": (OWN, 20, True),
    "folded": (OWN, 20, True),
    "flattened": (ALL, 260, False),
    "per step": (OWN, 80, False),
}


@pytest.mark.parametrize("design", DESIGNS, ids=[design.name for design in DESIGNS])
def test_the_five_designs_are_what_they_are(design: Design) -> None:
    depends, parameters, any_length = FACTS[design.name]
    r = es.explain(design.model(STEPS, FEATURES, UNITS))
    np.testing.assert_array_equal(r.depends, depends)
    np.testing.assert_array_equal(r.witnessed, depends)
    assert r.exact
    assert r.stepwise == r.causal == (depends is OWN)
    assert (r.parameters, r.any_length) == (parameters, any_length)
    reach = 0 if depends is OWN else STEPS - 1
    assert (r.lookback, r.lookahead) == (reach, reach)
    assert bool(r.any_length_reason) == (not any_length)


def test_the_reason_names_the_layer_that_has_a_fixed_number_of_steps() -> None:
    assert "(PerStep)" in es.explain(DESIGNS[-1].model(4, 3, 5)).any_length_reason


@pytest.mark.parametrize(
    ("function", "reach"),
    [
        (lambda x: x[:, ::-1], (None, None)),
        (lambda x: x.cumsum(1), (None, 0)),
        (lambda x: x[:, 2:] - x[:, :-2], (2, 0)),
        (lambda x: x.mean(1, keepdims=True) + x * 0, (None, None)),
    ],
    ids=["reversed", "sums", "differences", "mean"],
)
def test_a_reach_that_grows_with_the_steps_has_no_bound(function: Any, reach: Any) -> None:
    r = es.explain(function, (1, 4, 2))
    assert (r.lookback, r.lookahead) == reach


def test_other_numbers_of_steps_are_one_call_away() -> None:
    r = es.explain(es.layers.PerStep(es.layers.Dense(2)), (None, None, 3))
    assert (r.steps, r.parameters) == (4, 32)
    more = r.at(6)
    assert (more.steps, more.depends.shape, more.parameters) == (6, (6, 6), 48)


@pytest.mark.parametrize(
    "layer",
    [es.layers.PerStep(es.layers.Dropout(0.5)), es.layers.LayerNormalization(axis=(1, 2))],
    ids=["without weights", "over steps"],
)
def test_a_layer_that_would_take_a_name_for_its_number_of_steps_is_tried_with_another(
    layer: Any,
) -> None:
    layer.build((None, 4, 3))
    r = es.explain(layer)
    assert not r.any_length
    assert "expected axis 1 of input shape to have value 4, found 5" in r.any_length_reason
    assert isinstance(r.lookback, int)


def test_given_segments_are_constant_and_any_length_is_asked_without_them() -> None:
    rows = es.Steps.of(np.zeros((1, 4, 2), "float32"), np.array([[1, 1, 2, 2]]))
    r = es.explain(es.Sequential([es.layers.LSTM(2, return_sequences=True)]), rows)
    apart = np.kron(np.eye(2, dtype=bool), np.tri(2, dtype=bool))
    np.testing.assert_array_equal(r.depends, apart)
    assert r.exact
    assert r.any_length
    assert (r.lookback, r.lookahead) == (1, 0)
    np.testing.assert_array_equal(r.layers[0].depends[0], apart)
    read = es.explain(lambda steps: steps.values * steps.mask[..., None], rows)
    assert read.stepwise
    assert read.any_length


def test_a_function_that_needs_some_steps_at_least_takes_any_number_of_them() -> None:
    r = es.explain(lambda x: x[:, 2:] if x.shape[1] > 2 else x[:, :0], (1, 4, 3))
    assert r.any_length
    assert r.any_length_reason.startswith("as far as was tried, with 5, 6, 64, 128 steps")


def test_a_function_with_a_table_of_places_takes_no_more_steps_than_it_has() -> None:
    table = np.ones((20, 3))
    r = es.explain(lambda x: x + table[: x.shape[1]], (1, 4, 3))
    assert not r.any_length
    assert (r.lookback, r.lookahead) == (0, 0)


@pytest.mark.parametrize("steps", [3, 70])
def test_the_reach_is_the_same_for_few_steps_and_for_many(steps: int) -> None:
    window = es.layers.Conv1D(2, 3, dilation_rate=4, padding="causal")
    recurrent = es.layers.SimpleRNN(2, return_sequences=True)
    for layer, reach in ((window, (8, 0)), (recurrent, (None, 0))):
        r = es.explain(layer, (None, None, 2), steps=steps)
        assert (r.lookback, r.lookahead) == reach
