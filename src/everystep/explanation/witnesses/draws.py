"""Random weights and inputs, of several kinds, so that what a program can show, some draw shows.

One kind shows what another hides: large biases let gates remember for long, large inputs win every
maximum, positive numbers pass every ReLU, and many zeros meet what ids use zero for.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import product
from typing import Any

import jax.numpy as jnp
import numpy as np

from everystep.explanation.program import Port, Program, Weight
from everystep.explanation.witnesses.widening import wide_dtype

# Ids are drawn from as many values where nobody says how many there are.
_DIGITS = 10
# More random numbers than these are the same ones again, by a period that no axis has.
_PERIOD = 1_000_003


@dataclass(frozen=True)
class Kind:
    """How weights and inputs are drawn.

    Args:
        weights: how far weights with an input axis spread, against what keeps values of one size.
        biases: how far weights of one axis spread.
        inputs: how far numbers spread.
        positive: whether all weights and numbers are positive.
        zeros: the part of the ids that are zero.
        present: whether weights have the values that they have now.
    """

    weights: float = 1.0
    biases: float = 1.0
    inputs: float = 1.0
    positive: bool = False
    zeros: float = 0.1
    present: bool = False


KINDS = (
    Kind(),
    Kind(biases=4.0),
    Kind(inputs=10.0, zeros=0.5),
    Kind(weights=0.5, biases=8.0, positive=True),
    Kind(weights=3.0, biases=0.3, zeros=0.9),
    Kind(weights=0.3, biases=6.0, inputs=3.0),
    Kind(weights=10.0, inputs=0.1, zeros=0.5),
    Kind(present=True),
)


@dataclass(frozen=True)
class Sample:
    """One draw: a value for each weight and input, and another value for each step of an input.

    Args:
        weights: a value for each weight of the program.
        inputs: a value for each input.
        others: for each input, an array that differs from it in every step.
    """

    weights: list[Any]
    inputs: list[Any]
    others: list[Any]


def samples(program: Program, rounds: int = 1) -> Iterator[Sample]:
    """Draw weights and inputs of each kind in turn, the same ones each time.

    Args:
        program: what they are for.
        rounds: how often to go through the kinds; from the second time on each input has a spread
            of its own.

    Returns:
        An iterator of samples.

    Example:
        >>> import jax, jax.numpy as jnp
        >>> from everystep.explanation.program import Port, Program
        >>> jaxpr = jax.make_jaxpr(lambda ids: ids + 1)(jnp.zeros((1, 4), jnp.int32))
        >>> ids = Port("ids", (1, 4), jnp.int32, axis=1, values=2)
        >>> first = next(samples(Program("shift", jaxpr, (), (ids,), (ids,))))
        >>> (first.inputs[0] + first.others[0]).tolist()
        [[1, 1, 1, 1]]
    """
    for seed in product(range(rounds), range(len(KINDS))):
        random = np.random.default_rng(seed)
        kinds = [_own(KINDS[seed[1]], seed[0], random) for _ in program.inputs]
        weights = [_weight(weight, KINDS[seed[1]], random) for weight in program.weights]
        inputs = [
            _input(port, kind, random) for port, kind in zip(program.inputs, kinds, strict=True)
        ]
        others = [
            _other(value, port, kind, random)
            for value, port, kind in zip(inputs, program.inputs, kinds, strict=True)
        ]
        yield Sample(weights, inputs, others)


def _own(kind: Kind, number: int, random: np.random.Generator) -> Kind:
    """Return the kind with a spread that is one input's own."""
    return replace(kind, inputs=10 ** random.uniform(-1, 1)) if number else kind


def _weight(weight: Weight, kind: Kind, random: np.random.Generator) -> Any:
    value = np.asarray(weight.value)
    if kind.present or not _is_number(value.dtype):
        return value.astype(wide_dtype(value.dtype))
    drawn = _normal(value.shape, value.dtype, random)
    if not weight.trainable:  # Such as a moving variance.
        return np.abs(drawn) + 0.5
    spread = kind.weights / max(1, value.shape[-2]) ** 0.5 if value.ndim > 1 else kind.biases
    return (np.abs(drawn) if kind.positive else drawn) * spread


def _input(port: Port, kind: Kind, random: np.random.Generator) -> Any:
    if _is_number(port.dtype):
        drawn = _normal(port.shape, port.dtype, random) * kind.inputs
        return np.abs(drawn) if kind.positive else drawn
    if np.issubdtype(port.dtype, np.bool_):
        return random.random(port.shape) >= kind.zeros
    ids = random.integers(0, port.values or _DIGITS, port.shape)
    return np.where(random.random(port.shape) < kind.zeros, 0, ids).astype(port.dtype)


def _other(value: Any, port: Port, kind: Kind, random: np.random.Generator) -> Any:
    """Return new numbers, other ids, and the opposite of every truth."""
    if _is_number(port.dtype):
        return _input(port, kind, random)
    if np.issubdtype(port.dtype, np.bool_):
        return ~value
    values = port.values or _DIGITS
    # An id that is no zero becomes one as often as zeros are drawn; all others move on.
    moved = (value + random.integers(1, max(values, 2), port.shape)) % values
    cleared = (random.random(port.shape) < kind.zeros) & (value != 0)
    return np.where(cleared, 0, moved).astype(port.dtype)


def _normal(shape: tuple[int, ...], dtype: Any, random: np.random.Generator) -> Any:
    size = int(np.prod(shape))
    drawn = np.resize(random.standard_normal(min(size, _PERIOD)), shape)
    if np.issubdtype(dtype, np.complexfloating):
        return drawn + 1j * np.resize(random.standard_normal(min(size, _PERIOD)), shape)
    return drawn


def _is_number(dtype: Any) -> bool:
    """Whether values are real or complex numbers, JAX's narrow floats included."""
    return bool(jnp.issubdtype(dtype, jnp.inexact))
