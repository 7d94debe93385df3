"""Rules of primitives that run a program inside the program, once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import jax

from everystep.explanation.reading.facts import Facts
from everystep.explanation.reading.results import Rule

if TYPE_CHECKING:
    from everystep.explanation.reading.interpreter import Context

PROGRAM = {
    "jit": "jaxpr",
    "closed_call": "call_jaxpr",
    "call": "call_jaxpr",
    "custom_jvp_call": "call_jaxpr",
    "custom_vjp_call": "call_jaxpr",
    "custom_vmap_call": "call",
    "custom_partitioning": "call",
    "remat2": "jaxpr",
    "composite": "jaxpr",
}
"""Which parameter holds the program that a primitive runs; of two, the one without derivatives."""


def call(equation: Any, operands: list[Facts], context: Context) -> list[Facts]:
    """Rule: read the program inside."""
    return context.read(equation.params[PROGRAM[equation.primitive.name]], operands)


def expand(equation: Any, operands: list[Facts], context: Context) -> list[Facts]:
    """Rule: read what a primitive says that it is made of, as those of JAX's own NumPy do."""
    [primitive] = equation.params.values()

    def expansion(*flat: Any) -> Any:
        return primitive.expand(*jax.tree.unflatten(primitive.in_tree, flat))

    program = jax.make_jaxpr(expansion)(*(each.aval for each in equation.invars))
    return context.read(program, operands)


RULES: dict[str, Rule] = {**dict.fromkeys(PROGRAM, call), "call_hi_primitive": expand}
