"""Proof that some function of one family is none of another.

Some proofs rest on a rank that outputs or derivatives of the second have at random weights: it is
the largest that they have at any, where they are analytic in the weights. A program that branches
is analytic only as its smooth twin, whose ranks bound its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from everystep.explanation.maps import upper_bound
from everystep.explanation.relation import draws, solving
from everystep.explanation.relation.family import Family
from everystep.explanation.relation.question import Question
from everystep.explanation.relation.ranges import ANYWHERE, ranges_of
from everystep.explanation.witnesses import witness_of
from everystep.explanation.witnesses.compiling import double_precision

MOST_WEIGHTS = 600
"""How many numbers the weights may have for their Jacobian to be taken apart."""

_LARGE = 200
"""From how many numbers on a Jacobian takes long to take apart."""

MOST_SLOPES = 10_000
"""How many derivatives of outputs by inputs are taken apart at most."""

_BEYOND = 1e-6
"""How far an output must lie outside of an interval, which is exact but for rounding."""

_MOST_PAIRS = 2
"""How many pairs of steps are tried at most."""

_SECONDS = 1.0
"""How many seconds are spent on each of them at most."""

_PRESENT, _ABSENT = 1e-8, 1e-12
"""Singular values, in parts of the largest, that are surely there, and surely are not."""


@dataclass(frozen=True)
class CounterExample:
    """A function of one program that no weights of another give.

    Args:
        kind: what shows it: `"least squares"`, `"range"`, `"steps"`, `"span"`, `"dimension"`,
            `"directions"` or `"bottleneck"`.
        words: the same in words, with its numbers.
        weights: the weights of the first program, by path.
        inputs: inputs on which the two must differ, each with many values along a new first axis.
        residual: how far the other stays away at least, in parts of the outputs; None where only
            its being another function is known.
    """

    kind: str
    words: str
    weights: dict[str, np.ndarray]
    inputs: tuple[np.ndarray, ...]
    residual: float | None = None


def by_range(question: Question) -> CounterExample | None:
    """Show that the first's outputs leave the interval in which the second's lie."""
    lows, highs = _bounds(question.second)
    if np.isinf(lows).all() and np.isinf(highs).all():
        return None
    values = question.wanted
    with np.errstate(invalid="ignore"):
        outside = np.fmax(lows - values, values - highs)
    outside[~np.isfinite(outside)] = -1.0
    setting, which, number = np.unravel_index(outside.argmax(), outside.shape)
    if outside[setting, which, number] <= _BEYOND:
        return None
    bounds = float(lows[number]), float(highs[number])
    return CounterExample(
        "range",
        f"every output of {question.second.name} {_within(*bounds)}, whatever "
        f"its weights, but one of {question.first.name} is "
        f"{values[setting, which, number]:.6g}",
        question.first.layout.arrays(question.vectors[setting]),
        tuple(x[which][None] for x in question.inputs),
        float(outside[setting, which, number] / np.abs(values[setting, which]).max()),
    )


def _within(low: float, high: float) -> str:
    if np.isinf(high):
        return f"is at least {low:.6g}"
    return f"is at most {high:.6g}" if np.isinf(low) else f"lies from {low:.6g} to {high:.6g}"


def _bounds(family: Family) -> tuple[np.ndarray, np.ndarray]:
    """Return the lowest and the highest value of each number of the outputs."""
    struct: Any = jax.ShapeDtypeStruct
    program = family.program
    with double_precision():
        shapes = [struct(np.shape(w.value), np.asarray(w.value).dtype) for w in program.weights]
        shapes += [struct(port.shape, port.dtype) for port in program.inputs]
        jaxpr = jax.make_jaxpr(family.run)(*shapes)
    intervals = ranges_of(jaxpr, [ANYWHERE] * len(shapes))
    # A complex number counts as two.
    sizes = [
        int(np.prod(port.shape)) * (2 if jnp.issubdtype(port.dtype, jnp.complexfloating) else 1)
        for port in program.outputs
    ]
    lows, highs = zip(*intervals, strict=True)
    return np.repeat(lows, sizes), np.repeat(highs, sizes)


def by_steps(question: Question) -> CounterExample | None:
    """Show that the first reads an input step that the second cannot read, whatever its weights."""
    first, second = question.first.program, question.second.program
    theirs = upper_bound(second)
    if theirs.assumptions:
        return None
    for output, (own, others) in enumerate(zip(upper_bound(first).maps, theirs.maps, strict=True)):
        for of_input, (mine, other) in enumerate(zip(own, others, strict=True)):
            for step_out, step_in in np.argwhere(mine & ~other)[:_MOST_PAIRS].tolist():
                shown = witness_of(first, output, step_out, of_input, step_in, _SECONDS)
                if shown:
                    return CounterExample(
                        "steps",
                        f"output step {step_out} of {question.first.name} reads input step "
                        f"{step_in}, that of {question.second.name} cannot, whatever its weights",
                        {path: np.asarray(value) for path, value in shown.weights.items()},
                        tuple(map(np.stack, zip(shown.before, shown.after, strict=True))),
                    )
    return None


def by_span(question: Question) -> CounterExample | None:
    """Show that the outputs of the second at all steps stay in fewer dimensions than the first's.

    A narrow layer before the last leaves no more than its width, however many units come after it.
    """
    shapes = [port.shape for port in question.first.program.outputs]
    if len(shapes) != 1 or len(shapes[0]) < 2 or not 1 < shapes[0][-1] <= MOST_WEIGHTS:
        return None
    first, second = question.first, question.second
    units = shapes[0][-1]
    count = -(-2 * units * units // question.wanted.shape[-1])
    inputs = draws.inputs(first.program.inputs, max(count, 8), seed=15, plain=True)
    vectors = draws.weights(first.layout, 1, seed=16, plain=True)
    others = draws.weights(second.layout, 4, seed=16, plain=True)
    if second.smooth.abrupt:
        return None
    evaluate = second.smooth_values if second.smooth.branches else second.values
    low, _ = _spans(first.values(vectors, inputs), units)
    at_least, at_most = _spans(evaluate(others, inputs), units)
    if at_least != at_most or low <= at_most:
        return None
    return CounterExample(
        "span",
        f"the outputs of {first.name} at all steps span {low} dimensions, those of {second.name} "
        f"only {at_most}",
        first.layout.arrays(vectors[0]),
        tuple(inputs),
    )


def _spans(values: np.ndarray, units: int) -> tuple[int, int]:
    """Return how many dimensions outputs span around their mean, surely and at most."""
    rows = values.reshape(len(values), -1, units)
    return ranks(rows - rows.mean(axis=1, keepdims=True))


def by_dimension(question: Question) -> CounterExample | None:
    """Show that the first family has more dimensions than the second.

    The derivatives of all outputs by the weights have a rank: so many independent directions the
    family's functions have. Where it is larger, almost all of them lie outside of the other family.
    """
    first, second = question.first, question.second
    if not first.size or max(first.size, second.size) > MOST_WEIGHTS:
        return None
    outputs = question.wanted.shape[-1]
    inputs = solving.inputs_for(first, max(first.size, second.size), outputs, seed=8, plain=True)
    vectors = draws.weights(first.layout, 1, seed=9, plain=True)
    low, _ = ranks(first.linearized(vectors, inputs)[1])
    if low <= second.size:
        if not second.size or second.smooth.branches:
            return None
        others = usual_weights(second, seed=9)
        at_least, at_most = ranks(second.linearized(others, inputs)[1])
        if at_least != at_most or low <= at_most:
            return None
    else:
        at_most = second.size
    return CounterExample(
        "dimension",
        f"the functions of {first.name} have {low} dimensions, those of "
        f"{second.name} {at_most}: almost all of the former lie outside",
        first.layout.arrays(vectors[0]),
        tuple(inputs),
    )


def usual_weights(family: Family, seed: int) -> np.ndarray:
    """Return weights at which a rank is the usual one; fewer of a large family."""
    return draws.weights(family.layout, 4 if family.size < _LARGE else 2, seed, plain=True)


def ranks(slopes: np.ndarray) -> tuple[int, int]:
    """Return which rank matrices surely have, and which they have at most, over several of them."""
    matrices = slopes.reshape(len(slopes), -1, slopes.shape[-1])
    if not np.isfinite(matrices).all():
        return 0, slopes.shape[-1]
    # The triangle of a QR decomposition has the same singular values, and is small.
    sizes = np.linalg.svd(np.linalg.qr(matrices, mode="r"), compute_uv=False)
    relative = sizes / np.maximum(sizes[:, :1], 1e-300)
    return int((relative > _PRESENT).sum(1).max()), int((relative > _ABSENT).sum(1).max())


def by_bottleneck(question: Question) -> CounterExample | None:
    """Show that the second lets fewer numbers of its inputs through than the first."""
    first, second = question.first, question.second
    inputs = draws.inputs(first.program.inputs, 4, seed=10, plain=True)
    real = sum(x[0].size for x in inputs if x.dtype.kind == "f")
    if not 0 < real * question.wanted.shape[-1] <= MOST_SLOPES or second.smooth.branches:
        return None
    vectors = draws.weights(first.layout, 1, seed=11, plain=True)
    others = draws.weights(second.layout, 4, seed=11, plain=True)
    low, _ = _rank_of_each(first.input_jacobians(vectors, inputs))
    at_least, at_most = _rank_of_each(second.input_jacobians(others, inputs))
    if at_least != at_most or low <= at_most:
        return None
    return CounterExample(
        "bottleneck",
        f"{first.name} lets {low} numbers of its inputs through, {second.name} only {at_most}",
        first.layout.arrays(vectors[0]),
        tuple(inputs),
    )


def _rank_of_each(slopes: np.ndarray) -> tuple[int, int]:
    return ranks(slopes.reshape(-1, *slopes.shape[2:]))
