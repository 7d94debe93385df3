"""What must be witnessed, what must not be, and what is shown of it."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax
from jax.extend.core import jaxpr_as_fun

from everystep import explain
from everystep.errors import ContradictionError
from everystep.explanation.program import Program
from everystep.explanation.witnesses import Witness, compiling, find_witnesses, witness_of
from everystep.layers import LSTM, Dense, Embedding
from everystep.models import Sequential
from tests.explanation.case import ALL, NONE, OWN, SHAPE, STEPS

EARLIER = np.eye(STEPS, k=-1, dtype=bool)


def program_of(thing: Any, *shapes: tuple[int, ...]) -> Program:
    return explain(thing, *shapes).program


def found(program: Program, depends: Any = ALL) -> np.ndarray:
    [map_] = find_witnesses(program, [depends])
    return map_


def before(x: jax.Array) -> jax.Array:
    """The step before, zeros at the first."""
    return jnp.pad(x, ((0, 0), (1, 0), (0, 0)))[:, :-1]


def deep(x: jax.Array) -> jax.Array:
    """Ten layers of one unit, which show a negative number nothing."""
    for _ in range(10):
        x = jax.nn.relu(1.1 * x - 0.1)
    return x


def quantised(x: jax.Array) -> jax.Array:
    return jnp.round(x * 4).astype(jnp.int8)


def saturated(x: jax.Array) -> jax.Array:
    """Zero, by two ways to say the same that round differently where they saturate."""
    return jnp.tanh(x) - (jnp.exp(2 * x) - 1) / (jnp.exp(2 * x) + 1)


def swamped(x: jax.Array) -> jax.Array:
    """An input that vanishes next to what is taken off again, up to roundings."""
    large = 1e6 * jnp.cumprod(10 * x, 1)
    return (x + large) - 1e6 * jnp.cumprod(10 * x, 1)


FUNCTIONS: dict[str, tuple[Callable[..., Any], np.ndarray]] = {
    "ten layers of one unit": (deep, OWN),
    "integers": (quantised, OWN),
    "a small part": (lambda x: x + 1e-13 * before(x), OWN | EARLIER),
    "x - x": (lambda x: x - x, NONE),
    "x - x, the gradient stopped": (lambda x: x - lax.stop_gradient(x), NONE),
    "x y / y - x": (lambda x: x * before(x) / before(x) - x, NONE),
    "x + m - m": (lambda x: x + x.mean() - x.mean(), OWN),
    "swamped": (swamped, OWN),
    "saturated": (saturated, NONE),
    "two sums": (lambda x: x + (jnp.cumsum(x, 1)[:, -1:] - x.sum(1, keepdims=True)), OWN),
    "there and back": (lambda x: jnp.fft.ifft(jnp.fft.fft(x, axis=1), axis=1).real, OWN),
    "zeros of what is infinite": (
        lambda x: jnp.log(x) * 0 + jnp.exp(jnp.exp(10 * before(x))) * 0,
        NONE,
    ),
}


@pytest.mark.parametrize("case", FUNCTIONS)
def test_changes_count_and_rounding_does_not(case: str) -> None:
    function, truth = FUNCTIONS[case]
    assert (found(program_of(function, SHAPE)) == truth).all()


def test_a_choice_that_rounding_makes_is_never_a_witness() -> None:
    """Both are equal but for rounding, so which branch is taken says nothing of the step before."""
    choice = lambda x: jnp.where(before(x) * 3 / 3 > before(x), x, 2 * x)  # noqa: E731
    assert not (found(program_of(choice, SHAPE)) & ~OWN).any()


@pytest.fixture(scope="module")
def tagger() -> Program:
    """Embedding, LSTM and Dense over a hundred steps."""
    layers = [Embedding(50, 8), LSTM(16, return_sequences=True), Dense(3)]
    return program_of(Sequential(layers), (1, 100))


def test_the_last_of_a_hundred_steps_reads_the_first(tagger: Program) -> None:
    causal = np.tri(100, dtype=bool)
    assert (found(tagger, causal) == causal).all()


def test_a_witness_shows_one_pair(tagger: Program) -> None:
    shown = witness_of(tagger, output=0, step_out=99, of_input=0, step_in=0)
    assert isinstance(shown, Witness)
    assert shown.weights.keys() == {weight.path for weight in tagger.weights}
    [ids], [others] = shown.before, shown.after
    assert np.flatnonzero(ids != others).tolist() == [0]
    assert others.max() < 50
    difference = np.abs(shown.output_after - shown.output_before)
    assert difference[0, 99].max() > 1e-9
    # The program itself, in its own precision, gives what the witness says it gives.
    values = [np.float32(value) for value in shown.weights.values()]
    [output] = jaxpr_as_fun(tagger.jaxpr)(*values, ids)
    np.testing.assert_allclose(output, shown.output_before, atol=1e-3)


def test_nothing_is_shown_that_is_not_so(tagger: Program) -> None:
    assert witness_of(tagger, output=0, step_out=0, of_input=0, step_in=1) is None


def test_a_change_too_small_to_see_is_shown_by_its_derivative() -> None:
    program = program_of(FUNCTIONS["a small part"][0], SHAPE)
    shown = witness_of(program, output=0, step_out=2, of_input=0, step_in=1)
    assert shown is not None
    assert shown.derivative is not None
    moved = shown.after[0] - shown.before[0]
    np.testing.assert_allclose(shown.derivative[0, 2], np.float32(1e-13) * moved[0, 1])


def test_two_bounds_that_contradict_each_other_are_a_fault() -> None:
    program = program_of(lambda x: x + before(x), SHAPE)
    with pytest.raises(ContradictionError, match=r"step 1 of outputs .* step 0 of inputs"):
        find_witnesses(program, [OWN])


def test_an_input_without_steps_is_changed_as_a_whole() -> None:
    program = explain(lambda x, scale: x * scale, SHAPE, (3,), input_axis=[1, None]).program
    maps = find_witnesses(program, [OWN, np.ones((STEPS, 1), bool)])
    assert [map_.shape for map_ in maps] == [(STEPS, STEPS), (STEPS, 1)]
    assert (maps[0] == OWN).all()
    assert maps[1].all()


def test_what_cannot_be_mapped_is_run_in_turn() -> None:
    """A callback without a rule for `vmap` knows neither double precision nor derivatives."""

    def doubled(x: jax.Array) -> Any:
        shape = jax.eval_shape(jnp.sin, x)
        return jax.pure_callback(lambda value: np.asarray(value) * np.float32(2), shape, x)

    assert (found(program_of(lambda x: doubled(x), SHAPE)) == OWN).all()


def test_what_has_no_derivative_is_searched_by_changes_alone() -> None:
    """JAX has no rule for all of the singular vectors."""
    program = program_of(lambda x: jnp.linalg.svd(x[..., None])[0], SHAPE)
    assert (found(program) == OWN).all()


def test_the_search_ends_when_its_time_is_up(tagger: Program) -> None:
    [map_] = find_witnesses(tagger, [np.tri(100, dtype=bool)], seconds=0.0)
    assert not map_.any()


def test_options_that_the_compiler_no_longer_has_cost_time_only(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(compiling, "_OPTIONS", {"xla_of_yesterday": True})
    assert compiling.compiled(lambda x: x + 1, 1)(2) == 3
