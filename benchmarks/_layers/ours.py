"""The recurrent layers of everystep."""

from typing import Any

from benchmarks._layers.spec import Spec
from benchmarks._layers.with_jax import compiled
from benchmarks._question import Sizes, Work


def keras_like(library: Any, spec: Spec, **settings: Any) -> Any:
    """The layers, built and with their weights, from a library with Keras's interface."""
    layers = library.layers
    # Weights are set afterwards; Keras could not draw orthogonal ones in bfloat16.
    settings |= {"return_sequences": True, "recurrent_initializer": "zeros", "dtype": spec.dtype}
    made = []
    for _ in range(spec.layers):
        one = getattr(layers, spec.cell)(spec.units, **settings)
        made.append(layers.Bidirectional(one, dtype=spec.dtype) if spec.directions == 2 else one)
    whole = made[0] if len(made) == 1 else library.Sequential(made)
    whole.build((None, spec.steps, spec.features))
    whole.set_weights(spec.keras_weights())
    return whole


def recurrent(sizes: Sizes) -> Work:
    """Our layers, whichever twin of the loop runs them."""
    import everystep as es

    spec = Spec.of(sizes)
    layer = keras_like(es, spec)
    paths = [variable.path for variable in layer.trainable_weights]
    held = es.weights_of(layer)

    def outputs(inputs: Any, weights: Any) -> Any:
        given = dict(zip(paths, weights, strict=True))
        return es.apply(layer, given, inputs)[0]

    return compiled(spec, outputs, [held[path] for path in paths], spec.from_keras)
