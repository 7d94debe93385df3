"""How fast is `TimeDistributed(LSTM)` over the characters of words, first call and after?"""

from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks import _peers, _torch
from benchmarks._question import Question, Sizes
from benchmarks._taggers import EPSILON, TRAIN, Tagger, torch_parts, torch_work


def flops(sizes: Sizes) -> float:
    """Of all products: two for each weight and step, three times as many in training."""
    features, units, labels = (int(sizes[name]) for name in ("features", "units", "labels"))
    words = int(sizes["batch"]) * int(sizes["words"])
    letters = words * int(sizes["characters"])
    forward = 2.0 * (letters * (features + units) * 4 * units + words * units * labels)
    return 3 * forward if sizes["task"] == TRAIN else forward


def _shape(sizes: Sizes) -> tuple[int, ...]:
    return tuple(int(sizes[name]) for name in ("batch", "words", "characters"))


def data(sizes: Sizes) -> tuple[Any, Any]:
    """The same characters and labels of words for every peer."""
    random = np.random.default_rng(0)
    shape = _shape(sizes)
    ids = random.integers(0, int(sizes["vocabulary"]), shape).astype("int32")
    return ids, random.integers(0, int(sizes["labels"]), shape[:2]).astype("int32")


def _keras_like(library: Any, sizes: Sizes) -> Callable[[], Any]:
    tagger = Tagger.of(sizes)
    layers = library.layers
    model = library.Sequential(
        [
            layers.Embedding(tagger.vocabulary, tagger.features),
            layers.TimeDistributed(layers.LSTM(tagger.units)),
            layers.Dense(tagger.labels),
        ]
    )
    ids, labels = data(sizes)

    def prepare() -> None:
        """Part of the first call: Keras's wrapper runs step by step when it is built, too."""
        model.build((None, *_shape(sizes)[1:]))
        model.set_weights(tagger.weights())
        model.compile(
            library.optimizers.Adam(epsilon=EPSILON),
            library.losses.SparseCategoricalCrossentropy(from_logits=True),
        )

    def work() -> Any:
        if not model.built:
            prepare()
        if sizes["task"] == TRAIN:
            return np.asarray(model.train_on_batch(ids, labels))
        return model.predict_on_batch(ids)

    return work


def everystep(sizes: Sizes) -> Callable[[], Any]:
    """Ours: the words of all sentences are the rows of one loop."""
    import everystep as library

    return _keras_like(library, sizes)


def keras(sizes: Sizes) -> Callable[[], Any]:
    """Keras, on the backend that its process was given: a loop over the words in Python."""
    import keras as library

    return _keras_like(library, sizes)


def torch(sizes: Sizes) -> Callable[[], Any]:
    """Layers of torch, with words put where rows are by hand; eager or compiled."""
    (embedding, lstm, dense), optimizer = torch_parts(Tagger.of(sizes))
    ids, labels = map(_torch.tensor, data(sizes))
    batch, words, _ = _shape(sizes)

    def outputs(ids: Any) -> Any:
        last = lstm(embedding(ids.flatten(0, 1)))[0][:, -1]
        return dense(last).unflatten(0, (batch, words))

    return torch_work(outputs, optimizer, ids, labels, sizes)


SIZES = {
    "batch": 32,
    "words": 25,
    "characters": 12,
    "vocabulary": 100,
    "features": 32,
    "units": 64,
    "labels": 17,
}

QUESTION = Question(
    name="characters",
    text=__doc__,
    peers=(
        *_peers.ours("benchmarks.characters:everystep"),
        *_peers.keras("benchmarks.characters:keras"),
        *_peers.torch("benchmarks.characters:torch"),
    ),
    cases=tuple({"task": task, **SIZES} for task in ("forward", TRAIN)),
    flops=flops,
    quick={
        "batch": 2,
        "words": 3,
        "characters": 4,
        "vocabulary": 9,
        "features": 5,
        "units": 8,
        "labels": 3,
    },
)
