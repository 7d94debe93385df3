"""The native twin of the recurrent loop: compiled C++ for CPUs, with its own backward pass.

The loop skips padding by itself, so nothing is masked ahead of it. Derivatives of any order: the
backward pass is itself a function with a derivative, which is that of the same gradient by the twin
`xla`.
"""

from functools import lru_cache, partial
from typing import Any

import jax
import jax.numpy as jnp

from everystep.kernels import foreign
from everystep.kernels.asked import Asked, Equation, Fixed, Twin, in_promised_types
from everystep.kernels.extension import extension, path
from everystep.kernels.foreign import Call, Operands, Result
from everystep.kernels.gates import GRUGates, LSTMGates, SimpleRNNGates, States
from everystep.kernels.pointwise import Activation, same_function
from everystep.kernels.reset_before import ResetBeforeGRU
from everystep.kernels.resets import resets
from everystep.kernels.variants import PeepholeLSTMGates
from everystep.kernels.xla import XLA

Tree = Any

# The numbers are those of recurrent.h.
_CELLS: dict[type[Equation], int] = {
    SimpleRNNGates: 0,
    LSTMGates: 1,
    PeepholeLSTMGates: 1,
    GRUGates: 2,
    ResetBeforeGRU: 3,
}
_FUNCTIONS: tuple[tuple[str, Activation], ...] = (
    ("linear", lambda values: values),
    ("tanh", jnp.tanh),
    ("sigmoid", jax.nn.sigmoid),
    ("relu", jax.nn.relu),
    ("hard_sigmoid", jax.nn.hard_sigmoid),
)
_TYPES = ("float32", "bfloat16")

# Numbers of elements, of steps of all rows, and along an axis that the indices of the loop hold.
_MOST_ELEMENTS = 2**44
_MOST_STEPS = _MOST_ALONG_AXIS = 2**31 - 1


def _why_not(asked: Asked) -> str:
    if missing := extension().why_not:
        return missing
    gates = asked.gates
    if type(gates) not in _CELLS:
        return f"it does not know the equation of {type(gates).__name__}"
    if None in map(number_of, _activations(gates)):
        known = ", ".join(name for name, _ in _FUNCTIONS)
        return f"it does not know an activation of {gates}; it knows {known}"
    if asked.dtype not in _TYPES:
        return f"it computes in {' and '.join(_TYPES)} alone, not in {asked.dtype}"
    sizes = [1 if size is None else size for size in asked.sizes]
    if not all(isinstance(size, int) for size in sizes):
        return "it needs sizes that are numbers, not names for any number"
    batch, steps, features, units = sizes
    too_many = batch * steps > _MOST_STEPS or max(sizes) > _MOST_ALONG_AXIS
    if too_many or batch * steps * (features + 8 * units) > _MOST_ELEMENTS:
        return "its indices are too short for so many rows, steps or units"
    return ""


def _activations(gates: Equation) -> tuple[Activation, Activation]:
    """The activation of candidates and that of gates, where there are gates."""
    given: Any = gates
    return given.activation, getattr(given, "recurrent_activation", given.activation)


@lru_cache(maxsize=1024)
def number_of(function: Activation) -> int | None:
    """The number of an activation, by what it computes and by its derivative; None: not known."""
    numbers = range(len(_FUNCTIONS))
    return next((n for n in numbers if same_function(function, _FUNCTIONS[n][1])), None)


def numbers_of(gates: Equation) -> tuple[int, int, int]:
    """Return the numbers of a cell, of its activation and of that of its gates.

    Raises:
        TypeError: an activation is not known.
    """
    activation, gate_activation = map(number_of, _activations(gates))
    if activation is None or gate_activation is None:
        raise TypeError(f"no activation of the native twin is one of {gates}")
    return _CELLS[type(gates)], activation, gate_activation


def _run(fixed: Fixed, arrays: dict[str, Any]) -> Result:
    dtype = jnp.result_type(arrays["inputs"], arrays["kernel"], arrays["recurrent_kernel"])
    call = Call(path(), fixed, *numbers_of(fixed.gates))
    outputs, last = _loop(call, _operands(arrays, dtype))
    return in_promised_types(arrays, dtype, outputs, last)


