"""A compiled step writes what it changes where it was: weights, slots, states and counts."""

from __future__ import annotations

import re
from typing import Any

import jax
import numpy as np
import pytest

import everystep as es
from everystep.training import programs
from everystep.training.feeding import MiniBatch


def trained(optimizer: str) -> tuple[Any, MiniBatch]:
    """A model with weights, a running state and metrics, and a batch of the shape it has seen."""
    model = es.Sequential(
        [
            es.layers.Embedding(30, 4),
            es.layers.BatchNormalization(),
            es.layers.LSTM(3, return_sequences=True),
            es.layers.Dense(2),
        ]
    )
    loss = es.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(optimizer, loss, metrics=["accuracy"])
    ids = np.random.default_rng(0).integers(0, 30, (5, 6)).astype("int32")
    model.train_on_batch(ids, ids % 2)
    return model, MiniBatch(ids, (ids % 2,))


@pytest.mark.parametrize("optimizer", ["adam", "sgd"])
@pytest.mark.parametrize("together", [1, 2])
def test_every_array_that_changes_keeps_its_memory(
    optimizer: str, together: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(programs, "LARGE_TABLE", 1)
    monkeypatch.setattr(programs, "ROWS_A_READ", 0)
    model, batch = trained(optimizer)
    own = model._programs
    groups = own.trainable, own.rest, model.optimizer.variables, own.measures.variables
    state = [jax.tree.map(lambda each: each.peek(), group, is_leaf=is_variable) for group in groups]
    program = own._train if together == 1 else own._train_all
    if together > 1:
        batch = jax.tree.map(lambda leaf: np.stack([leaf] * together), batch)
    text = program.lower(*state, batch, jax.random.key(0), 0).compile().as_text()
    arrays = jax.tree.leaves(state)
    assert len(arrays) > 10
    # Each entry says `{result}: (argument, ...)`; the state comes first on both sides.
    pairs = re.findall(r"\{(\d+)\}: \((\d+), \{\}", text.split("\n", 1)[0])
    assert [(int(result), int(argument)) for result, argument in pairs] == [
        (number, number) for number in range(len(arrays))
    ]


def is_variable(value: Any) -> bool:
    return isinstance(value, es.Variable)


def test_a_value_that_somebody_holds_is_copied_first() -> None:
    model, batch = trained("adam")
    held = model.layers[0].embeddings.value
    before = np.array(held)
    model.train_on_batch(batch.inputs, batch.targets[0])
    np.testing.assert_array_equal(held, before)
    assert np.abs(model.layers[0].embeddings.numpy() - before).max() > 0
