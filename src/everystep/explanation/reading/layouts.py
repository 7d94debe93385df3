"""How jaxprs lay out loops and branches: the one place that knows it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeVar

import jax
from jax.extend.core import ClosedJaxpr, Jaxpr

T = TypeVar("T")


@dataclass(frozen=True)
class Scan:
    """A loop over steps.

    The body takes the constants, what is carried, and what stands at the step; it gives what is
    carried on, and what comes out at the step.

    Args:
        body: the program of one step.
        length: how many steps there are.
        reverse: whether the last comes first.
        constants: how many of the operands are the same at every step.
        carried: how many of those behind them are carried from step to step.
    """

    body: ClosedJaxpr
    length: int
    reverse: bool
    constants: int
    carried: int

    @classmethod
    def of(cls, equation: Any) -> Scan:
        """Return the loop of an equation."""
        given = equation.params
        if "num_consts" in given:
            constants, carried = given["num_consts"], given["num_carry"]
        else:  # From JAX 0.11 on, three trees say which operand is what.
            constants, carried = (len(tree.vals) for tree in given["ft_in"].elts[:2])
        return cls(given["jaxpr"], given["length"], given["reverse"], constants, carried)

    def parts(self, operands: list[T]) -> tuple[list[T], list[T], list[T]]:
        """Return the constants, what is carried first, and what has an axis of steps in front."""
        first, last = self.constants, self.constants + self.carried
        return operands[:first], operands[first:last], operands[last:]


@dataclass(frozen=True)
class While:
    """A loop that goes on while a condition holds.

    Args:
        condition: the program that says whether it goes on.
        body: the program of one turn.
        condition_constants: how many of the operands only the condition takes.
        body_constants: how many of those behind them only the body takes.
    """

    condition: ClosedJaxpr
    body: ClosedJaxpr
    condition_constants: int
    body_constants: int

    @classmethod
    def of(cls, equation: Any) -> While:
        """Return the loop of an equation."""
        given = equation.params
        return cls(
            given["cond_jaxpr"],
            given["body_jaxpr"],
            given["cond_nconsts"],
            given["body_nconsts"],
        )

    def parts(self, operands: list[T]) -> tuple[list[T], list[T], list[T]]:
        """Return the condition's constants, the body's, and what is carried first."""
        first, last = self.condition_constants, self.condition_constants + self.body_constants
        return operands[:first], operands[first:last], operands[last:]


def programs_in(equation: Any) -> list[Jaxpr]:
    """Return the programs among the parameters of an equation: bodies, branches and the like."""
    leaves = jax.tree.leaves(list(equation.params.values()), is_leaf=_is_program)
    programs: list[Any] = [each for each in leaves if _is_program(each)]
    return [each.jaxpr if isinstance(each, ClosedJaxpr) else each for each in programs]


def _is_program(value: Any) -> bool:
    return isinstance(value, ClosedJaxpr | Jaxpr)
