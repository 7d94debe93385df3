"""The recurrent layers of Keras 3, on the backend that the process was given."""

from typing import Any

from benchmarks import _torch
from benchmarks._layers.ours import keras_like
from benchmarks._layers.spec import Spec
from benchmarks._layers.with_jax import compiled
from benchmarks._question import Sizes, Work


def recurrent(sizes: Sizes) -> Work:
    """Keras's layers, compiled as the backend compiles, where it does."""
    import keras

    spec = Spec.of(sizes)
    layer = keras_like(keras, spec)
    ways = {"jax": _on_jax, "tensorflow": _on_tensorflow, "torch": _on_torch}
    return ways[keras.backend.backend()](layer, spec)


def _on_jax(layer: Any, spec: Spec) -> Work:
    rest = [variable.value for variable in layer.non_trainable_variables]
    weights = [variable.value for variable in layer.trainable_variables]
    return compiled(
        spec, lambda x, w: layer.stateless_call(w, rest, x)[0], weights, spec.from_keras
    )


def _on_tensorflow(layer: Any, spec: Spec) -> Work:
    import tensorflow as tf

    inputs = tf.cast(tf.constant(spec.inputs()), spec.dtype)
    back = tf.cast(tf.constant(spec.output_gradients()), spec.dtype)
    weights = [variable.value for variable in layer.trainable_variables]

    forward = tf.function(layer)

    def differentiated(inputs: Any, back: Any) -> Any:
        with tf.GradientTape() as tape:
            tape.watch(inputs)
            outputs = layer(inputs)
        return tape.gradient(outputs, [inputs, *weights], output_gradients=back)

    gradients = tf.function(differentiated)

    def run() -> Any:
        if not spec.gradients:
            return forward(inputs).numpy()
        by_inputs, *by_weights = (each.numpy() for each in gradients(inputs, back))
        return by_inputs, by_weights

    return Work(run, spec.from_keras)


def _on_torch(layer: Any, spec: Spec) -> Work:
    import torch

    dtype = getattr(torch, spec.dtype)
    inputs = _torch.tensor(spec.inputs()).to(dtype).requires_grad_(spec.gradients)
    back = _torch.tensor(spec.output_gradients()).to(dtype)
    weights = [variable.value for variable in layer.trainable_variables]

    def forward() -> Any:
        with torch.no_grad():
            return layer(inputs)

    def gradients() -> Any:
        by_inputs, *by_weights = torch.autograd.grad(layer(inputs), [inputs, *weights], back)
        return by_inputs, by_weights

    def comparable(result: Any) -> Any:
        by_inputs, by_weights = result if spec.gradients else (result, [])
        arrays = _torch.array(by_inputs), [_torch.array(each) for each in by_weights]
        return spec.from_keras(arrays if spec.gradients else arrays[0])

    return Work(gradients if spec.gradients else forward, comparable)
