"""The cuDNN twin of the recurrent loop: an LSTM on an NVIDIA GPU, by way of JAX's own binding.

cuDNN reads rows whose real steps come first, of any lengths but zero. So the real steps of a row
are moved together in the order in which they are read, and the outputs back to their places: left
padding, gaps and the other direction cost one gather each way, and no mask has to be looked at
before it is known which program runs.

JAX's binding has an LSTM in float32, whose lengths it copies to the host at each call.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax.custom_batching import sequential_vmap
from jax.experimental import rnn

from everystep.kernels.asked import Asked, Fixed, Twin, in_promised_types
from everystep.kernels.gates import LSTMGates, States
from everystep.kernels.pointwise import same_function
from everystep.kernels.xla import XLA

Tree = Any

# Settings of JAX under which a product of float32 may round its factors to TF32 or less.
_ROUGH = (None, "default", "high", "bfloat16", "tensorfloat32", "TF32_TF32_F32")


@dataclass(frozen=True)
class Calls:
    """The two calls of `jax.experimental.rnn`; tests put its plain reference in their place."""

    forward: Callable[..., Any]
    backward: Callable[..., Any]


BINDING = Calls(rnn.lstm_fwd, rnn.lstm_bwd)


@dataclass(frozen=True)
class Call:
    """What is fixed when a call of cuDNN is compiled."""

    features: int
    units: int
    precision: jax.lax.Precision
    calls: Calls

    @property
    def sizes(self) -> tuple[int, int, int, float, bool]:
        """As JAX's functions take them: one layer, no dropout, one direction."""
        return self.features, self.units, 1, 0.0, False


class Operands(NamedTuple):
    """The arrays of one call: float32, batch first, real steps first."""

    inputs: jax.Array  # (batch, steps, features)
    hidden: jax.Array  # (1, batch, units)
    cell: jax.Array  # (1, batch, units)
    weights: jax.Array  # all four arrays in one row, see `weights`
    lengths: jax.Array  # (batch,), int32, each at least 1


def run(fixed: Fixed, arrays: dict[str, Any], calls: Calls = BINDING) -> tuple[jax.Array, States]:
    """Runs an LSTM over rows that hold one sequence each, as `recurrent` promises it.

    Args:
        fixed: what `recurrent` was asked for.
        arrays: those of `recurrent`, by the names that they have there.
        calls: what computes.

    Returns:
        The outputs, (batch, steps, units), and the last h and c, each (batch, units).
    """
    dtype = jnp.result_type(arrays["inputs"], arrays["kernel"], arrays["recurrent_kernel"])
    inputs = arrays["inputs"].astype(dtype).astype(jnp.float32)
    first = tuple(state.astype(jnp.float32) for state in arrays["initial"])
    call = Call(inputs.shape[-1], first[0].shape[-1], precision(dtype), calls)
    given = weights(arrays, dtype)
    if arrays["segments"] is None:
        outputs, last = _whole_rows(call, inputs, first, given, reverse=fixed.reverse)
    else:
        real = arrays["segments"] != 0
        outputs, last = _masked_rows(call, inputs, first, given, real, reverse=fixed.reverse)
        if fixed.zero_output_for_mask:
            outputs = jnp.where(real[:, :, None], outputs, 0)
    return in_promised_types(arrays, dtype, outputs, last)


def _whole_rows(
    call: Call, inputs: jax.Array, first: States, given: jax.Array, *, reverse: bool
) -> tuple[jax.Array, States]:
    batch, steps, _ = inputs.shape
    lengths = jnp.full(batch, steps, jnp.int32)
    inputs = jnp.flip(inputs, 1) if reverse else inputs
    outputs, last = _run_call(call, inputs, first, given, lengths)
    return jnp.flip(outputs, 1) if reverse else outputs, last


def _masked_rows(
    call: Call,
    inputs: jax.Array,
    first: States,
    given: jax.Array,
    real: jax.Array,
    *,
    reverse: bool,
) -> tuple[jax.Array, States]:
    # Zeros at padding, not a mask on the gradient: a NaN there would survive times zero.
    inputs = jnp.where(real[:, :, None], inputs, 0)
    order, place = places(real, reverse=reverse)
    rows = jnp.arange(real.shape[0])[:, None]
    ahead = inputs.at[rows, order].get(mode="promise_in_bounds", unique_indices=True)
    lengths = real.sum(1, dtype=jnp.int32)
    # A row without a real step runs one step of zeros, whose result nobody reads.
    outputs, last = _run_call(call, ahead, first, given, jnp.maximum(lengths, 1))
    read = outputs.at[rows, jnp.maximum(place, 0)].get(mode="promise_in_bounds")
    outputs = jnp.where((place >= 0)[:, :, None], read, first[0][:, None])
    some = (lengths > 0)[:, None]
    hidden, cell = (jnp.where(some, *pair) for pair in zip(last, first, strict=True))
    return outputs, (hidden, cell)


