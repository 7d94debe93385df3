"""Which steps are seen to share a value of a weight, and what is not seen of it."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax

from everystep import explain
from everystep.errors import ContradictionError
from everystep.explanation import sharing
from everystep.explanation.program import Port, Program, Weight
from everystep.explanation.sharing import Tie, ties_of
from everystep.explanation.uses import uses_of
from everystep.layers import (
    LSTM,
    BatchNormalization,
    Dense,
    Embedding,
    Flatten,
    Input,
    PerStep,
    Reshape,
)
from everystep.models import Sequential

STEPS = 4


def seen(program: Program) -> list[Tie | None]:
    steps = sum(port.steps for port in program.outputs)
    return ties_of(program, [np.ones(steps, bool)] * len(program.weights))


def test_rows_of_ids_and_statistics_are_shared() -> None:
    program = explain(Sequential([Embedding(50, 3), BatchNormalization()]), (None, STEPS)).program
    assert seen(program) == [Tie(steps=STEPS, of=STEPS)] * 5


def test_the_first_state_of_a_loop_is_made_without_the_recurrent_kernel() -> None:
    program = explain(LSTM(2, return_sequences=True), (None, STEPS, 3)).program
    assert [tie and tie.steps for tie in seen(program)] == [4, 3, 4]


def test_a_value_for_each_step_is_seen_in_one() -> None:
    layers = [Input((STEPS, 3)), Flatten(), Dense(20), Reshape((STEPS, 5)), PerStep(Dense(2))]
    ties = seen(explain(Sequential(layers)).program)
    assert ties == [Tie(steps=1, of=STEPS)] * 4
    assert not any(tie is None or tie.shared for tie in ties)


def test_a_few_of_many_steps_are_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    """And fewer still, a few at a time, where there are many values."""
    program = explain(Dense(2), (None, 100, 3)).program
    assert seen(program) == [Tie(steps=8, of=8)] * 2
    monkeypatch.setattr(sharing, "_MOST_DERIVATIVES", 25)
    monkeypatch.setattr(sharing, "_AT_ONCE", 16)
    assert seen(program) == [Tie(steps=3, of=3)] * 2


def of_one_weight(function: Callable[..., Any], value: Any) -> Program:
    """The program of a function of a weight and of steps."""
    port = Port("x", (1, STEPS, 3), np.float32, axis=1)
    jaxpr = jax.make_jaxpr(lambda w, x: [function(w, x)])(value, np.zeros(port.shape, port.dtype))
    return Program("function", jaxpr, (Weight("weight", value),), (port,), (port,))


def test_rounding_ties_nothing() -> None:
    program = of_one_weight(lambda w, x: x + jnp.sum(w / 49 * 49 - w), np.ones(7, np.float32))
    assert seen(program) == [Tie(steps=0, of=STEPS)]


def halved(w: Any, x: Any) -> Any:
    """A loop that ends when data says so."""
    return lax.while_loop(lambda w: w > 1, lambda w: w / 2, w) * x


@pytest.mark.parametrize(
    ("function", "value"),
    [(halved, np.float32(5)), (lambda w, x: w * x, np.int32(2))],
    ids=["a loop", "an integer"],
)
def test_nothing_is_said_where_nothing_can_be_seen(
    function: Callable[..., Any], value: Any
) -> None:
    program = of_one_weight(function, value)
    assert seen(program) == [None]
    [use] = uses_of(program, look=True)
    assert (use.used_by, use.shared) == (STEPS, True)


def test_two_bounds_that_contradict_each_other_are_a_fault() -> None:
    program = explain(Dense(2, name="dense"), (None, STEPS, 3)).program
    with pytest.raises(ContradictionError, match=r"step 3 of outputs .* 'dense/kernel'"):
        ties_of(program, [[True, True, True, False], [True] * STEPS])
