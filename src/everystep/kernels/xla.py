"""The twin of pure JAX: it runs every cell, on every platform, in every type."""

from typing import Any

import jax
import jax.numpy as jnp

from everystep.kernels import loop
from everystep.kernels.asked import Asked, Fixed, Twin, in_promised_types
from everystep.kernels.carrying import Rows
from everystep.kernels.gates import Gates, States
from everystep.kernels.reset_before import ResetBeforeGRU, run_reset_before
from everystep.kernels.resets import resets


def _run(fixed: Fixed, arrays: dict[str, Any]) -> tuple[jax.Array, States]:
    dtype = jnp.result_type(arrays["inputs"], arrays["kernel"], arrays["recurrent_kernel"])
    if isinstance(fixed.gates, ResetBeforeGRU):
        rows = {"packed": fixed.packed, "reverse": fixed.reverse}
        rows["zero_output_for_mask"] = fixed.zero_output_for_mask
        outputs, last = run_reset_before(fixed.gates, arrays, rows, dtype)
    else:
        outputs, last = _run_equation(fixed, fixed.gates, arrays, dtype)
    return in_promised_types(arrays, dtype, outputs, last)


def _run_equation(
    fixed: Fixed, gates: Gates, arrays: dict[str, Any], dtype: Any
) -> tuple[jax.Array, States]:
    batch = arrays["inputs"].shape[0]
    segments = arrays["segments"]
    real = None if segments is None else (segments != 0)[:, :, None]
    # A symbolic batch counts as more than one row.
    one_row = isinstance(batch, int) and batch == 1
    compiled = loop.Loop(gates, fixed.reverse, units_first=not one_row)
    operands = _operands(arrays, real, dtype, packed=fixed.packed, reverse=fixed.reverse)
    run = loop.run if fixed.derivatives == "reverse" else loop.run_plain
    outputs, last = run(compiled, operands)
    outputs = jnp.transpose(outputs, (2, 0, 1))
    if fixed.zero_output_for_mask and real is not None:
        outputs = jnp.where(real, outputs, 0)
    return outputs, tuple(state.T for state in last)


def _operands(
    arrays: dict[str, Any], real: jax.Array | None, dtype: Any, *, packed: bool, reverse: bool
) -> loop.Operands:
    """Brings the arrays into the loop's layout and types."""
    wide = jnp.promote_types(dtype, jnp.float32)
    inputs = arrays["inputs"].astype(dtype)
    if real is not None:
        # Zeros at padding, not a mask on the gradient: a NaN there would survive times zero.
        inputs = jnp.where(real, inputs, 0)
    columns = {
        name: None if arrays[name] is None else arrays[name].astype(wide)[:, None]
        for name in ("bias", "recurrent_bias")
    }
    dropout = arrays["recurrent_dropout"]
    starts = resets(arrays["segments"], reverse=reverse)[:, :, None] if packed else None
    return loop.Operands(
        inputs=jnp.transpose(inputs, (1, 2, 0)),
        kernel=arrays["kernel"].astype(dtype),
        recurrent_kernel=arrays["recurrent_kernel"].astype(dtype),
        bias=columns["bias"],
        recurrent_bias=columns["recurrent_bias"],
        parameters=tuple(vector.astype(wide)[:, None] for vector in arrays["parameters"]),
        initial=tuple(state.astype(wide).T for state in arrays["initial"]),
        dropout=None if dropout is None else dropout.astype(wide).T,
        rows=Rows(
            real=None if real is None else jnp.transpose(real, (1, 2, 0)),
            resets=None if starts is None else jnp.transpose(starts, (1, 2, 0)),
        ),
    )


def _why_not(asked: Asked) -> str:
    return ""


XLA = Twin("xla", (), _why_not, _run)