def _run_call(
    call: Call, inputs: jax.Array, first: States, given: jax.Array, lengths: jax.Array
) -> tuple[jax.Array, States]:
    hidden, cell = (state[None] for state in first)
    outputs, hidden, cell, _ = _forward(call, Operands(inputs, hidden, cell, given, lengths))
    return outputs, (hidden[0], cell[0])


def places(real: jax.Array, *, reverse: bool) -> tuple[jax.Array, jax.Array]:
    """Where each real step stands once they are moved together, and where it came from.

    Shapes:
        real: (batch, steps), as are both results.

    Args:
        real: where a step is no padding.
        reverse: read from the end.

    Returns:
        order: the step that comes to each place; real steps come first, as they are read.
        place: the place of the last real step read so far; -1 where there was none.

    Example:
        >>> order, place = places(jnp.array([[False, True, False, True]]), reverse=True)
        >>> order.tolist(), place.tolist()
        ([[3, 1, 2, 0]], [[1, 1, 0, 0]])
    """
    if reverse:
        order, place = places(jnp.flip(real, 1), reverse=False)
        return real.shape[1] - 1 - order, jnp.flip(place, 1)
    order = jnp.argsort(~real, axis=1, stable=True)
    return order, jnp.cumsum(real, axis=1, dtype=jnp.int32) - 1


def weights(arrays: dict[str, Any], dtype: Any) -> jax.Array:
    """All weights in one row, as cuDNN takes them: both kernels, units first, and both biases.

    The order of the gates is the same there: input, forget, cell, output.
    """
    shares = arrays["kernel"].shape[1]
    kernels = (arrays[name].astype(dtype).T for name in ("kernel", "recurrent_kernel"))
    biases = (arrays[name] for name in ("bias", "recurrent_bias"))
    parts = [*kernels, *(jnp.zeros(shares) if bias is None else bias for bias in biases)]
    return jnp.concatenate([part.astype(jnp.float32).ravel() for part in parts])


def precision(dtype: Any) -> jax.lax.Precision:
    """How exactly cuDNN multiplies: in TF32 where JAX's own products may, else in float32.

    JAX lets them where `jax_default_matmul_precision` is not set. Types narrower than float32 lose
    nothing by it: TF32 holds all their digits.
    """
    setting = jax.config.jax_default_matmul_precision  # type: ignore[attr-defined]
    rough = jnp.dtype(dtype).itemsize < 4 or setting in _ROUGH
    return jax.lax.Precision.HIGH if rough else jax.lax.Precision.HIGHEST


Result = tuple[jax.Array, jax.Array, jax.Array, Tree]
"""Outputs, zero at padding; the last h and c, each (1, batch, units); what cuDNN keeps."""


@partial(jax.custom_vjp, nondiff_argnums=(0,))
def _forward(call: Call, operands: Operands) -> Result:
    """The call itself. cuDNN knows no batch of calls: under `jax.vmap` they run in turn."""

    def forward(operands: Operands) -> Result:
        result, (*_, kept) = call.calls.forward(*operands, *call.sizes, call.precision)
        return *result, kept

    result: Result = sequential_vmap(forward)(operands)  # type: ignore[no-untyped-call]
    return result


def _keep(call: Call, operands: Operands) -> tuple[Result, Tree]:
    result = _forward(call, operands)
    outputs, _, _, kept = result
    return result, (operands, outputs, kept)


def _pull(call: Call, saved: Tree, cotangents: Result) -> tuple[Operands]:
    *wanted, _ = cotangents
    return (Operands._make((*_backward(call, *saved, tuple(wanted)), None)),)


_forward.defvjp(_keep, _pull)


