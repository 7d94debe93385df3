"""Padding and packing: what must not be read is not read, or the layer says so, or it is found."""

from collections.abc import Callable
from typing import Any

import jax.numpy as jnp
import keras
import pytest

import everystep as es
from everystep.explanation.rows import Rows
from everystep.layers import (
    GRU,
    LSTM,
    Bidirectional,
    Dense,
    Embedding,
    Flatten,
    GlobalAveragePooling1D,
    Layer,
    Masking,
)
from everystep.models import Sequential

SHAPE = (None, 6, 2)


class Mean(Layer):
    """Adds the mean over all steps, whatever they are."""

    declared_masking = "packed"

    def call(self, inputs: Any) -> Any:
        return inputs + inputs.mean(1, keepdims=True)


class Settled(Layer):
    """Multiplies the mean by what is always zero, and no program can see that."""

    declared_masking = "packed"

    def call(self, inputs: Any) -> Any:
        return inputs + inputs.mean(1, keepdims=True) * (jnp.abs(inputs[..., :1]) < 0)


def lstm() -> LSTM:
    return LSTM(2, return_sequences=True)


@pytest.mark.parametrize(
    ("make", "shape", "padding", "packing"),
    [
        (lambda: Dense(3), SHAPE, "inert", "inert"),
        (lstm, SHAPE, "inert", "inert"),
        (lambda: Bidirectional(lstm()), (None, 5, 2), "inert", "inert"),
        (lambda: GRU(2), SHAPE, "inert", "refused"),
        (GlobalAveragePooling1D, SHAPE, "inert", "refused"),
        (Flatten, SHAPE, "refused", "refused"),
        (Mean, SHAPE, "leaks", "leaks"),
        (Settled, SHAPE, "unknown", "unknown"),
        (
            lambda: Sequential([Embedding(9, 2, mask_zero=True), lstm()]),
            (None, 6),
            "inert",
            "inert",
        ),
        (lambda: Sequential([Masking(), lstm()]), SHAPE, "inert", "inert"),
        (lambda: Dense(3), (None, 1, 2), "unknown", "unknown"),
        (lambda: Dense(3), (None, 2), "unknown", "unknown"),
        (lambda: LSTM(2, stateful=True), (2, 4, 3), "inert", "refused"),
    ],
    ids=[
        "dense",
        "lstm",
        "bidirectional",
        "last state",
        "pooling",
        "flatten",
        "mean",
        "settled",
        "ids",
        "masking",
        "one step",
        "no steps",
        "lasting states",
    ],
)
def test_rows(make: Callable[[], Any], shape: Any, padding: str, packing: str) -> None:
    r = es.explain(make(), shape)
    assert (r.padding.verdict, r.packing.verdict) == (padding, packing)
    for rows in (r.padding, r.packing):
        assert rows.reason
        assert (rows.pair is not None) == (rows.verdict == "leaks" or make is Settled)


class Scaled(Layer):
    """Multiplies all steps by a vector of the row's."""

    stepwise = True

    def call(self, inputs: Any, factor: Any) -> Any:
        return inputs * factor[:, None]


def test_a_vector_of_the_row_belongs_to_all_of_its_sequences() -> None:
    r = es.explain(Scaled(), SHAPE, (None, 2))
    assert (r.padding.verdict, r.packing.verdict) == ("inert", "inert")


def test_a_leak_names_a_real_step_and_the_padded_one_that_it_reads() -> None:
    r = es.explain(Mean(), SHAPE)
    assert r.padding == Rows(
        "leaks", (0, 3), "with padding at the end, seen in a change of the output"
    )
    assert r.packing.pair == (0, 3)


def test_a_refusal_gives_the_layers_own_words() -> None:
    assert "(Flatten) mixes steps" in es.explain(Flatten(), SHAPE).padding.reason


@pytest.mark.parametrize("thing", [lambda x: x, keras.layers.Identity()], ids=["function", "Keras"])
def test_padding_means_nothing_to_what_takes_no_mask(thing: Any) -> None:
    r = es.explain(thing, (1, 4, 3))
    assert r.padding.verdict == r.packing.verdict == "unknown"
    assert "no mask" in r.padding.reason
