"""How fast is the LSTM alone, next to a plain scan, Keras on JAX and torch?"""

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks._question import Peer, Question, Sizes

Array = npt.NDArray[np.float32]
Work = Callable[[], Any]


def flops(sizes: Sizes) -> float:
    """Two for each weight, row and step; the backward pass has two products for each one ahead."""
    batch, steps, features, units = _numbers(sizes)
    forward = 2.0 * batch * steps * (features + units) * 4 * units
    return forward if sizes["task"] == "forward" else 3 * forward


def _numbers(sizes: Sizes) -> tuple[int, int, int, int]:
    batch, steps, features, units = (
        int(sizes[name]) for name in ("batch", "steps", "features", "units")
    )
    return batch, steps, features, units


def arrays(sizes: Sizes) -> tuple[Array, list[Array]]:
    """The same inputs and weights (kernel, recurrent kernel, bias) for every peer."""
    batch, steps, features, units = _numbers(sizes)
    random = np.random.default_rng(0)

    def draw(*shape: int) -> Array:
        drawn: Array = random.normal(size=shape).astype(np.float32) / np.float32(shape[0] ** 0.5)
        return drawn

    inputs = random.normal(size=(batch, steps, features)).astype(np.float32)
    return inputs, [draw(features, 4 * units), draw(units, 4 * units), draw(4 * units)]


def _jax_work(sizes: Sizes, outputs: Callable[[Any, Any], Any]) -> Work:
    """The task, compiled by JAX: the outputs, or the gradients of their squares."""
    import jax

    inputs, weights = jax.device_put(arrays(sizes))
    forward = jax.jit(outputs)
    gradients = jax.jit(jax.grad(lambda x, w: (outputs(x, w) ** 2).sum(), (0, 1)))
    task = forward if sizes["task"] == "forward" else gradients
    return lambda: jax.block_until_ready(task(inputs, weights))  # type: ignore[no-untyped-call]


def everystep(sizes: Sizes) -> Work:
    """Our loop."""
    import jax.numpy as jnp

    from everystep.kernels import LSTMGates, recurrent

    batch, _, _, units = _numbers(sizes)
    zeros = jnp.zeros((batch, units))

    def outputs(inputs: Any, weights: Any) -> Any:
        kernel, recurrent_kernel, bias = weights
        initial = (zeros, zeros)
        return recurrent(LSTMGates(), inputs, kernel, recurrent_kernel, bias, initial)[0]

    return _jax_work(sizes, outputs)


def plain_scan(sizes: Sizes) -> Work:
    """What one writes first: the input's product ahead of the loop, the rest left to JAX."""
    import jax
    import jax.numpy as jnp

    batch, _, _, units = _numbers(sizes)

    def outputs(inputs: Any, weights: Any) -> Any:
        kernel, recurrent_kernel, bias = weights

        def step(states: Any, projected: Any) -> Any:
            hidden, cell = states
            i, f, g, o = jnp.split(projected + hidden @ recurrent_kernel, 4, axis=-1)
            cell = jax.nn.sigmoid(f) * cell + jax.nn.sigmoid(i) * jnp.tanh(g)
            hidden = jax.nn.sigmoid(o) * jnp.tanh(cell)
            return (hidden, cell), hidden

        zeros = jnp.zeros((batch, units))
        ahead = jnp.swapaxes(inputs, 0, 1) @ kernel + bias
        return jnp.swapaxes(jax.lax.scan(step, (zeros, zeros), ahead)[1], 0, 1)

    return _jax_work(sizes, outputs)


def keras_on_jax(sizes: Sizes) -> Work:
    """Keras's layer, called without state so that JAX compiles it as it compiles ours."""
    import keras

    _, _, features, units = _numbers(sizes)
    layer = keras.layers.LSTM(units, return_sequences=True)
    layer.build((None, None, features))
    rest = [variable.value for variable in layer.non_trainable_variables]
    return _jax_work(sizes, lambda x, w: layer.stateless_call(w, rest, x)[0])


def torch_lstm(sizes: Sizes) -> Work:
    """The LSTM of torch; it has two biases, of which one stays zero."""
    import torch

    _, _, features, units = _numbers(sizes)
    inputs, (kernel, recurrent_kernel, bias) = arrays(sizes)
    layer = torch.nn.LSTM(features, units, batch_first=True)
    given = (kernel.T, recurrent_kernel.T, bias, np.zeros_like(bias))
    with torch.no_grad():
        for parameter, array in zip(layer.parameters(), given, strict=True):
            parameter.copy_(torch.from_numpy(np.ascontiguousarray(array)))
    rows = torch.from_numpy(inputs).requires_grad_()

    def forward() -> Any:
        with torch.no_grad():
            return layer(rows)[0].numpy()

    def gradients() -> Any:
        rows.grad = None
        layer.zero_grad()
        (layer(rows)[0] ** 2).sum().backward()
        by_kernel, by_recurrent, by_bias, _ = (p.grad.numpy() for p in layer.parameters())
        return [rows.grad.numpy(), [by_kernel.T, by_recurrent.T, by_bias]]

    return forward if sizes["task"] == "forward" else gradients


def _sizes(task: str, batch: int, steps: int, features: int, units: int) -> Sizes:
    return {"task": task, "batch": batch, "steps": steps, "features": features, "units": units}


QUESTION = Question(
    name="recurrent",
    text=__doc__,
    peers=(
        Peer("everystep", "benchmarks.recurrent:everystep"),
        Peer("plain scan", "benchmarks.recurrent:plain_scan"),
        Peer(
            "Keras on JAX",
            "benchmarks.recurrent:keras_on_jax",
            {"KERAS_BACKEND": "jax"},
            ("keras",),
        ),
        Peer("torch", "benchmarks.recurrent:torch_lstm", requires=("torch",)),
    ),
    cases=tuple(
        _sizes(task, *numbers)
        for numbers in ((32, 50, 128, 256), (32, 50, 128, 64), (1, 50, 128, 256))
        for task in ("forward", "gradients")
    ),
    flops=flops,
)
