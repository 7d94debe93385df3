"""The foreign functions of the native twin, as functions of JAX arrays: what XLA calls, and vmap.

There are three: `pack` lays both kernels out for the processor, `forward` runs all steps, and
`backward` gives the gradients.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import lax
from jax.custom_batching import custom_vmap, sequential_vmap

from everystep.kernels.asked import Fixed
from everystep.kernels.extension import extension
from everystep.kernels.gates import States

Arrays = tuple[jax.Array, ...]

# JAX leaves these without types.
_abstract: Any = jax.ShapeDtypeStruct
_one_by_one: Any = sequential_vmap
_mapped: Any = custom_vmap


@dataclass(frozen=True)
class Call:
    """What is fixed when a call is compiled."""

    path: str
    fixed: Fixed
    cell: int
    activation: int
    gate_activation: int

    @property
    def attributes(self) -> dict[str, Any]:
        """What the foreign functions take besides arrays."""
        return {
            "path": self.path,
            "cell": self.cell,
            "activation": self.activation,
            "gate_activation": self.gate_activation,
            "packed_rows": self.fixed.packed,
            "reverse": self.fixed.reverse,
            "zero_output": self.fixed.zero_output_for_mask,
        }


class Operands(NamedTuple):
    """The arrays of one run, in the types that the foreign functions take."""

    values: jax.Array  # (batch, steps, features)
    kernel: jax.Array  # (features, shares)
    recurrent_kernel: jax.Array  # (units, shares)
    bias: jax.Array | None  # (shares,)
    recurrent_bias: jax.Array | None  # (shares,)
    peepholes: jax.Array | None  # (3 * units,)
    segments: jax.Array | None  # (batch, steps), int32
    dropout: jax.Array | None  # (batch, units)
    initial: States  # each (batch, units)

    @property
    def sizes(self) -> tuple[int, int, int, int]:
        """Batch, steps, features and units."""
        batch, steps, features = self.values.shape
        return batch, steps, features, self.recurrent_kernel.shape[0]

    @property
    def cell(self) -> jax.Array:
        """The second state, empty where there is none."""
        alone = len(self.initial) == 1
        return nothing(jnp.float32, self.initial[0]) if alone else self.initial[1]


Result = tuple[jax.Array, States]
"""Outputs (batch, steps, units) and the last states, each (batch, units)."""


def everywhere(operands: Operands) -> Operands:
    """Return the operands, under shard_map all of them as what may differ from device to device."""
    axes = frozenset[str]().union(*(_varying(leaf) for leaf in jax.tree.leaves(operands)))
    spread: Operands = jax.tree.map(lambda leaf: _spread(leaf, axes), operands)
    return spread


def nothing(dtype: Any, beside: jax.Array) -> jax.Array:
    """Return what stands for an array that is not there, beside one that is."""
    return _spread(jnp.zeros(0, dtype), _varying(beside))


def _spread(array: jax.Array, axes: frozenset[str]) -> jax.Array:
    missing = tuple(sorted(axes - _varying(array)))
    return lax.pcast(array, missing, to="varying") if missing else array


def _varying(array: jax.Array) -> frozenset[str]:
    return frozenset(jax.typeof(array).manual_axis_type.varying)


def _like(shape: tuple[int, ...], dtype: Any, beside: jax.Array) -> Any:
    """Shape and type of a result, on the devices of an argument."""
    axes = _varying(beside)
    if not axes:
        return _abstract(shape, dtype)
    return jax.eval_shape(lambda: _spread(jnp.zeros(shape, dtype), axes))


def pack(call: Call, kernel: jax.Array, recurrent_kernel: jax.Array) -> jax.Array:
    """Return both kernels as `forward` reads them: bytes, for the instructions of the call alone.

    Shapes:
        kernel, recurrent_kernel: (features, shares), (units, shares).
    """
    narrow = kernel.dtype == jnp.bfloat16
    size = extension().module.packed_size(
        call.path, call.cell, narrow, kernel.shape[0], recurrent_kernel.shape[0]
    )

    def run(*kernels: jax.Array) -> Any:
        foreign: Any = jax.ffi.ffi_call("everystep_pack", _like((size,), jnp.uint8, kernels[0]))
        return foreign(*kernels, **call.attributes)

    packed: jax.Array = _one_by_one(run)(kernel, recurrent_kernel)
    return packed


def forward(
    call: Call, operands: Operands, packed: jax.Array, *, keep: bool
) -> tuple[jax.Array, States, jax.Array]:
    """Return the outputs, the last states, and what `backward` needs, empty unless asked for."""
    batch, steps, features, units = operands.sizes
    size = 0
    if keep:
        narrow = operands.values.dtype == jnp.bfloat16
        size = extension().module.kept_size(
            call.path, call.cell, narrow, batch, steps, features, units
        )

    def run(*arrays: jax.Array) -> Arrays:
        values, hidden, cell = arrays[0], arrays[-2], arrays[-1]
        shapes = (
            _like((*values.shape[:2], units), values.dtype, values),
            _like(hidden.shape, jnp.float32, values),
            _like(cell.shape, jnp.float32, values),
            _like((size,), jnp.float32, values),
        )
        return tuple(jax.ffi.ffi_call("everystep_forward", shapes)(*arrays, **call.attributes))

    # What is kept of several rows cannot be told apart again.
    mapped = _one_by_one(run) if keep else _rows_together(run)
    optional = _optional(operands)
    states = operands.initial[0], operands.cell
    outputs, hidden, cell, kept = mapped(operands.values, packed, *optional, *states)
    return outputs, (hidden, cell)[: len(operands.initial)], kept


# Which of the arguments of `forward` have a row for each row; the others are weights.
_OF_ROWS = (True, False, False, False, False, True, True, True, True)


def _rows_together(run: Callable[..., Arrays]) -> Any:
    """Return `forward`, which vmap gives all rows at once where all have the same weights."""
    mapped = _mapped(run)

    def together(size: int, batched: list[bool], *arrays: jax.Array) -> tuple[Arrays, Any]:
        if any(each and not rows for each, rows in zip(batched, _OF_ROWS, strict=True)):
            axes = [0 if each else None for each in batched]
            return jax.vmap(_one_by_one(run), axes)(*arrays), (True,) * 4

        def joined(array: jax.Array, is_batched: bool, rows: bool) -> jax.Array:
            if not rows or _is_nothing(array):
                return array
            if not is_batched:
                array = jnp.broadcast_to(array, (size, *array.shape))
            return array.reshape(-1, *array.shape[2:])

        results = mapped(*map(joined, arrays, batched, _OF_ROWS))
        return tuple(
            jnp.broadcast_to(each, (size, 0))
            if _is_nothing(each)
            else each.reshape(size, -1, *each.shape[1:])
            for each in results
        ), (True,) * 4

    mapped.def_vmap(together)
    return mapped


def _is_nothing(array: jax.Array) -> bool:
    return array.shape == (0,)


def backward(
    call: Call, operands: Operands, outputs: jax.Array, kept: jax.Array, cotangents: Result
) -> Operands:
    """Return the cotangents of the operands, but for those of the segments."""
    d_outputs, d_last = cotangents
    absent = nothing(jnp.float32, d_outputs)

    def run(*arrays: jax.Array) -> Arrays:
        values, kernel, recurrent_kernel = arrays[:3]
        peepholes, _, dropout, hidden, cell = arrays[5:10]
        shares = (kernel.shape[1],)
        shapes = (
            _like(values.shape, values.dtype, values),
            _like(kernel.shape, jnp.float32, values),
            _like(recurrent_kernel.shape, jnp.float32, values),
            _like(shares, jnp.float32, values),
            _like(shares, jnp.float32, values),
            *(_like(one.shape, jnp.float32, values) for one in (peepholes, hidden, cell, dropout)),
        )
        return tuple(jax.ffi.ffi_call("everystep_backward", shapes)(*arrays, **call.attributes))

    states = operands.initial[0], operands.cell
    kernels = operands.kernel, operands.recurrent_kernel
    given = outputs, kept, d_outputs, *(*d_last, absent)[:2]
    results = _one_by_one(run)(operands.values, *kernels, *_optional(operands), *states, *given)
    d_values, d_kernel, d_recurrent_kernel, *d_vectors, d_hidden, d_cell, d_dropout = results
    d_bias, d_recurrent_bias, d_peepholes = d_vectors
    return Operands(
        values=d_values,
        kernel=d_kernel.astype(operands.kernel.dtype),
        recurrent_kernel=d_recurrent_kernel.astype(operands.recurrent_kernel.dtype),
        bias=None if operands.bias is None else d_bias,
        recurrent_bias=None if operands.recurrent_bias is None else d_recurrent_bias,
        peepholes=None if operands.peepholes is None else d_peepholes,
        segments=None,
        dropout=None if operands.dropout is None else d_dropout,
        initial=(d_hidden, d_cell)[: len(operands.initial)],
    )


def _optional(operands: Operands) -> Arrays:
    """Return what may be left out, in the order of the foreign functions; empty where it is."""
    absent = nothing(jnp.float32, operands.values)
    no_ids = nothing(jnp.int32, operands.values)
    return (
        absent if operands.bias is None else operands.bias,
        absent if operands.recurrent_bias is None else operands.recurrent_bias,
        absent if operands.peepholes is None else operands.peepholes,
        no_ids if operands.segments is None else operands.segments,
        absent if operands.dropout is None else operands.dropout,
    )
