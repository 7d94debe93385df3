"""Programs whose branches are made smooth, so that two that agree somewhere agree everywhere.

Analytic functions that agree around one point are the same, so that a comparison at random places
settles it. A program with branches (`max`, `where`, comparisons) may hide a difference where no
sample falls. Here each branch becomes a smooth function of a width c that tends to the branch as c
goes to 0: `sign(x)` becomes `u / sqrt(1 + u^2)` with `u = asinh(x / c)`, `abs(x)` is `x sign(x)`,
the truth of `x > 0` is `(1 + sign(x)) / 2`, and what is chosen by it is a mixture of both. The
results are analytic in x and c, so that two programs that agree at a random c do so for all c, and
in the limit. Their tails fall like a logarithm: a region far away, or a small one, is seen from
everywhere.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import jax
import numpy as np
from jax import lax
from jax.extend.core import ClosedJaxpr, JaxprEqn, Literal

from everystep.explanation.reading.layouts import Scan
from everystep.explanation.relation import smooth_rules as rules
from everystep.explanation.relation.smooth_rules import Abrupt, Value

Run = Callable[..., list[Any]]


class Smoothed(NamedTuple):
    """A program made smooth.

    Args:
        run: the smooth program; None where it cannot be made.
        branches: whether it differs from the program itself.
        abrupt: the primitive that cannot be made smooth, such as `"argmax"`, or "".
    """

    run: Run | None
    branches: bool
    abrupt: str


def smoothed(run: Run, weights: Sequence[Any], inputs: Sequence[Any]) -> Smoothed:
    """Make a program smooth.

    Args:
        run: the program in float64, a function of weights and inputs.
        weights: the value of each weight.
        inputs: an example of each input.
    """
    jaxpr = jax.make_jaxpr(run)(*weights, *inputs)
    branches: list[str] = []

    def smooth(*values: Any) -> list[Any]:
        evaluation = _Evaluation(branches)
        return [value.array for value in evaluation.run(jaxpr, [*map(rules.given, values)])]

    try:
        jax.eval_shape(smooth, *weights, *inputs)
    except Abrupt as error:
        return Smoothed(None, True, str(error))
    return Smoothed(smooth, bool(branches), "")


class _Evaluation:
    """One evaluation of a smooth program, which notes where it branches."""

    def __init__(self, branches: list[str]) -> None:
        self.branches = branches

    def run(self, jaxpr: ClosedJaxpr, values: Sequence[Value]) -> list[Value]:
        """Evaluate the equations in turn."""
        known: dict[Any, Value] = {}

        def read(variable: Any) -> Value:
            if isinstance(variable, Literal):
                return rules.fixed(np.asarray(variable.val, rules.dtype_of(variable)))
            return known[variable]

        inner = jaxpr.jaxpr
        known.update(zip(inner.constvars, map(rules.fixed, jaxpr.consts), strict=True))
        known.update(zip(inner.invars, values, strict=True))
        for equation in inner.eqns:
            operands = [read(variable) for variable in equation.invars]
            known.update(zip(equation.outvars, self._results(equation, operands), strict=True))
        return [read(variable) for variable in inner.outvars]

    def _results(self, equation: JaxprEqn, operands: list[Value]) -> list[Value]:
        name = equation.primitive.name
        if name in _CONTROL:
            return _CONTROL[name](self, equation, operands)
        if not any(operand.loose for operand in operands):
            return rules.unchanged(equation, operands)
        results = rules.rule_of(name)(equation, operands)
        if rules.is_branch(name, operands, results):
            self.branches.append(name)
        return results

    def called(self, equation: JaxprEqn, operands: list[Value]) -> list[Value]:
        """A call: its equations, as if they stood here."""
        return self.run(equation.params["jaxpr"], operands)

    def scanned(self, equation: JaxprEqn, operands: list[Value]) -> list[Value]:
        """A scan, with what it carries in the kind that it ends up with."""
        loop = Scan.of(equation)
        consts, first, along = loop.parts(operands)

        def body(carried: list[Value], at: list[Any]) -> list[Value]:
            here = [value.like(array) for value, array in zip(along, at, strict=True)]
            return self.run(loop.body, [*consts, *carried, *here])

        def one_step(carried: list[Value]) -> list[Value]:
            return body(carried, [value.array[0] for value in along])

        count = loop.carried
        carried, results = _settled(one_step, first, count)

        def step(carry: list[Any], at: list[Any]) -> tuple[list[Any], list[Any]]:
            before = [value.like(array) for value, array in zip(carried, carry, strict=True)]
            new = body(before, at)
            kept = [value.matched(to) for value, to in zip(new[:count], carried, strict=True)]
            return kept, [value.array for value in new[count:]]

        last, outputs = lax.scan(
            step,
            [value.array for value in carried],
            [value.array for value in along],
            length=loop.length,
            reverse=loop.reverse,
        )
        kinds = [*carried, *results[count:]]
        return [kind.like(array) for kind, array in zip(kinds, [*last, *outputs], strict=True)]

    def looped(self, equation: JaxprEqn, operands: list[Value]) -> list[Value]:
        """A loop whose number of rounds hangs on no data."""
        params = equation.params
        first, then = params["cond_nconsts"], params["cond_nconsts"] + params["body_nconsts"]

        def body(carried: list[Value]) -> list[Value]:
            return self.run(params["body_jaxpr"], [*operands[first:then], *carried])

        carried, _ = _settled(body, operands[then:], len(operands) - then)

        def values(carry: list[Any]) -> list[Value]:
            return [value.like(array) for value, array in zip(carried, carry, strict=True)]

        def asked(carry: list[Any]) -> Any:
            goes_on = self.run(params["cond_jaxpr"], [*operands[:first], *values(carry)])[0]
            if goes_on.loose:
                raise Abrupt("while")
            return goes_on.array

        def one(carry: list[Any]) -> list[Any]:
            new = body(values(carry))
            return [value.matched(to) for value, to in zip(new, carried, strict=True)]

        last = lax.while_loop(asked, one, [value.array for value in carried])
        return [kind.like(array) for kind, array in zip(carried, last, strict=True)]

    def branched(self, equation: JaxprEqn, operands: list[Value]) -> list[Value]:
        """A choice among branches: all are evaluated, and the results chosen from or mixed."""
        index, *values = operands
        results = [self.run(branch, values) for branch in equation.params["branches"]]
        if index.loose and len(results) > 2:
            raise Abrupt("cond")
        if index.loose:
            self.branches.append("cond")
        return [rules.chosen(index, list(cases)) for cases in zip(*results, strict=True)]


def _settled(
    body: Callable[[list[Value]], list[Value]], carried: list[Value], count: int
) -> tuple[list[Value], list[Value]]:
    """Return what a loop carries in the kinds that hold after any round, and a round's results."""
    while True:
        found: list[Value] = []

        def trace(
            arrays: list[Any], kinds: list[Value] = carried, found: list[Value] = found
        ) -> None:
            found.extend(body([kind.like(a) for kind, a in zip(kinds, arrays, strict=True)]))

        jax.eval_shape(trace, [value.array for value in carried])
        wider = [old.joined(new) for old, new in zip(carried, found[:count], strict=True)]
        if [old.kind for old in carried] == [new.kind for new in wider]:
            return carried, found
        carried = wider


_CONTROL: dict[str, Callable[[_Evaluation, JaxprEqn, list[Value]], list[Value]]] = {
    **dict.fromkeys(("jit", "pjit", "closed_call"), _Evaluation.called),
    "scan": _Evaluation.scanned,
    "while": _Evaluation.looped,
    "cond": _Evaluation.branched,
}
