"""The XLA twin of the recurrent loop: pure JAX, with its own backward pass.

Three choices carry its speed on a CPU; each was measured against the plain scan.

Units first. Inside, a step's arrays are (units, batch). XLA's product packs its right operand:
here that is the small state, not the weights (1.5x on the products), and gates are whole rows.

One gradient product. The backward scan only collects dZ for all steps; the gradients of both
kernels and of the inputs are then one product each, instead of one accumulation a step.

The cell's own pull-back. `jax.vjp` of the gates at each step leaves what their derivative needs,
and the backward scan calls it: as fast as a hand-written LSTM backward, for any cell.
"""

from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import lax

from everystep.kernels.carrying import Rows, carry
from everystep.kernels.gates import Gates, States

Tree = Any


@dataclass(frozen=True)
class Loop:
    """What is fixed when the loop is compiled."""

    gates: Gates
    reverse: bool
    units_first: bool
    """Weights on the left of the product: for every batch but that of one row, see `products`."""


class Operands(NamedTuple):
    """The arrays of one run, in the loop's own layout: time, then units, then batch."""

    inputs: jax.Array  # (steps, features, batch)
    kernel: jax.Array  # (features, shares)
    recurrent_kernel: jax.Array  # (units, shares)
    bias: jax.Array | None  # (shares, 1)
    recurrent_bias: jax.Array | None  # (shares, 1)
    parameters: States  # the cell's own, each (rows, 1)
    initial: States  # each (units, batch)
    dropout: jax.Array | None  # (units, batch)
    rows: Rows  # each (steps, 1, batch), bool


Result = tuple[jax.Array, States]
"""Outputs (steps, units, batch) and the last states, each (units, batch)."""


def run_plain(loop: Loop, operands: Operands) -> Result:
    """Runs the loop; JAX differentiates it in any mode, at its own speed."""
    outputs, last, _ = _forward(loop, operands, keep=False)
    return outputs, last


@partial(jax.custom_vjp, nondiff_argnums=(0,))
def run(loop: Loop, operands: Operands) -> Result:
    """Runs the loop, with the backward pass written below; reverse mode only."""
    return run_plain(loop, operands)


def _keep(loop: Loop, operands: Operands) -> tuple[Result, tuple[Operands, Tree]]:
    outputs, last, kept = _forward(loop, operands, keep=True)
    return (outputs, last), (operands, kept)


def _forward(loop: Loop, operands: Operands, *, keep: bool) -> tuple[jax.Array, States, Tree]:
    project, scanned, recur = products(loop, operands)

    def step(states: States, share: jax.Array) -> tuple[States, Tree]:
        hidden = states[0] if operands.dropout is None else states[0] * operands.dropout
        arguments = project(share), recur(hidden), states, *operands.parameters
        if not keep:
            return loop.gates(*arguments), None
        new, pull = jax.vjp(loop.gates, *arguments)
        return new, (pull, states[0])

    return carry(
        step,
        operands.initial,
        scanned,
        operands.rows,
        fresh=(0,) * len(operands.initial),
        read=lambda states: states[0],
        reverse=loop.reverse,
    )


def products(loop: Loop, operands: Operands) -> tuple[Tree, jax.Array, Tree]:
    """The two products of a step: the input's share, what to scan for it, the recurrent share.

    Units first, the input's product stays in the loop: it runs at the large product's rate there
    and its result never leaves the cache (1.2x on the forward pass against one product ahead of
    the loop). One row is a matrix times a vector in either order; there the weights are read as
    they lie, and the input's product is one, ahead of the loop (1.3x). From two rows on that way
    loses at any number of steps, by up to 8x.

    A cell of one block has an input's product too small for that rate inside of the loop: it is one
    product ahead of it too, units first (1.1x to 1.4x).
    """
    shares = operands.initial[0].dtype
    bias = 0 if operands.bias is None else operands.bias
    recurrent_bias = 0 if operands.recurrent_bias is None else operands.recurrent_bias
    if loop.units_first:
        left, recurrent_left = operands.kernel.T, operands.recurrent_kernel.T
        if operands.inputs.shape[0] == 1 and left.dtype != shares:
            # XLA takes a loop of one step apart, folds the transposes into the products, and then
            # has no such product of narrow types.
            left, recurrent_left = lax.optimization_barrier((left, recurrent_left))  # type: ignore[no-untyped-call]

        def recur(hidden: jax.Array) -> jax.Array:
            return dot(recurrent_left, hidden, (1, 0), shares) + recurrent_bias

        if loop.gates.blocks == 1:
            projected = dot(operands.kernel, operands.inputs, (0, 1), shares)
            return (lambda share: share + bias), jnp.swapaxes(projected, 0, 1), recur
        return (lambda inputs: dot(left, inputs, (1, 0), shares) + bias), operands.inputs, recur
    ahead = dot(operands.inputs, operands.kernel, (1, 0), shares)
    right = operands.recurrent_kernel
    return (
        lambda projected: projected.T + bias,
        ahead,
        lambda hidden: dot(hidden, right, (0, 0), shares).T + recurrent_bias,
    )


