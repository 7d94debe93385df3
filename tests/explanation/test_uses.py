"""Which output steps use which weight, against what the designs and layers are known to do."""

from typing import Any

import numpy as np
import pytest

import everystep as es
from everystep.layers import LSTM, Conv1D, Dense, Embedding, Input, Permute, PerStep, Reshape
from everystep.models import Sequential
from everystep.models.designs import DESIGNS

STEPS = 4


@pytest.mark.parametrize("design", DESIGNS, ids=[design.name for design in DESIGNS])
def test_the_designs_share_their_weights_or_have_a_value_for_each_step(design: Any) -> None:
    r = es.explain(design.model(STEPS, 3, 5))
    shares = design.name in ("dense", "time distributed", "folded")
    for use in r.uses:
        assert (use.used_by, use.shared) == ((STEPS, True) if shares else (1, False))
        assert use.steps[0].all()
    assert [r.shared[use.path].tolist() for use in r.uses] == [[True] * STEPS] * 2


def test_a_state_of_zeros_uses_no_recurrent_weight_at_the_first_step() -> None:
    r = es.explain(LSTM(2, return_sequences=True), (None, STEPS, 3))
    kernel, recurrent, bias = r.uses
    assert recurrent.steps[0].tolist() == [False, True, True, True]
    assert (kernel.used_by, recurrent.used_by, bias.used_by) == (4, 3, 4)


def test_an_own_layer_for_each_step_stays_one_behind_a_loop() -> None:
    model = Sequential([Input((STEPS, 3)), LSTM(2, return_sequences=True), PerStep(Dense(2))])
    assert [use.used_by for use in es.explain(model).uses] == [4, 3, 4, 1, 1]


def test_an_own_loop_for_each_step_has_own_values() -> None:
    r = es.explain(PerStep(LSTM(2)), (None, STEPS, 3, 6))
    assert [(use.used_by, use.shared) for use in r.uses] == [(1, False)] * 3


def test_values_for_each_step_are_found_wherever_the_axis_of_steps_is() -> None:
    model = Sequential([Input((STEPS, 3)), Permute((2, 1)), Reshape((12,)), Dense(20)])
    model.add(Reshape((5, STEPS)))
    model.add(Permute((2, 1)))
    assert [use.used_by for use in es.explain(model).uses] == [1, 1]


def test_a_table_and_a_window_are_shared() -> None:
    model = Sequential([Embedding(9, 2), Conv1D(3, 2, padding="causal")])
    uses = es.explain(model, (None, None)).uses
    assert [use.used_by for use in uses] == [STEPS] * 3


def test_the_steps_of_each_output_count() -> None:
    x = Input((STEPS, 3))
    shared = Dense(2)
    r = es.explain(es.Model(x, [shared(x), PerStep(Dense(2))(x)]))
    assert [len(steps) for steps in r.uses[0].steps] == [STEPS, STEPS]
    assert [[bool(steps.any()) for steps in use.steps] for use in r.uses] == [
        [True, False],
        [True, False],
        [False, True],
        [False, True],
    ]
    np.testing.assert_array_equal(r.shared[r.uses[0].path], np.ones(STEPS, bool))


def test_what_has_no_weights_uses_none() -> None:
    assert es.explain(lambda x: x, (1, 4, 3)).uses == []
