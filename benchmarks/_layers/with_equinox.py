"""The recurrent layers of equinox: its cells in a scan, mapped over rows, as its examples do."""

from typing import Any

import numpy as np

from benchmarks._layers.spec import Spec, reset_first
from benchmarks._layers.with_jax import compiled
from benchmarks._question import Sizes, Work


def recurrent(sizes: Sizes) -> Work:
    """`eqx.nn.LSTMCell` or `GRUCell` over the steps of a row, `jax.vmap` over the rows."""
    import jax
    import jax.numpy as jnp

    spec = Spec.of(sizes)
    cells = [cell_of(spec, place) for place in range(spec.layers * spec.directions)]

    def outputs(inputs: Any, cells: Any) -> Any:
        def row(steps: Any) -> Any:
            for first in range(0, len(cells), spec.directions):
                ways = cells[first : first + spec.directions]
                made = [scanned(spec, cell, steps, way == 1) for way, cell in enumerate(ways)]
                steps = jnp.concatenate(made, axis=-1)
            return steps

        return jax.vmap(row)(inputs)

    def comparable(result: Any) -> Any:
        if not spec.gradients:
            return [result]
        by_inputs, by_cells = result
        return [
            by_inputs,
            *(
                _own(spec, np.asarray(array).T)
                for cell in by_cells
                for array in (cell.weight_ih, cell.weight_hh, cell.bias)
            ),
        ]

    return compiled(spec, outputs, cells, comparable)


def scanned(spec: Spec, cell: Any, steps: Any, reverse: bool) -> Any:
    """The outputs of a cell over the steps of one row."""
    import jax
    import jax.numpy as jnp

    zeros = jnp.zeros(spec.units, steps.dtype)

    def body(states: Any, inputs: Any) -> Any:
        new = cell(inputs, states)
        return new, new[0] if spec.cell == "LSTM" else new

    first = (zeros, zeros) if spec.cell == "LSTM" else zeros
    return jax.lax.scan(body, first, steps, reverse=reverse)[1]


def cell_of(spec: Spec, place: int) -> Any:
    """The cell of a layer and direction, with its weights."""
    import equinox as eqx
    import jax
    import jax.numpy as jnp

    kind = {"LSTM": eqx.nn.LSTMCell, "GRU": eqx.nn.GRUCell}[spec.cell]
    kernel, recurrent, bias = (jnp.asarray(_own(spec, array)) for array in spec.weights()[place])
    cell = kind(kernel.shape[0], spec.units, key=jax.random.key(0))
    cell = eqx.tree_at(
        lambda c: (c.weight_ih, c.weight_hh, c.bias), cell, (kernel.T, recurrent.T, bias)
    )
    if spec.cell == "GRU":
        cell = eqx.tree_at(lambda c: c.bias_n, cell, jnp.zeros(spec.units))
    return cell


def _own(spec: Spec, array: Any) -> Any:
    return reset_first(array) if spec.cell == "GRU" else np.asarray(array)
