"""What all libraries on JAX share: how the work is compiled; and the plain scan, without one."""

from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks._layers.spec import Spec, Weights
from benchmarks._question import Sizes, Work


def compiled(
    spec: Spec,
    outputs: Callable[[Any, Any], Any],
    weights: Any,
    comparable: Callable[[Any], Any],
    dtype: str = "",
) -> Work:
    """The work of a function of inputs and weights: its outputs, or its gradients.

    Args:
        spec: the layers.
        outputs: from inputs and weights to outputs.
        weights: in the library's own form.
        comparable: from what the work gives to what is compared.
        dtype: of inputs and outputs, where it is not the spec's.
    """
    import jax
    import jax.numpy as jnp

    dtype = dtype or spec.dtype
    inputs = jnp.asarray(spec.inputs(), dtype)
    back = jnp.asarray(spec.output_gradients(), dtype)

    def gradients(inputs: Any, weights: Any) -> Any:
        made, pull = jax.vjp(outputs, inputs, weights)
        return pull(back.astype(made.dtype))

    program = jax.jit(gradients if spec.gradients else outputs)
    held = jax.device_put(weights)
    wait: Any = jax.block_until_ready
    return Work(lambda: wait(program(inputs, held)), comparable)


def plain_scan(sizes: Sizes) -> Work:
    """What one writes first: the input's product ahead of the loop, the rest left to JAX."""
    import jax
    import jax.numpy as jnp

    spec = Spec.of(sizes)
    step = {"LSTM": _lstm, "GRU": _gru, "SimpleRNN": _simple}[spec.cell]

    def one(rows: Any, weights: Weights, reverse: bool) -> Any:
        zeros = jnp.zeros((rows.shape[1], spec.units), rows.dtype)
        ahead = rows @ weights.kernel + weights.bias

        def body(states: Any, projected: Any) -> Any:
            states = step(projected, states[0] @ weights.recurrent, states)
            return states, states[0]

        states = (zeros, zeros) if spec.cell == "LSTM" else (zeros,)
        return jax.lax.scan(body, states, ahead, reverse=reverse)[1]

    def outputs(inputs: Any, weights: list[Weights]) -> Any:
        rows = jnp.swapaxes(inputs, 0, 1)
        for first in range(0, len(weights), spec.directions):
            own = weights[first : first + spec.directions]
            ways = [one(rows, each, reverse=way == 1) for way, each in enumerate(own)]
            rows = jnp.concatenate(ways, axis=-1)
        return jnp.swapaxes(rows, 0, 1)

    weights = jax.tree.map(lambda array: jnp.asarray(array, spec.dtype), spec.weights())
    return compiled(spec, outputs, weights, lambda result: flat(spec, result))


def double(sizes: Sizes) -> Work:
    """The plain scan in double precision, with JAX's own derivatives: what is right."""
    return plain_scan({**sizes, "dtype": "float64"})


def flat(spec: Spec, result: Any) -> list[Any]:
    """What is compared, from outputs or from gradients by inputs and by a list of `Weights`."""
    if not spec.gradients:
        return [result]
    by_inputs, by_weights = result
    return [by_inputs, *(np.asarray(array) for each in by_weights for array in each)]


def _lstm(projected: Any, recurrent: Any, states: Any) -> Any:
    import jax
    import jax.numpy as jnp

    i, f, g, o = jnp.split(projected + recurrent, 4, axis=-1)
    cell = jax.nn.sigmoid(f) * states[1] + jax.nn.sigmoid(i) * jnp.tanh(g)
    return jax.nn.sigmoid(o) * jnp.tanh(cell), cell


def _gru(projected: Any, recurrent: Any, states: Any) -> Any:
    import jax
    import jax.numpy as jnp

    to_update, to_reset, to_candidate = jnp.split(projected, 3, axis=-1)
    from_update, from_reset, from_candidate = jnp.split(recurrent, 3, axis=-1)
    update = jax.nn.sigmoid(to_update + from_update)
    reset = jax.nn.sigmoid(to_reset + from_reset)
    candidate = jnp.tanh(to_candidate + reset * from_candidate)
    return (update * states[0] + (1 - update) * candidate,)


def _simple(projected: Any, recurrent: Any, states: Any) -> Any:
    import jax.numpy as jnp

    return (jnp.tanh(projected + recurrent),)
