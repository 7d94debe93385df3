"""The two models of the demonstration, and their training."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import numpy as np

from everystep import callbacks, losses, optimizers
from everystep.cli.demonstration.corpus import Data, Ids
from everystep.cli.demonstration.settings import Settings
from everystep.drawing.report import Curves, SummaryLine
from everystep.layers import LSTM, Bidirectional, Dense, Embedding, Input
from everystep.layers.symbolic import written
from everystep.models import Sequential
from everystep.models.summary import lines

TITLES = {"forward": "LSTM, reads forward", "bidirectional": "LSTM, reads both ways"}
"""The models by name, in the order in which they are trained."""


@dataclass(frozen=True)
class Trained:
    """A model after its training.

    Args:
        model: the model.
        curves: loss and accuracy after each epoch.
        seconds: how long the training took, compilation and validation included.
        steps_per_second: real steps trained on in a second, the first epoch, which compiles, apart.
        outputs: what the model gives for each test sequence, shape (steps, labels).
    """

    model: Sequential
    curves: Curves
    seconds: float
    steps_per_second: float
    outputs: Ids

    @property
    def said(self) -> Ids:
        """The id of the label that the model gives to each step of each test sequence."""
        return labels(self.outputs)


class _Clock(callbacks.Callback):
    """Notes when each epoch ends."""

    def __init__(self) -> None:
        super().__init__()
        self.ends: list[float] = []

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Note the time."""
        self.ends.append(time.monotonic())


def make_model(name: str, data: Data, settings: Settings) -> Sequential:
    """Make a model that gives each step of a token sequence its label.

    Args:
        name: one of `TITLES`.
        data: the corpus, for the sizes of its vocabularies.
        settings: the sizes of the layers.

    Returns:
        The model, compiled, for token ids of shape (batch, steps).
    """
    reader: Any = LSTM(settings.units, return_sequences=True)
    if name == "bidirectional":
        reader = Bidirectional(reader)
    model = Sequential(
        [
            Input((None,)),
            Embedding(len(data.tokens), settings.embedding),
            reader,
            Dense(len(data.roles)),
        ],
        name=name,
    )
    model.compile(
        optimizers.Adam(settings.learning_rate),
        losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    return model


def train(model: Sequential, data: Data, settings: Settings, *, verbose: int) -> Trained:
    """Train a model, and let it label the test sequences.

    Args:
        model: the model, compiled.
        data: the corpus.
        settings: epochs and batch size.
        verbose: 0 is silent, 1 a bar on a terminal and a line an epoch in a pipe.

    Returns:
        The trained model with all that was noted on the way.
    """
    clock = _Clock()
    began = time.monotonic()
    history = model.fit(
        *data.pairs(data.corpus.train),
        batch_size=settings.batch_size,
        epochs=settings.epochs,
        validation_data=data.pairs(data.corpus.dev),
        callbacks=[clock],
        verbose=verbose,
    ).history
    warm = clock.ends[-1] - (clock.ends[0] if settings.epochs > 1 else began)
    return Trained(
        model,
        Curves(
            loss=history["loss"],
            accuracy=history["accuracy"],
            val_loss=history["val_loss"],
            val_accuracy=history["val_accuracy"],
        ),
        seconds=clock.ends[-1] - began,
        steps_per_second=max(1, settings.epochs - 1) * data.corpus.train.steps / warm,
        outputs=outputs(model, data.pairs(data.corpus.test)[0], settings),
    )


def labels(outputs: Ids) -> Ids:
    """Return the id of the label that outputs say for each step of each sequence."""
    return [logits.argmax(-1) for logits in outputs]


def outputs(model: Sequential, sequences: Ids, settings: Settings) -> Ids:
    """Return a model's outputs for each sequence, shape (steps, labels)."""
    found: Ids = model.predict(sequences, batch_size=4 * settings.batch_size, verbose=0)
    return [np.asarray(one) for one in found]


def summary_of(model: Sequential) -> list[SummaryLine]:
    """Return the layers of a model with their output shapes and numbers of parameters."""
    return [
        SummaryLine(
            name=line.name,
            kind=line.kind,
            output_shape="; ".join(map(written, line.output_shapes)),
            parameters=line.parameters or 0,
        )
        for line in lines(model)
    ]