def _operands(arrays: dict[str, Any], dtype: Any) -> Operands:
    def single(array: jax.Array | None) -> jax.Array | None:
        return None if array is None else array.astype(jnp.float32)

    parameters = arrays["parameters"]
    return foreign.everywhere(
        Operands(
            values=arrays["inputs"].astype(dtype),
            kernel=arrays["kernel"].astype(dtype),
            recurrent_kernel=arrays["recurrent_kernel"].astype(dtype),
            bias=single(arrays["bias"]),
            recurrent_bias=single(arrays["recurrent_bias"]),
            peepholes=single(parameters[0]) if parameters else None,
            segments=None if arrays["segments"] is None else _ids(arrays["segments"]),
            dropout=single(arrays["recurrent_dropout"]),
            initial=tuple(state.astype(jnp.float32) for state in arrays["initial"]),
        )
    )


def _ids(segments: jax.Array) -> jax.Array:
    """Segments as int32, with other ids for the same sequences where theirs might not fit."""
    dtype = segments.dtype
    if jnp.can_cast(dtype, jnp.int32):
        return segments.astype(jnp.int32)
    numbers = jnp.cumsum(resets(segments), axis=1, dtype=jnp.int32) + 1
    return jnp.where(segments != 0, numbers, 0)


@partial(jax.custom_vjp, nondiff_argnums=(0,))
def _loop(call: Call, operands: Operands) -> Result:
    """All steps of all rows."""
    outputs, last, _ = foreign.forward(call, operands, _packed(call, operands), keep=False)
    return outputs, last


def _packed(call: Call, operands: Operands) -> jax.Array:
    return foreign.pack(call, operands.kernel, operands.recurrent_kernel)


def _loop_forward(call: Call, operands: Operands) -> tuple[Result, Tree]:
    outputs, last, kept = _keeping(call, operands)
    return (outputs, last), (operands, outputs, kept)


def _loop_backward(call: Call, saved: Tree, cotangents: Result) -> tuple[Operands]:
    operands, outputs, kept = saved
    return (_gradients(call, operands, outputs, kept, cotangents),)


# The same with what the backward pass needs. It has a derivative too, for derivatives of those.


@partial(jax.custom_vjp, nondiff_argnums=(0,))
def _keeping(call: Call, operands: Operands) -> tuple[jax.Array, States, jax.Array]:
    return foreign.forward(call, operands, _packed(call, operands), keep=True)


def _keeping_forward(call: Call, operands: Operands) -> tuple[Any, Tree]:
    outputs, last, kept = _keeping(call, operands)
    return (outputs, last, kept), (operands, outputs, kept)


def _keeping_backward(call: Call, saved: Tree, cotangents: Any) -> tuple[Operands]:
    # What is kept has no cotangent: the gradients below say what hangs on the operands.
    return _loop_backward(call, saved, cotangents[:2])


# Gradients.


@partial(jax.custom_vjp, nondiff_argnums=(0,))
def _gradients(
    call: Call, operands: Operands, outputs: jax.Array, kept: jax.Array, cotangents: Result
) -> Operands:
    """The cotangents of the operands."""
    return foreign.backward(call, operands, outputs, kept, cotangents)


def _gradients_forward(
    call: Call, operands: Operands, outputs: jax.Array, kept: jax.Array, cotangents: Result
) -> tuple[Operands, Tree]:
    return _gradients(call, operands, outputs, kept, cotangents), (operands, cotangents)


def _gradients_backward(call: Call, saved: Tree, given: Operands) -> tuple[Any, ...]:
    operands, cotangents = saved

    def by_xla(differentiable: Operands, cotangents: Result) -> Operands:
        def run(differentiable: Operands) -> Result:
            return _by_xla(call, differentiable._replace(segments=operands.segments))

        (gradients,) = jax.vjp(run, differentiable)[1](cotangents)
        return gradients  # type: ignore[no-any-return]

    _, pull = jax.vjp(by_xla, operands._replace(segments=None), cotangents)
    d_operands, d_cotangents = pull(given._replace(segments=None))
    return d_operands, None, None, d_cotangents


def _by_xla(call: Call, operands: Operands) -> Result:
    """The same run by the twin that JAX differentiates as often as it is asked to."""
    return XLA.run(
        call.fixed,
        {
            "inputs": operands.values,
            "kernel": operands.kernel,
            "recurrent_kernel": operands.recurrent_kernel,
            "bias": operands.bias,
            "recurrent_bias": operands.recurrent_bias,
            "parameters": () if operands.peepholes is None else (operands.peepholes,),
            "segments": operands.segments,
            "recurrent_dropout": operands.dropout,
            "initial": operands.initial,
        },
    )


_loop.defvjp(_loop_forward, _loop_backward)
_keeping.defvjp(_keeping_forward, _keeping_backward)
_gradients.defvjp(_gradients_forward, _gradients_backward)


NATIVE = Twin("native", ("cpu",), _why_not, _run)
