"""The same models in disguise: whatever is not found out must not be called another function."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.extend.core import jaxpr_as_fun

from everystep.explanation.program import Program
from everystep.explanation.relation import Family, related
from everystep.explanation.subjects import subject_of
from everystep.layers import Dense, SimpleRNN
from everystep.models import Sequential


def disguised(program: Program, turn: Callable[[Any], Any]) -> Program:
    """Return a program of the same functions, whose weights go through a function first."""
    run: Any = jaxpr_as_fun(program.jaxpr)
    sizes = np.cumsum([weight.value.size for weight in program.weights])[:-1]

    def function(*arguments: Any) -> Any:
        own, inputs = arguments[: len(program.weights)], arguments[len(program.weights) :]
        turned = turn(jnp.concatenate([jnp.ravel(weight) for weight in own]))
        parts = jnp.split(turned, sizes.tolist())
        return run(*[p.reshape(w.shape) for p, w in zip(parts, own, strict=True)], *inputs)

    return replace(program, name="disguised", jaxpr=jax.make_jaxpr(function)(*_zeros(program)))


def _zeros(program: Program) -> list[Any]:
    weights = [jnp.zeros(w.value.shape, w.value.dtype) for w in program.weights]
    return [*weights, *(jnp.zeros(port.shape, port.dtype) for port in program.inputs)]


def program_of(thing: Any) -> Program:
    return subject_of(thing, ((1, 3, 2),)).built_for(3).program(3)


MODELS: dict[str, Callable[[], Any]] = {
    "dense": lambda: Dense(4),
    "tanh": lambda: Sequential([Dense(3, activation="tanh"), Dense(2)]),
    "recurrent": lambda: SimpleRNN(2, return_sequences=True),
}
TURNS: dict[str, Callable[[Any], Any]] = {
    "shuffled": lambda w: w[np.random.default_rng(1).permutation(w.size)],
    "bent": jnp.sinh,
    "shifted": lambda w: w + 0.3,
}


@pytest.mark.parametrize(
    ("model", "turn", "verdict"),
    [
        # Least squares see through whatever is affine in the weights.
        ("dense", "shuffled", "same"),
        ("dense", "shifted", "same"),
        ("dense", "bent", "unknown"),
        ("tanh", "shuffled", "unknown"),
        ("tanh", "bent", "unknown"),
        ("recurrent", "shuffled", "unknown"),
    ],
)
def test_a_disguise_is_seen_through_or_unknown(model: str, turn: str, verdict: str) -> None:
    program = program_of(MODELS[model]())
    r = related(Family(program), Family(disguised(program, TURNS[turn])))
    assert r.verdict == verdict, r.reason
