"""Does TimeDistributed(Dense) cost more than Dense, when it is first called and after?"""

from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks._question import Peer, Question, Sizes

FEATURES, UNITS = 128, 64
Work = Callable[[], Any]


def _work(library: Any, sizes: Sizes, wrapped: bool) -> Work:
    """Predict with a model of one layer; building it is part of its first call."""
    random = np.random.default_rng(0)
    shape = int(sizes["batch"]), int(sizes["steps"]), FEATURES
    inputs = random.normal(size=shape).astype("float32")
    weights = [random.normal(size=size).astype("float32") for size in ((FEATURES, UNITS), (UNITS,))]
    layer = library.layers.Dense(UNITS)
    model = library.Sequential([library.layers.TimeDistributed(layer) if wrapped else layer])

    def work() -> Any:
        if not model.built:
            model.build(shape)
            model.set_weights(weights)
        return model.predict_on_batch(inputs)

    return work


def dense(sizes: Sizes) -> Work:
    """Our Dense."""
    import everystep as library

    return _work(library, sizes, wrapped=False)


def time_distributed(sizes: Sizes) -> Work:
    """Our TimeDistributed(Dense)."""
    import everystep as library

    return _work(library, sizes, wrapped=True)


def keras_dense(sizes: Sizes) -> Work:
    """Keras's Dense."""
    import keras as library

    return _work(library, sizes, wrapped=False)


def keras_time_distributed(sizes: Sizes) -> Work:
    """Keras's TimeDistributed(Dense), which loops over the steps in Python when it is compiled."""
    import keras as library

    return _work(library, sizes, wrapped=True)


QUESTION = Question(
    name="time_distributed",
    text=__doc__,
    peers=(
        Peer("Dense", "benchmarks.time_distributed:dense"),
        Peer("TimeDistributed(Dense)", "benchmarks.time_distributed:time_distributed"),
        Peer(
            "Keras on JAX, Dense",
            "benchmarks.time_distributed:keras_dense",
            {"KERAS_BACKEND": "jax"},
            ("keras",),
        ),
        Peer(
            "Keras on JAX, TimeDistributed",
            "benchmarks.time_distributed:keras_time_distributed",
            {"KERAS_BACKEND": "jax"},
            ("keras",),
        ),
    ),
    cases=({"batch": 32, "steps": 200}, {"batch": 2, "steps": 2000}),
    flops=lambda sizes: 2.0 * int(sizes["batch"]) * int(sizes["steps"]) * FEATURES * UNITS,
)
