"""What each step contributes to a gradient, against JAX's gradient and weights that are untied."""

from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.extend.core import jaxpr_as_fun

from everystep import explain
from everystep.errors import DataError
from everystep.explanation.gradients import gradient_by_step
from everystep.explanation.program import Program
from everystep.layers import LSTM, Dense, Embedding, Flatten, Input, PerStep, Reshape
from everystep.models import Model, Sequential

STEPS = 4


@pytest.fixture(scope="module")
def tagger() -> Program:
    """An LSTM, whose weights an output step uses at every step before it, and a Dense."""
    layers = [
        Input((STEPS, 3)),
        LSTM(2, return_sequences=True, name="lstm"),
        Dense(5, name="dense"),
    ]
    return explain(Sequential(layers, name="tagger")).program


ROWS = np.random.default_rng(0).normal(size=(1, STEPS, 3)).astype(np.float32)


def value_of(program: Program, path: str) -> Any:
    return next(weight.value for weight in program.weights if weight.path == path)


def outputs_of(program: Program, path: str, value: Any) -> Any:
    values = [value if weight.path == path else weight.value for weight in program.weights]
    return jaxpr_as_fun(program.jaxpr)(*values, ROWS)[0]


def squared(outputs: Any) -> Any:
    return jnp.sum(jnp.arange(STEPS)[:, None] * outputs**2)


@pytest.mark.parametrize("path", ["tagger/lstm/lstm_cell/recurrent_kernel", "tagger/dense/kernel"])
@pytest.mark.parametrize("loss", [jnp.sum, squared])
def test_the_contributions_are_those_of_untied_copies_and_their_sum_is_the_gradient(
    tagger: Program, path: str, loss: Any
) -> None:
    value = value_of(tagger, path)
    found = gradient_by_step(tagger, path, [ROWS], loss=loss)

    def untied(copies: Any) -> Any:
        """Each output step is made by a copy of the weight that no other step uses."""
        outputs = [outputs_of(tagger, path, copy)[:, step] for step, copy in enumerate(copies)]
        return loss(jnp.stack(outputs, 1))

    copies = jax.jit(jax.grad(untied))(np.stack([value] * STEPS))
    whole = jax.jit(jax.grad(lambda value: loss(outputs_of(tagger, path, value))))(value)
    assert found.shape == (STEPS, *value.shape)
    np.testing.assert_allclose(found, copies, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(found.sum(0), whole, rtol=1e-5, atol=1e-6)


def test_copies_that_are_untied_change_their_own_step_alone() -> None:
    """Flattened, each value of the kernel makes one step, so that contributions do not overlap."""
    layers = [Input((STEPS, 3)), Flatten(), Dense(STEPS * 5), Reshape((STEPS, 5))]
    program = explain(Sequential(layers)).program
    flat = gradient_by_step(program, program.weights[0].path)
    assert flat.shape == (STEPS, 12, 20)
    assert ((flat != 0).sum(0) == 1).all()


def test_random_inputs_are_drawn_and_weights_may_be_given(tagger: Program) -> None:
    path = "tagger/dense/bias"
    np.testing.assert_array_equal(gradient_by_step(tagger, path), np.ones((STEPS, 5)))
    shifted = {path: np.full(5, 10.0)}
    plain, moved = (
        gradient_by_step(tagger, path, [ROWS], weights, loss=lambda y: jnp.sum(y**2) / 2)
        for weights in (None, shifted)
    )
    np.testing.assert_allclose(moved - plain, 10 - value_of(tagger, path) + 0 * plain, rtol=1e-5)


def test_the_steps_of_all_outputs_contribute_in_turn() -> None:
    x = Input((STEPS, 3))
    shared = Dense(2, use_bias=False)
    program = explain(Model(x, [shared(x), PerStep(Dense(2))(x), shared(x)])).program
    found = gradient_by_step(
        program,
        program.weights[0].path,
        [ROWS],
        loss=lambda first, own, again: jnp.sum(first) + 2 * jnp.sum(again),
    )
    by_step = np.repeat(ROWS[0][:, :, None], 2, 2)
    expected = np.concatenate([by_step, 0 * by_step, 2 * by_step])
    np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_ids_have_the_gradient_of_the_rows_that_they_name() -> None:
    program = explain(Embedding(6, 2, name="embedding"), (None, STEPS)).program
    found = gradient_by_step(program, "embedding/embeddings", [np.array([[5, 0, 5, 1]])])
    assert found.any(-1).argmax(1).tolist() == [5, 0, 5, 1]
    assert found.sum(0)[:, 0].tolist() == [1, 1, 0, 0, 0, 2]


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"weight": "kernel"}, "has no weight 'kernel'"),
        ({"inputs": []}, "takes 1 inputs, but 0"),
        ({"inputs": [ROWS[:, 1:]]}, r"shape \(1, 3, 3\)"),
        ({"weights": {"bias": 1}}, r"has no weights \['bias'\]"),
        ({"loss": lambda outputs: outputs}, "one number"),
    ],
)
def test_what_does_not_fit_is_an_error(tagger: Program, given: Any, words: str) -> None:
    with pytest.raises(DataError, match=words):
        gradient_by_step(tagger, **{"weight": "tagger/dense/kernel", **given})


def test_only_numbers_have_a_gradient(tagger: Program) -> None:
    counter = replace(tagger.weights[0], value=np.zeros(3, np.int32))
    with pytest.raises(DataError, match="int32"):
        gradient_by_step(replace(tagger, weights=(counter,)), counter.path)
