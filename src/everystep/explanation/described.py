"""An explanation as plain data: what `--json` prints, and what pictures are drawn from."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import jax.numpy as jnp

from everystep.explanation.calls import CallReads
from everystep.explanation.maps import Grid, StepMap
from everystep.explanation.program import Port
from everystep.explanation.rows import Rows
from everystep.explanation.uses import WeightUse

if TYPE_CHECKING:
    from everystep.drawing import explained as forms
    from everystep.explanation.explanation import Explanation


def described(r: Explanation) -> forms.Explained:
    """Return all that is known of one thing for one number of steps, as plain data."""
    program = r.program
    inputs = [_shape(port.shape) for port in program.inputs]
    trained = {weight.path for weight in program.weights if weight.trainable}
    # States of random generators, which nothing reads outside of training, are no news.
    uses = [use for use in r.uses if use.used_by or use.path in trained]
    return {
        "name": r.name,
        "kind": r.kind,
        "steps": r.steps,
        "parameters": r.parameters,
        "inputs": [_port(port) for port in program.inputs],
        "outputs": [_port(port) for port in program.outputs],
        "maps": [_map(each) for each in r.maps],
        "weights": [_weight(use) for use in uses],
        "layers": [_layer(call, r.layers, inputs, {use.path for use in uses}) for call in r.layers],
        "any_length": r.any_length,
        "any_length_reason": r.any_length_reason,
        "cost": {"multiply_adds": r.cost.multiply_adds, "bytes": r.cost.bytes},
        "kernels": [
            {"path": path, "kernel": loop.kernel, "why": loop.why}
            for path, loop in r.kernels.items()
        ],
        "padding": _rows(r.padding),
        "packing": _rows(r.packing),
        "unknown": list(r.unknown),
        "assumptions": list(r.assumptions),
    }


def _port(port: Port) -> forms.Port:
    return {
        "name": port.name,
        "shape": _shape(port.shape) if port.axis != 0 else str(port.shape),
        "dtype": str(jnp.dtype(port.dtype)),
        "steps": port.steps,
        "timed": port.axis is not None,
        "units": port.units,
    }


def _map(found: StepMap) -> forms.Map:
    return {
        "output": found.output,
        "input": found.input,
        "depends": _grid(found.depends),
        "witnessed": _grid(found.witnessed),
        "exact": found.exact,
        "stepwise": found.stepwise,
        "causal": found.causal,
        "lookback": found.lookback,
        "lookahead": found.lookahead,
    }


def _weight(use: WeightUse) -> forms.WeightUse:
    return {
        "path": use.path,
        "shape": [int(size) for size in use.shape],
        "steps": [bool(step) for steps in use.steps for step in steps],
        "used_by": use.used_by,
        "shared": use.shared,
    }


def _layer(
    read: CallReads, calls: Sequence[CallReads], inputs: list[str], told: set[str]
) -> forms.LayerRead:
    call = read.call
    uses = [use for use in read.uses if use.path in told]
    return {
        "path": call.path,
        "kind": call.kind,
        "parameters": call.parameters,
        "sources": read.sources,
        "input_shapes": [
            inputs[-1 - source] if source < 0 else _shape(calls[source].shape)
            for source in read.sources
        ],
        "output_shape": _shape(read.shape),
        "steps": read.steps,
        "depends": [_grid(each) for each in read.depends],
        "units": math.prod(read.shape[1:]) // max(1, read.steps),
        "weights": [use.path for use in uses],
        "uses": [use.steps[0].tolist() for use in uses],
        "used_by": [use.used_by for use in uses],
    }


def _rows(found: Rows) -> forms.Rows:
    pair = None if found.pair is None else list(found.pair)
    return {"verdict": found.verdict, "pair": pair, "reason": found.reason}


def _grid(grid: Grid) -> list[list[bool]]:
    rows: list[list[bool]] = grid.tolist()
    return rows


def _shape(shape: Sequence[Any]) -> str:
    """Return a shape as text, its first axis as the batch.

    >>> _shape((1, 4, 3)), _shape((1,)), _shape(())
    ('(batch, 4, 3)', '(batch,)', '()')
    """
    sizes = ["batch", *map(str, shape[1:])] if shape else []
    return f"({', '.join(sizes)}{',' if len(sizes) == 1 else ''})"
