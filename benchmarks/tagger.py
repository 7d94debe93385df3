"""How fast is a whole tagger, through each library's own methods for training and prediction?"""

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks._question import Peer, Question, Sizes

VOCABULARY, FEATURES, UNITS, LABELS, STEPS = 10_000, 128, 256, 17, 50
Work = Callable[[], Any]
Array = npt.NDArray[Any]


def flops(sizes: Sizes) -> float:
    """Two for each weight, row and step; the backward pass has two products for each one ahead."""
    weights = (FEATURES + UNITS) * 4 * UNITS + UNITS * LABELS
    forward = 2.0 * int(sizes["batch"]) * STEPS * weights
    return 3 * forward if sizes["task"] == "train step" else forward


def data(sizes: Sizes) -> tuple[Array, Array]:
    """The same sentences and labels for every peer."""
    random = np.random.default_rng(0)
    shape = int(sizes["batch"]), STEPS
    return random.integers(0, VOCABULARY, shape), random.integers(0, LABELS, shape)


def first_weights() -> list[Array]:
    """The same weights for every peer, in Keras's order."""
    random = np.random.default_rng(1)
    shapes = [
        (VOCABULARY, FEATURES),
        (FEATURES, 4 * UNITS),
        (UNITS, 4 * UNITS),
        (4 * UNITS,),
        (UNITS, LABELS),
        (LABELS,),
    ]
    return [random.normal(size=shape).astype("float32") * 0.05 for shape in shapes]


def _keras_like(library: Any, sizes: Sizes) -> Work:
    """The work for a library with Keras's interface: ours, or Keras."""
    layers = library.layers
    model = library.Sequential(
        [
            layers.Embedding(VOCABULARY, FEATURES),
            layers.LSTM(UNITS, return_sequences=True),
            layers.Dense(LABELS),
        ]
    )
    model.build((None, STEPS))
    model.set_weights(first_weights())
    model.compile("adam", library.losses.SparseCategoricalCrossentropy(from_logits=True))
    ids, labels = data(sizes)
    if sizes["task"] == "train step":
        return lambda: np.asarray(model.train_on_batch(ids, labels))
    return lambda: model.predict_on_batch(ids)


def everystep(sizes: Sizes) -> Work:
    """Our layers."""
    import everystep as library

    return _keras_like(library, sizes)


def keras(sizes: Sizes) -> Work:
    """Keras, on the backend that its process was given."""
    import keras as library

    return _keras_like(library, sizes)


def torch(sizes: Sizes) -> Work:
    """Layers of torch, run eagerly."""
    from torch import nn, no_grad, optim, tensor

    embedding, lstm, dense = (
        nn.Embedding(VOCABULARY, FEATURES),
        nn.LSTM(FEATURES, UNITS, batch_first=True),
        nn.Linear(UNITS, LABELS),
    )
    table, kernel, recurrent, bias, out, out_bias = first_weights()
    given = (table, kernel.T, recurrent.T, bias, np.zeros_like(bias), out.T, out_bias)
    parameters = [*embedding.parameters(), *lstm.parameters(), *dense.parameters()]
    with no_grad():
        for parameter, array in zip(parameters, given, strict=True):
            parameter.copy_(tensor(array))
    optimizer, loss = optim.Adam(parameters, eps=1e-7), nn.CrossEntropyLoss()
    ids, labels = (tensor(array) for array in data(sizes))

    def train() -> Any:
        optimizer.zero_grad()
        value = loss(dense(lstm(embedding(ids))[0]).flatten(0, 1), labels.flatten())
        value.backward()
        optimizer.step()
        return value.detach().numpy()

    def predict() -> Any:
        with no_grad():
            return dense(lstm(embedding(ids))[0]).numpy()

    return train if sizes["task"] == "train step" else predict


QUESTION = Question(
    name="tagger",
    text=__doc__,
    peers=(
        Peer("everystep", "benchmarks.tagger:everystep"),
        Peer("Keras on JAX", "benchmarks.tagger:keras", {"KERAS_BACKEND": "jax"}, ("keras",)),
        Peer(
            "Keras on torch",
            "benchmarks.tagger:keras",
            {"KERAS_BACKEND": "torch"},
            ("keras", "torch"),
        ),
        Peer("torch", "benchmarks.tagger:torch", requires=("torch",)),
    ),
    cases=(
        {"task": "train step", "batch": 32},
        {"task": "forward", "batch": 32},
        {"task": "forward", "batch": 1},
    ),
    flops=flops,
)
