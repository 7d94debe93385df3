"""What a step costs, against sums done by hand."""

from typing import Any

import jax
import jax.numpy as jnp
import pytest

import everystep as es
from everystep.explanation.costs import cost_of
from everystep.explanation.subjects import subject_of
from everystep.layers import GRU, LSTM, Conv1D, Dense, MultiHeadAttention

STEPS, FEATURES, UNITS = 6, 3, 4


def branched(x: Any) -> Any:
    """One of two products."""
    return jax.lax.cond(
        x[0, 0, 0] > 0, lambda x: x @ jnp.ones((3, 5)), lambda x: x[:, :, :1] @ jnp.ones((1, 5)), x
    )


@pytest.mark.parametrize(
    ("thing", "multiply_adds"),
    [
        (Dense(UNITS), FEATURES * UNITS),
        (LSTM(UNITS, return_sequences=True), (FEATURES + UNITS) * 4 * UNITS),
        (GRU(UNITS, return_sequences=True), (FEATURES + UNITS) * 3 * UNITS),
        (LSTM(UNITS), STEPS * (FEATURES + UNITS) * 4 * UNITS),
        (Conv1D(UNITS, 2, padding="same"), 2 * FEATURES * UNITS),
        (Conv1D(6, 2, padding="same", groups=3), 2 * 6),
        (
            lambda x: jnp.einsum("bts,bsf->btf", jnp.einsum("btf,bsf->bts", x, x), x),
            2 * STEPS * FEATURES,
        ),
        (branched, 3 * 5),
        (jax.jit(lambda x: jax.nn.relu(x * 2)), 0),
    ],
    ids=[
        "dense",
        "lstm",
        "gru",
        "last state",
        "conv",
        "groups",
        "attention",
        "the dearer branch",
        "no product",
    ],
)
def test_a_step_costs_what_its_products_multiply(thing: Any, multiply_adds: float) -> None:
    shape = (1, STEPS, FEATURES)
    subject = subject_of(thing, (shape,))
    program = subject.built_for(STEPS).program(STEPS)
    assert cost_of(program).multiply_adds == multiply_adds


def test_the_bytes_are_those_of_weights_inputs_and_outputs() -> None:
    numbers = FEATURES * UNITS + UNITS + STEPS * (FEATURES + UNITS)
    program = subject_of(Dense(UNITS), ((None, STEPS, FEATURES),)).built_for(None).program(None)
    assert cost_of(program).bytes == 4 * numbers / STEPS


def test_attention_costs_more_the_more_steps_there_are() -> None:
    layer = MultiHeadAttention(1, 2)
    few, many = (es.explain(layer, (None, n, 3), (None, n, 3)).cost.multiply_adds for n in (2, 8))
    # Four projections of 2 numbers from 3, and a score and a sum of 2 numbers for each step.
    assert (few, many) == (4 * 6 + 2 * 2 * 2, 4 * 6 + 8 * 2 * 2)
