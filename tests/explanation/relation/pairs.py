"""Pairs of models with the relation that they are known to have."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from everystep.explanation.relation import Relation, relation
from everystep.layers import (
    GRU,
    LSTM,
    Bidirectional,
    Conv1D,
    Dense,
    EinsumDense,
    Embedding,
    Flatten,
    Layer,
    LayerNormalization,
    PerStep,
    Reshape,
    TimeDistributed,
)
from everystep.models import Sequential
from everystep.models.designs import FoldedDense

STEPS, FEATURES, UNITS = 4, 3, 5
ORDER = np.array([2, 0, 1])


class Permuted(Layer):
    """Units in another order."""

    def call(self, inputs: Any) -> Any:
        return inputs[..., ORDER]


class Narrowed(Layer):
    """A dense layer that is another function where an output is very large."""

    def build(self, shape: Any) -> None:
        self.dense = Dense(3)
        self.dense.build(shape)

    def call(self, inputs: Any) -> Any:
        outputs = self.dense(inputs)
        return jnp.where(outputs > 1e6, 0.0, outputs)


class Reidentified(Layer):
    """One id of many becomes another."""

    input_dtype = "int32"

    def call(self, inputs: Any) -> Any:
        return jnp.where(inputs == 500, 1, inputs)


@dataclass(frozen=True)
class Pair:
    """Two things to relate.

    Args:
        a: makes the one.
        b: makes the other.
        verdict: how a is related to b.
        kind: what kind of counter-example shows that b is not all in a, or a not in b; "" for none.
        shape: the shape of the inputs.
    """

    a: Callable[[], Any]
    b: Callable[[], Any]
    verdict: str
    kind: str = ""
    shape: tuple[int | None, ...] = (None, STEPS, FEATURES)


def _chain(*layers: Layer) -> Sequential:
    return Sequential(list(layers))


def _flattened() -> Layer:
    return _chain(Flatten(), Dense(STEPS * UNITS), Reshape((STEPS, UNITS)))


def _network(activation: str, width: int) -> Layer:
    return _chain(Dense(width, activation=activation), Dense(2))


def _lstm(units: int = 3) -> Layer:
    return LSTM(units, return_sequences=True)


def _gru(*, reset_after: bool) -> Layer:
    return GRU(2, return_sequences=True, reset_after=reset_after)


def summed_by_a_loop(x: Any) -> Any:
    """A running sum, step by step."""

    def step(total: Any, at: Any) -> Any:
        return total + at, total + at

    steps = jnp.swapaxes(x, 0, 1)
    return jnp.swapaxes(jax.lax.scan(step, jnp.zeros_like(steps[0]), steps)[1], 0, 1)


PAIRS = {
    "a dense layer, applied to each step": Pair(
        lambda: Dense(UNITS), lambda: TimeDistributed(Dense(UNITS)), "same"
    ),
    "a dense layer, folded by hand": Pair(lambda: Dense(UNITS), lambda: FoldedDense(UNITS), "same"),
    "shared or own": Pair(
        lambda: Dense(UNITS), lambda: PerStep(Dense(UNITS)), "narrower", "least squares"
    ),
    "shared or flattened": Pair(lambda: Dense(UNITS), _flattened, "narrower", "least squares"),
    "own or flattened": Pair(
        lambda: PerStep(Dense(UNITS)), _flattened, "narrower", "least squares"
    ),
    "flattened or shared": Pair(_flattened, lambda: Dense(UNITS), "wider", "least squares"),
    "without bias": Pair(
        lambda: Dense(UNITS, use_bias=False), lambda: Dense(UNITS), "narrower", "least squares"
    ),
    "two dense layers": Pair(lambda: _chain(Dense(4), Dense(UNITS)), lambda: Dense(UNITS), "same"),
    "two dense layers with a bottleneck": Pair(
        lambda: _chain(Dense(2), Dense(UNITS)), lambda: Dense(UNITS), "narrower", "span"
    ),
    "a convolution of width 1": Pair(lambda: Conv1D(UNITS, 1), lambda: Dense(UNITS), "same"),
    "einsum twins": Pair(
        lambda: EinsumDense("btf,of->bto", (STEPS, UNITS), bias_axes="o"),
        lambda: Dense(UNITS),
        "same",
    ),
    "an LSTM and another": Pair(_lstm, _lstm, "same"),
    "an LSTM in another order": Pair(_lstm, lambda: _chain(_lstm(), Permuted()), "same"),
    "where a GRU resets": Pair(
        lambda: _gru(reset_after=True), lambda: _gru(reset_after=False), "different", "directions"
    ),
    "both directions": Pair(
        lambda: Bidirectional(_lstm(2), merge_mode="sum"),
        lambda: _chain(Bidirectional(_lstm(2)), Dense(2)),
        "narrower",
        "range",
    ),
    "causal convolutions": Pair(
        lambda: Conv1D(UNITS, 2, padding="causal"),
        lambda: Conv1D(UNITS, 3, padding="causal"),
        "narrower",
        "least squares",
    ),
    "ReLU of one width": Pair(lambda: _network("relu", 4), lambda: _network("relu", 4), "same"),
    "ReLU of two widths": Pair(
        lambda: _network("relu", 4), lambda: _network("relu", 6), "narrower", "dimension"
    ),
    "tanh of two widths": Pair(
        lambda: _network("tanh", 6), lambda: _network("tanh", 4), "wider", "dimension"
    ),
    "LSTM of two widths": Pair(
        lambda: _chain(_lstm(2), Dense(2)), lambda: _chain(_lstm(3), Dense(2)), "narrower"
    ),
    "a dense layer and an LSTM": Pair(lambda: Dense(3), _lstm, "different", "least squares"),
    "an LSTM and a GRU": Pair(
        lambda: _lstm(2), lambda: GRU(2, return_sequences=True), "different", "range"
    ),
    "a stepwise layer and a mixing one": Pair(
        lambda: _network("tanh", 4),
        lambda: _chain(Conv1D(4, 2, padding="causal", activation="tanh"), Dense(2)),
        "narrower",
        "steps",
    ),
    "running sums": Pair(lambda: lambda x: jnp.cumsum(x, 1), lambda: summed_by_a_loop, "same"),
    "running sums in both directions": Pair(
        lambda: summed_by_a_loop,
        lambda: lambda x: jnp.cumsum(x[:, ::-1], 1),
        "different",
        "least squares",
    ),
    "with normalization": Pair(
        lambda: _chain(Dense(3), LayerNormalization(), Dense(2)),
        lambda: _chain(TimeDistributed(Dense(3)), LayerNormalization(), Dense(2)),
        "same",
    ),
    "ids": Pair(
        lambda: _chain(Embedding(7, 3), Dense(2)), lambda: Embedding(7, 2), "same", shape=(None, 4)
    ),
    "outputs of other shapes": Pair(lambda: Dense(2), lambda: Dense(3), "different"),
    # Nothing shows either of these; a guess would not be worth much.
    "other activations": Pair(lambda: _network("tanh", 6), lambda: _network("relu", 6), "unknown"),
    # Equal wherever a sample falls.
    "a rare region": Pair(
        lambda: lambda x: x,
        lambda: lambda x: jnp.where((x > 0.123) & (x < 0.1231), x + 1, x),
        "unknown",
    ),
    "a far region": Pair(lambda: Dense(3), Narrowed, "unknown"),
    "a rare id": Pair(
        lambda: Embedding(997, 2),
        lambda: _chain(Reidentified(), Embedding(997, 2)),
        "unknown",
        shape=(None, 4),
    ),
    "a small difference": Pair(
        lambda: lambda x: x, lambda: lambda x: x * 1.0001, "different", "least squares"
    ),
}


@functools.cache
def related(name: str) -> tuple[Any, Any, Relation]:
    """Make both of a pair, and relate them; once for all tests."""
    pair = PAIRS[name]
    a, b = pair.a(), pair.b()
    return a, b, relation(a, b, pair.shape)