@partial(jax.custom_vjp, nondiff_argnums=(0,))
def _backward(
    call: Call, operands: Operands, outputs: jax.Array, kept: Tree, cotangents: Tree
) -> Tree:
    """The gradients of inputs, h, c and weights."""

    def backward(operands: Operands, outputs: jax.Array, kept: Tree, cotangents: Tree) -> Tree:
        saved = (*operands, outputs, kept)
        *gradients, _ = call.calls.backward(*call.sizes, call.precision, saved, cotangents)
        return tuple(gradients)

    return sequential_vmap(backward)(operands, outputs, kept, cotangents)  # type: ignore[no-untyped-call]


def _keep_gradients(
    call: Call, operands: Operands, outputs: jax.Array, kept: Tree, cotangents: Tree
) -> tuple[Tree, Tree]:
    return _backward(call, operands, outputs, kept, cotangents), (operands, cotangents)


def _pull_gradients(call: Call, saved: Tree, wanted: Tree) -> Tree:
    """Derivatives of the gradients, which cuDNN has not: those of JAX's plain reference."""
    (*floats, lengths), cotangents = saved

    def gradients(floats: Tree, cotangents: Tree) -> Tree:
        _, pull = jax.vjp(lambda *given: plain(call, Operands._make((*given, lengths))), *floats)
        return pull(cotangents)

    _, pull = jax.vjp(gradients, floats, cotangents)
    d_floats, d_cotangents = pull(wanted)
    return Operands._make((*d_floats, None)), None, None, d_cotangents


_backward.defvjp(_keep_gradients, _pull_gradients)


def plain(call: Call, operands: Operands) -> tuple[jax.Array, jax.Array, jax.Array]:
    """What the call computes, in operations that JAX can differentiate again and again."""
    inputs, hidden, cell, given, lengths = operands
    features, units, layers, dropout, both = call.sizes
    apart = rnn.unpack_lstm_weights(given, features, units, layers, both)
    result: tuple[jax.Array, jax.Array, jax.Array] = rnn.lstm_ref(
        inputs, hidden, cell, *apart, lengths, features, units, layers, dropout, both
    )
    return result


def _why_not(asked: Asked) -> str:
    if getattr(getattr(rnn, "gpu_rnn", None), "_cuda_rnn", None) is None:
        return "JAX has no binding to cuDNN's recurrent layers here; its CUDA plugin brings it"
    gates = asked.gates
    if not isinstance(gates, LSTMGates):
        return f"JAX's binding to cuDNN has the LSTM alone, not {type(gates).__name__}"
    known = ((gates.activation, jnp.tanh), (gates.recurrent_activation, jax.nn.sigmoid))
    if not all(same_function(*pair) for pair in known):
        return "cuDNN's LSTM has the activation tanh and the recurrent_activation sigmoid alone"
    if asked.fixed.packed:
        return "cuDNN starts every row once, and packed rows start afresh with each sequence"
    if asked.dropout:
        return "cuDNN's LSTM has no recurrent dropout"
    if asked.dtype not in ("float32", "bfloat16", "float16"):
        return f"JAX's binding to cuDNN computes in float32, and the arrays are {asked.dtype}"
    return _why_not_sizes(asked)


def _why_not_sizes(asked: Asked) -> str:
    known = [size for size in asked.sizes if size is not None]
    if not all(isinstance(size, int) for size in known):
        return "cuDNN has to know all sizes when the program is compiled"
    if 0 in known:
        return "cuDNN takes no empty arrays"
    if len(known) == len(asked.sizes) and _memory(*asked.sizes) > LARGEST:
        return "JAX's binding to cuDNN counts its memory in 32 bits, which are too few for this"
    return ""


LARGEST = 2**31 - 1


def _memory(batch: int, steps: int, features: int, units: int) -> int:
    """Bytes that a call may keep: cuDNN says it only to one who has a GPU, so this says too much.

    Four gates and two states of each step, in both passes, are 12 numbers a unit.
    """
    numbers = batch * steps * (16 * units + 4 * features) + 16 * units * (features + units)
    return 4 * numbers


def _run(fixed: Fixed, arrays: dict[str, Any]) -> tuple[jax.Array, States]:
    """Where a program runs is known last: on a machine with a GPU it may still be the CPU."""
    result: tuple[jax.Array, States] = jax.lax.platform_dependent(
        arrays, cuda=partial(run, fixed), default=partial(XLA.run, fixed)
    )
    return result


CUDNN = Twin("cudnn", ("gpu",), _why_not, _run)
