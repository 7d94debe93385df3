"""Scans outside of any program, compiled once for each program and not for each function."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import jax
import numpy as np
from jax import lax

Tree = Any


def scan(
    body: Callable[[Tree, Tree], tuple[Tree, Tree]], first: Tree, along: Tree, *, reverse: bool
) -> tuple[Tree, Tree]:
    """Does what `jax.lax.scan` does.

    That knows a step again by the function alone, and a step that reads weights is another function
    at each call: outside of `jax.jit` it is compiled anew each time. Here it is traced each time,
    so that whatever has changed counts, and compiled where it computes something else.

    Args:
        body: takes the states and what stands at this step; gives new ones, and what comes out.
        first: the states before the first step.
        along: a tree of arrays, steps first.
        reverse: from the last step to the first.

    Returns:
        The last states, and what came out at all steps.
    """

    def whole(first: Tree, along: Tree) -> tuple[Tree, Tree]:
        return lax.scan(body, first, along, reverse=reverse)

    step_by_step = jax.config.jax_disable_jit  # type: ignore[attr-defined]
    if step_by_step or _any_traced((first, along)):
        return whole(first, along)
    traced, shapes = jax.make_jaxpr(whole, return_shape=True)(first, along)
    if _any_traced(traced.consts):
        return whole(first, along)
    text = traced.jaxpr.pretty_print(use_color=False, custom_pp_eqn_rules=False)
    program = _Program((text, *_unwritten(traced.jaxpr)), traced.jaxpr)
    found = _compiled(program)(traced.consts, jax.tree.leaves((first, along)))
    result: tuple[Tree, Tree] = jax.tree.unflatten(jax.tree.structure(shapes), found)
    return result


def _any_traced(tree: Tree) -> bool:
    return any(isinstance(leaf, jax.core.Tracer) for leaf in jax.tree.leaves(tree))


@dataclass(frozen=True)
class _Program:
    """What a function computes: equal where it is the same, whatever function it was."""

    key: tuple[str | int, ...]
    jaxpr: Any = field(compare=False)
    """Keeps alive what the key knows by its `id`."""


@lru_cache(maxsize=256)
def _compiled(program: _Program) -> Any:
    def run(constants: list[Any], arguments: list[Any]) -> list[Any]:
        return jax.core.eval_jaxpr(program.jaxpr, constants, *arguments)

    return jax.jit(run)


def _unwritten(jaxpr: Any) -> Iterator[int]:
    """Tell apart the arrays that stand in a program, of which the text says the shape alone."""
    for equation in jaxpr.eqns:
        for atom in equation.invars:
            if np.ndim(getattr(atom, "val", 0)):
                yield id(atom.val)
        for setting in jax.tree.leaves(list(equation.params.values())):
            inner = getattr(setting, "jaxpr", setting)
            if hasattr(inner, "eqns"):
                yield from _unwritten(inner)
