"""Between which numbers a program's outputs lie, whatever its weights and inputs are.

An interval for each array; what no rule bounds lies anywhere. So a `tanh` or a gate bounds what
comes after it, also through a loop, of which the rounds are counted.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import jax.numpy as jnp
import numpy as np
from jax.extend.core import ClosedJaxpr, JaxprEqn, Literal

from everystep.explanation.reading.layouts import Scan

Interval = tuple[float, float]

ANYWHERE: Interval = (-math.inf, math.inf)

_MOST_ROUNDS = 64
"""Of how many rounds of a loop each is followed; of a longer one nothing is said."""


def ranges_of(jaxpr: ClosedJaxpr, arguments: list[Interval]) -> list[Interval]:
    """Return the interval of each output.

    Args:
        jaxpr: the program.
        arguments: the interval of each argument.

    Example:
        >>> import jax, jax.numpy as jnp
        >>> gated = jax.make_jaxpr(lambda x, y: jax.nn.sigmoid(x) * jnp.tanh(y))(1.0, 2.0)
        >>> ranges_of(gated, [ANYWHERE, ANYWHERE])
        [(-1.0, 1.0)]
    """
    known: dict[Any, Interval] = {}

    def read(variable: Any) -> Interval:
        return _of_array(variable.val) if isinstance(variable, Literal) else known[variable]

    inner = jaxpr.jaxpr
    known.update(zip(inner.constvars, map(_of_array, jaxpr.consts), strict=True))
    known.update(zip(inner.invars, arguments, strict=True))
    for equation in inner.eqns:
        operands = [read(variable) for variable in equation.invars]
        rule = _RULES.get(equation.primitive.name, _anywhere)
        results = zip(equation.outvars, rule(equation, operands), strict=True)
        known.update({variable: _checked(variable, interval) for variable, interval in results})
    return [read(variable) for variable in inner.outvars]


def _of_array(array: Any) -> Interval:
    array = np.asarray(array)
    if not array.size or array.dtype.kind not in "biuf" or not np.isfinite(array).all():
        return ANYWHERE
    return float(array.min()), float(array.max())


def _checked(variable: Any, interval: Interval) -> Interval:
    """Return an interval without what came of two infinities; integers may overflow, so none."""
    low, high = interval
    dtype = variable.aval.dtype
    if jnp.issubdtype(dtype, jnp.bool_):
        return max(low, 0.0), min(high, 1.0)
    if not jnp.issubdtype(dtype, jnp.floating):
        return ANYWHERE
    return (-math.inf if math.isnan(low) else low), (math.inf if math.isnan(high) else high)


Rule = Callable[[JaxprEqn, list[Interval]], list[Interval]]


def _anywhere(equation: JaxprEqn, _: list[Interval]) -> list[Interval]:
    return [ANYWHERE for _ in equation.outvars]


def _joined(*intervals: Interval) -> Interval:
    lows, highs = zip(*intervals, strict=True)
    return min(lows), max(highs)


def _moved(equation: JaxprEqn, operands: list[Interval]) -> list[Interval]:
    """Numbers that are moved, chosen or filled in."""
    return [_joined(*operands) for _ in equation.outvars]


def _first(_: JaxprEqn, operands: list[Interval]) -> list[Interval]:
    return [operands[0]]


def _converted(equation: JaxprEqn, operands: list[Interval]) -> list[Interval]:
    """Another dtype; whether a number is zero may be anything."""
    to_truth = jnp.issubdtype(equation.params["new_dtype"], jnp.bool_)
    return [ANYWHERE if to_truth else operands[0]]


def _chosen(_: JaxprEqn, operands: list[Interval]) -> list[Interval]:
    return [_joined(*operands[1:])]


def _rising(function: Callable[[float], float], low: float, high: float) -> Rule:
    """A function that rises, and what it tends to at both ends."""

    def at(x: float) -> float:
        if math.isinf(x):
            return low if x < 0 else high
        try:
            return function(x)
        except OverflowError:
            return low if x < 0 else high

    return lambda _, operands: [(at(operands[0][0]), at(operands[0][1]))]


def _within(low: float, high: float) -> Rule:
    return lambda equation, _: [(low, high) for _ in equation.outvars]


def _pairs(function: Callable[[float, float], float]) -> Rule:
    """A function of two that is largest and smallest at the ends of both intervals."""

    def rule(_: JaxprEqn, operands: list[Interval]) -> list[Interval]:
        values = [function(x, y) for x in operands[0] for y in operands[1]]
        if any(map(math.isnan, values)):
            return [ANYWHERE]
        return [(min(values), max(values))]

    return rule


def _times(x: float, y: float) -> float:
    """Multiply, where nothing times what may be as large as it likes is nothing."""
    return 0.0 if x == 0 or y == 0 else x * y


def _subtracted(_: JaxprEqn, operands: list[Interval]) -> list[Interval]:
    (low, high), (least, most) = operands
    return [(low - most, high - least)]


def _negated(_: JaxprEqn, operands: list[Interval]) -> list[Interval]:
    return [(-operands[0][1], -operands[0][0])]


def _squared(_: JaxprEqn, operands: list[Interval]) -> list[Interval]:
    low, high = operands[0]
    most = max(_times(low, low), _times(high, high))
    return [(0.0 if low <= 0 <= high else min(low * low, high * high), most)]


def _absolute(_: JaxprEqn, operands: list[Interval]) -> list[Interval]:
    low, high = operands[0]
    return [(0.0 if low <= 0 <= high else min(abs(low), abs(high)), max(abs(low), abs(high)))]


def _called(equation: JaxprEqn, operands: list[Interval]) -> list[Interval]:
    return ranges_of(equation.params["jaxpr"], operands)


def _scanned(equation: JaxprEqn, operands: list[Interval]) -> list[Interval]:
    loop = Scan.of(equation)
    if not 0 < loop.length <= _MOST_ROUNDS:
        return _anywhere(equation, operands)
    consts, carried, along = loop.parts(operands)
    outputs: list[list[Interval]] = []
    for _ in range(loop.length):
        results = ranges_of(loop.body, [*consts, *carried, *along])
        carried = results[: loop.carried]
        outputs.append(results[loop.carried :])
    return [*carried, *(_joined(*rounds) for rounds in zip(*outputs, strict=True))]


def _sigmoid(x: float) -> float:
    return 1 / (1 + math.exp(-x))


_MOVING_NAMES = (
    "broadcast_in_dim concatenate copy cummax cummin expand_dims pad reduce_max reduce_min reshape "
    "rev slice sort split squeeze stack tile transpose unstack"
)
_TRUTH_NAMES = "and eq ge gt is_finite le lt ne not or"

_RULES: dict[str, Rule] = {
    **dict.fromkeys(_MOVING_NAMES.split(), _moved),
    **dict.fromkeys(("jit", "pjit", "closed_call"), _called),
    "scan": _scanned,
    "select_n": _chosen,
    "dynamic_slice": _first,
    "convert_element_type": _converted,
    "tanh": _rising(math.tanh, -1.0, 1.0),
    "logistic": _rising(_sigmoid, 0.0, 1.0),
    "erf": _rising(math.erf, -1.0, 1.0),
    "exp": _rising(math.exp, 0.0, math.inf),
    "sin": _within(-1.0, 1.0),
    "cos": _within(-1.0, 1.0),
    "sign": _within(-1.0, 1.0),
    **dict.fromkeys(_TRUTH_NAMES.split(), _within(0.0, 1.0)),
    "add": _pairs(lambda x, y: x + y),
    "sub": _subtracted,
    "neg": _negated,
    "mul": _pairs(_times),
    "max": _pairs(max),
    "min": _pairs(min),
    "abs": _absolute,
    "square": _squared,
}