def dot(left: jax.Array, right: jax.Array, axes: tuple[int, int], result: Any) -> jax.Array:
    """Contracts one axis of each; multiplies in the weights' type, accumulates in `result`."""
    narrow = min(left.dtype, right.dtype, key=lambda dtype: dtype.itemsize)
    dimensions = (((axes[0],), (axes[1],)), ((), ()))
    return lax.dot_general(
        left.astype(narrow), right.astype(narrow), dimensions, preferred_element_type=result
    )


def _backward(loop: Loop, kept: tuple[Operands, Tree], cotangents: Result) -> tuple[Operands]:
    operands, (pulls, hidden) = kept
    d_outputs, d_last = cotangents

    def step(carried: tuple[States, States], at: Tree) -> tuple[tuple[States, States], Tree]:
        d_states, d_parameters = carried
        pull, d_output, (real, reset) = at
        d_new = (d_states[0] + d_output, *d_states[1:])
        d_gated = d_new if real is None else tuple(jnp.where(real, d, 0) for d in d_new)
        d_projected, d_recurrent, d_before, *d_here = pull(d_gated)
        d_parameters = tuple(a + b for a, b in zip(d_parameters, d_here, strict=True))
        d_hidden = dot(operands.recurrent_kernel, d_recurrent, (1, 0), d_output.dtype)
        through = d_hidden if operands.dropout is None else d_hidden * operands.dropout
        d_before = (d_before[0] + through, *d_before[1:])
        if real is not None:
            d_carried = tuple(jnp.where(real, 0, d) for d in d_new)
            d_before = tuple(a + b for a, b in zip(d_before, d_carried, strict=True))
        if reset is not None:
            d_before = tuple(jnp.where(reset, 0, d) for d in d_before)
        # A cell that only adds its two shares has one gradient for both: kept once.
        d_shares = (d_projected,) if d_projected is d_recurrent else (d_projected, d_recurrent)
        d_kept = None if operands.dropout is None else d_hidden
        return (d_before, d_parameters), (d_shares, d_kept)

    along = (pulls, d_outputs, operands.rows)
    start = (d_last, tuple(jnp.zeros_like(parameter) for parameter in operands.parameters))
    (d_initial, d_parameters), (d_shares, d_hidden) = lax.scan(
        step, start, along, reverse=not loop.reverse
    )
    return (_gradients(operands, hidden, d_shares, d_hidden, d_initial, d_parameters),)


def _gradients(
    operands: Operands,
    hidden: jax.Array,
    d_shares: tuple[jax.Array, ...],
    d_hidden: jax.Array | None,
    d_initial: States,
    d_parameters: States,
) -> Operands:
    """One product over all steps for each kernel and for the inputs."""
    steps, features, batch = operands.inputs.shape
    d_dropout = None
    if d_hidden is not None and operands.dropout is not None:
        d_dropout = jnp.sum(d_hidden * hidden, axis=0)
        hidden = hidden * operands.dropout
    d_projected, d_recurrent = _flat(d_shares[0]), _flat(d_shares[-1])
    wide = d_projected.dtype
    d_inputs = dot(operands.kernel, d_projected, (1, 0), wide).reshape(features, steps, batch)
    d_kernel = dot(_flat(operands.inputs), d_projected, (1, 1), wide)
    d_recurrent_kernel = dot(_flat(hidden), d_recurrent, (1, 1), wide)
    return Operands(
        inputs=jnp.swapaxes(d_inputs, 0, 1).astype(operands.inputs.dtype),
        kernel=d_kernel.astype(operands.kernel.dtype),
        recurrent_kernel=d_recurrent_kernel.astype(operands.recurrent_kernel.dtype),
        bias=None if operands.bias is None else d_projected.sum(1, keepdims=True),
        recurrent_bias=(
            None if operands.recurrent_bias is None else d_recurrent.sum(1, keepdims=True)
        ),
        parameters=d_parameters,
        initial=d_initial,
        dropout=d_dropout,
        rows=Rows(None, None),
    )


def _flat(values: jax.Array) -> jax.Array:
    """(steps, rows, batch) -> (rows, steps * batch): every product then runs along its rows."""
    steps, rows, batch = values.shape
    return jnp.swapaxes(values, 0, 1).reshape(rows, steps * batch)


run.defvjp(_keep, _backward)
