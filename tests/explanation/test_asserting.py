"""Assertions about models: they hold, or the failure shows inputs and outputs that break them."""

import re
from typing import Any

import jax.numpy as jnp
import keras
import pytest

import everystep as es
from everystep.errors import EverystepError, ExplanationError
from everystep.layers import LSTM, Bidirectional, Conv1D, Dense, Embedding, Flatten, Layer
from everystep.models import Sequential

SHAPE = (None, 4, 2)


def tagger(recurrent: Any) -> Sequential:
    return Sequential([Embedding(9, 3), recurrent, Dense(2)], name="tagger")


def forward() -> LSTM:
    return LSTM(2, return_sequences=True)


def far_ahead(x: Any) -> Any:
    """Reads seven steps ahead, where there are so many."""
    return x + jnp.pad(x, ((0, 0), (0, 7), (0, 0)))[:, 7:]


class Settled(Layer):
    """Multiplies the mean by what is always zero, and no program can see that."""

    def call(self, inputs: Any) -> Any:
        return inputs + inputs.mean(1, keepdims=True) * (jnp.abs(inputs[..., :1]) < 0)


def test_what_holds_passes() -> None:
    es.assert_causal(tagger(forward()), (None, None))
    es.assert_causal(LSTM(2), SHAPE)
    es.assert_causal(Conv1D(2, 3, padding="causal"), SHAPE)
    es.assert_causal(keras.layers.LSTM(2, return_sequences=True), SHAPE)
    es.assert_stepwise(Dense(3), SHAPE)
    es.assert_stepwise(lambda x: jnp.where(x > 0, x, 0), SHAPE)


def test_the_failure_names_the_pair_and_shows_what_changes() -> None:
    with pytest.raises(ExplanationError) as caught:
        es.assert_causal(tagger(Bidirectional(forward())), (None, None))
    assert isinstance(caught.value, AssertionError)
    assert isinstance(caught.value, EverystepError)
    number = r"\[\s*-?[\d.e-]+\s*-?[\d.e-]*\]"
    assert re.fullmatch(
        r"Sequential 'tagger' is not causal: step 0 of outputs \(of 4\) reads step 1 of inputs "
        rf"\(of 4\)\. With random weights and inputs, when inputs\[1\] goes from \[\d\] to \[\d\], "
        rf"outputs\[0\] goes from {number} to {number}",
        str(caught.value),
    )


FAILING = {
    "recurrent": (es.assert_stepwise, forward(), "is not step-wise: step 1 of outputs"),
    "one vector": (es.assert_stepwise, Flatten(), r"outputs \(of 1\) reads step 0"),
    "a last state": (es.assert_stepwise, LSTM(2), r"step 0 of outputs \(of 1\) reads"),
    "far ahead": (es.assert_causal, far_ahead, r"step 0 of outputs \(of 16\) reads step 7"),
    "not proven": (
        es.assert_causal,
        Settled(),
        "could not be proven to be causal: by its program, step 0 .* may read step 1 .* no change",
    ),
}


@pytest.mark.parametrize(("check", "thing", "message"), FAILING.values(), ids=FAILING.keys())
def test_what_does_not_hold_fails(check: Any, thing: Any, message: str) -> None:
    with pytest.raises(ExplanationError, match=message):
        check(thing, SHAPE)


def test_inputs_of_different_lengths_are_looked_at_together() -> None:
    attention = es.layers.MultiHeadAttention(1, 2)
    with pytest.raises(ExplanationError, match="of value"):
        es.assert_causal(attention, (None, 3, 2), (None, 5, 2))
