"""The training of a tagger: from labelled sentences to weights, and the record of how it went."""

from __future__ import annotations

import platform
import sys
import time
import warnings
from collections import deque
from collections.abc import Iterable, Sequence
from os import PathLike
from typing import Any

import jax
import numpy as np

import everystep
from everystep import callbacks, losses, optimizers
from everystep.callbacks import Callback
from everystep.callbacks.base import Logs, say
from everystep.core.randomness import seeded
from everystep.corpora.sentences import Sentence
from everystep.corpora.vocabulary import Vocabulary
from everystep.sequences import Ragged
from everystep.tagging.batches import Rows, TrainingBatches
from everystep.tagging.constraints import has_entities, scheme_of
from everystep.tagging.features import Features
from everystep.tagging.model import TaggerModel
from everystep.tagging.resuming import Resumable, identity_of
from everystep.tagging.samples import unseen_labels
from everystep.tagging.scores import Scores
from everystep.tagging.settings import Settings

MOST_SHAPES = 64
"""How many shapes of batches may come without a warning: few, but of two kinds, each of a list."""
PREDICTED_ROWS = 16
"""How many rows a batch has that is to be labelled; more of them are no faster."""


def evaluate(model: TaggerModel, sentences: Iterable[Sentence]) -> dict[str, Any]:
    """Return how well a model labels sentences: the figures of `Scores`."""
    scores = Scores(known=_Known(model.features))
    waiting: deque[Sentence] = deque()

    def tokens() -> Any:
        for sentence in sentences:
            waiting.append(sentence)
            yield sentence.tokens

    for predicted in model.label(tokens()):
        sentence = waiting.popleft()
        scores.add(sentence.labels or (), predicted, sentence.tokens)
    return dict(scores.figures())


class _Known:
    """The words that training saw, as it looks them up."""

    def __init__(self, features: Features) -> None:
        self._features = features

    def __contains__(self, token: object) -> bool:
        return isinstance(token, str) and self._features.knows(token)


class DevScores(Callback):
    """Measures a tagger on dev after each epoch, for the callbacks that follow to watch.

    Args:
        tagger: the model in training.
        sentences: the sentences of dev.
        told: whether to write a line about it.
    """

    def __init__(self, tagger: TaggerModel, sentences: Sequence[Sentence], told: bool) -> None:
        super().__init__()
        self._tagger, self._sentences, self._told = tagger, sentences, told

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        """Put the scores into the logs."""
        figures = evaluate(self._tagger, self._sentences)
        found = {
            f"dev_{name}": figures[name]
            for name in ("accuracy", "accuracy_unknown", "entity_f1")
            if figures.get(name) is not None
        }
        if logs is not None:
            logs |= found
        if self._told:
            say(f"Epoch {epoch + 1}: " + ", ".join(f"{n} {v:.4f}" for n, v in found.items()))


def train(
    sentences: Sequence[Sentence],
    dev: Sequence[Sentence] | None,
    settings: Settings,
    verbose: str | int,
    further: Sequence[Callback] = (),
    resume: str | PathLike[str] | None = None,
) -> tuple[TaggerModel, dict[str, Any]]:
    """Train a tagger; see `Tagger.train`.

    Returns:
        The model with the best weights, and the record of the training.
    """
    began = time.monotonic()
    names = sorted({label for sentence in sentences for label in sentence.labels or ()})
    labels = Vocabulary(names, reserved=False)
    _warn_of_unseen(dev or (), names)
    with seeded(settings.seed):
        features = Features.of([sentence.tokens for sentence in sentences], settings)
        encoded = features.encode([sentence.tokens for sentence in sentences])
        targets = Ragged.of([labels.encode(sentence.labels or ()) for sentence in sentences])
        least = max(map(len, dev or ()), default=1)
        batches = TrainingBatches(
            encoded, targets, settings.batch_size, settings.word_dropout, least, settings.seed
        )
        rows = Rows(PREDICTED_ROWS, batches.rows.length)
        scheme = scheme_of((sentence.labels or () for sentence in sentences), names)
        model = TaggerModel(settings, features, labels, rows, scheme)
        _compile(model, len(batches))
        stopping = _watching(model, dev, verbose) if dev else []
        kept: Resumable | None = None
        if resume is not None:
            identity = identity_of(settings, sentences, dev)
            watching = stopping[-1] if stopping else None
            kept = Resumable(resume, model.network, batches, watching, identity)
        history = model.network.fit(
            batches,
            epochs=settings.epochs,
            initial_epoch=0 if kept is None else kept.go_on(),
            callbacks=[*stopping, *([] if kept is None else [kept]), *further],
            verbose=verbose,
        ).history
    curve = {name: [float(value) for value in values] for name, values in history.items()}
    if kept is not None:
        curve = kept.curve
        kept.end()
    best = stopping[-1].best_epoch if stopping else len(curve["loss"]) - 1
    record: dict[str, Any] = {
        "settings": settings.to_dict(),
        "seed": settings.seed,
        "versions": versions(),
        "sentences": len(sentences),
        "steps": int(encoded.kinds.lengths.sum()),
        "fill": batches.fill,
        "curve": curve,
        "best_epoch": best + 1,
        "dev": evaluate(model, dev) if dev else None,
        "seconds": time.monotonic() - began,
    }
    return model, record


def _compile(model: TaggerModel, batches: int) -> None:
    settings = model.settings
    rate = optimizers.schedules.PolynomialDecay(
        settings.learning_rate, batches * settings.epochs, end_learning_rate=0.0
    )
    model.network.compile(
        optimizers.Adam(rate, global_clipnorm=settings.clip),
        losses.CRFLoss()
        if model.has_crf
        else losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
        max_shapes=MOST_SHAPES,
    )


def _watching(model: TaggerModel, dev: Sequence[Sentence], verbose: str | int) -> list[Any]:
    """Return what measures dev, and what keeps the best weights."""
    monitor = model.settings.monitor
    if monitor == "auto":
        names = {label for sentence in dev for label in sentence.labels or ()}
        monitor = "entity_f1" if has_entities(names) else "accuracy"
    told = verbose in (1, 2) or (verbose == "auto" and sys.stdout.isatty())
    stopping = callbacks.EarlyStopping(
        f"dev_{monitor}", patience=model.settings.patience, mode="max", restore_best_weights=True
    )
    return [DevScores(model, dev, told), stopping]


def _warn_of_unseen(dev: Sequence[Sentence], names: Iterable[str]) -> None:
    unseen = unseen_labels(dev, names)
    if unseen:
        places = ", ".join(f"{label!r} ({place})" for label, place in list(unseen.items())[:20])
        warnings.warn(
            f"dev has {len(unseen)} label(s) that training never saw, which count as wrong: "
            f"{places}",
            stacklevel=4,
        )


def versions() -> dict[str, str]:
    """Return the versions of what a result depends on."""
    return {
        "everystep": everystep.__version__,
        "jax": jax.__version__,
        "numpy": np.__version__,
        "python": platform.python_version(),
        "machine": f"{platform.system()} {platform.machine()}",
    }
