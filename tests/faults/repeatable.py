"""What must give the same bits each time: trainings and layers, as bytes of all that they give."""

import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

import everystep as es
from everystep import layers
from everystep.corpora.readers import reader
from everystep.layers.apply import apply, weights_of
from tests.catalogue import ENTRIES

SEED, WORDS, LABELS = 11, 300, 5

Works = Iterator[tuple[str, Callable[[], bytes]]]


def small() -> Works:
    """Trainings that give the same bits with any number of XLA's threads."""
    yield "recurrent network", recurrent
    yield "tagger", tagger


def recurrent() -> bytes:
    """Packed rows in random order, with all kinds of dropout, two batches to a program."""
    gru = layers.GRU(48, return_sequences=True, dropout=0.1, recurrent_dropout=0.1)
    return trained(layers.Bidirectional(gru), count=40, longest=24, size=8)


def trained(*inner: Any, count: int, longest: int, size: int) -> bytes:
    """History, weights and predictions of a training on sequences of several lengths."""
    es.utils.set_random_seed(SEED)
    words = [layers.Embedding(WORDS, 24), layers.Dropout(0.2)]
    model = es.Sequential([*words, *inner, layers.Dense(LABELS)])
    loss = es.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile("adam", loss, metrics=["accuracy"], steps_per_execution=2)
    random = np.random.default_rng(SEED)
    x = [random.integers(0, WORDS, length) for length in random.integers(1, longest, count)]
    history = model.fit(x, [ids % LABELS for ids in x], size, 2, verbose=0).history
    arrays = [*model.get_weights(), *model.predict(x[:9], verbose=0)]
    return repr(history).encode() + b"".join(each.tobytes() for each in arrays)


def tagger() -> bytes:
    """A tagger that was trained on the files of a folder, written, read, and asked."""
    settings = {"embedding": 8, "character_units": 6, "units": 12, "epochs": 2, "batch_size": 8}
    with tempfile.TemporaryDirectory() as folder:
        for number, name in enumerate(("b", "d", "a", "c")):
            lines = "".join(f"größe_{k} = {name}({k % 3}) + x[{number}]\n" for k in range(9))
            Path(folder, f"{name}.py").write_text(lines, encoding="utf-8")
        sentences = list(reader("python").read(folder))
        made = es.Tagger.train(sentences, sentences[:2], settings, 0)
        made.save(Path(folder, "tagger.everystep"))
        read = es.Tagger.load(Path(folder, "tagger.everystep"))
        tags = read.predict([sentence.tokens for sentence in sentences])
    record = {name: value for name, value in read.record.items() if name != "seconds"}
    arrays = made._model.network.get_weights()
    return repr((record, tags)).encode() + b"".join(each.tobytes() for each in arrays)


def large() -> Works:
    """Trainings with steps that are large enough for threads to share."""
    kinds: dict[str, Callable[[], Any]] = {
        "LSTM": lambda: layers.LSTM(96, return_sequences=True),
        "GRU": lambda: layers.GRU(96, return_sequences=True),
        "Dense": lambda: layers.Dense(256, "relu"),
        "BatchNormalization": layers.BatchNormalization,
        "Conv1D": lambda: layers.Conv1D(128, 5, padding="same"),
        "SeparableConv1D": lambda: layers.SeparableConv1D(128, 5, padding="same"),
    }
    for name, make in kinds.items():
        yield name, partial(large_training, make)


def large_training(make: Callable[[], Any]) -> bytes:
    return trained(make(), count=200, longest=90, size=64)


def catalogue(rows: int | None = None, steps: int = 0) -> Works:
    """Every layer, in training: its outputs and its gradients by inputs and weights.

    Args:
        rows: how many rows the input has, where the layer takes any; None for that of its entry.
        steps: how many steps it then has.
    """
    for entry in ENTRIES:
        if not entry.variant:
            yield entry.name, partial(differentiated, entry, rows, steps)


def differentiated(entry: Any, rows: int | None, steps: int) -> bytes:
    layer = entry.built()
    of_steps = entry.any_length and len(entry.shape) > (1 if entry.ids else 2)
    inputs = entry.inputs(None if rows is None or not of_steps else entry.sized(rows, steps))
    arguments = entry.arguments(len(inputs))

    def total(point: Any, rest: Any) -> Any:
        weights, values = point
        given = inputs if entry.ids else values
        key, states = jax.random.key(SEED), dict(zip(["states"], arguments, strict=False))
        outputs = apply(layer, rest | weights, given, training=True, key=key, **states)[0]
        leaves = [leaf for leaf in jax.tree.leaves(outputs) if leaf.dtype == "float32"]
        return sum(jnp.sum(jnp.sin(leaf)) for leaf in leaves), outputs

    weights = weights_of(layer)
    floating = {path: each for path, each in weights.items() if each.dtype == "float32"}
    rest = {path: each for path, each in weights.items() if path not in floating}
    point = floating, () if entry.ids else inputs
    found = jax.jit(jax.grad(total, has_aux=True))(point, rest)
    return b"".join(np.asarray(leaf).tobytes() for leaf in jax.tree.leaves(found))


PARTS: dict[str, Callable[[], Works]] = {
    "small": small,
    "catalogue": catalogue,
    "large": large,
    "wide catalogue": partial(catalogue, 40, 150),
}
