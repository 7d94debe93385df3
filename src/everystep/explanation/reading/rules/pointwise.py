"""Rules of primitives that make each element of the same place in their operands."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

import numpy as np

from everystep.explanation.reading import bits
from everystep.explanation.reading.bits import Array
from everystep.explanation.reading.facts import LOW, Facts, is_float
from everystep.explanation.reading.folding import value_of
from everystep.explanation.reading.results import Rule, kind_of

if TYPE_CHECKING:
    from everystep.explanation.reading.interpreter import Context

FAR_BELOW = (
    f"masks that add constants of {LOW:g} or less, or put them in place of numbers, are taken to "
    "put them far below all others"
)
"""What an answer rests on that leaves out elements because they are low."""


def pointwise(equation: Any, operands: list[Facts], context: Context) -> list[Facts]:
    """Rule: an element reads what the elements at its place read, unless a constant settles it."""
    shape, dtype = kind_of(equation.outvars[0])
    if all(operand.nothing for operand in operands):
        return [Facts.unread(shape, dtype)]
    name, rank = equation.primitive.name, len(shape)
    reads = bits.union((operand.reads for operand in operands), rank)
    known, values = _constants(equation, operands, rank)
    if name in ABSORBING:
        known, values = _absorbed(ABSORBING[name], operands, known, values)
    low = LOWERED[name](*operands) if name in LOWERED else None
    extreme = None if name in BOUNDED else _any(operand.unusual for operand in operands)
    added = operands[1:] if name == "sub" else operands
    shifted = _any([*(each.shifted for each in operands), *map(_shifting, added)])
    return [Facts.of(shape, dtype, reads, known, values, low, extreme, shifted)]


def _any(flags: Iterable[Array]) -> Array:
    return functools.reduce(np.logical_or, flags)


def _shifting(facts: Facts) -> Array:
    """Where a constant lies far from ordinary numbers, as all others beside it do."""
    far = facts.known & facts.unusual
    return far & far.all()


def _constants(equation: Any, operands: list[Facts], rank: int) -> tuple[Array, Array]:
    """Return where all operands are known, and the values there."""
    known = functools.reduce(np.logical_and, (operand.known for operand in operands))
    known = known.reshape((1,) * (rank - known.ndim) + known.shape)
    if not known.any():
        return known, np.zeros((1,) * rank, np.bool_)
    form = np.broadcast_shapes(known.shape, *(operand.values.shape for operand in operands))
    return known, value_of(
        equation, [np.broadcast_to(operand.values, form) for operand in operands]
    )[0]


Test = Callable[[Array], Array]


def _absorbed(
    tests: tuple[Test | None, ...], operands: list[Facts], known: Array, values: Array
) -> tuple[Array, Array]:
    """Return constants with those that one operand settles, whatever the other one is."""
    for test, operand in zip(tests, operands, strict=True):
        if test is not None and operand.known.any():
            settled = operand.known & test(operand.values) & ~known
            values = np.where(settled, operand.values, values)
            known = known | settled
    return known, values


def _is_zero(values: Array) -> Array:
    return np.equal(values, 0)


def _is_infinite(values: Array) -> Array:
    return np.isinf(values) if is_float(values.dtype) else np.zeros(values.shape, bool)


def _is_ones(values: Array) -> Array:
    """Where every bit is set, as in True."""
    return np.equal(np.invert(values), 0)


def _is_highest(values: Array) -> Array:
    return _is_infinite(values) & (values > 0)


def _is_lowest(values: Array) -> Array:
    return _is_infinite(values) & (values < 0)


ABSORBING: dict[str, tuple[Test | None, ...]] = {
    "mul": (_is_zero, _is_zero),
    "and": (_is_zero, _is_zero),
    "or": (_is_ones, _is_ones),
    "add": (_is_infinite, _is_infinite),
    "add_any": (_is_infinite, _is_infinite),
    "sub": (_is_infinite, None),
    "div": (_is_zero, None),
    "rem": (_is_zero, None),
    "max": (_is_highest, _is_highest),
    "min": (_is_lowest, _is_lowest),
}
"""Which known values of an operand are the result, whatever the other operand is, if finite."""


SMALLEST_SCALE = 0.01
"""What low numbers may be multiplied by, such as one through the root of the number of features.

