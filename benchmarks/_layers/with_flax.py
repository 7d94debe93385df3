"""The recurrent layers of flax nnx."""

from typing import Any

import numpy as np

from benchmarks._layers.spec import Spec, reset_first
from benchmarks._layers.with_jax import compiled
from benchmarks._question import Sizes, Work


def recurrent(sizes: Sizes) -> Work:
    """`nnx.RNN` over a cell, under `nnx.Bidirectional` where rows are read both ways."""
    from flax import nnx

    spec = Spec.of(sizes)
    cells = [cell_of(spec, place) for place in range(spec.layers * spec.directions)]
    graph, weights = nnx.split(nnx.List(cells), nnx.Param)

    def outputs(rows: Any, weights: Any) -> Any:
        loops = [nnx.RNN(cell) for cell in nnx.merge(graph, weights)]
        for first in range(0, len(loops), spec.directions):
            ways = loops[first : first + spec.directions]
            rows = nnx.Bidirectional(*ways)(rows) if len(ways) == 2 else ways[0](rows)
        return rows

    def comparable(result: Any) -> Any:
        if not spec.gradients:
            return [result]
        by_inputs, by_weights = result
        return [
            by_inputs,
            *(
                _own(spec, array)
                for cell in nnx.merge(graph, by_weights)
                for array in (cell.dense_i.kernel, cell.dense_h.kernel, _bias(spec, cell))
            ),
        ]

    return compiled(spec, outputs, weights, comparable)


def cell_of(spec: Spec, place: int) -> Any:
    """The cell of a layer and direction, with its weights."""
    from flax import nnx
    from jax import numpy as jnp

    kinds = {"LSTM": nnx.OptimizedLSTMCell, "GRU": nnx.GRUCell, "SimpleRNN": nnx.SimpleCell}
    kernel, recurrent, bias = (_own(spec, array) for array in spec.weights()[place])
    cell = kinds[spec.cell](kernel.shape[0], spec.units, rngs=nnx.Rngs(0))
    cell.dense_i.kernel[...] = jnp.asarray(kernel)
    cell.dense_h.kernel[...] = jnp.asarray(recurrent)
    _bias(spec, cell)[...] = jnp.asarray(bias)
    return cell


def _bias(spec: Spec, cell: Any) -> Any:
    return (cell.dense_h if spec.cell == "LSTM" else cell.dense_i).bias


def _own(spec: Spec, array: Any) -> Any:
    return reset_first(array) if spec.cell == "GRU" else np.asarray(array)
