"""Weights in which a program is affine, found by linear least squares over many inputs."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from everystep.explanation.relation import draws
from everystep.explanation.relation.draws import Inputs
from everystep.explanation.relation.family import INPUTS_AT_ONCE, Family
from everystep.explanation.relation.question import EXACT, Evaluate, difference

LARGEST = 2000
"""How many numbers are solved for at most."""


class Solution(NamedTuple):
    """What least squares found.

    Args:
        vectors: the settings of all weights, (targets, size).
        residuals: what remains, in parts of the whole, for each target.
    """

    vectors: np.ndarray
    residuals: np.ndarray


def is_affine(evaluate: Evaluate, base: np.ndarray, free: np.ndarray, inputs: Inputs) -> bool:
    """Whether the outputs are affine in some of the weights, the others as in `base`.

    Checked by evaluation: sums of weights must give sums of outputs, multiples multiples.

    Args:
        evaluate: gives the outputs for many weights and inputs, such as `Family.values`.
        base: all weights, (size,).
        free: which are free, bool (size,).
        inputs: the inputs.
    """
    rng = np.random.default_rng(6)
    one, two = rng.standard_normal((2, free.sum()))
    steps = np.zeros((6, len(base)))
    steps[:, free] = [0 * one, one, two, one + two, -2 * one, 30 * two]
    origin = np.where(free, 0.0, base)
    zero, first, second, both, back, far = evaluate(origin + steps, inputs)
    with np.errstate(invalid="ignore"):
        pairs = [
            (both - zero, first + second - 2 * zero),
            (back - zero, -2 * (first - zero)),
            (far - zero, 30 * (second - zero)),
        ]
    # What is hardly there is measured by the whole: an offset may be much larger than the slopes.
    offset = np.abs(zero)
    with_offset = [[np.concatenate([one, offset])[None] for one in pair] for pair in pairs]
    return bool(np.isfinite(pairs).all()) and all(
        difference(wanted, found) <= EXACT for found, wanted in with_offset
    )


def inputs_for(
    family: Family, unknowns: int, outputs: int, seed: int, *, plain: bool = False
) -> Inputs:
    """Return so many inputs that their outputs are well more than the unknowns."""
    count = max(INPUTS_AT_ONCE, 8 + (3 * unknowns) // (2 * max(1, outputs)))
    return draws.inputs(family.program.inputs, count, seed, plain=plain)


def solve(
    family: Family, base: np.ndarray, free: np.ndarray, inputs: Inputs, wanted: np.ndarray
) -> Solution:
    """Solve for the free weights such that the outputs come as near as can be to those wanted.

    Args:
        family: a program that is affine in them.
        base: all weights, of which the others count, (size,).
        free: which are free, bool (size,).
        inputs: the inputs.
        wanted: the outputs wanted for them, (targets, inputs, numbers).
    """
    places = np.flatnonzero(free)
    settings = np.repeat(np.where(free, 0.0, base)[None], len(places) + 1, axis=0)
    settings[np.arange(1, len(settings)), places] = 1.0
    values = family.values(settings, inputs).reshape(len(settings), -1)
    columns = (values[1:] - values[0]).T
    right = (wanted.reshape(len(wanted), -1) - values[0]).T
    # What is no number says nothing; the others are enough.
    numbers = np.isfinite(columns).all(axis=1) & np.isfinite(right).all(axis=1)
    columns, right = columns[numbers], right[numbers]
    found = _blockwise(columns, right)
    rest = np.linalg.norm(columns @ found - right, axis=0)
    vectors = np.repeat(np.where(free, 0.0, base)[None], len(wanted), axis=0)
    vectors[:, places] = found.T
    size = np.linalg.norm(wanted.reshape(len(wanted), -1)[:, numbers], axis=1)
    return Solution(vectors, rest / np.where(size > 0, size, 1.0))


def _blockwise(columns: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Return the least-squares solution, found for each group of unknowns that meet in an output.

    The columns of a dense layer's kernel, for one, are problems of their own.
    """
    found = np.zeros((columns.shape[1], right.shape[1]))
    of_row, of_unknown = _groups(columns != 0)
    for group in np.unique(of_unknown):
        rows, unknowns = np.flatnonzero(of_row == group), np.flatnonzero(of_unknown == group)
        if rows.size:
            block = columns[np.ix_(rows, unknowns)]
            found[unknowns] = np.linalg.lstsq(block, right[rows], rcond=1e-12)[0]
    return found


def _groups(touched: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return a number for each row and each column; those that are connected have the same.

    >>> _groups(np.array([[True, False, True], [False, True, False]]))
    (array([0, 1]), array([0, 1, 0]))
    """
    count = touched.shape[1]
    columns = np.arange(count)
    while True:
        rows = np.where(touched, columns, count).min(axis=1, initial=count)
        joined = np.where(touched, rows[:, None], count).min(axis=0, initial=count)
        joined = np.minimum(joined, columns)
        if np.array_equal(joined, columns):
            return rows, columns
        columns = joined