Their exponential then still is below any rounding.
"""


def _far_above(facts: Facts) -> Array:
    """Where an element is a known number far above ordinary ones."""
    if not is_float(facts.dtype):
        return np.zeros((1,) * facts.rank, bool)
    return facts.known & (facts.values >= -LOW)


def _sum_low(left: Facts, right: Facts) -> Array:
    both = left.below & right.below
    return both | (left.below & ~right.unusual) | (right.below & ~left.unusual)


def _difference_low(left: Facts, right: Facts) -> Array:
    above = _far_above(right)
    return (left.below & (above | ~right.unusual)) | (above & ~left.unusual)


def _scaled_low(left: Facts, right: Facts) -> Array:
    return (left.low & right.known & (right.values >= SMALLEST_SCALE)) | (
        right.low & left.known & (left.values >= SMALLEST_SCALE)
    )


def _quotient_low(left: Facts, right: Facts) -> Array:
    return left.low & right.known & (right.values > 0) & (right.values <= 1 / SMALLEST_SCALE)


def _same_low(only: Facts) -> Array:
    return only.low


LOWERED: dict[str, Callable[..., Array]] = {
    "add": _sum_low,
    "add_any": _sum_low,
    "sub": _difference_low,
    "mul": _scaled_low,
    "div": _quotient_low,
    "max": lambda left, right: left.below & right.below,
    "min": lambda left, right: left.below | right.below,
    **dict.fromkeys(("copy", "stop_gradient", "name", "reduce_precision"), _same_low),
}
"""Where the result of a primitive lies far below ordinary numbers."""


def convert(equation: Any, operands: list[Facts], context: Context) -> list[Facts]:
    """Rule: another dtype; a low number stays low if it stays a real number."""
    [result] = pointwise(equation, operands, context)
    if not is_float(result.dtype):
        return [result]
    known, values, _, extreme, _ = result.constants
    low, shifted = operands[0].low, operands[0].shifted
    return [
        Facts.of(result.shape, result.dtype, result.reads, known, values, low, extreme, shifted)
    ]


def bitcast(equation: Any, operands: list[Facts], context: Context) -> list[Facts]:
    """Rule: the same bits as another dtype; a last axis holds the parts of an element."""
    [operand] = operands
    shape, dtype = kind_of(equation.outvars[0])
    if len(shape) == operand.rank:
        return pointwise(equation, operands, context)
    if operand.wholly_known:
        return [Facts.known_array(each) for each in value_of(equation, [operand.value])]
    parts = operand.reads[..., None, :]
    whole = bits.over(operand.reads, [operand.rank - 1])[..., 0, :] if operand.rank else parts
    return [Facts.of(shape, dtype, parts if len(shape) > operand.rank else whole)]


BOUNDED = {
    *("bitcast_convert_type", "cos", "erf", "erfc", "exp", "exp2", "expm1", "logistic", "sign"),
    *("sin", "tanh"),
}
"""Functions whose values are ordinary numbers if finite, however far their operands lie."""

VANISHING = {"exp": 0, "exp2": 0, "logistic": 0, "expm1": -1, "tanh": -1, "erf": -1, "erfc": 2}
"""What functions make of numbers far below ordinary ones."""


def vanishing(equation: Any, operands: list[Facts], context: Context) -> list[Facts]:
    """Rule: a function that is constant far below ordinary numbers."""
    [operand] = operands
    [result] = pointwise(equation, operands, context)
    low = operand.low & ~operand.shifted
    if not low.any():
        return [result]
    if operand.reads.shape[-1] and bits.where(low, operand.reads).any():
        context.assume(FAR_BELOW)
    limit = np.full((), VANISHING[equation.primitive.name], result.values.dtype)
    known, values = low | result.known, np.where(low, limit, result.values)
    return [Facts.of(result.shape, result.dtype, result.reads, known, values)]


def maximum(equation: Any, operands: list[Facts], context: Context) -> list[Facts]:
    """Rule: the maximum of an ordinary number and one far below it is the ordinary one."""
    left, right = operands
    if not (left.far_below.any() or right.far_below.any()):
        return pointwise(equation, operands, context)
    rank = len(kind_of(equation.outvars[0])[0])
    under_left, under_right = right.far_below & ~left.unusual, left.far_below & ~right.unusual
    heard = [
        _without(left, left.low & under_right, rank, context),
        _without(right, right.low & under_left, rank, context),
    ]
    [result] = pointwise(equation, heard, context)
    known, values, low, extreme, shifted = result.constants
    extreme = extreme & ~under_left & ~under_right
    return [
        Facts.of(result.shape, result.dtype, result.reads, known, values, low, extreme, shifted)
    ]


def _without(facts: Facts, left_out: Array, rank: int, context: Context) -> Facts:
    """Return the facts without what some elements read."""
    if not left_out.any() or not facts.reads.shape[-1]:
        return facts
    reads = facts.reads.reshape((1,) * (rank + 1 - facts.reads.ndim) + facts.reads.shape)
    kept = bits.where(~left_out, reads)
    if bits.differ(kept, reads):
        context.assume(FAR_BELOW)
    shape = np.broadcast_shapes(facts.shape, left_out.shape)
    return Facts.of(shape, facts.dtype, kept, *facts.constants)


def select(equation: Any, operands: list[Facts], context: Context) -> list[Facts]:
    """Rule: a known predicate reads the chosen case alone, another one itself and all cases.

    Cases of the same facts are the same array, whichever is chosen.
    """
    which, *cases = operands
    if all(case is cases[0] for case in cases):
        return [cases[0]]
    shape, dtype = kind_of(equation.outvars[0])
    rank = len(shape)
    if not which.rank and rank:
        which = _of_rank(which, rank)
    chosen = which.values.astype(np.intp)
    maybe = [~which.known | (chosen == number) for number in range(len(cases))]
    reads = [bits.where(possible, case.reads) for possible, case in zip(maybe, cases, strict=True)]
    known, values, low = _agreed(maybe, cases)
    unusual = [possible & case.unusual for possible, case in zip(maybe, cases, strict=True)]
    extreme, shifted = _any(unusual), _any(case.shifted for case in cases)
    words = bits.union([*reads, which.reads], rank)
    return [Facts.of(shape, dtype, words, known, values, low, extreme, shifted)]


def _of_rank(facts: Facts, rank: int) -> Facts:
    alike = (1,) * rank
    return Facts.of(
        alike,
        facts.dtype,
        facts.reads.reshape(*alike, -1),
        *(array.reshape(alike) for array in facts.constants),
    )


def _agreed(maybe: list[Array], cases: list[Facts]) -> tuple[Array, Array, Array]:
    """Return where all possible cases are the same constant, which, and where all are low."""
    known: Array = np.ones((1,) * cases[0].rank, bool)
    found, low = np.zeros_like(known), known
    values = cases[0].values
    for possible, case in zip(maybe, cases, strict=True):
        agrees = case.known & (~found | (case.values == values))
        known = known & (~possible | agrees)
        values = np.where(possible & ~found, case.values, values)
        found = found | possible
        low = low & (~possible | case.below)
    return known, values, low


def clamp(equation: Any, operands: list[Facts], context: Context) -> list[Facts]:
    """Rule: the bounds may be single numbers."""
    rank = len(kind_of(equation.outvars[0])[0])
    fitting = [each if each.rank == rank else _of_rank(each, rank) for each in operands]
    [result] = pointwise(equation, fitting, context)
    if any(bound.unusual.any() or not bound.wholly_known for bound in operands[::2]):
        return [result]
    return [Facts.of(result.shape, result.dtype, result.reads, result.known, result.values)]


NAMES = [
    *("abs", "acos", "acosh", "add", "add_any", "and", "asin", "asinh", "atan", "atan2", "atanh"),
    *("bessel_i0e", "bessel_i1e", "cbrt", "ceil", "clz", "complex", "conj", "copy"),
    *("cos", "cosh", "digamma", "div", "eq", "eq_to", "erf", "erf_inv", "erfc", "exp", "exp2"),
    *("expm1", "floor", "ge", "gt", "igamma", "igamma_grad_a", "igammac", "imag", "integer_pow"),
    *("is_finite", "le", "le_to", "lgamma", "log", "log1p", "logistic", "lt", "lt_to", "min"),
    *("mul", "mulhi", "name", "ne", "neg", "nextafter", "not", "or", "polygamma"),
    *("population_count", "pow", "real", "reduce_precision", "regularized_incomplete_beta"),
    *("rem", "round", "rsqrt", "shift_left", "shift_right_arithmetic", "shift_right_logical"),
    *("sign", "sin", "sinh", "sqrt", "square", "stop_gradient", "sub", "tan", "tanh", "xor"),
    "zeta",
    *("log2", "one_minus_square"),  # From JAX 0.11 on.
]

RULES: dict[str, Rule] = {
    **dict.fromkeys(NAMES, pointwise),
    **dict.fromkeys(VANISHING, vanishing),
    "convert_element_type": convert,
    "bitcast_convert_type": bitcast,
    "max": maximum,
    "select_n": select,
    "clamp": clamp,
}
