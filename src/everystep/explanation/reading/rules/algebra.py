"""Rules of primitives that mix all along the last axes: matrices, spectra, random numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from everystep.explanation.reading import bits
from everystep.explanation.reading.facts import Facts
from everystep.explanation.reading.folding import constants_first
from everystep.explanation.reading.results import Rule, kind_of
from everystep.explanation.reading.rules.ordered import accumulated

if TYPE_CHECKING:
    from everystep.explanation.reading.interpreter import Context

_MATRIX = (2,)

MIXED: dict[str, tuple[int, ...]] = {
    "cholesky": _MATRIX,
    "cholesky_update": (2, 1),
    "eig": _MATRIX,
    "eigh": _MATRIX,
    "geqp3": (2, 1),
    "geqrf": _MATRIX,
    "hessenberg": _MATRIX,
    "householder_product": (2, 1),
    "lu": _MATRIX,
    "lu_pivots_to_permutation": (1,),
    "ormqr": (2, 1, 2),
    "qr": _MATRIX,
    "schur": _MATRIX,
    "svd": _MATRIX,
    "symmetric_product": (2, 2),
    "tridiagonal": _MATRIX,
    "tridiagonal_solve": (1, 1, 1, 2),
    "random_bits": (0,),
    "random_clone": (0,),
    "random_fold_in": (0, 0),
    "random_gamma": (0, 0),
    "random_seed": (0,),
    "random_split": (0,),
    "random_unwrap": (0,),
    "random_wrap": (1,),
    "rng_bit_generator": (1,),
    "rng_uniform": (0, 0),
    "threefry2x32": (0, 0, 0, 0),
}
"""How many of the last axes of each operand are mixed; the axes before them stay apart."""


def mix(equation: Any, operands: list[Facts], context: Context) -> list[Facts]:
    """Rule: results read all along the last axes of each operand, of their own matrix alone."""
    return _mixed(equation, operands, MIXED[equation.primitive.name])


def transform(equation: Any, operands: list[Facts], context: Context) -> list[Facts]:
    """Rule: a spectrum reads all along the axes that are transformed, which are the last ones."""
    return _mixed(equation, operands, (len(equation.params["fft_lengths"]),))


def _mixed(equation: Any, operands: list[Facts], mixed: tuple[int, ...]) -> list[Facts]:
    """Return results that read all along so many last axes of each operand."""
    kinds = [kind_of(each) for each in equation.outvars]
    apart = []
    for operand, count in zip(operands, mixed, strict=True):
        kept = operand.rank - count
        words = bits.over(operand.reads, range(kept, operand.rank))
        apart.append(words.reshape(*words.shape[:kept], words.shape[-1]))
    return [
        Facts.of(
            shape, dtype, bits.union((_behind(each, len(shape)) for each in apart), len(shape))
        )
        for shape, dtype in kinds
    ]


def _behind(words: bits.Words, rank: int) -> bits.Words:
    """Return sets for an array of so many axes, of which those behind the sets' own are alike."""
    more = (1,) * (rank + 1 - words.ndim)
    return words.reshape(*words.shape[:-1], *more, words.shape[-1])


def triangular_solve(equation: Any, operands: list[Facts], context: Context) -> list[Facts]:
    """Rule: row by row, each reads the rows of the matrix and of the right side up to its own."""
    matrix, right = operands
    from_left = equation.params["left_side"]
    lower, turned = equation.params["lower"], equation.params["transpose_a"]
    rank, size = matrix.rank, matrix.shape[-1]
    triangle = np.tri(size, dtype=bool) if lower else np.tri(size, dtype=bool).T
    summed = rank - 1 if from_left != turned else rank - 2
    rows = bits.over(bits.where(triangle, matrix.reads), [summed])
    along = rank - 2 if from_left else rank - 1
    if summed != (rank - 1 if from_left else rank - 2):
        rows = np.swapaxes(rows, rank - 2, rank - 1)
    words = bits.union([rows, right.reads], rank)
    forward = (lower != turned) == from_left
    words = accumulated(np.bitwise_or, words, along, reverse=not forward)
    return [Facts.of(*kind_of(equation.outvars[0]), words)]


def linear_solve(equation: Any, operands: list[Facts], context: Context) -> list[Facts]:
    """Rule: the program that solves, with its own constants, on the right sides."""
    counts, programs = equation.params["const_lengths"], equation.params["jaxprs"]
    first = counts.matvec + counts.vecmat
    rights = operands[sum(counts) :]
    return context.read(programs.solve, [*operands[first : first + counts.solve], *rights])


RULES: dict[str, Rule] = {
    **{name: constants_first(mix) for name in MIXED},
    "fft": constants_first(transform),
    "triangular_solve": constants_first(triangular_solve),
    "custom_linear_solve": linear_solve,
}
